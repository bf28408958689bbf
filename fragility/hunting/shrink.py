"""Makes a failing point as small as it gets: fewer layers, rows and columns, zeros, short rationals.

Greedy: a smaller candidate is kept if the statement still fails there, until none is. So a point that is shrunk twice
stays as it is, and every step is a world in which the statement fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from fragility.hunting.judge import Judge
from fragility.hunting.search import quiet
from fragility.space import Point, Space

DENOMINATORS = (1, 2, 3, 4, 5, 8, 10, 16, 20, 32, 64, 100, 128, 1000)


def digits(value: Fraction) -> int:
    """How long a rational number is: 0 for 0, 2 for 1, 3 for -1, and two for every binary digit more."""
    if value == 0:
        return 0
    return 2 * (abs(value.numerator).bit_length() + value.denominator.bit_length() - 1) + (value < 0)


def size(point: Point) -> tuple[int, int]:
    """Entries of a point, and how long they are together."""
    arrays = point.parts.values()
    return sum(array.size for array in arrays), sum(digits(entry) for array in arrays for entry in array.flat)


def shrunk(judge: Judge, point: Point) -> tuple[Point, bool, int]:
    """A point of fractions shrunk, whether it fails in exact arithmetic, and how many candidates were tried.

    Where a world has no exact sides, or not yet, it is shrunk for as long as it fails in floats.
    """
    with quiet():
        search = _Search(judge, point)
        search.run()
    return search.point, search.certain, search.tried


class _Search:
    def __init__(self, judge: Judge, point: Point) -> None:
        self.judge, self.point, self.tried = judge, point, 0
        self.certain = judge.refuted_by(point)

    def run(self) -> None:
        before = None
        while before != (size(self.point), self.certain):
            before = size(self.point), self.certain
            for candidates in (_structures, _rescaled, _zeros, _simpler):
                while self._step(candidates):
                    pass

    def _step(self, candidates: Callable[[Space, Point], Iterator[Point]]) -> bool:
        """Goes to the first candidate that is certain; to one that fails in floats only if the point is no better."""
        doubtful = None
        for candidate in candidates(self.judge.space, self.point):
            if size(candidate) >= size(self.point):
                continue
            self.tried += 1
            if self.judge.fails_at(candidate):
                if self.judge.refuted_by(candidate):
                    self.point, self.certain = candidate, True
                    return True
                doubtful = doubtful or candidate
        if self.certain or doubtful is None:
            return False
        self.point = doubtful
        return True


def _structures(space: Space, point: Point) -> Iterator[Point]:
    """Without a layer, or without some entries of an axis."""
    yield from space.fewer(point)
    layout = space.layout(point.sizes)
    for axis in dict.fromkeys(axis for part in layout.values() for axis in part.axes):
        length = point.sizes[axis]
        for less in (allowed for allowed in space.axes[axis] if allowed < length):
            for start in range(less + 1):
                gone = range(start, start + length - less)
                parts = {name: _without(point.parts[name], part.axes, axis, gone) for name, part in layout.items()}
                yield Point({**point.sizes, axis: less}, parts)


def _without(array: np.ndarray, axes: tuple[str, ...], axis: str, gone: range) -> np.ndarray:
    for position, name in enumerate(axes):
        if name == axis:
            array = np.delete(array, list(gone), axis=position)
    return array


def _rescaled(space: Space, point: Point) -> Iterator[Point]:
    """A part divided by one of its entries."""
    for name, part in space.layout(point.sizes).items():
        array = point.parts[name]
        if not part.whole and not part.bounded:
            for unit in sorted({abs(entry) for entry in array.flat if entry}, reverse=True):
                yield from _within(space, point.replaced(name, _divided(array, unit)))


def _divided(array: np.ndarray, unit: Fraction) -> np.ndarray:
    return np.asarray(array / unit, dtype=object)


def _zeros(space: Space, point: Point) -> Iterator[Point]:
    """A part of zeros, or one zero more; off the diagonals first."""
    for name in space.layout(point.sizes):
        yield from _within(space, point.replaced(name, np.asarray(0 * point.parts[name], dtype=object)))
    for name in space.layout(point.sizes):
        array = point.parts[name]
        for index in sorted(np.ndindex(array.shape), key=lambda index: len(set(index)) < len(index)):
            if array[index]:
                yield from _with(space, point, name, index, Fraction(0))


def _simpler(space: Space, point: Point) -> Iterator[Point]:
    """One number in place of a longer one, the shortest first."""
    for name in space.layout(point.sizes):
        array: Any = point.parts[name]
        for index in np.ndindex(array.shape):
            for other in _shorter(array[index]):
                yield from _with(space, point, name, index, other)


def _shorter(value: Fraction) -> list[Fraction]:
    """Shorter numbers, near and plain ones, the shortest first."""
    near = {value.limit_denominator(most) for most in DENOMINATORS}
    plain = {Fraction(number) for number in (0, 1, -1, 2, -2, 0.5, int(value / 2))} | {value / 2, -value}
    return sorted((other for other in near | plain if digits(other) < digits(value)), key=lambda x: (digits(x), x))


def _with(space: Space, point: Point, name: str, index: tuple[int, ...], value: Fraction) -> Iterator[Point]:
    array = point.parts[name].copy()
    array[index] = value
    yield from _within(space, point.replaced(name, array))


def _within(space: Space, point: Point) -> Iterator[Point]:
    """The point, if all its numbers are in the ranges of their parts."""
    layout = space.layout(point.sizes)
    if all(
        part.low <= entry <= part.high and (not part.whole or entry.denominator == 1)
        for name, part in layout.items()
        for entry in point.parts[name].flat
    ):
        yield point
