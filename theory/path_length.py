"""Lengths of paths on which a classifier's output falls, and what compression has to do with them (Section 5).

f = f_2 - f_1 is the margin of class 2, x_2 a point of that class, x_1 the closest point of class 1, L their distance,
v the direction from x_2 to x_1, theta the angle between the gradient of f and v. On the direct path and on the path of
steepest descent, which an attack with small steps follows, of length l,

    f(x_1) - f(x_2) = int_0^L ||grad f|| cos theta dl        (8)
    f(x_2 + e) - f(x_2) = -int_0^l ||grad f|| dl             (9).

If both changes are the same, l / L is the compression (gradient-weighted mean of -cos theta) times the ratio of the
mean gradients on the two paths: feature compression, Section 5, made exact. Compression alone decides nothing.

Gradients along a path are arrays (..., N, d), one for each of N points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from array_api_compat import array_namespace

from theory import _require
from theory.gradient_plane import _length, _or_nan

Rule = Literal["ends", "left", "right", "midpoint"]


class Descent(NamedTuple):
    """A path of steepest descent: points (steps + 1, ..., d) at equal distances, and the gradients there."""

    points: Any
    gradients: Any


def nodes(count: int, rule: Rule = "ends") -> np.ndarray:
    """The fractions alpha_k of the segment at which the paper's tables take gradients, k = 1..count.

    "ends": (k - 1) / (count - 1), both ends included, as in Table 3; "left": (k - 1) / count; "right": k / count;
    "midpoint": (k - 1/2) / count.

    Raises
    ------
    ValueError : unless count is at least 1, and 2 for "ends", and the rule is one of these.
    """
    _require.integer("count", count, 2 if rule == "ends" else 1)
    k = np.arange(count)
    match rule:
        case "ends":
            return k / (count - 1)
        case "left":
            return k / count
        case "right":
            return (k + 1) / count
        case "midpoint":
            return (k + 0.5) / count
    raise ValueError(f'rule must be "ends", "left", "right" or "midpoint", got {rule!r}')


def cosines(gradients: Any, difference: Any) -> Any:
    """cos theta_k between each gradient and x_1 - x_2 (Section 5, Tables 5 to 7): (..., N), NaN where either is 0.

    The tables print their plain mean; negative where f falls towards x_1.
    """
    _same_dimension(gradients, difference)
    inner = _inner(gradients, difference[..., None, :])
    return inner / _or_nan(_length(gradients) * _length(difference)[..., None])


def change_along(gradients: Any, difference: Any, weights: Any = None) -> Any:
    """Quadrature of equation (8): sum_k w_k grad f(x_k) . (x_1 - x_2), (...).

    Parameters
    ----------
    gradients : at points of the segment from x_2 to x_1, (..., N, d).
    difference : x_1 - x_2, (..., d).
    weights : (N,), of sum 1; left out, all 1 / N as in the paper's tables.
    """
    _same_dimension(gradients, difference)
    xp = array_namespace(gradients, difference)
    products = _inner(gradients, difference[..., None, :])
    if weights is None:
        return xp.sum(products, axis=-1) / gradients.shape[-2]
    return xp.sum(weights * products, axis=-1)


def weighted_compression(gradients: Any, difference: Any, weights: Any = None) -> Any:
    """C = -int ||grad f|| cos theta dl / int ||grad f|| dl on the direct path, in [-1, 1]; NaN if all gradients are 0.

    The compression that belongs to equations (8) and (9): l / L = C * mean ||grad f|| on the direct path / mean
    ||grad f|| on the attack's path. Parameters as in `change_along`.
    """
    xp = array_namespace(gradients, difference)
    sizes = _length(gradients)
    total = xp.sum(sizes, axis=-1) / gradients.shape[-2] if weights is None else xp.sum(weights * sizes, axis=-1)
    return -change_along(gradients, difference, weights) / _or_nan(total * _length(difference))


def signed_length(gradients: Any, difference: Any, clean: Any, weights: Any = None) -> Any:
    """(L/N sum_k ||grad f(x_k)|| cos theta_k) / ||grad f(x_2)||: the "signed length" of Tables 5 and 8.

    Its numerator is a quadrature of f(x_1) - f(x_2), so that no angle is left in it: see `first_order_length`.

    Parameters
    ----------
    gradients, difference, weights : as in `change_along`.
    clean : grad f(x_2), (..., d).
    """
    return change_along(gradients, difference, weights) / _or_nan(_length(clean))


def first_order_length(change: Any, clean: Any) -> Any:
    """(f(x_1) - f(x_2)) / ||grad f(x_2)||: the signed length of Table 8 without quadrature, from two evaluations.

    Parameters
    ----------
    change : f(x_1) - f(x_2), (...).
    clean : grad f(x_2), (..., d).
    """
    return change / _or_nan(_length(clean))


def quadrature_error(rule: Rule, count: int, values: Any, slopes: Any, integral: Any) -> Any:
    """Mean of h over the `nodes` minus its integral over [0, 1], to the order 1 / count^2 (Euler and Maclaurin).

    Exact if h is a polynomial of degree at most 3; for kinked networks h is piecewise constant and all rules err by
    the order of its variation over count. With "ends" the error is of order 1 / count however smooth h is.

    Parameters
    ----------
    rule, count : as in `nodes`.
    values, slopes : (h(0), h(1)) and (h'(0), h'(1)).
    integral : of h, the true change of f.
    """
    nodes(count, rule)
    (start, end), steepening = values, slopes[1] - slopes[0]
    match rule:
        case "ends":
            return ((start + end) / 2 - integral) / count + steepening / (12 * count * (count - 1))
        case "left":
            return -(end - start) / (2 * count) + steepening / (12 * count**2)
        case "right":
            return (end - start) / (2 * count) + steepening / (12 * count**2)
        case _:
            return -steepening / (24 * count**2)


def descent(gradient: Callable[[Any], Any], start: Any, length: float, steps: int = 64) -> Descent:
    """The path of steepest descent dx/dl = -grad f / ||grad f|| of equation (9), by steps of Runge and Kutta.

    Parameters
    ----------
    gradient : of f, maps (..., d) to (..., d).
    start : x_2, (..., d).
    length : of the path, at least 0.
    steps : at least 1; the error is of order steps^-4 where f is smooth. NaN from where the gradient vanishes.

    Raises
    ------
    ValueError : for a bad start, length or number of steps.
    """
    _require.finite("start", start)
    _require.budget("length", length)
    _require.integer("steps", steps, 1)

    def velocity(x: Any) -> Any:
        slope = gradient(x)
        return -slope / _or_nan(_length(slope))[..., None]

    h, points = length / steps, [start]
    for _ in range(steps):
        x = points[-1]
        k_1 = velocity(x)
        k_2 = velocity(x + h / 2 * k_1)
        k_3 = velocity(x + h / 2 * k_2)
        points.append(x + h / 6 * (k_1 + 2 * k_2 + 2 * k_3 + velocity(x + h * k_3)))
    xp = array_namespace(start)
    return Descent(xp.stack(points), xp.stack([gradient(x) for x in points]))


def descent_change(gradients: Any, length: Any) -> Any:
    """Equation (9): minus the integral of ||grad f|| over a path of steepest descent, by Simpson's rule.

    Parameters
    ----------
    gradients : at an odd number of points at equal distances along the path, (points, ..., d), as `descent` gives them.
    length : of the path.
    """
    sizes = _length(gradients)
    intervals = sizes.shape[0] - 1
    if intervals < 2 or intervals % 2:
        raise ValueError(f"gradients must be at 3, 5, 7, ... points, got {intervals + 1}")
    xp = array_namespace(sizes)
    total = sizes[0] + sizes[-1] + 4 * xp.sum(sizes[1::2], axis=0) + 2 * xp.sum(sizes[2:-1:2], axis=0)
    return -length / (3 * intervals) * total


def length_bounds(slope: Any, smoothness: Any, drop: Any) -> tuple[Any, Any]:
    """l_- <= shortest ||e|| with f(x_2) - f(x_2 + e) >= drop <= length of the steepest descent to it <= l_+.

    l_-+ = 2 D / (g + sqrt(g^2 +- 2 beta D)), the solutions of D = g l +- beta l^2 / 2; l_+ is infinite where
    g^2 < 2 beta D: the descent may stall. Exact, and attained by quadratics; to cross the boundary D = f(x_2). With D
    the whole change, the modulus of Table 8's signed length, D / g, lies between them.

    Parameters
    ----------
    slope : g = ||grad f(x_2)||, at least 0.
    smoothness : Lipschitz constant of grad f on the ball used, at least 0.
    drop : D, at least 0. Numbers or arrays that broadcast.
    """
    for name, value in (("slope", slope), ("smoothness", smoothness), ("drop", drop)):
        valid = (value >= 0) & (value < math.inf)
        if not bool(array_namespace(valid).all(valid) if hasattr(valid, "shape") else valid):
            raise ValueError(f"{name} must be at least 0 and finite, got {value}")
    if not any(hasattr(value, "shape") for value in (slope, smoothness, drop)):
        drop = np.float64(drop)
    drop = drop + 0.0 * (slope * smoothness)
    square, bend = slope * slope + 0 * drop, 2 * smoothness * drop
    shortest = _quotient(2 * drop, slope + _root(square + bend))
    longest = _quotient(2 * drop, slope + _root(square - bend))
    return shortest, array_namespace(drop).where((square >= bend) | (drop == 0), longest, longest + math.inf)


def ratio_bounds(cosine: Any, least: Any, largest: Any) -> tuple[Any, Any]:
    """Bounds on l / L from gradients between `least` and `largest` on both paths: cosine * least / largest and inverse.

    Parameters
    ----------
    cosine : mean of -cos theta over the direct path, on which cos theta <= 0 for both bounds; where its sign changes
        the mean of |cos theta| still gives the upper one.
    least, largest : bounds on ||grad f||, 0 < least <= largest.
    """
    return cosine * least / largest, cosine * largest / least


def tie_ratio(cosine: Any, margin: Any, other: Any) -> Any:
    """||e|| / ||x_1 - x_2|| of the shortest attack to the tie of a linear f: |cos theta| f(x_2) / (f(x_2) - f(x_1)).

    Half of |cos theta| where the margins are equal: Table 5 of the paper forgets this factor. 0 < margin, other < 0.

    Parameters
    ----------
    cosine : cos theta.
    margin, other : f(x_2) and f(x_1).
    """
    return abs(cosine) * margin / (margin - other)


def sign_inflation(gradient: Any) -> Any:
    """L2 length of the signed-gradient step to a level of a linear f, over the shortest: sqrt(s) ||g||_2 / ||g||_1.

    s is the number of entries that are not 0: a sign step leaves the others alone. From 1 up to sqrt(d); near
    sqrt(pi / 2) for Gaussian gradients in high dimension. NaN for a gradient of 0. Shapes (..., d) give (...).
    """
    xp = array_namespace(_require.finite("gradient", gradient))
    moved = xp.sum(xp.where(gradient != 0, 1 + 0 * gradient, 0 * gradient), axis=-1)
    return xp.sqrt(moved) * _length(gradient) / _or_nan(xp.sum(xp.abs(gradient), axis=-1))


def _inner(left: Any, right: Any) -> Any:
    return array_namespace(left, right).sum(left * right, axis=-1)


def _same_dimension(gradients: Any, difference: Any) -> None:
    _require.matrix("gradients", gradients)
    _require.finite("difference", difference)
    if gradients.shape[-1] != difference.shape[-1]:
        raise ValueError(
            f"gradients and difference must have the same dimension, got {gradients.shape[-1]} and"
            f" {difference.shape[-1]}"
        )


def _or_one(value: Any) -> Any:
    xp = array_namespace(value)
    return xp.where(value > 0, value, 1 + 0 * value)


def _root(value: Any) -> Any:
    """Square root of what is positive, else 0, with derivative 0 there."""
    xp = array_namespace(value)
    return xp.where(value > 0, xp.sqrt(_or_one(value)), 0 * value)


def _quotient(above: Any, below: Any) -> Any:
    """0 where both are 0, infinite where only the denominator is."""
    xp = array_namespace(above, below)
    ratio = above / _or_one(below)
    return xp.where(below > 0, ratio, xp.where(above > 0, ratio + xp.inf, 0 * ratio))
