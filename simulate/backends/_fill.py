"""Arrays of normal and chi variables, filled in compiled loops that release the GIL."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def normal(generator: np.random.Generator, out: np.ndarray) -> None:
    """Fill the flat `out` with what `generator.standard_normal` gives."""
    for i in range(out.size):
        out[i] = generator.standard_normal()


@njit(nogil=True, cache=True, error_model="numpy")
def chi(generator: np.random.Generator, degrees: int, out: np.ndarray) -> None:
    """Fill the flat `out` with chi variables, by the ways and in the order of `numpy_backend.Stream.chi`."""
    if degrees == 0:
        out[:] = 0.0
    elif degrees == 1:
        for i in range(out.size):
            out[i] = abs(generator.standard_normal())
    elif degrees == 2:
        for i in range(out.size):
            out[i] = math.sqrt(2.0 * generator.standard_exponential())
    else:
        for i in range(out.size):
            out[i] = math.sqrt(2.0 * generator.standard_gamma(0.5 * degrees))
