"""dgemm for compiled loops: neither numba's product nor numpy's can add to a part of an array.

The routine goes through them as an argument: a compiled function with its address inside could not be cached.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core.typing import Signature
from numba.experimental import function_type  # noqa: F401 -- tells numba the type of a Routine
from numba.extending import get_cython_function_address


class Routine(types.WrapperAddressProtocol):
    """A routine of the BLAS inside scipy, whose arguments are addresses; a compiled function takes it as argument."""

    def __init__(self, name: str, arguments: int) -> None:
        self._address = get_cython_function_address("scipy.linalg.cython_blas", name)
        self._arguments = arguments

    def __wrapper_address__(self) -> int:
        """Where the routine begins."""
        return self._address

    def signature(self) -> Signature:
        """Addresses as integers, nothing returned."""
        return types.void(*[types.intp] * self._arguments)


DGEMM = Routine("dgemm", 13)
NO = np.frombuffer(b"N", np.uint8)  # transposition; BLAS takes letters by address, too


@njit(nogil=True, cache=True)
def add_product(
    dgemm: Any, no: np.ndarray, C: np.ndarray, A: np.ndarray, B: np.ndarray, alpha: float, beta: float
) -> None:
    """C <- alpha A B + beta C for A (m, k), B (k, n), C (m, n), float64 with contiguous rows, m, n, k > 0.

    BLAS, which thinks in columns, sees the transposes: C^T = B^T A^T.
    """
    sizes, scales = np.empty(6, np.int32), np.empty(2)
    sizes[0], sizes[1], sizes[2] = B.shape[1], len(C), len(B)
    sizes[3], sizes[4], sizes[5] = B.strides[0] // 8, A.strides[0] // 8, C.strides[0] // 8
    scales[0], scales[1] = alpha, beta
    s, x, o = np.intp(sizes.ctypes.data), np.intp(scales.ctypes.data), np.intp(no.ctypes.data)
    a, b, c = np.intp(A.ctypes.data), np.intp(B.ctypes.data), np.intp(C.ctypes.data)
    dgemm(o, o, s, s + 4, s + 8, x, b, s + 12, a, s + 16, x + 8, c, s + 20)
    sizes[0], scales[0] = 0, 0.0  # both live until here
