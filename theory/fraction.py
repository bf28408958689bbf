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
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import betainc, digamma, expit, gammaln, log_expit, polygamma

from theory._gamma import log_gamma_ratio

DEEPEST = 140.0  # the table ends where a tail falls below e^-140; beyond it the log-odds are continued linearly
HIGHEST = 40.0  # or at 1 - F^2 = e^-40, where F rounds to 1
DEGREE = 16  # of the Chebyshev polynomial on each panel of the table
BLOCK = 12  # nodes of the Gauss rule on a block of integers
RAREST = 1e-75  # probability of a node that is still kept
NEGLIGIBLE = 1e-18  # term of a series
CANCELLED = 1e-4  # what is left of a contour's sum may be no less
AGREEMENT = 1e-8  # of two successive trapezoidal sums: each halving squares the error


@dataclass(frozen=True, repr=False)
class FractionLaw:
    """Frozen law of F on (0, 1), in the manner of scipy.stats; see `fraction_law`."""

    n: int
    rows: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.n < 2:
            raise ValueError(f"n must be at least 2, got {self.n}: the only column of one column has F = 1")
        if not self.rows:
            raise ValueError("rows must hold at least one height, got none")
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
        x = np.asarray(x, dtype=float)
        v = np.where((x > 0) & (x < 1), x, np.nan)
        odds, slope = self._log_odds(v), self._interpolate(_logit_of_square(v), derivative=1)
        density = np.exp(log_expit(odds) + log_expit(-odds)) * slope * 2 / (v * (1 - v) * (1 + v))
        return np.where(np.isnan(v) & ~np.isnan(x), 0.0, density)[()]

    def ppf(self, q):
        return self._quantile(*_log_pair(q))

    def isf(self, q):
        return self._quantile(*_log_pair(q)[::-1])

    def median(self) -> float:
        return float(self.ppf(0.5))

    def interval(self, confidence):
        """Both ends of the interval of this probability that leaves equal tails."""
        tail = (1 - np.asarray(confidence, dtype=float)) / 2
        return self.ppf(tail), self.isf(tail)

    def moment(self, s: float) -> float:
        """E F^s, for s > -min(n_i - n + 1)."""
        if s <= -min(self.rows) + self.n - 1:
            raise ValueError(f"E F^s is finite for s > -{min(self.rows) - self.n + 1} only, got {s}")
        values, weights = self._quadrature
        return float(weights @ values**s)

    def mean(self) -> float:
        return self.moment(1)

    def var(self) -> float:
        values, weights = self._quadrature
        return float(weights @ (values - self.mean()) ** 2)

    def std(self) -> float:
        return float(np.sqrt(self.var()))

    def __reduce__(self):
        return FractionLaw, (self.n, self.rows)  # the table stays at home

    def log_mean(self) -> float:
        """E ln F = 1/2 sum_i [psi((n_i - n + 1) / 2) - psi(n_i / 2)]."""
        return float(np.sum(digamma(self._a) - digamma(self._a + self._b)) / 2)

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
        """Where |ln(cdf / sf)| passes DEEPEST, or HIGHEST."""
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
        x = np.asarray(x, dtype=float)
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
        """Values of F and weights that integrate against its law: Gauss rules in y on the panels of the table."""
        edges = self._table[0]
        u, w = np.polynomial.legendre.leggauss(40)
        half = np.diff(edges)[:, None] / 2
        y = (edges[:-1, None] + half * (1 + u)).ravel()
        odds, (lowest, highest) = self._interpolate(y), self._interpolate(edges[[0, -1]])
        density = self._interpolate(y, derivative=1) * np.exp(log_expit(odds) + log_expit(-odds))
        values = np.exp(log_expit(np.append(y, [edges[0], np.inf])) / 2)  # what lies beyond stays at the ends
        return values, np.append((half * w).ravel() * density, [expit(lowest), expit(-highest)])

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

    @cached_property
    def _a(self) -> np.ndarray:
        return (np.sort(np.asarray(self.rows, dtype=float))[::-1] - self.n + 1) / 2

    @property
    def _spread(self) -> float:
        return float(np.sqrt(np.sum(polygamma(1, self._a) - polygamma(1, self._a + self._b))))

    @property
    def _b(self) -> float:
        return (self.n - 1) / 2

    # Up to p = 1/2: the contour integral

    def _log_symbol(self, s: np.ndarray) -> np.ndarray:
        """ln prod_i m_i(s) c(s)."""
        b, total = self._b, 2 * log_gamma_ratio(self._b, s) - log_gamma_ratio(self._b, 2 * s)
        for a, count in zip(*np.unique(self._a, return_counts=True), strict=True):
            ratio = log_gamma_ratio(a, -s) + log_gamma_ratio(a + b, s) + s * np.log1p(b / a)
            total = total + count * ratio
        return total

    def _by_contour(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(whether it is the lower tail, its logarithm), each point on the contour that passes nearest its saddle.

        NaN where all contours cancel: towards p = 1 the saddle point nears -b / 2, and meets its mirror image.
        """
        log_p, p, b, a = log_expit(y), expit(y), self._b, self._a[-1]
        steps = 2.0 ** (-np.arange(0.5, 40, 0.5))
        c = np.concatenate([-b / 2 * steps, -b / 2 * (1 - steps[2:12]), a * steps])
        c = np.concatenate([c[np.abs(c) > 0.2 / self._spread], a * (1 - steps[2:20])])
        with np.errstate(all="ignore"):  # far from the saddle the series may overflow
            height = np.log(np.abs(_series(c, p, b)[0] / c)) + self._log_symbol(c) + np.outer(log_p, c)
        height[~np.isfinite(height)] = np.inf
        chosen = np.argmin(height, axis=1)
        log_tail = np.empty(y.shape)
        for k in np.unique(chosen):
            here = chosen == k
            with np.errstate(all="ignore"):
                log_tail[here] = self._on_contour(c[k], log_p[here], p[here], height[here, k])
        return c[chosen] > 0, np.minimum(log_tail, -1e-300)

    def _on_contour(self, c: float, log_p: np.ndarray, p: np.ndarray, peak: np.ndarray) -> np.ndarray:
        """Trapezoidal sums over Im s; the contour bends right, where p^s falls off, in time to pass the poles."""
        gaps = self._a - c
        second = np.sum(polygamma(1, gaps)) + c**-2
        bend = max(np.sum(-polygamma(2, gaps)) - 2 / c**3, 0) / (6 * second)

        def path(v):
            root = np.hypot(2 * bend * v, 1)
            return c + 2 * bend * v * v / (root + 1) + 1j * v, 1 - 2j * bend * v / root

        end = step = min(abs(c), gaps.min()) / 2
        top, largest = self._log_symbol(np.array([c]))[0] + c * log_p.max(), log_p.max()
        while (self._log_symbol(s := path(np.array([end]))[0]) + s * largest)[0].real > top - 40:
            end *= 2
        offset, coarse = 0.0, None
        for _ in range(12):
            s, slope = path(step * np.arange(offset, end / step))
            weight = np.where(s.imag == 0, 0.5, 1.0) * slope / s
            factor = np.exp(self._log_symbol(s) + np.outer(log_p, s) - peak[:, None]) * weight * (step / np.pi)
            series, moduli = _series(s, p, self._b)
            total = np.sign(c) * np.sum(factor * series, axis=1).real
            size = np.sum(np.abs(factor) * moduli, axis=1)
            if coarse is None:
                coarse, offset = total, 0.5
                continue
            fine, step = (coarse + total) / 2, step / 2
            if np.all(np.abs(coarse - total) <= AGREEMENT * np.maximum(fine, CANCELLED * size)):
                break
            coarse = fine
        return np.log(np.where(fine > CANCELLED * size, fine, np.nan)) + peak

    # Above p = 1/2: the mixture over J

    def _by_mixture(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        j, weight = self._mixture
        a, b = self._a[-1], self._b + j
        p, q = expit(y)[:, None], expit(-y)[:, None]
        cdf, sf = betainc(a, b, p) @ weight, betainc(b, a, q) @ weight
        below = sf > 0.5
        with np.errstate(divide="ignore"):
            return below, np.log(np.where(below, cdf, sf))

    @cached_property
    def _mixture(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes j and weights P(J = j), J = J_L: J_1 = 0, J_{i+1} given F_i is negative binomial (n_{i+1} / 2, F_i^2).

        With F_i^2 ~ Beta(a_i, b + J_i) integrated out, A = n_{i+1} / 2,
        P(J_{i+1} = k | J_i = j) = (A)_k / k! B(a_i + A, b + j + k) / B(a_i, b + j).
        Any order of the factors will do: with the smallest a_i last, J spreads as late as possible.
        """
        a, b = self._a, self._b
        A = a + b
        end = 50 * (A.max() + 10) * 10 ** (30 / A[-1])
        grid, count = (np.concatenate(part) for part in zip(*_blocks(end, A.max()), strict=True))
        j, weight, previous = np.zeros(1), np.ones(1), None
        for i in range(a.size - 1):
            if (key := (a[i], A[i + 1], j.size)) != previous:  # else the kernel of the last step serves again
                kernel = np.exp(
                    (_rise(grid + 1, A[i + 1] - 1) - gammaln(A[i + 1]) + _rise(np.array(a[i]), A[i + 1]))
                    + _rise(b + j, a[i])[:, None]
                    - _rise(b + j[:, None] + grid, a[i] + A[i + 1])
                )
            previous, mass = key, weight @ kernel * count
            kept = mass > RAREST
            j, weight = grid[kept], mass[kept]
        return j, weight


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
    return FractionLaw(int(n), tuple(int(height) for height in rows))


def _logit_of_square(x: np.ndarray) -> np.ndarray:
    return 2 * np.log(x) - np.log1p(-x) - np.log1p(x)


def _log_pair(q) -> tuple[np.ndarray, np.ndarray]:
    """ln q and ln(1 - q), NaN outside [0, 1]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.asarray(q, dtype=float)), np.log1p(-np.asarray(q, dtype=float))


def _series(s: np.ndarray, p: np.ndarray, b: float) -> tuple[np.ndarray, np.ndarray]:
    """2F1(s, s + 1; 1 + b + 2s; p) and the sum of its terms' moduli, for all p (P,) and s (S,): shapes (P, S)."""
    length, largest = 16, max(p.max(), 1e-300)
    while True:
        k = np.arange(length)[:, None]
        terms = np.cumprod((s + k) * (s + 1 + k) / ((1 + b + 2 * s + k) * (k + 1)) * largest, axis=0)
        if np.all(np.abs(terms[-1]) < NEGLIGIBLE * np.maximum(1, np.abs(terms).max(axis=0))) or length > 10**4:
            powers = (p[:, None] / largest) ** np.arange(1, length + 1)
            return 1 + powers @ terms, 1 + powers @ np.abs(terms)
        length *= 2


def _rise(x: np.ndarray, d: float) -> np.ndarray:
    """ln Gamma(x + d) - ln Gamma(x) without the cancellation at large x."""
    large = x > 30
    v = np.where(large, x, 30.0)
    stirling = (v + d - 0.5) * np.log1p(d / v) + d * np.log(v) - d + _tail(v + d) - _tail(v)
    return np.where(large, stirling, gammaln(x + d) - gammaln(x))


def _tail(x):
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * x * x)) / (x * x)) / (x * x)) / x


def _blocks(end: float, scale: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Gauss rules for sums over the integers 0 <= j < end, in blocks that grow with j; the first are the integers.

    A block of N integers has the Gram polynomials, and they have the recurrence k^2 (N^2 - k^2) / (4 (4 k^2 - 1)).
    """
    start, k = 0.0, np.arange(1, BLOCK)
    while start < end:
        length = max(BLOCK, np.ceil(min(2.0, 4 / np.sqrt(1 + min(start, scale))) * start))
        beta = np.sqrt(k**2 * (1 - (k / length) ** 2) / (4 * (4 * k**2 - 1)))
        nodes, vectors = np.linalg.eigh(np.diag(beta, 1) + np.diag(beta, -1))
        yield start + (length - 1) / 2 + length * nodes, length * vectors[0] ** 2
        start += length
