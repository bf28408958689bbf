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


def _kept(values: Any) -> np.ndarray:
    flat = np.asarray(values, dtype=float).ravel()
    return flat[~np.isnan(flat)]
