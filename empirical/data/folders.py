"""Where a data set lies: in the folder that was named, and only there; else in the cache, where it is downloaded to.

A named folder (`--data-dir`, or the context's) is never passed over for the cache or a download: the
numbers of an experiment come from where its user said, or there is an error.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from empirical.data.catalogue import (
    BATCH_ARCHIVE,
    BATCH_FOLDER,
    BATCHES,
    IDX_FILES,
    LAYOUTS,
    PHOTOGRAPHS,
    PUBLISHED,
    SPLITS,
)
from fragility.engine.backend import UnavailableError
from fragility.engine.context import DATA, current
from fragility.engine.files import reason
from fragility.engine.study import UsageError

MOST_SHOWN = 200  # characters of a path that an error repeats, where it is the path that is wrong
WNID = re.compile(r"n\d{8}")  # the name of a class of ImageNet


def root(data_dir: str | Path | None = None) -> tuple[Path, bool]:
    """The folder of data sets, and whether somebody named it or it is the cache."""
    named = current().data if data_dir is None else Path(data_dir)
    if named is not None:
        return named.expanduser(), True
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "fragility", False


def find(name: str, folder: Path, splits: Sequence[str] = SPLITS) -> Path | None:
    """The folder or archive below `folder` that has all files of these splits, whatever is in them.

    Raises
    ------
    UsageError : the folder has a name that no folder can have, or may not be looked into.
    """
    try:
        with suppress(FileNotFoundError):
            folder.stat()  # says more than pathlib's questions, which take any fault for no
        return _found(name, folder, splits)
    except (OSError, ValueError) as error:  # a name that is too long, or with a zero character
        raise UsageError(
            f"--data-dir or {DATA} must name a folder of data sets, got {shown(folder)}: {reason(error)}"
        ) from None


def _found(name: str, folder: Path, splits: Sequence[str]) -> Path | None:
    if name == "cifar10":
        names = [batch for split in splits for batch in BATCHES[split]]
        unpacked, archive = folder / BATCH_FOLDER, folder / BATCH_ARCHIVE
        if all((unpacked / batch).is_file() for batch in names):
            return unpacked
        return archive if archive.is_file() else None
    if name == PHOTOGRAPHS:
        classed = (folder / PHOTOGRAPHS / "val", folder / PHOTOGRAPHS)
        return next((place for place in classed if wnids(place)), None)
    raw = folder / PUBLISHED[name].folder
    return raw if all(idx_file(raw, file) for split in splits for file in IDX_FILES[split]) else None


def idx_file(folder: Path, name: str) -> Path | None:
    """The file of that name, or its gzipped version."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def wnids(folder: Path) -> list[str]:
    """Names of the class folders of ImageNet in `folder`, sorted."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if WNID.fullmatch(path.name) and path.is_dir())


def shown(path: Path) -> str:
    """A path in a short line, whatever is in it."""
    text = repr(str(path))[1:-1]
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "..."


def unreadable(path: Path | str, reason: str) -> NoReturn:
    """Raises the one line on a file that is not what it has to be."""
    raise UnavailableError(
        f"{path} cannot be read: {reason}: remove it, and python -m empirical.data says how to fetch it again"
    )


def remedy(name: str, folder: Path, named: bool) -> str:
    """What gets a data set that `folder` lacks."""
    if name not in PUBLISHED:
        return f"put photographs from https://image-net.org into {folder} as {LAYOUTS[name]}"
    where = f" --data-dir {shlex.quote(str(folder))}" if named else ""
    return f"python -m empirical.data {name}{where} fetches it"
