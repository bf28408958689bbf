"""Moments: Catoni's estimate of a mean, in a band that holds for every law of bounded spread."""

from __future__ import annotations

import math

import numpy as np

from fragility.claim import Claim
from fragility.engine.study import Point
from fragility.judging.bands import Catoni
from fragility.judging.distance import Distance, rejected, verdict
from fragility.judging.evidence import Evidence, in_cells, is_whole
from fragility.judging.stated import stated
from fragility.judging.verdict import BETA, Verdict
from fragility.law import Moment

BY_CHANCE = True
TAKES_COUNTS = False


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float) -> Verdict:
    """The verdict at error rate `alpha`, decoys left out."""
    found = distance(stated(claim, point), evidence, claim.statistic, alpha)
    return verdict(claim, point, method, found, evidence.samples, needed(claim, point, alpha), alpha)


def needed(claim: Claim, point: Point, alpha: float) -> int:
    """Draws at which a gap of the claim's tolerance is seen at error rate `alpha`."""
    return Catoni(stated(claim, point).sd).needed(claim.tolerance, alpha, BETA)


def decoys(claim: Claim, point: Point, evidence: Evidence, alpha: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The decoys that the tolerance shows, and those of them that the draws reject at error rate `alpha`."""
    return rejected(claim, point, difference, lambda wrong: distance(wrong, evidence, claim.statistic, alpha))


def difference(moment: Moment, wrong: Moment) -> float:
    """Distance between the means; infinite from a moment of another number, which is always to be told apart."""
    return abs(moment.mean - wrong.mean) if moment.per_draw is wrong.per_draw else math.inf


def distance(moment: Moment, evidence: Evidence, statistic: str, alpha: float) -> Distance:
    """How far the estimate from the draws is from the mean."""
    catoni = Catoni(moment.sd)
    if not evidence.samples:
        return Distance(math.nan, math.inf, math.inf)
    return Distance(
        abs(estimate(moment, evidence, statistic, alpha) - moment.mean),
        catoni.band(evidence.samples, alpha),
        catoni.resolution(evidence.samples, alpha, BETA),
    )


def estimate(moment: Moment, evidence: Evidence, statistic: str, alpha: float) -> float:
    """What the draws say that the mean is, tuned for error rate `alpha`; NaN where they are too few."""
    few = evidence.is_few(statistic)
    seen = evidence.uniforms(statistic, moment.laws) if moment.laws else evidence.columns(statistic)
    drawn = (np.where(is_whole(piece), moment.per_draw(piece), np.nan) for piece in seen)
    if few:
        return Catoni(moment.sd).estimate(np.concatenate([*drawn]), alpha)
    means, counts = in_cells(drawn)
    return Catoni(moment.sd).estimate(means, alpha, counts)
