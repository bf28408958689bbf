"""What a picture of networks is drawn from as one tidy table: a row for each number, told apart by named axes.

`fragility.frame` makes a data frame of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from figures.shared.reduced import Means, Ranges
from fragility.judging.estimates import CONFIDENCE
from fragility.tables import Cell, Column, Table

INTERVAL, RANGE = "interval", "range"  # what low and high are the ends of


@dataclass(frozen=True)
class Quantity:
    """Numbers of one kind.

    Parameters
    ----------
    found : an array, or three of them with low and high.
    along : by the names of its axes, in their order, the values of each: a sequence or an array.
    unit : of the numbers.
    """

    name: str
    found: Means | Ranges | np.ndarray
    along: Mapping[str, Any]
    unit: str = ""


def tidy(quantities: Sequence[Quantity], title: str = "") -> Table:
    """A row for each number of each quantity: its axes, its value, and an interval or range around it where it has one.

    Raises
    ------
    ValueError : the axes of a quantity are not as long as its numbers have them.
    """
    axes = list(dict.fromkeys(axis for one in quantities for axis in one.along))
    columns = [Column(name) for name in ("quantity", *axes, "value", "low", "high", "ends", "unit")]
    rows = [row for one in quantities for row in _rows(one, axes)]
    notes = [f"low and high: a {100 * CONFIDENCE:g} % interval of a mean, or the least and the largest."]
    return Table(columns, rows, title, notes, CONFIDENCE)


def _rows(one: Quantity, axes: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    value, low, high, ends = _ends(one.found)
    lengths = tuple(map(len, one.along.values()))
    if value.shape != lengths:
        raise ValueError(f"{one.name} must have axes of lengths {value.shape}, got {lengths}")
    for place in np.ndindex(value.shape):
        at = {axis: _plain(values[k]) for k, (axis, values) in zip(place, one.along.items(), strict=True)}
        numbers = (_plain(array[place]) for array in (value, low, high))
        yield one.name, *(at.get(axis) for axis in axes), *numbers, ends, one.unit


def _ends(found: Means | Ranges | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    if isinstance(found, Means):
        return found.value, found.low, found.high, INTERVAL
    if isinstance(found, Ranges):
        return found.middle, found.low, found.high, RANGE
    nothing = np.full(found.shape, np.nan)
    return found, nothing, nothing, ""


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
