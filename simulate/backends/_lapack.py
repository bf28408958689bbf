"""The two chains by LAPACK, one matrix after the other; the GIL is released inside, so that threads share draws.

Both find R of H_L ... H_1 layer by layer and never form the product, whose rounding errors hide r_nn as soon
as eps exp(L (lambda_1 - lambda_n)) is not small: that is about L = 12 at n = 100.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dgemqrt, dgeqrt, dgetrf, dgetrs

PADDING = 8  # zero rows leave R as it is and keep the leading dimension off the powers of two: 1.4 times faster

Solver = Callable[[np.ndarray, np.ndarray], None]


def qr_chain(factors: Sequence[np.ndarray]) -> np.ndarray:
    """R, (size, n, n), positive diagonal: H_1 = Q_1 R_1, H_i Q_{i-1} = Q_i R_i, R = R_L ... R_1.

    Q_{i-1} is applied from the right as blocks of reflectors and is never formed. Entries below the diagonal are
    zero before R_i is multiplied: the smallest remainder there lets the large r_{n-1,n} leak into r_nn, and
    doubles its error at every layer.
    """
    size, _, n = factors[0].shape
    width = min(n, 32 if n < 700 else 64)  # reflectors a block
    chains = np.empty((size, n, n))
    for draw in range(size):
        V, T, _ = dgeqrt(width, _padded(factors[0][draw])[:, :n], overwrite_a=1)
        R = np.triu(V[:n])
        for factor in factors[1:]:
            A, _ = dgemqrt(V, T, _padded(factor[draw]), side="R", overwrite_c=1)
            V, T, _ = dgeqrt(width, A[:, :n], overwrite_a=1)
            R = dtrmm(1.0, np.triu(V[:n]), R, overwrite_b=1)
        chains[draw] = R
    chains *= np.copysign(1.0, np.diagonal(chains, axis1=1, axis2=2))[:, :, None]
    return chains


def _padded(H: np.ndarray) -> np.ndarray:
    rows, columns = H.shape
    A = np.zeros((rows + PADDING, columns + PADDING), order="F")
    A[:rows, :columns] = H
    return A


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
