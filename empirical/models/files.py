"""Weights as files of torch: its own zip of tensors, read without being run.

`weights_only` keeps what a file holds from being executed, and the zip's checksums, which torch leaves unread, tell a
damaged file.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

from fragility.engine.study import UsageError


def tensors(path: Path) -> Any:
    """What `torch.save` wrote into the file, tensors on the CPU, its checksums checked and nothing of it executed.

    Raises
    ------
    UsageError : the file cannot be read, is damaged, or holds more than tensors, numbers and texts.
    """
    import torch

    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from None
    try:
        damaged = _damaged(content)
        if damaged is None:
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or foreign pickle makes torch raise
        raise _unreadable(path, f"what torch does not load as tensors ({type(error).__name__})") from None
    raise _unreadable(path, f"{damaged} does not match its checksum")


def _damaged(content: bytes) -> str | None:
    """A member of the zip that does not match its checksum; before 2020 torch wrote bare pickles, which have none."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.testzip()


def digest(path: Path) -> str:
    """12 hex digits over the bytes of a file, as a coordinate of what is measured with it.

    Raises
    ------
    UsageError : the file cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from None


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} must be a whole file of tensors, as torch.save writes it, got: {why}")
