"""The fraction F = |r_nn| / ||a_n|| of Theorem 6 among the networks that are kept, if large ones are.

The paper reports runs of training accuracy 1 only (Tables 1 and 2, Figure 2), and its mean over them lies far above
E F. Two ways to keep a share p of all runs are made exact here: by F itself, and by |r_nn|, the margin of the network
that interpolates the labels. A is n x n with independent N(0, 1) entries, so that F^2 ~ Beta(1/2, (n - 1)/2) is
independent of ||a_n|| ~ chi_n, and |r_nn| ~ |N(0, 1)|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import (
    betainc,
    betaincc,
    betainccinv,
    betaincinv,
    erf,
    erfcx,
    erfinv,
    gammainc,
    gammaincc,
    log_ndtr,
    ndtri,
)

from theory.laws.frozen import Derived, elementwise
from theory.laws.gamma import log_chi_density, log_half_step
from theory.numerics import require

By = Literal["fraction", "last"]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
NEGLIGIBLE = 50.0  # a density counts until it has fallen by e^-50
PANELS = np.linspace(0, 1, 9)
TOWARDS_START = np.union1d(PANELS, 8.0 ** -np.arange(1, 7))  # a chance rises there, however fast
TOWARDS_ZERO = np.union1d(PANELS, 4.0 ** -np.arange(1, 14))  # the cut bends the law there, however small it is
BLOCK = 2048  # points at a time: bounds the memory
LARGEST_LOG = 700.0  # of a slope
HALVINGS = 62  # of that bracket of a quantile's logarithm


@dataclass(frozen=True)
class _Selected(Derived):
    n: int
    kept: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", require.integer("n", self.n, 2))
        object.__setattr__(self, "kept", _share(self.kept))


@dataclass(frozen=True)
class FractionSelected(_Selected):
    """Law of F given F > cut; see `selected_by_fraction`."""

    def support(self) -> tuple[float, float]:
        return self.cut, 1.0

    @cached_property
    def cut(self) -> float:
        """The (1 - kept)-quantile of F."""
        return float(self.isf(1.0))

    @elementwise
    def sf(self, x):
        inside = np.clip(x, 0.0, 1.0)
        far = betainc(self._half, 0.5, (1 - inside) * (1 + inside))
        above = np.where(inside < 0.7, betaincc(0.5, self._half, inside**2), far) / self.kept
        return np.where(np.isnan(x), np.nan, np.minimum(above, 1.0))

    @elementwise
    def cdf(self, x):
        above = self.sf(x)
        if self.kept < 0.5:
            return 1 - above
        below = betainc(0.5, self._half, np.clip(x, 0.0, 1.0) ** 2) - (1 - self.kept)  # 1 - kept is exact
        return np.where(above > 0.5, np.maximum(below / self.kept, 0.0), 1 - above)

    @elementwise
    def pdf(self, x):
        inside = (x > self.cut) & (x < 1)
        density = np.exp(_log_density(np.where(inside, x, 0.5), self.n)) / self.kept
        return np.where(np.isnan(x), np.nan, np.where(inside, density, 0.0))

    @elementwise
    def ppf(self, q):
        return self._quantile(q, 1 - q)

    @elementwise
    def isf(self, q):
        return self._quantile(1 - q, q)

    def _quantile(self, below, above):
        square = betainccinv(0.5, self._half, self.kept * above)
        if self.kept > 0.5:
            low = betaincinv(0.5, self._half, np.clip((1 - self.kept) + self.kept * below, 0.0, 1.0))
            square = np.where(self.kept * above > 0.5, low, square)
        return np.where((below >= 0) & (above >= 0), np.sqrt(square), np.nan)

    def mean(self) -> float:
        beyond, weight = self._beyond
        return self.cut + float(weight @ beyond)

    def var(self) -> float:
        beyond, weight = self._beyond
        return float(weight @ (beyond - weight @ beyond) ** 2)

    def rvs(self, size=None, random_state=None):
        """Draws by the quantiles of uniform ones."""
        return self.isf(np.random.default_rng(random_state).random(size))

    @property
    def _half(self) -> float:
        return (self.n - 1) / 2

    @cached_property
    def _beyond(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of F - cut and weights that integrate against its law."""
        # Each of both angles from its own square: one of them may be tiny.
        opposite = math.sqrt(betaincinv(self._half, 0.5, self.kept))
        beyond, weight = _past(np.array([self.cut / max(opposite, 1e-150)]), self.n)  # below, squares underflow
        return beyond[0], weight[0] / weight.sum()


