"""Laws: the largest distance between the distribution functions of draws and theory, in a band for every sample size.

Of a law for each column of a statistic, the columns are pooled by probability integral transform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from fragility.claim import Claim
from fragility.engine.study import Point
from fragility.judging.bands import Dkw
from fragility.judging.distance import Distance, rejected, verdict
from fragility.judging.evidence import CELLS, Evidence, sup_distance, sup_distance_in_cells
from fragility.judging.stated import stated
from fragility.judging.verdict import BETA, Verdict
from fragility.law import Law

Laws: TypeAlias = Law | Sequence[Law]

BY_CHANCE = True
TAKES_COUNTS = True
LEVELS = np.linspace(0.02, 0.98, 49)  # of the claim's law, at which a decoy is compared with it
MOST_COLUMNS = 16  # that are compared


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float) -> Verdict:
    """The verdict at error rate `alpha`, decoys left out."""
    found = distance(stated(claim, point), evidence, claim.statistic, alpha)
    return verdict(claim, point, method, found, evidence.samples, needed(claim, point, alpha), alpha)


def needed(claim: Claim, point: Point, alpha: float) -> int:
    """Draws at which a gap of the claim's tolerance is seen at error rate `alpha`."""
    return math.ceil(Dkw().needed(claim.tolerance, alpha, BETA) / len(_columns(stated(claim, point))))


def decoys(claim: Claim, point: Point, evidence: Evidence, alpha: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The decoys that the tolerance shows, and those of them that the draws reject at error rate `alpha`."""
    return rejected(claim, point, difference, lambda wrong: distance(wrong, evidence, claim.statistic, alpha))


def difference(laws: Laws, wrong: Laws) -> float:
    """Largest difference between two distribution functions; for columns to be pooled, of their averages."""
    true_laws, wrong_laws = _columns(laws), _columns(wrong)
    chosen = np.unique(np.linspace(0, len(true_laws) - 1, MOST_COLUMNS).astype(int))
    gaps = [wrong_laws[k].cdf(true_laws[k].ppf(LEVELS)) - LEVELS for k in chosen]
    return float(np.max(np.abs(np.mean(gaps, axis=0))))


def distance(laws: Laws, evidence: Evidence, statistic: str, alpha: float) -> Distance:
    """How far the draws are from the laws; counts on a grid hide a little, which the resolution makes up for."""
    values = evidence.samples * len(_columns(laws))
    if not values:
        return Distance(0.0, math.inf, math.inf)
    grain = 0.0
    if evidence.counted:
        assert not isinstance(laws, Sequence)
        edges, below = evidence.ecdf(statistic)
        exact = np.where(np.isnan(edges), np.nan, laws.cdf(edges))
        gap, grain = float(np.max(np.abs(below - exact))), float(np.max(np.diff(exact, prepend=0.0)))
    elif evidence.is_few(statistic):
        gap = sup_distance(evidence.uniform(statistic, laws).ravel())
    else:
        gap, grain = sup_distance_in_cells(evidence.uniforms(statistic, laws)), 1 / CELLS
    return Distance(gap, Dkw().band(values, alpha), Dkw().resolution(values, alpha, BETA) + grain)


def _columns(laws: Laws) -> Sequence[Law]:
    """The laws one by one: each draw gives an independent value of every one of them."""
    return laws if isinstance(laws, Sequence) else (laws,)
