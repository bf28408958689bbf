"""Laws of the condition number sigma_1 / sigma_n of an m x n Gaussian matrix, m >= n: what an untrained layer has.

The scale of the entries drops out. The exact law for two columns; the limit for square matrices
(Edelman 1988, Theorem 6.1); for tall ones a closed form from the Tracy-Widom fluctuations of both edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import betainc

from fragility.law import Law
from theory.conditioning.gaussian_spectrum import ScaledSmallestLimit
from theory.laws.frozen import FromOne, Positive, elementwise
from theory.laws.gamma import log_gamma_ratio, log_half_step
from theory.numerics import require

TRACY_WIDOM_MEAN = -1.2065335745820  # of the law for real matrices (beta = 1)
TRACY_WIDOM_VARIANCE = 1.6077810345810
SMALLEST = ScaledSmallestLimit()
STEP = 0.125  # of a trapezoidal rule in a logarithm


@dataclass(frozen=True)
class SquareConditionLimit(Positive):
    """Frozen law with P(X <= x) = e^(-2/x - 2/x^2): the limit of kappa / n for square matrices (Edelman 1988).

    X = 2 / T with the limit T of sqrt(n) sigma_min, as sigma_max / sqrt(n) tends to 2. P(X > x) goes like 2 / x: there
    is no mean.
    """

    @elementwise
    def cdf(self, x):
        """P(X <= x)."""
        return np.where(x > 0, SMALLEST.sf(2 / x), np.where(np.isnan(x), x, 0.0))

    @elementwise
    def sf(self, x):
        """P(X > x)."""
        return np.where(x > 0, SMALLEST.cdf(2 / x), np.where(np.isnan(x), x, 1.0))

    @elementwise
    def pdf(self, x):
        """Density (2x + 4) / x^3 e^(-2/x - 2/x^2)."""
        inside = np.exp(np.log(2 * x + 4) - 3 * np.log(x) - 2 / x - 2 / x**2)
        return np.where((x > 0) & (x < np.inf), inside, np.where(np.isnan(x), x, 0.0))

    @elementwise
    def ppf(self, q):
        """The x with P(X <= x) = q."""
        return 2 / SMALLEST.isf(q)

    @elementwise
    def isf(self, q):
        """The x with P(X > x) = q."""
        return 2 / SMALLEST.ppf(q)

    def moment(self, order: float) -> float:
        """E X^order; infinite from order 1 on."""
        return math.inf if order >= 1 else 2**order * SMALLEST.moment(-order)

    def var(self) -> float:
        """Infinite, as the mean is."""
        return math.inf

    def log_mean(self) -> float:
        """E ln X = 1.53708944..."""
        return math.log(2) - SMALLEST.log_mean()

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws; random_state is a Generator or a seed."""
        return 2 / SMALLEST.rvs(size, random_state)


