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
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import accumulate
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import betainc, erf, expit, wofz

from fragility.law import Law
from theory.conditioning.gaussian_spectrum import smallest_singular_law
from theory.laws.tabulated import Tabulated
from theory.numerics import require
from theory.numerics.array import Array

KURTOSIS = {"gaussian": 0.0, "signs": -2.0, "uniform": -1.2, "student": 6.0}
TALLEST = 10**6  # rows
RARE = 1e-7  # what a table leaves out beyond its end
FEW = 16  # squares whose transform falls off too slowly on the imaginary axis
BENT = 32  # nodes of the contour that serves them
FAR = 50.0  # arguments from which the transform of t(5) is summed as a series in their inverse
STEP = 0.1  # of the trapezoidal rule in the log-odds of the Beta variable
BLOCK = 1 << 18  # numbers in one go
TAIL = 5.3  # P(x^2 > s) < TAIL s^(-5/2) for t(5)
# int_0^inf e^(-z y) y^(-1/2) (1 + y)^-3 dy = z^(-1/2) sum_k SERIES[k] z^-k
SERIES = [(-1) ** k * math.comb(k + 2, 2) * math.gamma(k + 0.5) for k in range(30)]
MOST_BITS = 16  # free signs of the matrices that are enumerated


def kurtosis(entries: str) -> float:
    """Fourth cumulant E x^4 - 3 of an entry: 0, -2, -6/5 and 6."""
    if entries not in KURTOSIS:
        raise ValueError(f"entries must be one of {', '.join(KURTOSIS)}, got {entries!r}")
    return KURTOSIS[entries]


def norm_law(m: int, entries: str) -> Tabulated:
    """Law of ||a_n||, a_n of 2 <= m <= 10^6 independent entries; probabilities to 1e-6. Not universal at any size.

    By inversion of the Laplace transform of the square of an entry.

    Raises
    ------
    ValueError : for signs, whose norm is sqrt(m) and has no density, and outside this range.
    """
    return _norm_law(require.integer("m", m, 2), entries)


@lru_cache
def _norm_law(m: int, entries: str) -> Tabulated:
    if entries == "signs":
        raise ValueError("the norm of m signs is sqrt(m): it has no density")
    spread = math.sqrt((kurtosis(entries) + 2) * _rows(m, 2))
    low, high = max(m - 7 * spread, 0.0), m + 6 * spread + 40
    if entries == "student":
        high += (TAIL * m / RARE) ** 0.4
    if entries == "uniform":
        high = min(high, 3.0 * m)
    below = partial(_few_squares, m, entries) if m < FEW else _many_squares(m, entries, high - low)
    return Tabulated(lambda x: below(x**2), math.sqrt(low), math.sqrt(high))


def last_law(n: int, m: int, entries: str) -> Tabulated:
    """Law of r_nn to the order 1/m and beyond: ||a_n|| times an independent root of Beta(k/2, (m-k)/2).

    2 <= n <= m <= 10^6. Probabilities are right to 1e-6 of this law, for two columns of signs to sqrt(m) 1e-7, by which
    it rises from one double to the next at its end. Exact for Gaussian entries. Else asymptotic: signs make singular
    matrices (of 200,000 draws, stream 0, 3.5 % have r_nn = 0 at n = m = 16 and 0.4 % at 20), which it does not know of.
    """
    n = require.integer("n", n, 2)
    return _last_law(n, require.integer("m", m, n), entries)


@lru_cache
def _last_law(n: int, m: int, entries: str) -> Tabulated:
    _columns(n, m)
    k = _rows(m, n) - n + 1

    def share(r: np.ndarray, norm: Any) -> np.ndarray:
        return betainc(k / 2, (m - k) / 2, np.minimum((r / norm) ** 2, 1.0))

    if entries == "signs":
        return Tabulated(lambda x: share(x, math.sqrt(m)), 0.0, math.sqrt(m))
    norm = norm_law(m, entries)
    # The quadrature runs over the variable that spreads less, as its integrand spreads like the other.
    if m > FEW and (kurtosis(entries) + 2) * k < 2 * (m - k):
        length, weight = norm.nodes()
        return Tabulated(_mixed(lambda x: share(x, length), weight), 0.0, norm.support()[1])
    length, weight = _root_of_beta(k / 2, (m - k) / 2)
    return Tabulated(_mixed(lambda x: norm.cdf(x / length), weight), 0.0, norm.support()[1])


