"""Linear systems with many medium matrices, one after the other, by Gaussian elimination in the cache of a core.

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
    A, y, order = np.empty((n, n)), np.empty(n), np.empty(n, np.int64)
    for draw in range(size):
        A[:] = factor[draw]
        _eliminate(A, order)
        for column in range(2):
            _substitute(A, order, X[column, draw], y)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _eliminate(A: np.ndarray, order: np.ndarray) -> None:
    """H[order] = L U in the place of A = H, by partial pivoting."""
    n = len(A)
    for i in range(n):
        order[i] = i
    for left in range(0, n, 4):
        right = min(left + 4, n)
        _panel(A, order, left, right)
        if right == n:
            return
        u0, u1, u2, u3 = A[left, right:], A[left + 1, right:], A[left + 2, right:], A[left + 3, right:]
        a, b, c = A[left + 1, left], A[left + 2, left], A[left + 2, left + 1]
        d, e, f = A[left + 3, left], A[left + 3, left + 1], A[left + 3, left + 2]
        for j in range(n - right):
            u1[j] -= a * u0[j]
            u2[j] -= b * u0[j] + c * u1[j]
            u3[j] -= d * u0[j] + e * u1[j] + f * u2[j]
        for i in range(right, n):
            row = A[i, right:]
            a, b, c, d = A[i, left], A[i, left + 1], A[i, left + 2], A[i, left + 3]
            for j in range(n - right):
                row[j] -= a * u0[j] + b * u1[j] + c * u2[j] + d * u3[j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _panel(A: np.ndarray, order: np.ndarray, left: int, right: int) -> None:
    """Eliminate the columns left, ..., right - 1 among themselves; rows are swapped whole."""
    n = len(A)
    for k in range(left, right):
        pivot, largest = k, abs(A[k, k])
        for i in range(k + 1, n):
            if abs(A[i, k]) > largest:
                pivot, largest = i, abs(A[i, k])
        if pivot != k:
            order[k], order[pivot] = order[pivot], order[k]
            upper, lower = A[k], A[pivot]
            for j in range(n):
                upper[j], lower[j] = lower[j], upper[j]
        inverse = 1.0 / A[k, k]
        for i in range(k + 1, n):
            multiplier = A[i, k] * inverse
            A[i, k] = multiplier
            for j in range(k + 1, right):
                A[i, j] -= multiplier * A[k, j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _substitute(A: np.ndarray, order: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """x <- H^-T x: with U^T, with L^T, then the entries back in their places; y (n,) is work space."""
    n = len(A)
    y[:] = x
    for k in range(n):
        if y[k] != 0.0:  # the chain starts from unit vectors
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
