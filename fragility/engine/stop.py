"""The end of a process whose threads compute for long: it waits for them, and they look here between their steps."""

from __future__ import annotations

from threading import Event

_ENDING = Event()


class StoppedError(RuntimeError):
    """The process is about to end, and nobody waits for what the thread computes."""


def stop() -> None:
    """Ends the computations of all threads at their next look."""
    _ENDING.set()


def look() -> None:
    """Does nothing unless the process is about to end.

    Raises
    ------
    StoppedError : it is.
    """
    if _ENDING.is_set():
        raise StoppedError