@dataclass(frozen=True)
class TwoColumnCondition(FromOne):
    """Frozen law of kappa of an m x 2 Gaussian matrix, m >= 2, exact: P(ln kappa > s) = sech(s)^(m-1)."""

    m: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "m", require.integer("m", self.m, 2))

    def _log_sf(self, x):
        x = np.maximum(x, 1)
        return -(self.m - 1) * np.log1p((x - 1) * ((x - 1) / (2 * x)))

    @elementwise
    def cdf(self, x):
        """P(kappa <= x)."""
        return np.where(x == np.inf, 1.0, -np.expm1(self._log_sf(x)))

    @elementwise
    def sf(self, x):
        """P(kappa > x)."""
        return np.where(x == np.inf, 0.0, np.exp(self._log_sf(x)))

    @elementwise
    def pdf(self, x):
        """Density (m-1) (x^2 - 1) / (x (x^2 + 1)) P(kappa > x)."""
        slope = (self.m - 1) * (1 - 1 / x) * (1 + 1 / x) / (x * (1 + x**-2.0))
        return np.where((x > 1) & (x < np.inf), slope * np.exp(self._log_sf(x)), np.where(np.isnan(x), x, 0.0))

    @elementwise
    def ppf(self, q):
        """The x with P(kappa <= x) = q."""
        return self._from_log_sf(np.log1p(-q))

    @elementwise
    def isf(self, q):
        """The x with P(kappa > x) = q."""
        return self._from_log_sf(np.log(q))

    def _from_log_sf(self, log_sf):
        above = np.expm1(-log_sf / (self.m - 1))  # cosh(ln kappa) - 1
        return np.where(np.isinf(above), above, 1 + above + np.sqrt(above) * np.sqrt(above + 2))

    def moment(self, order: float) -> float:
        """E kappa^order = 1 + order 2^(m-2) B_1/2((m-1-order)/2, (m-1+order)/2) for |order| < m - 1; infinite above."""
        power = self.m - 1
        if order >= power:
            return math.inf
        if order <= -power:
            raise ValueError(f"order must be above {-power}, got {order}")
        if order < 0:
            return self._small_moment(order)
        a, b = (power - order) / 2, (power + order) / 2
        # 2^(power-1) B(power/2, power/2) is twice E ln kappa
        ratio = log_gamma_ratio(power / 2, np.array([-order / 2, order / 2])).sum()
        return 1 + order * 2 * self.log_mean() * math.exp(ratio) * float(betainc(a, b, 0.5))

    def _small_moment(self, order: float) -> float:
        """E e^(order y), y = ln kappa, of which the formula would leave rounding: trapezoidal rule in ln y."""
        power, v = self.m - 1, np.arange(-60, 7, STEP)
        y = np.exp(v)
        log_cosh = y + np.log1p(np.expm1(-2 * y) / 2)
        small = 2 * np.sinh(np.minimum(y, 1) / 2) ** 2
        log_cosh = np.where(y < 1, np.log1p(small), log_cosh)
        return float(STEP * np.sum(power * np.tanh(y) * np.exp(order * y - power * log_cosh + v)))

    def var(self) -> float:
        """Variance; kappa = 1 + c + w with c = cosh(ln kappa) - 1 and w^2 = c^2 + 2 c, whose moments are closed."""
        power = self.m - 1
        if power <= 2:
            return math.inf
        c = 1 / (power - 1)
        c_squared = 2 / ((power - 1) * (power - 2))
        w = power / 2 * self._beta(power - 1)
        # E c w is a difference of two of these, half a step apart
        apart = log_half_step((power - 2) / 2) - log_half_step((power + 1) / 2)
        shrink = -math.expm1(apart + math.log1p(-3 / (power + 1)) / 2)
        c_w = power / 2 * self._beta(power - 2) * shrink
        return (c_squared - c * c) + (c_squared + 2 * c - w * w) + 2 * (c_w - c * w)

    @staticmethod
    def _beta(twice: float) -> float:
        """B(twice / 2, 3/2) = Gamma(a) sqrt(pi) / 2 / Gamma(a + 3/2)."""
        a = twice / 2
        return math.sqrt(math.pi / a) / 2 * math.exp(-log_half_step(a)) / (a + 0.5)

    def log_mean(self) -> float:
        """E ln kappa = sqrt(pi) Gamma((m-1)/2) / (2 Gamma(m/2))."""
        half = (self.m - 1) / 2
        return math.sqrt(math.pi / half) / 2 * math.exp(-log_half_step(half))

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws; random_state is a Generator or a seed."""
        return self._from_log_sf(-np.random.default_rng(random_state).standard_exponential(size))[()]


def two_column_frobenius(m: int) -> Law:
    """Law of kappa_F = ||W||_F ||W^+||_F of an m x 2 Gaussian matrix, m >= 2: P(kappa_F > t) = (2 / t)^(m-1), t >= 2.

    For rank 2, kappa_F = kappa + 1/kappa = 2 cosh(ln kappa), and the tail of kappa is sech(ln kappa)^(m-1).
    """
    return stats.pareto(require.integer("m", m, 2) - 1, scale=2)


def squared_growth_law(degrees: int) -> Law:
    """Law F(degrees, degrees) of (||W delta|| ||x|| / (||W x|| ||delta||))^2, W Gaussian and delta orthogonal to x.

    Exact with m degrees for any such pair that does not depend on W, as W x / ||x|| and W delta / ||delta|| are then
    independent Gaussian vectors of R^m. With max(m, n) degrees for a random pair in the row space: both squared
    stretches are diagonal entries of a Wishart matrix, W W^T if m <= n.
    """
    degrees = require.integer("degrees", degrees, 1)
    return stats.f(degrees, degrees)


def edge_ratio(m: int, n: int) -> float:
    """(1 + sqrt y) / (1 - sqrt y), y = n/m < 1: the limit of kappa as both grow (Marchenko and Pastur 1967)."""
    n = require.integer("n", n, 1)
    m = require.integer("m", m, n + 1)
    return (math.sqrt(m) + math.sqrt(n)) ** 2 / (m - n)


def tall_condition(m: int, n: int) -> tuple[float, float]:
    """Geometric mean of kappa and standard deviation of ln kappa for m x n, m > n, from Tracy-Widom edges (Ma 2012).

    Asymptotic: within 3 % of the truth at the sizes of the layers that the conditioning paper trains, where the
    Marchenko-Pastur edges alone are up to 22 % too wide.

    Raises
    ------
    ValueError : unless 2 <= n < m.
    """
    n = require.integer("n", n, 2)
    m = require.integer("m", m, n + 1)
    a, b = math.sqrt(m - 0.5), math.sqrt(n - 0.5)
    gap = (m - n) / (a + b)  # a - b
    high = (a + b) ** 2
    spread = (a + b) * (1 / a + 1 / b) ** (1 / 3)
    relative = (gap / (a * b)) ** (1 / 3) / gap
    top = high + spread * TRACY_WIDOM_MEAN
    mean = 0.5 * (math.log(top) - 2 * math.log(gap) - relative**2 / 8 + relative * TRACY_WIDOM_MEAN)
    sd = 0.5 * math.sqrt(TRACY_WIDOM_VARIANCE * ((spread / top) ** 2 + relative**2))
    return math.exp(mean), sd
