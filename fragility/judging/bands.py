"""Error bands that hold at every sample size, each with the gap that it would see and the draws that takes.

A check at error rate alpha raises its alarm beyond `band`, the half-width that is exceeded with probability at most
alpha when the theory is right. A true gap of `resolution` or more is then found with probability at least 1 - beta:
the alarm needs the gap to exceed the band by what chance may hide. `needed` is the fewest samples whose resolution is
at most a tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dkw:
    """Sup-distance of an empirical distribution function from a law (Dvoretzky-Kiefer-Wolfowitz, Massart 1990)."""

    def band(self, samples: int, alpha: float) -> float:
        return math.sqrt(math.log(2 / alpha) / (2 * samples)) if samples else math.inf

    def resolution(self, samples: int, alpha: float, beta: float) -> float:
        # sup|F_n - F| >= sup|G - F| - sup|F_n - G| when the draws come from G.
        return self.band(samples, alpha) + self.band(samples, beta)

    def needed(self, tolerance: float, alpha: float, beta: float) -> int:
        roots = math.sqrt(math.log(2 / alpha)) + math.sqrt(math.log(2 / beta))
        return math.ceil((roots / tolerance) ** 2 / 2)


@dataclass(frozen=True)
class Catoni:
    """Distance of Catoni's estimate of a mean from the truth, for any law with standard deviation at most `sd`.

    Catoni, Challenging the empirical mean and empirical variance, Ann. IHP 48 (2012), Prop. 2.4. Nearly as
    narrow as the Gaussian band, but no normality is assumed: the products of Gaussians have heavy tails.
    """

    sd: float

    def band(self, samples: int, alpha: float) -> float:
        level = 2 * math.log(2 / alpha)
        return self.sd * math.sqrt(level / (samples - level)) if samples > level else math.inf

    def resolution(self, samples: int, alpha: float, beta: float) -> float:
        tuned = 2 * math.log(2 / alpha)
        if samples <= tuned:
            return math.inf
        # The estimator is tuned for alpha; its deviation at another level solves the same quadratic.
        influence = self._influence(samples, tuned)
        chance = 2 * math.log(2 / beta) / samples
        root = math.sqrt(max(0.0, 1 - (influence * self.sd) ** 2 - chance))
        return self.band(samples, alpha) + (1 - root) / influence

    def needed(self, tolerance: float, alpha: float, beta: float) -> int:
        few, many = 1, 2
        while self.resolution(many, alpha, beta) > tolerance:
            few, many = many, 2 * many
        while many - few > 1:
            middle = (few + many) // 2
            few, many = (few, middle) if self.resolution(middle, alpha, beta) <= tolerance else (middle, many)
        return many

    def estimate(self, values: np.ndarray, alpha: float, counts: np.ndarray | None = None) -> float:
        """Catoni's M-estimate of the mean of `values`, tuned for error rate alpha; NaN if they are too few.

        Parameters
        ----------
        counts : how often each of them was drawn; once if None.
        """
        from scipy.optimize import brentq

        level = 2 * math.log(2 / alpha)
        samples = len(values) if counts is None else int(counts.sum())
        if samples <= level or not np.all(np.isfinite(values)):
            return math.nan
        influence = self._influence(samples, level)

        def pull(centre: float) -> float:
            moved = influence * (values - centre)
            pulled = np.sign(moved) * np.log1p(np.abs(moved) + moved**2 / 2)
            return float(np.sum(pulled) if counts is None else counts @ pulled)

        low, high = float(values.min()), float(values.max())
        return brentq(pull, low, high, xtol=1e-14 * max(abs(low), abs(high))) if low < high else low

    def _influence(self, samples: int, level: float) -> float:
        return math.sqrt(level * (samples - level)) / (samples * self.sd)


@dataclass(frozen=True)
class Unseen:
    """How rare a failure must be to stay unseen: a relation fails in a world or does not.

    No chance is in one world, so no error is spent; what chance may hide is a small share of failing worlds.
    """

    def resolution(self, worlds: int, beta: float) -> float:
        """Smallest share of failing worlds of which one is met with probability at least 1 - beta."""
        return 1.0 - beta ** (1.0 / worlds) if worlds else 1.0

    def needed(self, share: float, beta: float) -> int:
        """Fewest worlds whose resolution is at most `share`."""
        return math.ceil(math.log(beta) / math.log1p(-share))


def quantile_ranks(level: float, samples: int, alpha: float) -> tuple[int, int]:
    """Ranks, counted from 1, of two order statistics that have the `level` quantile between them.

    They miss it with probability at most alpha, half on either side, for every continuous law. Rank 0 stands for minus
    infinity and rank samples + 1 for infinity, where there are too few draws.
    """
    from scipy.stats import binom

    below = binom(samples, level)
    return int(below.ppf(alpha / 2)), int(below.isf(alpha / 2)) + 1


def clopper_pearson(successes: int, samples: int, alpha: float) -> tuple[float, float]:
    """Exact two-sided interval for a probability, given `successes` out of `samples` (Clopper and Pearson 1934).

    Raises
    ------
    ValueError : unless 0 <= successes <= samples and samples >= 1.
    """
    from scipy.special import betaincinv

    if not 0 <= successes <= samples or samples < 1:
        raise ValueError(f"successes must lie between 0 and samples >= 1, got {successes} of {samples}")
    failures = samples - successes
    low = float(betaincinv(successes, failures + 1, alpha / 2)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - alpha / 2)) if failures else 1.0
    return low, high


def spend(alpha: float, look: int) -> float:
    """Error rate of look number `look` = 1, 2, ...: alpha / (j (j + 1)), which sums to alpha over all looks."""
    return alpha / (look * (look + 1))
