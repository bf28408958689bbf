"""Frozen laws that are known by values of their distribution function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from theory.laws.frozen import Derived, elementwise
from theory.numerics import require
from theory.numerics.array import Array

PIECES = 32  # of the range, before any is halved
HEAVIEST = 1 / 16  # probability of a piece that is not halved: no mass is overlooked, however narrow
CLOSE = 1e-7  # of spline and distribution function in the middle of a piece, before that becomes a knot too
FINEST = 8  # spacings of doubles: what is narrower is not halved


class Tabulated(Derived):
    """Frozen law on [low, high] from its distribution function, by a cubic spline whose knots follow the mass.

    Pieces are halved until the spline is `CLOSE` to the distribution function in the middle of each. Probabilities are
    then right to 1e-6, absolutely: tails are not, relative to themselves.

    Parameters
    ----------
    cdf : maps increasing x (points,) to P(X <= x), better than 1e-6; taken as 0 below low and as 1 above high.
    low, high : ends, low < high, as far from the mass as may be.
    """

    def __init__(self, cdf: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> None:
        x = np.linspace(low, high, 2 * PIECES + 1)  # knots and middles take turns
        values = cdf(x)
        while True:
            gap = np.abs(CubicSpline(x[::2], values[::2])(x[1::2]) - values[1::2])
            rough = (gap > CLOSE) | (values[2::2] - values[:-2:2] > HEAVIEST)
            piece = np.flatnonzero(rough & (x[2::2] - x[:-2:2] > FINEST * np.spacing(x[2::2])))
            if not piece.size:
                break
            place = np.stack([2 * piece + 1, 2 * piece + 2], axis=1).ravel()
            between = (x[place - 1] + x[place]) / 2
            x, values = np.insert(x, place, between), np.insert(values, place, cdf(between))
        self._x, self._values = x, np.maximum.accumulate(values) / values.max()  # nothing is left beyond the end
        self._cdf = CubicSpline(x, self._values)
        self._density = self._cdf.derivative()

    @elementwise
    def cdf(self, x):
        """P(X <= x)."""
        low, high = self.support()
        return np.where(x < low, 0.0, np.where(x > high, 1.0, np.clip(self._cdf(x), 0, 1)))

    @elementwise
    def sf(self, x):
        """P(X > x), as right as cdf is."""
        return 1 - self.cdf(x)

    @elementwise
    def pdf(self, x):
        """Density."""
        low, high = self.support()
        return np.where((x < low) | (x > high), 0.0, np.maximum(self._density(x), 0.0))

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

    def isf(self, q: Array) -> Array:
        """The x with P(X > x) = q."""
        return self.ppf(1 - require.points("q", q))

    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and their probabilities, by Gauss's rule on each piece: exact for its density times a cubic."""
        points, weights = np.polynomial.legendre.leggauss(3)
        half = np.diff(self._x)[:, None] / 2
        x = self._x[:-1, None] + half * (1 + points)
        mass = half * weights * self._density(x)
        return x.ravel(), mass.ravel() / mass.sum()

    def mean(self) -> float:
        """Expectation."""
        x, weight = self.nodes()
        return float(weight @ x)

    def var(self) -> float:
        """Variance."""
        x, weight = self.nodes()
        return float(weight @ (x - self.mean()) ** 2)

    def support(self) -> tuple[float, float]:
        """First and last knot."""
        return float(self._x[0]), float(self._x[-1])

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Independent draws; random_state is a Generator or a seed."""
        return self.ppf(np.random.default_rng(random_state).random(size))
