"""What deep products tend to: Lyapunov exponents, the normal limit of ln r_kk, and how far they are from it.

ln r_kk of a product of L independent Gaussian factors is a sum of L independent ln chi_(nu_i), so all is classical:
cumulants kappa_1 = (ln 2 + psi(nu/2)) / 2 and kappa_m = psi^(m-1)(nu/2) / 2^m, the law of large numbers, and the
central limit theorem with its error (Newman 1986; Berry and Esseen).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import integrate, stats
from scipy.special import polygamma, psi

from theory.laws.gamma import log_gamma_density, log_less_digamma
from theory.numerics import require
from theory.products.qr_product import degrees, rank

EQUAL_FACTORS, ANY_FACTORS = 0.4748, 0.5600  # Shevtsova's constants in the Berry-Esseen theorem


def lyapunov_exponents(n: int, rows: Sequence[int]) -> np.ndarray:
    """(1/L) E ln r_kk for k = 1..rank, largest first: (rank,). Exact at every depth, and the limit of (1/L) ln sigma_k.

    Entries of standard deviation sigma add ln sigma.
    """
    k = np.arange(rank(n, rows), dtype=float)
    sizes, counts = np.unique(np.array(require.integers("rows", rows, 1), dtype=float), return_counts=True)
    nu = sizes - k[:, None]
    return (math.log(2) + psi(nu / 2) @ (counts / counts.sum())) / 2


def extreme_exponents(n: int, rows: Sequence[int]) -> tuple[float, float]:
    """The first and the last of `lyapunov_exponents`, at any size."""
    first, last = (degrees(n, rows, k) for k in (1, rank(n, rows)))
    return _cumulant(first, 1) / len(first), _cumulant(last, 1) / len(last)


def breakdown_depth(n: int, precision: float = 2**-53) -> float:
    """Number of square factors at which rounding their product hides r_nn: ln(1/precision) / (lambda_1 - lambda_n).

    Forming the product perturbs r_nn relatively by precision * exp((lambda_1 - lambda_n) L); beyond this depth the
    computed r_nn is too large, and robustness overstated. To leading order.

    Raises
    ------
    ValueError : for n < 2, where nothing is hidden, or a precision outside (0, 1).
    """
    n = require.integer("n", n, 2)
    require.probability("precision", precision)
    first, last = extreme_exponents(n, (n,))
    return -math.log(precision) / (first - last)


def normal_limit(factors: Sequence[int]) -> stats.rv_continuous:
    """The log-normal law with the mean and variance of ln prod_i chi_(factors[i]): its limit in depth, frozen."""
    nu = _degrees(factors)
    return stats.lognorm(s=math.sqrt(_cumulant(nu, 2)), scale=math.exp(_cumulant(nu, 1)))


def skewness(factors: Sequence[int]) -> float:
    """Skewness of ln prod_i chi_(factors[i]); -1.535 for one half-normal, smaller as 1/sqrt(L)."""
    nu = _degrees(factors)
    return _cumulant(nu, 3) / _cumulant(nu, 2) ** 1.5


def normal_limit_error(factors: Sequence[int]) -> float:
    """Upper bound of sup_x |P(r <= x) - limit| for r = prod_i chi_(factors[i]) and its `normal_limit` (Berry-Esseen).

    C sum_i E |ln chi_i - E ln chi_i|^3 / (sum_i var ln chi_i)^(3/2), with C = 0.4748 for equal factors and 0.5600 for
    any (Shevtsova). For half-normals 1.0259 / sqrt(L), ten times the true distance 0.1021 / sqrt(L).
    """
    nu = _degrees(factors)
    constant = EQUAL_FACTORS if len(set(nu)) == 1 else ANY_FACTORS
    return constant * math.fsum(map(_third_absolute_moment, nu)) / _cumulant(nu, 2) ** 1.5


def edgeworth_cdf(x: np.ndarray, factors: Sequence[int]) -> np.ndarray:
    """P(prod_i chi_(factors[i]) <= x) to the first Edgeworth term, which leaves 0.052 / L for half-normals; x > 0."""
    nu = _degrees(factors)
    u = (np.log(require.points("x", x)) - _cumulant(nu, 1)) / math.sqrt(_cumulant(nu, 2))
    return stats.norm.cdf(u) - skewness(factors) / 6 * (u**2 - 1) * stats.norm.pdf(u)


def _degrees(factors: Sequence[int]) -> tuple[int, ...]:
    return require.integers("factors", factors, 1)


def _cumulant(nu: Sequence[int], order: int) -> float:
    """The cumulant of this order of ln prod_i chi_(nu_i)."""
    half = np.array(nu, dtype=float) / 2
    if order == 1:
        return float(np.sum(math.log(2) + psi(half)) / 2)
    return float(np.sum(polygamma(order - 1, half)) / 2**order)


@lru_cache(maxsize=1024)
def _third_absolute_moment(nu: int) -> float:
    """E |ln chi_nu - E ln chi_nu|^3."""
    half = nu / 2
    sd, lag = math.sqrt(polygamma(1, half)) / 2, log_less_digamma(half)

    def weighted(u: float) -> float:
        """At ln x = mean + u sd, x^2 / 2 = half * e^(2 u sd - lag); the two smooth halves are integrated apart."""
        return abs(u) ** 3 * math.exp(float(log_gamma_density(half, 2 * u * sd - lag)))

    left, _ = integrate.quad(weighted, -40, 0, epsabs=0, epsrel=1e-11, limit=400)
    right, _ = integrate.quad(weighted, 0, 15, epsabs=0, epsrel=1e-11, limit=400)
    return 2 * sd**4 * (left + right)
