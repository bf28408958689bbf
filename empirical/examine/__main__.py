"""A network of your own on images of your own: what all five papers say of it, in one table."""

from typing import Any

from empirical.examine.study import STUDY
from empirical.shared.command import main, read

FULL = {"attacks": ["nearest_rivals+ddn+alma"], "steps": [100]}


def _images(how: Any) -> None:
    """The flags that say where the images are."""
    from pathlib import Path

    how.add_argument(
        "--images",
        type=Path,
        required=True,
        metavar="PATH",
        help="folder of photographs, or .npz or .npy of images as bytes or in [0, 1]; an npz may hold labels as well",
    )
    how.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="class number of each image, a text with one a line or a .npy (default: what the network says)",
    )


def _context(flags: Any) -> Any:
    from empirical.examine.images import Shown

    return Shown(
        claims=flags["claims"],
        checkpoints=flags["out"] / "checkpoints",
        weights=flags["checkpoint"],
        images=flags["images"],
        labels=flags["labels"],
    )


if __name__ == "__main__":
    flags = read(STUDY, samples=None, full=FULL, checkpoint=True, data=_images)

    from empirical.examine.tables import tables

    main(STUDY, flags, tables, _context)
