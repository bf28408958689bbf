"""Linear systems with many medium matrices, one after the other, by Gaussian elimination in the L1 cache.

A call of LAPACK costs as much as the elimination of a 16 x 16 matrix, and its blocks pay from n = 100 or so. Here
four columns are eliminated at a time, so that a row is loaded and stored once for four of its updates.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def solve(factor: np.ndarray, X: np.ndarray) -> None:
    """Put H^-T x in the place of both vectors x of every draw: factor (size, n, n), X (2, size, n)."""
    size, n, _ = factor.shape
    A, y = np.empty((n, n)), np.empty(n)
    order = np.empty(n, np.int64)
    for draw in range(size):
        A[:] = factor[draw]
        _eliminate(A, order)
        for column in range(2):
            _substitute(A, order, X[column, draw], y)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _eliminate(A: np.ndarray, order: np.ndarray) -> None:
    """A[order] = L U in the place of A, partial pivoting."""
    n = len(A)
    for i in range(n):
        order[i] = i
    for k in range(0, n, 4):
        right = min(k + 4, n)
        _panel(A, order, k, right)
        if right == n:
            return
        u0, u1, u2, u3 = A[k, right:], A[k + 1, right:], A[k + 2, right:], A[k + 3, right:]
        a, b, c = A[k + 1, k], A[k + 2, k], A[k + 2, k + 1]
        d, e, f = A[k + 3, k], A[k + 3, k + 1], A[k + 3, k + 2]
        for j in range(n - right):
            u1[j] -= a * u0[j]
            u2[j] -= b * u0[j] + c * u1[j]
            u3[j] -= d * u0[j] + e * u1[j] + f * u2[j]
        for i in range(right, n):
            row = A[i, right:]
            a, b, c, d = A[i, k], A[i, k + 1], A[i, k + 2], A[i, k + 3]
            for j in range(n - right):
                row[j] -= a * u0[j] + b * u1[j] + c * u2[j] + d * u3[j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _panel(A: np.ndarray, order: np.ndarray, left: int, right: int) -> None:
    """Eliminate columns left..right-1 within themselves, swapping whole rows."""
    n = len(A)
    for k in range(left, right):
        pivot = k
        for i in range(k + 1, n):
            if abs(A[i, k]) > abs(A[pivot, k]):
                pivot = i
        if pivot != k:
            order[k], order[pivot] = order[pivot], order[k]
            upper, lower = A[k], A[pivot]
            for j in range(n):
                upper[j], lower[j] = lower[j], upper[j]
        inverse = 1.0 / A[k, k]
        for i in range(k + 1, n):
            A[i, k] *= inverse
            for j in range(k + 1, right):
                A[i, j] -= A[i, k] * A[k, j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _substitute(A: np.ndarray, order: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """x <- H^-T x with H[order] = L U: U^T, then L^T, then the rows back in their places; y is work space."""
    n = len(A)
    y[:] = x
    for k in range(n):
        if y[k] != 0.0:  # unit vectors: nothing to do until their one
            row = A[k]
            y[k] /= row[k]
            for j in range(k + 1, n):
                y[j] -= row[j] * y[k]
    for k in range(n - 1, 0, -1):
        row = A[k]
        for j in range(k):
            y[j] -= row[j] * y[k]
    for k in range(n):
        x[order[k]] = y[k]
