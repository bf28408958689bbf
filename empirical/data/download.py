"""Where a data set is, once it has been downloaded if need be: whole, its checksums right, or not there at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from empirical.data.catalogue import BATCH_ARCHIVE, BATCH_FOLDER, LAYOUTS, PUBLISHED, SPLITS
from empirical.data.cifar import packed
from empirical.data.folders import find, remedy, root, shown
from empirical.data.packages import package
from fragility.engine.backend import UnavailableError
from fragility.engine.context import DATA
from fragility.engine.files import StorageError, write_alone
from fragility.engine.study import UsageError

TIMEOUT = (10, 60)  # seconds to connect, and between two pieces of an answer
CHUNK = 1 << 16  # bytes
WORKSHOP = ".download"  # below the folder of data sets: holds a lock, and what is not yet whole


def home(name: str, splits: Sequence[str] = SPLITS, data_dir: str | Path | None = None) -> Path:
    """The folder or archive with these splits of a data set, downloaded to the cache if no folder was named.

    Raises
    ------
    UsageError : a folder was named that does not hold them.
    UnavailableError : they are not in the cache and cannot be downloaded.
    """
    folder, named = root(data_dir)
    found = find(name, folder, splits)
    if found is not None:
        return found
    if named:
        raise UsageError(
            f"--data-dir or {DATA} must name a folder with {LAYOUTS[name]}, got {folder}: {remedy(name, folder, named)}"
        )
    if name not in PUBLISHED:
        raise UnavailableError(f"{name} is not here: {remedy(name, folder, named)}")
    return fetch(name, folder)


def fetch(name: str, folder: Path) -> Path:
    """Downloads what `folder` lacks of a data set, leaves what is there, and returns where it lies.

    Of several processes one downloads and the others wait for it. What a killed one left is cleared away by the next;
    files that it finished are kept.

    Raises
    ------
    UsageError : what was named is no folder.
    UnavailableError : no mirror gave a file with the right checksum.
    StorageError : the folder cannot be written, or the disk is full.
    """
    published = PUBLISHED[name]
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--data-dir or {DATA} must name a folder, got {shown(folder)}, a file")
    try:
        with _workshop(folder) as workshop:
            for file, checksum in published.files.items():
                if not find(name, folder) and not (folder / published.folder / file).exists():
                    _install(_retrieve(name, file, checksum, workshop, folder), folder / published.folder)
    except OSError as error:
        raise StorageError(
            f"{folder} must be writable, got: {error.strerror or error}: free some space or choose another --data-dir"
        ) from None
    found = find(name, folder)
    if found is None:
        raise UnavailableError(f"{folder} still lacks {LAYOUTS[name]}: remove what is there of it and fetch it again")
    return found


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """An empty folder on the same disk that no other process uses."""
    workshop = folder / WORKSHOP
    workshop.mkdir(parents=True, exist_ok=True)
    with open(workshop / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _note(f"waiting for another process that downloads to {folder}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        _clear(workshop)
        try:
            yield workshop
        finally:
            _clear(workshop)


def _clear(workshop: Path) -> None:
    for path in workshop.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def _retrieve(name: str, file: str, checksum: str, workshop: Path, folder: Path) -> Path:
    """The file, whole and checked, in the workshop."""
    pooch, requests = package("pooch", "pooch"), package("requests", "requests")
    pooch.get_logger().setLevel("WARNING")
    failures = []
    for mirror in PUBLISHED[name].mirrors:
        host = urlsplit(mirror).netloc
        _note(f"fetching {file} of {name} from {host}")
        try:
            with _bar(file) as bar:
                # A server that unpacks .gz files on their way would change what the checksum is of.
                downloader = pooch.HTTPDownloader(
                    progressbar=bar, chunk_size=CHUNK, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}
                )
                return Path(pooch.retrieve(mirror + file, checksum, fname=file, path=workshop, downloader=downloader))
        except (requests.RequestException, ValueError) as error:
            failures.append(f"{host}: {_reason(requests, error)}")
    published = PUBLISHED[name]
    raise UnavailableError(
        f"{name} cannot be downloaded ({'; '.join(failures)}): put {', '.join(published.files)} into "
        f"{folder / published.folder}, or name a folder that has {LAYOUTS[name]} by --data-dir or {DATA}"
    )


def _reason(requests: Any, error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer broke off"
    if isinstance(error, requests.RequestException):
        return "cannot be reached"
    return "wrong checksum"


def _install(path: Path, folder: Path) -> None:
    """Gives a finished download its name; of an archive, each file in it that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if path.name == BATCH_ARCHIVE:
        for name, content in packed(path):
            if not (folder / BATCH_FOLDER / name).exists():
                write_alone(folder / BATCH_FOLDER / name, content)
        return
    path.chmod(0o644)  # temporary files are for their owner alone, a cache may be shared
    if not (folder / path.name).exists():
        os.replace(path, folder / path.name)


def _bar(file: str) -> Any:
    """A bar with rate and time left, on a terminal only."""
    # Pooch sets the total once it knows it, but asks before whether this is true.
    return package("tqdm", "tqdm").tqdm(desc=file, total=1, unit="B", unit_scale=True, disable=None, leave=False)


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
