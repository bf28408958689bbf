"""The part of a difference of inputs that k gradients see (feature compression, Theorem 7).

At a point x of R^d, x + x_1 and x + x_2 are the closest points of two classes, Delta = x_2 - x_1, and P projects on the
span of the gradients g_i of the outputs f_i at x. At the input x + size * x_1 the perturbation size * P Delta gives, to
first order in the size, the outputs of x + size * x_2, and no shorter one does. It has the share
rho = ||P Delta|| / ||Delta|| of the length of the whole step: the compression.

If Delta is isotropic and independent of the gradients, rho^2 ~ Beta(k/2, (d - k)/2), exact for every d > k.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from array_api_compat import array_namespace
from scipy.optimize import brentq
from scipy.special import betaincinv, digamma, polygamma

from theory.laws.chi_product import ChiProduct, chi_product
from theory.laws.gamma import log_half_step
from theory.numerics import magnitudes, require, span
from theory.numerics.array import Array
from theory.numerics.linear import aligned
from theory.products.fraction import FractionLaw, compression_law

SHARES = (1e-50, 1 - 1e-10)  # means and medians of which a dimension is found


def projection(gradients: Array, vector: Array) -> Array:
    """P v: the part of a vector in the span of k gradients, whatever their rank.

    By Gram-Schmidt, each step done twice, so that fractions stay exact and derivatives pass, the most independent
    gradient first. What a gradient leaves outside the span of those before it counts as rounding below 8 k eps of its
    length (in fractions only if it is 0). Nearly dependent gradients have the span of others that differ from them by
    rounding: if they are delta apart, relative to their lengths, P v errs by some eps / delta of its length. The units
    of the gradients do not matter, nor does that of the vector.

    Parameters
    ----------
    gradients : (..., k, d), finite.
    vector : (..., d), finite; leading axes broadcast.

    Raises
    ------
    ValueError : unless both are finite and have the same d.
    """
    return _seen(*aligned(gradients, vector=vector))


def perturbation(gradients: Array, difference: Array, size: Array = 1.0) -> Array:
    """size * P Delta: the shortest e with g_i . e = size * g_i . Delta for all i (feature compression, Theorem 7).

    To change the order of two outputs only, give it the one gradient of their difference.

    Parameters
    ----------
    gradients : g_i at x, (..., k, d).
    difference : Delta = x_2 - x_1, (..., d).
    size : the small positive number of the theorem; for linear outputs any number. Broadcasts against (...).
    """
    seen = _seen(*aligned(gradients, difference=difference))
    seen, size = require.alike(difference=seen, size=require.numbers("size", size))
    return (size[..., None] if hasattr(size, "shape") else size) * seen


def compression(gradients: Array, difference: Array) -> Array:
    """rho = ||P Delta|| / ||Delta||, in [0, 1] (feature compression, Theorem 7 and Table 3).

    Shapes (..., k, d) and (..., d) give (...). 0 if all gradients vanish, as in a dead network; NaN if Delta does.
    """
    gradients, difference = aligned(gradients, rational=False, difference=difference)
    return magnitudes.at_most(magnitudes.length(_seen(gradients, magnitudes.direction(difference))), 1)


def error_bound(
    gradients: Array, x_1: Array, x_2: Array, size: Array, smoothness: Array, at_input: bool = False
) -> Array:
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
    gradients, x_1, x_2 = aligned(gradients, rational=False, x_1=x_1, x_2=x_2)
    size, smoothness = require.numbers("size", size, 0), require.numbers("smoothness", smoothness, 0)
    seen, size, smoothness = require.alike(x_2=_seen(gradients, x_2 - x_1), size=size, smoothness=smoothness)
    unseen, whole = magnitudes.length(x_2 - x_1 - seen), magnitudes.length(x_2 - x_1)
    reach = magnitudes.length(seen) + whole if at_input else magnitudes.length(x_1 + seen) + magnitudes.length(x_2)
    return smoothness * (size * unseen) * (size * reach) / 2


def tanh_smoothness(output: Array, hidden: Array) -> Array:
    """Lipschitz constant of the gradient of a . tanh(W x + b): 4 / (3 sqrt 3) * max |a_i| * ||W||_2^2.

    Parameters
    ----------
    output : a, (..., width).
    hidden : W, (..., width, d).

    Raises
    ------
    ValueError : unless both are finite and of one width.
    """
    output, hidden = require.alike(
        output=require.finite("output", output, rational=False),
        hidden=require.matrix("hidden", hidden, rational=False),
    )
    if output.shape[-1:] != hidden.shape[-2:-1]:
        raise ValueError(f"output must have {hidden.shape[-2]} entries, got shape {tuple(output.shape)}")
    xp, unit = array_namespace(hidden), magnitudes.unit(hidden, axis=(-2, -1))
    largest = xp.linalg.svdvals(hidden / unit)[..., 0] * unit[..., 0, 0]
    return 4 / (3 * math.sqrt(3)) * xp.max(xp.abs(output), axis=-1) * largest * largest


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
    d = require.integer("d", d, require.integer("gradients", gradients, 1) + 1)
    return compression_law(d, (d,), gradients)


def size_law(gradients: int = 2) -> ChiProduct:
    """Law of ||P (x_1 - x_2)|| for standard Gaussian points: sqrt(2) chi_k, whatever d; k = d: the whole difference."""
    return chi_product((require.integer("gradients", gradients, 1),), math.sqrt(2))


def mean_compression(d: float, gradients: float = 2) -> float:
    """E rho = Gamma((k+1)/2) Gamma(d/2) / (Gamma(k/2) Gamma((d+1)/2)), for real d > k > 0 too."""
    _dimensions(d, gradients)
    return math.exp(log_half_step(gradients / 2) - log_half_step(d / 2)) * math.sqrt(gradients / d)


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
    ValueError : unless 1e-50 <= mean <= 1 - 1e-10.
    """
    return _dimension(mean_compression, require.numbers("mean", mean, *SHARES), gradients)


