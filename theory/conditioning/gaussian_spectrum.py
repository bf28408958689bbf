"""The smallest singular value of a Gaussian matrix, and what it has to do with the distances between its columns.

A is square, n x n with independent N(0, 1) entries, unless said otherwise. Edelman's exact density of
lambda = sigma_min^2 (1988, Theorem 3.1; U is Tricomi's function),

    f(lambda) = n / sqrt(2 pi) Gamma((n+1)/2) lambda^(-1/2) e^(-n lambda / 2) U((n-1)/2, -1/2, lambda / 2),

turns, with the integral of U, into a scale mixture: sigma_min = |N| / sqrt(n + T) with T independent of N and density

    n (n-1) / 2 t^((n-3)/2) (1 + t)^(-(n+2)/2) (n + t)^(-1/2),   t > 0  (n >= 2; T = 0 for n = 1).

Every term of the mixture is positive, so that both tails keep their relative accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from scipy.special import erf, erfc, erfcx, gammaln, psi

from theory.laws.frozen import Positive, elementwise
from theory.laws.gamma import log_half_step
from theory.numerics import magnitudes, require
from theory.numerics.array import Array

BLOCK = 2048  # points per pass through the mixture: bounds the memory
STEP = 0.1  # of the trapezoidal rule in ln t; its error is below e^-50 as far as doubles reach
EULER = -float(psi(1))


@dataclass(frozen=True)
class ScaledSmallestLimit(Positive):
    """Frozen law with P(T > t) = e^(-t - t^2/2): the limit of sqrt(n) sigma_min (Edelman 1988, Corollary 3.1)."""

    @elementwise
    def cdf(self, x):
        """P(T <= x)."""
        return np.where(x > 0, -np.expm1(-x * (1 + x / 2)), np.where(np.isnan(x), x, 0.0))

    @elementwise
    def sf(self, x):
        """P(T > x)."""
        return np.where(x > 0, np.exp(-x * (1 + x / 2)), np.where(np.isnan(x), x, 1.0))

    @elementwise
    def logsf(self, x):
        """ln P(T > x)."""
        return np.where(x > 0, -x * (1 + x / 2), np.where(np.isnan(x), x, 0.0))

    @elementwise
    def pdf(self, x):
        """Density (1 + t) e^(-t - t^2/2); 1 at 0."""
        inside = np.exp(np.log1p(x) - x * (1 + x / 2))
        return np.where(x == np.inf, 0.0, np.where(x >= 0, inside, np.where(np.isnan(x), x, 0.0)))

    @elementwise
    def ppf(self, q):
        """The x with P(T <= x) = q."""
        return _root_of_exponent(-np.log1p(-q))

    @elementwise
    def isf(self, q):
        """The x with P(T > x) = q."""
        return _root_of_exponent(-np.log(q))

    def moment(self, order: float) -> float:
        """E T^order in closed form for 0, 1, 2, by quadrature of the quantile for other orders above -1."""
        if order in (0, 1, 2):
            mean = math.sqrt(math.pi / 2) * float(erfcx(math.sqrt(0.5)))
            return (1.0, mean, 2 * (1 - mean))[int(order)]
        if not -1 < order < math.inf:
            raise ValueError(f"order must be finite and above -1, got {order}")
        if order < 0:  # both terms of the density (1 + t) e^(-t - t^2/2), by parts: no pole is left
            return self.moment(order + 1) / (order + 1) + self.moment(order + 2) / (order + 2)
        # T = sqrt(1 + 2E) - 1 with E exponential; trapezoidal rule in ln E.
        y = np.arange(-45, 5 + math.log(8 + order), 0.01)
        with np.errstate(over="ignore"):  # beyond the doubles from order 301 on
            return float(0.01 * np.sum(np.exp(order * np.log(_root_of_exponent(np.exp(y))) + y - np.exp(y))))

    def var(self) -> float:
        """Variance 0.2587...; the mean is 0.6557, so that nothing cancels."""
        return self.moment(2) - self.mean() ** 2

    def log_mean(self) -> float:
        """E ln T = -0.84394...: ln T = ln 2E - ln(1 + sqrt(1 + 2E)), E exponential."""
        y = np.arange(-50, 7, 0.01)
        return float(0.01 * np.sum(np.log(_root_of_exponent(np.exp(y))) * np.exp(y - np.exp(y))))

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws; random_state is a Generator or a seed."""
        return _root_of_exponent(np.random.default_rng(random_state).standard_exponential(size))


