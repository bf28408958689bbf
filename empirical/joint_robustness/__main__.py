"""Networks under joint attacks on inputs and weights, by training: Figure 1 of the paper on joint robustness."""

from empirical.joint_robustness.study import STUDY
from empirical.shared.command import main, read

FULL = {"epochs": [20], "training": [55_000], "images": [1000], "samples": 3}

if __name__ == "__main__":
    flags = read(STUDY, samples=3, full=FULL)

    from empirical.joint_robustness.tables import tables

    main(STUDY, flags, tables)
