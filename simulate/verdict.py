"""Theory beside records: a claim, a point and the draws made there give a verdict with its resolution.

A verdict is
agrees    : no gap beyond chance, and a gap of the claim's tolerance would have been seen,
blunt     : no gap beyond chance, but too few draws to see the tolerance; `needed` says how many would do,
disagrees : the gap lies beyond the band.

Laws and moments are judged here by one world; statements with two sides by the worst of many worlds, or of all draws
of a study; rates, which take a sweep, in `simulate.slopes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from inspect import signature
from typing import Literal, TypeAlias

import numpy as np

from simulate.bands import Band, Catoni, Dkw, Unseen
from simulate.engine.study import Point
from simulate.evidence import Evidence, sup_distance
from theory.claim import Claim, Moment, Sides, excess
from theory.laws import Law

Theory: TypeAlias = Moment | Law | Sequence[Law]
Outcome: TypeAlias = Literal["agrees", "blunt", "disagrees"]

BETA = 0.05  # a gap as large as the resolution is missed at most this often
RARE = 0.01  # share of failing worlds, or draws, that a statement with two sides must have shown


@dataclass(frozen=True)
class Verdict:
    """What the draws say of a claim at a point.

    Parameters
    ----------
    gap, band : the distance found, and how far chance alone may carry it at this look's error rate.
    resolution : smallest gap that would have been reported with probability 1 - BETA; of a statement with two sides
        the smallest share of failing worlds, where `gap` is the worst excess and `band` the rounding allowed.
    samples : draws looked at; needed : draws at which the resolution reaches the tolerance.
    alpha : error rate of the look; 0 of a statement with two sides, which chance cannot contradict.
    visible, rejected : decoys that the tolerance should show at this point, and those that the draws reject.
    """

    claim: str
    point: Point
    method: str
    outcome: Outcome
    gap: float
    band: float
    resolution: float
    tolerance: float
    samples: int
    needed: int
    alpha: float
    visible: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()

    @property
    def of_worlds(self) -> bool:
        """Whether it is on a statement with two sides, whose point is the statement itself."""
        return "claim" in self.point

    @property
    def seen(self) -> str:
        """The resolution in its unit."""
        if self.method == "witness":
            return "a witness"
        if self.alpha or self.method == "exact law":
            return f"{self.resolution:.2g}"
        return f"{100 * self.resolution:.2g} % of {'worlds' if self.of_worlds else 'draws'}"


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float) -> Verdict:
    """The verdict on a claim at error rate `alpha`."""
    if claim.two_sided:
        return _judge_sides(claim, point, method, evidence)
    theory = stated(claim, point)
    band = _band(theory)
    values = evidence.samples * pooling(theory)
    gap, grain = _gap(theory, evidence, claim.statistic, alpha)
    allowed = band.band(values, alpha)
    resolution = band.resolution(values, alpha, BETA) + grain
    fits = gap <= allowed  # False where a NaN came from the records or the theory
    few = math.isinf(allowed)
    return Verdict(
        claim=claim.id,
        point=point,
        method=method,
        outcome="disagrees" if not (fits or few) else "agrees" if resolution <= claim.tolerance else "blunt",
        gap=gap,
        band=allowed,
        resolution=resolution,
        tolerance=claim.tolerance,
        samples=evidence.samples,
        needed=needed(claim, point, alpha),
        alpha=alpha,
    )


def _judge_sides(claim: Claim, point: Point, method: str, evidence: Evidence) -> Verdict:
    """A failure in one world or draw is a failure; without one, enough of them must have been tried."""
    if claim.of_worlds:
        worst, samples = float(np.max(evidence.values(claim.statistic))), evidence.samples
    else:
        sides = _sides(claim.theory, evidence)
        worst, samples = excess(claim.kind, sides), len(np.broadcast_arrays(*sides)[0])
    resolution = Unseen().resolution(samples, BETA) if samples else 1.0
    return Verdict(
        claim=claim.id,
        point=point,
        method=method,
        outcome="disagrees" if not worst <= claim.tolerance else "agrees" if resolution <= RARE else "blunt",
        gap=worst,
        band=claim.tolerance,
        resolution=resolution,
        tolerance=RARE,
        samples=samples,
        needed=needed(claim, point, 0.0),
        alpha=0.0,
    )


def _sides(theory: Callable[..., Sides], evidence: Evidence) -> Sides:
    """What a statement says of the records: both sides for each of the draws that it speaks of."""
    return theory(**{name: evidence.values(name) for name in signature(theory).parameters})


def reject_decoys(claim: Claim, verdict: Verdict, evidence: Evidence) -> Verdict:
    """The verdict with the claim's decoys put to the same draws at the same error rate.

    Only those decoys count that differ from the claim by its tolerance or more: nothing less is promised. Decoys of a
    statement with two sides were put to every world when it was drawn, or are put to the records of all draws.
    """
    if claim.two_sided:
        decoys = [decoy for decoy in claim.decoys if claim.of_worlds or decoy.where(**verdict.point)]
        says = tuple(decoy.says for decoy in decoys)
        if claim.of_worlds:
            worst = evidence.values("decoys").max(axis=0) if says else ()
        else:
            worst = [excess(claim.kind, _sides(decoy.theory, evidence)) for decoy in decoys]
        rejected = tuple(name for name, excess in zip(says, worst, strict=True) if not excess <= claim.tolerance)
        return replace(verdict, visible=says, rejected=rejected)
    theory = stated(claim, verdict.point)
    visible, rejecting = [], []
    for decoy in claim.decoys:
        if not decoy.where(**verdict.point):
            continue
        try:
            wrong = decoy.theory(**verdict.point)
        except ValueError:  # what the slip speaks of does not exist here
            continue
        if difference(theory, wrong) < claim.tolerance:
            continue
        visible.append(decoy.says)
        gap, _ = _gap(wrong, evidence, claim.statistic, verdict.alpha)
        if gap > _band(wrong).band(evidence.samples * pooling(wrong), verdict.alpha):
            rejecting.append(decoy.says)
    return replace(verdict, visible=tuple(visible), rejected=tuple(rejecting))


def difference(theory: Theory, wrong: Theory) -> float:
    """How far a decoy is from the claim: largest difference between their distribution functions.

    For columns to be pooled, of the average over (at most 16 of) the columns. For moments of the same number, between
    their means; a decoy that speaks of another number has no distance, and always counts.
    """
    if isinstance(theory, Moment) and isinstance(wrong, Moment) and theory.per_draw is wrong.per_draw:
        return abs(theory.mean - wrong.mean)
    if isinstance(theory, Moment) or isinstance(wrong, Moment):
        return math.inf
    true_laws, wrong_laws = _laws(theory), _laws(wrong)
    chosen = np.unique(np.linspace(0, len(true_laws) - 1, 16).astype(int))
    levels = np.linspace(0.02, 0.98, 49)
    gaps = [wrong_laws[k].cdf(true_laws[k].ppf(levels)) - levels for k in chosen]
    return float(np.max(np.abs(np.mean(gaps, axis=0))))


def stated(claim: Claim, point: Point) -> Theory:
    """What the claim says at a point; kept, since laws make tables of themselves when they are first asked."""
    return _stated(claim.theory, tuple(point.items()))


@lru_cache(maxsize=512)
def _stated(theory: Callable[..., Theory], point: tuple[tuple[str, object], ...]) -> Theory:
    return theory(**dict(point))


def needed(claim: Claim, point: Point, alpha: float) -> int:
    """Draws at which the claim's tolerance is seen at error rate `alpha`."""
    if claim.two_sided:
        return Unseen().needed(RARE, BETA) if claim.holds else 1
    theory = stated(claim, point)
    return math.ceil(_band(theory).needed(claim.tolerance, alpha, BETA) / pooling(theory))


def pooling(theory: Theory) -> int:
    """Independent values that one draw contributes: the columns of a pooled law, else one."""
    return 1 if isinstance(theory, Moment) else len(_laws(theory))


def _laws(theory: Law | Sequence[Law]) -> Sequence[Law]:
    return theory if isinstance(theory, Sequence) else (theory,)


def _band(theory: Theory) -> Band:
    return Catoni(theory.sd) if isinstance(theory, Moment) else Dkw()


def _gap(theory: Theory, evidence: Evidence, statistic: str, alpha: float) -> tuple[float, float]:
    """Distance between theory and evidence, and what the records' grid may hide of it."""
    if isinstance(theory, Moment):
        seen = evidence.uniform(statistic, theory.laws) if theory.laws else evidence.values(statistic)
        return abs(Catoni(theory.sd).estimate(theory.per_draw(seen), alpha) - theory.mean), 0.0
    if evidence.counted:
        assert not isinstance(theory, Sequence)
        edges, below = evidence.ecdf(statistic)
        exact = theory.cdf(edges)
        return float(np.max(np.abs(below - exact))), float(np.max(np.diff(exact, prepend=0.0)))
    return sup_distance(evidence.uniform(statistic, theory).ravel()), 0.0
