"""Batches of matrices on the GPU: how many fit, and products that write into a part of a batch."""

from __future__ import annotations

from collections.abc import Iterator

import cupy
import numpy as np
from cupy.cuda import cublas

from fragility.backends import Array

SLICE_BYTES = 1 << 32  # of work space: enough matrices to keep every multiprocessor busy and hide the launches
MOST_DRAWS = 1 << 15  # a slice's draws: one dimension of a cuBLAS grid holds 2^16 - 1
WORD = np.dtype(np.float64).itemsize


def free_bytes() -> int:
    """Device memory that an allocation can still have: the driver's, and what CuPy's pool holds unused."""
    return cupy.cuda.runtime.memGetInfo()[0] + cupy.get_default_memory_pool().free_bytes()


def slices(size: int, floats: int) -> Iterator[slice]:
    """Slices of `size` draws, nearly equal, that need half of the free memory for `floats` numbers per draw."""
    fitting = min(SLICE_BYTES, free_bytes() // 2) // (WORD * floats)
    count = -(-size // min(max(fitting, 1), MOST_DRAWS))
    bounds = [size * part // count for part in range(count + 1)]
    yield from map(slice, bounds, bounds[1:])


def multiply(A: Array, B: Array, C: Array, alpha: float = 1.0, beta: float = 0.0) -> None:
    """C <- alpha A B + beta C for float64 batches (size, p, k), (size, k, q), (size, p, q), of one and the same size.

    A and B may be views with one of their last two axes contiguous, C one with the last axis contiguous, so a block
    of a larger batch is read and written in place: cupy.matmul would copy it first. C overlaps neither A nor B.
    """
    size, p, q = C.shape
    # cuBLAS counts by columns: what it sees of C is C^T = B^T A^T.
    (a, transposed_a, lda), (b, transposed_b, ldb) = _operand(A), _operand(B)
    scale = np.array([alpha, beta])
    cublas.dgemmStridedBatched(
        cupy.cuda.get_cublas_handle(),
        transposed_b,
        transposed_a,
        q,
        p,
        A.shape[2],
        scale.ctypes.data,
        b,
        ldb,
        B.strides[0] // WORD,
        a,
        lda,
        A.strides[0] // WORD,
        scale.ctypes.data + WORD,
        C.data.ptr,
        max(C.strides[1] // WORD, q),
        C.strides[0] // WORD,
        size,
    )


def _operand(X: Array) -> tuple[int, int, int]:
    """Address, whether cuBLAS must transpose, and leading dimension; the latter is free where there is one row."""
    _, rows, columns = X.shape
    if X.strides[2] == WORD:
        return X.data.ptr, cublas.CUBLAS_OP_N, max(X.strides[1] // WORD, columns)
    return X.data.ptr, cublas.CUBLAS_OP_T, max(X.strides[2] // WORD, rows)
