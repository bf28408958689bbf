"""The QR chain on the GPU: Householder QR of a whole batch, by halves of its columns.

Q = I - V T V^T, V unit lower trapezoidal up to scale and T upper triangular, is built by recursion (Elmroth and
Gustavson 2000, "Applying recursion to serial and parallel QR factorization"); nearly all operations are batched
products. Nothing is squared: an ill-conditioned draw is as good as any other, which Cholesky-QR could not say.

Array entry P[d, j, i] is entry (i, j) of the matrix of draw d: a column is contiguous, and P as numpy reads it is
the transpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cupy
import numpy as np

from fragility.backends import Array
from fragility.backends._cupy_batch import multiply, slices

PANEL = 32  # columns that one thread block reflects
THREADS = 256

SOURCE = r"""
__device__ double warp_sum(double value) {
    for (int lanes = 16; lanes; lanes /= 2) value += __shfl_xor_sync(~0u, value, lanes);
    return value;
}

// Householder QR of `width` <= PANEL columns from row and column `first` on, a warp for each column: the vectors
// v = x + sign(x_0) |x| e_0 replace the columns, R (n, n) and T (n, n), by rows, receive the diagonal blocks.
// A block of threads sees what it wrote to device memory after a barrier, and its columns stay in the cache.
extern "C" __global__ void __launch_bounds__(THREADS) reflect(
    double* P, double* R, double* T, int m, int n, int first, int width
) {
    __shared__ double inner[PANEL], t[PANEL][PANEL + 1];
    double* A = P + ((size_t)blockIdx.x * n + first) * m;
    R += (size_t)blockIdx.x * n * n + (size_t)first * n + first;
    T += (size_t)blockIdx.x * n * n + (size_t)first * n + first;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = THREADS / 32;

    for (int k = 0; k < width; ++k) {
        const int row = first + k;
        double* x = A + (size_t)k * m;
        for (int j = warp; j < width; j += warps) {
            const double* a = A + (size_t)j * m;
            double sum = 0.0;
            for (int i = row + lane; i < m; i += 32) sum = fma(x[i], a[i], sum);
            sum = warp_sum(sum);
            if (lane == 0) inner[j] = sum;
        }
        __syncthreads();
        const double head = x[row], norm = copysign(sqrt(inner[k]), head), v_head = head + norm;
        const double tau = norm == 0.0 ? 0.0 : 1.0 / (norm * v_head);
        for (int j = warp; j < width; j += warps) {
            if (j == k) continue;
            double* a = A + (size_t)j * m;
            const double a_head = a[row], v_dot_a = inner[j] + norm * a_head, step = tau * v_dot_a;
            __syncwarp();
            if (j > k) {
                for (int i = row + 1 + lane; i < m; i += 32) a[i] = fma(-step, x[i], a[i]);
                if (lane == 0) { R[(size_t)k * n + j] = a_head - step * v_head; a[row] = 0.0; }
            } else if (lane == 0) inner[j] = v_dot_a;
        }
        __syncthreads();
        if (threadIdx.x < k) {
            double sum = 0.0;
            for (int j = threadIdx.x; j < k; ++j) sum = fma(t[threadIdx.x][j], inner[j], sum);
            t[threadIdx.x][k] = -tau * sum;
        }
        if (threadIdx.x == k) { t[k][k] = tau; x[row] = v_head; R[(size_t)k * n + k] = -norm; }
        __syncthreads();
    }
    for (int e = threadIdx.x; e < width * width; e += THREADS) {
        const int i = e / width, j = e % width;
        T[(size_t)i * n + j] = i <= j ? t[i][j] : 0.0;
    }
}
"""


def qr_chain(factors: Sequence[Array]) -> Array:
    """R, (size, n, n), upper triangular with positive diagonal, of H_L ... H_1 without forming the product.

    H_1 = Q_1 R_1, H_i Q_{i-1} = Q_i R_i, R = R_L ... R_1, for factors H_i (size, n_i, n_{i-1}), n_0 = n, n_i >= n.
    Every R_i is zero below its diagonal: the smallest remainder there would double its error at every layer.
    """
    size, _, n = factors[0].shape
    out = cupy.empty((size, n, n))
    for part in slices(size, 3 * n * max(factor.shape[1] for factor in factors) + 7 * n * n):
        draws = part.stop - part.start
        P = cupy.ascontiguousarray(_transposed(factors[0][part]))
        T = cupy.zeros((draws, n, n))
        R = cupy.zeros((draws, n, n))
        _factor(P, R, T, 0, n)
        for factor in factors[1:]:
            P = _applied(factor[part], P, T)
            following, product = cupy.zeros((draws, n, n)), cupy.empty((draws, n, n))
            _factor(P, following, T, 0, n)
            multiply(following, R, product)
            R = product
        diagonal = cupy.diagonal(R, axis1=1, axis2=2)
        out[part] = R * cupy.copysign(1.0, diagonal)[:, :, None]
    return out


def _factor(P: Array, R: Array, T: Array, first: int, last: int) -> None:
    """Reflects columns first..last-1, in the rows from `first` on; V replaces them, R and T gain their blocks."""
    draws, n, m = P.shape
    if last - first <= PANEL:
        _reflect()((draws,), (THREADS,), (P, R, T, *map(np.int32, (m, n, first, last - first))))
        return
    middle = first + max((last - first) // (2 * PANEL), 1) * PANEL
    left, right = slice(first, middle), slice(middle, last)
    _factor(P, R, T, first, middle)
    V, columns = P[:, left, first:], P[:, right, first:]
    inner, scaled = cupy.empty((2, draws, last - middle, middle - first))
    multiply(columns, _transposed(V), inner)
    multiply(inner, T[:, left, left], scaled)
    multiply(scaled, V, columns, -1.0, 1.0)
    R[:, left, right] = _transposed(P[:, right, left])
    P[:, right, left] = 0.0
    _factor(P, R, T, middle, last)
    inner, scaled = cupy.empty((2, draws, middle - first, last - middle))
    multiply(P[:, left, middle:], _transposed(P[:, right, middle:]), inner)
    multiply(T[:, left, left], inner, scaled)
    multiply(scaled, T[:, right, right], T[:, left, right], -1.0)


def _applied(H: Array, P: Array, T: Array) -> Array:
    """H Q, stored by columns as (draws, n, rows), of H (draws, rows, m) and the thin Q = I[:, :n] - V T V[:n]^T."""
    draws, n, _ = P.shape
    rows = H.shape[1]
    out = cupy.ascontiguousarray(_transposed(H[:, :, :n]))
    along, corner = cupy.empty((draws, n, rows)), cupy.empty((draws, n, n))
    multiply(P, _transposed(H), along)
    multiply(T, P[:, :, :n], corner)
    multiply(_transposed(corner), along, out, -1.0, 1.0)
    return out


def _transposed(X: Array) -> Array:
    return X.transpose(0, 2, 1)


@cache
def _reflect() -> Any:
    options = ("-std=c++17", f"-DPANEL={PANEL}", f"-DTHREADS={THREADS}")
    return cupy.RawModule(code=SOURCE, options=options).get_function("reflect")
