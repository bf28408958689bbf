"""CIFAR-10 from the official pickles, of which nothing is executed.

A pickle may name any function to be called. Here it may name the four things that arrays of bytes are made of, and gets
stand-ins for them that only keep what they are given: not even NumPy sees a byte before its form has been checked.
"""

from __future__ import annotations

import gzip
import io
import pickle
import pickletools
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from empirical.data.catalogue import BATCH_FOLDER, BATCHES
from empirical.data.folders import unreadable

if TYPE_CHECKING:
    import numpy as np

SHAPE, CLASSES = (3, 32, 32), 10
MOST_BYTES = 1 << 26  # a batch has half of that
MOST_UNPACKED = 1 << 29  # all of the archive has a third of that
MOST_KEPT = 1 << 20  # values that a pickle refers to again; a batch has some dozens
TOO_MUCH = "it unpacks to more than the data set has"


def read(place: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (N, 32, 32, 3), and labels, int64 (N,), from the unpacked folder or the .tar.gz.

    Raises
    ------
    UnavailableError : a file is missing, damaged, or asks for anything to be executed.
    """
    import numpy as np

    if place.is_dir():
        batches = [_batch(_content(place / name), str(place / name)) for name in BATCHES[split]]
    else:
        batches = [_batch(content, f"{name} in {place}") for name, content in packed(place, BATCHES[split])]
    x = np.concatenate([data for data, _ in batches]).reshape(-1, *SHAPE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.concatenate([labels for _, labels in batches])


def packed(archive: Path, names: Sequence[str] = (*BATCHES["train"], *BATCHES["test"])) -> Iterator[tuple[str, bytes]]:
    """These batches of the archive, by name in this order, and nothing else that may be in it.

    Raises
    ------
    UnavailableError : the archive is damaged, lacks one of them, or unpacks to far more than the data set.
    """
    found: dict[str, bytes] = {}
    try:
        with _Bounded(archive) as unpacked, tarfile.open(fileobj=unpacked, mode="r:") as tar:
            while len(found) < len(names) and (member := tar.next()):
                folder, _, name = member.name.rpartition("/")
                if folder == BATCH_FOLDER and name in names and member.isfile() and member.size <= MOST_BYTES:
                    found[name] = cast(IO[bytes], tar.extractfile(member)).read()
                if member.offset_data + member.size > MOST_UNPACKED:
                    raise tarfile.ReadError(TOO_MUCH)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        unreadable(archive, str(error))
    if lacking := [f"{BATCH_FOLDER}/{name}" for name in names if name not in found]:
        unreadable(archive, f"it lacks {', '.join(lacking)}")
    return ((name, found[name]) for name in names)


class _Bounded(gzip.GzipFile):
    """An archive that gives out, for a request, no more than a batch: heads of a tar may announce any length."""

    def read(self, size: int | None = -1) -> bytes:
        """As of any file."""
        if size is None or not 0 <= size <= MOST_BYTES:
            raise tarfile.ReadError(TOO_MUCH)
        return super().read(size)


def _content(path: Path) -> bytes:
    """The bytes of a file that may be a batch."""
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        unreadable(path, str(error))


def _batch(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, uint8 (N, 3072), and labels, int64 (N,), of one file; `name` says which it is."""
    import numpy as np

    if len(content) > MOST_BYTES:
        unreadable(name, f"a batch has at most {MOST_BYTES} bytes")
    try:
        _check_places(content)
        batch = _Data(io.BytesIO(content), encoding="bytes").load()
        entries = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        data, labels = entries["data"].array(), list(entries["labels"])
    except Exception as error:  # whatever a pickle can be made to raise
        unreadable(name, f"{type(error).__name__}, {' '.join(str(error).split())}")
    if data.shape != (len(labels), prod(SHAPE)) or not labels:
        unreadable(name, f"there must be {prod(SHAPE)} bytes for each label, got {data.shape} and {len(labels)} labels")
    if not all(type(label) is int and 0 <= label < CLASSES for label in labels):
        unreadable(name, f"labels must be integers from 0 to {CLASSES - 1}")
    return data, np.array(labels, np.int64)


def _check_places(content: bytes) -> None:
    """Raises UnpicklingError where it would keep a value in a far place, up to which memory is then filled."""
    try:
        for operation, place, _ in pickletools.genops(content):
            if operation.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(place or 0) > MOST_KEPT:
                raise pickle.UnpicklingError(f"it keeps a value in place {place}, of at most {MOST_KEPT}")
    except ValueError as error:
        raise pickle.UnpicklingError(f"it is damaged or truncated: {error}") from None


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
            raise pickle.UnpicklingError(f"its arrays must be of type u1, got {_told(code)}")

    def __setstate__(self, state: object) -> None:
        pass


def _told(value: object) -> str:
    """What an error repeats of a pickled value: lists that hold each other may be written at any length."""
    return repr(value[:40]) if isinstance(value, str | bytes) else type(value).__name__


def _encode(text: str, encoding: str) -> bytes:
    """Bytes, as Python 3 writes them where Python 2 shall read them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes must be written as latin1, got {_told(encoding)}")
    return str.encode(text, "latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy", "ndarray"): lambda *_: None,  # named, never called
    ("numpy", "dtype"): _Bytes,
    ("_codecs", "encode"): _encode,
}
