"""Freedom of scale: lengths, directions and products of what would leave the range of floating point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj, is_numpy_array

from theory.numerics import require
from theory.numerics.array import Array


def power(size: Array) -> Array:
    """The power of two at or next to each size, none under the least normal number; 1 where a size is 0.

    Dividing by it and multiplying by it is exact, and its derivative is 0. For fractions, which need no cure, 1.
    """
    xp = array_namespace(size)
    if _exact(size):
        return 0 * size + Fraction(1)
    limits = xp.finfo(size.dtype)
    bounded = xp.clip(size, float(limits.smallest_normal), float(limits.max) / 2)  # both logarithms stay in range
    return 2 ** xp.floor(xp.log2(xp.where(size > 0, bounded, 1 + 0 * size)))


def unit(array: Array, axis: int | tuple[int, ...] = -1) -> Array:
    """The `power` of the largest modulus along the axes, which stay with length 1: divide by it before squaring."""
    xp = array_namespace(array)
    return power(xp.max(xp.abs(array), axis=axis, keepdims=True))


def length(vector: Array, axis: int | tuple[int, ...] = -1) -> Array:
    """Euclidean norm along the axes, at any scale, of complex entries too; its derivative at the zero vector is 0."""
    xp = array_namespace(vector)
    size = unit(vector, axis)
    square = xp.sum(xp.abs(vector / size) ** 2, axis=axis)
    root = xp.where(square > 0, xp.sqrt(xp.where(square > 0, square, 1 + 0 * square)), 0 * square)
    return xp.squeeze(size, axis=axis) * root


def positive_part(x: Array) -> Array:
    """max(x, 0), entry by entry."""
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x))


def direction(vector: Array) -> Array:
    """The vector over its length along the last axis, at any scale; NaN for the zero vector."""
    vector = vector / unit(vector)
    return vector / or_nan(length(vector))[..., None]


def or_nan(size: Array) -> Array:
    """The size itself, or NaN where it is 0: what is divided by it has no value there."""
    xp = array_namespace(size)
    return xp.where(size > 0, size, xp.nan + 0 * size)


def at_most(value: Array, bound: Array) -> Array:
    """The value, or the bound where it rounds to just above; NaN stays, and the derivative there is the bound's."""
    above = value - bound
    if not is_array_api_obj(above):
        return min(value, bound)
    return value - array_namespace(above).where(above > 0, above, 0 * above)


def product(*factors: Array, over: Sequence[Array] = ()) -> Array:
    """The factors times one another, over those in `over`: no order of them matters, and only the result needs a range.

    Arrays, which broadcast, and numbers; fractions stay exact. Infinite where an array in `over` is 0.
    """
    given = (*factors, *over)
    if any(isinstance(value, Fraction) or _exact(value) for value in given):
        top, bottom = math.prod(factors), math.prod(over)
        if not over:
            return top
        return np.where(bottom == 0, math.inf, Fraction(1) * top / np.where(bottom == 0, 1, bottom))[()]
    if not any(map(is_array_api_obj, given)):
        return float(product(np.float64(factors[0]), *factors[1:], over=over))
    xp = require.library(**{f"factor {place}": value for place, value in enumerate(given, 1)})
    value: Array = 1.0
    exponent: Array = 0.0
    vanishing = []
    for factor in factors:
        mantissa, own = _split(factor)
        value, carry = _split(value * mantissa)
        exponent = exponent + own + carry
    for divisor in over:
        mantissa, own = _split(divisor)
        if is_array_api_obj(mantissa):
            vanishing.append(mantissa == 0)
            mantissa = xp.where(mantissa == 0, 1 + 0 * mantissa, mantissa)
        value, carry = _split(value / mantissa)
        exponent = exponent - own + carry
    most = 1.3 * math.log2(xp.finfo(exponent.dtype).max)  # beyond, the result is 0 or infinite
    exponent = xp.clip(exponent, -most, most)
    half = xp.floor(exponent / 2)
    value = value * 2**half * 2 ** (exponent - half)
    for zero in vanishing:
        value = xp.where(zero, xp.full_like(value, math.inf), value)
    return value


def _exact(value: Array) -> bool:
    return is_numpy_array(value) and value.dtype == object


def _split(value: Array) -> tuple[Array, Array]:
    """A number near 1, or 0, and the exponent of the power of two that it is multiplied by."""
    if not is_array_api_obj(value):
        return math.frexp(value)
    xp, size = array_namespace(value), power(array_namespace(value).abs(value))
    return value / size, xp.round(xp.log2(size))
