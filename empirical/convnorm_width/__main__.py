"""WideResNets by width and normalisation under attacks of one step and of many: Table 1 of ConvNorm."""

from empirical.convnorm_width.study import STUDY
from empirical.shared.command import main, read

FULL = {
    "widths": ["1+2+3+4+5"],
    "epochs": [40],
    "batch": [128],
    "training": [45_000],
    "watched": [1000],
    "images": [5000],
    "curve_images": [1000],
    "auto_images": [500],
    "resnet": [40],
}

if __name__ == "__main__":
    flags = read(STUDY, samples=3, full=FULL)

    from empirical.convnorm_width.tables import tables

    main(STUDY, flags, tables)
