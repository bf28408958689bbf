"""Rates: the slope of ln quantile against ln size, over a sweep, with a band that all sizes share.

A rate is a statement about large sizes, so its slope over any sweep is off by a little even where it is right. Hence a
rate agrees if the slope is within the claim's tolerance of the exponent at every point of the band, disagrees if it is
at none, and is blunt in between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fragility.claim import Claim, Rate
from fragility.judging.evidence import Evidence
from fragility.judging.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Slope:
    """A least-squares slope and how far chance alone may carry it from that of the true quantiles."""

    value: float
    band: float

    @classmethod
    def fitted(cls, rate: Rate, statistic: str, evidence: Mapping[int, Evidence], alpha: float) -> Slope:
        """Of the statistic's quantile over the sizes; each size has its share of the error rate `alpha`.

        The slope is a weighted sum of the logarithms, so it is off by at most the weighted sum of what they are off by.
        """
        ends = np.array(
            [seen.quantile(statistic, rate.quantile, alpha / len(evidence)) for seen in evidence.values()], dtype=float
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            low, middle, high = np.log(np.maximum(ends, 0)).T
            weights = _weights(evidence)
            off = np.maximum(high - middle, middle - low)
            return cls(float(weights @ middle), float(np.abs(weights) @ off))

    def outcome(self, exponent: float, tolerance: float) -> Outcome:
        """What it says of an exponent; nothing if it is NaN, from values that are not positive."""
        gap = abs(self.value - exponent)
        if math.isnan(gap):
            return "faulty"
        if gap + self.band <= tolerance:
            return "agrees"
        return "blunt" if math.isinf(self.band) or gap - self.band <= tolerance else "disagrees"


def judge(claim: Claim, method: str, evidence: Mapping[int, Evidence], alpha: float) -> Verdict:
    """The verdict on a rate from draws at every size of its sweep, decoys included."""
    rate: Rate = claim.theory()
    slope = Slope.fitted(rate, claim.statistic, evidence, alpha)
    gap = abs(slope.value - rate.exponent)
    samples = min(seen.samples for seen in evidence.values())
    visible, rejected = decoys(claim, slope)
    return Verdict(
        claim=claim.id,
        point={rate.along: f"{min(evidence)}..{max(evidence)}"},
        method=method,
        outcome=slope.outcome(rate.exponent, claim.tolerance),
        gap=gap,
        band=slope.band,
        tolerance=claim.tolerance,
        resolution=gap + slope.band,
        unit="gap",
        wanted=claim.tolerance,
        samples=samples,
        needed=needed(claim.tolerance - gap, slope.band, samples),
        alpha=alpha,
        visible=visible,
        rejected=rejected,
        fault=f"{claim.statistic} is not positive at some size, or lacks a number" if math.isnan(gap) else "",
    )


def needed(room: float, band: float, samples: int) -> int:
    """Draws per size at which the band fits into `room`, which the gap leaves of the tolerance; fourfold if none."""
    return math.ceil(samples * (band / room) ** 2 if room > 0 and math.isfinite(band) else 4.0 * samples)


def decoys(claim: Claim, slope: Slope) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The decoys whose exponent is off by more than twice the tolerance, and those of them that the slope rejects.

    Nothing less can be told from an exponent that is right.
    """
    rate: Rate = claim.theory()
    wrong: dict[str, Rate] = {decoy.says: decoy.theory() for decoy in claim.decoys}
    visible = {says: other for says, other in wrong.items() if difference(rate, other) > 2 * claim.tolerance}
    rejected = [
        says for says, other in visible.items() if slope.outcome(other.exponent, claim.tolerance) == "disagrees"
    ]
    return tuple(visible), tuple(rejected)


def difference(rate: Rate, wrong: Rate) -> float:
    """Distance between the exponents."""
    return abs(wrong.exponent - rate.exponent)


def judge_exact(claim: Claim) -> Verdict:
    """The verdict on a rate by the exact theory behind it, where no draws reach its sizes: a slope between two."""
    rate: Rate = claim.theory()
    gap = _gap_of_slope(rate)
    return Verdict(
        claim=claim.id,
        point={rate.along: "{}..{}".format(*rate.between)},
        method="exact law",
        outcome="faulty" if math.isnan(gap) else "agrees" if gap <= claim.tolerance else "disagrees",
        gap=gap,
        band=0.0,
        tolerance=claim.tolerance,
        resolution=gap,
        unit="gap",
        wanted=claim.tolerance,
        samples=0,
        needed=0,
        alpha=0.0,
        visible=tuple(decoy.says for decoy in claim.decoys),
        rejected=tuple(decoy.says for decoy in claim.decoys if _gap_of_slope(decoy.theory()) > claim.tolerance),
        fault="the exact theory gives no slope" if math.isnan(gap) else "",
    )


def _gap_of_slope(rate: Rate) -> float:
    """Distance of the exponent from the slope of the exact theory behind it."""
    return abs(rate.slope() - rate.exponent)


def _weights(sizes: Mapping[int, Evidence]) -> np.ndarray:
    """Of the logarithms in the least-squares slope against ln size."""
    x = np.log(np.array(list(sizes), dtype=float))
    x -= x.mean()
    return x / (x @ x)
