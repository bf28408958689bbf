"""The logarithm of Gamma(a + z) / (Gamma(a) a^z), to full precision however large a is."""

from functools import lru_cache

import numpy as np
from numpy.polynomial.polynomial import polyval
from scipy.special import loggamma

# ln Gamma(x) = (x - 1/2) ln x - x + ln(2 pi) / 2 + sum_k STIRLING[k] x^-(2k + 1)
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
# (atanh u - u) / u^3 = sum_k ATANH[k] u^2k
ATANH = tuple(1 / (2 * k + 3) for k in range(9))


def log_gamma_ratio(a: float, z: np.ndarray) -> np.ndarray:
    """ln Gamma(a + z) - ln Gamma(a) - z ln a, up to a multiple of 2 pi i.

    The three terms grow like a ln a, while their sum may be tiny. Where Stirling's series serves both Gammas
    they are subtracted on paper; for |z| < 0.3 a the error is then relative to the result.

    Parameters
    ----------
    a : half a degree of freedom, positive.
    z : array, real above -a or complex.
    """
    if a < 16:
        return _plain_difference(a, z)
    near = np.abs(z) < 0.3 * a
    if near.all():
        return _near_difference(a, z)
    far = ~near & (np.real(z) > 10 - a)
    rest = ~near & ~far
    ratio = np.empty_like(z)
    for where, difference in ((near, _near_difference), (far, _far_difference), (rest, _plain_difference)):
        ratio[where] = difference(a, z[where])
    return ratio


def _plain_difference(a, z):
    return loggamma(a + z) - (loggamma(a) + z * np.log(a))


def _far_difference(a, z):
    tails = _stirling_tail(a + z) - _stirling_tail_at(a)
    return (a + z - 0.5) * np.log(1 + z / a) - z + tails


def _near_difference(a, z):
    """The same with ln(1 + z/a) = 2 atanh(u)."""
    u = z / (z + 2 * a)
    square = u * u
    rest = square * polyval(square, ATANH)  # atanh(u) / u - 1
    leading = 2 * a * u * (u + (1 + u) * rest) / (1 - u)
    return leading - u * (1 + rest) + (_stirling_tail(a + z) - _stirling_tail_at(a))


def _stirling_tail(x):
    return polyval(1 / (x * x), STIRLING) / x


_stirling_tail_at = lru_cache(maxsize=None)(_stirling_tail)
