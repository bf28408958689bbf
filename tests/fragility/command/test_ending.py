"""How commands end: every failure has its exit code and one line, and a signal is obeyed whatever is running."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fragility.command.ending import FAULT, INTERRUPTED, UNAVAILABLE, USAGE, guarded
from fragility.engine.backend import UnavailableError
from fragility.engine.files import DamagedRecordError, StorageError
from fragility.engine.study import UsageError


class Foreign(BaseException):
    """What no program should raise, and a user's may."""


def raising(error):
    def run():
        raise error

    return run


ENDINGS = [
    (UsageError("--n must be at least 1, got 0"), USAGE, "--n must be at least 1, got 0"),
    (UnavailableError("no GPU"), UNAVAILABLE, "no GPU"),
    (StorageError("disk full"), UNAVAILABLE, "disk full"),
    (DamagedRecordError("x is damaged"), UNAVAILABLE, "x is damaged"),
    (KeyboardInterrupt(), INTERRUPTED, "interrupted; what was drawn is kept"),
    (MemoryError("80 GB"), FAULT, "memory ran out (MemoryError: 80 GB)"),
    (OSError(28, "No space left on device"), UNAVAILABLE, "what is written must find room"),
    (PermissionError(13, "Permission denied", "x"), FAULT, "this machine refused something"),
    (SystemExit(3), FAULT, "ended the process (SystemExit: 3)"),
    (ZeroDivisionError("one\ntwo"), FAULT, "ZeroDivisionError: one): python -X dev -m some.command"),
    (Foreign("out"), FAULT, "Foreign: out"),
    (RecursionError(), FAULT, "RecursionError"),
]


@pytest.mark.parametrize(("error", "code", "says"), ENDINGS, ids=lambda value: type(value).__name__)
def test_every_failure_has_its_code_and_one_line(capsys, error, code, says):
    assert guarded("some.command", raising(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("some.command: ")
    assert says in err
    assert err.count("\n") == 1


def test_a_command_that_keeps_nothing_says_no_more(capsys):
    assert guarded("figures.table", raising(KeyboardInterrupt()), keeps=False) == INTERRUPTED
    assert capsys.readouterr().err == "figures.table: interrupted\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("surfaces_as", [ImportError, None])
def test_a_signal_is_an_interrupt_whatever_it_surfaces_as(capsys, number, surfaces_as):
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def run():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except KeyboardInterrupt:
            raise (surfaces_as or KeyboardInterrupt) from None  # as an extension module's import does it
        return 0

    try:
        assert guarded("some.command", run) == INTERRUPTED
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert capsys.readouterr().err.count("\n") == 1


def test_after_a_good_end_signals_are_what_they_were():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert guarded("some.command", lambda: 0) == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_who_imports_a_room_keeps_their_own_signals():
    check = "import signal, simulate; assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL"
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_thread_that_computes_for_long_is_not_waited_for(number, tmp_path):
    """A shard of the study takes a minute."""
    command = [sys.executable, "-m", "simulate.conditioning", "--n", "90000", "--samples", "3", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(4)
    start = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (INTERRUPTED, "")
    assert [line for line in err.splitlines() if not line.startswith("backend ")] == [
        f"simulate.conditioning: interrupted; what was drawn is kept: python -m simulate.conditioning --n 90000 "
        f"--samples 3 --out {tmp_path} --resume goes on from there"
    ]
    assert time.monotonic() - start < 20
    assert not list(tmp_path.rglob("*.tmp"))
