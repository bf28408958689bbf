"""The two chains by LAPACK, one matrix after the other; the GIL is released inside, so that threads share draws.

scipy releases it in these routines, but not in dgeqrt, dgemqrt and dtrmm, which are otherwise a little quicker.

Both find R of H_L ... H_1 layer by layer and never form the product, whose rounding errors hide r_nn as soon
as eps exp(L (lambda_1 - lambda_n)) is not small: that is about L = 12 at n = 100.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg.lapack import dgeqrf, dgetrf, dgetrs, dormqr

PADDING = 8  # zero rows leave R as it is and keep the leading dimension off the powers of two: 1.4 times faster
WORK = 64  # widest block of reflectors LAPACK uses: work space for 64 columns, and dormqr keeps a 65 x 64 block in it

Solver = Callable[[np.ndarray, np.ndarray], None]


def qr_chain(factors: Sequence[np.ndarray]) -> np.ndarray:
    """R, (size, n, n), positive diagonal: H_1 = Q_1 R_1, H_i Q_{i-1} = Q_i R_i, R = R_L ... R_1.

    Q_{i-1} is applied from the right as blocks of reflectors and is never formed. Entries below the diagonal are
    zero before R_i is multiplied: the smallest remainder there lets the large r_{n-1,n} leak into r_nn, and
    doubles its error at every layer.
    """
    size, _, n = factors[0].shape
    chains = np.empty((size, n, n))
    for draw in range(size):
        R = reflectors = tau = None
        for factor in factors:
            rows, columns = factor.shape[1:]
            A = np.zeros((rows + PADDING, columns + PADDING), order="F")
            A[:rows, :columns] = factor[draw]
            if reflectors is not None:
                A, _, _ = dormqr("R", "N", reflectors, tau, A, WORK * (len(A) + WORK + 1), overwrite_c=1)
            reflectors, tau, _, _ = dgeqrf(A[:, :n], lwork=WORK * n, overwrite_a=1)
            layer = np.triu(reflectors[:n])
            R = layer if R is None else _triangular_product(layer, R)
        chains[draw] = R
    chains *= np.copysign(1.0, np.diagonal(chains, axis1=1, axis2=2))[:, :, None]
    return chains


def _triangular_product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A B for upper triangular A and B, without the half of the work that multiplies zeros."""
    half = len(A) // 2
    top, low = slice(half), slice(half, None)
    product = np.zeros_like(A)
    product[top, top] = A[top, top] @ B[top, top]
    product[top, low] = A[top, top] @ B[top, low] + A[top, low] @ B[low, low]
    product[low, low] = A[low, low] @ B[low, low]
    return product


def lu_chain(factors: Sequence[np.ndarray], solve: Solver | None = None) -> np.ndarray:
    """Trailing 2 x 2 block of the same R, (size, 2, 2), for square factors: 2/3 n^3 operations a factor.

    Of A = Q R the last two columns of A^-T are Q_2 R_22^-T, Q_2 the last two columns of Q. So Q_2, at first the
    last two columns of I, goes through X = H_i^-T Q_2 and X = Q_2' Lambda_i, Lambda_i lower triangular, and
    R_22 = Lambda_L^-T ... Lambda_1^-T.

    solve(factor, X) puts H^-T X in the place of X, (2, size, n); left out, it is LAPACK's LU with partial pivoting.
    """
    size, _, n = factors[0].shape
    R = np.broadcast_to(np.eye(2), (size, 2, 2))
    X = np.zeros((2, size, n))
    X[0, :, -2] = X[1, :, -1] = 1.0
    for factor in factors:
        (solve or _solve)(factor, X)
        R = _orthonormalise(X) @ R
    return R


def _solve(factor: np.ndarray, X: np.ndarray) -> None:
    for draw, H in enumerate(factor):
        lu, pivots, _ = dgetrf(H.T)
        X[:, draw] = dgetrs(lu, pivots, X[:, draw].T)[0].T


def _orthonormalise(X: np.ndarray) -> np.ndarray:
    """Lambda^-T, (size, 2, 2), of the QL factorisation X = Q_2 Lambda; Q_2 takes the place of X.

    The two columns of X lean towards each other, so one pass of Gram-Schmidt is not enough; two are.
    """
    first, last = X
    last_norm = np.sqrt(np.vecdot(last, last))
    last /= last_norm[:, None]
    along = np.zeros_like(last_norm)
    for _ in range(2):
        step = np.vecdot(first, last)
        first -= step[:, None] * last
        along += step
    first_norm = np.sqrt(np.vecdot(first, first))
    first /= first_norm[:, None]
    R = np.zeros((len(last_norm), 2, 2))
    R[:, 0, 0] = 1.0 / first_norm
    R[:, 0, 1] = -along / (first_norm * last_norm)
    R[:, 1, 1] = 1.0 / last_norm
    return R
