"""What a figure is drawn from as plain values that JSON has words for, and back: by the types that it declares.

Nothing in a document says which class it becomes: that is known from the figure. Floats are rounded to what print
resolves, so that a page of records and a page of their summary are drawn from the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, get_type_hints

import numpy as np
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from fragility.judging.verdict import Verdict
from fragility.tables import Cell, Column, Interval, Table

DIGITS = 5  # of a number in a picture
NAMES = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # of the numbers that JSON has no word for


def drawn_from(numbers: Callable[..., Any]) -> Any:
    """The class of what a figure's `numbers` function gives, as it declares it."""
    return get_type_hints(numbers)["return"]


def to_plain(value: Any, declared: Any) -> Any:
    """Dicts, lists, texts, numbers, truth values and None, of a value of a declared type."""
    return _converter().unstructure(value, unstructure_as=declared)


def from_plain(plain: Any, declared: Any) -> Any:
    """The value of a declared type that `to_plain` was given, its floats rounded.

    Raises
    ------
    ValueError : it is of another form.
    """
    try:
        return _converter().structure(plain, declared)
    except (BaseValidationError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"must be what {getattr(declared, '__name__', declared)} is made of") from error


@cache
def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(float, _number)
    converter.register_unstructure_hook(np.ndarray, lambda array: _listed(array.tolist()))
    converter.register_structure_hook(float, lambda plain, _: _as_float(plain))
    converter.register_structure_hook(int, lambda plain, _: _as(int, plain))
    converter.register_structure_hook(bool, lambda plain, _: _as(bool, plain))
    converter.register_structure_hook(str, lambda plain, _: _as(str, plain))
    converter.register_structure_hook(np.ndarray, lambda plain, _: _as_array(plain))
    converter.register_structure_hook_func(lambda declared: declared is Any, lambda plain, _: _tupled(plain))
    for kind in (Column, Verdict):  # of which there are many, and most of what they say is the usual
        converter.register_unstructure_hook(
            kind, make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=True)
        )
    converter.register_unstructure_hook_func(lambda declared: declared == Cell, _of_cell)
    converter.register_structure_hook_func(lambda declared: declared == Cell, lambda plain, _: _as_cell(plain))
    headings = override(
        unstruct_hook=lambda headings: {str(place): words for place, words in headings.items()},
        struct_hook=lambda plain, _: {int(place): _as(str, words) for place, words in plain.items()},
    )
    left_out: Any = {"facts": override(omit=True), "headings": headings}
    converter.register_unstructure_hook(
        Table, make_dict_unstructure_fn(Table, converter, _cattrs_omit_if_default=True, **left_out)
    )
    converter.register_structure_hook(
        Table, make_dict_structure_fn(Table, converter, _cattrs_forbid_extra_keys=True, **left_out)
    )
    return converter


def _number(value: float) -> float | str:
    """The float to `DIGITS` digits, or the name of one that JSON has no word for."""
    value = float(value)
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    rounded = float(f"{value:.{DIGITS}g}")
    return rounded if math.isfinite(rounded) else value  # of the largest floats there are


def _listed(values: Any) -> Any:
    """Nested lists of an array's values."""
    if isinstance(values, list):
        return [_listed(value) for value in values]
    return _number(values) if isinstance(values, float) else values


def _as_float(plain: Any) -> float:
    if isinstance(plain, str):
        return NAMES[plain]
    return float(_as((int, float), plain))


def _as(kind: type | tuple[type, ...], plain: Any) -> Any:
    """The value, if it is of that kind; a truth value is no number."""
    if not isinstance(plain, kind) or (isinstance(plain, bool) and kind is not bool):
        raise TypeError(f"not a {kind}")
    return plain


def _as_array(plain: Any) -> np.ndarray:
    array = np.array(_numbers(_as((list, tuple), plain)))
    if array.dtype.kind not in "bif":
        raise TypeError("not an array of numbers")
    return array


def _numbers(plain: Any) -> Any:
    if isinstance(plain, list | tuple):
        return [_numbers(value) for value in plain]
    return NAMES[plain] if isinstance(plain, str) else plain


def _of_cell(cell: Cell) -> Any:
    """A cell; an interval is a list of its ends and of how many observations it is of, and so is what is no number."""
    if isinstance(cell, Interval):
        return [_number(cell.low), _number(cell.high), cell.n]
    if isinstance(cell, float):
        return _number(cell) if math.isfinite(cell) else [_number(cell)]
    return cell


def _as_cell(plain: Any) -> Cell:
    if isinstance(plain, list | tuple):
        if len(plain) == 1:
            return _as_float(plain[0])
        low, high, n = plain
        return Interval(_as_float(low), _as_float(high), _as(int, n))
    return plain if plain is None or isinstance(plain, str) else _as((int, float), plain)


def _tupled(plain: Any) -> Any:
    """A plain value with tuples for lists, as points have them."""
    if isinstance(plain, list):
        return tuple(map(_tupled, plain))
    return {key: _tupled(value) for key, value in plain.items()} if isinstance(plain, dict) else plain
