"""Condition numbers and accuracies under attack of trained networks: Tables I and II of conditioning."""

from empirical.conditioning.study import STUDY
from empirical.shared.command import main, read

FULL = {"images": [10000], "samples": 20}

if __name__ == "__main__":
    flags = read(STUDY, samples=4, full=FULL)

    from empirical.conditioning.tables import tables

    main(STUDY, flags, tables)
