"""Condition numbers of weights in four norms, as the experiments on conditioning record them (conditioning, III-B).

kappa(W) = ||W|| ||W^+||, the norms being 1 (largest column sum), 2 (largest singular value), inf (largest row sum) and
Frobenius's. Everything is computed in float64 from one singular value decomposition. Weights that were stored in
float32 carry noise of 6e-8 of their size: a condition number above 1.7e7 says that they lack rank, and is no number.
"""

from __future__ import annotations

import numpy as np

from fragility.engine.study import UsageError

NORMS = ("1", "2", "inf", "fro")


def condition(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(kappa, strict kappa) of a matrix (m, n), each (4,) in the order of `NORMS`; never NaN.

    kappa is finite: it is blind to what the matrix annihilates, and 0 for the zero matrix alone. The strict one is
    infinite where the rank is below min(m, n), as sigma_1 / sigma_n is. Singular values of up to max(m, n) u sigma_1, u
    the precision of float64, count as 0.

    Raises
    ------
    UsageError : no matrix with an entry, or entries that are not finite, as a training that diverged leaves them.
    """
    W = _scaled(weights)
    left, sigma, right = np.linalg.svd(W, full_matrices=False)
    seen = _seen(W, sigma)
    inverse = (right[seen].T / sigma[seen]) @ left[:, seen].T
    kappa = np.array(_norms(W, sigma)) * _norms(inverse, 1 / sigma[seen]) + 0.0  # LAPACK has -0 among its zeros
    return kappa, kappa if seen.all() else np.full(len(NORMS), np.inf)


def gauge_condition(weights: np.ndarray) -> float:
    """sigma_1 / sigma_min(K-1, n) of W (K, n) minus the mean of its rows: what a softmax of K >= 2 logits sees of it.

    Another functional added to all logits changes no probability, but any condition number of W. Infinite where the
    centred rows have a lower rank, singular values of up to max(K, n) u ||W|| counting as 0, and for W = 0.

    Raises
    ------
    UsageError : as `condition`; fewer than 2 rows.
    """
    W = _scaled(weights)
    if len(W) < 2:
        raise UsageError(f"weights must have at least 2 rows, the logits of a softmax, got shape {W.shape}")
    sigma = np.linalg.svd(W - W.mean(axis=0), compute_uv=False)
    last = sigma[min(len(W) - 1, W.shape[1]) - 1]
    return float(sigma[0] / last) if last > _floor(W) * np.linalg.norm(W, 2) else np.inf


def row_space(weights: np.ndarray) -> np.ndarray:
    """Orthonormal rows (rank, n) that span the row space of W (m, n): P = V^T V projects on what W sees of a vector.

    Raises
    ------
    UsageError : as `condition`.
    """
    W = _scaled(weights)
    _, sigma, right = np.linalg.svd(W, full_matrices=False)
    return right[_seen(W, sigma)]


def _scaled(weights: np.ndarray) -> np.ndarray:
    """The matrix as float64, over the power of two that brings its largest entry near 1, so that no square is lost."""
    W = np.asarray(weights, dtype=np.float64)
    if W.ndim != 2 or 0 in W.shape:
        raise UsageError(f"weights must be a matrix, got shape {W.shape}")
    if not np.isfinite(W).all():
        raise UsageError("weights must be finite, got NaN or infinite ones, as a training that diverges has them")
    return np.ldexp(W, -int(np.frexp(np.abs(W).max())[1]))


def _seen(W: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Which singular values are no rounding."""
    return sigma > _floor(W) * sigma[0]


def _floor(W: np.ndarray) -> float:
    """Singular values below this share of the largest count as 0."""
    return max(W.shape) * np.finfo(np.float64).eps


def _norms(W: np.ndarray, sigma: np.ndarray) -> tuple[float, float, float, float]:
    """The four norms of a matrix with these singular values, 0 where there are none."""
    sizes = np.abs(W)
    return (
        sizes.sum(axis=0).max(initial=0),
        sigma.max(initial=0),
        sizes.sum(axis=1).max(initial=0),
        float(np.sqrt((sigma**2).sum())),
    )
