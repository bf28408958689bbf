"""Printed numbers: whether what a paper prints can be one more draw of a study, or the mean of so many more.

A printed number is one network of its authors', or the mean of m of them, so that it is set beside the interval in
which the mean of m more draws lies: Student's, mean +- t s sqrt(1/m + 1/n), exact for normal draws, at an error rate
that all printed entries share. It disagrees if an entry lies outside; if none does, it agrees once half the width of
each interval is at most the tolerance, and is blunt before. Gap, band and tolerance are differences on the scale on
which the row compares. Draws that are all alike say nothing about the spread of others: half the width is then the
tolerance.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fragility.claim import Claim, Reported
from fragility.engine.study import Point
from fragility.judging.distance import Distance, rejected, verdict
from fragility.judging.evidence import Evidence
from fragility.judging.stated import stated
from fragility.judging.verdict import Verdict

BY_CHANCE = True
TAKES_COUNTS = False
PLANNED = 32  # draws, before any has shown its spread: Student's quantile is within a tenth of its limit at 95 %
MOST = 10**6  # draws; the intervals are then as narrow as they ever are, to a part in a million


class Entries(NamedTuple):
    """The printed entries, and of each the mean, the spread (ddof 1) and the number of the draws that have it.

    Spreads are infinite where there are fewer than two draws, or one of them is infinite. What is printed is the mean
    of `mean_of` draws.
    """

    printed: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    draws: np.ndarray
    mean_of: int

    @classmethod
    def of(cls, reported: Reported, evidence: Evidence, statistic: str) -> Entries:
        """What is printed beside what was recorded; NaN is left out on both sides.

        Raises
        ------
        ValueError : a draw has another shape than what is printed.
        """
        printed = np.asarray(reported.printed, dtype=float)
        recorded = map(evidence.values, (statistic, *reported.also))
        values = np.asarray(reported.per_draw(*recorded), dtype=float)
        if values.shape[1:] != printed.shape:
            raise ValueError(f"a draw of {statistic} must have shape {printed.shape}, got {values.shape[1:]}")
        there = ~np.isnan(printed).ravel()
        printed, values = printed.ravel()[there], values.reshape(len(values), printed.size)[:, there]
        with np.errstate(divide="ignore", invalid="ignore"):  # of a logarithm of 0
            printed, values = reported.scale(printed), reported.scale(values)
        columns = [_described(column[~np.isnan(column)]) for column in values.T]
        mean, spread, draws = np.reshape(columns, (-1, 3)).T
        return cls(printed, mean, spread, draws, reported.mean_of)

    def widths(self, alpha: float, narrowest: float) -> np.ndarray:
        """Half the width of each interval, all of which hold at error rate `alpha`.

        Parameters
        ----------
        narrowest : of an interval from draws without a spread.
        """
        share = alpha / max(len(self.draws), 1)
        return np.array(
            [
                _half(share, s, n, self.mean_of) if s else narrowest
                for s, n in zip(self.spread, self.draws, strict=True)
            ],
            dtype=float,
        )


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float) -> Verdict:
    """The verdict at error rate `alpha`, decoys left out."""
    entries = Entries.of(stated(claim, point), evidence, claim.statistic)
    samples = int(min(entries.draws, default=0))
    found = distance(entries, claim.tolerance, alpha)
    return verdict(claim, point, method, found, samples, enough(entries, claim.tolerance, alpha), alpha, "printed")


def needed(_claim: Claim, _point: Point, _alpha: float) -> int:
    """Draws to begin with: how many would do depends on their spread, which no theory says."""
    return PLANNED


def decoys(claim: Claim, point: Point, evidence: Evidence, alpha: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The decoys that the tolerance shows, and those of them that no further draw would be at error rate `alpha`."""
    return rejected(
        claim,
        point,
        difference,
        lambda wrong: distance(Entries.of(wrong, evidence, claim.statistic), claim.tolerance, alpha),
    )


def difference(reported: Reported, wrong: Reported) -> float:
    """Largest distance between two printed entries; infinite if they are compared in another way, or are others."""
    one, other = (np.asarray(row.scale(np.asarray(row.printed, dtype=float))) for row in (reported, wrong))
    if reported[2:] != wrong[2:]:
        return math.inf
    if one.shape != other.shape or np.any(np.isnan(one) != np.isnan(other)):
        return math.inf
    return float(np.max(np.abs(one - other), where=~np.isnan(one), initial=0.0))


def distance(entries: Entries, tolerance: float, alpha: float) -> Distance:
    """How far the entry that fits the least is from the mean of the draws, and half the width of its interval."""
    if not len(entries.draws):
        return Distance(0.0, math.inf, math.inf)
    half = entries.widths(alpha, narrowest=tolerance)
    known = np.isfinite(half)
    gaps = np.where(known, np.abs(entries.printed - entries.mean), 0.0)
    worst = int(np.argmax(np.where(known, gaps - np.where(known, half, 0.0), -np.inf)))
    return Distance(float(gaps[worst]), float(half[worst]), float(half.max()))


def enough(entries: Entries, tolerance: float, alpha: float) -> int:
    """Fewest draws at which half the width is at most `tolerance` at the widest spread seen; 0 if no number will do."""
    spread, share = max(entries.spread, default=math.inf), alpha / max(len(entries.draws), 1)
    if math.isinf(spread):
        return PLANNED

    def shows(draws: int) -> bool:
        return _half(share, spread, draws, entries.mean_of) <= tolerance

    if not shows(MOST):
        return 0
    few, many = 1, 2
    while not shows(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if shows(middle) else (middle, many)
    return many


def _half(alpha: float, spread: float, draws: float, mean_of: int) -> float:
    """Half the width of Student's interval for the mean of so many more draws."""
    from scipy.stats import t

    if draws < 2 or math.isinf(spread):
        return math.inf
    return float(t.isf(alpha / 2, draws - 1) * spread * math.sqrt(1 / mean_of + 1 / draws))


def _described(values: np.ndarray) -> tuple[float, float, int]:
    """Mean, spread and number of the draws of one entry."""
    if len(values) < 2 or not np.all(np.isfinite(values)):
        return math.nan, math.inf, len(values)
    alike = values.min() == values.max()  # which rounding of the mean must not hide
    return float(np.mean(values)), 0.0 if alike else float(np.std(values, ddof=1)), len(values)
