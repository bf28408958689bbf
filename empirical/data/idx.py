"""Images and labels in the idx format of MNIST: a big-endian head, then bytes."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.data.catalogue import IDX_FILES
from empirical.data.folders import idx_file, unreadable
from fragility.engine.backend import UnavailableError

if TYPE_CHECKING:
    import numpy as np

UNSIGNED_BYTES = 0x08
SIDE, CLASSES = 28, 10


def read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (N, 28, 28), and labels, int64 (N,), of the files in `folder`.

    Raises
    ------
    UnavailableError : a file is missing or damaged.
    """
    import numpy as np

    images, labels = (_existing(folder, name) for name in IDX_FILES[split])
    x, y = _array(images, 3), _array(labels, 1)
    if x.shape[1:] != (SIDE, SIDE):
        unreadable(images, f"its images must be {SIDE} x {SIDE}, got {x.shape[1]} x {x.shape[2]}")
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


def _array(path: Path, axes: int) -> np.ndarray:
    """The whole of a file as an array of uint8 with that many axes."""
    import numpy as np

    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            content = file.read()
    except (EOFError, zlib.error, OSError) as error:
        unreadable(path, str(error))
    magic, begin = bytes((0, 0, UNSIGNED_BYTES, axes)), 4 + 4 * axes
    if content[:4] != magic or len(content) < begin:
        got = content[:begin].hex() or "nothing"
        unreadable(path, f"it must begin with {magic.hex()} and {axes} sizes of 4 bytes, got {got}")
    shape, body = struct.unpack(f">{axes}I", content[4:begin]), memoryview(content)[begin:]
    if len(body) != math.prod(shape):
        unreadable(path, f"its head announces {math.prod(shape)} bytes, got {len(body)}")
    return np.frombuffer(body, np.uint8).reshape(shape)
