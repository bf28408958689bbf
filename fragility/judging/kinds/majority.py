"""Majorities: whether left <= right in more than half of a study's draws, by the interval of Clopper and Pearson.

What is said of trained networks, and need not hold of each of them, is judged so. A draw complies if left <= right in
all its entries, a tie being compliance; one that lacks a number on either side is left out. The majority disagrees if
the interval for the share of draws that comply lies below one half, agrees if it lies above one half less the
tolerance, and is blunt otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fragility.claim import Claim, Sides
from fragility.engine.study import Point
from fragility.judging.bands import clopper_pearson, quantile_ranks
from fragility.judging.evidence import Evidence, is_whole
from fragility.judging.kinds.relation import sides
from fragility.judging.verdict import Verdict

BY_CHANCE = True
TAKES_COUNTS = False
HALF = 0.5
MOST = 10**6  # draws: no study of networks has more


@dataclass(frozen=True)
class Count:
    """Draws in which left <= right, and all draws that have both sides."""

    complying: int
    draws: int

    @classmethod
    def of(cls, theory: Callable[..., Sides], evidence: Evidence) -> Count:
        """What a statement makes of the records."""
        complying = draws = 0
        for found in sides(theory, evidence):
            left, right = np.broadcast_arrays(*(np.asarray(side, dtype=float) for side in found))
            entries = tuple(range(1, left.ndim))
            whole = is_whole(left) & is_whole(right)
            complying += int(np.count_nonzero(np.all(left <= right, axis=entries) & whole))
            draws += int(np.count_nonzero(whole))
        return cls(complying, draws)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Both ends of the interval for the share of draws that comply; from no draw at all, 0 and 1."""
        return clopper_pearson(self.complying, self.draws, alpha) if self.draws else (0.0, 1.0)


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float) -> Verdict:
    """The verdict at error rate `alpha`, decoys left out."""
    count = Count.of(claim.theory, evidence)
    low, high = count.interval(alpha)
    resolution = max(HALF - low, 0.0)
    return Verdict(
        claim=claim.id,
        point=point,
        method=method,
        outcome="disagrees" if high < HALF else "agrees" if resolution <= claim.tolerance else "blunt",
        gap=max(HALF - count.complying / count.draws, 0.0) if count.draws else 0.0,
        band=band(count.draws, alpha),
        tolerance=claim.tolerance,
        resolution=resolution,
        unit="share",
        wanted=claim.tolerance,
        samples=count.draws,
        needed=enough(count, claim.tolerance, alpha),
        alpha=alpha,
    )


def band(draws: int, alpha: float) -> float:
    """How far the share may fall short of one half before the interval lies below it."""
    return HALF - quantile_ranks(HALF, draws, alpha)[0] / draws if draws else HALF


def needed(claim: Claim, _point: Point, alpha: float) -> int:
    """Fewest draws at which the claim agrees if all comply: the interval then begins at (alpha / 2)^(1 / draws)."""
    return math.ceil(math.log(alpha / 2) / math.log(HALF - claim.tolerance))


def enough(count: Count, tolerance: float, alpha: float) -> int:
    """Fewest draws at which the share that was seen would agree; 0 if no number of them would."""
    share = count.complying / count.draws if count.draws else 1.0

    def agrees(draws: int) -> bool:
        return Count(math.floor(share * draws), draws).interval(alpha)[0] >= HALF - tolerance

    if share <= HALF - tolerance or not agrees(MOST):
        return 0
    few, many = 0, 1
    while not agrees(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if agrees(middle) else (middle, many)
    return many


def decoys(claim: Claim, point: Point, evidence: Evidence, alpha: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The decoys that speak here, and those of them that disagree at error rate `alpha`."""
    chosen = [decoy for decoy in claim.decoys if decoy.where(**point)]
    wrong = [decoy.says for decoy in chosen if Count.of(decoy.theory, evidence).interval(alpha)[1] < HALF]
    return tuple(decoy.says for decoy in chosen), tuple(wrong)
