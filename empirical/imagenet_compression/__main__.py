"""A classifier of photographs between two classes: Tables 7 and 8 of feature compression."""

from empirical.imagenet_compression.pairs import ALL
from empirical.imagenet_compression.study import STUDY
from empirical.shared.command import main, read

FULL = {"partners": [ALL], "attacks": ["nearest_rivals+ddn+alma"]}

if __name__ == "__main__":
    flags = read(STUDY, samples=None, full=FULL, checkpoint=True)

    from empirical.imagenet_compression.tables import tables

    main(STUDY, flags, tables)
