"""Differences of ln Gamma, and what is built on them, to full precision however large the arguments are.

ln Gamma(a) grows like a ln a, and a difference of two of them may be tiny: subtracted as they are, what is left at
a = 10^8 is wrong in the ninth digit and at 10^12 all of it is rounding. Here they are subtracted on paper.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike
from scipy.special import digamma, loggamma

from theory.numerics.array import Array

LARGE = 16  # from here on Stirling's series is exact to rounding
# ln Gamma(x) = (x - 1/2) ln x - x + ln(2 pi) / 2 + sum_k STIRLING[k] x^-(2k + 1)
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
# (atanh u - u) / u^3 = sum_k ATANH[k] u^2k
ATANH = tuple(1 / (2 * k + 3) for k in range(9))
NEAR = 0.3  # up to this |x| the series of ln(1 + x) serves


def log_gamma_ratio(a: float, z: np.ndarray) -> np.ndarray:
    """ln Gamma(a + z) - ln Gamma(a) - z ln a, up to a multiple of 2 pi i.

    The three terms grow like a ln a, while their sum may be tiny. Where Stirling's series serves both Gammas
    they are subtracted on paper; for |z| < 0.3 a the error is then relative to the result.

    Parameters
    ----------
    a : half a degree of freedom, positive.
    z : array, real above -a or complex.
    """
    if a < LARGE:
        return _plain_difference(a, z)
    near = np.abs(z) < NEAR * a
    if near.all():
        return _near_difference(a, z)
    far = ~near & (np.real(z) > 10 - a)
    rest = ~near & ~far
    ratio = np.empty_like(z)
    for where, difference in ((near, _near_difference), (far, _far_difference), (rest, _plain_difference)):
        ratio[where] = difference(a, z[where])
    return ratio


def log_half_step(a: float) -> float:
    """ln of Gamma(a + 1/2) / (Gamma(a) sqrt(a)), about -1 / (8 a): negative for all a > 0."""
    return float(log_gamma_ratio(a, np.array([0.5]))[0])


def digamma_step(a: np.ndarray, step: float) -> np.ndarray:
    """psi(a + step) - psi(a) for positive a (any shape) and step >= 0, relative to itself."""
    with np.errstate(divide="ignore", invalid="ignore"):
        series = np.log1p(step / a) + step / (2 * a * (a + step)) + (_digamma_tail(a) - _digamma_tail(a + step))
    return np.where(a < LARGE, digamma(a + step) - digamma(a), series)


def log_less_digamma(a: float) -> float:
    """ln a - psi(a), about 1 / (2 a), relative to itself."""
    return math.log(a) - float(digamma(a)) if a < LARGE else 1 / (2 * a) + float(_digamma_tail(a))


def log_excess(x: ArrayLike) -> np.ndarray:
    """x - ln(1 + x) for x > -1, about x^2 / 2, relative to itself; infinite at -1."""
    x = np.asarray(x, dtype=float)
    near = np.abs(x) < NEAR
    small = np.where(near, x, 0.0)
    u = small / (2 + small)  # ln(1 + x) = 2 atanh(u), and x - 2 u = u x
    square = u * u
    with np.errstate(divide="ignore"):
        return np.where(near, u * small - 2 * u * square * polyval(square, ATANH), x - np.log1p(np.where(near, 0.0, x)))


def exp_excess(y: ArrayLike) -> np.ndarray:
    """e^y - 1 - y, about y^2 / 2, relative to itself."""
    y = np.asarray(y, dtype=float)
    near = np.abs(y) < NEAR / 2
    rise = np.expm1(y)
    return np.where(near, log_excess(np.where(near, rise, 0.0)), rise - y)


def log_gamma_density(a: float, log_share: ArrayLike) -> np.ndarray:
    """ln of x^a e^-x / Gamma(a) at x = a e^log_share: x times the density of the Gamma law, that of ln x."""
    return _log_peak(a) - a * exp_excess(log_share)


@lru_cache(maxsize=1024)
def _log_peak(a: float) -> float:
    """ln of a^a e^-a / Gamma(a)."""
    if a < LARGE:
        return a * math.log(a) - a - math.lgamma(a)
    return math.log(a / (2 * math.pi)) / 2 - stirling_tail(a)


def log_chi_density(degrees: float, x: ArrayLike, offset: ArrayLike) -> np.ndarray:
    """ln of the density of chi_degrees at x > 0; offset is x - sqrt(degrees), found without subtraction of both."""
    x, offset, root = np.asarray(x, dtype=float), np.asarray(offset, dtype=float), math.sqrt(degrees)
    near = x > root / 2
    log_share = np.where(near, 2 * np.log1p(np.where(near, offset, 0.0) / root), 2 * np.log(x / root))
    return log_gamma_density(degrees / 2, log_share) + np.log(2 / x)


def stirling_tail(x: Array) -> Array:
    """ln Gamma(x) - [(x - 1/2) ln x - x + ln(2 pi) / 2] for |x| of at least 10, not left of the imaginary axis."""
    return polyval(1 / (x * x), STIRLING) / x


_stirling_tail_at = lru_cache(maxsize=None)(stirling_tail)


def _digamma_tail(x):
    """ln x - 1 / (2 x) - psi(x): the series above, differentiated."""
    return polyval(1 / (x * x), [(2 * k + 1) * c for k, c in enumerate(STIRLING)]) / (x * x)


def _plain_difference(a, z):
    return loggamma(a + z) - (loggamma(a) + z * np.log(a))


def _far_difference(a, z):
    tails = stirling_tail(a + z) - _stirling_tail_at(a)
    return (a + z - 0.5) * np.log(1 + z / a) - z + tails


def _near_difference(a, z):
    """`log_gamma_ratio` where z is small beside a, with ln(1 + z/a) = 2 atanh(u)."""
    u = z / (z + 2 * a)
    square = u * u
    rest = square * polyval(square, ATANH)  # atanh(u) / u - 1
    leading = 2 * a * u * (u + (1 + u) * rest) / (1 - u)
    return leading - u * (1 + rest) + (stirling_tail(a + z) - _stirling_tail_at(a))
