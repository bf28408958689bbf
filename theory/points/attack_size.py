"""Laws of how far the attacks of Theorems 1, 4 and 6 reach, and of what is possible (feature compression).

n points in the columns of A = scale * H_L ... H_1, H_i Gaussian with n_i rows, rows = (n_1, ..., n_L), every n_i >= n:
Theorem 1 is one factor, rows = (d,), and n = d in the paper; in Theorem 4 H_1 holds the codes and `scale` the product
of the generators' standard deviations. theory/last_column.py has the attacks, theory/separation.py the distances they
are compared with; the ratios are `fraction_law(n, rows)` (pair margin over half the distance) and
`compression_law(n, rows, 2)` (swap over the distance).

Exact at every size unless it says otherwise. The laws of one square factor do not depend on d: nothing here is bounded
"with high probability", but only with the probability that the law says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy import stats
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import digamma, expit, gammainc, gammaincc, log_ndtr, ndtr

from theory.laws.chi_product import ChiProduct, chi_product
from theory.laws.frozen import Positive, elementwise
from theory.laws.gamma import log_chi_density
from theory.numerics import require
from theory.products.qr_product import corner_law, last_law, stretch_law

NODES = 64  # of the Gauss rule over C of `ColumnLaw`
MAXIMA = 112  # of that over the maximum, given C
HIGHEST = 32  # order of a moment
SPARSEST = 10**100  # dimension up to which maxima of normals are within reach of doubles
LARGEST = 10**6  # dimension for which the column law's quadrature and its gamma functions keep what they promise
FAR = 1e100  # where no chi variable has any density left, and nothing overflows
POINTS = 256  # in one call beyond which it reads probabilities from a table

_gauss = lru_cache(np.polynomial.legendre.leggauss)


def swap_law(n: int, rows: Sequence[int], scale: float = 1.0) -> ChiProduct:
    """Law of ||e|| of the attack of Theorems 1 and 4: scale * sqrt(2) * prod_i chi_(n_i - n + 2), n >= 2.

    One square factor: Rayleigh of parameter sqrt 2, P(||e|| > t) = e^(-t^2 / 4), for every d.
    """
    return chi_product(stretch_law(_classes(n), rows).degrees, math.sqrt(2) * require.positive("scale", scale))


def pair_margin_law(n: int, rows: Sequence[int], scale: float = 1.0) -> ChiProduct:
    """Law of m_ij, the x_i's distance from the tie with class j: scale / sqrt(2) * prod_i chi_(n_i - n + 1), n >= 2."""
    return chi_product(last_law(_classes(n), rows).degrees, require.positive("scale", scale) / math.sqrt(2))


def flip_law(n: int, rows: Sequence[int], scale: float = 1.0) -> ChiProduct:
    """Law of ||e|| = 2 r_nn in Theorem 6 (equation (7)): 2 * scale * prod_i chi_(n_i - n + 1); the tie is at half."""
    return chi_product(last_law(require.integer("n", n, 1), rows).degrees, 2 * require.positive("scale", scale))


def bound_mean(n: int, rows: Sequence[int]) -> float:
    """Mean of |r_{n-1,n-1}| + |r_{n-1,n}| + |r_nn|, by which Theorem 4 bounds ||e||; one or two factors.

    Raises
    ------
    ValueError : for more than two factors, where E |r_{n-1,n}| has no closed form.
    """
    corner = corner_law(_classes(n), rows).mean()
    return stretch_law(n, rows).mean() + corner + last_law(n, rows).mean()


def target_probability(n: int, d: int) -> float:
    """Probability that the swap of Theorem 1 makes the target the argmax: E Phi(C / sqrt 2)^(n-2), C ~ chi_(d-n+3).

    The other outputs are sqrt(2) Z / C, Z ~ N(0, I_{n-2}). For square data 0.846 for 3 classes, and tends to 0.
    """
    d = _dimension(n, d)
    degrees, nodes, weights = d - n + 3, *_gauss(400)
    middle = math.sqrt(degrees)
    low, high = max(-10.0, -middle), 12.0  # of C - middle: a chi variable has a spread below 0.71
    offset = (low + high + (high - low) * nodes) / 2
    mass = weights * np.exp(log_chi_density(degrees, middle + offset, offset))
    chance = mass @ np.exp((n - 2) * log_ndtr((middle + offset) / math.sqrt(2))) / mass.sum()
    return min(float(chance), 1.0)  # its rounding may pass 1


