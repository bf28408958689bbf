"""The law of a weighted sum of two independent chi-square variables with as many degrees of freedom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import chdtr, chdtrc, gammainccinv, gammaincinv, gammaln, roots_jacobi

from theory import _require
from theory._frozen import Positive, elementwise

HALVINGS = 60  # of the bracket of a quantile's logarithm


@dataclass(frozen=True)
class ChiSquarePair(Positive):
    """Frozen law of low X + high Y, X and Y independent chi-square with `degrees` degrees, 0 < low < high.

    It is S (low + (high - low) B) with S chi-square with 2 degrees and B ~ Beta(degrees/2, degrees/2) independent, so
    that a Gauss-Jacobi rule for B gives probabilities and density to rounding, in both tails. The smaller low / high,
    the more nodes: 10 sqrt(high / low).
    """

    degrees: int
    low: float
    high: float

    def __post_init__(self) -> None:
        _require.integer("degrees", self.degrees, 1)
        _require.positive("low", self.low)
        _require.positive("high", self.high)
        if not self.low < self.high:
            raise ValueError(f"high must be above low, got {self.high} and {self.low}")

    @cached_property
    def _rule(self) -> tuple[np.ndarray, np.ndarray]:
        """Scales low + (high - low) B and their weights."""
        count = 32 + math.ceil(10 * math.sqrt(self.high / self.low))
        power = self.degrees / 2 - 1
        nodes, weights = roots_jacobi(count, power, power)
        return self.low + (self.high - self.low) * (1 + nodes) / 2, weights / weights.sum()

    @elementwise
    def cdf(self, x):
        """P(X <= x)."""
        scale, weight = self._rule
        return chdtr(2 * self.degrees, np.maximum(x, 0)[:, None] / scale) @ weight

    @elementwise
    def sf(self, x):
        """P(X > x)."""
        scale, weight = self._rule
        return chdtrc(2 * self.degrees, np.maximum(x, 0)[:, None] / scale) @ weight

    @elementwise
    def pdf(self, x):
        """Density."""
        scale, weight = self._rule
        half = x[:, None] / (2 * scale)
        inside = np.exp((self.degrees - 1) * np.log(half) - half - gammaln(self.degrees)) / (2 * scale)
        return np.where((x > 0) & (x < np.inf), inside @ weight, np.where(np.isnan(x), x, 0.0))

    @elementwise
    def ppf(self, q):
        """The x with P(X <= x) = q."""
        return self._between(2 * gammaincinv(self.degrees, q), lambda x: self.cdf(x) < q)

    @elementwise
    def isf(self, q):
        """The x with P(X > x) = q."""
        return self._between(2 * gammainccinv(self.degrees, q), lambda x: self.sf(x) > q)

    def _between(self, quantile, below):
        """By bisection: the quantile lies between those of low S and high S."""
        least, most = self.low * quantile, self.high * quantile
        for _ in range(HALVINGS):
            middle = np.sqrt(least) * np.sqrt(most)
            short = below(middle)
            least, most = np.where(short, middle, least), np.where(short, most, middle)
        return most

    def moment(self, order: float) -> float:
        """E X^order for order > -degrees."""
        if not -self.degrees < order < math.inf:
            raise ValueError(f"order must be finite and above {-self.degrees}, got {order}")
        scale, weight = self._rule
        gamma = math.exp(float(gammaln(self.degrees + order) - gammaln(self.degrees)))
        return 2**order * gamma * float(weight @ scale**order)

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws; random_state is a Generator or a seed."""
        rng = np.random.default_rng(random_state)
        return self.low * rng.chisquare(self.degrees, size) + self.high * rng.chisquare(self.degrees, size)
