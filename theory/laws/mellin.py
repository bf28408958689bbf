"""Tails and density of Y = sum_i ln(chi_i / sqrt(nu_i)) by inversion of its Mellin transform e^K(t) = E e^(tY).

On a contour through c,

    P(Y > y) = 1/(2 pi i) int e^(K(t) - t y) dt / t   (c > 0),   P(Y <= y) = -(the same)   (-min(nu) < c < 0),

and the density is the integral without 1/t. All poles -p of e^K are real and left of c. From a saddle point c
the integrand falls along every ray at an angle of 90 to 135 degrees: at t = c + r e^(i theta) a pole at
distance d = c + p adds a multiple of d cos(2 theta) + r cos(theta) <= 0 to the slope of its logarithm. The contour
is a hyperbola between these rays, curved at c like steepest descent. Nothing cancels, so that every result is
right relative to its own size in both tails, and the trapezoidal sum converges geometrically.
"""

import numpy as np
from numpy.polynomial import chebyshev

from theory.laws.gamma import log_gamma_ratio

REPULSION = 3.0  # order lent to the poles at 0 and -min(nu): keeps c some widths away from them
STEP = 0.375  # the first, in widths of the integrand at c
BLOCK = 18  # nodes summed first, enough for a Gaussian; then as many again, and so on
STRETCH = 4.0  # nodes lie like sinh: evenly for a few widths, then ever wider apart
NEGLIGIBLE = 1e-17
AGREEMENT = 2e-7  # of two successive sums: each halving of the step squares the error
ROUNDING = 1e-14  # of a phase, relative to the exponent
HALVINGS = 8
LAPLACE = 1e12  # exponents whose phases are lost, while Laplace's approximation has become exact
ITERATIONS = 100  # far more than Newton needs
CLOSE = 1e-8  # relative steps of Newton after which one more is exact

MANY = 1000  # points from which on a table pays
CHUNK = 4096
DEGREE = 15  # of the pieces of the table
FLAT = 3e-12  # their last coefficients
BOTTOM = -750.0  # ln of a tail, where the table ends and doubles have long underflowed


