"""The QR chain for many small matrices at once: entry (i, j) of LANES draws lies side by side, one SIMD lane each.

A single small matrix cannot fill the vector units, and its loops end before they begin; here every innermost loop
runs over draws, without a branch and without a reduction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

LANES = 64
CHUNK = 8 * LANES  # draws per compiled call: reflectors and R of a chunk stay in the cache


def qr_chain(factors: Sequence[np.ndarray], k: int) -> np.ndarray:
    """Trailing k x k block, (size, k, k), diagonal positive, of R of H_L ... H_1; k = n gives all of R."""
    size, _, n = factors[0].shape
    heights = [n] + [factor.shape[1] for factor in factors]
    out = np.empty((size, k, k))
    for start in range(0, size, CHUNK):
        chunk = [np.ascontiguousarray(factor[start : start + CHUNK]) for factor in factors]
        groups = -(-len(chunk[0]) // LANES)
        R = np.zeros((groups, k, k, LANES))
        R[:, range(k), range(k)] = 1.0
        V, beta = np.empty((groups, 0, n, LANES)), np.empty((groups, n, LANES))
        for factor, height in zip(chunk, heights[1:], strict=True):
            following = np.empty((groups, height, n, LANES))
            _layer(factor, V, beta, following, R)
            V = following
        draws = R.transpose(0, 3, 1, 2).reshape(-1, k, k)[: len(chunk[0])]
        signs = np.copysign(1.0, np.diagonal(draws, axis1=1, axis2=2))
        np.multiply(draws, signs[:, :, None], out=out[start : start + CHUNK])
    return out


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _layer(H: np.ndarray, V: np.ndarray, beta: np.ndarray, out: np.ndarray, R: np.ndarray) -> None:
    """One factor: H Q = Q' R', where Q = prod_k (I - beta_k v_k v_k^T); R <- R' R; Q' to `out` and `beta`.

    H (size, rows, columns); V (groups, columns, n, LANES) the vectors v_k, or no rows at all for Q = I; beta
    (groups, n, LANES); out (groups, rows, n, LANES); R (groups, k, k, LANES).
    """
    _, rows, columns = H.shape
    groups, _, n, _ = out.shape
    A = np.empty((rows, columns, LANES))
    s = np.empty(LANES)
    diagonal = np.empty((n, LANES))
    for group in range(groups):
        _load(H, group * LANES, A)
        if V.shape[1]:
            _apply(A, V[group], beta[group], s)
        _factor(A, n, beta[group], diagonal, s)
        out[group] = A[:, :n]
        _multiply(A, n, diagonal, R[group])


@njit(nogil=True, cache=True, error_model="numpy")
def _load(H: np.ndarray, first: int, A: np.ndarray) -> None:
    """A[:, :, lane] = H[first + lane], eight lanes at a time: a cache line of A is written whole.

    Lanes beyond the last draw repeat it.
    """
    size, rows, columns = H.shape
    for eight in range(0, LANES, 8):
        for i in range(rows):
            for j in range(columns):
                for lane in range(eight, eight + 8):
                    A[i, j, lane] = H[min(first + lane, size - 1), i, j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _apply(A: np.ndarray, V: np.ndarray, beta: np.ndarray, s: np.ndarray) -> None:
    """A <- A prod_k (I - beta_k v_k v_k^T)."""
    rows, columns, _ = A.shape
    for k in range(V.shape[1]):
        for i in range(rows):
            s[:] = 0.0
            for j in range(k, columns):
                v, a = V[j, k], A[i, j]
                for lane in range(LANES):
                    s[lane] += v[lane] * a[lane]
            b = beta[k]
            for lane in range(LANES):
                s[lane] *= b[lane]
            for j in range(k, columns):
                v, a = V[j, k], A[i, j]
                for lane in range(LANES):
                    a[lane] -= s[lane] * v[lane]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _factor(A: np.ndarray, n: int, beta: np.ndarray, diagonal: np.ndarray, s: np.ndarray) -> None:
    """Householder QR of the first n columns: v_k in and below the diagonal of A, R above it and in `diagonal`."""
    rows = A.shape[0]
    for k in range(n):
        s[:] = 0.0
        for i in range(k, rows):
            v = A[i, k]
            for lane in range(LANES):
                s[lane] += v[lane] * v[lane]
        head, b, r = A[k, k], beta[k], diagonal[k]
        for lane in range(LANES):
            norm = math.copysign(math.sqrt(s[lane]), head[lane])
            r[lane] = -norm
            head[lane] += norm
            b[lane] = 1.0 / (norm * head[lane]) if norm != 0.0 else 0.0
        for j in range(k + 1, n):
            s[:] = 0.0
            for i in range(k, rows):
                v, a = A[i, k], A[i, j]
                for lane in range(LANES):
                    s[lane] += v[lane] * a[lane]
            for lane in range(LANES):
                s[lane] *= b[lane]
            for i in range(k, rows):
                v, a = A[i, k], A[i, j]
                for lane in range(LANES):
                    a[lane] -= s[lane] * v[lane]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _multiply(A: np.ndarray, n: int, diagonal: np.ndarray, R: np.ndarray) -> None:
    """R <- R' R for trailing blocks: R' lies above the diagonal of A and in `diagonal`, its diagonal."""
    k = R.shape[0]
    first = n - k
    for i in range(k):
        for j in range(i, k):
            out, d = R[i, j], diagonal[first + i]
            for lane in range(LANES):
                out[lane] *= d[lane]
            for m in range(i + 1, j + 1):
                a, r = A[first + i, first + m], R[m, j]
                for lane in range(LANES):
                    out[lane] += a[lane] * r[lane]
