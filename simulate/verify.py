"""Theory beside records: a claim, a point and the draws made there give a verdict with its resolution.

This is the one module of the room that knows both. A verdict is
agrees    : no gap beyond chance, and a gap of the claim's tolerance would have been seen,
blunt     : no gap beyond chance, but too few draws to see the tolerance; `needed` says how many would do,
disagrees : the gap lies beyond the band.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from simulate.bands import Band, Catoni, Dkw
from simulate.engine.records import column, counts, drawn, is_counted
from simulate.engine.study import Point
from theory.claim import Claim, Moment
from theory.laws import Law

Theory: TypeAlias = Moment | Law | Sequence[Law]

BETA = 0.05  # a gap as large as the resolution is missed at most this often


@dataclass(frozen=True)
class Verdict:
    """What the draws say of a claim at a point.

    Parameters
    ----------
    gap, band : the distance found, and how far chance alone may carry it at this look's error rate.
    resolution : smallest gap that would have been reported with probability 1 - BETA.
    samples : draws looked at; needed : draws at which the resolution reaches the tolerance.
    alpha : error rate of the look.
    visible, rejected : decoys that the tolerance should show at this point, and those that the draws reject.
    """

    claim: str
    point: Point
    method: str
    outcome: Literal["agrees", "blunt", "disagrees"]
    gap: float
    band: float
    resolution: float
    tolerance: float
    samples: int
    needed: int
    alpha: float
    visible: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


class Evidence:
    """The first draws of one world, as far as a verdict needs them.

    Parameters
    ----------
    tables : shard tables in order of their index, without a hole.
    samples : draws to look at, all of them if None; counted tables can only be looked at whole.
    """

    def __init__(self, tables: Sequence[pa.Table], samples: int | None = None) -> None:
        self.tables = tables
        self.counted = is_counted(tables[0])
        held = drawn(tables)
        self.samples = held if self.counted or samples is None else min(samples, held)
        self._counts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._uniform: dict[tuple[str, int], tuple[object, np.ndarray]] = {}

    def values(self, statistic: str) -> np.ndarray:
        """(samples,) or (samples, k)."""
        return np.concatenate([column(table, statistic) for table in self.tables])[: self.samples]

    def uniform(self, statistic: str, theory: Law | Sequence[Law]) -> np.ndarray:
        """Probability integral transform of the values, kept for the next claim about them: thousands of laws cost."""
        key = statistic, id(theory)
        if key not in self._uniform:
            self._uniform[key] = theory, transform(theory, self.values(statistic))
        return self._uniform[key][1]

    def ecdf(self, statistic: str) -> tuple[np.ndarray, np.ndarray]:
        """Increasing values and the share of draws below or at each, of a statistic of shape (samples,)."""
        if self.counted:
            if statistic not in self._counts:
                self._counts[statistic] = counts(self.tables, statistic)
            edges, below = self._counts[statistic]
            return edges, below / self.samples
        return np.sort(self.values(statistic)), np.arange(1, self.samples + 1) / self.samples


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float) -> Verdict:
    """The verdict on a claim at error rate `alpha`."""
    theory = claim.theory(**point)
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


def reject_decoys(claim: Claim, verdict: Verdict, evidence: Evidence) -> Verdict:
    """The verdict with the claim's decoys put to the same draws at the same error rate.

    Only those decoys count that differ from the claim by its tolerance or more: nothing less is promised.
    """
    theory = claim.theory(**verdict.point)
    visible, rejected = [], []
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
            rejected.append(decoy.says)
    return replace(verdict, visible=tuple(visible), rejected=tuple(rejected))


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


def needed(claim: Claim, point: Point, alpha: float) -> int:
    """Draws at which the claim's tolerance is seen at error rate `alpha`."""
    theory = claim.theory(**point)
    return math.ceil(_band(theory).needed(claim.tolerance, alpha, BETA) / pooling(theory))


def pooling(theory: Theory) -> int:
    """Independent values that one draw contributes: the columns of a pooled law, else one."""
    return 1 if isinstance(theory, Moment) else len(_laws(theory))


def transform(theory: Law | Sequence[Law], values: np.ndarray) -> np.ndarray:
    """Probability integral transform: (size,) or, column by column, (size, k) -> uniform if the laws are right."""
    if isinstance(theory, Sequence):
        return np.stack([law.cdf(values[:, k]) for k, law in enumerate(theory)], axis=1)
    return theory.cdf(values)


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


def sup_distance(uniform: np.ndarray) -> float:
    """Kolmogorov's distance between the empirical distribution of values in [0, 1] and the uniform law."""
    ordered = np.sort(uniform)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))
