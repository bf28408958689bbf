"""The part of a difference of inputs that k gradients see (feature compression, Theorem 7).

At a point x of R^d, x + x_1 and x + x_2 are the closest points of two classes, Delta = x_2 - x_1, and P projects on the
span of the gradients g_i of the outputs f_i at x. At the input x + size * x_1 the perturbation size * P Delta gives, to
first order in the size, the outputs of x + size * x_2, and no shorter one does. It has the share
rho = ||P Delta|| / ||Delta|| of the length of the whole step: the compression.

If Delta is isotropic and independent of the gradients, rho^2 ~ Beta(k/2, (d - k)/2), exact for every d > k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array
from scipy.optimize import brentq
from scipy.special import betaincinv, digamma, polygamma

from theory import _require
from theory._gamma import log_gamma_ratio
from theory.fraction import FractionLaw, compression_law
from theory.laws import ChiProduct, chi_product


def projection(gradients: Any, vector: Any) -> Any:
    """P v: the part of a vector in the span of k gradients, whatever their rank.

    By Gram-Schmidt, each step done twice, so that fractions stay exact and derivatives pass. What a gradient leaves
    outside the span of those before it counts as rounding below 8 d eps of its length (in fractions only if it is 0).

    Parameters
    ----------
    gradients : (..., k, d), finite.
    vector : (..., d), finite; leading axes broadcast.

    Raises
    ------
    ValueError : unless both are finite and have the same d.
    """
    _require.matrix("gradients", gradients)
    _require.finite("vector", vector)
    if gradients.shape[-1] != vector.shape[-1]:
        raise ValueError(
            f"gradients and vector must have the same dimension, got {gradients.shape[-1]} and {vector.shape[-1]}"
        )
    basis: list[Any] = []
    for k in range(gradients.shape[-2]):
        unit = _scaled(gradients[..., k, :])
        left = _residual(basis, _residual(basis, unit))
        basis.append(_without_rounding(left, unit))
    return sum((_along(direction, vector) for direction in basis), 0 * (vector + gradients[..., 0, :]))


def perturbation(gradients: Any, difference: Any, size: float = 1.0) -> Any:
    """size * P Delta: the shortest e with g_i . e = size * g_i . Delta for all i (feature compression, Theorem 7).

    To change the order of two outputs only, give it the one gradient of their difference.

    Parameters
    ----------
    gradients : g_i at x, (..., k, d).
    difference : Delta = x_2 - x_1, (..., d).
    size : the small positive number of the theorem; for linear outputs any number.
    """
    return size * projection(gradients, difference)


def compression(gradients: Any, difference: Any) -> Any:
    """rho = ||P Delta|| / ||Delta||, in [0, 1] (feature compression, Theorem 7 and Table 3).

    Shapes (..., k, d) and (..., d) give (...). 0 if all gradients vanish, as in a dead network; NaN if Delta does.
    """
    return _length(projection(gradients, difference)) / _or_nan(_length(difference))


def error_bound(gradients: Any, x_1: Any, x_2: Any, size: Any, smoothness: Any, at_input: bool = False) -> Any:
    """Bound on |f_i(x + size x_1 + e) - f_i(x + size x_2)| for the perturbation e of Theorem 7, made exact.

    With n = (I - P) Delta it is smoothness * size^2 / 2 * ||n|| (||x_1 + P Delta|| + ||x_2||), and with gradients at
    the input x + size x_1 smoothness * size^2 / 2 * ||n|| (||P Delta|| + ||Delta||): the two points differ by
    size * n, which is normal to the gradient. Exact for every size; attained by quadratics.

    Parameters
    ----------
    gradients, x_1, x_2 : (..., k, d), (..., d), (..., d).
    size : at least 0.
    smoothness : Lipschitz constant of the gradient of f_i on the hull of the points, at least 0; broadcasts.
    at_input : the gradients are those at x + size x_1, which is what an attacker has.
    """
    seen = projection(gradients, x_2 - x_1)
    unseen = _length(x_2 - x_1 - seen)
    reach = _length(seen) + _length(x_2 - x_1) if at_input else _length(x_1 + seen) + _length(x_2)
    return smoothness * size**2 / 2 * unseen * reach


def tanh_smoothness(output: Any, hidden: Any) -> Any:
    """Lipschitz constant of the gradient of a . tanh(W x + b): 4 / (3 sqrt 3) * max |a_i| * ||W||_2^2.

    Parameters
    ----------
    output : a, (..., width).
    hidden : W, (..., width, d).
    """
    xp = array_namespace(output, hidden)
    _require.finite("output", output)
    _require.matrix("hidden", hidden)
    largest = xp.linalg.svdvals(hidden)[..., 0]
    return 4 / (3 * math.sqrt(3)) * xp.max(xp.abs(output), axis=-1) * largest**2


def span_law(d: int, gradients: int = 2) -> FractionLaw:
    """Law of rho for independent isotropic difference and gradients: rho^2 ~ Beta(k/2, (d - k)/2), exact.

    The same law as |r_nn| / ||a_n|| of one Gaussian d x (d - k + 1) matrix. With k = 1 also the law of
    |cos angle(gradient, v)| of every ReLU network at initialisation, of any width and depth, with symmetric weights and
    biases and a Gaussian first layer, for any v that does not depend on the network, given that the gradient is not 0.

    Parameters
    ----------
    d : input dimension, above the number of gradients.
    gradients : k, at least 1; they must be linearly independent.

    Raises
    ------
    ValueError : unless 1 <= gradients < d (for gradients = d the ratio is always 1).
    """
    _dimensions(d, gradients)
    return compression_law(d, (d,), gradients)


def size_law(gradients: int = 2) -> ChiProduct:
    """Law of ||P (x_1 - x_2)|| for standard Gaussian points: sqrt(2) chi_k, whatever d; k = d: the whole difference."""
    return chi_product((_require.integer("gradients", gradients, 1),), math.sqrt(2))


def mean_compression(d: float, gradients: float = 2) -> float:
    """E rho = Gamma((k+1)/2) Gamma(d/2) / (Gamma(k/2) Gamma((d+1)/2)), for real d > k > 0 too."""
    _dimensions(d, gradients)
    half = (_half_step(gradients) - _half_step(d)) + 0.5 * math.log(gradients / d)
    return math.exp(half)


def median_compression(d: float, gradients: float = 2) -> float:
    """Median of rho, for real d > k > 0 too; sqrt(1 - 2^(-2/(d - 2))) for two gradients."""
    _dimensions(d, gradients)
    return math.sqrt(betaincinv(gradients / 2, (d - gradients) / 2, 0.5))


def difficulty_of_means(d: float, gradients: float = 2) -> float:
    """E ||Delta||^2 / E ||P Delta||^2 = d / k: how many times larger the full step is, by a ratio of means."""
    _dimensions(d, gradients)
    return d / gradients


def mean_difficulty(d: float, gradients: float = 2) -> float:
    """E rho^-2 = (d - 2) / (k - 2), infinite for one and two gradients."""
    _dimensions(d, gradients)
    return (d - 2) / (gradients - 2) if gradients > 2 else math.inf


def median_difficulty(d: float, gradients: float = 2) -> float:
    """Median of rho^-2; for two gradients 1 / (1 - 2^(-2/(d - 2))), about 0.72 (d - 2) + 0.5."""
    _dimensions(d, gradients)
    return 1 / betaincinv(gradients / 2, (d - gradients) / 2, 0.5)


def dimension_from_mean(mean: float, gradients: float = 2) -> float:
    """The real d at which E rho has this value (feature compression, Table 3 read backwards).

    Raises
    ------
    ValueError : unless 0 < mean < 1.
    """
    return _dimension(mean_compression, _require.probability("mean", mean), gradients)


def dimension_from_median(median: float, gradients: float = 2) -> float:
    """The real d at which the median of rho has this value (feature compression, Table 3 read backwards).

    Raises
    ------
    ValueError : unless 0 < median < 1.
    """
    return _dimension(median_compression, _require.probability("median", median), gradients)


def zero_gradient_probability(widths: Sequence[int]) -> float:
    """P(gradient = 0) = 1 - prod_l (1 - 2^-w_l) of a ReLU network at initialisation, weights and biases symmetric.

    Parameters
    ----------
    widths : of the hidden layers, each at least 1.
    """
    return -math.expm1(sum(math.log1p(-(0.5 ** _require.integer("widths", width, 1))) for width in widths))


def log_gradient_moments(d: int, widths: Sequence[int]) -> tuple[float, float]:
    """Mean and variance of ln ||gradient||^2 of a Gaussian ReLU network at initialisation, given that it is not 0.

    ||gradient||^2 = chi_d^2 prod_l chi_{K_l}^2 in law, K_l ~ Binomial(w_l, 1/2), all independent, for weights of unit
    variance; variances sigma_l^2 add their logarithms to the mean.

    Parameters
    ----------
    d : input dimension, at least 1.
    widths : of the hidden layers, each at least 1.
    """
    _require.integer("d", d, 1)
    mean, variance = float(digamma(d / 2)) + math.log(2), float(polygamma(1, d / 2))
    for width in widths:
        _require.integer("widths", width, 1)
        chances = [math.comb(width, k) / (2**width - 1) for k in range(1, width + 1)]
        logs = [float(digamma(k / 2)) + math.log(2) for k in range(1, width + 1)]
        centre = math.fsum(p * log for p, log in zip(chances, logs, strict=True))
        mean += centre
        variance += math.fsum(
            p * ((log - centre) ** 2 + float(polygamma(1, k / 2)))
            for k, (p, log) in enumerate(zip(chances, logs, strict=True), start=1)
        )
    return mean, variance


def _dimensions(d: float, gradients: float) -> None:
    if not 0 < gradients < d < math.inf:
        raise ValueError(f"0 < gradients < d must hold, got gradients={gradients}, d={d}")


def _half_step(degrees: float) -> float:
    """ln Gamma((nu + 1)/2) - ln Gamma(nu/2) - ln(nu/2) / 2, without cancellation for large nu."""
    return float(log_gamma_ratio(degrees / 2, np.array([0.5]))[0])


def _dimension(function: Any, value: float, gradients: float) -> float:
    above = 2 * gradients + 2
    while function(above, gradients) > value:
        above *= 4
    return float(
        brentq(lambda d: function(d, gradients) - value, gradients * (1 + 1e-12), above, xtol=1e-12, rtol=1e-14)
    )


def _scaled(vector: Any) -> Any:
    """The vector over its largest entry, against overflow; a vector of zeros as it is."""
    xp = array_namespace(vector)
    largest = xp.max(xp.abs(vector), axis=-1, keepdims=True)
    return vector / xp.where(largest > 0, largest, 1 + 0 * largest)


def _along(direction: Any, vector: Any) -> Any:
    """The part of a vector along a direction; 0 along the zero vector."""
    xp = array_namespace(direction)
    square = xp.sum(direction * direction, axis=-1, keepdims=True)
    inner = xp.sum(direction * vector, axis=-1, keepdims=True)
    return direction * (inner / xp.where(square > 0, square, 1 + 0 * square))


def _residual(basis: Sequence[Any], vector: Any) -> Any:
    for direction in basis:
        vector = vector - _along(direction, vector)
    return vector


def _without_rounding(left: Any, whole: Any) -> Any:
    xp = array_namespace(left)
    exact = is_numpy_array(left) and left.dtype == object
    noise = 0 if exact else 8 * left.shape[-1] * xp.finfo(left.dtype).eps
    kept = xp.sum(left * left, axis=-1, keepdims=True) > noise**2 * xp.sum(whole * whole, axis=-1, keepdims=True)
    return _scaled(xp.where(kept, left, 0 * left))


def _length(vector: Any) -> Any:
    """Euclidean norm along the last axis, with derivative 0 at the zero vector."""
    xp = array_namespace(vector)
    largest = xp.max(xp.abs(vector), axis=-1, keepdims=True)
    square = xp.sum(_scaled(vector) ** 2, axis=-1)
    return largest[..., 0] * xp.sqrt(xp.where(square > 0, square, 1 + 0 * square))


def _or_nan(length: Any) -> Any:
    xp = array_namespace(length)
    return xp.where(length > 0, length, xp.nan + 0 * length)
