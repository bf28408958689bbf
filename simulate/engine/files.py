"""A file is written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any


class StorageError(OSError):
    """A folder that cannot be written or a disk that is full; the text is one line with the way out."""


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
