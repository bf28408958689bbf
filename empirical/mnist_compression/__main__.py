"""Sevens and the ones made out of them, for a network of digits: Tables 5 and 6 of feature compression."""

from empirical.mnist_compression.study import RULES, STUDY
from empirical.shared.command import main, read

FULL = {
    "epochs": [14],
    "network": list(range(5)),
    "construction": list(RULES),
    "samples": 1028,
}

if __name__ == "__main__":
    flags = read(STUDY, samples=256, full=FULL)

    from empirical.mnist_compression.tables import tables

    main(STUDY, flags, tables)
