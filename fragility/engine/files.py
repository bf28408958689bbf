"""A file is written whole or not at all, and what cannot be what was written is said in one line."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from platform import node
from threading import get_ident
from typing import IO, Any

TEMPORARY = ".tmp"  # ends the name of a file while it is written, after process, thread and machine
LEFT = f".*@{node()}{TEMPORARY}"  # what a process of this machine may have left
_WRITTEN: set[Path] = set()  # by this process, now


class StorageError(OSError):
    """A folder that cannot be written or a disk that is full; the text is one line with the way out."""


class DamagedRecordError(Exception):
    """A file of records that cannot be what was written; the text is one line that names it."""


def read_json(path: Path) -> Any:
    """The JSON document in a file of UTF-8.

    Raises
    ------
    FileNotFoundError : there is no such file.
    DamagedRecordError : it cannot be read, or holds something else.
    """
    try:
        with suppress(PermissionError):  # of which reading says more
            path.stat()
    except (OSError, ValueError):  # nothing can be there under a name that is too long, or has a zero character
        raise FileNotFoundError(f"no {path}") from None
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedRecordError(f"{path} is damaged ({reason(error)})") from None


def reason(error: Exception) -> str:
    """Why, in a few words: the first line of what an error of reading says."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (said or type(error).__name__).splitlines()[0]


def unwritable(path: Path, error: Exception) -> StorageError:
    """What to raise where a file cannot be written."""
    return StorageError(
        f"{path.parent} must be writable, got: {reason(error)}: free some space or choose another folder, as by --out"
    )


def write_whole(path: Path, content: Any) -> None:
    """Writes bytes under a temporary name in the same folder, which is made if needed, and renames it.

    Whatever ends the writing, an interrupt or a full disk, what stood there before stands there still.

    Raises
    ------
    StorageError : the folder cannot be written, or the disk is full.
    """
    temporary = path.parent / f".{os.getpid()}-{get_ident()}@{node()}{TEMPORARY}"
    _WRITTEN.add(temporary)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(temporary) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)
    except (OSError, ValueError) as error:  # a name with a zero character is a ValueError
        raise unwritable(path, error) from None
    finally:
        _discard(temporary)


def write_alone(path: Path, content: Any) -> None:
    """Writes a file as `write_whole` does, and removes what killed runs have left half written beside it.

    It is for a file that no run owns the folder of, such as a picture: `clear` is for the folder of a run.

    Raises
    ------
    StorageError : the folder cannot be written, or the disk is full.
    """
    write_whole(path, content)
    _clear(path.parent.glob(LEFT))


def clear(folder: Path) -> None:
    """Removes what processes of this machine that were killed while they wrote have left anywhere in a folder."""
    _clear(folder.rglob(LEFT))


def forget() -> None:
    """Removes what this process is about to write, which it will not come to."""
    for temporary in list(_WRITTEN):
        _discard(temporary)


def _discard(temporary: Path) -> None:
    with suppress(OSError, ValueError):
        temporary.unlink(missing_ok=True)
    _WRITTEN.discard(temporary)


def _clear(left: Iterable[Path]) -> None:
    """Removes those that nobody writes any more: the system lets go of a lock with the process that holds it."""
    for temporary in left:
        with suppress(OSError), open(temporary, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), temporary.stat()):  # else its writer is at the next one
                temporary.unlink(missing_ok=True)


def _held(temporary: Path) -> IO[bytes]:
    """The file, empty and locked by this process; once more where `clear` came between making and locking it."""
    while True:
        file = open(temporary, "wb")  # noqa: SIM115  it is the caller who closes it
        with suppress(OSError):  # of a disk without locks, where `clear` removes nothing either
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()
