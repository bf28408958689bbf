"""Panel of a moment: estimates over points, each in a band around what theory says there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from figures.panels.shared import SMALL, decoys, name_decoys
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from fragility.judging.bands import Catoni
from fragility.judging.kinds.moment import difference, estimate
from fragility.judging.stated import stated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from figures.shared.records import Held
    from fragility.claim import Claim
    from fragility.engine.study import Point
    from fragility.law import Moment

MOST_OFF = 1.5  # times the widest band or gap: how far the axis goes
MUCH_FURTHER = 4.0  # times that: a decoy beyond is an arrow at the edge
LABELS = 2.6  # times the axis on one side of 0: room for the points' labels
ROOMY = 6  # rows, beyond which labels are smaller
LABEL = 26  # letters of a label in one line
HEAD = 0.3  # of the rows' height: room for the names of decoys
NONE = 1e-9  # a mean below this is 0
LINE = 0.3  # of a row's height, half of what a mark of theory takes


@dataclass(frozen=True)
class MomentNumbers:
    """What is drawn, a row per point.

    Parameters
    ----------
    labels : of the points.
    mean, estimate, band : each (points,); the band is around the mean. NaN and infinite where the draws are too few.
    wrong : a decoy's words -> its means, (points,), NaN where it says nothing.
    relative : whether all of it is to be divided by the mean: none is 0.
    draws : fewest and most, as text.
    """

    labels: Sequence[str]
    mean: np.ndarray
    estimate: np.ndarray
    band: np.ndarray
    wrong: Mapping[str, np.ndarray]
    relative: bool
    draws: str


def numbers(claim: Claim, found: Mapping[str, tuple[Point, Held]], alpha: float) -> MomentNumbers:
    """Of a claim of kind "moment" at several points; all bands together hold with probability 1 - alpha.

    Parameters
    ----------
    found : a point's label -> the point and what is held there.
    """
    share = alpha / len(found)
    rows = []
    wrong: dict[str, np.ndarray] = {}
    for row, (point, held) in enumerate(found.values()):
        moment: Moment = stated(claim, point)
        found_mean = estimate(moment, held.evidence, claim.statistic, share)
        rows.append((moment.mean, found_mean, Catoni(moment.sd).band(held.evidence.samples, share)))
        for says, other in decoys(claim, point, difference).items():
            if other.per_draw is moment.per_draw:  # a decoy may be of another number
                wrong.setdefault(says, np.full(len(found), np.nan))[row] = other.mean
    mean, estimates, band = np.array(rows).T
    relative = bool(np.all(np.abs(mean) > NONE))
    draws = _draws([held for _, held in found.values()])
    return MomentNumbers(tuple(found), mean, estimates, band, wrong, relative, draws)


def _draws(found: Sequence[Held]) -> str:
    few, many = (pick(found, key=lambda held: held.evidence.samples) for pick in (min, max))
    return few.draws if few.draws == many.draws else f"{few.evidence.samples:,} to {many.draws}"


def draw(axes: Axes, drawn: MomentNumbers) -> None:
    """Fills a panel: rows from top to bottom, each point's label left of its marks."""
    count = len(drawn.labels)
    y = np.arange(count)
    off, band, wrong = _scaled(drawn)
    far = _reach(off, band, wrong)
    shown = np.where(np.isfinite(band), band, far)
    axes.barh(y, 2 * shown, 2 * LINE, -shown, color=CHANCE, lw=0)
    axes.vlines(np.zeros(count), y - LINE, y + LINE, color=THEORY)
    axes.plot(off, y, "o", color=SIMULATION, ms=3.5)
    for values in wrong.values():
        inside = np.abs(values) <= far
        axes.vlines(values[inside], (y - LINE)[inside], (y + LINE)[inside], color=DECOY, ls=(0, (2, 1)))
        for side, marker in ((-1, "<"), (1, ">")):
            beyond = side * values > far
            axes.plot(np.full(beyond.sum(), side * far), y[beyond], marker, color=DECOY, ms=3.5)
    for row, name in enumerate(drawn.labels):
        written = axes.annotate(fill(name, LABEL), (0.02, row), xycoords=("axes fraction", "data"), va="center")
        written.set(fontsize=SMALL - (0.5 if count <= ROOMY else 1.2), color="0.35", linespacing=1.1, in_layout=False)
    name_decoys(axes, list(wrong))
    margin = HEAD * count if wrong else 0.0
    axes.set(xlim=(-(1 + LABELS) * far, 1.06 * far), ylim=(count - 0.4, -0.6 - margin), yticks=[])
    tick = _round_below(far)
    axes.set_xticks([-tick, 0, tick], [f"−{tick:g}", "0", f"{tick:g}"])
    axes.set_xlabel("measured / exact − 1" if drawn.relative else "measured − exact")
    axes.spines["left"].set_visible(False)


def _reach(off: np.ndarray, band: np.ndarray, wrong: Mapping[str, np.ndarray]) -> float:
    """How far the axis goes from 0: as far as the marks, and to a decoy unless that is much further off."""
    far = MOST_OFF * max(np.max(np.abs(values[np.isfinite(values)]), initial=0.0) for values in (off, band))
    nearest = [np.nanmin(np.abs(values)) for values in wrong.values()]
    return max(far, 1.1 * max((near for near in nearest if near < MUCH_FURTHER * far), default=0.0)) or 1.0


def _round_below(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * max(digit for digit in (1, 2, 5) if digit * power <= value))


def _scaled(drawn: MomentNumbers) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """What is beyond the mean: of the estimates, of the band, of each decoy."""
    unit = drawn.mean if drawn.relative else np.ones_like(drawn.mean)
    wrong = {says: (values - drawn.mean) / unit for says, values in drawn.wrong.items()}
    return (drawn.estimate - drawn.mean) / unit, drawn.band / np.abs(unit), wrong
