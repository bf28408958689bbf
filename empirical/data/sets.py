"""The sets of labelled images, by name."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.data.catalogue import CLASSES, SPLITS
from empirical.data.download import home
from empirical.data.images import Images
from empirical.data.packages import package
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    import numpy as np

TRAINING_DIGITS = 1437  # four fifths of the 1797; scikit-learn has no split of its own


def load(name: str, split: str, data_dir: str | Path | None = None) -> Images:
    """A split of a data set, in the order of its files; read once per process, so its arrays are not to be written.

    Parameters
    ----------
    name : "mnist", "fashion-mnist", "cifar10" or "digits".
    split : "train" or "test". Of the digits, the first 1437 images or the last 360.
    data_dir : the folder of data sets; if left out, that of the context, else the cache, to which what is missing is
        downloaded.

    Raises
    ------
    UsageError : no such set or split, or the folder that was named does not hold it.
    UnavailableError : it is damaged, or not here and cannot be downloaded.
    """
    if name not in CLASSES:
        raise UsageError(f"a data set must be one of {', '.join(CLASSES)}, got {name!r}")
    if split not in SPLITS:
        raise UsageError(f"a split must be one of {', '.join(SPLITS)}, got {split!r}")
    return _read(name, split, None if name == "digits" else home(name, (split,), data_dir).resolve())


def digest(name: str, data_dir: str | Path | None = None) -> str:
    """Twelve hex digits over every split of a data set: what a point says of the images that it is measured on.

    Parameters and errors are those of `load`.
    """
    found = "".join(load(name, split, data_dir).digest for split in SPLITS)
    return hashlib.sha256(found.encode()).hexdigest()[:12]


def splits(name: str, expected: str) -> tuple[Images, Images]:
    """Training and test images of a set, if they are those that a point names by their `digest`.

    Raises
    ------
    UsageError : the folder of data sets holds others.
    """
    if (found := digest(name)) != expected:
        raise UsageError(f"--data-dir must hold the {name} {expected} wherever shards are measured, got {found}")
    return load(name, "train"), load(name, "test")


@lru_cache(maxsize=4)  # every shard of an experiment asks again
def _read(name: str, split: str, place: Path | None) -> Images:
    x, labels = _digits(split) if place is None else _files(name, split, place)
    for array in (x, labels):
        array.setflags(write=False)
    return Images(x, labels, CLASSES[name])


def _files(name: str, split: str, place: Path) -> tuple[np.ndarray, np.ndarray]:
    from empirical.data import cifar, idx

    return cifar.read(place, split) if name == "cifar10" else idx.read(place, split)


def _digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The 8 x 8 digits of scikit-learn, 0..16 scaled to 0..255 and rounded."""
    import numpy as np

    bunch = package("sklearn.datasets", "scikit-learn").load_digits()
    part = slice(TRAINING_DIGITS) if split == "train" else slice(TRAINING_DIGITS, None)
    return np.rint(bunch.images[part] * (255 / 16)).astype(np.uint8), bunch.target[part].astype(np.int64)