def last_limit(n: int, m: int) -> Law:
    """The limit of that law for large m and k = m - n + 1 fixed: chi_k, |N| for a square matrix."""
    _columns(n, m)
    return stats.chi(m - n + 1)


def last_expansion(n: int, m: int, entries: str, x: Array) -> np.ndarray:
    """P(r_nn <= x) with the 1/m term alone; k (k+2) kappa / (8 (m+2)) times a second difference in degrees of freedom.

    The distribution function that belongs to the density f_k(s) (1 + kappa / (m + 2) L(s / 2)). Beyond a few
    standard deviations it may leave [0, 1].
    """
    _columns(n, m)
    k = m - n + 1
    x = require.points("x", x)
    first, second, third = (stats.chi.cdf(x, k + more) for more in (0, 2, 4))
    return first + k * (k + 2) * kurtosis(entries) / (8 * (m + 2)) * (first - 2 * second + third)


def smallest_law(n: int, entries: str) -> Tabulated:
    """Law of sqrt(n) sigma_min, n x n, to the order 1/n: Edelman's, exact for Gaussian entries, times 1 - kappa / (2n).

    The first order only: for t(5) of no use below some hundreds of columns, as its sixth moment is infinite.

    Raises
    ------
    ValueError : unless kappa < 2 n.
    """
    return _smallest_law(require.integer("n", n, 1), entries)


@lru_cache
def _smallest_law(n: int, entries: str) -> Tabulated:
    law = smallest_singular_law(n, math.sqrt(n) * (1 - kurtosis(entries) / (2 * n)))
    return Tabulated(law.cdf, 0.0, float(law.isf(RARE)))


def determinant_fourth(n: int, entries: str) -> float:
    """E det^4 / (n!)^2 = 1/2 sum_j kappa^j / j! (n-j+1)(n-j+2), exact (Nyquist, Rice and Riordan 1954)."""
    n, kappa = require.integer("n", n, 1), kurtosis(entries)
    weights = accumulate(range(1, n + 1), lambda weight, j: weight * kappa / j, initial=1.0)  # kappa^j / j!
    return math.fsum(weight * (n - j + 1) * (n - j + 2) for j, weight in enumerate(weights)) / 2


def singular_probability(n: int) -> float:
    """Probability that an n x n matrix of fair signs is singular, by enumeration, n <= 5: 0, 1/2, 5/8, 169/256, ..."""
    matrices = _sign_matrices(require.integer("n", n, 1), n)
    return float(np.mean(np.abs(np.linalg.det(matrices)) < 0.5))  # determinants are integers


def mean_rank(m: int, n: int) -> float:
    """E rank of an m x n matrix of fair signs, by enumeration: (m - 1)(n - 1) at most 16."""
    m, n = require.integer("m", m, 1), require.integer("n", n, 1)
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
    require.integer("m", m, require.integer("n", n, 2))


def _sign_matrices(m: int, n: int) -> np.ndarray:
    """All m x n sign matrices with first row and column of ones: others are these with rows and columns flipped."""
    bits = (m - 1) * (n - 1)
    if bits > MOST_BITS:
        raise ValueError(f"(m - 1)(n - 1) must be at most {MOST_BITS} to enumerate signs, got m = {m}, n = {n}")
    matrices = np.ones((1 << bits, m, n))
    codes = np.arange(1 << bits)[:, None] >> np.arange(bits) & 1
    matrices[:, 1:, 1:] = (1.0 - 2.0 * codes).reshape(len(codes), m - 1, n - 1)
    return matrices


def _rows(m: int, least: int) -> int:
    if require.integer("m", m, least) > TALLEST:
        raise ValueError(f"m must be at most {TALLEST}, got {m}")
    return m


