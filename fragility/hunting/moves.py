"""Steps of a search from one point of a space to another of the same sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fragility.space import Part, Point, Space, short

Place = tuple[str, tuple[int, ...]]  # part and index


def places(space: Space, point: Point) -> list[tuple[Place, Part]]:
    """Every entry of every part."""
    layout = space.layout(point.sizes)
    return [((name, index), part) for name, part in layout.items() for index in np.ndindex(point.parts[name].shape)]


def changed(point: Point, place: Place, value: float, part: Part) -> Point:
    """The point with another number at one place."""
    name, index = place
    array = point.parts[name].copy()
    array[index] = short(np.asarray(value), part)
    return point.replaced(name, array)


def mutation(rng: np.random.Generator, space: Space, point: Point) -> Point:
    """One or a few random changes at once."""
    for _ in range(int(rng.geometric(0.6))):
        point = _change(rng, space, point)
    return point


def _change(rng: np.random.Generator, space: Space, point: Point) -> Point:
    """A random change of an entry, a row or a whole part: to a corner, to 0, to a copy, a multiple or nearby."""
    layout = space.layout(point.sizes)
    name = str(rng.choice(list(layout)))
    part, array = layout[name], point.parts[name].copy()
    index = tuple(int(rng.integers(size)) for size in array.shape)
    if array.ndim and rng.random() < 0.3:
        axis = int(rng.integers(array.ndim))
        line = (slice(None),) * axis + (index[axis],)
        other = (slice(None),) * axis + (int(rng.integers(array.shape[axis])),)
        array[line] = [array[other], -array[other], 0 * array[line], -array[line]][rng.integers(4)]
    elif rng.random() < 0.15:
        array = [0 * array, -array, 2 * array, array / 2, array.astype(bool) * 1.0][rng.integers(5)]
    else:
        array[index] = _another(rng, part, float(array[index]))
    return point.replaced(name, short(array, part))


def _another(rng: np.random.Generator, part: Part, value: float) -> Any:
    if part.whole:
        return value + rng.choice((-1, 1)) if rng.random() < 0.7 else rng.integers(int(part.low), int(part.high) + 1)
    if part.bounded and rng.random() < 0.5:
        return rng.choice((part.low, part.high, 0.0))
    near = value + rng.standard_normal() * (abs(value) + 0.1) * 10 ** rng.uniform(-2, 0)
    return rng.choice((near, near, near, 0.0, 1.0, -1.0, -value, 2 * value, value / 2, np.round(value)))


def corners(rng: np.random.Generator, space: Space, point: Point) -> Iterator[tuple[Place, float, Part]]:
    """Both ends of every bounded entry, in random order."""
    tries = [
        (place, end, part) for place, part in places(space, point) if part.bounded for end in (part.low, part.high)
    ]
    for choice in rng.permutation(len(tries)):
        yield tries[choice]


def shifted(space: Space, point: Point, slope: np.ndarray, length: float) -> Point:
    """The point moved along a gradient over all entries, by at most `length` in any of them."""
    for (place, part), step in zip(places(space, point), slope * length / np.max(np.abs(slope)), strict=True):
        point = changed(point, place, point.parts[place[0]][place[1]] + step, part)
    return point
