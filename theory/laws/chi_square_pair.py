"""The law of a weighted sum of two independent chi-square variables with as many degrees of freedom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import chdtr, chdtrc, expit, gammainccinv, gammaincinv

from theory.laws.frozen import Positive, elementwise
from theory.laws.gamma import log_gamma_density, log_gamma_ratio
from theory.numerics import require

MOST_DEGREES = 10**6
STEP = 0.2  # of the trapezoidal rule in the log-odds, in their standard deviations or units
HALVINGS = 60  # of the bracket of a quantile's logarithm


@dataclass(frozen=True)
class ChiSquarePair(Positive):
    """Frozen law of low X + high Y, X and Y independent chi-square with `degrees` degrees, 0 < low < high.

    It is S (low + (high - low) B) with S chi-square with 2 degrees and B ~ Beta(degrees/2, degrees/2) independent.
    The trapezoidal rule in the log-odds of B has positive terms only. From 1 to 10^6 degrees, whatever low / high, it
    gives probabilities, density and moments of order up to 1000 to 1e-9 of themselves, in both tails as far as doubles
    reach.
    """

    degrees: int
    low: float
    high: float

    def __post_init__(self) -> None:
        if require.integer("degrees", self.degrees, 1) > MOST_DEGREES:
            raise ValueError(f"degrees must be at most {MOST_DEGREES}, got {self.degrees}")
        require.positive("low", self.low)
        require.positive("high", self.high)
        if not self.low < self.high:
            raise ValueError(f"high must be above low, got {self.high} and {self.low}")

    @cached_property
    def _rule(self) -> tuple[np.ndarray, np.ndarray]:
        """Scales low + (high - low) B and their weights."""
        k, least = self.degrees, math.log(self.low) - math.log(self.high)
        # Nodes end where a tail of B is below e^-800, which no probability in doubles sees, or where what weighs most
        # there, scale^-k on the left and on the right the tail of S, leaves less than e^-45.
        rare = 2 * math.acosh(math.exp(min(800 / k, 700.0)))
        left, right = min(rare, 100 / k + 3 - least), min(rare, 100 / k + 10)
        y = np.arange(-left, right, STEP * min(1.0, 2 / math.sqrt(k)))
        weight = np.exp(-k * np.logaddexp(y / 2, -y / 2) + k * math.log(2))
        return self.low * expit(-y) + self.high * expit(y), weight / weight.sum()

    @elementwise
    def cdf(self, x):
        """P(X <= x)."""
        scale, weight = self._rule
        return np.where(x == np.inf, 1.0, chdtr(2 * self.degrees, np.maximum(x, 0)[:, None] / scale) @ weight)

    @elementwise
    def sf(self, x):
        """P(X > x)."""
        scale, weight = self._rule
        return np.where(x <= 0, 1.0, chdtrc(2 * self.degrees, np.maximum(x, 0)[:, None] / scale) @ weight)

    @elementwise
    def pdf(self, x):
        """Density."""
        scale, weight = self._rule
        log_share = np.log(x[:, None] / (2 * self.degrees * scale))
        inside = np.exp(log_gamma_density(self.degrees, log_share)) / x[:, None]
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
        """The quantile by bisection: it lies between those of low S and high S."""
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
        log_gamma = float(log_gamma_ratio(self.degrees, np.array([float(order)]))[0])
        unit = order * math.log(2 * self.degrees * self.high)
        with np.errstate(over="ignore", under="ignore"):
            return float(np.exp(log_gamma + unit + np.log(weight @ np.exp(order * np.log(scale / self.high)))))

    def var(self) -> float:
        """Variance."""
        return 2 * self.degrees * (self.low**2 + self.high**2)

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws; random_state is a Generator or a seed."""
        rng = np.random.default_rng(random_state)
        return self.low * rng.chisquare(self.degrees, size) + self.high * rng.chisquare(self.degrees, size)
