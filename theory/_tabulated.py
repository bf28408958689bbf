"""Frozen laws that are known by values of their distribution function."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from theory._frozen import Derived, elementwise


class Tabulated(Derived):
    """Frozen law on [0, inf) from values of its distribution function, joined by a cubic spline.

    Parameters
    ----------
    x, cdf : (knots,), x increasing from 0 and dense enough for the spline to rise with cdf, from 0 to 1.
    """

    def __init__(self, x: np.ndarray, cdf: np.ndarray) -> None:
        self._x, self._values = x, cdf
        self._cdf = CubicSpline(x, cdf)
        self._density = self._cdf.derivative()

    @elementwise
    def cdf(self, x):
        """P(X <= x)."""
        return np.clip(self._cdf(np.clip(x, 0, self._x[-1])), 0, 1)

    @elementwise
    def sf(self, x):
        """P(X > x)."""
        return 1 - self.cdf(x)

    @elementwise
    def pdf(self, x):
        """Density."""
        return np.where((x >= 0) & (x <= self._x[-1]), self._density(np.clip(x, 0, self._x[-1])), 0.0)

    @elementwise
    def ppf(self, q):
        """The x with P(X <= x) = q, by bisection."""
        right = np.clip(np.searchsorted(self._values, q), 1, len(self._x) - 1)
        low, high = self._x[right - 1], self._x[right]
        for _ in range(60):
            middle = (low + high) / 2
            above = self._cdf(middle) >= q
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.where((q >= 0) & (q <= 1), high, np.nan)

    def isf(self, q: Any) -> Any:
        """The x with P(X > x) = q."""
        return self.ppf(1 - np.asarray(q, dtype=float))

    def mean(self) -> float:
        """Expectation: the integral of P(X > x)."""
        return float(self._x[-1] - self._cdf.integrate(0, self._x[-1]))

    def var(self) -> float:
        """Variance, by Gauss's rule on each piece, exact for its cubic."""
        nodes, weights = np.polynomial.legendre.leggauss(3)
        half = np.diff(self._x)[:, None] / 2
        x = self._x[:-1, None] + half * (1 + nodes)
        return float(np.sum(half * weights * 2 * x * (1 - self._cdf(x)))) - self.mean() ** 2

    def support(self) -> tuple[float, float]:
        """0 and the last knot."""
        return 0.0, float(self._x[-1])

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Independent draws; random_state is a Generator or a seed."""
        return self.ppf(np.random.default_rng(random_state).random(size))
