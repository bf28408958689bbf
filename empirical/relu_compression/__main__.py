"""Trained ReLU networks beside Theorem 7: Tables 3 and 4 of feature compression."""

from empirical.relu_compression.study import STUDY
from empirical.shared.command import main, read

FULL = {"layers": [1, 2, 3, 4]}

if __name__ == "__main__":
    flags = read(STUDY, samples=64, full=FULL)

    from empirical.relu_compression.tables import tables

    main(STUDY, flags, tables)
