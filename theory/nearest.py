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

from theory import _require
from theory._tabulated import Tabulated

NODES = 80  # of the quadrature over ||x_i||
KNOTS = 400  # of the table
RARE = 1e-14  # what is beyond the ends of the quadrature and of the table


@lru_cache
def nearest_law(points: int, d: int) -> Tabulated:
    """Law of min_j ||x_j - x_i|| for one of `points` >= 2 independent N(0, I_d) points; probabilities to 1e-6.

    d = 1 is left out: the density at 0 of a single coordinate is too steep for the quadrature.
    """
    others = _require.integer("points", points, 2) - 1
    norm = chi(_require.integer("d", d, 2))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    low, high = norm.ppf(RARE), norm.isf(RARE)
    length = low + (high - low) * (1 + nodes) / 2
    chance = weights * norm.pdf(length)
    most = np.sqrt(ncx2.isf(RARE, d, high**2))
    knots = np.linspace(0, most, KNOTS)
    above = np.exp(others * ncx2.logsf(knots[:, None] ** 2, d, length**2)) @ (chance / chance.sum())
    return Tabulated(knots, 1 - above)
