"""Extreme singular values of Gaussian matrices too large to factor, drawn as those of a bidiagonal matrix.

Reflections from both sides turn an m x n Gaussian matrix, m >= n, into an upper bidiagonal one whose entries are
independent: chi_m, ..., chi_(m-n+1) on the diagonal, chi_(n-1), ..., chi_1 above it (Silverstein 1985). That is all
that is taken for granted; no law of a singular value is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

STEPS = 60  # of Laguerre's iteration, which takes four to eight
CLOSE = 1e-5  # relative step that ends it: convergence is cubic


class Bidiagonal(NamedTuple):
    """Squares of the entries of `size` bidiagonal matrices, one row of the arrays per column of the matrices."""

    diagonal: Array  # (n, size)
    above: Array  # (n - 1, size)


def draw(stream: Stream, size: int, n: int, rows: Sequence[int]) -> Bidiagonal:
    """The bidiagonal form of `size` Gaussian matrices with n columns and rows[0] rows; wide ones are transposed."""
    short, long = sorted((n, rows[0]))
    diagonal = stream.chi(long, short, size)
    for k in range(1, short):
        diagonal[k] = stream.chi(long - k, size)
    above = stream.chi(1, short - 1, size)
    for k in range(short - 1):
        above[k] = stream.chi(short - 1 - k, size)
    return Bidiagonal(diagonal**2, above**2)


def measure(backend: Backend, world: Bidiagonal, n: int, rows: Sequence[int]) -> dict[str, Array]:
    """smallest singular value, the same times sqrt(n), condition = largest / smallest, and that over n: each (size,).

    NaN where the iteration has not settled.
    """
    xp = backend.xp
    zero = xp.zeros_like(world.diagonal[0])
    smallest = xp.sqrt(_eigenvalue(xp, world, zero))
    beyond = xp.max(world.diagonal, axis=0) ** 0.5 + (xp.max(world.above, axis=0) ** 0.5 if len(world.above) else 0)
    condition = xp.sqrt(_eigenvalue(xp, world, beyond**2)) / smallest
    return {
        "smallest": smallest,
        "scaled_smallest": n**0.5 * smallest,
        "condition": condition,
        "condition_per_column": condition / n,
    }


def _eigenvalue(xp: Any, world: Bidiagonal, start: Array) -> Array:
    """The eigenvalue of B^T B nearest to `start`, which must lie on one side of all of them.

    Laguerre's iteration for p = det(B^T B - shift), which never steps across a root from outside.
    """
    import numpy as np  # --help needs none

    degree = len(world.diagonal)
    shift, settled = start, start < 0  # none is
    with np.errstate(divide="ignore", invalid="ignore"):  # on a root
        for _ in range(STEPS):
            slope, curvature = _resolvents(xp, world, shift)
            spread = xp.sqrt(xp.maximum((degree - 1) * (degree * curvature - slope**2), 0))
            on_root = ~xp.isfinite(slope + spread)  # a pivot is 0, outside all eigenvalues only to rounding
            step = degree / (slope + xp.where(slope > 0, spread, -spread))
            step = xp.where(settled | on_root, 0, step)
            shift = shift + step
            settled = xp.abs(step) <= CLOSE * shift
            if bool(xp.all(settled)):
                break
    return xp.where(settled, shift, xp.nan)


def _resolvents(xp: Any, world: Bidiagonal, shift: Array) -> tuple[Array, Array]:
    """sum 1 / (lambda_i - shift) and the sum of the squares, from pivots of B^T B - shift and two derivatives.

    Pivots are q + s with s' = above (s / pivot) - shift, the stationary qd transform, which keeps small eigenvalues'
    relative accuracy.
    """
    s, first, second = -shift, -xp.ones_like(shift), xp.zeros_like(shift)
    slope, curvature = xp.zeros_like(shift), xp.zeros_like(shift)
    for k, q in enumerate(world.diagonal):
        inverse = 1 / (s + q)
        change = first * inverse
        slope -= change
        curvature += change * change - second * inverse
        if k < len(world.above):
            ahead = world.above[k] * inverse
            turn = ahead * q * inverse
            second = turn * (second - 2 * first * change)
            first = turn * first - 1
            s = ahead * s - shift
    return slope, curvature