@dataclass(frozen=True)
class LastSelected(_Selected):
    """Law of F given |r_nn| > cut; see `selected_by_last`."""

    def support(self) -> tuple[float, float]:
        return 0.0, 1.0

    @cached_property
    def cut(self) -> float:
        """The (1 - kept)-quantile of |r_nn|."""
        return math.sqrt(2) * float(erfinv(1 - self.kept)) if self.kept > 0.5 else -float(ndtri(self.kept / 2))

    @elementwise
    def cdf(self, x):
        inside = (x > 0) & (x < 1)
        value = self._both(_tangent(np.where(inside, x, 0.5)))[0]
        return np.where(inside, value, np.where(np.isnan(x), np.nan, (x >= 1).astype(float)))

    @elementwise
    def sf(self, x):
        inside = (x > 0) & (x < 1)
        value = self._both(_tangent(np.where(inside, x, 0.5)))[1]
        return np.where(inside, value, np.where(np.isnan(x), np.nan, (x <= 0).astype(float)))

    @elementwise
    def pdf(self, x):
        inside = (x > 0) & (x < 1)
        tried = np.where(inside, x, 0.5)
        density = np.exp(_log_density(tried, self.n)) * gammaincc(self.n / 2, (self.cut / tried) ** 2 / 2) / self.kept
        return np.where(np.isnan(x), np.nan, np.where(inside, density, 0.0))

    @elementwise
    def ppf(self, q):
        return self._quantile(q, 1 - q)

    @elementwise
    def isf(self, q):
        return self._quantile(1 - q, q)

    def mean(self) -> float:
        value, weight = self._values
        return float(weight @ value)

    def var(self) -> float:
        value, weight = self._values
        return float(weight @ (value - weight @ value) ** 2)

    def rvs(self, size=None, random_state=None):
        """Draws from |r_nn|, cut off, and the rest of ||a_n||, which is independent of it."""
        rng = np.random.default_rng(random_state)
        last = -ndtri(self.kept * rng.random(size) / 2)
        return last / np.sqrt(last**2 + rng.chisquare(self.n - 1, size))

    @cached_property
    def _values(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of F and weights that integrate against its law.

        With rho = ||a_n|| the runs that are kept have F > cut / rho. For v^2 = rho^2 - cut^2 their density is that of
        chi_n at v, times the integral of (cos / cos at the cut)^(n - 2) over the angles beyond the cut, tan = cut / v.
        """
        v, log_mass = (part[0] for part in _chi_rule(self.n, np.zeros(1), TOWARDS_ZERO))
        beyond, weight = _past(self.cut / v, self.n)
        weight = np.exp(log_mass)[:, None] * weight
        value = (self.cut / np.hypot(self.cut, v))[:, None] + beyond
        return value.ravel(), (weight / weight.sum()).ravel()

    def _both(self, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P(F <= x) and P(F > x) at x / sqrt(1 - x^2) = slope, each right relative to itself."""
        parts = [self._tails(slope[k : k + BLOCK]) for k in range(0, slope.size, BLOCK)]
        below, above = np.concatenate(parts, axis=1) if parts else np.empty((2, 0))
        return below, above

    def _tails(self, slope: np.ndarray) -> np.ndarray:
        """F > x means |r_nn| > slope * s with s ~ chi_(n-1), the rest of ||a_n||; always so while slope * s < cut."""
        start, root = self.cut / slope, np.hypot(1, slope)
        # |r_nn| > slope * s has a chance near e^-(slope s)^2 / 2: with it, the density of s is nearly that of root * s
        scaled, log_mass = _chi_rule(self.n - 1, start * root, PANELS)
        log_scale = math.log(self.kept) + (self.n - 1) / 2 * np.log1p(slope**2)
        chance = np.exp(log_mass - log_scale[:, None]) * erfcx((slope / root)[:, None] * scaled / math.sqrt(2))
        above = np.minimum(gammainc((self.n - 1) / 2, start**2 / 2) + chance.sum(axis=1), 1.0)
        below, large = 1 - above, above > 0.5
        if large.any():
            s, log_mass = _chi_rule(self.n - 1, start[large], TOWARDS_START)
            below[large] = np.sum(np.exp(log_mass) * self._last_below(slope[large, None] * s), axis=1)
        return np.stack([below, above])

    def _last_below(self, z: np.ndarray) -> np.ndarray:
        """P(|r_nn| <= z) among the runs that are kept, z >= cut."""
        below = -np.expm1(math.log(2 / self.kept) + log_ndtr(-z))
        if self.kept > 0.5:  # 1 - kept is exact then, and nothing else cancels near 0
            below = np.where(z < 1, (erf(z / math.sqrt(2)) - (1 - self.kept)) / self.kept, below)
        return np.maximum(below, 0.0)

    def _quantile(self, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        """The quantile by bisection for the logarithm of the slope."""
        inside = (below > 0) & (above > 0)
        low, high = np.full(below.shape, -LARGEST_LOG), np.full(below.shape, LARGEST_LOG)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            cdf, sf = self._both(np.exp(middle))
            short = np.where(below <= above, cdf < below, sf > above)
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        x = 1 / np.hypot(1, np.exp(-high))
        return np.where(inside, x, np.where(below == 0, 0.0, np.where(above == 0, 1.0, np.nan)))


def selected_by_fraction(n: int, kept: float) -> FractionSelected:
    """Law of F given that it exceeds its own (1 - kept)-quantile: F^2 is a truncated Beta(1/2, (n - 1)/2). Exact.

    Of all ways to keep a share `kept` of the runs this has the largest mean.

    Parameters
    ----------
    n : input dimension, at least 2.
    kept : share of runs that are kept, in (0, 1].

    Raises
    ------
    ValueError : outside that domain.
    """
    return FractionSelected(n, kept)


def selected_by_last(n: int, kept: float) -> LastSelected:
    """Law of F given |r_nn| > t, t being the (1 - kept)-quantile of |N(0, 1)|.

    Density f_F(x) P(chi_n > t / x) / kept, f_F that of F; by Gauss rules where the mass is. Mean and variance are right
    to 1e-12 of themselves, probabilities to 1e-12 at every n and kept, and both tails to 1e-10 of themselves.

    Parameters
    ----------
    n, kept : as in `selected_by_fraction`.
    """
    return LastSelected(n, kept)


def mean_fraction(n: int) -> float:
    """E F = Gamma(n/2) / (sqrt(pi) Gamma((n + 1)/2)), nothing selected (Theorem 6; n = 12: 0.2352)."""
    half = require.integer("n", n, 2) / 2
    return math.exp(-log_half_step(half)) / math.sqrt(math.pi * half)


def selected(n: int, kept: float, by: By) -> FractionSelected | LastSelected:
    """The law of F among the share `kept` of runs that is largest `by` "fraction" or "last" (|r_nn|)."""
    if by not in ("fraction", "last"):
        raise ValueError(f'by must be "fraction" or "last", got {by!r}')
    return selected_by_fraction(n, kept) if by == "fraction" else selected_by_last(n, kept)


def share_of_mean(n: int, mean: float, by: By) -> float:
    """The share of runs that must be kept for a mean fraction of `mean`; the inverse of `selected(n, ., by).mean()`.

    Parameters
    ----------
    mean : from E F up to the mean at the share 1e-9, below 1.

    Raises
    ------
    ValueError : no share gives that mean.
    """
    least, most = selected(n, 1.0, by).mean(), selected(n, 1e-9, by).mean()
    if not least <= mean <= most or mean >= 1:
        raise ValueError(f"mean must lie from E F = {least:.4f} to {most:.4f}, got {mean}")
    if mean == least:
        return 1.0
    return math.exp(brentq(lambda log: selected(n, math.exp(log), by).mean() - mean, math.log(1e-9), 0.0, xtol=1e-13))


def mean_error(n: int, kept: float, runs: int, by: By) -> float:
    """Standard error of the mean fraction over independent runs that were kept."""
    return selected(n, kept, by).std() / math.sqrt(require.integer("runs", runs, 1))


def _log_density(x: np.ndarray, n: int) -> np.ndarray:
    """ln of the density of F at 0 < x < 1, nothing selected."""
    half = (n - 1) / 2
    square = np.where(x < 0.7, np.log1p(-x * x), np.log((1 - x) * (1 + x)))  # either is exact where it is taken
    return math.log(4 * half / math.pi) / 2 + log_half_step(half) + (half - 1) * square


def _tangent(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((1 - x) * (1 + x))


def _panels(low: np.ndarray, high: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss rules on panels from low to high, each (P,): two arrays (P, K)."""
    half = np.diff(edges)[:, None] / 2
    share = (edges[:-1, None] + half * (1 + NODES)).ravel()
    return low[:, None] + (high - low)[:, None] * share, (high - low)[:, None] * (half * WEIGHTS).ravel()


def _past(tangent: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of F - sin(phi) and weights over the angles beyond phi, tan(phi) = tangent (P,): two arrays (P, K).

    F is the sine of an angle with density proportional to cos^(n-2), here in units of cos^(n-2)(phi). For h beyond phi
    it is (1 - drop)^(n-2) with drop = 2 sin^2(h/2) + tan(phi) sin(h), and the rule ends where that is negligible.
    """
    end = -math.expm1(-NEGLIGIBLE / (n - 2)) if n > 2 else 1.0  # drop at the end; 1 is the right angle
    last = 2 * np.arctan(end / (tangent + np.sqrt(tangent**2 + end * (2 - end))))
    h, weight = _panels(np.zeros_like(last), last, PANELS[::2])
    rest = np.arctan2(1, tangent)[:, None]  # the right angle - phi
    drop = 2 * np.sin(h / 2) ** 2 + tangent[:, None] * np.sin(h)
    return 2 * np.sin(rest - h / 2) * np.sin(h / 2), weight * np.exp((n - 2) * np.log1p(-drop))


def _chi_rule(degrees: int, start: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes s and ln of weights for expectations over s ~ chi_degrees, s > start (P,): two arrays (P, K)."""
    root, mode = math.sqrt(degrees), math.sqrt(degrees - 1)
    reach = math.sqrt(2 * NEGLIGIBLE)  # -ln of the density grows by more than offset^2 / 2 from the mode
    low = np.maximum(start, max(mode - reach, 0.0))
    top = np.maximum(low, mode)
    slope = top - (degrees - 1) / np.maximum(top, 1e-300)
    high = top + reach**2 / (slope + np.hypot(slope, reach))
    step, weight = _panels(np.zeros_like(low), high - low, edges)
    s = low[:, None] + step
    return s, log_chi_density(degrees, s, (low - root)[:, None] + step) + np.log(weight)


def _share(kept: float) -> float:
    if not (isinstance(kept, Real) and 0 < kept <= 1):
        raise ValueError(f"kept must be a share of runs, above 0 and at most 1, got {kept!r}")
    return float(kept)
