"""Linear systems with large matrices by blocked LU with partial pivoting: panels in compiled loops, the rest dgemm.

In LAPACK's LU the panels and OpenBLAS' triangular solves, at a tenth of the speed of dgemm, cost as much as the
products. Here a triangular solve is a product with the inverse of a BLOCK x BLOCK matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from fragility.backends._blas import DGEMM, NO, add_product

PANEL = 8  # rows eliminated by compiled loops, which stay in the caches of a core
BLOCK = 32  # rows eliminated from all below at once
PADDING = 8  # keeps rows off the powers of two apart


def solve(factor: np.ndarray, X: np.ndarray) -> None:
    """Put H^-T x in the place of both vectors x of every draw: factor (size, n, n), X (2, size, n)."""
    _solve(factor, X, DGEMM, NO)


@njit(nogil=True, cache=True, error_model="numpy")
def _solve(factor: np.ndarray, X: np.ndarray, dgemm: Any, no: np.ndarray) -> None:
    """A row of A is a column of [H^T, x, x'] = P^T L [U, y, y'], which it becomes; U^-1 y and U^-1 y' are left to do.

    So nobody needs L once the rows below are done with it, and a block's interchanges stay below its first row.
    """
    size, n, _ = factor.shape
    A, space, pivots = np.empty((n + 2, n + PADDING)), np.empty((n + 2 + BLOCK, BLOCK)), np.empty(n, np.int64)
    for draw in range(size):
        A[:n, :n] = factor[draw]
        A[n:, :n] = X[:, draw]
        for first in range(0, n, BLOCK):
            last = min(first + BLOCK, n)
            for left in range(first, last, PANEL):
                right = min(left + PANEL, last)
                _panel(A, pivots, left, right)
                _interchange(A, pivots, left, right, first, left)
                _update(A, pivots, left, right, last, space, dgemm, no)
            _update(A, pivots, first, last, n + 2, space, dgemm, no)
        _substitute(A)
        X[:, draw] = A[n:, :n]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "nnan"})
def _panel(A: np.ndarray, pivots: np.ndarray, left: int, right: int) -> None:
    """Eliminate the rows left, ..., right - 1 among themselves, by four at a time; pivots are sought along a row."""
    n = len(pivots)
    for k in range(left, right):
        row = A[k, :n]
        for j in range(left, k):
            p = pivots[j]
            row[j], row[p] = row[p], row[j]
        for j in range(left, k):
            a, upper = row[j], A[j]
            for i in range(j + 1, k):
                row[i] -= a * upper[i]
        tail = A[k, k:n]
        j = left
        while j + 4 <= k:
            l0, l1, l2, l3 = A[j, k:n], A[j + 1, k:n], A[j + 2, k:n], A[j + 3, k:n]
            a, b, c, d = row[j], row[j + 1], row[j + 2], row[j + 3]
            for i in range(len(tail)):
                tail[i] -= a * l0[i] + b * l1[i] + c * l2[i] + d * l3[i]
            j += 4
        while j < k:
            a, l0 = row[j], A[j, k:n]
            for i in range(len(tail)):
                tail[i] -= a * l0[i]
            j += 1
        largest, p = 0.0, k
        for i in range(len(tail)):
            largest = max(largest, abs(tail[i]))
        for i in range(len(tail)):
            if abs(tail[i]) == largest:
                p = k + i
                break
        pivots[k] = p
        for j in range(left, k + 1):
            A[j, k], A[j, p] = A[j, p], A[j, k]
        inverse = 1.0 / tail[0]
        for i in range(1, len(tail)):
            tail[i] *= inverse


@njit(nogil=True, cache=True)
def _interchange(A: np.ndarray, pivots: np.ndarray, left: int, right: int, first: int, end: int) -> None:
    """Interchange entries of the rows first, ..., end - 1 as the pivots left, ..., right - 1 say."""
    for i in range(first, end):
        row = A[i]
        for k in range(left, right):
            p = pivots[k]
            row[k], row[p] = row[p], row[k]


@njit(nogil=True, cache=True, error_model="numpy")
def _update(
    A: np.ndarray,
    pivots: np.ndarray,
    left: int,
    right: int,
    end: int,
    space: np.ndarray,
    dgemm: Any,
    no: np.ndarray,
) -> None:
    """Eliminate the rows left, ..., right - 1 from the rows right, ..., end - 1; space (n + 2 + BLOCK, BLOCK)."""
    if right == end:
        return
    n, width = len(pivots), right - left
    _interchange(A, pivots, left, right, right, end)
    inverse, before, after = space[:width, :width], space[BLOCK : BLOCK + end - right, :width], A[right:end, left:right]
    _invert(A[left:right, left:right], inverse)
    before[:] = after
    add_product(dgemm, no, after, before, inverse, 1.0, 0.0)
    if right < n:
        add_product(dgemm, no, A[right:end, right:n], after, A[left:right, right:n], -1.0, 1.0)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _invert(A: np.ndarray, inverse: np.ndarray) -> None:
    """The inverse of the unit upper triangular matrix above the diagonal of A."""
    n = len(A)
    for i in range(n - 1, -1, -1):
        row = inverse[i]
        row[:] = 0.0
        row[i] = 1.0
        j = i + 1
        while j + 4 <= n:
            r0, r1, r2, r3 = inverse[j], inverse[j + 1], inverse[j + 2], inverse[j + 3]
            a, b, c, d = A[i, j], A[i, j + 1], A[i, j + 2], A[i, j + 3]
            for k in range(n):
                row[k] -= a * r0[k] + b * r1[k] + c * r2[k] + d * r3[k]
            j += 4
        while j < n:
            a, r0 = A[i, j], inverse[j]
            for k in range(n):
                row[k] -= a * r0[k]
            j += 1


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _substitute(A: np.ndarray) -> None:
    """U^-1 of the last two rows, the columns of U being the rows above."""
    n = len(A) - 2
    y, z = A[n], A[n + 1]
    for k in range(n - 1, -1, -1):
        row, inverse = A[k], 1.0 / A[k, k]
        y[k] *= inverse
        z[k] *= inverse
        a, b = y[k], z[k]
        for j in range(k):
            y[j] -= row[j] * a
            z[j] -= row[j] * b
