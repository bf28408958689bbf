"""The fraction F = r_nn / ||a_n|| of a product of Gaussian matrices: its exact law at every depth.

H_i is n_i x n_{i-1} with independent N(0, 1) entries, n_0 = n >= 2, rows = (n_1, ..., n_L), every n_i >= n; a_n is the
last column of H_L ... H_1 = Q R. The odds t^2 = (1 - F^2) / F^2 form a Markov chain over the layers. With
a_i = (n_i - n + 1) / 2 and b = (n - 1) / 2 every one of its transitions has the eigenfunctions

    2F1(b + s, -s; b; -t^2),   eigenvalue  m_i(s) = Gamma(a_i - s) Gamma(a_i + b + s) / (Gamma(a_i) Gamma(a_i + b)),

the Jacobi functions of order (b - 1, 0): the transitions commute, and the law follows from the product of the m_i by
the inverse Jacobi transform. One contour integral, with 0 < Re s < min(a_i):

    P(F^2 <= p) = 1/(2 pi i) int prod_i m_i(s) c(s) 2F1(s, s + 1; 1 + b + 2s; p) p^s ds / s,
    c(s) = Gamma(b + s)^2 / (Gamma(b) Gamma(b + 2s)),

and minus the same with -b < Re s < 0 is P(F^2 > p). It serves where p <= 1/2; above, the law is the mixture
F^2 ~ Beta(a_L, b + J) over a Markov chain J of integers, whose sums are of positive terms.

The moments are the same integral of the Jacobi transform of p^q = (1 + t^2)^-q (Gradshteyn and Ryzhik 7.512.10),

    E F^(2q) = 1/(4 pi i) int prod_i m_i(s) Gamma(q + s) Gamma(q - b - s) / Gamma(q)^2
                              Gamma(b + s)^2 Gamma(-s)^2 / (Gamma(b) Gamma(b + 2s) Gamma(-b - 2s)) ds

over Re s = -b/2 if q > b/2. The integrand is positive there; for one factor it is de Branges' and Wilson's integral.
Down to q > -min(a_i) the poles s = -q - k right of the line add

    sum_(k < b/2 - q) (q)_k^2 / k! (b - 2q - 2k) Gamma(b - q - k)^2 / (Gamma(b) Gamma(b - 2q - k + 1))
                      prod_i m_i(-q - k),

which is positive too: nothing cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import expit, log_expit, polygamma

from theory.laws import jacobi, mixture
from theory.laws.frozen import Derived
from theory.laws.gamma import digamma_step
from theory.numerics import require

DEEPEST = 140.0  # the table ends where a tail falls below e^-140; beyond it the log-odds are continued linearly
HIGHEST = 40.0  # or at 1 - F^2 = e^-40, where F rounds to 1
DEGREE = 16  # of the Chebyshev polynomial on each panel of the table


@dataclass(frozen=True, repr=False)
class FractionLaw(Derived):
    """Frozen law of F on (0, 1), in the manner of scipy.stats; see `fraction_law` and `compression_law`."""

    n: int
    rows: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", require.integer("n", self.n, 2))
        object.__setattr__(self, "rows", require.integers("rows", self.rows, 1))
        if min(self.rows) < self.n:
            raise ValueError(
                f"every height must be at least n = {self.n}, got {min(self.rows)}: R is then trapezoidal and r_nn = 0"
            )
        if max(self.rows) > 10**6 or len(self.rows) > 64:
            raise ValueError(
                f"heights must be at most 10**6 and layers at most 64, got {max(self.rows)} and {len(self.rows)}"
            )

    def __repr__(self) -> str:
        return f"fraction_law({self.n}, {self.rows})"

    def support(self) -> tuple[float, float]:
        return 0.0, 1.0

    def cdf(self, x):
        return np.exp(self.logcdf(x))

    def sf(self, x):
        return np.exp(self.logsf(x))

    def logcdf(self, x):
        return log_expit(self._log_odds(x))[()]

    def logsf(self, x):
        return log_expit(-self._log_odds(x))[()]

    def pdf(self, x):
        """Density inside (0, 1); 0 elsewhere, the ends included."""
        x = require.points("x", x)
        v = np.where((x > 0) & (x < 1), x, np.nan)
        odds, slope = self._log_odds(v), self._interpolate(_logit_of_square(v), derivative=1)
        density = np.exp(log_expit(odds) + log_expit(-odds)) * slope * 2 / (v * (1 - v) * (1 + v))
        return np.where(np.isnan(v) & ~np.isnan(x), 0.0, density)[()]

    def ppf(self, q):
        return self._quantile(*_log_pair(q))

    def isf(self, q):
        return self._quantile(*_log_pair(q)[::-1])

    def moment(self, s: float) -> float:
        """E F^s for s > -min(n_i - n + 1), right to 1e-12 (1 + |s| / 10 + |ln E F^s|) of itself."""
        lowest = self.n - 1 - min(self.rows)
        if not lowest < s < math.inf:
            raise ValueError(f"E F^s is finite for s > {lowest} only, got {s}")
        return math.exp(jacobi.log_moment(s / 2, self._a, self._b))

    def mean(self) -> float:
        return self.moment(1)

    def var(self) -> float:
        """Variance of F, which is that of 1 - F: either may be tiny. As right as probabilities are."""
        y, weights = self._quadrature
        values = -np.expm1(log_expit(y) / 2)
        return float(weights @ (values - weights @ values) ** 2 / weights.sum())

    def __reduce__(self):
        return FractionLaw, (self.n, self.rows)  # the table stays at home

    def log_mean(self) -> float:
        """E ln F = 1/2 sum_i [psi((n_i - n + 1) / 2) - psi(n_i / 2)]."""
        return -float(np.sum(digamma_step(self._a, self._b)) / 2)

    def rvs(self, size=None, random_state=None):
        """Draws by the chain of tau = ln t, four random numbers per layer and draw whatever the shapes."""
        rng = np.random.default_rng(random_state)
        shape = () if size is None else size
        tau = np.full(shape, -np.inf)
        for height in self.rows:
            rho = np.sqrt(rng.chisquare(height, shape))
            g, c = rng.standard_normal(shape), np.sqrt(rng.chisquare(height - self.n + 1, shape))
            s2 = rng.chisquare(self.n - 2, shape) if self.n > 2 else 0.0
            lift = np.maximum(tau, 0)  # t = e^lift (t / e^lift) never overflows
            t, one = np.exp(tau - lift), np.exp(-lift)
            tau = lift + np.log((t * rho + g * one) ** 2 + s2 * one**2) / 2 - np.log(c)
        return np.exp(-np.logaddexp(0, 2 * tau) / 2)[()]

    # The table: ln(cdf / sf) as a function of y = ln(F^2 / (1 - F^2)), smooth and monotone on the whole line

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Edges of the panels (K + 1,), Chebyshev coefficients on each (DEGREE + 1, K), and of the derivative."""
        center = 2 * self.log_mean()  # of ln F^2
        share = -np.expm1(center)
        center, spread = center - np.log(share), self._spread / share
        lower, upper = (self._end_of_table(center, move) for move in (-spread, spread))
        marks = [lower]
        while (y := marks[-1]) < upper:
            marks.append(y + 0.4 * min(np.hypot(min(2 * spread, 3), y - center), np.hypot(3, y)))
        edges = np.array([*marks[:-1], upper])
        half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
        nodes = chebyshev.chebpts1(DEGREE + 1)
        values = self._exact((middle + half * nodes[:, None]).ravel()).reshape(DEGREE + 1, -1)
        coefficients = np.linalg.solve(chebyshev.chebvander(nodes, DEGREE), values)
        return edges, coefficients, chebyshev.chebder(coefficients) / half

    def _end_of_table(self, center: float, move: float) -> float:
        """The y at which |ln(cdf / sf)| passes DEEPEST, or HIGHEST."""
        near, far = center, min(center + move, HIGHEST)
        while far < HIGHEST and abs(self._exact(np.array([far]))[0]) < DEEPEST:
            near, far, move = far, min(far + move, HIGHEST), 1.3 * move
        for _ in range(6):
            middle = (near + far) / 2
            near, far = (middle, far) if abs(self._exact(np.array([middle]))[0]) < DEEPEST else (near, middle)
        return far

    def _interpolate(self, y: np.ndarray, derivative: int = 0) -> np.ndarray:
        """ln(cdf / sf) or its derivative in y; a straight line beyond the table."""
        edges, *coefficients = self._table
        inside = np.clip(y, edges[0], edges[-1])
        k = np.clip(np.searchsorted(edges, inside) - 1, 0, edges.size - 2)
        u = 2 * (inside - edges[k]) / (edges[k + 1] - edges[k]) - 1
        value = chebyshev.chebval(u, coefficients[derivative][:, k], tensor=False)
        if derivative or np.array_equal(y, inside):
            return value
        return value + self._interpolate(inside, derivative=1) * (y - inside)

    def _log_odds(self, x) -> np.ndarray:
        x = require.points("x", x)
        inside = (x > 0) & (x < 1)
        y = _logit_of_square(np.where(inside, x, np.exp(self.log_mean())))
        outside = np.where(np.isnan(x), np.nan, np.where(x <= 0, -np.inf, np.inf))
        return np.where(inside, self._interpolate(y), outside)

    def _quantile(self, log_below: np.ndarray, log_above: np.ndarray) -> np.ndarray:
        edges, odds = self._table[0], log_below - log_above
        target = np.where(np.isfinite(odds), odds, 0.0)
        ends, slopes = self._interpolate(edges), self._interpolate(edges, derivative=1)
        beyond = target - np.clip(target, ends[0], ends[-1])
        y = np.interp(target, ends, edges) + beyond / np.where(beyond < 0, slopes[0], slopes[-1])
        for _ in range(8):
            move = (self._interpolate(y) - target) / self._interpolate(y, derivative=1)
            y = y - move
            if np.all(np.abs(move) < 1e-9):  # the error of the next one is the square
                break
        x = np.exp(log_expit(y) / 2)
        return np.where(np.isfinite(odds), x, np.where(np.isnan(odds), np.nan, odds > 0))[()]

    @cached_property
    def _quadrature(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of y and weights that integrate against its law: Gauss rules on the panels of the table."""
        edges = self._table[0]
        u, w = np.polynomial.legendre.leggauss(40)
        half = np.diff(edges)[:, None] / 2
        y = (edges[:-1, None] + half * (1 + u)).ravel()
        odds, (lowest, highest) = self._interpolate(y), self._interpolate(edges[[0, -1]])
        density = self._interpolate(y, derivative=1) * np.exp(log_expit(odds) + log_expit(-odds))
        y = np.append(y, [edges[0], np.inf])  # what lies beyond stays at the ends
        return y, np.append((half * w).ravel() * density, [expit(lowest), expit(-highest)])

    def _exact(self, y: np.ndarray) -> np.ndarray:
        """ln(cdf / sf) without the table, each tail right relative to its own size."""
        by_contour = (y <= 0) & (len(self.rows) > 1)
        below, log_tail = np.empty(y.shape, dtype=bool), np.full(y.shape, np.nan)
        if by_contour.any():
            below[by_contour], log_tail[by_contour] = self._by_contour(y[by_contour])
        rest = np.isnan(log_tail)
        if rest.any():
            below[rest], log_tail[rest] = self._by_mixture(y[rest])
        return np.where(below, 1, -1) * (log_tail - np.log(-np.expm1(log_tail)))

    def _by_contour(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return jacobi.tails(y, self._a, self._b)

    def _by_mixture(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return mixture.tails(y, self._a, self._b, *self._nodes)

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, np.ndarray]:
        return mixture.nodes(self._a, self._b)

    @cached_property
    def _a(self) -> np.ndarray:
        return (np.sort(np.asarray(self.rows, dtype=float))[::-1] - self.n + 1) / 2

    @property
    def _spread(self) -> float:
        return float(np.sqrt(np.sum(polygamma(1, self._a) - polygamma(1, self._a + self._b))))

    @property
    def _b(self) -> float:
        return (self.n - 1) / 2


def fraction_law(n: int, rows: Sequence[int]) -> FractionLaw:
    """Law of F = r_nn / ||a_n|| of H_L ... H_1 (feature compression, Section 3, 'fraction'; law re-derived).

    One factor: F^2 ~ Beta((n_1 - n + 1) / 2, (n - 1) / 2). More: see the module; E ln F is a sum over the factors, and
    the law does not depend on their order. Exact at every depth.

    Parameters
    ----------
    n : input dimension, at least 2.
    rows : heights (n_1, ..., n_L) of the layers, each from n to 10**6; at most 64 of them.

    Raises
    ------
    ValueError : outside that domain.

    Notes
    -----
    Dimensionless. Both tails are right relative to themselves, to 1e-11 where heights are below 10^4 and to 1e-8
    up to 10^6, down to e^-140 = 1e-61; beyond, the logarithm of their ratio is continued linearly in ln F.
    The table behind all methods is made at their first call.
    """
    return FractionLaw(n, rows)  # type: ignore[arg-type]


def compression_law(n: int, rows: Sequence[int], kept: int) -> FractionLaw:
    """Law of ||last k coordinates of R v|| / ||R v||, H_L ... H_1 = Q R, v fixed on the last k coordinates, k = kept.

    That is the share of H v that is orthogonal to the first n - k columns of H: 'fraction' for k = 1 (feature
    compression, Section 3), and for k = 2 and v = e_{n-1} - e_n the attack of Theorems 1 and 4 over the distance of its
    two points. The chain of the module holds with a_i = (n_i - n + k) / 2 and b = (n - k) / 2, so this is the fraction
    of n - k + 1 columns. One factor: Beta(a_1, b) for the square. Exact at every depth.

    Raises
    ------
    ValueError : unless 1 <= kept < n and every height is at least n (and in `fraction_law`'s domain).
    """
    n, kept = require.integer("n", n, 2), require.integer("kept", kept, 1)
    if kept >= n:
        raise ValueError(f"kept must be below n = {n}, got {kept}: with nothing left out the ratio is 1")
    if min(rows := require.integers("rows", rows, 1)) < n:
        raise ValueError(f"every height must be at least n = {n}, got {min(rows)}: R is then trapezoidal")
    return fraction_law(n - kept + 1, rows)


def _logit_of_square(x: np.ndarray) -> np.ndarray:
    return 2 * np.log(x) - np.log1p(-x) - np.log1p(x)


def _log_pair(q) -> tuple[np.ndarray, np.ndarray]:
    """ln q and ln(1 - q), NaN outside [0, 1]."""
    q = require.points("q", q)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(q), np.log1p(-q)
