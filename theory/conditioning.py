"""Condition numbers of a layer's weights, and what they do and do not say about relative errors (conditioning, III-B).

A layer is z = W x with W of shape (..., m, n), one row an output, and vectors of shape (..., n). The paper also writes
z = W^T x: transposing exchanges the norms 1 and inf and leaves 2 and "fro" as they are. The bias is left out, as the
paper's z_1 = z - b. P = W^+ W projects on the row space, all that the layer sees of x.

Norms are 1, 2, inf and "fro"; the last is not induced by a vector norm and is paired with the Euclidean one. Arrays of
NumPy, CuPy and torch; differentiable wherever the value is. The relative errors, the norms 1 and inf and the moments
keep NumPy arrays of fractions exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from array_api_compat import array_namespace

from theory import _require

Norm = float | Literal["fro"]
NORMS: tuple[Norm, ...] = (1, 2, math.inf, "fro")


def matrix_norm(W: Any, norm: Norm = 2) -> Any:
    """||W|| for norm 1 (largest column sum), 2 (largest singular value), inf (largest row sum) or "fro": shape (...).

    Raises
    ------
    ValueError : for another norm, or entries that are not finite.
    """
    _require.matrix("W", W)
    xp = array_namespace(W)
    if _checked(norm) == 2:
        return xp.linalg.svdvals(W)[..., 0]
    if norm == "fro":
        return xp.linalg.vector_norm(W, axis=(-2, -1))
    return xp.max(xp.sum(xp.abs(W), axis=-2 if norm == 1 else -1), axis=-1)


def vector_norm(x: Any, norm: Norm = 2) -> Any:
    """||x|| over the last axis; Euclidean for 2 and "fro"."""
    xp = array_namespace(x)
    if _checked(norm) == 1:
        return xp.sum(xp.abs(x), axis=-1)
    return xp.max(xp.abs(x), axis=-1) if norm == math.inf else xp.linalg.vector_norm(x, axis=-1)


def rank(W: Any) -> Any:
    """Numerical rank: how many singular values exceed max(m, n) u sigma_1, u the precision of the entries."""
    _require.matrix("W", W)
    xp = array_namespace(W)
    sigma = xp.linalg.svdvals(W)
    return xp.sum(xp.astype(sigma > _floor(W) * sigma[..., :1], xp.int64), axis=-1)


def condition(W: Any, norm: Norm = 2, strict: bool = False) -> Any:
    """kappa(W) = ||W|| ||W^+|| (conditioning, III-B): shape (...), at least 1 unless W = 0.

    Parameters
    ----------
    W : (..., m, n), any shape and rank.
    norm : 1, 2, inf or "fro".
    strict : the paper has two definitions that part where the rank is below min(m, n). False: ||W|| ||W^+||, finite
        and blind to what W annihilates, 0 for W = 0. True: infinite, as sigma_1 / sigma_n is.

    Notes
    -----
    Singular values of up to max(m, n) u sigma_1 count as 0. A value above 1 / u (1.7e7 for weights stored in single
    precision) says that W is numerically rank-deficient, and is no number.

    Raises
    ------
    ValueError : for another norm, or entries that are not finite.
    """
    _require.matrix("W", W)
    _checked(norm)
    xp = array_namespace(W)
    sigma = xp.linalg.svdvals(W)
    seen = sigma > _floor(W) * sigma[..., :1]
    if norm in (2, "fro"):
        inverse = xp.where(seen, 1 / xp.where(seen, sigma, xp.ones_like(sigma)), xp.zeros_like(sigma))
        if norm == 2:
            value = sigma[..., 0] * xp.max(inverse, axis=-1)
        else:
            value = xp.linalg.vector_norm(sigma, axis=-1) * xp.linalg.vector_norm(inverse, axis=-1)
    else:
        value = matrix_norm(W, norm) * matrix_norm(xp.linalg.pinv(W, rtol=_floor(W)), norm)
    if strict:
        return xp.where(xp.all(seen, axis=-1), value, xp.full_like(value, math.inf))
    return value


def gauge_condition(W: Any) -> Any:
    """sigma_1 / sigma_min(K-1, n) of (I - 1 1^T / K) W for a softmax layer with K >= 2 logits: shape (...).

    Adding one functional to all logits, W + 1 c^T, changes no probability and no attack, but drives the condition
    number of W to infinity; this one stays as it is. Infinite if the centred weights have a lower rank.
    """
    _require.matrix("W", W)
    if W.shape[-2] < 2:
        raise ValueError(f"W must have at least 2 rows, the logits of a softmax, got shape {tuple(W.shape)}")
    xp = array_namespace(W)
    sigma = xp.linalg.svdvals(W - xp.mean(W, axis=-2, keepdims=True))
    last = sigma[..., min(W.shape[-2] - 1, W.shape[-1]) - 1]
    seen = last > _floor(W) * sigma[..., 0]
    return xp.where(seen, sigma[..., 0] / xp.where(seen, last, xp.ones_like(last)), xp.full_like(last, math.inf))


def relative_growth(W: Any, x: Any, delta: Any, norm: Norm = 2) -> Any:
    """||W delta|| / ||W x||: the relative error of z_1 = W x that delta causes, shape (...); W x must not be 0."""
    return vector_norm(_apply(W, delta), norm) / vector_norm(_apply(W, x), norm)


def printed_bound(W: Any, x: Any, delta: Any, norm: Norm = 2) -> Any:
    """kappa(W) ||delta|| / ||x||, the inequality of III-B: holds for all x iff W has full column rank."""
    return condition(W, norm) * vector_norm(delta, norm) / vector_norm(x, norm)


def row_space_bound(W: Any, x: Any, delta: Any, norm: Norm = 2) -> Any:
    """kappa(W) ||delta|| / ||P x||: bounds `relative_growth` for every shape and rank."""
    return printed_bound(W, x, delta, norm) * row_space_factor(W, x, norm)


def row_space_factor(W: Any, x: Any, norm: Norm = 2) -> Any:
    """||x|| / ||P x||, what the paper's inequality lacks: shape (...), infinite if W x = 0.

    Euclidean and for x uniform on the sphere in R^n, its inverse squared has the law Beta(r/2, (n - r)/2), r the rank.
    """
    _require.matrix("W", W)
    xp = array_namespace(W)
    seen = _apply(xp.linalg.pinv(W, rtol=_floor(W)), _apply(W, x))
    return vector_norm(x, norm) / vector_norm(seen, norm)


def effective_condition(W: Any, x: Any, norm: Norm = 2) -> Any:
    """||W|| ||x|| / ||W x||, the least constant for this x: the supremum of the growth per ||delta|| / ||x||."""
    return matrix_norm(W, norm) * vector_norm(x, norm) / vector_norm(_apply(W, x), norm)


def stretch_moments(W: Any) -> tuple[Any, Any]:
    """Mean and variance of ||W d||^2 for d uniform on the unit sphere of R^n: two arrays (...), exact.

    sum sigma^2 / n and 2 / (n + 2) (sum sigma^4 / n - (sum sigma^2 / n)^2); rationals stay exact.
    """
    _require.matrix("W", W)
    xp = array_namespace(W)
    m, n = W.shape[-2:]
    transposed = xp.matrix_transpose(W)
    gram = W @ transposed if m < n else transposed @ W
    mean = xp.sum(W * W, axis=(-2, -1)) / n
    fourth = xp.sum(gram * gram, axis=(-2, -1)) / n
    return mean, 2 * (fourth - mean * mean) / (n + 2)


def random_growth(W: Any, x: Any) -> Any:
    """||W||_F ||x|| / (sqrt(n) ||W x||): root mean square of the relative growth over random directions, Euclidean.

    About 1 for a random x, whatever the condition number: conditioning speaks of the worst case only.
    """
    return matrix_norm(W, "fro") * vector_norm(x) / (math.sqrt(W.shape[-1]) * vector_norm(_apply(W, x)))


def leaky_outputs(weights: Sequence[Any], x: Any, slope: Any) -> Any:
    """f(x) = W^L a(W^(L-1) ... a(W^1 x)), a(t) = t for t > 0 and slope t below: shape (..., m_L)."""
    for W in weights[:-1]:
        z = _apply(W, x)
        x = array_namespace(z).where(z > 0, z, slope * z)
    return _apply(weights[-1], x)


def lipschitz_product(weights: Sequence[Any], norm: Norm = 2) -> Any:
    """prod_l ||W^l||: bounds ||f(x + delta) - f(x)|| / ||delta|| for activations that are 1-Lipschitz."""
    product = matrix_norm(weights[0], norm)
    for W in weights[1:]:
        product = product * matrix_norm(W, norm)
    return product


def telescoped_bound(weights: Sequence[Any], x: Any, delta: Any, slope: Any = 0, norm: Norm = 2) -> Any:
    """prod_l ||W^l|| ||delta|| / ||f(x)||: bounds ||f(x + delta) - f(x)|| / ||f(x)|| for every slope in [0, 1].

    No condition on ranks; infinite where f(x) = 0.
    """
    return (
        lipschitz_product(weights, norm)
        * vector_norm(delta, norm)
        / vector_norm(leaky_outputs(weights, x, slope), norm)
    )


def leaky_product_bound(weights: Sequence[Any], x: Any, delta: Any, slope: float, norm: Norm = 2) -> Any:
    """slope^-(L-1) prod_l kappa(W^l) ||delta|| / ||x||: bounds the same if all W^l have full column rank, no bias.

    Raises
    ------
    ValueError : unless 0 < slope <= 1 (for ReLU no product of condition numbers bounds a relative error).
    """
    if not 0 < slope <= 1:
        raise ValueError(f"slope must be above 0 and at most 1, got {slope}")
    value = vector_norm(delta, norm) / vector_norm(x, norm) / slope ** (len(weights) - 1)
    for W in weights:
        value = value * condition(W, norm)
    return value


def kernel_matrix(kernel: Any) -> Any:
    """A convolution's kernel as the matrix that the paper conditions: (out, in, h, w) to (h w in, out).

    The paper's (K_x, K_y, C_in, N_f) reshaped to (K_x K_y C_in, N_f) (conditioning, V-C), from PyTorch's layout.

    Raises
    ------
    ValueError : unless the kernel has 4 axes.
    """
    _require.finite("kernel", kernel, ndim=4)
    xp = array_namespace(kernel)
    return xp.reshape(xp.permute_dims(kernel, (2, 3, 1, 0)), (-1, kernel.shape[0]))


def convolution_norm_bounds(kernel: Any) -> tuple[Any, Any]:
    """Spectral norm of the kernel's matrix and sqrt(h w) times it: between them lies that of the convolution.

    Above for every stride and zero padding, as a pixel lies in at most h w windows; below if some window lies fully
    inside. The condition numbers of kernel matrix and convolution do not bound each other in either direction.
    """
    low = matrix_norm(kernel_matrix(kernel))
    return low, math.sqrt(kernel.shape[-2] * kernel.shape[-1]) * low


def frobenius_condition_range(condition_2: Any, rank: int) -> tuple[Any, Any]:
    """Least and largest kappa_F that a matrix of this rank r >= 2 with this kappa_2 may have.

    kappa_2 + 1/kappa_2 + r - 2 (Cauchy and Schwarz) and r (kappa_2 + 1/kappa_2) / 2 (Kantorovich).
    """
    _require.integer("rank", rank, 2)
    ends = condition_2 + 1 / condition_2
    return ends + (rank - 2), ends * rank / 2


def stable_rank(W: Any) -> Any:
    """||W||_F^2 / ||W||_2^2, from 1 to the rank; at most (kappa_F / kappa_2)^2."""
    return (matrix_norm(W, "fro") / matrix_norm(W)) ** 2


def _checked(norm: Norm) -> Norm:
    if norm not in NORMS:
        raise ValueError(f"norm must be 1, 2, inf or 'fro', got {norm!r}")
    return norm


def _apply(W: Any, x: Any) -> Any:
    """W x over leading axes."""
    return (W @ x[..., None])[..., 0]


def _floor(W: Any) -> float:
    """Singular values below this share of the largest one count as 0."""
    return max(W.shape[-2:]) * float(array_namespace(W).finfo(W.dtype).eps)
