"""Weights as files of torch: its own zip of tensors, read without being run.

`weights_only` keeps what a file holds from being executed, and the zip's checksums, which torch leaves unread, tell a
damaged file.
"""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from empirical.data.folders import shown
from fragility.engine.files import reason
from fragility.engine.study import UsageError


def tensors(path: Path) -> Any:
    """What `torch.save` wrote into the file, tensors on the CPU, its checksums checked and nothing of it executed.

    Raises
    ------
    UsageError : the file cannot be read, is damaged, or holds more than tensors, numbers and texts.
    """
    import torch

    with _opened(path) as file:
        content = file.read()
    try:
        wrong = _wrong(content)
        if wrong is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on kinds of tensors that whoever asked refuses in a line
                return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or foreign pickle makes torch raise
        raise _unreadable(path, f"what torch does not load as tensors ({type(error).__name__})") from None
    raise _unreadable(path, wrong)


def _wrong(content: bytes) -> str | None:
    """What is wrong with the zip; before 2020 torch wrote bare pickles, of which nothing can be said.

    torch packs nothing: a zip that announces more than it is long would fill the memory with what it unpacks to.
    """
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        announced = sum(member.file_size for member in archive.infolist())
        if announced > len(content):
            return f"a zip of {len(content):,} bytes that unpacks to {announced:,}"
        damaged = archive.testzip()
        return damaged and f"{damaged} does not match its checksum"


def digest(path: Path) -> str:
    """12 hex digits over the bytes of a file, as a coordinate of what is measured with it.

    Raises
    ------
    UsageError : the file cannot be read.
    """
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """The file to be read; what is none, such as a device, may never end."""
    try:
        if path.exists() and not path.is_file():
            raise _unreadable(path, "a folder" if path.is_dir() else "no file")
        with open(path, "rb") as file:
            yield file
    except UsageError:
        raise
    except (OSError, ValueError, MemoryError) as error:  # a name with a zero character is a ValueError
        raise _unreadable(path, reason(error)) from None


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(f"{shown(path)} must be a whole file of tensors, as torch.save writes it, got: {why}")
