"""Panel of a law: its distribution function beside that of the draws, with their simultaneous band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.panels.shared import CURVE, decoys, thinned, tick_plainly
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from fragility.judging.bands import Dkw
from fragility.judging.kinds.law import difference
from fragility.judging.stated import stated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from figures.shared.records import Held
    from fragility.claim import Claim
    from fragility.engine.study import Point
    from fragility.law import Law

ENDS = 0.002, 0.9995  # quantiles between which the law is drawn
SPREAD = 12.0  # largest value over smallest, from which on the axis is logarithmic
ARGUMENTS = 80


@dataclass(frozen=True)
class LawNumbers:
    """What is drawn.

    Parameters
    ----------
    values, share : of the draws, each (k,): increasing values, and the share of draws at or below each.
    band : half-width of the band around the shares.
    x, exact, wrong : arguments, the law's distribution function and that of a decoy (None if there is none).
    decoy : what the decoy says.
    draws : how many, for a legend.
    logarithmic : whether the axis of the values is.
    """

    values: np.ndarray
    share: np.ndarray
    band: float
    x: np.ndarray
    exact: np.ndarray
    wrong: np.ndarray | None
    decoy: str
    draws: str
    logarithmic: bool


def numbers(claim: Claim, point: Point, found: Held, alpha: float) -> LawNumbers:
    """Of a claim of kind "law" about a statistic of shape (size,); the band holds with probability 1 - alpha."""
    law: Law = stated(claim, point)
    values, share = found.evidence.ecdf(claim.statistic)
    keep = thinned(len(values))
    low, high = (float(law.ppf(level)) for level in ENDS)
    logarithmic = low > 0 and high > SPREAD * low
    x = np.geomspace(low, high, ARGUMENTS) if logarithmic else np.linspace(low, high, ARGUMENTS)
    says, wrong = next(iter(decoys(claim, point, difference).items()), ("", None))
    return LawNumbers(
        values=values[keep],
        share=share[keep],
        band=Dkw().band(found.evidence.samples, alpha),
        x=x,
        exact=law.cdf(x),
        wrong=None if wrong is None else wrong.cdf(x),
        decoy=says,
        draws=found.draws,
        logarithmic=logarithmic,
    )


def draw(axes: Axes, drawn: LawNumbers) -> None:
    """Fills a panel; its title, label and legend are the figure's affair."""
    low, high = (np.clip(drawn.share + side * drawn.band, 0, 1) for side in (-1, 1))
    few = len(drawn.values) < CURVE  # whose steps can be seen
    axes.fill_between(drawn.values, low, high, step="post" if few else None, color=CHANCE, lw=0, label="95 % band")
    steps = "steps-post" if few else "default"
    axes.plot(drawn.values, drawn.share, drawstyle=steps, color=SIMULATION, lw=2, label=drawn.draws)
    axes.plot(drawn.x, drawn.exact, color=THEORY, label="exact law")
    if drawn.wrong is not None:
        axes.plot(drawn.x, drawn.wrong, color=DECOY, ls="--", label=drawn.decoy)
    axes.set(xlim=(drawn.x[0], drawn.x[-1]), ylim=(0, 1.02), ylabel="distribution function")
    if drawn.logarithmic:
        axes.set_xscale("log")
        tick_plainly(axes.xaxis)
