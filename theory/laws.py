"""Laws as frozen distributions in the manner of scipy.stats: products of independent chi variables."""

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import polygamma, psi

from theory._mellin import LogProduct

LARGEST_DEGREE = 10**6
MOST_FACTORS = 256


@runtime_checkable
class Law(Protocol):
    """What is asked of a law of a real variable; every frozen continuous distribution of scipy.stats has it."""

    def cdf(self, x: Any) -> Any: ...
    def sf(self, x: Any) -> Any: ...
    def pdf(self, x: Any) -> Any: ...
    def ppf(self, q: Any) -> Any: ...
    def isf(self, q: Any) -> Any: ...
    def mean(self) -> Any: ...
    def var(self) -> Any: ...
    def std(self) -> Any: ...
    def median(self) -> Any: ...
    def support(self) -> Any: ...
    def rvs(self, size: Any = ..., random_state: Any = ...) -> Any: ...


def chi_product(degrees: Sequence[int], scale: float = 1.0) -> "ChiProduct":
    """Law of scale * prod_i chi_(degrees[i]), independent factors (feature compression, Lemma 3).

    A diagonal entry r_kk of the R of a product of Gaussian matrices with n_1, n_2, ... rows has the degrees
    n_i - k + 1. E r^s = scale^s prod_i 2^(s/2) Gamma((nu_i + s)/2) / Gamma(nu_i/2) for s > -min(nu).

    Parameters
    ----------
    degrees : 1 to 256 integers from 1 to 10^6, in any order.
    scale : positive and finite.

    Raises
    ------
    ValueError : if the parameters are outside these ranges.

    Notes
    -----
    Exact for all degrees. Probabilities and densities are right to 1e-10 relative, in both tails; their
    logarithms go on where doubles underflow. From 1000 points on they come from a table that is made
    once for a law.
    """
    return ChiProduct(tuple(degrees), scale)


def _elementwise(method: Callable) -> Callable:
    """A method of flat float arrays, for arrays of any shape and scalars."""

    @wraps(method)
    def vectorised(self, x: ArrayLike):
        points = np.asarray(x, dtype=float)
        with np.errstate(all="ignore"):
            return method(self, points.ravel()).reshape(points.shape)[()]

    return vectorised


class _Derived:
    """What follows from ppf, isf and var, for every law."""

    def median(self):
        return self.ppf(0.5)

    def std(self):
        return np.sqrt(self.var())

    def interval(self, confidence):
        """The end points of the central interval with this probability."""
        tail = (1 - np.asarray(confidence)) / 2
        return self.ppf(tail), self.isf(tail)


@dataclass(frozen=True)
class ChiProduct(_Derived):
    """Law of scale * prod_i chi_(degrees[i]); made by `chi_product`."""

    degrees: tuple[int, ...]
    scale: float = 1.0

    def __post_init__(self):
        try:
            degrees = tuple(map(operator.index, self.degrees))
        except TypeError:
            raise ValueError(f"degrees must be integers, got {self.degrees}") from None
        if not 1 <= len(degrees) <= MOST_FACTORS:
            raise ValueError(f"degrees must be 1 to {MOST_FACTORS} integers, got {len(degrees)} of them")
        outside = [degree for degree in degrees if not 1 <= degree <= LARGEST_DEGREE]
        if outside:
            raise ValueError(f"degrees must lie in 1 to {LARGEST_DEGREE}, got {outside[0]}")
        try:
            scale = float(self.scale)
        except (TypeError, ValueError):
            raise ValueError(f"scale must be a number, got {self.scale!r}") from None
        if not 0 < scale < math.inf:
            raise ValueError(f"scale must be positive and finite, got {scale}")
        object.__setattr__(self, "degrees", degrees)
        object.__setattr__(self, "scale", scale)

    def __repr__(self) -> str:
        return f"chi_product({self.degrees}" + (")" if self.scale == 1 else f", scale={self.scale})")

    def __reduce__(self):
        return ChiProduct, (self.degrees, self.scale)  # without the caches

    @_elementwise
    def cdf(self, x):
        """P(r <= x)."""
        return np.exp(self.logcdf(x))

    @_elementwise
    def sf(self, x):
        """P(r > x)."""
        return np.exp(self.logsf(x))

    @_elementwise
    def pdf(self, x):
        """Density; at 0 its limit from the right."""
        return np.exp(self.logpdf(x))

    @_elementwise
    def logcdf(self, x):
        """ln P(r <= x), also where the probability underflows."""
        return self._inside(x, self._law.log_cdf, -np.inf, 0.0)

    @_elementwise
    def logsf(self, x):
        """ln P(r > x), also where the probability underflows."""
        return self._inside(x, self._law.log_sf, 0.0, -np.inf)

    @_elementwise
    def logpdf(self, x):
        """ln of the density; at 0 its limit from the right."""
        value = self._inside(x, self._law.log_density, -np.inf, -np.inf) - np.log(np.abs(x))
        return np.where(x == 0, self._log_density_at_0(), value)

    @_elementwise
    def ppf(self, q):
        """The x with P(r <= x) = q."""
        return self._quantile(np.log(q), np.log1p(-q))

    @_elementwise
    def isf(self, q):
        """The x with P(r > x) = q; exact for the smallest q as well."""
        return self._quantile(np.log1p(-q), np.log(q))

    def mean(self) -> float:
        """E r."""
        return self.moment(1)

    def var(self) -> float:
        """Variance of r, without cancellation when the degrees are large."""
        root_mean_square = self._unit  # E prod chi_i^2 = prod nu_i
        del root_mean_square
        return self.moment(1) ** 2 * math.expm1(-2 * self._log_moment(1))

    def moment(self, order: float) -> float:
        """E r^order for every real order > -min(degrees)."""
        if not order > -min(self.degrees):
            raise ValueError(f"order must exceed -min(degrees) = {-min(self.degrees)}, got {order}")
        return 0

    def log_mean(self) -> float:
        """E ln r."""
        values, counts = self._grouped
        return math.log(self.scale) + float(counts @ (math.log(2) + psi(values / 2))) / 2

    def log_var(self) -> float:
        """Variance of ln r."""
        values, counts = self._grouped
        return float(counts @ polygamma(1, values / 2)) / 4
