"""Square and tall matrices whose entries are not Gaussian: what stays exact, what is a limit, and with which 1/m term.

The entries are independent, symmetric, of mean 0, variance 1 and fourth cumulant kappa: fair signs, uniform on
[-sqrt 3, sqrt 3], Student's t with 5 degrees of freedom over its standard deviation, and the normal law as a control.
a_n is the last of the n columns in R^m, k = m - n + 1, and r_nn its distance from the span of the others.

Exact at every size, as a_n is independent of the other columns: E r_nn^2 = k if these have full rank,
E ||a_n||^2 = m, Var ||a_n||^2 = m (kappa + 2), E det^2 = n!, and E det^4 (Nyquist, Rice and Riordan 1954).

Heuristic, for large m: what is orthogonal to the other columns is nearly a Haar frame (Nguyen and Vu 2018 for its
coordinates), so r_nn / ||a_n|| has the law that Gaussian entries give it, and r_nn is that times the norm of a_n.
In powers of 1/m the density of s = r_nn^2 is f_k(s) (1 + kappa / (m + 2) L(s / 2)), f_k that of chi^2_k and
L the Laguerre polynomial of degree 2 and order k/2 - 1. Near 0 the singular values of a square matrix lie closer by a
factor 1 + kappa / (2n): the self-consistent equation for the resolvent reads 1 + z g + g^2 + (kappa / n) g^4 = 0 (for
complex entries Edelman, Guionnet and Peche 2016).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import betainc

from theory import _require
from theory._tabulated import Tabulated
from theory.gaussian_spectrum import smallest_singular_law
from theory.laws import Law

KURTOSIS = {"gaussian": 0.0, "signs": -2.0, "uniform": -1.2, "student": 6.0}
CELLS = 1 << 16  # of the lattice on which squares are summed
REACH = 60  # of that lattice, in means of the sum: t(5) is beyond it with probability below 1e-5
GROUPS = 512  # of squared norms, equally likely, each taken at its mean
KNOTS = 512  # of a tabulated distribution function
MOST_BITS = 16  # free signs of the matrices that are enumerated


def kurtosis(entries: str) -> float:
    """Fourth cumulant E x^4 - 3 of an entry: 0, -2, -6/5 and 6."""
    if entries not in KURTOSIS:
        raise ValueError(f"entries must be one of {', '.join(KURTOSIS)}, got {entries!r}")
    return KURTOSIS[entries]


@lru_cache
def norm_law(m: int, entries: str) -> Tabulated:
    """Law of ||a_n||, a_n of m independent entries; probabilities to about 1e-5. Not universal at any size.

    Raises
    ------
    ValueError : for signs, whose norm is sqrt(m) and has no density.
    """
    if entries == "signs":
        raise ValueError("the norm of m signs is sqrt(m): it has no density")
    squares, masses = _squared_norm(_require.integer("m", m, 2), entries)
    below = np.concatenate([[0.0], np.cumsum(masses)])
    edges = np.sqrt(np.concatenate([[0.0], squares + squares[1] / 2]))
    knots = np.linspace(0, edges[-1], KNOTS)
    return Tabulated(knots, np.interp(knots, edges, below / below[-1]))


@lru_cache
def last_law(n: int, m: int, entries: str) -> Tabulated:
    """Law of r_nn to the order 1/m and beyond: ||a_n|| times an independent root of Beta(k/2, (m-k)/2), 2 <= n <= m.

    Exact for Gaussian entries, up to 5e-5. Else asymptotic: signs make singular matrices (of 200,000 draws,
    stream 0, 3.5 % have r_nn = 0 at n = m = 16 and 0.4 % at 20), which it does not know of.
    """
    _columns(n, m)
    k = m - n + 1
    if entries == "signs":
        squares, masses = np.array([float(m)]), np.ones(1)
    else:
        squares, masses = _squared_norm(m, entries)
        group = np.minimum((np.cumsum(masses) * GROUPS).astype(int), GROUPS - 1)
        weight = np.bincount(group, masses)
        squares = np.bincount(group, masses * squares)[weight > 0] / weight[weight > 0]
        masses = weight[weight > 0] / weight.sum()
    widest = math.asinh(math.sqrt(squares.max() / k))
    x = math.sqrt(k) * np.sinh(np.linspace(0, widest, KNOTS))
    shares = np.minimum(x[:, None] ** 2 / squares, 1.0)
    return Tabulated(x, np.minimum(betainc(k / 2, (m - k) / 2, shares) @ masses, 1.0))


def last_limit(n: int, m: int) -> Law:
    """The limit of that law for large m and k = m - n + 1 fixed: chi_k, |N| for a square matrix."""
    _columns(n, m)
    return stats.chi(m - n + 1)


def last_expansion(n: int, m: int, entries: str, x: Any) -> np.ndarray:
    """P(r_nn <= x) with the 1/m term alone; k (k+2) kappa / (8 (m+2)) times a second difference in degrees of freedom.

    The distribution function that belongs to the density f_k(s) (1 + kappa / (m + 2) L(s / 2)). Beyond a few
    standard deviations it may leave [0, 1].
    """
    _columns(n, m)
    k = m - n + 1
    first, second, third = (stats.chi.cdf(np.asarray(x, dtype=float), k + more) for more in (0, 2, 4))
    return first + k * (k + 2) * kurtosis(entries) / (8 * (m + 2)) * (first - 2 * second + third)


@lru_cache
def smallest_law(n: int, entries: str) -> Tabulated:
    """Law of sqrt(n) sigma_min, n x n, to the order 1/n: Edelman's, exact for Gaussian entries, times 1 - kappa / (2n).

    The first order only: for t(5) of no use below some hundreds of columns, as its sixth moment is infinite.

    Raises
    ------
    ValueError : unless kappa < 2 n.
    """
    law = smallest_singular_law(n, math.sqrt(n) * (1 - kurtosis(entries) / (2 * n)))
    knots = np.linspace(0, float(law.isf(1e-13)), KNOTS)
    return Tabulated(knots, law.cdf(knots))


def determinant_fourth(n: int, entries: str) -> float:
    """E det^4 / (n!)^2 = 1/2 sum_j kappa^j / j! (n-j+1)(n-j+2), exact (Nyquist, Rice and Riordan 1954)."""
    n, kappa = _require.integer("n", n, 1), kurtosis(entries)
    return sum(kappa**j / math.factorial(j) * (n - j + 1) * (n - j + 2) for j in range(n + 1)) / 2


def singular_probability(n: int) -> float:
    """Probability that an n x n matrix of fair signs is singular, by enumeration, n <= 5: 0, 1/2, 5/8, 169/256, ..."""
    matrices = _sign_matrices(_require.integer("n", n, 1), n)
    return float(np.mean(np.abs(np.linalg.det(matrices)) < 0.5))  # determinants are integers


def mean_rank(m: int, n: int) -> float:
    """E rank of an m x n matrix of fair signs, by enumeration: (m - 1)(n - 1) at most 16."""
    return float(np.mean(np.linalg.matrix_rank(_sign_matrices(m, n))))


def squared_norm_cumulants(entries: str) -> tuple[float, float]:
    """Second and fourth cumulant of x^2 for one entry: m times them are those of ||a_n||^2.

    Raises
    ------
    ValueError : for t(5), whose eighth moment is infinite.
    """
    powers = {
        "gaussian": (1.0, 3.0, 15.0, 105.0),
        "signs": (1.0, 1.0, 1.0, 1.0),
        "uniform": tuple(3.0**j / (2 * j + 1) for j in range(1, 5)),
    }
    if entries not in powers:
        raise ValueError(f"entries must have eight moments: one of {', '.join(powers)}, got {entries!r}")
    one, two, three, four = powers[entries]
    return two - one**2, four - 4 * three * one - 3 * two**2 + 12 * two * one**2 - 6 * one**4


def _columns(n: int, m: int) -> None:
    _require.integer("m", m, _require.integer("n", n, 2))


def _sign_matrices(m: int, n: int) -> np.ndarray:
    """All m x n sign matrices with first row and column of ones: others are these with rows and columns flipped."""
    bits = (m - 1) * (n - 1)
    if bits > MOST_BITS:
        raise ValueError(f"(m - 1)(n - 1) must be at most {MOST_BITS} to enumerate signs, got m = {m}, n = {n}")
    matrices = np.ones((1 << bits, m, n))
    codes = np.arange(1 << bits)[:, None] >> np.arange(bits) & 1
    matrices[:, 1:, 1:] = (1.0 - 2.0 * codes).reshape(len(codes), m - 1, n - 1)
    return matrices


@lru_cache
def _squared_norm(m: int, entries: str) -> tuple[np.ndarray, np.ndarray]:
    """Lattice points and the masses of the sum of m squared entries there, by Fourier transform.

    A square between two lattice points is split over them so that its mean stays.
    """
    kurtosis(entries)
    top = 3.0 if entries == "uniform" else float(REACH * m)
    step = REACH * m / CELLS
    x = math.sqrt(top) * (np.arange(4 * CELLS) + 0.5) / (4 * CELLS)
    if entries == "student":
        density = (1 + x**2 / 3) ** -3.0
    else:
        density = np.ones_like(x) if entries == "uniform" else np.exp(-(x**2) / 2)
    place, part = np.divmod(x**2 / step, 1.0)
    cell = place.astype(int)
    masses = np.bincount(cell, density * (1 - part), CELLS + 2) + np.bincount(cell + 1, density * part, CELLS + 2)
    masses = masses[:CELLS] / density.sum()
    total = np.maximum(np.fft.irfft(np.fft.rfft(masses) ** m, CELLS), 0.0)
    return step * np.arange(CELLS), total / total.sum()
