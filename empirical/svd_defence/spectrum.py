"""Where perturbations and weights lie among the singular directions of a layer (latent and SVD defences, 2.2).

The paper supposes that attacks act on the lowest singular values. Matrices are (m, n), with q = min(m, n) singular
values in falling order; everything is computed in float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def profile(weight: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, float]:
    """Means over the directions of their squared length along each right singular vector, and outside of all.

    The first, (q,), is relative to the part of a direction within the span of these vectors and sums to 1; the second
    is relative to all of it. Directions without a part are left out of the mean of it; NaN where none has one.

    Parameters
    ----------
    weight : (m, n).
    directions : (count, n).
    """
    given = np.asarray(directions, dtype=np.float64)
    right = np.linalg.svd(np.asarray(weight, dtype=np.float64), full_matrices=False)[2]
    along = given @ right.T
    rest = ((given - along @ right) ** 2).sum(1)
    within, whole = (along**2).sum(1), (given**2).sum(1)
    inside, long = within > 0, whole > 0
    shares = (along[inside] ** 2 / within[inside, None]).mean(0) if inside.any() else np.full(len(right), np.nan)
    return shares, float((rest[long] / whole[long]).mean()) if long.any() else np.nan


def bottom(shares: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Sums of the last k of shares (q,), for each k of the counts."""
    return np.array([shares[len(shares) - k :].sum() for k in counts])


def squares(weight: np.ndarray) -> np.ndarray:
    """Squared singular values over their sum, (q,)."""
    sigma = np.linalg.svd(np.asarray(weight, dtype=np.float64), compute_uv=False)
    return sigma**2 / (sigma**2).sum()


def carried(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Shares of ||W_2 W_1||_F^2 that go through each singular direction of W_1, (q,), in the order of its values."""
    left, sigma, _ = np.linalg.svd(np.asarray(first, dtype=np.float64), full_matrices=False)
    through = ((np.asarray(second, dtype=np.float64) @ (left * sigma)) ** 2).sum(0)
    return through / through.sum()


def imbalance(second: np.ndarray, first: np.ndarray) -> float:
    """||W_2^T W_2 - W_1 W_1^T||_F / ||W_2 W_1||_F: 0 where shrinking both factors is shrinking their product."""
    second, first = (np.asarray(weight, dtype=np.float64) for weight in (second, first))
    return float(np.linalg.norm(second.T @ second - first @ first.T) / np.linalg.norm(second @ first))
