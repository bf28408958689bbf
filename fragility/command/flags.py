"""What all commands share: how flags are read, and which ones every command that draws has."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from fragility.command.ending import USAGE
from fragility.engine.context import OWN
from fragility.engine.study import Study, UsageError, integer, integers

MOST_WORKERS = 1024  # processes of one machine
LEAST = 1e-12  # of a tolerance or an error rate: the one would take 10^25 draws, the other a band of any width
UNITS = {"s": 1, "m": 60, "h": 3600}


class Parser(argparse.ArgumentParser):
    """One line per usage error."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {' '.join(message.splitlines())}\n")


@contextmanager
def silenced() -> Iterator[None]:
    """Drops what compiled code prints: HiGHS has a line that no option turns off, and stdout is the result's."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)


def add_axes(parser: Parser, study: Study) -> None:
    """A flag for each axis of the study's grid."""
    axes = parser.add_argument_group("where")
    for name, axis in study.grid.items():
        axes.add_argument(
            f"--{name.replace('_', '-')}",
            type=argument(axis.parse),
            default=axis.default,
            action="extend" if axis.repeat else "store",
            help=axis.help + (f" (default {','.join(map(str, axis.default))})" if axis.default else ""),
        )


def add_run_flags(parser: Parser, how: argparse._ArgumentGroup, devices: bool = False) -> None:
    """The flags of every command that draws: error rate, seed, workers, records, output; and the backend or device."""
    how.add_argument(
        "--alpha",
        type=argument(fraction("--alpha")),
        default=0.05,
        help="error rate of the whole run (default 0.05)",
    )
    how.add_argument(
        "--seed",
        type=argument(lambda text: integer(text, 0, "--seed")),
        default=0,
        help="of all random streams (default 0)",
    )
    if devices:
        how.add_argument("--device", default="auto", help="where networks are trained: cpu, cuda or auto (default)")
    else:
        how.add_argument("--backend", default="auto", help="numpy, numba, cupy or auto (default)")
    add_claims_flag(how)
    where = how.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=argument(lambda text: integers(1, "--workers", MOST_WORKERS)(text)[0]),
        metavar="K",
        help="draw on K processes of this machine",
    )
    where.add_argument(
        "--scheduler",
        type=argument(_address),
        metavar="ADDRESS",
        help="draw on the Dask cluster at this address, tcp://...",
    )
    records = parser.add_argument_group("records")
    records.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    records.add_argument(
        "--resume",
        action="store_true",
        help="go on after an interruption; damaged records are set aside and drawn again",
    )
    records.add_argument("--json", action="store_true", help="one JSON document on stdout in place of the table")


def add_claims_flag(parser: argparse._ActionsContainer) -> None:
    """The flag of every command that reads a book of claims."""
    parser.add_argument(
        "--claims",
        default=OWN,
        metavar="FILE",
        help="book of claims: a file of Python, or module:NAME (default: the papers')",
    )


def argument(parse: Any) -> Any:
    def checked(text: str) -> Any:
        try:
            return parse(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _address(text: str) -> str:
    if not text.strip():
        raise UsageError("--scheduler must be the address of a Dask scheduler, such as tcp://10.0.0.1:8786, got none")
    return text


def count(flag: str) -> Any:
    return lambda text: integer(text, 1, flag)


def fraction(flag: str) -> Any:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < 1:
            raise UsageError(f"{flag} must be a number between 0 and 1, got {text}")
        if value < LEAST:
            raise UsageError(f"{flag} must be at least {LEAST:g}, got {text}: no number of draws tells it from 0")
        return value

    return parse


def seconds(text: str) -> float:
    unit = UNITS.get(text[-1:])
    try:
        value = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"--budget must be a time such as 60s, 5m or 2h, got {text}")
    return value
