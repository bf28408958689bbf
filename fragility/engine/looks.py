"""The looks at verdicts, over all runs that share records: each spends a part of the error rate, and none is forgotten.

A line of JSON per look, added under a lock before the look is taken: whoever else runs in the same folder, now or
later, goes on counting from there.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from fragility.engine.files import DamagedRecordError, reason, unwritable

FILE = "looks.jsonl"


class Looks:
    """Numbers of draws at which each claim was looked at.

    Parameters
    ----------
    folder : of the records.
    note : takes one line for the user on looks that cannot be read; None where they end the run.

    Raises
    ------
    DamagedRecordError : the file cannot be read, and there is no `note`.
    """

    def __init__(self, folder: Path, note: Callable[[str], None] | None = None) -> None:
        self.path, self._note = folder / FILE, note
        self._held: dict[str, list[int]] = {}
        self._end = 0  # of what was read of the file, in bytes
        if os.path.exists(self.path):  # which is False, too, of a name that no file can have
            with self._alone() as file:
                self._take_in(file)

    def begin(self) -> None:
        """Makes the file where there is none.

        Raises
        ------
        StorageError : its folder cannot be written.
        """
        with self._alone():
            pass

    def of(self, what: str) -> list[int]:
        """Numbers of draws at the looks at something so far, in the order of the looks."""
        return list(self._held.get(what, ()))

    def look(self, what: str, samples: int) -> int:
        """Number of the look at so many draws, counted from 1; the same draws once more are no new look.

        Raises
        ------
        StorageError : it cannot be written down.
        """
        if samples not in self._held.get(what, ()):
            with self._alone() as file:
                self._take_in(file)
                looks = self._held.setdefault(what, [])
                if samples not in looks:
                    line = json.dumps({"what": what, "samples": samples}).encode() + b"\n"
                    self._add(file, line)
                    looks.append(samples)
        return self._held[what].index(samples) + 1

    def _take_in(self, file: IO[bytes]) -> None:
        """Reads what others have added; a last line that was cut by a kill belongs to a look that was never taken."""
        file.seek(self._end)
        added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        if len(whole) < len(added):
            file.truncate(self._end + len(whole))
        unread = list[tuple[int, int]]()
        for line in whole.split(b"\n"):
            match _read(line):
                case str(what), int(samples):
                    looks = self._held.setdefault(what, [])
                    if samples not in looks:
                        looks.append(samples)
                case _ if line.strip():
                    unread.append((self._end, len(line)))
            self._end += len(line) + 1
        self._end -= 1  # for what comes after the last line is none
        if unread and self._note is None:
            raise DamagedRecordError(
                f"{self.path} is damaged ({_count(unread)}): --resume goes on without what they say"
            )
        if unread and self._note:
            self._note(f"{self.path} has {_count(unread)}, made blank: what they spent of the error rate is lost")
            self._blank(unread)

    def _blank(self, lines: Sequence[tuple[int, int]]) -> None:
        """Writes spaces over lines, so that all others stay where whoever else runs here has found them."""
        with open(self.path, "r+b") as file:
            for start, length in lines:
                file.seek(start)
                file.write(b" " * length)

    def _add(self, file: IO[bytes], line: bytes) -> None:
        try:
            file.seek(0, os.SEEK_END)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from None
        self._end += len(line)

    @contextmanager
    def _alone(self) -> Iterator[IO[bytes]]:
        """The file, made if needed, while nobody else reads or writes it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = open(self.path, "a+b", buffering=0)  # noqa: SIM115, for an error of opening is told from others
        except IsADirectoryError as error:
            raise DamagedRecordError(f"{self.path} is damaged ({reason(error)}): remove it") from None
        except (OSError, ValueError) as error:
            raise unwritable(self.path, error) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def _read(line: bytes) -> tuple[str, int] | None:
    """What was looked at and at how many draws, if the line says so."""
    try:
        look: Any = json.loads(line)
        what, samples = look["what"], look["samples"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    fits = isinstance(what, str) and isinstance(samples, int) and not isinstance(samples, bool) and samples > 0
    return (what, samples) if fits else None


def _count(lines: Sequence[object]) -> str:
    return "1 line that is no look" if len(lines) == 1 else f"{len(lines)} lines that are no looks"
