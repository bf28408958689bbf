"""The two chains by LAPACK, one matrix after the other: the GIL is released inside, so threads share the draws.

Both find R of H_L ... H_1 layer by layer and never form the product, whose rounding errors hide r_nn as soon
as eps exp(L (lambda_1 - lambda_n)) is not small: that is about L = 12 at n = 100.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dgeqrf, dgetrf, dgetrs, dormqr

PADDING = (
    8  # zero rows leave R as it is, and keep the leading dimension off the powers of two: 1.4 times faster
)
BLOCK = 64  # columns of LAPACK's work space per row


def qr_chain(factors: Sequence[np.ndarray]) -> np.ndarray:
    """R, (size, n, n), positive diagonal: H_1 = Q_1 R_1, H_i Q_{i-1} = Q_i R_i, R = R_L ... R_1.

    Q_{i-1} is applied as reflectors from the right and is never formed. Entries below the diagonal are zero
    before R_i is multiplied: the smallest remainder there lets the large r_{n-1,n} leak into r_nn, and
    doubles its error at every layer.
    """
    size, _, n = factors[0].shape
    chains = np.zeros((size, n, n))
    for draw in range(size):
        R = np.eye(n, order="F")
        reflectors = tau = None
        for factor in factors:
            rows, columns = factor.shape[1:]
            A = np.zeros((rows + PADDING, columns + PADDING), order="F")
            A[:rows, :columns] = factor[draw]
            if reflectors is not None:
                A, _, _ = dormqr("R", "N", reflectors, tau, A, BLOCK * len(A), overwrite_c=1)
            reflectors, tau, _, _ = dgeqrf(A[:, :n], lwork=BLOCK * n, overwrite_a=1)
            R = dtrmm(1.0, np.triu(reflectors[:n]), R, overwrite_b=1)
        chains[draw] = R
    chains *= np.copysign(1.0, np.diagonal(chains, axis1=1, axis2=2))[:, :, None]
    return chains


def lu_chain(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Trailing 2 x 2 block of the same R, (size, 2, 2), for square factors: 2/3 n^3 operations a factor.

    Of A = Q R the last two columns of A^-T are Q_2 R_22^-T, Q_2 the last two columns of Q. So Q_2 (start: the
    last two columns of I) goes through X = H_i^-T Q_2 and X = Q_2' Lambda_i, and R_22 = Lambda_L^-T ... Lambda_1^-T.
    """
    size, _, n = factors[0].shape
    R = np.broadcast_to(np.eye(2), (size, 2, 2))
    X = np.zeros((2, size, n))  # the two columns of every draw
    X[0, :, -2] = X[1, :, -1] = 1.0
    for factor in factors:
        for draw in range(size):
            lu, pivots, _ = dgetrf(factor[draw].T)
            X[:, draw], _ = _solved(lu, pivots, X[:, draw])
        R = _trailing(X) @ R
    return R


def _solved(lu: np.ndarray, pivots: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, int]:
    solution, info = dgetrs(lu, pivots, rows.T)
    return solution.T, info


def _trailing(X: np.ndarray) -> np.ndarray:
    """Lambda^-T of the QL factorisation X = Q_2 Lambda, (size, 2, 2); X becomes Q_2.

    The two columns of X lean towards each other, twice as close at every layer, so Gram-Schmidt is run twice.
    """
    first, last = X
    last_norm = np.linalg.norm(last, axis=1)
    last /= last_norm[:, None]
    along = np.zeros_like(last_norm)
    for _ in range(2):
        step = np.einsum("dn,dn->d", first, last)
        first -= step[:, None] * last
        along += step
    first_norm = np.linalg.norm(first, axis=1)
    first /= first_norm[:, None]
    R = np.zeros((*last_norm.shape, 2, 2))
    R[:, 0, 0] = 1.0 / first_norm
    R[:, 0, 1] = -along / (first_norm * last_norm)
    R[:, 1, 1] = 1.0 / last_norm
    return R
