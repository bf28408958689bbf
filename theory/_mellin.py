"""Tails and density of Y = sum_i ln(chi_i / sqrt(nu_i)) by inversion of its Mellin transform e^K(t) = E e^(tY).

On a contour through c,

    P(Y > y) = 1/(2 pi i) int e^(K(t) - t y) dt / t   (c > 0),   P(Y <= y) = -(the same)   (-min(nu) < c < 0),

and the density is the integral without 1/t. All poles -p of e^K are real and left of c. From a saddle point c
the integrand falls along every ray at an angle of 90 to 135 degrees: at t = c + r e^(i theta) a pole at
distance d = c + p adds a multiple of d cos(2 theta) + r cos(theta) <= 0 to the slope of its logarithm. The contour is
a hyperbola between these rays, curved at c like steepest descent. Nothing cancels, so that every result is
right relative to its own size in both tails, and the trapezoidal sum converges geometrically.
"""

import numpy as np
from numpy.polynomial import chebyshev

from theory._gamma import log_gamma_ratio

REPULSION = 4.0  # order lent to the poles at 0 and -min(nu): keeps c some widths away from them
STEP = 0.75  # the first, in widths of the integrand at c
BLOCK = 14  # nodes summed at a time; enough for a Gaussian
NEGLIGIBLE = 1e-18
AGREEMENT = 2e-6  # of two successive sums: each halving of the step squares the error
ROUNDING = 1e-14  # of a phase, relative to the exponent
HALVINGS = 8
LAPLACE = 1e12  # exponents whose phases are lost, while Laplace's approximation has become exact
ITERATIONS = 100  # far more than Newton needs

MANY = 1000  # points from which on a table pays
DEGREE = 15  # of its pieces
FLAT = 3e-12  # their last coefficients
BOTTOM = -750.0  # ln of a tail, where the table ends and doubles have long underflowed


class LogProduct:
    """Law of Y = sum_i ln(chi_i / sqrt(nu_i)), for ascending distinct degrees nu and their multiplicities.

    A tail is P(Y <= y) below `center`, P(Y > y) from there on.
    """

    def __init__(self, degrees: np.ndarray, counts: np.ndarray):
        self.degrees, self.counts = np.asarray(degrees, dtype=float), np.asarray(counts, dtype=float)
        (self.center,), (self.slope,), _ = self._derivatives(np.zeros(1))
        self._table: tuple[np.ndarray, np.ndarray] | None = None

    def cumulant(self, t: np.ndarray) -> np.ndarray:
        """K(t) = ln E e^(tY), up to a multiple of 2 pi i."""
        pairs = zip(self.degrees, self.counts, strict=True)
        return np.sum([count * log_gamma_ratio(nu / 2, t / 2) for nu, count in pairs], axis=0)

    def log_cdf(self, y: np.ndarray) -> np.ndarray:
        tail = self._values(y, 0)
        return np.where(y < self.center, tail, log_complement(tail))

    def log_sf(self, y: np.ndarray) -> np.ndarray:
        tail = self._values(y, 0)
        return np.where(y < self.center, log_complement(tail), tail)

    def log_density(self, y: np.ndarray) -> np.ndarray:
        return self._values(y, 1)

    def quantile(self, log_cdf: np.ndarray, log_sf: np.ndarray) -> np.ndarray:
        """The y with these finite logarithms; the smaller probability decides.

        Newton's iteration for ln P(Y <= y), which is concave and, far out, linear; or for ln(-ln P(Y > y)),
        which is nearly linear too.
        """
        lower = log_cdf < log_sf
        goal = np.where(lower, log_cdf, log_sf)
        y = self.center + np.where(lower, -1, 1) * np.sqrt(np.maximum(-2 * goal - 1, 0) / self.slope)
        rows = np.arange(y.size)
        for _ in range(ITERATIONS):
            at, low = y[rows], lower[rows]
            tail, density = self._values(at, 0), self._values(at, 1)
            tail = np.where(low == (at < self.center), tail, log_complement(tail))
            gap = np.where(low, tail - goal[rows], tail * np.log(tail / goal[rows]))
            move = gap * np.exp(tail - density) 
            y[rows] -= np.where(low, move, -move)
            rows = rows[np.abs(gap) > 1e-8 * np.maximum(1, -goal[rows])]
            if not rows.size:
                break
        return y
