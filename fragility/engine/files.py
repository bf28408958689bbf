"""A file is written whole or not at all, and what cannot be what was written is said in one line."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


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
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"no {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedRecordError(f"{path} is damaged ({reason(error)})") from None


def reason(error: Exception) -> str:
    """Why, in a few words: the first line of what an error of reading says."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (said or type(error).__name__).splitlines()[0]


def write_whole(path: Path, content: Any) -> None:
    """Writes bytes under a temporary name in the same folder, which is made if needed, and renames it.

    Raises
    ------
    StorageError : the folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(
            f"{path.parent} must be writable, got: {error.strerror}: free some space or choose another --out"
        ) from None
