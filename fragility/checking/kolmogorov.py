"""Kolmogorov's distance by its exact law, with the gap that it would miss: fewer draws than inequalities take.

The alarm is raised beyond `band`, which a law that holds exceeds with probability at most alpha: the law of the
distance is exact for continuous laws, and atoms only make the distance smaller. What is off by a gap somewhere shows
it there, up to what the binomial count of draws on one side of that place may hide: `hidden`. So from a distance of
gap - hidden or less it follows that the gap is not there, but for an error beta.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

TRIED = 128  # counts at most at which the binomial deviation is looked at


@lru_cache(maxsize=4096)
def band(samples: int, alpha: float) -> float:
    """Distance of an empirical distribution function from its law that is exceeded with probability alpha at most.

    Exact for continuous laws (the two-sided law of Kolmogorov's statistic at finite size), an upper bound for all.
    """
    from scipy.stats import kstwo

    return float(kstwo.isf(alpha, samples)) if samples else 1.0


@lru_cache(maxsize=4096)
def hidden(samples: int, beta: float) -> float:
    """By how much less than its probability a share of draws comes out, with probability beta at most.

    In the worst case: the smallest s with P(B <= k) <= beta for every k, B being binomial of `samples` trials with
    probability k / samples + s.
    """
    from scipy.optimize import brentq
    from scipy.special import betainc

    if not samples:
        return 1.0

    def worst(s: float) -> float:
        """The largest of the probabilities, which is where k lies below half the draws, and not far."""
        low, high = max(math.floor((0.5 - 2 * s) * samples) - 2, 0), samples // 2
        below = np.unique(np.linspace(low, high, min(high - low + 1, TRIED)).astype(np.int64))
        rest = 1 - below / samples - s
        return float(np.max(betainc(samples - below, below + 1, np.maximum(rest, 0.0)), where=rest > 0, initial=0.0))

    return float(brentq(lambda s: worst(s) - beta, 0.0, 1.0, xtol=1e-12)) if worst(0.0) > beta else 0.0


@lru_cache(maxsize=4096)
def band_of_two(samples: int, alpha: float) -> float:
    """The same as `band` between two empirical distribution functions of `samples` draws of one law each.

    The smallest multiple of 1 / samples that is exceeded with probability alpha at most; exact for continuous laws
    (Gnedenko and Korolyuk 1951), an upper bound for all.
    """
    few, many = 0, samples  # of which the first is exceeded too often; the second never
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if _exceeded(samples, middle + 1) <= alpha else (middle, many)
    return many / samples if samples else 1.0


def hidden_of_two(samples: int, gap: float, beta: float) -> float:
    """By how much less than `gap` two shares of `samples` draws each differ, with probability beta at most.

    One count and the complement of the other are independent trials with probabilities that have the mean
    (1 + gap) / 2, whose sum is at least as concentrated as a binomial one (Hoeffding 1956).
    """
    from scipy.stats import binom

    if not samples:
        return gap + 1.0
    # No count below the quantile is reached with more than beta; the comparison holds from one below the mean on.
    least = int(binom.ppf(beta, 2 * samples, min((1 + gap) / 2, 1.0))) - 1
    reached = min(least, math.floor(samples * (1 + gap)) - 1)
    return gap - (reached / samples - 1)


def _exceeded(samples: int, count: int) -> float:
    """Probability that the distance of two empirical distribution functions is count / samples or more."""
    from scipy.special import gammaln

    if count > samples:
        return 0.0
    if count <= 0:
        return 1.0
    j = np.arange(1, samples // count + 1)
    terms = np.exp(2 * gammaln(samples + 1) - gammaln(samples + j * count + 1) - gammaln(samples - j * count + 1))
    return float(min(1.0, 2 * np.sum(np.where(j % 2, terms, -terms))))
