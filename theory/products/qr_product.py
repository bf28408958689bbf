"""R of a product of Gaussian matrices: H_L ... H_1 = Q R with positive diagonal (feature compression, Lemma 3).

H_i is n_i x n_{i-1} with independent N(0, 1) entries, n_0 = n, rows = (n_1, ..., n_L), every n_i >= n. Then R has
the law of R_L ... R_1 with independent upper triangular R_i, (R_i)_kk ~ chi_{n_i - k + 1}, N(0, 1) above the
diagonal. Trailing blocks of triangular matrices multiply, so the last k x k block follows the same statement with
n reduced to k and n_i to n_i - (n - k). Everything here is exact at every size.

The paper takes n_i >= n without loss of generality, but it is one: with some n_i < n the rank is min(n, n_1, ..., n_L)
and R is trapezoidal. So are the R_i then, p_i x p_{i-1} with p_i = min(p_{i-1}, n_i), of the same entries, and the
diagonal that is left follows the same law; what speaks of r_nn or of the trailing block has no meaning.

The order of the factors leaves no trace in the law of R: R^T R is H_1^T ... H_L^T H_L ... H_1, its eigenvectors are
Haar and its eigenvalues those of a product of independent Wishart matrices, the same for every order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from fragility.law import Law, Moment
from theory.laws.chi_product import ChiProduct, chi_product, symmetrised
from theory.numerics import require
from theory.products.fraction import FractionLaw, fraction_law


def rank(n: int, rows: Sequence[int]) -> int:
    """Number of rows of R and, with probability 1, rank of H_L ... H_1: min(n, n_1, ..., n_L).

    Raises
    ------
    ValueError : unless n and all rows are at least 1, and there is a row.
    """
    return min(require.integer("n", n, 1), *require.integers("rows", rows, 1))


def degrees(n: int, rows: Sequence[int], k: int) -> tuple[int, ...]:
    """Degrees of freedom n_i - k + 1 of the chi factors of r_kk, k = 1..rank, trapezoidal R included.

    Raises
    ------
    ValueError : unless 1 <= k <= rank(n, rows).
    """
    rows, k = require.integers("rows", rows, 1), require.integer("k", k, 1)
    if k > rank(n, rows):
        raise ValueError(f"k must be at most min(n, *rows) = {rank(n, rows)}, got {k}")
    return tuple(height - k + 1 for height in rows)


def _trailing_degrees(n: int, rows: Sequence[int], k: int) -> tuple[int, ...]:
    """`degrees` for statements on the trailing block, which takes full rank."""
    return degrees(n, _full_rank(n, rows), k)


def _full_rank(n: int, rows: Sequence[int]) -> tuple[int, ...]:
    if (least := rank(n, rows)) < n:
        raise ValueError(f"every height must be at least n = {n}, got {least}: R has no trailing block then")
    return require.integers("rows", rows, n)


def diagonal_laws(n: int, rows: Sequence[int]) -> tuple[ChiProduct, ...]:
    """Laws of r_11, r_22, ... down to the rank, independent of each other; the same objects at every call."""
    return _diagonal_laws(require.integer("n", n, 1), require.integers("rows", rows, 1))


@lru_cache(maxsize=8)
def _diagonal_laws(n: int, rows: tuple[int, ...]) -> tuple[ChiProduct, ...]:
    return tuple(chi_product(degrees(n, rows, k)) for k in range(1, rank(n, rows) + 1))


def factor_laws(n: int, rows: Sequence[int]) -> tuple[Law, ...]:
    """Laws of the entries on and above the diagonals of R_1, ..., R_L, row by row; all entries are independent.

    (L n (n + 1) / 2,): chi_{n_i - k + 1} for (R_i)_kk, the standard normal law right of it; the same objects at every
    call.
    """
    return _factor_laws(require.integer("n", n, 1), _full_rank(n, rows))


@lru_cache(maxsize=8)
def _factor_laws(n: int, rows: tuple[int, ...]) -> tuple[Law, ...]:
    normal = symmetrised(chi_product((1,)))
    return tuple(
        normal if right else chi_product((height - k,)) for height in rows for k in range(n) for right in range(n - k)
    )


def last_law(n: int, rows: Sequence[int]) -> ChiProduct:
    """Law of r_nn = dist(a_n, span{a_1..a_{n-1}}) = 1 / ||e_n^T H^+||."""
    return chi_product(_trailing_degrees(n, rows, n))


def stretch_law(n: int, rows: Sequence[int]) -> ChiProduct:
    """Law of ||R_22 v|| for the trailing 2 x 2 block and any fixed unit v in R^2, n >= 2 (also Theorem 4's ||e||)."""
    n = require.integer("n", n, 2)
    return chi_product(_trailing_degrees(n, rows, n - 1))


def determinant_law(n: int, rows: Sequence[int]) -> ChiProduct:
    """Law of r_{n-1,n-1} r_nn, n >= 2; for square factors a product of L independent Exp(1)."""
    n = require.integer("n", n, 2)
    return chi_product(_trailing_degrees(n, rows, n - 1) + _trailing_degrees(n, rows, n))


def corner_law(n: int, rows: Sequence[int]) -> ChiProduct:
    """Law of |r_{n-1,n}|, n >= 2, for one or two factors.

    One factor: |N|. Two: r_{n-1,n} = a_2 g_1 + g_2 b_1 with a_2 ~ chi_{n_2-n+2}, b_1 ~ chi_{n_1-n+1}, so given these a
    normal of variance a_2^2 + b_1^2 ~ chi^2. From three factors on the variance is no product.

    Raises
    ------
    ValueError : for more than two factors.
    """
    n = require.integer("n", n, 2)
    if len(rows := require.integers("rows", rows, n - 1)) > 2:
        raise ValueError(f"the corner's law is a product of chi variables for at most 2 factors, got {len(rows)}")
    return chi_product((1,) if len(rows) == 1 else (1, sum(rows) - 2 * n + 3))


def column_norm_law(rows: Sequence[int]) -> ChiProduct:
    """Law of ||H v|| for any fixed unit v, such as the last column's norm ||a_n||."""
    return chi_product(require.integers("rows", rows, 1))


def basis_entry_law(rows: Sequence[int]) -> FractionLaw:
    """Law of any |q_jk|, n_L >= 2: the modulus of a coordinate of a uniform point of the sphere in n_L dimensions.

    Q is Haar on the Stiefel manifold and independent of R (Bartlett for one factor); of the heights only the last
    counts. q^2 ~ Beta(1/2, (n_L - 1)/2), exact.
    """
    height = require.integers("rows", rows, 1)[-1]
    return fraction_law(require.integer("the last height", height, 2), (height,))


def off_diagonal_power(n: int, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of p_k = mean of r_kj^2 over j > k, for k = 1..n-1: two arrays (n-1,).

    Given H_2..H_L and the first k columns of H_1, the n - k entries right of r_kk are independent N(0, tau_L^2), where
    tau_i^2 = alpha_i^2 tau_{i-1}^2 + beta_1^2 ... beta_{i-1}^2 in law, tau_1 = 1, alpha_i ~ chi_{n_i-k+1} and
    beta_i ~ chi_{n_i-k} independent: the recursions below are the first two moments of tau_L^2.
    E r_kj^2 = E tau_L^2 = prod(n_i - k + 1) - prod(n_i - k), whatever j > k.

    Raises
    ------
    ValueError : the variance is beyond the range of a double.
    """
    n, rows = require.integer("n", n, 1), _full_rank(n, rows)
    k = np.arange(1, n, dtype=float)
    mean, var, cov = np.ones(n - 1), np.zeros(n - 1), np.zeros(n - 1)  # of tau^2, and with b^2, b = beta_1 ... beta_i
    tail = rows[0] - k  # E b^2
    tail_var = 2 * tail  # Var b^2, since Var chi_v^2 = 2 v
    with np.errstate(over="ignore", invalid="ignore"):
        for height in rows[1:]:
            alpha, beta = height - k + 1, height - k  # E alpha_i^2, E beta_i^2
            var, cov = (
                alpha**2 * var + 2 * alpha * (var + mean**2) + 2 * alpha * cov + tail_var,
                beta * (alpha * cov + tail_var),
            )
            mean = alpha * mean + tail
            tail, tail_var = beta * tail, beta**2 * tail_var + 2 * beta * (tail_var + tail**2)
        spread = np.sqrt(var + 2 / (n - k) * (var + mean**2))
    if not np.all(np.isfinite(spread)):
        raise ValueError(
            f"the variance of p_k must fit into a double, got {len(rows)} layers of up to {max(rows)} rows"
        )
    return mean, spread


def lyapunov_moment(n: int, rows: Sequence[int]) -> Moment:
    """Expectation of ln r_nn, the sum of the layers' last Lyapunov exponents (Newman 1986; exact at every depth).

    A factor of height n_i adds (ln 2 + psi((n_i - n + 1) / 2)) / 2; a square one -0.635, so that r_nn of a product of
    L square factors shrinks like exp(-0.635 L), whatever n.
    """
    law = last_law(n, rows)
    return Moment(np.log, law.log_mean(), math.sqrt(law.log_var()))


def off_diagonal_moment(n: int, rows: Sequence[int]) -> Moment:
    """Average over rows of p_k / E p_k: expectation 1 (second moments right of the diagonal, n >= 2).

    The spread is bounded by the average of the rows' own (Minkowski), so their dependence need not be known.
    """
    mean, sd = off_diagonal_power(require.integer("n", n, 2), rows)
    return Moment(lambda power: np.mean(power / mean, axis=1), 1.0, float(np.mean(sd / mean)))


def diagonal_correlation(n: int, rows: tuple[int, ...]) -> Moment:
    """(n - 1) times the average correlation of the normal scores of r_11..r_nn: expectation 0, n >= 2.

    With z_k = Phi^-1(F_k(r_kk)) it is ((sum z)^2 - sum z^2) / n; for independent scores its variance is 2 (n-1) / n.
    On this scale -1 is what a fixed sum of scores would give and n - 1 what equal scores would.
    """
    n = require.integer("n", n, 2)

    def per_draw(uniform: np.ndarray) -> np.ndarray:
        z = ndtri(uniform)
        return (z.sum(axis=1) ** 2 - (z**2).sum(axis=1)) / n

    return Moment(per_draw, 0.0, float(np.sqrt(2 * (n - 1) / n)), diagonal_laws(n, rows))


def joint_moment(n: int, rows: tuple[int, ...]) -> Moment:
    """How far the factors R_1, ..., R_L are from the lemma's joint law, by two independent draws: expectation 0.

    With U and U' the probability integral transforms of all M = L n (n + 1) / 2 entries in the two draws it is

        h = prod_j (1 + k(U_j - U'_j) / sqrt(M)) - 1,  k(x) = sqrt(180) B_2(x mod 1),  B_2(x) = x^2 - x + 1/6.

    All Fourier coefficients of B_2 but the mean are positive, so E h is a sum of squares, one for each set of entries
    and each frequency: it is 0 if and only if U is uniform in the cube, that is if every entry has its law and all
    are independent. Else it is positive. E h^2 = (1 + 1/M)^M - 1 < e - 1 under the lemma.
    """
    laws = factor_laws(n, rows)
    entries = len(laws)

    def per_draw(uniform: np.ndarray) -> np.ndarray:
        apart = (uniform[:, :entries] - uniform[:, entries:]) % 1
        kernel = math.sqrt(180) * (apart**2 - apart + 1 / 6)
        return np.prod(1 + kernel / math.sqrt(entries), axis=1) - 1

    return Moment(per_draw, 0.0, math.sqrt(math.expm1(entries * math.log1p(1 / entries))), laws * 2)
