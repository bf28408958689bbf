"""Verdicts on rates: the slope of ln quantile against ln size, over a sweep, with a band that all sizes share.

A rate is a statement about large sizes, so its slope over any sweep is off by a little even where it is right. Hence a
rate agrees if the slope is within the claim's tolerance of the exponent at every point of the band, disagrees if it is
at none, and is blunt in between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulate.evidence import Evidence
from simulate.verdict import Outcome, Verdict
from theory.claim import Claim, Rate


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
        """What it says of an exponent; NaN, from values that are not positive, is no agreement."""
        gap = abs(self.value - exponent)
        if gap + self.band <= tolerance:
            return "agrees"
        return "blunt" if math.isinf(self.band) or gap - self.band <= tolerance else "disagrees"


def judge_sweep(claim: Claim, method: str, evidence: Mapping[int, Evidence], alpha: float) -> Verdict:
    """The verdict on a rate from draws at every size of its sweep, decoys included.

    Only those decoys count whose exponent is off by more than twice the tolerance: nothing less can be told from it.
    """
    rate: Rate = claim.theory()
    slope = Slope.fitted(rate, claim.statistic, evidence, alpha)
    gap = abs(slope.value - rate.exponent)
    samples = min(seen.samples for seen in evidence.values())
    room = claim.tolerance - gap
    wanted = samples * (slope.band / room) ** 2 if room > 0 and math.isfinite(slope.band) else 4.0 * samples
    visible = {
        decoy.says: decoy.theory().exponent
        for decoy in claim.decoys
        if abs(decoy.theory().exponent - rate.exponent) > 2 * claim.tolerance
    }
    return Verdict(
        claim=claim.id,
        point={rate.along: f"{min(evidence)}..{max(evidence)}"},
        method=method,
        outcome=slope.outcome(rate.exponent, claim.tolerance),
        gap=gap,
        band=slope.band,
        resolution=gap + slope.band,
        tolerance=claim.tolerance,
        samples=samples,
        needed=math.ceil(wanted),
        alpha=alpha,
        visible=tuple(visible),
        rejected=tuple(
            says for says, exponent in visible.items() if slope.outcome(exponent, claim.tolerance) == "disagrees"
        ),
    )


def judge_exact(claim: Claim) -> Verdict:
    """The verdict on a rate by the exact theory behind it, where no draws reach its sizes: a slope between two."""
    rate: Rate = claim.theory()
    gap = abs(rate.slope() - rate.exponent)
    rejected = []
    for decoy in claim.decoys:
        wrong: Rate = decoy.theory()
        if not abs(wrong.slope() - wrong.exponent) <= claim.tolerance:
            rejected.append(decoy.says)
    return Verdict(
        claim=claim.id,
        point={rate.along: "{}..{}".format(*rate.between)},
        method="exact law",
        outcome="agrees" if gap <= claim.tolerance else "disagrees",
        gap=gap,
        band=0.0,
        resolution=gap,
        tolerance=claim.tolerance,
        samples=0,
        needed=0,
        alpha=0.0,
        visible=tuple(decoy.says for decoy in claim.decoys),
        rejected=tuple(rejected),
    )


def _weights(sizes: Mapping[int, Evidence]) -> np.ndarray:
    """Of the logarithms in the least-squares slope against ln size."""
    x = np.log(np.array(list(sizes), dtype=float))
    x -= x.mean()
    return x / (x @ x)
