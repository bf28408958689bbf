"""What the formulas ask of their input: one line per error, saying what must hold and what came."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from fractions import Fraction
from numbers import Real
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj, is_numpy_array
from numpy import asarray, generic, ndarray

from theory.numerics.array import Array


def integer(name: str, value: Any, least: float) -> int:
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


def integers(name: str, values: Any, least: float, fewest: int = 1) -> tuple[int, ...]:
    """`values`, any sequence or array of integers that are at least `least`, as a tuple."""
    try:
        entries = None if isinstance(values, str | bytes | dict | set) else tuple(values)
    except TypeError:
        entries = None
    if entries is None:
        raise ValueError(f"{name} must be a sequence of integers, got {values!r}")
    if len(entries) < fewest:
        raise ValueError(f"{name} must hold {fewest} or more integers, got {len(entries)}")
    return tuple(integer(name, entry, least) for entry in entries)


def place(name: str, value: Any, count: int) -> int:
    """`value` as an int from 0 to `count` - 1."""
    number = integer(name, value, -math.inf)
    if not 0 <= number < count:
        raise ValueError(f"{name} must be from 0 to {count - 1}, got {number}")
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
        given = f"an array of shape {tuple(value.shape)}" if is_array_api_obj(value) else repr(value)
        raise ValueError(f"{name} must be a number and {what}, got {given}") from None
    if not held:
        raise ValueError(f"{name} must {what}, got {value}")
    return value


def finite(
    name: str,
    array: Any,
    ndim: int | None = None,
    *,
    rational: bool = True,
    complex_entries: bool = False,
    unbounded: bool = False,
) -> Array:
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
    unbounded : whether infinite entries pass; NaN never does.

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
    if unbounded:
        if bool(xp.any(xp.isnan(array))):
            raise ValueError(f"{name} must hold numbers, got NaN entries")
    elif not bool(xp.all(xp.isfinite(array))):
        raise ValueError(f"{name} must be finite, got NaN or infinite entries")
    return array


def _floating(name: str, array: Any, complex_entries: bool) -> Array:
    xp = array_namespace(array)
    if xp.isdtype(array.dtype, ("bool", "integral")):
        return xp.astype(array, xp.float64)
    if complex_entries and xp.isdtype(array.dtype, "complex floating"):
        bits = xp.finfo(array.dtype).bits
        return array if bits in (32, 64) else xp.astype(array, xp.complex64 if bits < 32 else xp.complex128)
    if not xp.isdtype(array.dtype, "real floating"):
        numbers = "numbers" if complex_entries else "real numbers"
        raise ValueError(f"{name} must hold {numbers}, got dtype {array.dtype}")
    bits = xp.finfo(array.dtype).bits
    return array if bits in (32, 64) else xp.astype(array, xp.float32 if bits < 32 else xp.float64)


def numbers(
    name: str,
    value: Any,
    least: float = -math.inf,
    most: float = math.inf,
    *,
    missing: bool = False,
    rational: bool = True,
) -> Array:
    """`value`, if it is one number in a range or an array of them, as `finite` returns it; NumPy's scalars as floats.

    Parameters
    ----------
    missing : whether NaN and empty arrays pass: columns of records may lack values, or rows.
    """
    what = "be finite" if least == -math.inf else f"be at least {least} and finite"
    what = what if most == math.inf else f"lie from {least} to {most}"
    if not is_array_api_obj(value):
        here = max(least, -sys.float_info.max), min(most, sys.float_info.max)
        return _number(name, value, lambda: here[0] <= value <= here[1] or (missing and math.isnan(value)), what)
    xp = array_namespace(value)
    if missing and 0 in value.shape:
        return _floating(name, value, complex_entries=False)
    unknown = value != value
    known = finite(name, xp.where(unknown, xp.zeros_like(value), value) if missing else value, rational=rational)
    if not bool(xp.all((known >= least) & (known <= most))):
        raise ValueError(f"{name} must {what}, got {_range(known)}")
    if missing and bool(xp.any(unknown)):
        known = xp.where(unknown, xp.asarray(xp.nan, dtype=known.dtype), known)
    return float(known) if isinstance(known, generic) else known


def _range(array: Any) -> str:
    xp = array_namespace(array)
    ends = (end.item() if hasattr(end, "item") else end for end in (xp.min(array), xp.max(array)))
    return "entries from {:g} to {:g}".format(*map(float, ends))


def library(**values: Any) -> Any:
    """The namespace of the arrays among these values, if they belong to one library."""
    arrays = {name: value for name, value in values.items() if is_array_api_obj(value)}
    try:
        return array_namespace(*arrays.values())
    except TypeError:
        kinds = [f"{type(array).__module__}.{type(array).__name__}" for array in arrays.values()]
        raise ValueError(f"{', '.join(arrays)} must be arrays of one library, got {', '.join(kinds)}") from None


def alike(**values: Any) -> tuple[Array, ...]:
    """Arrays as the functions above return them, in the floating point type that holds them all; numbers stay numbers.

    Arrays of fractions stay exact among integers and fractions, and become double precision among anything else.

    Raises
    ------
    ValueError : unless the arrays belong to one library.
    """
    arrays = {name for name, value in values.items() if is_array_api_obj(value)}
    if not arrays:
        return tuple(values.values())
    xp = library(**values)
    rational = {name for name in arrays if is_numpy_array(values[name]) and values[name].dtype == object}
    if rational == arrays and all(isinstance(values[name], (int, Fraction)) for name in values.keys() - arrays):
        return tuple(values.values())
    floats = {name: _inexact(value) for name, value in values.items()}
    dtype = xp.result_type(*(floats[name] for name in arrays))
    return tuple(xp.astype(value, dtype, copy=False) if name in arrays else value for name, value in floats.items())


def _inexact(value: Any) -> Any:
    if isinstance(value, Fraction):
        return float(value)
    return value.astype(float) if is_numpy_array(value) and value.dtype == object else value


def numpy_array(name: str, array: Any, ndim: int, *, rational: bool = False) -> Array:
    """`array` in double precision, if it is NumPy's and passes `finite`: for what runs on NumPy only."""
    array = finite(name, array, ndim, rational=rational)
    if not is_numpy_array(array):
        raise ValueError(f"{name} must be an array of NumPy, got {type(array).__module__}.{type(array).__name__}")
    return array if array.dtype == object else array.astype(float)


def points(name: str, values: Any) -> ndarray:
    """`values`, one real number or an array or list of them, as NumPy's in double precision; NaN passes."""
    array = asarray(values)
    real = array.dtype.kind in "biuf" or all(isinstance(entry, Real) for entry in array.flat)
    if not real:
        raise ValueError(f"{name} must be real numbers, got dtype {array.dtype}")
    return array.astype(float)


def matrix(name: str, array: Any, *, rational: bool = True, complex_entries: bool = False) -> Array:
    """`array` as `finite` returns it, if it is a matrix or, with leading axes, a stack of them."""
    array = finite(name, array, rational=rational, complex_entries=complex_entries)
    if len(array.shape) < 2:
        raise ValueError(f"{name} must have at least 2 axes, got shape {tuple(array.shape)}")
    return array
