"""How far draws are from a theory, how far chance may carry them, and what verdict that makes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from fragility.claim import Claim
from fragility.engine.study import Point
from fragility.judging.stated import stated, stated_by_decoys
from fragility.judging.verdict import Outcome, Unit, Verdict


class Distance(NamedTuple):
    """Gap between draws and a theory, the band in which chance may carry it, and the smallest gap to be reported."""

    gap: float
    band: float
    resolution: float

    def outcome(self, tolerance: float) -> Outcome:
        """What it says of the theory: nothing if there is no gap although there are draws enough for one."""
        if math.isnan(self.gap) and math.isfinite(self.band):
            return "faulty"
        if self.gap > self.band:
            return "disagrees"
        return "agrees" if self.resolution <= tolerance else "blunt"


def verdict(
    claim: Claim,
    point: Point,
    method: str,
    found: Distance,
    samples: int,
    needed: int,
    alpha: float,
    unit: Unit = "gap",
) -> Verdict:
    """The verdict on a claim whose draws are so far from what it states."""
    return Verdict(
        claim=claim.id,
        point=point,
        method=method,
        outcome=found.outcome(claim.tolerance),
        gap=found.gap,
        band=found.band,
        tolerance=claim.tolerance,
        resolution=found.resolution,
        unit=unit,
        wanted=claim.tolerance,
        samples=samples,
        needed=needed,
        alpha=alpha,
    )


def rejected(
    claim: Claim, point: Point, difference: Callable[[Any, Any], float], distance: Callable[[Any], Distance]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The decoys that differ from the claim by its tolerance or more, and those of them that the draws reject.

    Nothing less than the tolerance is promised.

    Parameters
    ----------
    difference : of two theories, the claim's first.
    distance : of the draws from a theory.
    """
    exact = stated(claim, point)
    visible = {
        says: wrong
        for says, wrong in stated_by_decoys(claim, point).items()
        if not difference(exact, wrong) < claim.tolerance
    }
    found = {says: distance(wrong) for says, wrong in visible.items()}
    return tuple(visible), tuple(says for says, seen in found.items() if seen.gap > seen.band)