def _root_of_exponent(exponent):
    """The t >= 0 with t + t^2/2 = exponent; NaN for negative ones."""
    exponent = np.where(exponent < 0, np.nan, exponent + 0.0)  # no negative zero
    return np.where(np.isinf(exponent), exponent, 2 * exponent / (1 + np.sqrt(1 + 2 * exponent)))[()]


def smallest_singular_law(n: int, scale: float = 1.0) -> SmallestSingular:
    """Law of scale * sigma_min of an n x n Gaussian matrix (Edelman 1988), n >= 1, exact at every size.

    Probabilities and density are right to about 1e-12 of themselves, in both tails as far as doubles reach; the
    scale sqrt(n) gives what converges to `ScaledSmallestLimit`.

    Raises
    ------
    ValueError : unless n is an integer of at least 1 and scale is positive.
    """
    return SmallestSingular(n, scale)


@dataclass(frozen=True)
class SmallestSingular(Positive):
    """Frozen law of scale * sigma_min; see `smallest_singular_law`."""

    n: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", require.integer("n", self.n, 1))
        require.positive("scale", self.scale)

    @cached_property
    def _mixture(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes sqrt(n + t) / scale and weights: sigma_min is |N| / node."""
        n = self.n
        if n == 1:
            return np.array([1 / self.scale]), np.ones(1)
        # Where sigma^2 is large, small t weigh most: for small n those near n^2 / 1400, for large n those near n / 38,
        # where (t / (1 + t))^((n-1)/2) has fallen by up to e^-38. From `least` on it falls by another e^-40. Above, the
        # density of ln t falls like t^-2.
        least = -math.log(math.expm1(math.log1p(1400 / n**2) + (80 + min(n, 76)) / (n - 1)))
        y = np.arange(least, math.log(n) + 28, STEP)
        t = np.exp(y)
        log_weight = -(n - 1) / 2 * np.log1p(1 / t) - 1.5 * np.log1p(t) - 0.5 * np.log(n + t)
        weight = STEP * n * (n - 1) / 2 * np.exp(log_weight)
        return np.sqrt(n + t) / self.scale, weight / weight.sum()

    def _mix(self, x: np.ndarray, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """sum of weight * of(x * node)."""
        node, weight = self._mixture
        blocks = [of(np.outer(x[k : k + BLOCK], node)) @ weight for k in range(0, x.size, BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty(0)

    @elementwise
    def cdf(self, x):
        """P(sigma_min <= x)."""
        return np.where(x == np.inf, 1.0, self._mix(np.maximum(x, 0), lambda z: erf(z / math.sqrt(2))))

    @elementwise
    def sf(self, x):
        """P(sigma_min > x)."""
        return np.where(x <= 0, 1.0, self._mix(np.maximum(x, 0), lambda z: erfc(z / math.sqrt(2))))

    @elementwise
    def pdf(self, x):
        """Density; at 0 its limit from the right, the small-ball constant."""
        node, weight = self._mixture
        blocks = [
            np.exp(-(np.outer(x[k : k + BLOCK], node) ** 2) / 2) @ (weight * node) for k in range(0, x.size, BLOCK)
        ]
        value = math.sqrt(2 / math.pi) * np.concatenate(blocks) if blocks else np.empty(0)
        return np.where(x < 0, 0.0, value)

    @elementwise
    def ppf(self, q):
        """The x with P(sigma_min <= x) = q."""
        return self._at_exponent(-np.log1p(-q))

    @elementwise
    def isf(self, q):
        """The x with P(sigma_min > x) = q."""
        return self._at_exponent(-np.log(q))

    def _at_exponent(self, exponent: np.ndarray) -> np.ndarray:
        """The x with -ln P(sigma_min > x) = exponent: Newton's method on logarithms, nearly linear in each other."""
        x = _root_of_exponent(exponent) * self.scale / math.sqrt(self.n)
        inside = (exponent > 0) & (exponent < np.inf)
        target, y = np.log(exponent[inside]), np.log(x[inside])
        for _ in range(50):
            below, above, density = self.cdf(np.exp(y)), self.sf(np.exp(y)), self.pdf(np.exp(y))
            height = np.where(below < 0.5, -np.log1p(-below), -np.log(above))
            step = (np.log(height) - target) * height * above / (density * np.exp(y))
            y = y - np.clip(step, -1, 1)
            if np.all(np.abs(step) < 1e-14):
                break
        x[inside] = np.exp(y)
        return x

    def moment(self, order: float) -> float:
        """E (scale sigma_min)^order for order > -1."""
        if not -1 < order < math.inf:
            raise ValueError(f"order must be finite and above -1, got {order}")
        node, weight = self._mixture
        normal = order / 2 * math.log(2) + float(gammaln((order + 1) / 2)) - math.log(math.pi) / 2
        least = math.log(float(node[0]))  # factored out: the powers alone may be beyond the doubles
        with np.errstate(over="ignore", under="ignore"):
            return float(np.exp(normal - order * least + np.log(weight @ np.exp(-order * (np.log(node) - least)))))

    def var(self) -> float:
        """Variance: that of |N| and that of its scale, each about its own mean."""
        node, weight = self._mixture
        width = 1 / node
        return float((1 - 2 / math.pi) * weight @ width**2 + 2 / math.pi * weight @ (width - weight @ width) ** 2)

    def log_mean(self) -> float:
        """E ln(scale sigma_min); E ln |N| = -(ln 2 + Euler's constant) / 2."""
        node, weight = self._mixture
        return -(math.log(2) + EULER) / 2 - float(weight @ np.log(node))

    def rvs(self, size: Any = None, random_state: Any = None):
        """Independent draws |N| / sqrt(n + T); T by rejection from a beta-prime law."""
        rng = np.random.default_rng(random_state)
        shape = () if size is None else size
        count = int(np.prod(shape))
        kept = np.zeros(0) if self.n > 1 else np.zeros(count)
        while kept.size < count:
            t = rng.standard_gamma((self.n - 1) / 2, count + 16) / rng.standard_gamma(1.5, count + 16)
            kept = np.concatenate([kept, t[rng.random(t.size) ** 2 * (self.n + t) < self.n]])
        draws = self.scale * np.abs(rng.standard_normal(count)) / np.sqrt(self.n + kept[:count])
        return draws.reshape(shape)[()]


def small_ball_constant(n: int) -> float:
    """c_n = lim P(sigma_min <= t) / t as t -> 0, exactly sqrt(2/pi) / E|o_n| for a coordinate o_n of a Haar vector.

    c_n = sqrt 2 Gamma((n+1)/2) / Gamma(n/2), about sqrt(n); for r_nn it is sqrt(2/pi), whatever n.
    """
    n = require.integer("n", n, 1)
    return math.sqrt(n) * math.exp(log_half_step(n / 2))


def column_distances(A: Array) -> Array:
    """delta_k = dist(a_k, span of the other columns) = 1 / ||e_k^T A^+||: (..., m, n) to (..., n).

    For a Gaussian A with m >= n rows each delta_k is chi with m - n + 1 degrees of freedom, and for m = n

        min_k delta_k / sqrt(n) <= sigma_min <= min_k delta_k <= r_nn = delta_n

    holds in every matrix. Any array library; differentiable. No column's scale matters to the others. 0 for columns
    that depend on others to rounding, of which rows of A^+ say nothing: those that take part in what A annihilates,
    with columns of size 1, up to m u. delta_k errs by some u |a_k| for itself, and by some u |c_j| |a_j| for every
    other column, c the coefficients of the nearest point: little, unless the others nearly depend on one another.

    Raises
    ------
    ValueError : for fewer rows than columns.
    """
    A = require.matrix("A", A, rational=False)
    if A.shape[-2] < A.shape[-1]:
        raise ValueError(f"A must have at least as many rows as columns, got shape {tuple(A.shape)}")
    xp = array_namespace(A)
    longest = magnitudes.length(A, -2)
    size = magnitudes.power(longest)
    A = A / size[..., None, :]
    _, sigma, Vh = xp.linalg.svd(A, full_matrices=False)
    floor = A.shape[-2] * xp.finfo(A.dtype).eps
    seen = sigma > floor * sigma[..., :1]
    least = xp.min(xp.where(seen, sigma, sigma[..., :1]), axis=-1, keepdims=True)
    part = xp.where(seen[..., None], xp.zeros_like(Vh), Vh)
    dependent = magnitudes.length(part, -2) * least > floor * sigma[..., :1]
    rows = magnitudes.length(xp.linalg.pinv(A, rtol=floor))
    distance = size / xp.where(rows > 0, rows, xp.ones_like(rows))
    return xp.where(dependent | (longest == 0), xp.zeros_like(distance), xp.minimum(distance, longest))


def extreme_interval(m: int, n: int, miss: float) -> tuple[float, float]:
    """Where all singular values of an m x n Gaussian matrix, m >= n, lie with probability at least 1 - miss.

    sqrt(m) -+ (sqrt(n) + t) with 2 e^(-t^2/2) = miss (Davidson and Szarek 2001, Theorem II.13); the lower end may be
    negative, and then says nothing.
    """
    require.integer("n", n, 1)
    require.integer("m", m, n)
    half = math.sqrt(n) + math.sqrt(2 * math.log(2 / require.probability("miss", miss)))
    return math.sqrt(m) - half, math.sqrt(m) + half
