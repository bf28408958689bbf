"""CIFAR-10 from the official pickles, of which nothing is executed.

A pickle may name any function to be called. Here it may name the four things that arrays of bytes are made of, and gets
stand-ins for them that only keep what they are given: not even NumPy sees a byte before its form has been checked.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.data.catalogue import BATCH_FOLDER, BATCHES
from empirical.data.folders import unreadable
from fragility.engine.files import StorageError

if TYPE_CHECKING:
    import numpy as np

SHAPE, CLASSES = (3, 32, 32), 10
MOST_BYTES = 1 << 26  # a batch has half of that


def read(place: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (N, 32, 32, 3), and labels, int64 (N,), from the unpacked folder or the .tar.gz.

    Raises
    ------
    UnavailableError : a file is missing, damaged, or asks for anything to be executed.
    """
    import numpy as np

    with _unpacked(place, BATCHES[split]) as folder:
        batches = [_batch(folder / name) for name in BATCHES[split]]
    x = np.concatenate([data for data, _ in batches]).reshape(-1, *SHAPE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.concatenate([labels for _, labels in batches])


def unpack(archive: Path, folder: Path, names: Sequence[str] = (*BATCHES["train"], *BATCHES["test"])) -> None:
    """Writes these batches of the archive below `folder`, and nothing else that may be in it.

    Raises
    ------
    UnavailableError : the archive is damaged or lacks one of them.
    """
    wanted = {f"{BATCH_FOLDER}/{name}" for name in names}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if member.name in wanted and member.isfile() and member.size <= MOST_BYTES:
                    tar.extract(member, folder, filter="data")
                    wanted.remove(member.name)
                if not wanted:
                    return
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        unreadable(archive, str(error))
    unreadable(archive, f"it lacks {', '.join(sorted(wanted))}")


@contextmanager
def _unpacked(place: Path, names: Sequence[str]) -> Iterator[Path]:
    if place.is_dir():
        yield place
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            unpack(place, Path(folder), names)
        except OSError as error:
            raise StorageError(
                f"{folder} must take what is in {place}, got: {error}: unpack it beside itself"
            ) from None
        yield Path(folder) / BATCH_FOLDER


def _batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (N, 3072), and labels, int64 (N,), of one file."""
    import numpy as np

    try:
        if path.stat().st_size > MOST_BYTES:
            unreadable(path, f"a batch has fewer than {MOST_BYTES} bytes")
        content = io.BytesIO(path.read_bytes())
    except OSError as error:
        unreadable(path, str(error))
    try:
        batch = _Data(content, encoding="bytes").load()
        entries = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        data, labels = entries["data"].array(), list(entries["labels"])
    except Exception as error:  # whatever a pickle can be made to raise
        unreadable(path, f"{type(error).__name__}, {' '.join(str(error).split())}")
    if data.shape != (len(labels), prod(SHAPE)) or not labels:
        unreadable(path, f"there must be {prod(SHAPE)} bytes for each label, got {data.shape} and {len(labels)} labels")
    if not all(type(label) is int and 0 <= label < CLASSES for label in labels):
        unreadable(path, f"labels must be integers from 0 to {CLASSES - 1}")
    return data, np.array(labels, np.int64)


class _Data(pickle.Unpickler):
    """Reads dictionaries, lists, numbers and texts, and arrays of bytes as `_Array`."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {f'{module}.{name}'!r}, which is refused")
        make = _STAND_INS[module, name]
        return lambda *arguments: make(*arguments)  # a new one each time: a pickle may also set attributes


class _Array:
    """What a pickled array says of itself."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.kind, self.by_columns, self.content = state

    def array(self) -> np.ndarray:
        import numpy as np

        if not isinstance(self.kind, _Bytes) or not isinstance(self.content, bytes):
            raise pickle.UnpicklingError("its arrays must be of bytes")
        flat = np.frombuffer(self.content, np.uint8)
        return flat.reshape(self.shape, order="F" if self.by_columns else "C")


class _Bytes:
    """The data type of unsigned bytes, the only one."""

    def __init__(self, code: object, *_: object) -> None:
        if code not in ("u1", b"u1"):
            raise pickle.UnpicklingError(f"its arrays must be of type u1, got {code!r}")

    def __setstate__(self, state: object) -> None:
        pass


def _encode(text: str, encoding: str) -> bytes:
    """Bytes, as Python 3 writes them where Python 2 shall read them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes must be written as latin1, got {encoding!r}")
    return str.encode(text, "latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy", "ndarray"): lambda *_: None,  # named, never called
    ("numpy", "dtype"): _Bytes,
    ("_codecs", "encode"): _encode,
}
