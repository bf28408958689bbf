"""What the formulas ask of their input: one line per error, saying what must hold and what came."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

from array_api_compat import array_namespace, is_numpy_array


def integer(name: str, value: Any, least: int) -> int:
    """`value` as an int that is at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


def positive(name: str, value: float) -> float:
    """`value`, if it is positive and finite."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive and finite, got {value}")
    return value


def budget(name: str, value: float) -> float:
    """`value`, if it is a radius: at least 0 and finite."""
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} must be at least 0 and finite, got {value}")
    return value


def probability(name: str, value: float) -> float:
    """`value`, if it lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value}")
    return value


def finite(name: str, array: Any, ndim: int | None = None) -> Any:
    """`array`, if it is a non-empty array of NumPy, CuPy or torch with finite entries and, if given, `ndim` axes.

    NumPy arrays of `Fraction` pass: witnesses are replayed with them.
    """
    xp = array_namespace(array)
    shape = tuple(array.shape)
    if ndim is not None and len(shape) != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {shape}")
    if 0 in shape:
        raise ValueError(f"{name} must not be empty, got shape {shape}")
    if is_numpy_array(array) and array.dtype == object:
        if not all(isinstance(entry, (int, Fraction)) for entry in array.flat):
            raise ValueError(f"{name} must hold numbers, got dtype object")
    elif not bool(xp.all(xp.isfinite(array))):
        raise ValueError(f"{name} must be finite, got NaN or infinite entries")
    return array


def matrix(name: str, array: Any) -> Any:
    """`array`, if it is a matrix (or, with leading axes, a stack of them) with finite entries."""
    if len(array.shape) < 2:
        raise ValueError(f"{name} must have at least 2 axes, got shape {tuple(array.shape)}")
    return finite(name, array)