def dimension_from_median(median: float, gradients: float = 2) -> float:
    """The real d at which the median of rho has this value (feature compression, Table 3 read backwards).

    Raises
    ------
    ValueError : unless 1e-50 <= median <= 1 - 1e-10.
    """
    return _dimension(median_compression, require.numbers("median", median, *SHARES), gradients)


def zero_gradient_probability(widths: Sequence[int]) -> float:
    """P(gradient = 0) = 1 - prod_l (1 - 2^-w_l) of a ReLU network at initialisation, weights and biases symmetric.

    Parameters
    ----------
    widths : of the hidden layers, each at least 1.
    """
    widths = require.integers("widths", widths, 1, fewest=0)
    return -math.expm1(math.fsum(math.log1p(-(0.5**width)) for width in widths))


def log_gradient_moments(d: int, widths: Sequence[int]) -> tuple[float, float]:
    """Mean and variance of ln ||gradient||^2 of a Gaussian ReLU network at initialisation, given that it is not 0.

    ||gradient||^2 = chi_d^2 prod_l chi_{K_l}^2 in law, K_l ~ Binomial(w_l, 1/2), all independent, for weights of unit
    variance; variances sigma_l^2 add their logarithms to the mean.

    Parameters
    ----------
    d : input dimension, at least 1.
    widths : of the hidden layers, each at least 1.
    """
    require.integer("d", d, 1)
    mean, variance = float(digamma(d / 2)) + math.log(2), float(polygamma(1, d / 2))
    for width in require.integers("widths", widths, 1, fewest=0):
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
    if not require.positive("gradients", gradients) < require.positive("d", d):
        raise ValueError(f"gradients must be below d = {d}, got {gradients}")


def _dimension(function: Callable[[float, float], float], value: float, gradients: float) -> float:
    above = 2 * gradients + 2
    while function(above, gradients) > value:
        above *= 4
    return float(
        brentq(lambda d: function(d, gradients) - value, gradients * (1 + 1e-12), above, xtol=1e-12, rtol=1e-14)
    )


def _seen(gradients: Array, vector: Array) -> Array:
    seen = 0 * vector + 0 * gradients[..., 0, :]
    for direction in span.basis(gradients):
        seen = seen + span.along(direction, vector)
    return seen
