"""Panel of columns that are pooled: the distribution function of all F_k(r_k) together, less the uniform one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.panels.shared import decoys, room, thinned
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from fragility.judging.bands import Dkw
from fragility.judging.evidence import transform
from fragility.judging.kinds.law import difference
from fragility.judging.stated import stated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from figures.shared.records import Held
    from fragility.claim import Claim
    from fragility.engine.study import Point

HEADROOM = 0.45  # of the curves' range, above them


@dataclass(frozen=True)
class DeviationNumbers:
    """What is drawn.

    Parameters
    ----------
    found, wrong : two rows, u and F_N(u) - u, if the laws are right and if a decoy is (None if there is none).
    band : half-width of the band around 0.
    decoy : what the decoy says.
    values, draws : how many values were pooled, and how many draws they are of, for a legend.
    """

    found: np.ndarray
    wrong: np.ndarray | None
    band: float
    decoy: str
    values: int
    draws: str


def numbers(claim: Claim, point: Point, found: Held, alpha: float) -> DeviationNumbers:
    """Of a claim with a law for each column of its statistic; the band holds with probability 1 - alpha."""
    values = found.evidence.values(claim.statistic)
    says, wrong = next(iter(decoys(claim, point, difference).items()), ("", None))
    return DeviationNumbers(
        found=_deviation(transform(stated(claim, point), values)),
        wrong=None if wrong is None else _deviation(transform(wrong, values)),
        band=Dkw().band(values.size, alpha),
        decoy=says,
        values=values.size,
        draws=found.draws,
    )


def draw(axes: Axes, drawn: DeviationNumbers) -> None:
    """Fills a panel, with room for a legend above the curves."""
    axes.axhspan(-drawn.band, drawn.band, color=CHANCE, lw=0, label=f"95 % band, {drawn.values:,} values")
    axes.axhline(0, color=THEORY, lw=0.8, label="exact laws")
    axes.plot(*drawn.found, color=SIMULATION, label=drawn.draws)
    if drawn.wrong is not None:
        axes.plot(*drawn.wrong, color=DECOY, ls="--", label=drawn.decoy)
    axes.set(xlabel="$u$", ylabel="$F_N(u) - u$", xlim=(0, 1))
    room(axes, above=HEADROOM)


def _deviation(uniform: np.ndarray) -> np.ndarray:
    ordered = np.sort(uniform.ravel())
    keep = thinned(len(ordered))
    return np.stack([ordered[keep], (keep + 1) / len(ordered) - ordered[keep]])
