"""Shrinking the bottom singular values of a classifier's weights (latent and SVD defences, 2.2 and 3.6).

W = U Sigma V^T has q = min(m, n) singular values; the bottom k are multiplied by s, so that W_s = W - (1 - s) W_b with
W_b = U_b Sigma_b V_b^T. s = 0 zeroes them out, s = 1/10 is the paper's "factor of 10"; its "scaled down by 10%"
would be s = 9/10. Biases stay as they are. Weights are (..., m, n), one row a logit.

Arrays of NumPy, CuPy and torch, at every scale that their dtype has; differentiable where the singular values are
distinct.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from array_api_compat import array_namespace

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.numerics.linear import MATRIX

ROUNDINGS: dict[str, Callable[[Fraction], int]] = {"floor": math.floor, "round": round, "ceil": math.ceil}


def count_from_percent(percent: float, q: int, rounding: Literal["floor", "round", "ceil"]) -> int:
    """How many of q singular values x % are; the paper leaves the rounding open. "round" takes ties to even.

    It matters: 5 % of the 10 values of a last layer are 0, 0 or 1; 15 % are 1, 2 or 2.

    Raises
    ------
    ValueError : unless 0 <= percent <= 100, q >= 1 and the rounding is one of the three.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"percent must be between 0 and 100, got {percent}")
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding must be floor, round or ceil, got {rounding!r}")
    return ROUNDINGS[rounding](Fraction(str(percent)) * require.integer("q", q, 1) / 100)


def bottom_part(W: Array, k: int) -> Array:
    """W_b, the part of W on its k smallest singular values: (..., m, n).

    Where sigma_(q-k) = sigma_(q-k+1) it is one of several.

    Raises
    ------
    ValueError : unless 0 <= k <= min(m, n).
    """
    U, sigma, Vh, size = decomposed(W)
    top = kept(W, k)
    return size * ((U[..., :, top:] * sigma[..., None, top:]) @ Vh[..., top:, :])


def shrink_bottom(W: Array, k: int, s: float) -> Array:
    """W_s: W with its k smallest singular values multiplied by s in [0, 1]: (..., m, n)."""
    return require.matrix("W", W, rational=False) - (1 - share(s)) * bottom_part(W, k)


def decomposed(W: Array) -> tuple[Array, Array, Array, Array]:
    """U, Sigma and V^T of W over a power of two, and that power, (..., 1, 1)."""
    W = require.matrix("W", W, rational=False)
    size = magnitudes.unit(W, MATRIX)
    return (*array_namespace(W).linalg.svd(W / size, full_matrices=False), size)


def kept(W: Array, k: int) -> int:
    """How many singular values of W are left alone when the bottom k are not: min(m, n) - k.

    Raises
    ------
    ValueError : unless 0 <= k <= min(m, n).
    """
    q = min(require.matrix("W", W, rational=False).shape[-2:])
    if require.integer("k", k, 0) > q:
        raise ValueError(f"k must be between 0 and min(m, n) = {q}, got {k}")
    return q - k


def share(s: float) -> float:
    """`s`, if it lies from 0 to 1."""
    return require.numbers("s", s, 0, 1)
