"""What all panels share: decoys worth drawing, curves thinned to what print resolves, small notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.shared.style import DECOY
from figures.shared.words import cut, written
from fragility.claim import Claim
from fragility.engine.study import Point, label
from fragility.judging.stated import stated, stated_by_decoys

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

CURVE = 160  # points of a curve, as many as a panel in print resolves
MOST_HEIGHTS = 3  # that are written one by one
SMALL = 6.2  # points, of notes
LINE_WIDTH = 43  # letters of notes
UNBROKEN = "\N{NO-BREAK SPACE}"
TITLE_PAD = 21.0  # points between a panel and its title
FEW_DECADES = 100.0  # an axis's end over its start, below which powers of ten are too few
LONG = 5e3  # numbers beyond it run into each other


def decoys(claim: Claim, point: Point, difference: Callable[[Any, Any], float]) -> dict[str, Any]:
    """What the claim's decoys state at a point, those that its tolerance shows before the others.

    Parameters
    ----------
    difference : of two theories of the claim's kind.
    """
    exact = stated(claim, point)
    found = stated_by_decoys(claim, point)
    return dict(sorted(found.items(), key=lambda item: difference(exact, item[1]) < claim.tolerance))


def thinned(length: int) -> np.ndarray:
    """Positions of at most CURVE points of a curve, both ends among them."""
    return np.unique(np.linspace(0, length - 1, CURVE).astype(int))


def short(point: Point) -> str:
    """A point for a note: heights one by one if they are few, and none of one square factor; words by themselves."""

    def named_as(axis: str, value: Any) -> str:
        if isinstance(value, str):
            return cut(value)
        if isinstance(value, tuple) and len(value) <= MOST_HEIGHTS:
            return f"{axis} = {', '.join(map(str, value))}".replace(" ", UNBROKEN)
        folded = label({axis: value}).replace("=", f"{UNBROKEN}={UNBROKEN}")
        return folded if len(folded) <= LINE_WIDTH else f"{axis}{UNBROKEN}={UNBROKEN}{written(value)}"

    square = point.get("n"), point.get("rows")
    named = {axis: value for axis, value in point.items() if axis != "rows" or square != (value[0], (value[0],))}
    return ", ".join(named_as(axis, value) for axis, value in named.items())


def subtitle(axes: Axes, text: str, more: str) -> None:
    """Two small lines between a panel and its title, for which `TITLE_PAD` leaves room."""
    lines = f"{text}\n{more}" if len(text) <= LINE_WIDTH else fill(f"{text}; {more}", LINE_WIDTH)
    note = axes.annotate(lines, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", va="bottom")
    note.set(fontsize=SMALL, color="0.35", linespacing=1.2, in_layout=False)


def name_decoys(axes: Axes, says: Sequence[str]) -> None:
    """Names the decoys that are drawn, in their colour, at the top of a panel."""
    note = axes.annotate(fill("; ".join(says), LINE_WIDTH), (0.02, 0.99), xycoords="axes fraction", va="top")
    note.set(fontsize=SMALL, color=DECOY, linespacing=1.2, in_layout=False)


def tick_plainly(axis: Axis) -> None:
    """Gives a logarithmic axis of few decades ticks such as 0.2 and 5 in place of powers of ten."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    low, high = axis.get_view_interval()
    if high < FEW_DECADES * low and high < LONG:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())


def room(axes: Axes, above: float) -> None:
    """Widens the vertical axis, linear or logarithmic, by a share of what it shows, for a legend or a name."""
    scale = axes.transData
    low, high = (scale.transform((1, end))[1] for end in axes.get_ylim())
    axes.set_ylim(top=scale.inverted().transform((1, high + above * (high - low)))[1])
