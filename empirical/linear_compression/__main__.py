"""Trained linear networks beside Theorem 6: Tables 1 and 2 and Figure 2 of feature compression."""

from empirical.linear_compression.study import STUDY
from empirical.shared.command import main, read

FULL = {"n": [*range(7, 18)], "samples": 64}

if __name__ == "__main__":
    flags = read(STUDY, samples=64, full=FULL)

    from empirical.linear_compression.tables import tables

    main(STUDY, flags, tables)
