"""Classifiers of latent codes, attacked in codes and in pixels: Figures 4 to 6 of the latent and SVD paper."""

from empirical.latent_defence.study import STUDY
from empirical.shared.command import main, read

FULL = {
    "dataset": ["mnist", "fashion-mnist"],
    "training": [60_000],
    "tested": [10_000],
    "images": [50],
    "ddn_implicit": [300],
    "ddn_steps": [20],
    "auto": ["standard"],
    "samples": 5,
}

if __name__ == "__main__":
    flags = read(STUDY, samples=3, full=FULL)

    from empirical.latent_defence.tables import tables

    main(STUDY, flags, tables)
