"""Estimates from independent values, each with an interval that holds what is estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fragility.judging.bands import clopper_pearson, quantile_ranks
from fragility.tables import Interval

CONFIDENCE = 0.95  # of each interval by itself
Bounds: TypeAlias = tuple[float, float]
ANY: Bounds = (-math.inf, math.inf)
SHARE: Bounds = (0.0, 1.0)
COSINE: Bounds = (-1.0, 1.0)
RANKED = 1.06  # variance of Fisher's z of a rank correlation, times n - 3 (Fieller, Hartley and Pearson 1957)
MOST = 0.999999  # a correlation of 1 has no finite z
NEGLIGIBLE = 1e-12  # variance that is left of a column, as a share, where another decides it


@dataclass(frozen=True)
class Estimate:
    """A measured number, the interval that holds what it estimates with probability `CONFIDENCE`, and its n."""

    value: float
    low: float
    high: float
    n: int

    @property
    def interval(self) -> Interval:
        """The interval as a cell of a table."""
        return Interval(self.low, self.high, self.n)


def mean(values: Any, confidence: float = CONFIDENCE, within: Bounds = ANY) -> Estimate:
    """Mean of independent values (n,) with Student's interval; NaN values are left out, one value has no interval.

    Parameters
    ----------
    within : the least and the largest value that there can be. Student knows nothing of bounds: what reaches beyond
        them holds no mean, and is cut off.
    """
    from scipy.stats import t

    kept = _kept(values)
    n = len(kept)
    if n < 2:
        return Estimate(float(kept[0]) if n else math.nan, -math.inf, math.inf, n)
    centre = float(np.mean(kept))
    half = float(t.ppf((1 + confidence) / 2, n - 1) * np.std(kept, ddof=1) / math.sqrt(n))
    least, largest = min(within[0], centre), max(within[1], centre)  # rounding may carry a value across its bound
    return Estimate(centre, max(centre - half, least), min(centre + half, largest), n)


def quantile(values: Any, level: float, confidence: float = CONFIDENCE) -> Estimate:
    """A quantile of independent values (n,), its interval from order statistics: exact for every continuous law."""
    kept = np.sort(_kept(values))
    n = len(kept)
    if not n:
        return Estimate(math.nan, -math.inf, math.inf, 0)
    low, high = quantile_ranks(level, n, 1 - confidence)
    return Estimate(
        float(np.quantile(kept, level)),
        float(kept[low - 1]) if low >= 1 else -math.inf,
        float(kept[high - 1]) if high <= n else math.inf,
        n,
    )


def median(values: Any, confidence: float = CONFIDENCE) -> Estimate:
    """`quantile` at 1/2."""
    return quantile(values, 0.5, confidence)


def share(flags: Any, confidence: float = CONFIDENCE) -> Estimate:
    """Share of flags (n,) that are set, with the interval of Clopper and Pearson."""
    kept = _kept(flags)
    hits, n = int(np.count_nonzero(kept)), len(kept)
    low, high = clopper_pearson(hits, n, 1 - confidence) if n else (0.0, 1.0)
    return Estimate(hits / n if n else math.nan, low, high, n)


def rank_correlation(one: Any, other: Any, given: Any = None) -> Estimate:
    """Spearman's correlation of two columns (n,), partial if a third is given, with an interval by Fisher's z.

    Rows with an entry that is not finite are left out. NaN of fewer than 3, and where a column is constant, or decided
    by the third.
    """
    columns = np.array([one, other] if given is None else [one, other, given], dtype=float)
    columns = columns[:, np.isfinite(columns).all(axis=0)]
    n = columns.shape[1]
    degrees = n - 1 - len(columns)
    value = _correlation(columns) if n >= 3 else math.nan
    if math.isnan(value) or degrees < 2:
        return Estimate(value, -math.inf, math.inf, n)
    from scipy.special import ndtri

    half = float(ndtri((1 + CONFIDENCE) / 2)) * math.sqrt(RANKED / degrees)
    centre = math.atanh(min(max(value, -MOST), MOST))
    return Estimate(value, math.tanh(centre - half), math.tanh(centre + half), n)


def _correlation(columns: np.ndarray) -> float:
    """Of the ranks of the first two rows, that of the third held fixed where there is one."""
    from scipy.stats import rankdata

    ranks = rankdata(columns, axis=1)
    if (np.ptp(ranks, axis=1) == 0).any():
        return math.nan
    pairs = np.corrcoef(ranks)
    if len(columns) == 2:
        return float(pairs[0, 1])
    rest = (1 - pairs[0, 2] ** 2) * (1 - pairs[1, 2] ** 2)
    return float((pairs[0, 1] - pairs[0, 2] * pairs[1, 2]) / math.sqrt(rest)) if rest > NEGLIGIBLE else math.nan


def _kept(values: Any) -> np.ndarray:
    flat = np.asarray(values, dtype=float).ravel()
    return flat[~np.isnan(flat)]
