"""The user's images and labels: a folder of photographs, or arrays in a file; and where both are, for whoever measures.

Images are channels first and in [0, 1]. Photographs are read as they are, and must then all have one size, or as the
square in their middle. A label is the number of a logit; without labels, what the network says is taken for right.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from empirical.data import read_photograph
from empirical.data.packages import package
from empirical.data.photographs import MOST_PIXELS, SUFFIXES
from empirical.imagenet_compression.pairs import CROP
from fragility.engine.context import Context, current
from fragility.engine.files import reason
from fragility.engine.memory import lacking
from fragility.engine.study import UsageError

ARRAYS = (".npz", ".npy")
NAMES, LABELS = ("images", "x"), ("labels", "y")  # of arrays in an npz
COLOURS = (1, 3)  # channels by which the axis of channels is known
SAID = "said"  # in place of a digest of labels: what the network says


@dataclass(frozen=True)
class Shown(Context):
    """A context that says where the user's images are, and their labels."""

    images: Path | None = None
    labels: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("images", "labels"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(path).expanduser().absolute())


class Images(NamedTuple):
    """Images (N, channels, ...) in [0, 1], float32, and their labels, (N,) int64, if there are any."""

    x: np.ndarray
    labels: np.ndarray | None

    @property
    def digest(self) -> str:
        """12 hex digits over shape and values of the images."""
        content = hashlib.sha256(repr(self.x.shape).encode())
        content.update(np.ascontiguousarray(self.x).data)
        return content.hexdigest()[:12]

    @property
    def labels_digest(self) -> str:
        """12 hex digits over the labels, or `SAID`."""
        if self.labels is None:
            return SAID
        return hashlib.sha256(self.labels.astype("<i8").tobytes()).hexdigest()[:12]


def images(size: int | None) -> Images:
    """Those of the context, read once.

    Parameters
    ----------
    size : side of the square that is cut out of the middle of photographs; None to take them as they are.

    Raises
    ------
    UsageError : there are none, they are no images in [0, 1] of one size, or the labels do not fit them.
    """
    held = current()
    if not isinstance(held, Shown) or held.images is None:
        raise UsageError("--images must name a folder of photographs or a file of arrays, got none")
    return _images(held.images, held.labels, size)


@lru_cache(maxsize=2)
def _images(where: Path, labels: Path | None, size: int | None) -> Images:
    found = _folder(where, size) if where.is_dir() else _arrays(where, size)
    if labels is not None:
        found = found._replace(labels=_labels(labels))
    if found.labels is not None and len(found.labels) != len(found.x):
        raise UsageError(f"--labels must hold a class for each of {len(found.x)} images, got {len(found.labels)}")
    return found


def _folder(folder: Path, size: int | None) -> Images:
    """All photographs below the folder, in the order of their paths."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise UsageError(f"--images must name a folder with {', '.join(sorted(SUFFIXES))} in it, got none in {folder}")
    if size is not None:
        if shortage := lacking(f"{len(paths):,} images of {size} x {size}", 15 * len(paths) * size**2):
            raise UsageError(f"--images: {shortage}")
        read = [read_photograph(path, size, round(size / CROP)) for path in paths]
    else:
        read = [_whole(path) for path in paths]
        if odd := [path for path, image in zip(paths, read, strict=True) if image.shape != read[0].shape]:
            first, other = read[0].shape[:2], read[paths.index(odd[0])].shape[:2]
            raise UsageError(
                f"--images must all have one size, got {first[0]} x {first[1]} and {other[0]} x {other[1]} "
                f"({odd[0].name}): --size 224 cuts a square of that side out of each"
            )
    return Images(_unit(np.stack(read).transpose(0, 3, 1, 2)), None)


def _whole(path: Path) -> np.ndarray:
    """A photograph as it is, (height, width, 3) uint8."""
    try:
        with package("PIL.Image", "pillow").open(path, formats=("JPEG", "PNG")) as image:
            width, height = image.size
            if width * height <= MOST_PIXELS:
                return np.array(image.convert("RGB"))
    except Exception as error:  # whatever a damaged file makes Pillow raise
        raise UsageError(f"{path} must be an image that can be read, got: {reason(error)}") from None
    raise UsageError(f"{path} must be a photograph, got {width} x {height} pixels, more than one has")


def _arrays(path: Path, size: int | None) -> Images:
    """Images of a file of NumPy's, and the labels beside them."""
    if path.suffix not in ARRAYS:
        raise UsageError(f"--images must be a folder, or a file that ends in {' or '.join(ARRAYS)}, got {path}")
    if size is not None:
        raise UsageError("--size must be left out where images come as arrays: they are taken as they are")
    held = _read(path, "--images")
    named = [name for name in NAMES if name in held] or ([*held] if len(held) == 1 else [])
    if not named:
        raise UsageError(f"{path} must hold images as {' or '.join(NAMES)}, got {', '.join(held) or 'nothing'}")
    labels = next((_classes(held[name], str(path)) for name in LABELS if name in held), None)
    return Images(_unit(_channels_first(held[named[0]], path)), labels)


