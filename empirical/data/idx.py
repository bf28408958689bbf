"""Images and labels in the idx format of MNIST: a big-endian head, then bytes.

The head is read first, and of what follows no more than it announces: a small gzip may unpack to any size.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from empirical.data.catalogue import IDX_FILES
from empirical.data.folders import idx_file, unreadable
from fragility.engine.backend import UnavailableError

if TYPE_CHECKING:
    import numpy as np

UNSIGNED_BYTES = 0x08
SIDE, CLASSES = 28, 10
MOST = 1_000_000  # images of a set; the largest that are published in this format have 814,255


def read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (N, 28, 28), and labels, int64 (N,), of the files in `folder`.

    Raises
    ------
    UnavailableError : a file is missing or damaged.
    """
    import numpy as np

    images, labels = (_existing(folder, name) for name in IDX_FILES[split])
    x, y = _array(images, (SIDE, SIDE)), _array(labels, ())
    if len(x) != len(y) or not len(x):
        unreadable(labels, f"there must be a label for each image, and some, got {len(y)} for {len(x)}")
    if y.max() >= CLASSES:
        unreadable(labels, f"labels must be below {CLASSES}, got {y.max()}")
    return x, y.astype(np.int64)


def _existing(folder: Path, name: str) -> Path:
    path = idx_file(folder, name)
    if path is None:
        raise UnavailableError(f"{folder} must hold {name} or {name}.gz, and has neither")
    return path


def _array(path: Path, each: tuple[int, ...]) -> np.ndarray:
    """The whole of a file as an array of uint8, (N, *each)."""
    import numpy as np

    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            shape = _announced(path, cast(BinaryIO, file), each)
            body = file.read(math.prod(shape) + 1)
    except (EOFError, zlib.error, OSError) as error:
        unreadable(path, str(error))
    if len(body) != math.prod(shape):
        got = len(body) if len(body) < math.prod(shape) else "more"
        unreadable(path, f"its head announces {math.prod(shape)} bytes, got {got}")
    return np.frombuffer(body, np.uint8).reshape(shape)


def _announced(path: Path, file: BinaryIO, each: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes in the head of a file, once they are those of a data set."""
    axes = 1 + len(each)
    magic = bytes((0, 0, UNSIGNED_BYTES, axes))
    head = file.read(4 + 4 * axes)
    if head[:4] != magic or len(head) < 4 + 4 * axes:
        got = head.hex() or "nothing"
        unreadable(path, f"it must begin with {magic.hex()} and {axes} sizes of 4 bytes, got {got}")
    count, *sides = struct.unpack(f">{axes}I", head[4:])
    if tuple(sides) != each:
        unreadable(path, f"its images must be {' x '.join(map(str, each))}, got {' x '.join(map(str, sides))}")
    if count > MOST:
        unreadable(path, f"a data set has at most {MOST:,} images, and its head announces {count:,}")
    return count, *sides
