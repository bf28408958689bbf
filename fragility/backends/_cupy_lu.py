"""The LU chain on the GPU: LU factorisation with partial pivoting of a whole batch, by halves of its columns.

All of a batch takes the same steps, so that half of the columns, then the other half, are factored by recursion
(Toledo 1997, "Locality of reference in LU decomposition with partial pivoting") down to panels that one thread
block holds in registers; between the halves stands one batched product, where nearly all operations are.

M = [H^T | Q], the transposed factor with its right-hand sides behind it, is eliminated as one n x (n + 2) matrix, so
the right-hand sides need no steps of their own. Array entry W[d, j, i] is entry (i, j) of M of draw d: a column of
M is contiguous, and the rows of W are those of H and of Q^T as they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cupy
import numpy as np

from fragility.backends import Array
from fragility.backends._cupy_batch import multiply, slices
from fragility.backends._cupy_lu_kernels import BLOCK, COLUMNS, PANEL, STEPS

WHOLE = 72  # columns of a last panel, right-hand sides included: 144 of the 255 registers a thread can have
PANEL_WORDS = 1 << 14  # entries of a panel: half of a multiprocessor's registers
MOST_THREADS = 1024
STATIC_SHARED = 48 << 10  # bytes of shared memory a kernel has without asking


def lu_chain(factors: Sequence[Array]) -> Array:
    """Trailing 2 x 2 block, (size, 2, 2), diagonal positive, of R of H_L ... H_1, for factors (size, n, n), n >= 2.

    Of A = Q R the last two columns of A^-T are Q_2 R_22^-T, Q_2 the last two columns of Q. So Q_2 (start: the
    last two columns of I) goes through X = H_i^-T Q_2 and X = Q_2' Lambda_i, and R_22 = Lambda_L^-T ... Lambda_1^-T.
    """
    size, _, n = factors[0].shape
    out = cupy.empty((size, 2, 2))
    for part in slices(size, (n + 2) * n + 12 * n):
        draws = part.stop - part.start
        W = cupy.empty((draws, n + 2, n))
        X = cupy.zeros((draws, 2, n))  # the rows are columns of Q_2
        X[:, 0, -2] = X[:, 1, -1] = 1.0
        R = cupy.tile(cupy.eye(2), (draws, 1, 1))
        for factor in factors:
            W[:, :n], W[:, n:] = factor[part], X
            _factor(W, 0, n + 2)
            _launch("back_substitute", (draws,), 256 if n > 128 else 64, (W, X, np.int32(n)), 2 * n * W.itemsize)
            R = cupy.matmul(_trailing(X), R)
        out[part] = R
    return out


def _factor(W: Array, first: int, last: int) -> Array:
    """Eliminates columns first..last-1 of M, in the rows from `first` on; L and U replace them.

    Returns order, (draws, n - first) int32: row first + order[q] as it was is now row first + q. It is left
    incomplete at the right edge of M, where nobody needs it.
    """
    draws, columns, n = W.shape
    rows, width = n - first, last - first
    if width <= _panel_width(rows):
        order = cupy.empty((draws, rows), np.int32)
        shape = -(-width // 8) * 8, -(-rows // MOST_THREADS), _threads(rows)
        _panel(*shape)((draws,), (shape[2],), (W, order, np.int32(n), np.int32(first), np.int32(width)))
        return order
    middle = first + _half(width, rows)
    order = _factor(W, first, middle)
    _exchange(W, order, first, middle, last)
    _substitute(W, first, middle, middle, last)
    multiply(W[:, middle:last, first:middle], W[:, first:middle, middle:], W[:, middle:last, middle:], -1.0, 1.0)
    order_right = _factor(W, middle, last)
    if last < columns:  # else no product needs this L any more
        _exchange(W, order_right, middle, first, middle)
        _launch("compose", (draws,), 256, (order, order_right, np.int32(rows), np.int32(n - middle)), 4 * rows)
    return order


def _panel_width(rows: int) -> int:
    """Columns of the widest panel of that many rows that stays in registers, at least eight."""
    if rows + 2 <= WHOLE:
        return WHOLE
    held = _threads(rows) * -(-rows // MOST_THREADS)
    return min(max(PANEL_WORDS // held, 8), 32)


def _half(width: int, rows: int) -> int:
    """About half of `width`, in whole panels."""
    panel = min(_panel_width(rows), 32)
    return max(width // (2 * panel), 1) * panel


def _threads(rows: int) -> int:
    """Threads of a panel: whole warps, and few different numbers, since each is compiled for itself."""
    return min(32 if rows <= 32 else 64 if rows <= 64 else 1 << (rows - 1).bit_length(), MOST_THREADS)


def _exchange(W: Array, order: Array, first: int, left: int, right: int) -> None:
    """Puts the rows from `first` on of columns left..right-1 into `order`."""
    draws, _, n = W.shape
    arguments = (W, order, np.int32(n), np.int32(first), np.int32(left))
    _launch("exchange", (draws, right - left), 256 if n - first > 128 else 64, arguments, (n - first) * W.itemsize)


def _substitute(W: Array, first: int, last: int, left: int, right: int) -> None:
    """L^-1 times rows first..last-1 of columns left..right-1, L the unit lower triangle of those rows."""
    draws, _, n = W.shape
    if last - first <= BLOCK:
        arguments = (W, *map(np.int32, (n, first, last - first, left, right)))
        _launch("substitute", (draws, -(-(right - left) // COLUMNS)), COLUMNS, arguments)
        return
    middle = first + (last - first) // (2 * BLOCK) * BLOCK if last - first >= 2 * BLOCK else first + BLOCK
    _substitute(W, first, middle, left, right)
    multiply(W[:, left:right, first:middle], W[:, first:middle, middle:last], W[:, left:right, middle:last], -1.0, 1.0)
    _substitute(W, middle, last, left, right)


def _trailing(X: Array) -> Array:
    """Lambda^-T of the QL factorisation X = Q_2 Lambda, (draws, 2, 2); X becomes Q_2.

    The two columns of X lean towards each other, twice as close at every layer, so Gram-Schmidt is run twice.
    """
    first, last = X[:, 0], X[:, 1]
    last_norm = cupy.linalg.norm(last, axis=1)
    last /= last_norm[:, None]
    along = 0.0
    for _ in range(2):
        step = (first * last).sum(axis=1)
        first -= step[:, None] * last
        along = along + step
    first_norm = cupy.linalg.norm(first, axis=1)
    first /= first_norm[:, None]
    R = cupy.zeros((len(X), 2, 2))
    R[:, 0, 0] = 1.0 / first_norm
    R[:, 0, 1] = -along / (first_norm * last_norm)
    R[:, 1, 1] = 1.0 / last_norm
    return R


@cache
def _panel(width: int, rows: int, threads: int) -> Any:
    """Kernel for panels of at most `width` columns and `rows` rows to each of `threads` threads."""
    sizes = (f"-DWIDTH={width}", f"-DROWS={rows}", f"-DTHREADS={threads}")
    return cupy.RawModule(code=PANEL, options=("-std=c++17", *sizes)).get_function("eliminate")


@cache
def _step(name: str) -> Any:
    """Kernel of that name, which does a step between two panels."""
    sizes = (f"-DBLOCK={BLOCK}", f"-DCOLUMNS={COLUMNS}")
    return cupy.RawModule(code=STEPS, options=("-std=c++17", *sizes)).get_function(name)


def _launch(name: str, grid: tuple[int, ...], threads: int, arguments: tuple[Any, ...], shared: int = 0) -> None:
    step = _step(name)
    if shared > STATIC_SHARED:
        step.max_dynamic_shared_size_bytes = shared
    step(grid, (threads,), arguments, shared_mem=shared)