def _mixed(values: Callable[[np.ndarray], np.ndarray], weight: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Maps x (points,) to the weighted sums of the rows `values`(x[:, None]), block by block."""
    return lambda x: np.concatenate(
        [values(part[:, None]) @ weight for part in np.array_split(x, x.size * weight.size // BLOCK + 1)]
    )


def _root_of_beta(a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for the root of a Beta(a, b) variable: the trapezoidal rule in its log-odds, far out."""
    width = math.sqrt(1 / a + 1 / b)
    centre, far = math.log(a / b), [min(10 * width + 20 / side, 40 * width) for side in (a, b)]
    y = np.arange(centre - far[0], centre + far[1], STEP * min(width, 2.0))
    log_weight = -a * np.logaddexp(0, -y) - b * np.logaddexp(0, y)
    weight = np.exp(log_weight - log_weight.max())
    return np.sqrt(expit(y)), weight / weight.sum()


def _transform(z: np.ndarray, entries: str) -> np.ndarray:
    """E exp(-z x^2) for one entry x and complex z with a positive real part or on the imaginary axis, and beyond."""
    if entries == "gaussian":
        return (1 + 2 * z) ** -0.5
    root = np.sqrt(3 * z)
    if entries == "uniform":
        return math.sqrt(math.pi) / 2 * erf(root) / root
    # x^2 / 3 has density y^(-1/2) (1 + y)^-3 / B(1/2, 5/2): Tricomi's function U(1/2, -3/2, 3 z)
    square = 3 * z
    near = (square * (square - 1) / 2 + 3 / 8) * wofz(1j * root) + (3 / 4 - square / 2) * root / math.sqrt(math.pi)
    far = np.polynomial.polynomial.polyval(1 / square, SERIES) / (math.pi * root)
    return 8 / 3 * np.where(np.abs(square) < FAR, near, far)


def _few_squares(m: int, entries: str, s: np.ndarray) -> np.ndarray:
    """P(sum of m squares <= s), s >= 0, on the contour of Trefethen, Weideman and Schmelzer (2006) around the cut.

    For uniform entries, whose transform is entire, its powers are expanded in those of erfc: the sums over the corners
    of a cube.
    """
    theta = math.pi * (2 * np.arange(BENT) + 1 - BENT) / BENT
    bend = 0.6407 * theta
    w = BENT * (0.5017 * theta / np.tan(bend) - 0.6122 + 0.2645j * theta)
    slope = BENT * (0.5017 / np.tan(bend) - 0.5017 * bend / np.sin(bend) ** 2 + 0.2645j)
    weight = np.exp(w) * slope / w / (1j * BENT)
    total = np.zeros(s.shape)
    for corner in range(m if entries == "uniform" else 1):
        inside = s > 3 * corner
        z = w / (s[inside, None] - 3 * corner)
        if entries == "uniform":
            root = np.sqrt(3 * z)
            # erfc(root) = exp(-3 z) erfcx(root), and exp(-3 z) shifts s by 3
            value = math.comb(m, corner) * (math.sqrt(math.pi) / 2 / root) ** m * (-wofz(1j * root)) ** corner
        else:
            value = _transform(z, entries) ** m
        total[inside] += (value @ weight).real
    return total


def _many_squares(m: int, entries: str, reach: float) -> Callable[[np.ndarray], np.ndarray]:
    """P(sum of m squares <= s) by Gil-Pelaez's sum in steps that keep a law apart from itself `reach` away."""
    step = end = 2 * math.pi / reach
    while m * np.log(np.abs(_transform(np.array(-1j * end), entries))) > math.log(RARE) - 10:
        end *= 1.2
    t = np.arange(step / 2, end, step)
    wave = (_transform(-1j * t, entries) * np.exp(-1j * t)) ** m  # of the sum less its mean m
    sums = _mixed(lambda s: (wave * np.exp(1j * t * (m - s))).imag, 1 / (math.pi * (np.arange(t.size) + 0.5)))
    return lambda s: 0.5 - sums(s)
