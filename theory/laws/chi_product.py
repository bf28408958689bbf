"""Laws in the manner of scipy.stats' frozen distributions: products of independent chi variables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import polygamma, psi

from fragility.law import Law
from theory.laws.frozen import Derived, elementwise
from theory.laws.mellin import LogProduct
from theory.numerics import require

MOST_FACTORS = 256
LARGEST_DEGREE = 10**6


def chi_product(degrees: Sequence[int], scale: float = 1.0) -> "ChiProduct":
    """Law of r = scale * prod_i chi_(degrees[i]), all independent (feature compression, Lemma 3).

    E r^s = scale^s prod_i 2^(s/2) Gamma((nu_i + s)/2) / Gamma(nu_i/2) for s > -min(nu).

    Parameters
    ----------
    degrees : nu_i, 1 to 256 integers from 1 to 10^6 in any order; n_i - k + 1 for the diagonal entry r_kk of the R
        of a product of Gaussian matrices with n_i rows.
    scale : positive and finite.

    Raises
    ------
    ValueError : outside these ranges.

    Notes
    -----
    Exact for all degrees. Probabilities and density are right to 1e-10 of themselves, in both tails as far as
    doubles reach; the log methods go on beyond. 1000 points and more in one call are read from a table,
    made once for the law.
    """
    return ChiProduct(degrees, scale)  # type: ignore[arg-type]


def symmetrised(law: Law) -> "Symmetrised":
    """Law of a fair sign times r, for r >= 0 with the given law: what r_kk obeys as long as signs are not fixed.

    P(x) = 1/2 + sign(x) P(r <= |x|) / 2.
    """
    return Symmetrised(law)


@dataclass(frozen=True, repr=False)
class ChiProduct(Derived):
    """Law of scale * prod_i chi_(degrees[i]); see `chi_product`."""

    degrees: tuple[int, ...]
    scale: float = 1.0

    def __post_init__(self) -> None:
        degrees = require.integers("degrees", self.degrees, -math.inf, fewest=0)
        if not 1 <= len(degrees) <= MOST_FACTORS:
            raise ValueError(f"degrees must be 1 to {MOST_FACTORS} in number, got {len(degrees)}")
        for degree in degrees:
            if not 1 <= degree <= LARGEST_DEGREE:
                raise ValueError(f"degrees must be between 1 and {LARGEST_DEGREE}, got {degree}")
        object.__setattr__(self, "degrees", degrees)
        object.__setattr__(self, "scale", float(require.positive("scale", self.scale)))

    def __repr__(self) -> str:
        return f"chi_product({self.degrees}" + (")" if self.scale == 1 else f", scale={self.scale})")

    def __reduce__(self):
        return ChiProduct, (self.degrees, self.scale)  # caches stay at home

    @elementwise
    def cdf(self, x):
        """P(r <= x)."""
        return np.exp(self.logcdf(x))

    @elementwise
    def sf(self, x):
        """P(r > x)."""
        return np.exp(self.logsf(x))

    @elementwise
    def pdf(self, x):
        """Density of r; at 0 its limit from the right."""
        return np.exp(self.logpdf(x))

    @elementwise
    def logcdf(self, x):
        """ln P(r <= x)."""
        return self._where_positive(x, self._law.log_cdf, -np.inf, 0.0)

    @elementwise
    def logsf(self, x):
        """ln P(r > x)."""
        return self._where_positive(x, self._law.log_sf, 0.0, -np.inf)

    @elementwise
    def logpdf(self, x):
        """ln of the density of r; at 0 its limit from the right."""
        density = self._where_positive(x, self._law.log_density, -np.inf, -np.inf) - np.log(np.abs(x))
        if np.any(x == 0):
            density[x == 0] = self._log_density_at_0()
        return density

    @elementwise
    def ppf(self, q):
        """The x with P(r <= x) = q."""
        return self._quantile(np.log(q), np.log1p(-q))

    @elementwise
    def isf(self, q):
        """The x with P(r > x) = q."""
        return self._quantile(np.log1p(-q), np.log(q))

    def mean(self) -> float:
        """E r."""
        return self.moment(1)

    def var(self) -> float:
        """Variance of r; nothing cancels when degrees are large, as E r^2 = scale^2 prod_i nu_i."""
        mean = self.moment(1)
        return mean * mean * math.expm1(-2 * self._log_centred_moment(1))

    def std(self) -> float:
        """Standard deviation of r, wherever it lies within the doubles, though the variance does not."""
        return self.moment(1) * math.sqrt(math.expm1(-2 * self._log_centred_moment(1)))

    def moment(self, order: float) -> float:
        """E r^order for real order > -min(degrees)."""
        if not -min(self.degrees) < order < math.inf:
            raise ValueError(f"order must be finite and above -min(degrees) = {-min(self.degrees)}, got {order}")
        log_unit = math.log(self._unit[0]) + self._unit[1] * math.log(2)
        with np.errstate(over="ignore", under="ignore"):
            return float(np.exp(self._log_centred_moment(order) + order * log_unit))

    def log_mean(self) -> float:
        """E ln r."""
        return math.log(self.scale) + float(self._law.counts @ (math.log(2) + psi(self._law.degrees / 2))) / 2

    def log_var(self) -> float:
        """Variance of ln r."""
        return float(self._law.counts @ polygamma(1, self._law.degrees / 2)) / 4

    def support(self) -> tuple[float, float]:
        """0 and infinity."""
        return 0.0, math.inf

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws; random_state is a Generator, a RandomState or a seed."""
        rng = random_state if hasattr(random_state, "chisquare") else np.random.default_rng(random_state)
        product = np.ones(() if size is None else size)
        for degree in self.degrees:
            product *= np.sqrt(rng.chisquare(degree, size) / degree)
        return np.ldexp(product * self._unit[0], self._unit[1])[()]

    @cached_property
    def _law(self) -> LogProduct:
        return LogProduct(*np.unique(self.degrees, return_counts=True))

    @cached_property
    def _unit(self) -> tuple[float, int]:
        """scale * prod_i sqrt(nu_i) = mantissa * 2^exponent, rounded once: it may be far outside the doubles."""
        above, below = self.scale.as_integer_ratio()
        square, under = above**2 * math.prod(self.degrees), below**2
        shift = max(0, 128 + under.bit_length() - square.bit_length()) // 2 + 1
        root = math.isqrt((square << 2 * shift) // under)
        return root / (1 << root.bit_length()), root.bit_length() - shift

    def _where_positive(self, x, function, below, above):
        """function of ln(x / unit) where x is positive and finite."""
        value = np.where(x <= 0, below, np.where(x == np.inf, above, np.nan))
        inside = (x > 0) & (x < np.inf)
        mantissa, exponent = np.frexp(x[inside])
        log = np.log(mantissa / self._unit[0]) + (exponent - self._unit[1]) * math.log(2)
        value[inside] = function(log)
        return value

    def _quantile(self, log_cdf, log_sf):
        x = np.where(log_cdf == -np.inf, 0.0, np.where(log_sf == -np.inf, np.inf, np.nan))
        inside = np.isfinite(log_cdf) & np.isfinite(log_sf)
        y = self._law.quantile(log_cdf[inside], log_sf[inside])
        twos = np.rint(y / math.log(2))
        x[inside] = np.ldexp(np.exp(y - twos * math.log(2)) * self._unit[0], self._unit[1] + twos.astype(int))
        return x

    def _log_centred_moment(self, order):
        """ln E (r / unit)^order."""
        return float(self._law.cumulant(np.array([float(order)]))[0])

    def _log_density_at_0(self):
        """One half-normal factor lets the density start at sqrt(2/pi) E 1/others; more at infinity, none at 0."""
        others = tuple(degree for degree in self.degrees if degree > 1)
        if len(self.degrees) - len(others) != 1:
            return -np.inf if len(others) == len(self.degrees) else np.inf
        inverse = ChiProduct(others, self.scale).moment(-1) if others else 1 / self.scale
        return 0.5 * math.log(2 / math.pi) + np.log(inverse)


@dataclass(frozen=True)
class Symmetrised(Derived):
    """Law of a fair sign times r >= 0; see `symmetrised`."""

    law: Law

    @elementwise
    def cdf(self, x):
        """P(+-r <= x)."""
        return np.where(x < 0, self.law.sf(-x), 1 + self.law.cdf(x)) / 2

    @elementwise
    def sf(self, x):
        """P(+-r > x)."""
        return np.where(x > 0, self.law.sf(x), 1 + self.law.cdf(-x)) / 2

    @elementwise
    def pdf(self, x):
        """Density, half of that of r at |x|."""
        return self.law.pdf(np.abs(x)) / 2

    @elementwise
    def ppf(self, q):
        """The x with P(+-r <= x) = q."""
        return -self.isf(q)

    @elementwise
    def isf(self, q):
        """The x with P(+-r > x) = q."""
        return np.where(q > 0.5, -1.0, 1.0) * self.law.isf(2 * np.where(q > 0.5, 1 - q, q))

    def mean(self) -> float:
        """0, the signs being fair."""
        return 0.0

    def var(self) -> float:
        """E r^2."""
        return float(self.law.var() + self.law.mean() ** 2)

    def support(self) -> tuple[float, float]:
        """The support of r on both sides."""
        end = self.law.support()[1]
        return -end, end

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws; random_state is a Generator or a seed."""
        rng = np.random.default_rng(random_state)
        return self.law.rvs(size=size, random_state=rng) * rng.choice((-1.0, 1.0), size=size)