def _read(path: Path, flag: str) -> Mapping[str, np.ndarray]:
    """The arrays of a file; nothing in it is executed, and nothing is read that this machine has no memory for."""
    if path.exists() and not path.is_file():
        raise UsageError(f"{flag} must be a file, got {path}: {'a folder' if path.is_dir() else 'a device'}")
    try:
        if path.suffix != ".npz":
            return {"": np.array(np.load(path, mmap_mode="r", allow_pickle=False))}
        with zipfile.ZipFile(path) as archive:
            announced = sum(member.file_size for member in archive.infolist())
        if not (shortage := lacking(f"the arrays of {path}", announced)):
            with np.load(path, allow_pickle=False) as loaded:
                return {name: loaded[name] for name in loaded.files}
    except Exception as error:  # whatever a damaged head, zip or pickle makes NumPy raise
        raise UsageError(f"{flag} must be a file of arrays that can be read, got {path}: {reason(error)}") from None
    raise UsageError(f"{flag}: {shortage}")


def _channels_first(array: np.ndarray, path: Path) -> np.ndarray:
    if array.ndim == 3:  # of grey
        array = array[:, None]
    if array.ndim != 4 or not array.size:
        raise UsageError(
            f"{path} must hold images (N, channels, height, width) or (N, height, width, channels), got shape "
            f"{array.shape}"
        )
    first, last = array.shape[1] in COLOURS, array.shape[3] in COLOURS
    if first == last:
        raise UsageError(f"{path} must hold images of 1 or 3 channels, on one axis alone, got shape {array.shape}")
    return array if first else array.transpose(0, 3, 1, 2)


def _unit(array: np.ndarray) -> np.ndarray:
    """In [0, 1], float32: bytes over 255, and fractions as they are."""
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array, dtype=np.float32) / np.float32(255)
    if array.dtype.kind != "f":
        raise UsageError(f"--images must be bytes from 0 to 255 or fractions from 0 to 1, got {array.dtype}")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        least, most = (f"{value:g}" for value in (np.min(array), np.max(array)))
        raise UsageError(
            f"--images must lie in [0, 1], got values from {least} to {most}: put what scales them into the network"
        )
    return np.ascontiguousarray(array, dtype=np.float32)


def _labels(path: Path) -> np.ndarray:
    """Class numbers of an array, or of a text with one in each line."""
    if path.suffix in ARRAYS:
        held = _read(path, "--labels")
        named = [name for name in (*LABELS, "") if name in held]
        if not named:
            raise UsageError(f"{path} must hold labels as {' or '.join(LABELS)}, got {', '.join(held) or 'nothing'}")
        return _classes(held[named[0]], str(path))
    try:
        lines: Any = path.read_text("utf-8").split()
        return np.array([int(line) for line in lines], dtype=np.int64)
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(f"--labels must be a text of one class number a line, got {path}: {reason(error)}") from None


def _classes(array: np.ndarray, where: str) -> np.ndarray:
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise UsageError(f"{where} must hold labels as integers, (N,), got {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)
