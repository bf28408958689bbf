"""Lengths of paths on which a classifier's output falls, and what compression has to do with them (Section 5).

f = f_2 - f_1 is the margin of class 2, x_2 a point of that class, x_1 the closest point of class 1, L their distance,
v the direction from x_2 to x_1, theta the angle between the gradient of f and v. On the direct path and on the path of
steepest descent, which an attack with small steps follows, of length l,

    f(x_1) - f(x_2) = int_0^L ||grad f|| cos theta dl        (8)
    f(x_2 + e) - f(x_2) = -int_0^l ||grad f|| dl             (9).

If both changes are the same, l / L is the compression (gradient-weighted mean of -cos theta) times the ratio of the
mean gradients on the two paths: feature compression, Section 5, made exact. Compression alone decides nothing.

Gradients along a path are arrays (..., N, d), one for each of N points; their unit and that of lengths do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from array_api_compat import array_namespace

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.numerics.linear import aligned

Rule = Literal["ends", "left", "right", "midpoint"]


class Descent(NamedTuple):
    """A path of steepest descent: points (steps + 1, ..., d) at equal distances, and the gradients there."""

    points: Array
    gradients: Array


def nodes(count: int, rule: Rule = "ends") -> np.ndarray:
    """The fractions alpha_k of the segment at which the paper's tables take gradients, k = 1..count.

    "ends": (k - 1) / (count - 1), both ends included, as in Table 3; "left": (k - 1) / count; "right": k / count;
    "midpoint": (k - 1/2) / count.

    Raises
    ------
    ValueError : unless count is at least 1, and 2 for "ends", and the rule is one of these.
    """
    require.integer("count", count, 2 if rule == "ends" else 1)
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


def cosines(gradients: Array, difference: Array) -> Array:
    """cos theta_k between each gradient and x_1 - x_2 (Section 5, Tables 5 to 7): (..., N) in [-1, 1], NaN where either
    is 0.

    The tables print their plain mean; negative where f falls towards x_1.
    """
    gradients, difference = aligned(gradients, rational=False, difference=difference)
    inner = _inner(magnitudes.direction(gradients), magnitudes.direction(difference)[..., None, :])
    return -magnitudes.at_most(-magnitudes.at_most(inner, 1), 1)


def change_along(gradients: Array, difference: Array, weights: Array = None) -> Array:
    """Quadrature of equation (8): sum_k w_k grad f(x_k) . (x_1 - x_2), (...).

    Parameters
    ----------
    gradients : at points of the segment from x_2 to x_1, (..., N, d).
    difference : x_1 - x_2, (..., d).
    weights : (N,), of sum 1 up to 1e-4; left out, all 1 / N as in the paper's tables.

    Raises
    ------
    ValueError : for entries that are not finite, shapes that do not fit, and weights of another sum.
    """
    gradients, difference, weights = _path(gradients, weights, difference=difference)
    return _mean(_inner(gradients, difference[..., None, :]), weights)


def weighted_compression(gradients: Array, difference: Array, weights: Array = None) -> Array:
    """C = -int ||grad f|| cos theta dl / int ||grad f|| dl on the direct path, in [-1, 1]; NaN if all gradients are 0.

    The compression that belongs to equations (8) and (9): l / L = C * mean ||grad f|| on the direct path / mean
    ||grad f|| on the attack's path. Parameters as in `change_along`, weights at least 0; NaN too if x_1 = x_2.
    """
    gradients, difference, weights = _path(gradients, weights, rational=False, difference=difference)
    if weights is not None:
        require.numbers("weights", weights, 0)
    gradients = gradients / magnitudes.unit(gradients, axis=(-2, -1))
    change = _mean(_inner(gradients, magnitudes.direction(difference)[..., None, :]), weights)
    mean = change / magnitudes.or_nan(_mean(magnitudes.length(gradients), weights))
    return -magnitudes.at_most(-magnitudes.at_most(-mean, 1), 1)


def signed_length(gradients: Array, difference: Array, clean: Array, weights: Array = None) -> Array:
    """(L/N sum_k ||grad f(x_k)|| cos theta_k) / ||grad f(x_2)||: the "signed length" of Tables 5 and 8.

    Its numerator is a quadrature of f(x_1) - f(x_2), so that no angle is left in it: see `first_order_length`.

    Parameters
    ----------
    gradients, difference, weights : as in `change_along`.
    clean : grad f(x_2), (..., d); NaN where it is 0.
    """
    gradients, difference, clean, weights = _path(
        gradients, weights, rational=False, difference=difference, clean=clean
    )
    unit = magnitudes.unit(clean)
    change = _mean(_inner(gradients / unit[..., None], difference[..., None, :]), weights)
    return change / magnitudes.or_nan(magnitudes.length(clean / unit))


def first_order_length(change: Array, clean: Array) -> Array:
    """(f(x_1) - f(x_2)) / ||grad f(x_2)||: the signed length of Table 8 without quadrature, from two evaluations.

    Parameters
    ----------
    change : f(x_1) - f(x_2), (...).
    clean : grad f(x_2), (..., d); NaN where it is 0.
    """
    clean = require.finite("clean", clean, rational=False)
    change, clean = require.alike(change=require.numbers("change", change), clean=clean)
    return change / magnitudes.or_nan(magnitudes.length(clean))


def quadrature_error(rule: Rule, count: int, values: Array, slopes: Array, integral: Array) -> Array:
    """Mean of h over the `nodes` minus its integral over [0, 1], to the order 1 / count^2 (Euler and Maclaurin).

    Exact if h is a polynomial of degree at most 3, and in fractions; for kinked networks h is piecewise constant and
    all rules err by the order of its variation over count. With "ends" the error is of order 1 / count however smooth
    h is.

    Parameters
    ----------
    rule, count : as in `nodes`.
    values, slopes : (h(0), h(1)) and (h'(0), h'(1)), pairs of numbers or arrays.
    integral : of h, the true change of f. NaN gives NaN.
    """
    nodes(count, rule)
    names = ("values[0]", "values[1]", "slopes[0]", "slopes[1]", "integral")
    given = dict(zip(names, (*_two("values", values), *_two("slopes", slopes), integral), strict=True))
    start, end, first, last, integral = require.alike(
        **{name: require.numbers(name, value, missing=True) for name, value in given.items()}
    )
    steepening = last - first
    match rule:
        case "ends":
            return ((start + end) / 2 - integral) / count + steepening / (12 * count * (count - 1))
        case "left":
            return -(end - start) / (2 * count) + steepening / (12 * count**2)
        case "right":
            return (end - start) / (2 * count) + steepening / (12 * count**2)
        case _:
            return -steepening / (24 * count**2)


def descent(gradient: Callable[[Array], Array], start: Array, length: float, steps: int = 64) -> Descent:
    """The path of steepest descent dx/dl = -grad f / ||grad f|| of equation (9), by steps of Runge and Kutta.

    Parameters
    ----------
    gradient : of f, maps (..., d) to (..., d).
    start : x_2, (..., d).
    length : of the path, at least 0.
    steps : at least 1; the error is of order steps^-4 where f is smooth. NaN from where the gradient vanishes.

    Raises
    ------
    ValueError : for a bad start, length or number of steps, or a gradient of another shape.
    """
    start = require.finite("start", start, rational=False)
    require.budget("length", length)
    require.integer("steps", steps, 1)
    xp = array_namespace(start)

    def slope_at(x: Array) -> Array:
        _, slope = require.alike(x=x, gradient=require.numbers("gradient", gradient(x), missing=True))
        shape = tuple(getattr(slope, "shape", ()))
        if shape != tuple(x.shape):
            raise ValueError(f"gradient must keep the shape {tuple(x.shape)}, got {shape}")
        return xp.astype(slope, x.dtype, copy=False)

    def velocity(x: Array) -> Array:
        return -magnitudes.direction(slope_at(x))

    h, points = length / steps, [start]
    for _ in range(steps):
        x = points[-1]
        k_1 = velocity(x)
        k_2 = velocity(x + h / 2 * k_1)
        k_3 = velocity(x + h / 2 * k_2)
        points.append(x + h / 6 * (k_1 + 2 * k_2 + 2 * k_3 + velocity(x + h * k_3)))
    return Descent(xp.stack(points), xp.stack([slope_at(x) for x in points]))


def descent_change(gradients: Array, length: Array) -> Array:
    """Equation (9): minus the integral of ||grad f|| over a path of steepest descent, by Simpson's rule.

    Parameters
    ----------
    gradients : at an odd number of points at equal distances along the path, (points, ..., d), as `descent` gives them;
        finite.
    length : of the path, at least 0; broadcasts against (...).
    """
    gradients = require.matrix("gradients", gradients, rational=False)
    sizes, length = require.alike(gradients=magnitudes.length(gradients), length=require.numbers("length", length, 0))
    intervals = sizes.shape[0] - 1
    if intervals < 2 or intervals % 2:
        raise ValueError(f"gradients must be at 3, 5, 7, ... points, got {intervals + 1}")
    xp = array_namespace(sizes)
    odd, even = sizes[1::2, ...], sizes[2:-1:2, ...]
    total = sizes[0, ...] + sizes[-1, ...] + 4 * xp.sum(odd, axis=0) + 2 * xp.sum(even, axis=0)
    return -length / (3 * intervals) * total


def length_bounds(slope: Array, smoothness: Array, drop: Array) -> tuple[Array, Array]:
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
    slope, smoothness, drop = (
        require.numbers(name, value, 0, rational=False)
        for name, value in (("slope", slope), ("smoothness", smoothness), ("drop", drop))
    )
    if not any(hasattr(value, "shape") for value in (slope, smoothness, drop)):
        drop = np.asarray(drop, dtype=float)
    slope, smoothness, drop = require.alike(slope=slope, smoothness=smoothness, drop=drop)
    zero = 0 * slope + 0 * smoothness + 0 * drop
    xp, slope, smoothness, drop = array_namespace(zero), slope + zero, smoothness + zero, drop + zero
    middle = _root(2 * smoothness) * _root(drop)  # the slope at which the descent may just stall
    unit = magnitudes.power(xp.where(slope > middle, slope, middle))
    bend = magnitudes.product(2, smoothness, drop, over=(unit, unit))
    slope, drop = slope / unit, drop / unit
    square = slope * slope
    shortest = _quotient(drop, (slope + _root(square + bend)) / 2)
    longest = _quotient(drop, (slope + _root(square - bend)) / 2)
    return shortest, xp.where((square >= bend) | (drop == 0), longest, longest + math.inf)


def ratio_bounds(cosine: Array, least: Array, largest: Array) -> tuple[Array, Array]:
    """Bounds on l / L from gradients between `least` and `largest` on both paths: cosine * least / largest and inverse.

    Parameters
    ----------
    cosine : mean of -cos theta over the direct path, on which cos theta <= 0 for both bounds; where its sign changes
        the mean of |cos theta| still gives the upper one. NaN gives NaN.
    least, largest : bounds on ||grad f||, 0 < least <= largest. Numbers or arrays that broadcast.
    """
    cosine = require.numbers("cosine", cosine, missing=True)
    least, largest = require.numbers("least", least, 0), require.numbers("largest", largest, 0)
    cosine, least, largest = require.alike(cosine=cosine, least=least, largest=largest)
    ordered = (least > 0) & (least <= largest)
    if not bool(array_namespace(ordered).all(ordered) if hasattr(ordered, "shape") else ordered):
        raise ValueError("0 < least <= largest must hold everywhere, got others")
    return cosine * (least / largest), cosine * (largest / least)


def tie_ratio(cosine: Array, margin: Array, other: Array) -> Array:
    """||e|| / ||x_1 - x_2|| of the shortest attack to the tie of a linear f: |cos theta| f(x_2) / (f(x_2) - f(x_1)).

    Half of |cos theta| where the margins are equal, and nearly all of it where x_1 is only just of its class.
    0 < margin, other < 0.

    Parameters
    ----------
    cosine : cos theta. Numbers or arrays that broadcast; exact in fractions, and NaN gives NaN.
    margin, other : f(x_2) and f(x_1); NaN where they are equal.
    """
    cosine = require.numbers("cosine", cosine, missing=True)
    margin, other = require.numbers("margin", margin, missing=True), require.numbers("other", other, missing=True)
    cosine, margin, other = require.alike(cosine=cosine, margin=margin, other=other)
    change = margin - other
    if not hasattr(change, "shape"):
        return abs(cosine) * (margin / change) if change else math.nan
    xp = array_namespace(change)
    return abs(cosine) * (margin / xp.where(change == 0, xp.nan + 0 * change, change))


def sign_inflation(gradient: Array) -> Array:
    """L2 length of the signed-gradient step to a level of a linear f, over the shortest: sqrt(s) ||g||_2 / ||g||_1.

    s is the number of entries that are not 0: a sign step leaves the others alone. From 1 up to sqrt(s); near
    sqrt(pi / 2) for Gaussian gradients in high dimension. NaN for a gradient of 0. Shapes (..., d) give (...).
    """
    gradient = require.finite("gradient", gradient, rational=False)
    xp = array_namespace(gradient)
    moved = xp.sum(xp.where(gradient != 0, xp.ones_like(gradient), xp.zeros_like(gradient)), axis=-1)
    inflation = _root(moved) / magnitudes.or_nan(xp.sum(xp.abs(magnitudes.direction(gradient)), axis=-1))
    return -magnitudes.at_most(-inflation, -1)


def _inner(left: Array, right: Array) -> Array:
    return array_namespace(left, right).sum(left * right, axis=-1)


def _path(gradients: Array, weights: Array, *, rational: bool = True, **vectors: Array) -> tuple[Array, ...]:
    """Gradients and vectors as `aligned` returns them, and the weights in the same type, or None."""
    arrays = aligned(gradients, rational=rational, **vectors)
    if weights is None:
        return (*arrays, None)
    weights = require.finite("weights", weights, 1, rational=rational)
    if weights.shape[0] != arrays[0].shape[-2]:
        raise ValueError(f"weights must be {arrays[0].shape[-2]}, one per gradient, got {weights.shape[0]}")
    arrays = require.alike(**dict(zip(("gradients", *vectors), arrays, strict=True)), weights=weights)
    weights = arrays[-1]
    total = array_namespace(weights).sum(weights)
    if not bool(abs(total - 1) < 1e-4):
        raise ValueError(f"weights must have the sum 1, got {total}")
    return arrays


def _two(name: str, values: Array) -> Array:
    try:
        start, end = values
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be two, at 0 and at 1, got {values!r}") from None
    return start, end


def _mean(values: Array, weights: Array) -> Array:
    xp = array_namespace(values)
    return xp.sum(values, axis=-1) / values.shape[-1] if weights is None else xp.sum(weights * values, axis=-1)


def _or_one(value: Array) -> Array:
    xp = array_namespace(value)
    return xp.where(value > 0, value, 1 + 0 * value)


def _root(value: Array) -> Array:
    """Square root of what is positive, else 0, with derivative 0 there."""
    xp = array_namespace(value)
    return xp.where(value > 0, xp.sqrt(_or_one(value)), 0 * value)


def _quotient(above: Array, below: Array) -> Array:
    """0 where both are 0, infinite where only the denominator is."""
    xp = array_namespace(above, below)
    ratio = above / _or_one(below)
    return xp.where(below > 0, ratio, xp.where(above > 0, ratio + xp.inf, xp.zeros_like(ratio)))
