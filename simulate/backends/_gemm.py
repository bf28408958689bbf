"""C -= A B in place by BLAS with the GIL released: numpy has no product that adds to an array, scipy's keeps the GIL."""

from __future__ import annotations

import ctypes

import numpy as np
from numba.extending import get_cython_function_address


def _blas(name: str, arguments: int) -> ctypes._FuncPointer:
    """A routine of the BLAS inside scipy: every argument is a pointer, and ctypes releases the GIL in calls."""
    address = get_cython_function_address("scipy.linalg.cython_blas", name)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arguments)(address)


_dgemm = _blas("dgemm", 13)
_dtrsm = _blas("dtrsm", 11)


def _integer(value: int) -> object:
    return ctypes.byref(ctypes.c_int(value))


_ONE, _MINUS_ONE = (ctypes.byref(ctypes.c_double(value)) for value in (1.0, -1.0))


def _operand(A: np.ndarray) -> tuple[bytes, int, object]:
    """How BLAS, which thinks in columns, finds the transpose of A: op, address, leading dimension."""
    rows, columns = A.strides
    if columns == A.itemsize:
        return b"N", A.ctypes.data, _integer(rows // A.itemsize)
    return b"T", A.ctypes.data, _integer(columns // A.itemsize)


def subtract_product(C: np.ndarray, A: np.ndarray, B: np.ndarray) -> None:
    """C -= A B for float64 C (m, n) with contiguous rows, A (m, k) and B (k, n) with contiguous rows or columns."""
    (m, k), n = A.shape, B.shape[1]
    op_a, a, stride_a = _operand(A)
    op_b, b, stride_b = _operand(B)
    _, c, stride_c = _operand(C)
    _dgemm(op_b, op_a, _integer(n), _integer(m), _integer(k), _MINUS_ONE, b, stride_b, a, stride_a, _ONE, c, stride_c)


def solve_unit_lower(L: np.ndarray, B: np.ndarray) -> None:
    """B <- L^-1 B for unit lower triangular L (m, m), whose other entries are not read, and B (m, n), contiguous rows."""
    m, n = B.shape
    _, a, stride_a = _operand(L)
    _, b, stride_b = _operand(B)
    _dtrsm(b"R", b"U", b"N", b"U", _integer(n), _integer(m), _ONE, a, stride_a, b, stride_b)
