"""Convolutions as plain matrices, tap by tap from their definitions: what the frequency domain is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def dense(kernel: np.ndarray, grid: Sequence[int], stride: int = 1, start: int | None = None) -> np.ndarray:
    """The operator's matrix, tap by tap from its definition; circular, or with zero padding cropped from `start` on."""
    kernel, (rows, columns) = np.asarray(kernel), kernel.shape[:2]
    coarse = tuple(-(-size // stride) for size in grid)
    matrix = np.zeros((rows, *coarse, columns, *grid), dtype=kernel.dtype)
    for point in np.ndindex(*grid):
        for tap in np.ndindex(*kernel.shape[2:]):
            there = np.add(point, tap)
            there = there % grid if start is None else there - start
            if np.all((there >= 0) & (there < grid) & (there % stride == 0)):
                matrix[(slice(None), *(there // stride), slice(None), *point)] += kernel[(..., *tap)]
    return matrix.reshape(rows * math.prod(coarse), -1)


def norm(matrix: np.ndarray) -> float:
    return float(np.linalg.norm(matrix, 2))


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors / np.sqrt(values)) @ vectors.T


def preconditioners(kernel: np.ndarray, grid: Sequence[int], epsilon: float = 0.0) -> list[np.ndarray]:
    """Dense P_k of equation (1), from the matrices A_k."""
    blocks = (dense(row[None], grid) for row in kernel)
    return [_inverse_root(A @ A.T + epsilon * np.eye(len(A))) for A in blocks]


def normalised(kernel: np.ndarray, grid: Sequence[int], epsilon: float = 0.0) -> np.ndarray:
    """Dense Q of equation (2)."""
    factors = preconditioners(kernel, grid, epsilon)
    return np.concatenate([P @ dense(row[None], grid) for P, row in zip(factors, kernel, strict=True)])
