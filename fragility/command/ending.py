"""How every command ends: an exit code, one line on stderr where there is something to say, and no trace of a run.

0: agrees or blunt; 1: a claim disagrees that the table takes for true; 2: the command or a file of the user's cannot
mean anything; 3: something is not available here; 4: a fault, of memory, of a number that does not exist or of the
program, on which no verdict rests; 130: interrupted, from the keyboard or by whoever manages the machine.
"""

from __future__ import annotations

import errno
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

USAGE, UNAVAILABLE, FAULT, INTERRUPTED = 2, 3, 4, 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # of a disk, or of what stands in for one
SIGNALS = (signal.SIGINT, signal.SIGTERM)  # of a keyboard, and of what manages a cluster
CLEARED = "\r\x1b[K\x1b[?25h"  # an empty line on a terminal, and its cursor, which a bar of progress may hide
MODULE = "-m"  # in place of the program's name while Python still looks for the module that it is to run


def leave_when_asked() -> None:
    """Until the command that runs has begun, a signal that asks it to end ends it at once, with one line.

    Only where this process was started as `python -m ROOM.NAME`: who imports the package keeps their own handlers.
    """
    if sys.argv[:1] == [MODULE]:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, _leave)


def guarded(name: str, run: Callable[[], int], keeps: bool = True) -> int:
    """What `run` returns; every failure as one line on stderr and an exit code.

    Parameters
    ----------
    name : of the command, after `python -m`.
    keeps : whether what was done before an interrupt is kept, and `--resume` goes on from there.
    """
    if sys.stderr is None:  # print would take stdout for it, which is the result's
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, for it is needed to the end
    if sys.stdout is None:
        return _said(name, "stdout must be open, got a closed one: the result is written there", UNAVAILABLE)
    with suppress(AttributeError):  # a name that the terminal's letters cannot write is no fault
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    is_ours = signal.getsignal(signal.SIGTERM) is _leave
    with _obeying(f"{name}: {_interruption(name, keeps)}\n") if is_ours else _interruptible() as asked:
        try:
            return run()
        except BaseException as error:  # an interrupt may surface as any of them
            if asked.is_set() or isinstance(error, KeyboardInterrupt):
                return _said(name, _interruption(name, keeps), INTERRUPTED)
            return _ended(name, error)


def _ended(name: str, error: BaseException) -> int:
    """The exit code of a command that something ended, which is said in one line."""
    from fragility.engine.backend import UnavailableError
    from fragility.engine.files import DamagedRecordError, StorageError
    from fragility.engine.study import UsageError

    if isinstance(error, UsageError):
        return _said(name, error, USAGE)
    if isinstance(error, UnavailableError | StorageError | DamagedRecordError):
        return _said(name, error, UNAVAILABLE)
    if isinstance(error, BrokenPipeError):  # whoever read the table has seen enough
        _drop_output()
        return 0
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        _drop_output()
        return _said(name, f"what is written must find room, got: {error.strerror}: free some", UNAVAILABLE)
    if sys.flags.dev_mode:
        raise error
    return _said(name, last_resort(name, error), FAULT)


def last_resort(name: str, error: BaseException) -> str:
    """The line on a failure that nobody foresaw."""
    said = next(iter(str(error).splitlines()), "")
    what = type(error).__name__ + (f": {said}" if said else "")
    if isinstance(error, MemoryError):
        return f"memory ran out ({what}): smaller sizes, or fewer of them at once, need less"
    if isinstance(error, SystemExit):
        return f"code that was called ended the process ({what}): nothing is judged"
    if isinstance(error, OSError) and error.errno is not None:
        return f"this machine refused something ({what})"
    command = shlex.join(["python", "-X", "dev", "-m", name, *sys.argv[1:]])
    return f"stopped by a fault that was not foreseen ({what}): {command} shows where"


def _said(name: str, message: object, code: int) -> int:
    with suppress(OSError):  # whoever reads it is gone, or the disk that keeps it is full
        print(f"{name}: {' '.join(str(message).splitlines())}", file=sys.stderr, flush=True)
    return code


def _interruption(name: str, keeps: bool) -> str:
    if not keeps:
        return "interrupted"
    again = shlex.join([arg for arg in sys.argv[1:] if arg != "--resume"])
    return f"interrupted; what was drawn is kept: python -m {name} {again} --resume goes on from there"


@contextmanager
def _obeying(line: str) -> Iterator[threading.Event]:
    """Within the block a signal that asks the process to end ends it at once, with that line; beyond it, none does.

    Nothing is raised for it: compiled code that calls Python, as torch's does while it is imported, may not survive an
    exception. Every record is whole at any moment, and workers end with the process that has started them.
    """

    def obey(number: int, frame: Any) -> NoReturn:
        os.write(2, (CLEARED if os.isatty(2) else "").encode() + line.encode(errors="backslashreplace"))
        _end()

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, obey)
    try:
        yield threading.Event()
    finally:
        for number in SIGNALS:  # what is said is said: who asks now gets the end that is there
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Within the block a signal that asks the process to end is a KeyboardInterrupt; gives what tells that one came.

    A second one while the first is obeyed ends the process at once: the line is said, and every record is whole.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    unraisable = sys.unraisablehook

    def interrupt(number: int, frame: Any) -> NoReturn:
        asked.set()
        for other in SIGNALS:
            signal.signal(other, _leave)
        raise KeyboardInterrupt

    def lost(event: Any) -> None:
        """An interrupt that came while something was finalised, where nothing can be raised, comes once more."""
        if event.exc_type is KeyboardInterrupt:
            signal.signal(signal.SIGINT, interrupt)
            signal.raise_signal(signal.SIGINT)
        else:
            unraisable(event)

    for number in SIGNALS:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    sys.unraisablehook = lost
    try:
        yield asked
    finally:
        sys.unraisablehook = unraisable
        if asked.is_set():
            before.update(dict.fromkeys(SIGNALS, _end))  # while threads are waited for
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: Any) -> NoReturn:
    """Says that the command is interrupted, and ends it."""
    module = sys.orig_argv[len(sys.orig_argv) - len(sys.argv)] if sys.argv[:1] == [MODULE] else ""
    os.write(2, f"{module or _command()}: interrupted\n".encode())
    _end()


def _end(*_: Any) -> NoReturn:
    """Ends the process now: no thread is waited for, and nothing half written stays."""
    # Not imported here, where an import may be what is interrupted; without the module nothing is being written.
    if forget := getattr(sys.modules.get("fragility.engine.files"), "forget", None):
        forget()
    if processes := sys.modules.get("multiprocessing"):
        for child in processes.active_children():  # which would end by itself, when what it computes is done
            child.kill()
    os._exit(INTERRUPTED)


def _command() -> str:
    """What runs, as it is called after `python -m`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name.removesuffix(".__main__") if spec else sys.argv[0]


def _drop_output() -> None:
    """What is still to be written to stdout goes nowhere."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
