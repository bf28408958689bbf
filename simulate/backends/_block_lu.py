"""Linear systems with large matrices: recursive LU with partial pivoting, panels in compiled loops, the rest by BLAS.

LAPACK's panels are bound by memory: at n = 256 they take more time than the products. Here a panel is copied to
rows of PANEL numbers, and one pass over them eliminates a column and finds the next pivot.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulate.backends._gemm import solve_unit_lower, subtract_product

PANEL = 32  # columns eliminated in compiled loops: few vector registers
PADDING = 8  # keeps rows off the powers of two apart


def solve(factor: np.ndarray, X: np.ndarray) -> None:
    """Put H^-T x in the place of both vectors x of every draw: factor (size, n, n), X (2, size, n).

    The rows x^T stand below H and are eliminated with it, but are never pivots: of H = P^T L U their multipliers
    are y^T = x^T U^-1, and L^-T y is left to do.
    """
    _, n, _ = factor.shape
    A, panel, order = np.zeros((n + 2, n + PADDING)), np.zeros((n + 2, PANEL)), np.empty(n, np.int64)
    for draw, H in enumerate(factor):
        A[:n, :n] = H
        A[n:, :n] = X[:, draw]
        order[:] = np.arange(n)
        _eliminate(A, panel, order, 0, n)
        _substitute(A, n)
        X[:, draw, order] = A[n:, :n]


def _eliminate(A: np.ndarray, panel: np.ndarray, order: np.ndarray, left: int, right: int) -> None:
    """Eliminate the columns left, ..., right - 1, already updated from their left, in the rows from left on."""
    if right - left <= PANEL:
        _panel(A, panel, order, left, right)
        return
    middle = left + PANEL * ((right - left + PANEL) // (2 * PANEL))
    _eliminate(A, panel, order, left, middle)
    solve_unit_lower(A[left:middle, left:middle], A[left:middle, middle:right])
    subtract_product(A[middle:, middle:right], A[middle:, left:middle], A[left:middle, middle:right])
    _eliminate(A, panel, order, middle, right)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _panel(A: np.ndarray, P: np.ndarray, order: np.ndarray, left: int, right: int) -> None:
    """The same for at most PANEL columns, in the work space P (n + 2, PANEL); rows of A are swapped whole."""
    n, width = len(order), right - left
    u = np.zeros(PANEL)
    for i in range(left, n + 2):
        for j in range(width):
            P[i, j] = A[i, left + j]
    pivot, largest = left, -1.0
    for i in range(left, n):
        if abs(P[i, 0]) > largest:
            pivot, largest = i, abs(P[i, 0])
    for k in range(width):
        top, following = left + k, min(k + 1, PANEL - 1)
        if pivot != top:
            order[top], order[pivot] = order[pivot], order[top]
            _swap(P[top], P[pivot])
            _swap(A[top], A[pivot])
        u[:] = P[top]
        u[: k + 1] = 0.0
        inverse = 1.0 / P[top, k]
        pivot, largest = top + 1, -1.0
        for i in range(top + 1, n + 2):
            row = P[i]
            multiplier = row[k] * inverse
            for j in range(PANEL):
                row[j] -= multiplier * u[j]
            row[k] = multiplier
            if abs(row[following]) > largest and i < n:
                pivot, largest = i, abs(row[following])
    for i in range(left, n + 2):
        for j in range(width):
            A[i, left + j] = P[i, j]


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _swap(a: np.ndarray, b: np.ndarray) -> None:
    for j in range(len(a)):
        a[j], b[j] = b[j], a[j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _substitute(A: np.ndarray, n: int) -> None:
    """L^-T y for both y^T, the rows below L."""
    y, z = A[n], A[n + 1]
    for k in range(n - 1, 0, -1):
        row, a, b = A[k], y[k], z[k]
        for j in range(k):
            y[j] -= row[j] * a
            z[j] -= row[j] * b
