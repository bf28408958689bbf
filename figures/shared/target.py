"""Which file a picture may be written to: one that is called a picture, and in whose place nothing else stands."""

from __future__ import annotations

from pathlib import Path

from fragility.engine.files import reason
from fragility.engine.study import UsageError

FORMATS = (".png", ".svg", ".pdf")


def picture_file(path: Path, flag: str) -> Path:
    """The path that a flag names, if a picture can be called so.

    Raises
    ------
    UsageError : for an ending that no format has, a name that the file system does not take, and in place of a folder,
        a device or a pipe.
    """
    if path.name in FORMATS:
        raise UsageError(f"{flag} must have a name before its ending, got {path}")
    if path.suffix not in FORMATS:
        raise UsageError(f"{flag} must end in {', '.join(FORMATS)}, got {path}")
    try:
        is_file, is_there = path.is_file(), path.exists()
    except OSError as error:
        raise UsageError(f"{flag} must lead to a file, got {path}: {reason(error)}") from None
    if is_there and not is_file:
        raise UsageError(f"{flag} must name a file, got {path}: a {'folder' if path.is_dir() else 'device'}")
    return path
