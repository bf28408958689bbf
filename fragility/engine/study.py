"""What a study is: axes to sweep, ways to draw a world, and what is measured in it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

Point = Mapping[str, Any]
WRITTEN = re.compile(r"[+-]?[0-9]+(_[0-9]+)*(\.[0-9]*)?([eE][+-]?[0-9]{1,15})?")  # as `integer` reads numbers
MOST_TEXT, MOST_SHOWN = 1000, 60  # characters of a number, and of what an error repeats of it
MOST_DIGITS = 200  # of an integer: as a float it is finite, and as a seed it still fits a folder's name


class UsageError(ValueError):
    """Something the user can put right; the text is one line: what must hold, what came, the way out."""


@dataclass(frozen=True)
class Axis:
    """One axis of a study's grid, which becomes the flag `--name`, written with hyphens.

    Parameters
    ----------
    parse : text of the flag -> value; raises `UsageError`.
    default : value where the flag is left out.
    help : half a line for `--help`.
    repeat : whether the flag may be given several times, each adding a value.
    """

    parse: Callable[[str], Any]
    default: Any
    help: str
    repeat: bool = False


@dataclass(frozen=True)
class Method:
    """One way to draw a world and measure it.

    Parameters
    ----------
    says : half a line for `--help`.
    draw : (stream, size, **point) -> world. All the randomness.
    measure : (backend, world, **point) -> {statistic: (size,) or (size, k, ...)}. None of it.
    statistics : (**point) -> the names that `measure` returns there.
    floats : (**point) -> float64 numbers that one draw of the world takes.
    obstacle : (**point) -> one line saying why the method cannot be used there, or None.
    counts : whether records keep counts on a fine grid in place of the single values.
    blind : False for a sampler that uses the theory itself; its verdicts test the sampler, not the theory.
    block : draws per shard, a power of two, where one draw costs much time and little memory; None for as many as fit.
    units : (**point) -> how many there are of what is drawn, of a finite population such as the images of a set; `draw`
        is then given the `range` of their numbers in place of a size. None for draws without end.
    uses : (**point) -> functions, and values that hold some, that `draw` and `measure` look up at that point: their
        code is part of what makes the numbers.
    """

    says: str
    draw: Callable[..., Any]
    measure: Callable[..., Mapping[str, Any]]
    statistics: Callable[..., Sequence[str]]
    floats: Callable[..., int]
    obstacle: Callable[..., str | None] = lambda **_: None
    counts: bool = False
    blind: bool = True
    block: int | None = None
    units: Callable[..., int] | None = None
    uses: Callable[..., Sequence[Any]] = lambda **_: ()


@dataclass(frozen=True)
class Study:
    """A Monte Carlo experiment: what is drawn and measured, blind to what theory says of it.

    Parameters
    ----------
    name : room and name, such as "simulate.qr_product": that of the module, or package, which defines it.
    says : the first line of `--help`.
    grid : axes of the sweep.
    points : (**axes) -> points of the sweep; raises `UsageError`.
    methods : by name, the cheapest first; a statistic is taken from the first that measures it.
    table : points at which the whole table of claims is judged: few, small, and such that every claim is decided.
    """

    name: str
    says: str
    grid: Mapping[str, Axis]
    points: Callable[..., list[Point]]
    methods: Mapping[str, Method]
    table: tuple[Point, ...] = ()


def label(point: Point) -> str:
    """The point as text and as a folder's name, runs of equal entries folded: "n=8 rows=8^2"."""

    def fold(value: Any) -> str:
        if not isinstance(value, tuple):
            return str(value)
        runs = [(entry, len(list(run))) for entry, run in groupby(value)]
        return "x".join(str(entry) if times == 1 else f"{entry}^{times}" for entry, times in runs)

    return " ".join(f"{axis}={fold(value)}" for axis, value in point.items())


def integers(minimum: int, flag: str, most: int | None = None) -> Callable[[str], list[int]]:
    """A parser of comma-separated integers of at least `minimum`; 1e6 and 1_000_000 are integers too.

    Parameters
    ----------
    most : what they may be at most, if anything.
    """

    def parse(text: str) -> list[int]:
        numbers = [integer(part, minimum, flag) for part in text.split(",")]
        if most is not None and max(numbers) > most:
            raise UsageError(f"{flag} must be at most {most:,}, got {_short(max(numbers))}")
        return numbers

    return parse


def _short(number: int) -> str:
    """An integer of any length in a short text."""
    text = str(number)
    return text if len(text) <= 20 else f"one of {len(text)} digits"


def positive(flag: str) -> Callable[[str], list[float]]:
    """A parser of comma-separated positive numbers."""

    def parse(text: str) -> list[float]:
        numbers = []
        for part in text.split(","):
            try:
                numbers.append(float(part))
            except ValueError:
                numbers.append(math.nan)
            if not 0 < numbers[-1] < math.inf:
                raise UsageError(f"{flag} must be positive, got {part}")
        return numbers

    return parse


def among(names: Sequence[str], flag: str) -> Callable[[str], list[str]]:
    """A parser of comma-separated words that are among `names`."""

    def parse(text: str) -> list[str]:
        for part in text.split(","):
            if part not in names:
                raise UsageError(f"{flag} must be among {', '.join(names)}, got {part}")
        return text.split(",")

    return parse


def switch(flag: str) -> Callable[[str], list[int]]:
    """A parser of comma-separated 0 and 1: off and on."""
    parse = among(("0", "1"), flag)
    return lambda text: [int(part) for part in parse(text)]


def integer(text: str, minimum: int | None, flag: str) -> int:
    """The integer that `text` writes, exactly, whatever its size: 7, +7, 1_000_000, 1e6, 1.5e3 or 20.0, never 1.5.

    Digits are those of ASCII, in base ten; spaces around them do not count.

    Raises
    ------
    UsageError : it writes no integer, one below `minimum` if there is one, or one of more than `MOST_DIGITS` digits.
    """
    written = text.strip()
    shown = written if len(written) <= MOST_SHOWN else written[:MOST_SHOWN] + "..."
    wanted = f"{flag} must be an integer" + ("" if minimum is None else f" of at least {minimum}")
    long = len(written) > MOST_TEXT
    if not long and not WRITTEN.fullmatch(written):
        raise UsageError(f"{wanted}, got {shown!r}")
    number = Decimal(0 if long else written)
    if long or (number and number.adjusted() >= MOST_DIGITS):
        raise UsageError(f"{flag} must be an integer of at most {MOST_DIGITS} digits, got {shown!r}")
    value = int(number) if number else 0
    if value != number or (minimum is not None and value < minimum):
        raise UsageError(f"{wanted}, got {shown}")
    return value
