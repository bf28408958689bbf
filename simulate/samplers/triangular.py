"""R of H_L ... H_1 drawn as feature compression, Lemma 3, says it is: a handful of scalars a layer, whatever n.

This is the lemma's own sampler, so it verifies nothing about the lemma; studies that take the lemma for granted
draw from it. Let v_i = R_i ... R_1 e_n = (z_i, y_i, u_i), u and y the last coordinate and the one before. Then

    u_i = c_i u_{i-1},    y_i = a_i y_{i-1} + b_i u_{i-1},
    |z_i|^2 = (|z_{i-1}| rho_i + t g_i)^2 + (t s_i)^2,    t = |(y_{i-1}, u_{i-1})|,

because the leading block of R_i turns z_{i-1} into a vector of length |z_{i-1}| chi_{n_i} that is independent of
the Gaussian n - 2 vector added to it, and only the length of that vector along z and across it matters.
So all statistics below have their exact joint law.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream


class Layer(NamedTuple):
    """Independent variables of one factor, each (size,); `rho`, `g` and `s` are None where nothing hangs on them."""

    a: Array  # chi_{n_i - n + 2}: entry (n-1, n-1) of R_i
    b: Array  # N(0, 1): entry (n-1, n)
    c: Array  # chi_{n_i - n + 1}: entry (n, n)
    rho: Array | None  # chi_{n_i}: stretch of what is already above the block
    g: Array | None  # N(0, 1): what the block adds along it
    s: Array | None  # chi_{n-3}: what the block adds across it; chi_{n-2} in the first layer, where nothing is above


def draw(stream: Stream, size: int, n: int, rows: Sequence[int]) -> list[Layer]:
    """All the randomness of `size` products with layer heights rows = (n_1, ..., n_L), each at least n >= 2."""
    if n < 2 or not rows or min(rows) < n:
        raise ValueError(
            f"rows must be one or more heights of at least n, with n >= 2, got n = {n}, rows = {tuple(rows)}"
        )
    layers: list[Layer] = []
    for height in rows:
        a, c = stream.chi(height - n + 2, size), stream.chi(height - n + 1, size)
        b = stream.normal(size)
        rho = g = s = None
        if n > 2 and layers:
            rho, g, s = stream.chi(height, size), stream.normal(size), stream.chi(n - 3, size)
        elif n > 2:
            s = stream.chi(n - 2, size)
        layers.append(Layer(a, b, c, rho, g, s))
    return layers


def measure(backend: Backend, world: Sequence[Layer], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """Statistics of the last two columns of R, each (size,).

    last r_nn; determinant r_{n-1,n-1} r_nn; corner |r_{n-1,n}|; stretch |R_22 (1, -1)^T| / sqrt 2 with R_22 the
    trailing 2 x 2 block; column_norm |a_n|; fraction r_nn / |a_n|. Infinite or zero only where the value itself
    has no float64: the block is carried in units of prod sqrt(n_i - n + 1) and what lies above it in units of
    prod sqrt(n_i), both rounded to powers of two.
    """
    import numpy as np  # --help needs none

    xp = backend.xp
    upper, corner, last, above = 1.0, 0.0, 1.0, 0.0  # R_22 = [[upper, corner], [0, last]], and |z|
    block_units, above_units = _exponents(height - n + 1 for height in rows), _exponents(rows)
    block_unit = above_unit = 0
    for (a, b, c, rho, g, s), block_next, above_next in zip(world, block_units, above_units, strict=True):
        if s is not None:
            tail = xp.sqrt(corner * corner + last * last) * math.ldexp(1.0, block_unit - above_next)
            across = tail * s
            along = 0.0 if rho is None else above * _scaled(xp, rho, above_unit - above_next) + tail * g
            above = xp.sqrt(across * across + along * along)
        a, b, c = (_scaled(xp, entry, block_unit - block_next) for entry in (a, b, c))
        upper, corner, last = upper * a, corner * a + last * b, last * c
        block_unit, above_unit = block_next, above_next
    ratio = math.ldexp(1.0, block_unit - above_unit)
    norm = xp.sqrt(above * above + (corner * corner + last * last) * ratio**2)
    stretch = xp.sqrt(0.5 * ((upper - corner) ** 2 + last * last))
    with np.errstate(over="ignore", under="ignore"):
        return {
            "last": _scaled(xp, last, block_unit),
            "stretch": _scaled(xp, stretch, block_unit),
            "determinant": _scaled(xp, upper * last, 2 * block_unit),
            "corner": _scaled(xp, xp.abs(corner), block_unit),
            "column_norm": _scaled(xp, norm, above_unit),
            "fraction": last * ratio / norm,
        }


def _scaled(xp: ModuleType, array: Array, exponent: int) -> Array:
    """array * 2^exponent, whatever the exponent."""
    if exponent == 0:
        return array
    return array * 2.0**exponent if abs(exponent) < 1000 else xp.ldexp(array, exponent)


def _exponents(degrees: Iterable[int]) -> list[int]:
    """Exponents of two nearest to sqrt(degrees_1), sqrt(degrees_1 degrees_2), ..."""
    return [round(0.5 * total) for total in accumulate(math.log2(degree) for degree in degrees)]
