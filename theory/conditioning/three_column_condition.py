"""The exact law of the condition number of a Gaussian matrix with three columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.interpolate import CubicHermiteSpline
from scipy.optimize import brentq
from scipy.special import multigammaln

from theory.laws.frozen import FromOne, elementwise
from theory.laws.gamma import log_gamma_ratio
from theory.numerics import require

NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)
FEW_NODES, FEW_WEIGHTS = np.polynomial.legendre.leggauss(4)
MANY = 1000  # points in one call from which on distribution functions are read from a table
CELLS = 4096  # of that table, narrower towards 1
FAREST = 25.0  # ln kappa from which on the tail is a power to rounding


@dataclass(frozen=True)
class ThreeColumnCondition(FromOne):
    """Frozen law of the condition number of an m x 3 Gaussian matrix, m >= 3, exact; one quadrature per point.

    Probabilities are right to 1e-10, absolutely, or to 1e-15 m where that is more. `MANY` points and more in one call
    of cdf are read from a table.

    The eigenvalues p1 > p2 > p3 = s of A^T A over their sum have density proportional to
    (p1-p2)(p1-s)(p2-s) (p1 p2 s)^((m-4)/2). Given s, with d = p1 - p2, kappa^2 <= R means d <= 2 R s - (1 - s); the
    inner integral over d is of a positive smooth function, and the outer one runs over sqrt(s).
    """

    m: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "m", require.integer("m", self.m, 3))

    @cached_property
    def _log_constant(self) -> float:
        """Of pi^4.5 Gamma(3 a) / (Gamma_3(a) Gamma_3(3/2)), a = m/2, with Gamma(3 a) by Gauss's multiplication."""
        a = self.m / 2
        ratios = log_gamma_ratio(a, np.array([1 / 3, 2 / 3, -1 / 2, -1.0])) @ [1, 1, -1, -1]
        steps = float(ratios) + 2.5 * math.log(a)
        # the product of the p_i is at most 1/27: 3^(3 a) is left out
        constant = 3 * math.log(math.pi) - float(multigammaln(1.5, 3)) - math.log(2 * math.pi) + 5.5 * math.log(3)
        return steps + constant

    def _density(self, s, angle):
        """Density of (sqrt(s), angle), d = (1 - s) sin(angle), without the constant."""
        d, chord = (1 - s) * np.sin(angle), (1 - s) * np.cos(angle)  # chord^2 = 4 p1 p2
        # ds = 2 v dv, dp1 = dd / 2 and dd = chord d(angle) leave (p1 p2)^((m-4)/2) s^((m-3)/2) chord
        power = np.exp((self.m - 3) * (np.log(1.5 * chord) + np.log(3 * s) / 2))
        return d * (chord**2 / 4 - s * (1 - s) + s * s) * power * (2 / 3) / math.sqrt(3)

    def _strip(self, s: float, low: float, high: float) -> float:
        """Integral over d from low to high, as far as it is not negligible."""
        high = min(high, math.sqrt(low**2 + 90 * (1 - s) ** 2 / max(self.m - 4, 1)))
        start, end = (math.asin(min(d / (1 - s), 1)) for d in (low, high))
        angle = (start + end) / 2 + (end - start) / 2 * NODES
        return (end - start) / 2 * float(WEIGHTS @ self._density(s, angle))

    def _integral(self, least: float, most: float, strip: Callable[[float], float]) -> float:
        """Integral over s from least to most of a strip."""
        if least >= most:
            return 0.0
        # For large m the smallest share of three is close to 1/3.
        width = 12 / math.sqrt(self.m)
        accuracy = max(1e-11, self.m * 1e-15)  # powers of m err by as many roundings
        ends = [least, *(end for end in (1 / 3 - width, 1 / 3 - width / 4) if least < end < most), most]
        parts = [
            quad(
                lambda v: strip(v * v), math.sqrt(a), math.sqrt(b), epsabs=0, epsrel=accuracy, limit=200, full_output=1
            )[0]
            for a, b in pairwise(ends)
        ]
        return math.exp(self._log_constant) * sum(parts)

    def _below(self, x: float) -> float:
        if not x > 1:
            return x if math.isnan(x) else 0.0
        R = x * x
        corner, start = 1 / (R + 2), 1 / (2 * R + 1)
        return self._integral(start, corner, lambda s: self._strip(s, 0, 2 * R * s - (1 - s))) + self._integral(
            corner, 1 / 3, lambda s: self._strip(s, 0, 1 - 3 * s)
        )

    def _above(self, x: float) -> float:
        if not x > 1:
            return x if math.isnan(x) else 1.0
        R = x * x
        corner, start = 1 / (R + 2), 1 / (2 * R + 1)
        return self._integral(0, start, lambda s: self._strip(s, 0, 1 - 3 * s)) + self._integral(
            start, corner, lambda s: self._strip(s, 2 * R * s - (1 - s), 1 - 3 * s)
        )

    @cached_property
    def _table(self) -> CubicHermiteSpline:
        """P(ln kappa <= y), from sums of its density, as far as the tail e^-(m-2)y can be seen."""
        end = 2 + 45 / (self.m - 2) if self.m < 100 else 20 / math.sqrt(self.m)
        y = end * np.linspace(0, 1, CELLS + 1) ** 2
        cell = np.diff(y) / 2
        middle = (y[:-1] + y[1:]) / 2
        heights = self._log_kappa_density(middle[:, None] + cell[:, None] * FEW_NODES)
        below = np.append(0, np.cumsum(cell * (heights @ FEW_WEIGHTS)))
        return CubicHermiteSpline(y, below / below[-1], self._log_kappa_density(y) / below[-1])

    def _log_kappa_density(self, y):
        """Density of ln kappa but for a constant, from the ratios r > t > 1 of the eigenvalues: r = e^2y, t = r^v."""
        m, log_r = self.m, 2 * y[..., None]
        log_t = log_r * (1 + NODES) / 2
        r, t = np.exp(log_r), np.exp(log_t)
        gaps = (1 - np.exp(log_t - log_r)) * np.expm1(log_r) * np.expm1(log_t) * log_r
        log_rest = (m / 2) * log_r + (m / 2 - 1) * log_t - 1.5 * m * np.log((1 + t + r) / 3)
        return (gaps * np.exp(log_rest)) @ WEIGHTS

    @elementwise
    def cdf(self, x):
        """P(kappa <= x)."""
        if x.size >= MANY:
            start, *_, end = self._table.x
            return np.where(np.isnan(x), x, self._table(np.clip(np.log(np.maximum(x, 1)), start, end)))
        return np.array([1 - self._above(v) if v > self._middle else self._below(v) for v in x])

    @elementwise
    def sf(self, x):
        """P(kappa > x)."""
        return np.array([self._above(v) if v > self._middle else 1 - self._below(v) for v in x])

    @elementwise
    def pdf(self, x):
        """Density of kappa."""
        value = np.zeros(x.shape)
        for k, v in enumerate(x):
            if 1 < v < math.inf:
                R = v * v
                value[k] = self._integral(1 / (2 * R + 1), 1 / (R + 2), partial(self._edge, R))
        return np.where(np.isnan(x), x, np.where(value > 0, 2 * x, 0) * value)

    def _edge(self, R: float, s: float) -> float:
        """Where p1 = R s: the derivative of a strip's end by R."""
        sine = (2 * R * s - (1 - s)) / (1 - s)
        return 2 * s * float(self._density(s, math.asin(sine))) / ((1 - s) * math.sqrt(1 - sine**2))

    @cached_property
    def _middle(self) -> float:
        """Roughly the median; each tail is integrated on its own side."""
        return 1 + math.exp(brentq(lambda y: self._below(1 + math.exp(y)) - 0.5, -12, 4, xtol=0.05))

    @elementwise
    def ppf(self, q):
        """The x with P(kappa <= x) = q."""
        return np.array([self._quantile(p, 1 - p) for p in q])

    @elementwise
    def isf(self, q):
        """The x with P(kappa > x) = q."""
        return np.array([self._quantile(1 - p, p) for p in q])

    def _quantile(self, below: float, above: float) -> float:
        if not (below > 0 and above > 0):
            return 1.0 if below == 0 else math.inf if above == 0 else math.nan

        def height(y: float) -> float:
            x = 1 + math.exp(y)
            return math.log(self._below(x) / below) if below < 0.5 else -math.log(self._above(x) / above)

        low = high = math.log(self._middle - 1)
        while height(low) > 0:
            low -= 1
        while height(high) < 0:
            high += 1
        return 1 + math.exp(brentq(height, low, high, xtol=1e-13)) if low < high else self._middle

    def moment(self, order: float) -> float:
        """E kappa^order by quadrature of the tail, to 1e-8; infinite from order m - 2 on.

        Raises
        ------
        ValueError : for m >= 30 and order strictly between (m - 2) / 2 and m - 2, where what tails below the doubles
            add is not small.
        """
        if order >= self.m - 2:
            return math.inf
        if order > (self.m - 2) / 2 and FAREST * (self.m - 2) > 700:
            raise ValueError(f"order must be at most (m - 2) / 2 = {(self.m - 2) / 2} or at least m - 2, got {order}")
        return 1 + order * self._tail(order)

    def log_mean(self) -> float:
        """E ln kappa, by quadrature of the tail."""
        return self._tail(0.0)

    def var(self) -> float:
        """Variance, from two moments of kappa - 1, which is spread over its own size; infinite up to m = 4."""
        if self.m <= 4:
            return math.inf
        return 2 * self._tail(2.0, lambda y: -math.expm1(-y)) - self._tail(1.0) ** 2

    def _tail(self, order: float, factor: Callable[[float], float] = lambda _: 1.0) -> float:
        """Integral of factor(y) e^(order y) P(ln kappa > y); the tail goes like e^-(m-2)y."""

        def height(y: float) -> float:
            tail = float(self.sf(math.exp(y)))
            return factor(y) * math.exp(order * y + math.log(tail)) if tail > 0 else 0.0

        total, start, end = 0.0, 0.0, math.log(self._middle)
        while start < FAREST:
            part = quad(height, start, end, epsabs=1e-10 * total, epsrel=1e-9, full_output=1)[0]
            total += part
            if part < 1e-12 * total:
                return total
            start, end = end, min(2 * end, FAREST)
        return total + height(FAREST) / (self.m - 2 - order)

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws from triangular factors; random_state is a Generator or a seed."""
        rng = np.random.default_rng(random_state)
        shape = (size,) if isinstance(size, int) else tuple(size or ())
        R = np.triu(rng.standard_normal((*shape, 3, 3)), 1)
        for k in range(3):
            R[..., k, k] = np.sqrt(rng.chisquare(self.m - k, shape))
        return np.linalg.cond(R)
