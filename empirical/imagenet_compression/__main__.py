"""A classifier of photographs between two classes: Tables 7 and 8 of feature compression."""

from empirical.imagenet_compression.pairs import ALL
from empirical.imagenet_compression.study import STUDY
from empirical.shared.command import main, read

if __name__ == "__main__":
    full = {"partners": [ALL], "attacks": ["nearest_rivals+ddn+alma"]}
    flags = read(STUDY, samples=None, full=full, checkpoint=True)

    from empirical.imagenet_compression.tables import tables

    main(STUDY, flags, tables)
