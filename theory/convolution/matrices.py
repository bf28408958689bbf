"""Convolutions as plain matrices, tap by tap from their definitions: what the frequency domain is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from theory.numerics import require


def dense(
    kernel: np.ndarray, grid: Sequence[int], stride: int = 1, start: int | None = None, groups: int = 1
) -> np.ndarray:
    """The operator's matrix, tap by tap from its definition; circular, or with zero padding cropped from `start` on."""
    kernel = require.finite("kernel", kernel, complex_entries=True)
    (rows, columns), inputs = kernel.shape[:2], groups * kernel.shape[1]
    coarse = tuple(-(-size // stride) for size in grid)
    matrix = np.zeros((rows, *coarse, inputs, *grid), dtype=kernel.dtype)
    for point in np.ndindex(*grid):
        for tap in np.ndindex(*kernel.shape[2:]):
            there = np.add(point, tap)
            there = there % grid if start is None else there - start
            if np.all((there >= 0) & (there < grid) & (there % stride == 0)):
                for k in range(groups):
                    own, seen = (slice(k * size, (k + 1) * size) for size in (rows // groups, columns))
                    matrix[(own, *(there // stride), seen, *point)] += kernel[(own, slice(None), *tap)]
    return matrix.reshape(rows * math.prod(coarse), -1)


def norm(matrix: np.ndarray) -> float:
    return float(np.linalg.norm(matrix, 2))


def _inverse_root(matrix: np.ndarray, epsilon: float) -> np.ndarray:
    """(A A^* + epsilon)^(-1/2)."""
    vectors, values, _ = np.linalg.svd(matrix, full_matrices=False)
    roots = np.hypot(values, math.sqrt(epsilon))
    if epsilon == 0 and roots[-1] <= 8 * np.finfo(roots.dtype).eps * roots[0]:
        raise ValueError("rows of the kernel must not vanish at any frequency, got one that does: take epsilon > 0")
    return (vectors / roots) @ vectors.conj().T


def preconditioners(kernel: np.ndarray, grid: Sequence[int], epsilon: float = 0.0) -> list[np.ndarray]:
    """Dense P_k of equation (1), from the matrices A_k."""
    return [_inverse_root(dense(row[None], grid), epsilon) for row in kernel]


def normalised(kernel: np.ndarray, grid: Sequence[int], epsilon: float = 0.0, groups: int = 1) -> np.ndarray:
    """Dense Q of equation (2)."""
    P, whole = preconditioners(kernel, grid, epsilon), dense(kernel, grid, groups=groups)
    return np.concatenate([factor @ rows for factor, rows in zip(P, np.split(whole, len(kernel)), strict=True)])
