"""Laws of the survey that scipy.stats does not have as such, by closed formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special, stats

TERMS = 1 << 16  # that are added up of a series


class By:
    """A law by a formula for its distribution function."""

    def __init__(self, formula: Callable[[np.ndarray], np.ndarray]) -> None:
        self._formula = formula

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Probability of x or less."""
        with np.errstate(all="ignore"):  # logarithms of 0 at the ends, and what underflows
            return self._formula(x)


def zipf(a: float) -> By:
    """P(k) proportional to k^-a for k = 1, 2, ..., by Hurwitz' zeta function."""
    return By(lambda x: 1 - special.zeta(a, np.maximum(np.floor(x), 0.0) + 1) / special.zeta(a, 1.0))


def log_series(p: float) -> By:
    """P(k) proportional to p^k / k for k = 1, 2, ...: first terms, then one minus the rest by Euler and Maclaurin."""
    rate, whole = -np.log(p), -np.log1p(-p)
    terms = np.arange(1, TERMS + 1)
    sums = np.concatenate([[0.0], np.cumsum(np.exp(-rate * terms) / terms)])

    def formula(x: np.ndarray) -> np.ndarray:
        last = np.maximum(np.floor(x), 0.0)
        first = last + 1
        term = np.exp(-rate * first) / first
        rest = special.exp1(rate * first) + term / 2 + term * (rate + 1 / first) / 12
        near = sums[np.minimum(last, TERMS).astype(np.int64)]
        return np.where(last <= TERMS, near, whole - rest) / whole

    return By(formula)


def integers(low: int, high: int) -> By:
    """All integers from low to high, which may be too large for a difference of two."""
    return By(lambda x: np.clip((np.floor(x) - low + 1) / (high - low + 1), 0.0, 1.0))


def weighted(weights: Sequence[float]) -> By:
    """0, 1, ... with given probabilities."""
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    return By(lambda x: sums[np.clip(np.floor(x) + 1, 0, len(weights)).astype(int)])


def kumaraswamy(a: float, b: float) -> By:
    """1 - (1 - x^a)^b on [0, 1]."""
    return By(lambda x: -np.expm1(b * np.log(-np.expm1(a * np.log(np.clip(x, 0.0, 1.0))))))


def continuous_bernoulli(p: float) -> By:
    """Density proportional to p^x (1 - p)^(1 - x) on [0, 1]."""
    slope = np.log(p) - np.log1p(-p)
    if slope == 0:
        return By(lambda x: np.clip(x, 0.0, 1.0))
    return By(lambda x: np.expm1(slope * np.clip(x, 0.0, 1.0)) / np.expm1(slope))


def logit_of(inner: stats.rv_continuous, scale: float, shift: float) -> By:
    """Of 1 / (1 + exp(-y)), where scale * y + shift has a law on the line."""
    return By(lambda x: inner.cdf(scale * special.logit(np.clip(x, 0.0, 1.0)) + shift))


def direction(kappa: float) -> By:
    """Of the cosine w to the mean direction of von Mises and Fisher's law in three dimensions: exp(kappa w) / c."""
    return By(
        lambda w: (
            np.expm1(kappa * (np.clip(w, -1.0, 1.0) + 1)) / np.expm1(2 * kappa)
            if kappa < 300
            else np.exp(kappa * (np.clip(w, -1.0, 1.0) - 1))
        )
    )


def rotation() -> By:
    """Of the angle of a random rotation of space, density (1 - cos t) / pi on [0, pi]."""
    return By(lambda t: (np.clip(t, 0.0, np.pi) - np.sin(np.clip(t, 0.0, np.pi))) / np.pi)


def mixture(weights: Sequence[float], laws: Sequence[stats.rv_continuous]) -> By:
    """Some law, drawn with a probability."""
    return By(lambda x: sum(weight * law.cdf(x) for weight, law in zip(weights, laws, strict=True)))


def signs(plus: float = 0.5) -> By:
    """1 with a probability, or else -1."""
    return By(lambda x: np.where(x < -1, 0.0, np.where(x < 1, 1 - plus, 1.0)))


def geometric(p: float) -> By:
    """Failures before the first success."""
    return By(lambda x: np.where(x < 0, 0.0, -np.expm1((np.floor(np.maximum(x, 0.0)) + 1) * np.log1p(-p))))


def correlation(shape: float) -> By:
    """Beta(shape, shape) on [-1, 1], exact at both ends."""
    half = stats.beta(shape, shape)
    return By(lambda x: np.where(x < 0, half.cdf((1 + x) / 2), 1 - half.cdf((1 - x) / 2)))
