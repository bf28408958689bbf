"""What the formulas ask of their input: one line per error, saying what must hold and what came."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj, is_numpy_array


def integer(name: str, value: Any, least: int) -> int:
    """`value` as an int that is at least `least`; 3.0, "3" and True are no integers."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


def positive(name: str, value: float) -> float:
    """`value`, if it is positive and finite."""
    return _number(name, value, lambda: 0 < value < math.inf, "be positive and finite")


def budget(name: str, value: float) -> float:
    """`value`, if it is a radius: at least 0 and finite."""
    return _number(name, value, lambda: 0 <= value < math.inf, "be at least 0 and finite")


def probability(name: str, value: float) -> float:
    """`value`, if it lies strictly between 0 and 1."""
    return _number(name, value, lambda: 0 < value < 1, "lie strictly between 0 and 1")


def _number(name: str, value: Any, holds: Callable[[], Any], what: str) -> Any:
    """`value`, if it is one number and the condition holds, in words: it must `what`."""
    try:
        held = bool(holds())
    except (TypeError, ValueError, RuntimeError):  # text, a complex number; an array of several, of NumPy; of torch
        raise ValueError(f"{name} must be a number and {what}, got {value!r}") from None
    if not held:
        raise ValueError(f"{name} must {what}, got {value}")
    return value


def finite(
    name: str, array: Any, ndim: int | None = None, *, rational: bool = True, complex_entries: bool = False
) -> Any:
    """`array` in floating point, if it is a non-empty array with finite entries and, if given, `ndim` axes.

    Integers and booleans come back in double precision and half precision in single, both exactly (integers up to
    2^53): arithmetic in the dtypes in which pixels are stored would wrap, and half precision would round by more than
    bounds are apart. NumPy's extended precision, which no decomposition takes, comes back in double. Use what is
    returned, not what was given.

    Parameters
    ----------
    array : of NumPy, CuPy or torch.
    rational : whether NumPy arrays of `Fraction` pass as they are: witnesses are replayed with them.
    complex_entries : whether complex numbers pass.

    Raises
    ------
    ValueError : for anything else, NaN and infinite entries included.
    """
    if not is_array_api_obj(array):
        raise ValueError(f"{name} must be an array of NumPy, CuPy or torch, got {type(array).__name__}")
    xp, shape = array_namespace(array), tuple(array.shape)
    if ndim is not None and len(shape) != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {shape}")
    if 0 in shape:
        raise ValueError(f"{name} must not be empty, got shape {shape}")
    if is_numpy_array(array) and array.dtype == object:
        if not rational or not all(isinstance(entry, (int, Fraction)) for entry in array.flat):
            raise ValueError(f"{name} must hold real numbers, got dtype object")
        return array
    array = _floating(name, array, complex_entries)
    if not bool(xp.all(xp.isfinite(array))):
        raise ValueError(f"{name} must be finite, got NaN or infinite entries")
    return array


def _floating(name: str, array: Any, complex_entries: bool) -> Any:
    xp = array_namespace(array)
    if xp.isdtype(array.dtype, ("bool", "integral")):
        return xp.astype(array, xp.float64)
    if complex_entries and xp.isdtype(array.dtype, "complex floating"):
        return array
    if not xp.isdtype(array.dtype, "real floating"):
        numbers = "numbers" if complex_entries else "real numbers"
        raise ValueError(f"{name} must hold {numbers}, got dtype {array.dtype}")
    bits = xp.finfo(array.dtype).bits
    return array if bits in (32, 64) else xp.astype(array, xp.float32 if bits < 32 else xp.float64)


def matrix(name: str, array: Any, *, rational: bool = True, complex_entries: bool = False) -> Any:
    """As `finite`, of a matrix or, with leading axes, a stack of them."""
    array = finite(name, array, rational=rational, complex_entries=complex_entries)
    if len(array.shape) < 2:
        raise ValueError(f"{name} must have at least 2 axes, got shape {tuple(array.shape)}")
    return array