class LogProduct:
    """Law of Y = sum_i ln(chi_i / sqrt(nu_i)), for ascending distinct degrees nu and their multiplicities.

    A tail is P(Y <= y) below `center`, P(Y > y) from there on.
    """

    def __init__(self, degrees: np.ndarray, counts: np.ndarray):
        self.degrees, self.counts = np.asarray(degrees, dtype=float), np.asarray(counts, dtype=float)
        (self.origin,), (self.slope,), _ = self._derivatives(np.zeros(1))
        self.center = self.origin + REPULSION / self.degrees[0]
        self._table: tuple[np.ndarray, np.ndarray] | None = None

    def cumulant(self, t: np.ndarray) -> np.ndarray:
        """K(t) = ln E e^(tY), up to a multiple of 2 pi i."""
        total = np.zeros_like(t)
        for nu, count in zip(self.degrees, self.counts, strict=True):
            total += count * log_gamma_ratio(nu / 2, t / 2)
        return total

    def log_cdf(self, y: np.ndarray) -> np.ndarray:
        """ln P(Y <= y) at finite y."""
        (tail,) = self._values(y, [0])
        return np.where(y < self.center, tail, log_complement(tail))

    def log_sf(self, y: np.ndarray) -> np.ndarray:
        """ln P(Y > y) at finite y."""
        (tail,) = self._values(y, [0])
        return np.where(y < self.center, log_complement(tail), tail)

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """ln of the density of Y at finite y."""
        return self._values(y, [1])[0]

    def quantile(self, log_cdf: np.ndarray, log_sf: np.ndarray) -> np.ndarray:
        """The y that has these logarithms of its probabilities; the smaller one decides, and must be finite.

        Newton's iteration for ln P(Y <= y), which is concave and far out linear, or for ln(-ln P(Y > y)),
        which is close to linear. It starts from a Gaussian on the left, and on the right from equal degrees.
        """
        lower = log_cdf < log_sf
        goal = np.where(lower, log_cdf, log_sf)
        spread, half = np.sqrt(np.maximum(-2 * goal - 1, 0) * self.slope), self.counts.sum() / 2
        y = self.center + np.where(lower, -spread, half * np.log1p(spread / half + (spread / half) ** 2 / 2))
        bracket = np.array([[-np.inf], [np.inf]]) * np.ones(y.size)
        rows = np.arange(y.size)
        for _ in range(ITERATIONS):
            at, low, wanted = y[rows], lower[rows], goal[rows]
            tail, density = self._values(at, [0, 1])
            tail = np.where(low == (at < self.center), tail, log_complement(tail))
            gap = np.where(low, tail - wanted, -tail * np.log(tail / wanted))
            bracket[np.where(gap > 0, 1, 0), rows] = at
            below, above = bracket[:, rows]
            move = at - gap * np.exp(tail - density)
            y[rows] = np.where((below <= move) & (move <= above), move, (below + above) / 2)
            rows = rows[np.abs(tail - wanted) > CLOSE * np.maximum(1, -wanted)]
            if not rows.size:
                break
        return y

    def _values(self, y, rows):
        """Rows 0 (ln of the tail) and 1 (ln of the density); from the table, if the points are many."""
        if y.size < MANY:
            return self._integrate(y)[rows]
        if self._table is None:
            self._table = self._tabulate()
        edges, coefficients = self._table
        values = np.empty((len(rows), y.size))
        for start in range(0, y.size, CHUNK):
            part = y[start : start + CHUNK]
            piece = np.clip(np.searchsorted(edges, part, side="right") - 1, 0, edges.size - 2)
            left, right = edges[piece], edges[piece + 1]
            u = (2 * part - left - right) / (right - left)
            for row, value in zip(rows, values, strict=True):
                value[start : start + CHUNK] = chebyshev.chebval(u, coefficients[row][:, piece], tensor=False)
        outside = np.flatnonzero((y < edges[0]) | (y > edges[-1]))
        for start in range(0, outside.size, MANY):
            part = outside[start : start + MANY]
            values[:, part] = self._integrate(y[part])[rows]
        return values

    def _tabulate(self):
        """Edges of pieces and their Chebyshev coefficients, shape (2, DEGREE + 1, pieces), found by bisection."""
        bottom, top = self.quantile(np.array([BOTTOM, 0.0]), np.array([0.0, BOTTOM]))
        nodes = chebyshev.chebpts1(DEGREE + 1)
        project = 2 / nodes.size * chebyshev.chebvander(nodes, DEGREE).T
        project[0] /= 2
        edges = np.array([[bottom, self.center], [self.center, top]])
        lefts, pieces = [], []
        while edges.size:
            middle, half = edges.mean(axis=1), np.ptp(edges, axis=1) / 2
            y = middle + half * nodes[:, None]
            coefficients = project @ self._integrate(y.ravel()).reshape(2, *y.shape)
            rough = np.abs(coefficients[:, -2:]).max(axis=(0, 1)) > FLAT
            lefts.append(edges[~rough, 0])
            pieces.append(coefficients[..., ~rough])
            halves = np.stack([edges[rough, 0], middle[rough], edges[rough, 1]], axis=1)
            edges = np.concatenate([halves[:, :2], halves[:, 1:]])
        start = np.concatenate(lefts)
        order = np.argsort(start)
        return np.append(start[order], top), np.concatenate(pieces, axis=2)[..., order]

    def _integrate(self, y):
        """ln of the tail and ln of the density at finite y, shape (2, P)."""
        with np.errstate(all="ignore"):
            c = self._saddle(y)
            _, second, third = self._derivatives(c)
            width, radius = second**-0.5, -3 * second / third
            peak = self.cumulant(c) - c * y
            sums = np.sqrt(np.pi / 2) / np.stack([np.abs(c), np.ones_like(c)])
            rows, step = np.flatnonzero(np.abs(peak) < LAPLACE), STEP
            frame = np.stack([y, c, width, radius, peak])[:, rows]
            coarse, between = 2 * self._node_sums(frame, 0.0, step)
            for _ in range(HALVINGS):
                sums[:, rows] = fine = (coarse + between) / 2
                allowed = AGREEMENT + ROUNDING * np.abs(frame[-1])
                apart = (np.abs(coarse - between) > allowed * np.abs(fine)).any(axis=0)
                rows, frame, coarse = rows[apart], frame[:, apart], fine[:, apart]
                if not rows.size:
                    break
                between = self._node_sums(frame, 0.5, step).sum(axis=0)
                step /= 2
            logs = np.log(sums * width / np.pi) + peak
            return np.where(np.isnan(peak), -np.inf, logs)  # where the exponent itself overflows

    def _node_sums(self, frame, offset, step):
        """Sums of (1/|t|, 1) e^(K - ty - peak) dt/dv at the nodes (offset + j) step >= 0, for even j and for odd."""
        sums = np.zeros((2, frame.shape[1], 2))
        rows, start, stop = np.arange(frame.shape[1]), 0, BLOCK
        while rows.size:
            y, c, width, radius, peak = frame[:, rows, None]
            j = np.arange(start, stop)
            s = step * (offset + j) / STRETCH
            weights = np.where(s == 0, 0.5, np.cosh(s))[:, None] * (j[:, None] % 2 == [0, 1])
            v = width * STRETCH * np.sinh(s)
            root = np.sqrt(v * v + radius * radius)
            left = c - v * v / (root + radius)
            t = left + 1j * v
            term = np.exp(self.cumulant(t) - t * y - peak) * (1 + 1j * (v / root))
            sums[0, rows] += (left * term.real + v * term.imag) / (left * left + v * v) @ weights * np.sign(c)
            sums[1, rows] += term.real @ weights
            rows, start, stop = rows[np.abs(term[:, -1]) > NEGLIGIBLE], stop, 2 * stop
        return step * np.moveaxis(sums, -1, 0)

    def _derivatives(self, c):
        """K', K'', K''' at real c, the pole at -min(nu) enhanced; psi(a) ~ ln(a + 1/2) - 1/a is near enough."""
        c = c[:, None]
        near, far = 1 / (self.degrees + c), 1 / (self.degrees + c + 1)
        pole = near[:, 0]
        first = (0.5 * np.log1p((c + 1) / self.degrees) - near) @ self.counts - REPULSION * pole
        second = (0.5 * far + near**2) @ self.counts + REPULSION * pole**2
        third = -(0.5 * far**2 + 2 * near**3) @ self.counts - 2 * REPULSION * pole**3
        return first, second, third

    def _saddle(self, y):
        """The c with K'(c) = y + REPULSION / c, negative if y < center, to a quarter of a width.

        K' is concave, and so Newton's iteration climbs to the root from any point below it, if for negative
        c the equation is first multiplied by c. Of three points known to lie below it takes the highest:
        the tangent to K' at 0, the pole alone, and all logarithms taken as one (Jensen).
        """
        left, lowest, size = y < self.center, self.degrees[0], self.counts.sum()
        excess, weight = y - self.origin, self.counts[0] + REPULSION
        root = np.sqrt(excess**2 + 4 * REPULSION * self.slope)
        tangent = (excess + np.where(left, -root, root)) / (2 * self.slope)
        pole = np.minimum(weight / ((weight + 2 * REPULSION) / lowest - excess), lowest / 2) - lowest
        jensen = np.expm1(np.clip(2 * y / size, 0, 600)) * size / (self.counts / self.degrees).sum() - 1
        c = np.maximum(tangent, np.where(left, pole, jensen))
        for _ in range(ITERATIONS):
            first, second, _ = self._derivatives(c)
            move = (y - first + REPULSION / c) / (second + np.where(left, first - y, REPULSION / c) / c)
            c = c + move
            if np.all(np.abs(move) * np.sqrt(second) < 0.25):
                break
        return c


def log_complement(log_p: np.ndarray) -> np.ndarray:
    """ln(1 - p) from ln p."""
    log_p = np.minimum(log_p, 0)
    with np.errstate(divide="ignore"):
        return np.where(log_p < -0.7, np.log1p(-np.exp(log_p)), np.log(-np.expm1(log_p)))
