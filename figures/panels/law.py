"""Panel of a law: its distribution function beside that of the draws, with their simultaneous band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.panels.shared import near_misses, thinned, tick_plainly
from figures.style import CHANCE, DECOY, SIMULATION, THEORY
from simulate.bands import Dkw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from figures.records import Held
    from simulate.engine.study import Point
    from theory.claim import Claim

ENDS = 0.002, 0.9995  # quantiles between which the law is drawn
SPREAD = 12.0  # largest value over smallest, from which on the axis is logarithmic
ARGUMENTS = 400


@dataclass(frozen=True)
class LawNumbers:
    """What is drawn.

    Parameters
    ----------
    values, share : of the draws, each (k,): increasing values, and the share of draws at or below each.
    band : half-width of the band around the shares.
    x, exact, wrong : arguments, the law's distribution function and that of a near-miss (None if there is none).
    near_miss : what the near-miss says.
    draws : how many, for a legend.
    logarithmic : whether the axis of the values is.
    """

    values: np.ndarray
    share: np.ndarray
    band: float
    x: np.ndarray
    exact: np.ndarray
    wrong: np.ndarray | None
    near_miss: str
    draws: str
    logarithmic: bool


def numbers(claim: Claim, point: Point, found: Held, alpha: float) -> LawNumbers:
    """Of a claim of kind "law" about a statistic of shape (size,); the band holds with probability 1 - alpha."""
    law = claim.theory(**point)
    values, share = found.evidence.ecdf(claim.statistic)
    keep = thinned(len(values))
    low, high = (float(law.ppf(level)) for level in ENDS)
    logarithmic = low > 0 and high > SPREAD * low
    x = np.geomspace(low, high, ARGUMENTS) if logarithmic else np.linspace(low, high, ARGUMENTS)
    says, wrong = next(iter(near_misses(claim, point).items()), ("", None))
    return LawNumbers(
        values=values[keep],
        share=share[keep],
        band=Dkw().band(found.evidence.samples, alpha),
        x=x,
        exact=law.cdf(x),
        wrong=None if wrong is None else wrong.cdf(x),  # type: ignore[union-attr]
        near_miss=says,
        draws=found.draws,
        logarithmic=logarithmic,
    )


def draw(axes: Axes, drawn: LawNumbers) -> None:
    """Fills a panel; its title, label and legend are the figure's affair."""
    low, high = (np.clip(drawn.share + side * drawn.band, 0, 1) for side in (-1, 1))
    axes.fill_between(drawn.values, low, high, step="post", color=CHANCE, lw=0, label="95 % band")
    axes.step(drawn.values, drawn.share, where="post", color=SIMULATION, lw=2, label=drawn.draws)
    axes.plot(drawn.x, drawn.exact, color=THEORY, label="exact law")
    if drawn.wrong is not None:
        axes.plot(drawn.x, drawn.wrong, color=DECOY, ls="--", label=drawn.near_miss)
    axes.set(xlim=(drawn.x[0], drawn.x[-1]), ylim=(0, 1.02), ylabel="distribution function")
    if drawn.logarithmic:
        axes.set_xscale("log")
        tick_plainly(axes.xaxis)
