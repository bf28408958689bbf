"""The command of every benchmark: its flags, one line for what is wrong with them, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from fragility.command.ending import guarded
from fragility.command.flags import Parser, argument
from fragility.engine.study import positive


def main(
    name: str, says: str | None, run: Callable[..., int | None], add: Callable[[Parser], None] = lambda _: None
) -> NoReturn:
    """Runs a benchmark under its flags and exits: with what it returns, or 0.

    Parameters
    ----------
    name : after `python -m benchmarks.`.
    says : what is compared; its first line is shown.
    run : takes each flag by name.
    add : puts the flags into the parser.
    """
    parser = Parser(prog=f"python -m benchmarks.{name}", description=(says or "").splitlines()[0], allow_abbrev=False)
    add(parser)
    flags = vars(parser.parse_args())
    sys.exit(guarded(f"benchmarks.{name}", lambda: run(**flags) or 0, keeps=False))


def add_seconds(default: float) -> Callable[[Parser], None]:
    """A flag for how long each row is measured."""

    def add(parser: Parser) -> None:
        parser.add_argument(
            "--seconds",
            type=argument(lambda text: positive("--seconds")(text)[0]),
            default=default,
            help=f"time for each row (default {default:g})",
        )

    return add
