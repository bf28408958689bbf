"""The types of what formulas are evaluated on: arrays of whichever library, and numbers in floats or in fractions."""

from fractions import Fraction
from typing import Any, TypeAlias

Array: TypeAlias = Any  # of NumPy, CuPy or torch
Number: TypeAlias = float | Fraction  # a fraction where a witness is replayed in exact arithmetic