@dataclass(frozen=True)
class ColumnLaw(Positive):
    """Law of the size U = r C / max_{j<n} |C + Z_j| of the perturbation along the last column; see `column_law`."""

    n: int
    d: int

    def __post_init__(self) -> None:
        if _dimension(self.n, self.d) > LARGEST:
            raise ValueError(f"d must be at most {LARGEST}, got {self.d}")

    @elementwise
    def cdf(self, u):
        """P(U <= u)."""
        return self._mixed(gammainc, u)

    @elementwise
    def sf(self, u):
        """P(U > u)."""
        return self._mixed(gammaincc, u)

    @elementwise
    def pdf(self, u):
        """Density of U; 0 for u < 0."""
        ratio, weight = self._likely
        radii = np.clip(u, 0, FAR)[:, None] * ratio
        inside = stats.chi(self._degrees).pdf(radii) * ratio @ weight
        return np.where(u < 0, 0.0, inside)

    @elementwise
    def ppf(self, q):
        """The u with P(U <= u) = q."""
        return np.array([self._solve(self.cdf, float(p), p) for p in q])

    @elementwise
    def isf(self, q):
        """The u with P(U > u) = q."""
        return np.array([self._solve(self.sf, float(p), 1 - p) for p in q])

    def moment(self, order: float) -> float:
        """E U^order for -(d - n + 1) / 2 <= order <= n - 3/2 within 32 of 0, to 1e-6 of itself; infinite from n - 1 on.

        Raises
        ------
        ValueError : for other orders: they rest on what the quadrature leaves out.
        """
        if order <= -self._degrees:
            raise ValueError(f"order must be above {-self._degrees}, got {order}")
        if order >= self.n - 1:  # max |C + Z_j| is below t with a probability of the order t^(n-1)
            return math.inf
        least, most = max(-self._degrees / 2, -HIGHEST), min(self.n - 1.5, HIGHEST)
        if not least <= order <= most:
            raise ValueError(f"order must be from {least} to {most}, or at least {self.n - 1}, got {order}")
        ratio, weight = self._ratios
        return chi_product((self._degrees,)).moment(order) * float(ratio**-order @ weight)

    def var(self) -> float:
        """Variance, infinite for up to three points: of r, and of C / max_j |C + Z_j|, each about its own mean."""
        if self.n <= 3:
            return math.inf
        r, (ratio, weight) = chi_product((self._degrees,)), self._ratios
        share = 1 / ratio
        return float(r.var() * (weight @ share**2) + r.mean() ** 2 * (weight @ (share - weight @ share) ** 2))

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws, by two chi variables and the maximum of n - 1 normals each."""
        rng = np.random.default_rng(random_state)
        shape = () if size is None else tuple(np.atleast_1d(size))
        r, c = (np.sqrt(rng.chisquare(self._degrees + k, shape)) for k in (0, 1))
        z = rng.standard_normal((*shape, self.n - 1))
        return (r * c / np.max(np.abs(c[..., None] + z), axis=-1))[()]

    @property
    def _degrees(self) -> int:
        return self.d - self.n + 1

    @cached_property
    def _ratios(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of max_j |C + Z_j| / C and their probabilities: Gauss rules over C and, given C, over the maximum."""
        law = stats.chi(self._degrees + 1)
        least, most = law.ppf(1e-25), law.isf(1e-25)
        v, slope = _cubed(NODES)  # small values of C matter for small U, small maxima for large U
        c = least + (most - least) * v[:, None]
        low = np.maximum(c + stats.norm.ppf(math.exp(-57 / (self.n - 1))), 0)  # the maximum is hardly ever below
        high = c + stats.norm.isf(1e-22 / self.n)
        w, rise = _cubed(MAXIMA)
        m = low + (high - low) * w
        inner = np.log(np.maximum(ndtr(m - c) - ndtr(-m - c), 1e-300))
        density = (self.n - 1) * np.exp((self.n - 2) * inner) * (stats.norm.pdf(m - c) + stats.norm.pdf(m + c))
        mass = law.pdf(c) * slope[:, None] * density * (high - low) * rise
        return (m / c)[mass > 0], mass[mass > 0] / mass.sum()

    @cached_property
    def _likely(self) -> tuple[np.ndarray, np.ndarray]:
        """Those that probabilities see."""
        ratio, weight = self._ratios
        return ratio[weight > 1e-30], weight[weight > 1e-30]

    def _mixed(self, incomplete: Any, u: np.ndarray) -> np.ndarray:
        """P(U <= u) or P(U > u), from the table where many are asked for and neither is extreme."""
        if u.size <= POINTS:
            ratio, weight = self._likely
            return incomplete(self._degrees / 2, (np.maximum(u, 0)[:, None] * ratio) ** 2 / 2) @ weight
        spline, low, high = self._table
        inside = (u > low) & (u < high)
        odds = spline(np.log(np.where(inside, u, low)))
        value = expit(odds if incomplete is gammainc else -odds)
        rest = np.flatnonzero(~inside)
        for part in np.array_split(rest, rest.size // POINTS + 1):
            value[part] = self._mixed(incomplete, u[part])
        return value

    @cached_property
    def _table(self) -> tuple[CubicSpline, float, float]:
        """ln(cdf / sf) as a function of ln u, and the u between which it serves."""
        low, high = float(self.ppf(1e-12)), float(self.isf(1e-9))
        y = np.linspace(math.log(low), math.log(high), 512)
        odds = [np.log(self.cdf(part) / self.sf(part)) for part in np.split(np.exp(y), 512 // POINTS)]
        return CubicSpline(y, np.concatenate(odds)), low, high

    def _solve(self, function: Any, goal: float, rank: float) -> float:
        if not 0 < goal < 1:
            return math.nan if not 0 <= goal <= 1 else (0.0 if rank == 0 else math.inf)
        logs = [-60.0, 60.0]
        return math.exp(brentq(lambda y: math.log(max(function(math.exp(y)), 1e-320) / goal), *logs, xtol=1e-13))


def column_law(n: int, d: int) -> ColumnLaw:
    """Law of the size of the perturbation along q_n alone, which proves Theorem 1's second claim; n points in R^d.

    U = r C / max_{j<n} |C + Z_j| with independent r ~ chi_(d-n+1), C ~ chi_(d-n+2), Z_j ~ N(0, 1). For square data it
    falls like 1 / sqrt(2 ln d), so that P(U > D) tends to 0 for every D. By quadrature, for 2 <= n <= d <= 10^6:
    probabilities are right to 1e-8, absolutely; far tails are not, relative to themselves. Heuristically the exact
    untargeted distance times sqrt(2 ln d) tends to the limit law of sqrt(d) times the least singular value
    (`ScaledSmallestLimit` in theory/gaussian_spectrum.py).
    """
    return ColumnLaw(n, d)


def typical_average_tolerance(d: int) -> float:
    """Geometric mean of the random step that the network of Theorem 1 tolerates in a fixed direction (Remark 2).

    Along a unit w independent of square data, f changes by theta / |g|, theta uniform on the sphere, so x_i is left at
    |g| / (max_j theta_j - theta_i); exact, given that it is left at all (which fails with probability 1/d). Of the
    order sqrt(d / (2 ln d)).
    """
    d = require.integer("d", d, 2)
    # ln of a chi_1 and of a chi_d: theta is a normal vector over its independent length
    lengths = (math.log(2) + digamma(0.5)) / 2 + (math.log(2) + digamma(d / 2)) / 2
    return math.exp(lengths - _log_lead(d))


def typical_nearest_tolerance(d: int) -> float:
    """Typical tolerance of the nearest neighbour, to leading order (Remark 2).

    It is min_j ||x_i - x_j||^2 / (2 w . (x_j - x_i)) with all squared distances at their mean 2 d; of the order
    d / sqrt(2 ln d).
    """
    return require.integer("d", d, 2) * math.exp(-_log_lead(d))


def _log_lead(d: int) -> float:
    """E ln(max_{j<d} z_j - z_0) given that it is positive, z_0, ..., z_{d-1} independent normals.

    By Gauss rules over the maximum, between its far quantiles, and over the lead, whose logarithm the cube tames.
    """
    if d > SPARSEST:
        raise ValueError(f"d must be at most {SPARSEST:g}, got {d}")
    nodes, weights = _gauss(200)
    low = max(float(stats.norm.isf(-math.expm1(-80 / (d - 1)))), -13.0)
    high = float(stats.norm.isf(1e-20 / d))
    top = (low + high + (high - low) * nodes[:, None]) / 2
    v, slope = _cubed(200)
    lead = (top + 13) * v  # z_0 is hardly ever below -13
    density = np.exp((d - 2) * log_ndtr(top)) * stats.norm.pdf(top) * weights[:, None]
    mass = density * stats.norm.pdf(top - lead) * (top + 13) * slope
    return float(np.sum(mass * np.log(lead)) / np.sum(mass))


def _cubed(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a rule on (0, 1), dense near 0: Gauss's for the cube root."""
    nodes, weights = _gauss(count)
    v = (1 + nodes) / 2
    return v**3, 3 * v**2 * weights / 2


def _classes(n: int) -> int:
    return require.integer("n", n, 2)


def _dimension(n: int, d: int) -> int:
    if require.integer("d", d, 2) < _classes(n):
        raise ValueError(f"d must be at least n = {n}, got {d}")
    return d
