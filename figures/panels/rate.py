"""Panel of a rate: quantiles over a sweep of sizes, and the line of the exponent through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.panels.shared import name_decoys, room, tick_plainly
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from fragility.judging.kinds.rate import Slope

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from figures.shared.records import Held
    from fragility.claim import Claim, Rate

MINUS = "−"


@dataclass(frozen=True)
class RateNumbers:
    """What is drawn.

    Parameters
    ----------
    along, level : the axis that grows; level of the quantile.
    sizes, low, middle, high : each (sizes,): the quantiles and the ends of their intervals.
    slope : measured, with its band.
    exponent, tolerance : the claim's.
    decoys : words -> exponent.
    draws : at the size with the fewest, for a note.
    """

    along: str
    level: float
    sizes: np.ndarray
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    slope: Slope
    exponent: float
    tolerance: float
    decoys: Mapping[str, float]
    draws: str


def numbers(claim: Claim, found: Mapping[int, Held], alpha: float) -> RateNumbers:
    """Of a claim of kind "rate"; its intervals, and so the slope's band, hold together with probability 1 - alpha."""
    rate: Rate = claim.theory()
    evidence = {size: held.evidence for size, held in found.items()}
    ends = [seen.quantile(claim.statistic, rate.quantile, alpha / len(found)) for seen in evidence.values()]
    low, middle, high = np.array(ends, dtype=float).T
    return RateNumbers(
        along=rate.along,
        level=rate.quantile,
        sizes=np.array(list(found), dtype=float),
        low=low,
        middle=middle,
        high=high,
        slope=Slope.fitted(rate, claim.statistic, evidence, alpha),
        exponent=rate.exponent,
        tolerance=claim.tolerance,
        decoys={decoy.says: decoy.theory().exponent for decoy in claim.decoys},
        draws=min(found.values(), key=lambda held: held.evidence.samples).draws,
    )


def line(drawn: RateNumbers, exponent: float) -> np.ndarray:
    """Values at all sizes of the power law with that exponent through the centre of the quantiles, (sizes,)."""
    x = np.log(drawn.sizes)
    return np.exp(np.mean(np.log(drawn.middle)) + exponent * (x - x.mean()))


def draw(axes: Axes, drawn: RateNumbers) -> None:
    """Fills a panel, both axes logarithmic."""
    axes.set(xscale="log", yscale="log", xlabel=f"${drawn.along}$" if len(drawn.along) == 1 else drawn.along)
    axes.fill_between(drawn.sizes, drawn.low, drawn.high, color=CHANCE, lw=0)
    axes.plot(drawn.sizes, line(drawn, drawn.exponent), color=THEORY, lw=0.9)
    for exponent in drawn.decoys.values():
        axes.plot(drawn.sizes, line(drawn, exponent), color=DECOY, ls="--", lw=0.9)
    off = np.stack([drawn.middle - drawn.low, drawn.high - drawn.middle])
    axes.errorbar(drawn.sizes, drawn.middle, off, fmt="o", color=SIMULATION, ms=3, lw=1, capsize=2)
    room(axes, above=0.25)
    name_decoys(axes, list(drawn.decoys))
    for axis in (axes.xaxis, axes.yaxis):
        tick_plainly(axis)


def summary(drawn: RateNumbers) -> tuple[str, str]:
    """The slope with its band, rounded up, and the exponent with its tolerance; what was read, and the draws."""
    level = "median" if drawn.level == 0.5 else f"{drawn.level:.2g} quantile"
    band = np.ceil(1000 * drawn.slope.band) / 1000
    slope = f"slope {drawn.slope.value:.3f} ± {band:.3f}; claim {drawn.exponent:g} ± {drawn.tolerance:g}"
    return slope.replace("-", MINUS), f"{level} of {drawn.draws} a size"
