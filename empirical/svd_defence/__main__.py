"""Classifiers with their bottom singular values shrunk, under attack: Figure 7 of the latent and SVD defences."""

from empirical.shared.command import main, read
from empirical.svd_defence.study import STUDY

FULL = {"dataset": ["mnist", "fashion-mnist"], "training": [60_000], "samples": 5}

if __name__ == "__main__":
    flags = read(STUDY, samples=5, full=FULL)

    from empirical.svd_defence.tables import tables

    main(STUDY, flags, tables)
