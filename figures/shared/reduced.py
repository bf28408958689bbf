"""What many networks come to before they are drawn: means with intervals, and a few of many points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fragility.judging.estimates import ANY, CONFIDENCE, Bounds, mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 400  # points of a cloud: more of them hide one another
LEVEL = f"{100 * CONFIDENCE:g} %"  # of every interval, in words


@dataclass(frozen=True)
class Means:
    """Means over networks, place by place, with their intervals by Student's t: arrays of one shape.

    Parameters
    ----------
    low, high : NaN where there is one network only, or none.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __getitem__(self, place: Any) -> Means:
        return Means(self.value[place], self.low[place], self.high[place])


@dataclass(frozen=True)
class Ranges:
    """Medians over networks, place by place, and the least and the largest: arrays of one shape; NaN of any is NaN."""

    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __getitem__(self, place: Any) -> Ranges:
        return Ranges(self.middle[place], self.low[place], self.high[place])


def ranges(values: np.ndarray) -> Ranges:
    """Over the first axis."""
    return Ranges(np.median(values, axis=0), values.min(axis=0), values.max(axis=0))


def means(values: np.ndarray, within: Bounds = ANY) -> Means:
    """Means over the first axis; NaN is left out, and where one value is infinite there is no interval."""
    found = [_mean(column, within) for column in values.reshape(len(values), -1).T]
    value, low, high = np.array(found, dtype=float).reshape(-1, 3).T.reshape(3, *values.shape[1:])
    return Means(value, low, high)


def marks(axes: Axes, x: Any, found: Means, mark: str, color: str, line: str = "", **style: Any) -> Any:
    """Draws means as marks, joined by a line if it has a style, with their intervals as bars."""
    known = np.isfinite(found.low).any()
    reach = [found.value - found.low, found.high - found.value] if known else None
    look = {"ms": 3.4, "lw": 0.9, "elinewidth": 0.9, "capsize": 1.5, "capthick": 0.7} | style
    return axes.errorbar(np.asarray(x, dtype=float), found.value, reach, fmt=f"{line}{mark}", color=color, **look)


def printed(axes: Axes, x: Any, y: Any, mark: str, **style: Any) -> None:
    """Draws what a paper prints: the mark of what it stands beside, open and black."""
    look = {"ms": 5.5, "mew": 0.8} | style
    axes.plot(x, y, mark, mfc="none", mec="black", ls="none", zorder=4, clip_on=False, **look)


def few(count: int, most: int = MOST) -> np.ndarray:
    """Numbers of at most `most` of so many points, evenly spaced in the order of the records."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)) if count else np.arange(0)


def of_all(shown: int, count: int, what: str) -> str:
    """How many of all are drawn, in words: "400 of 630 inputs, evenly spaced in the order of the records"."""
    return f"all {count:,} {what}" if shown == count else f"{shown} of {count:,} {what}, evenly spaced in their order"


def _mean(column: np.ndarray, within: Bounds) -> tuple[float, float, float]:
    if np.isinf(column).any():
        return float(np.mean(column[~np.isnan(column)])), np.nan, np.nan
    found = mean(column, within=within)
    known = np.isfinite(found.low) and np.isfinite(found.high)
    return (found.value, found.low, found.high) if known else (found.value, np.nan, np.nan)
