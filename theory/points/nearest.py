"""Law of the distance to the nearest of independent Gaussian points (feature compression, Theorem 1).

Given x_i, the squared distances of the other points from it are independent, each noncentral chi^2 with d degrees of
freedom and noncentrality ||x_i||^2, which is chi^2 itself. Hence, exactly,

    P(min_j ||x_j - x_i|| > r) = E (1 - F(r^2; d, ||x_i||^2))^(m-1)

for m points in R^d, by one quadrature over ||x_i||. Half of that distance is what the minimum-distance classifier
tolerates at x_i.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.stats import chi, ncx2

from theory.laws.tabulated import Tabulated
from theory.numerics import require

LARGEST = 10**6  # points and dimensions
NODES = 128  # of the quadrature over ||x_i||
RARE = 1e-10  # what is beyond the ends of the quadrature and of the table


def nearest_law(points: int, d: int) -> Tabulated:
    """Law of min_j ||x_j - x_i|| for one of `points` independent N(0, I_d) points; probabilities to 1e-6.

    2 <= points, d <= 10^6: for d = 1 the density at 0 of a single coordinate is too steep for the quadrature.
    """
    points, d = require.integer("points", points, 2), require.integer("d", d, 2)
    if max(points, d) > LARGEST:
        raise ValueError(f"points and d must be at most {LARGEST}, got {points} and {d}")
    return _nearest_law(points, d)


@lru_cache
def _nearest_law(points: int, d: int) -> Tabulated:
    others = points - 1
    norm = chi(d)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    low, high = norm.ppf(RARE), norm.isf(RARE)
    length = low + (high - low) * (1 + nodes) / 2
    chance = weights * norm.pdf(length)
    chance /= chance.sum()
    least, most = np.sqrt([ncx2.ppf(RARE / others, d, low**2), ncx2.isf(RARE, d, high**2)])
    return Tabulated(lambda r: 1 - ncx2.sf(r[:, None] ** 2, d, length**2) ** others @ chance, least, most)
