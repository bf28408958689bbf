"""The worlds of one statement as named arrays of numbers, which a search may change one by one.

A point of a space holds floats while it is searched and fractions while it is shrunk; `build` makes a world of either.
Searched numbers are short: ten binary digits between 2^-10 and 2^10, so that every point is a world of short rationals
and no nearly singular matrix is mistaken for a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

Sizes = Mapping[str, int]
Parts = Mapping[str, Any]
World = dict[str, Any]

DIGITS, LARGEST = 10, 10  # binary digits of a searched number, and the exponent at which it ends on either side
ATTEMPTS = 30  # draws in a row outside the statement's domain before a restart is given up


@dataclass(frozen=True)
class Part:
    """One array of a world.

    Parameters
    ----------
    axes : names of its axes; none for a number. Parts that share an axis lose its entries together.
    low, high : range of its entries.
    whole : whether they are integers.
    """

    axes: tuple[str, ...] = ()
    low: float = -(2.0**LARGEST)
    high: float = 2.0**LARGEST
    whole: bool = False

    @property
    def bounded(self) -> bool:
        """Whether both ends of the range are places to look at: corners."""
        return not self.whole and self.high - self.low < 2.0**LARGEST


def nonnegative(*axes: str) -> Part:
    """A part without negative entries."""
    return Part(axes, low=0.0)


def share(*axes: str) -> Part:
    """A part with entries from -1 to 1."""
    return Part(axes, -1.0, 1.0)


def count(low: int, high: int, *axes: str) -> Part:
    """A part of integers from `low` to `high`."""
    return Part(axes, low, high, whole=True)


@dataclass(frozen=True)
class Point:
    """A place in a space: a size for each axis, an array for each part (floats, or fractions of dtype object)."""

    sizes: Sizes
    parts: Mapping[str, np.ndarray]

    def replaced(self, name: str, array: np.ndarray) -> Point:
        return Point(self.sizes, {**self.parts, name: array})


@dataclass(frozen=True)
class Space:
    """Where to look for a failure of a statement.

    Parameters
    ----------
    axes : the sizes that each axis may have, increasing.
    layout : sizes -> parts.
    build : parts -> the keyword arguments of the statement, by arithmetic that keeps fractions exact.
    holds : whether the statement speaks of a world.
    fewer : point -> points with a layer less.
    entries : both sides of the statement in all their entries, for the search to climb, where `Claim.theory` keeps to
        the entry nearest to failing and so shows no slope.
    exact_world : whether `build` makes the world of `Claim.replay`, where that differs from the one of `Claim.theory`.
    """

    axes: Mapping[str, tuple[int, ...]]
    layout: Callable[[Sizes], Mapping[str, Part]]
    build: Callable[[Parts], World]
    holds: Callable[[World], bool] = lambda _world: True
    fewer: Callable[[Point], Iterable[Point]] = lambda _point: ()
    entries: Callable[..., Any] | None = None
    exact_world: bool = False

    def world(self, point: Point) -> World | None:
        """The world at a point, of floats or of fractions as the point is; None outside the statement's domain."""
        world = self.build({name: array if array.ndim else array[()] for name, array in point.parts.items()})
        return world if self.holds(world) else None

    def draw(self, rng: np.random.Generator) -> Point:
        """A random point: sizes first, then parts of random style and scale."""
        sizes = {axis: int(rng.choice(allowed)) for axis, allowed in self.axes.items()}
        return Point(sizes, {name: _draw(rng, part, sizes) for name, part in self.layout(sizes).items()})


def whole(value: Any) -> Any:
    """An entry of a part of integers as an int; a fraction as it is, so that quotients of it stay exact."""
    return value if isinstance(value, Fraction) else int(value)


def table(**parts: Part) -> Callable[[Sizes], Mapping[str, Part]]:
    """A layout that is the same for all sizes."""
    return lambda _sizes: parts


def _draw(rng: np.random.Generator, part: Part, sizes: Sizes) -> np.ndarray:
    """Normal numbers, signs or small integers; some are 0, and now and then all."""
    shape = tuple(sizes[axis] for axis in part.axes)
    if part.whole:
        return np.asarray(rng.integers(int(part.low), int(part.high) + 1, size=shape), dtype=float)
    style = rng.integers(4)
    if part.bounded:
        values = rng.uniform(part.low, part.high, size=shape)
        return short(np.where(values > (part.low + part.high) / 2, part.high, part.low) if style == 0 else values, part)
    values = [
        rng.standard_normal(shape) * 2.0 ** rng.integers(-3, 3),
        rng.choice((-1.0, 1.0), size=shape),
        rng.integers(-3, 4, size=shape).astype(float),
        rng.standard_normal(shape) * (rng.random(shape) < 0.5),
    ][style]
    return short((np.abs(values) if part.low >= 0 else values) * (rng.random() < 0.8), part)


def short(values: np.ndarray, part: Part) -> np.ndarray:
    """The nearest numbers of few binary digits within the range of the part."""
    if part.whole:
        return np.asarray(np.clip(np.round(values), part.low, part.high))
    mantissa, exponent = np.frexp(values)
    rounded = np.ldexp(np.round(np.ldexp(mantissa, DIGITS)), exponent - DIGITS)
    return np.asarray(np.clip(np.where(np.abs(rounded) < 2.0**-LARGEST, 0.0, rounded), part.low, part.high))


def exact(point: Point) -> Point:
    """The same point in fractions."""
    parts = {}
    for name, array in point.parts.items():
        parts[name] = np.empty(array.shape, dtype=object)
        for place in np.ndindex(array.shape):
            parts[name][place] = Fraction(float(array[place]))
    return Point(point.sizes, parts)


def approximate(point: Point) -> Point:
    """The same point in floats."""
    return Point(point.sizes, {name: array.astype(float) for name, array in point.parts.items()})
