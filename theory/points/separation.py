"""How far apart Gaussian data lie: Lemma 2 and the first halves of Theorems 1, 4 and 6 of feature compression.

Z ~ N(0, I_d), and lengths are counted as a `share` of their typical size: ||Z|| <= share * sqrt(d). Differences of two
independent points are sqrt(2) Z, so the same probability belongs to ||x_i - x_j|| <= share * sqrt(2 d). In Theorem 6
x = A z with signs z, and half the distance of two points of opposite label is the length of a_d + sum_k u_k a_k with
u_k in {-1, 0, 1}.

All probabilities come as logarithms too: unions run over up to 4^(d-1) pairs, so the tails that matter are far below
what a double holds. NumPy only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import gammainc, gammaln, lambertw, logsumexp

from theory.laws.chi_product import ChiProduct, chi_product
from theory.laws.gamma import exp_excess, log_gamma_density
from theory.numerics import require

LARGEST = 10**15  # dimension up to which doubles tell its halves from one another
SAFE = 1e-280  # above this a probability is taken from gammainc, below from its series in logarithms


def log_norm_probability(d: int, share: ArrayLike) -> np.ndarray:
    """ln P(||Z|| <= share * sqrt(d)), exact: the regularised gamma function P(d/2, share^2 d/2) (Lemma 2's left side).

    Right to 1e-11 of 1 + itself, as far down as doubles reach.

    Parameters
    ----------
    d : dimension, at least 1.
    share : positive, any shape.
    """
    shares = _share(share)
    a, x = _dimension(d) / 2, shares**2 * d / 2
    direct = gammainc(a, x)
    small = direct < SAFE
    far = _log_leading_term(d, shares) + _log_series(a, np.where(small, x, 0.0))
    return np.where(small, far, np.log(np.where(small, 1.0, direct)))[()]


def log_chernoff_bound(d: int, share: ArrayLike) -> np.ndarray:
    """ln of (share * e^((1 - share^2) / 2))^d >= P(||Z|| <= share * sqrt(d)), share < 1 (Lemma 2); 0 from 1 on.

    For the squared norm, ||Z||^2 <= beta * d, put share = sqrt(beta). Looser than the truth by about
    sqrt(pi d) (1 - share^2).
    """
    shares = np.minimum(_share(share), 1.0)
    return -(_dimension(d) / 2 * exp_excess(2 * np.log(shares)))[()]


def log_series_bound(d: int, share: ArrayLike) -> np.ndarray:
    """ln of an upper bound of P(||Z|| <= share * sqrt(d)) in closed form, sharper than Lemma 2 in the tail.

    x^a e^-x / Gamma(a + 1) * (a + 1) / (a + 1 - x) with a = d/2, x = share^2 a: the series of the incomplete gamma
    function with all ratios of its terms replaced by the first. Infinite from x = a + 1 on.
    """
    shares = _share(share)
    rest = 1 + _dimension(d) / 2 * (1 - shares) * (1 + shares)
    bound = _log_leading_term(d, shares) + np.log((d / 2 + 1) / np.where(rest > 0, rest, 1.0))
    return np.where(rest > 0, bound, np.inf)[()]


def log_pairs(points: int) -> float:
    """ln of the number of pairs of points, the union of Theorem 1."""
    points = require.integer("points", points, 2)
    return math.log(points * (points - 1) // 2)


def log_sign_pairs(d: int, distinct: bool = False) -> float:
    """ln of the number of pairs of opposite label in Theorem 6: 4^(d-1), of which 3^(d-1) have distinct differences."""
    return (_dimension(d) - 1) * math.log(3 if distinct else 4)


def log_union_bound(d: int, log_count: float, share: ArrayLike, chernoff: bool = False) -> np.ndarray:
    """ln of count * P(||Z|| <= share * sqrt(d)), at most 0: bounds the chance that any of the pairs is that close.

    With `log_pairs(points)` Theorem 1, first claim: P(min ||x_i - x_j|| <= share * sqrt(2 d)).

    Parameters
    ----------
    log_count : ln of the number of differences, as from `log_pairs` or `log_sign_pairs`.
    chernoff : the bound of Lemma 2 in place of the exact probability, as printed.
    """
    tail = log_chernoff_bound(d, share) if chernoff else log_norm_probability(d, share)
    return np.minimum(log_count + tail, 0.0)


def closest_pair_probability_floor(d: int, points: int, share: ArrayLike) -> np.ndarray:
    """Lower bound of P(min ||x_i - x_j|| <= share * sqrt(2 d)): 1 - (1 - p)^floor(points/2), disjoint pairs only."""
    disjoint = require.integer("points", points, 2) // 2
    with np.errstate(divide="ignore"):
        return -np.expm1(disjoint * np.log1p(-np.exp(log_norm_probability(d, share))))


def largest_share(d: int, log_count: float, delta: float, chernoff: bool = False) -> float:
    """The share at which count * P(||Z|| <= share * sqrt(d)) is delta: no pair is closer, with probability 1 - delta.

    With `chernoff` the bound of Lemma 2 is inverted, by Lambert's W: sqrt(-W_0(-(delta/count)^(2/d) / e)). For a count
    that is polynomial in d it tends to 1, like 1 - sqrt(ln(count/delta) / d).

    Raises
    ------
    ValueError : unless 0 < delta < count.
    """
    d, target = _dimension(d), math.log(require.positive("delta", delta)) - log_count
    if target >= 0:
        raise ValueError(f"delta must be below the count {math.exp(log_count):g}, got {delta}")
    if chernoff:
        return math.sqrt(-lambertw(-math.exp(2 / d * target - 1)).real)
    # the Chernoff bound is above the probability, so its share is below the one sought
    lower = max(2 / d * target - 1, -1400.0) / 2  # ln of a share below the root of u e^(1-u) = (delta/count)^(2/d)
    return _root(lambda share: log_norm_probability(d, share) - target, lower)


def log_sign_bound(d: int, share: float, scale: float = 1.0) -> float:
    """ln of the expected number of distinct differences A(z - z') of length <= 2 * share * sqrt(d) in Theorem 6.

    sum_k C(d-1, k) 2^k P(||Z|| sqrt(1 + scale^2 k) <= share * sqrt(d)): bounds the chance that two points of opposite
    label are that close, and shows that every constant share below 1 will do for large d.

    Parameters
    ----------
    d : dimension and number of signs.
    scale : of all columns of A but the last, as in the paper's experiments; positive.
    """
    d = _dimension(d)
    k = np.arange(d)
    spread = np.sqrt(1 + require.positive("scale", scale) ** 2 * k)
    count = gammaln(d) - gammaln(k + 1) - gammaln(d - k) + k * math.log(2)
    return float(logsumexp(count + log_norm_probability(d, _share(share) / spread)))


def largest_sign_share(d: int, delta: float, scale: float = 1.0) -> float:
    """The share at which `log_sign_bound` is ln(delta): Theorem 6's classes are 2 * share * sqrt(d) apart.

    Raises
    ------
    ValueError : unless 0 < delta < 1.
    """
    target = math.log(require.probability("delta", delta))
    lower = math.log(largest_share(d, log_sign_pairs(d, distinct=True), delta)) - 1e-9  # no difference is shorter
    return _root(lambda share: log_sign_bound(d, share, scale) - target, lower)


def distance_law(rows: Sequence[int], scale: float = 1.0) -> ChiProduct:
    """Law of ||x_i - x_j|| = scale * sqrt(2) * prod_i chi_(n_i) (Theorem 4; Theorem 1 for one height); exact.

    Parameters
    ----------
    rows : heights n_1, ..., n_L of the codes and of the L - 1 generators.
    scale : product of the entries' standard deviations, 1 for unit variance.
    """
    return chi_product(require.integers("rows", rows, 1), math.sqrt(2) * require.positive("scale", scale))


def normalising_scale(rows: Sequence[int]) -> float:
    """1 / sqrt(n_1 ... n_{L-1}): generators whose entries have variance one over their columns (Theorem 4).

    The only normalisation at which E ||x_i - x_j||^2 = 2 n_L at every depth.
    """
    return math.prod(1 / math.sqrt(height) for height in require.integers("rows", rows, 1)[:-1])


def log_product_union_bound(rows: Sequence[int], points: int, distance: ArrayLike, scale: float = 1.0) -> np.ndarray:
    """ln of the bound number of pairs * P(||x_i - x_j|| <= distance) for Theorem 4's closest pair, at most 0."""
    return np.minimum(log_pairs(points) + distance_law(rows, scale).logcdf(distance), 0.0)


def log_layered_chernoff_bound(d: int, layers: int, share: ArrayLike) -> np.ndarray:
    """ln of layers * (share * e^((1 - share^2) / 2))^d >= P(prod_i chi_d,i / sqrt(d) <= share^layers) (Theorem 4).

    The paper's induction: a product of that many factors is so small only if one of them is below its share.
    """
    return math.log(require.integer("layers", layers, 1)) + log_chernoff_bound(d, share)


def _dimension(d: int) -> int:
    d = require.integer("d", d, 1)
    if d > LARGEST:
        raise ValueError(f"d must be at most {LARGEST}, got {d}")
    return d


def _share(share: ArrayLike) -> np.ndarray:
    values = require.points("share", share)
    if not np.all((values > 0) & (values < math.inf)):
        raise ValueError(f"share must be positive and finite, got {share!r}")
    return values


def _log_leading_term(d: int, share: np.ndarray) -> np.ndarray:
    """ln of x^a e^-x / Gamma(a + 1), a = d/2, x = share^2 a."""
    a = d / 2
    return log_gamma_density(a, 2 * np.log(share)) - math.log(a)


def _log_series(a: float, x: np.ndarray) -> np.ndarray:
    """ln of sum_n x^n / (a + 1)_n, x well below a."""
    points = np.ravel(x)
    total, term = np.ones_like(points), np.ones_like(points)
    open_ones, n = np.arange(points.size), 1
    while open_ones.size:
        term = term * points[open_ones] / (a + n)
        total[open_ones] += term
        left = term > 1e-17 * total[open_ones]
        open_ones, term, n = open_ones[left], term[left], n + 1
    return np.log(total).reshape(np.shape(x))


def _root(function, lower: float) -> float:
    """The share at which an increasing function is 0, from the logarithm of a lower bound of it."""
    upper = max(lower, 0.0)
    while function(math.exp(upper)) < 0:
        upper += 0.5
    return math.exp(brentq(lambda log: function(math.exp(log)), lower, upper, xtol=1e-15, rtol=1e-14))
