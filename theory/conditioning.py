"""Condition numbers of a layer's weights, and what they do and do not say about relative errors (conditioning, III-B).

A layer is z = W x with W of shape (..., m, n), one row an output, and vectors of shape (..., n). The paper also writes
z = W^T x: transposing exchanges the norms 1 and inf and leaves 2 and "fro" as they are. The bias is left out, as the
paper's z_1 = z - b. P = W^+ W projects on the row space, all that the layer sees of x.

Norms are 1, 2, inf and "fro"; the last is not induced by a vector norm and is paired with the Euclidean one. Arrays of
NumPy, CuPy and torch, at every scale that their dtype has; differentiable wherever the value is. The relative errors,
the norms 1 and inf and the moments keep NumPy arrays of fractions exact. Norms, rank and condition number take complex
entries; everything else refuses them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from array_api_compat import array_namespace, device

from theory import _require, _scale, circulant

Norm = float | Literal["fro"]
NORMS: tuple[Norm, ...] = (1, 2, math.inf, "fro")
MATRIX = (-2, -1)  # the axes


def matrix_norm(W: Any, norm: Norm = 2) -> Any:
    """||W|| for norm 1 (largest column sum), 2 (largest singular value), inf (largest row sum) or "fro": shape (...).

    Raises
    ------
    ValueError : for another norm, or entries that are not finite.
    """
    W = _require.matrix("W", W, rational=_rational(norm), complex_entries=True)
    xp = array_namespace(W)
    if norm == 2:
        size = _scale.unit(W, MATRIX)
        return size[..., 0, 0] * xp.linalg.svdvals(W / size)[..., 0]
    if norm == "fro":
        return _scale.length(W, MATRIX)
    return xp.max(xp.sum(xp.abs(W), axis=-2 if norm == 1 else -1), axis=-1)


def vector_norm(x: Any, norm: Norm = 2) -> Any:
    """||x|| over the last axis; Euclidean for 2 and "fro"."""
    x = _require.finite("x", x, rational=_rational(norm), complex_entries=True)
    xp = array_namespace(x)
    if norm == 1:
        return xp.sum(xp.abs(x), axis=-1)
    return xp.max(xp.abs(x), axis=-1) if norm == math.inf else _scale.length(x)


def rank(W: Any) -> Any:
    """Numerical rank: how many singular values exceed max(m, n) u sigma_1, u the precision of the entries."""
    W = _require.matrix("W", W, rational=False, complex_entries=True)
    xp = array_namespace(W)
    return xp.sum(xp.astype(_spectrum(W / _scale.unit(W, MATRIX))[1], xp.int64), axis=-1)


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
    W = _require.matrix("W", W, rational=False, complex_entries=True)
    _checked(norm)
    xp = array_namespace(W)
    W = W / _scale.unit(W, MATRIX)
    sigma, seen = _spectrum(W)
    if norm in (2, "fro"):
        inverse = xp.where(seen, 1 / xp.where(seen, sigma, xp.ones_like(sigma)), xp.zeros_like(sigma))
        own, inverted = (_scale.length(each) if norm == "fro" else xp.max(each, axis=-1) for each in (sigma, inverse))
        value = own * inverted
    else:
        value = matrix_norm(W, norm) * matrix_norm(xp.linalg.pinv(W, rtol=_floor(W)), norm)
    if strict:
        return xp.where(xp.all(seen, axis=-1), value, xp.full_like(value, math.inf))
    return value


def gauge_condition(W: Any) -> Any:
    """sigma_1 / sigma_min(K-1, n) of (I - 1 1^T / K) W for a softmax layer with K >= 2 logits: shape (...).

    Adding one functional to all logits, W + 1 c^T, changes no probability and no attack, but drives the condition
    number of W to infinity; this one stays as it is, up to the rounding of W's entries. Infinite if the centred weights
    have a lower rank: singular values of up to max(K, n) u ||W||, of W as it is given, are rounding.
    """
    W = _require.matrix("W", W, rational=False)
    if W.shape[-2] < 2:
        raise ValueError(f"W must have at least 2 rows, the logits of a softmax, got shape {tuple(W.shape)}")
    xp = array_namespace(W)
    W = W / _scale.unit(W, MATRIX)
    sigma = xp.linalg.svdvals(W - xp.mean(W, axis=-2, keepdims=True))
    last = sigma[..., min(W.shape[-2] - 1, W.shape[-1]) - 1]
    seen = last > _floor(W) * matrix_norm(W)
    return xp.where(seen, sigma[..., 0] / xp.where(seen, last, xp.ones_like(last)), xp.full_like(last, math.inf))


def relative_growth(W: Any, x: Any, delta: Any, norm: Norm = 2) -> Any:
    """||W delta|| / ||W x||: the relative error of z_1 = W x that delta causes, shape (...); infinite if W x = 0."""
    (W,), (x, delta) = _operands([W], _rational(norm), x=x, delta=delta)
    return _scale.product(*_image(W, delta, norm), over=_image(W, x, norm))


def printed_bound(W: Any, x: Any, delta: Any, norm: Norm = 2) -> Any:
    """kappa(W) ||delta|| / ||x||, the inequality of III-B: holds for all x iff W has full column rank.

    Infinite if x = 0.
    """
    (W,), (x, delta) = _operands([W], False, x=x, delta=delta)
    return _scale.product(condition(W, norm), vector_norm(delta, norm), over=[vector_norm(x, norm)])


def row_space_bound(W: Any, x: Any, delta: Any, norm: Norm = 2) -> Any:
    """kappa(W) ||delta|| / ||P x||: bounds `relative_growth` for every shape and rank. Infinite if W x = 0."""
    (W,), (x, delta) = _operands([W], False, x=x, delta=delta)
    return _scale.product(condition(W, norm), vector_norm(delta, norm), over=[_seen(W, x, norm)])


def row_space_factor(W: Any, x: Any, norm: Norm = 2) -> Any:
    """||x|| / ||P x||, what the paper's inequality lacks: shape (...), infinite if W x = 0, 1 for full column rank.

    Euclidean and for x uniform on the sphere in R^n, its inverse squared has the law Beta(r/2, (n - r)/2), r the rank.
    Singular values of up to max(m, n) u sigma_1 count as 0; of the others the smallest, sigma_r, makes the relative
    error of ||P x|| some u ||W|| ||x|| / (sigma_r ||P x||), as much as the rounding of the entries of W does.
    """
    (W,), (x,) = _operands([W], False, x=x)
    return _scale.product(vector_norm(x, norm), over=[_seen(W, x, norm)])


def effective_condition(W: Any, x: Any, norm: Norm = 2) -> Any:
    """||W|| ||x|| / ||W x||, the least constant for this x: the supremum of the growth per ||delta|| / ||x||.

    Infinite if W x = 0.
    """
    (W,), (x,) = _operands([W], _rational(norm), x=x)
    return _scale.product(matrix_norm(W, norm), vector_norm(x, norm), over=_image(W, x, norm))


def stretch_moments(W: Any) -> tuple[Any, Any]:
    """Mean and variance of ||W d||^2 for d uniform on the unit sphere of R^n: two arrays (...), exact.

    sum sigma^2 / n and 2 / (n + 2) (sum sigma^4 / n - (sum sigma^2 / n)^2); rationals stay exact.
    """
    W = _require.matrix("W", W)
    xp = array_namespace(W)
    size = _scale.unit(W, MATRIX)
    W = W / size
    m, n = W.shape[-2:]
    transposed = xp.matrix_transpose(W)
    gram = W @ transposed if m < n else transposed @ W
    mean = xp.sum(W * W, axis=MATRIX, keepdims=True) / n
    # As squares of sigma^2 - mean, which are not negative, however equal the singular values are.
    apart = xp.where(_identity(gram), gram - mean, gram)
    spread = xp.sum(apart * apart, axis=MATRIX, keepdims=True) + max(n - m, 0) * mean * mean
    mean, spread, size = (value[..., 0, 0] for value in (mean, 2 * spread / (n * (n + 2)), size))
    return mean * size * size, spread * size * size * size * size


def random_growth(W: Any, x: Any) -> Any:
    """||W||_F ||x|| / (sqrt(n) ||W x||): root mean square of the relative growth over random directions, Euclidean.

    About 1 for a random x, whatever the condition number: conditioning speaks of the worst case only. Infinite if
    W x = 0.
    """
    (W,), (x,) = _operands([W], False, x=x)
    over = (*_image(W, x, 2), math.sqrt(W.shape[-1]))
    return _scale.product(matrix_norm(W, "fro"), vector_norm(x), over=over)


def leaky_outputs(weights: Sequence[Any], x: Any, slope: Any) -> Any:
    """f(x) = W^L a(W^(L-1) ... a(W^1 x)), a(t) = t for t > 0 and slope t below: shape (..., m_L)."""
    weights, (x, slope) = _operands(weights, True, slope, x=x)
    z, sizes = _forward(weights, x, slope)
    return _scale.product(z, *sizes)


def lipschitz_product(weights: Sequence[Any], norm: Norm = 2) -> Any:
    """prod_l ||W^l||: bounds ||f(x + delta) - f(x)|| / ||delta|| for activations that are 1-Lipschitz."""
    weights, _ = _operands(weights, _rational(norm))
    return _scale.product(*(matrix_norm(W, norm) for W in weights))


def telescoped_bound(weights: Sequence[Any], x: Any, delta: Any, slope: Any = 0, norm: Norm = 2) -> Any:
    """prod_l ||W^l|| ||delta|| / ||f(x)||: bounds ||f(x + delta) - f(x)|| / ||f(x)|| for every slope in [0, 1].

    No condition on ranks; infinite where f(x) = 0.
    """
    weights, (x, delta, slope) = _operands(weights, _rational(norm), slope, x=x, delta=delta)
    z, sizes = _forward(weights, x, slope)
    norms = [matrix_norm(W, norm) for W in weights]
    over = [vector_norm(z, norm), *(size[..., 0] for size in sizes)]
    return _scale.product(*norms, vector_norm(delta, norm), over=over)


def leaky_product_bound(weights: Sequence[Any], x: Any, delta: Any, slope: float, norm: Norm = 2) -> Any:
    """slope^-(L-1) prod_l kappa(W^l) ||delta|| / ||x||: bounds the same if all W^l have full column rank, no bias.

    Infinite if x = 0.

    Raises
    ------
    ValueError : unless 0 < slope <= 1 (for ReLU no product of condition numbers bounds a relative error).
    """
    weights, (x, delta, slope) = _operands(weights, False, slope, x=x, delta=delta)
    if not 0 < slope <= 1:
        raise ValueError(f"slope must be above 0 and at most 1, got {slope}")
    kappas = [condition(W, norm) for W in weights]
    over = [vector_norm(x, norm), *[slope] * (len(kappas) - 1)]
    return _scale.product(*kappas, vector_norm(delta, norm), over=over)


def kernel_matrix(kernel: Any, groups: int = 1) -> Any:
    """A convolution's kernel as the matrix that the paper conditions: (out, in, h, w) to (h w in, out).

    The paper's (K_x, K_y, C_in, N_f) reshaped to (K_x K_y C_in, N_f) (conditioning, V-C), from PyTorch's layout.
    Grouped, (out, in / groups, h, w) to one such matrix per group, (groups, h w in / groups, out / groups).

    Raises
    ------
    ValueError : unless the kernel has 4 axes and the groups divide its output channels.
    """
    stack = _kernel_matrices(kernel, groups)
    return stack[0, ...] if groups == 1 else stack


def convolution_norm_bounds(kernel: Any, groups: int = 1) -> tuple[Any, Any]:
    """Spectral norm of the kernel's matrix and sqrt(h w) times it: between them lies that of the convolution.

    Above for every stride and zero padding, as a pixel lies in at most h w windows; below if some window lies fully
    inside. The condition numbers of kernel matrix and convolution do not bound each other in either direction. Of a
    grouped convolution the largest over its groups.
    """
    norms = matrix_norm(_kernel_matrices(kernel, groups))
    low = array_namespace(norms).max(norms, axis=-1)
    return low, math.sqrt(kernel.shape[-2] * kernel.shape[-1]) * low


def frobenius_condition_range(condition_2: Any, rank: int) -> tuple[Any, Any]:
    """Least and largest kappa_F that a matrix of this rank r >= 2 with this kappa_2 may have.

    kappa_2 + 1/kappa_2 + r - 2 (Cauchy and Schwarz) and r (kappa_2 + 1/kappa_2) / 2 (Kantorovich).

    Raises
    ------
    ValueError : for a rank below 2, or a condition number that is not finite or below 1 by more than rounding.
    """
    _require.integer("rank", rank, 2)
    condition_2 = _require.numbers("condition_2", condition_2, 1 - 1e-6)
    ends = condition_2 + 1 / condition_2
    return ends + (rank - 2), ends * rank / 2


def stable_rank(W: Any) -> Any:
    """||W||_F^2 / ||W||_2^2, from 1 to the rank, 0 for W = 0; at most (kappa_F / kappa_2)^2."""
    W = _require.matrix("W", W, rational=False, complex_entries=True)
    xp = array_namespace(W)
    W = W / _scale.unit(W, MATRIX)
    largest = matrix_norm(W)
    return (matrix_norm(W, "fro") / xp.where(largest > 0, largest, xp.ones_like(largest))) ** 2


def _checked(norm: Norm) -> Norm:
    if norm not in NORMS:
        raise ValueError(f"norm must be 1, 2, inf or 'fro', got {norm!r}")
    return norm


def _rational(norm: Norm) -> bool:
    """Whether the norm of fractions is one."""
    return _checked(norm) in (1, math.inf)


def _operands(
    weights: Sequence[Any], rational: bool, slope: Any = None, **vectors: Any
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Matrices and vectors in one precision, exact only if all are, and, if given, the slope."""
    if not len(weights):
        raise ValueError("weights must hold at least one matrix, got none")
    given = {f"W{layer}": _require.matrix("W", W, rational=rational) for layer, W in enumerate(weights, 1)}
    given |= {name: _require.finite(name, vector, rational=rational) for name, vector in vectors.items()}
    if slope is not None:
        given["slope"] = _require.numbers("slope", slope)
    values = _require.alike(**given)
    return values[: len(weights)], values[len(weights) :]


def _apply(W: Any, x: Any) -> Any:
    """W x over leading axes."""
    (W,), (x,) = _operands([W], True, x=x)
    if not x.shape or x.shape[-1] != W.shape[-1]:
        raise ValueError(f"x must have {W.shape[-1]} entries along its last axis, got shape {tuple(x.shape)}")
    return (W @ x[..., None])[..., 0]


def _image(W: Any, x: Any, norm: Norm) -> tuple[Any, Any, Any]:
    """||W x|| in three factors, none out of range."""
    larger, longer = _scale.unit(W, MATRIX), _scale.unit(x)
    return vector_norm(_apply(W / larger, x / longer), norm), larger[..., 0, 0], longer[..., 0]


def _seen(W: Any, x: Any, norm: Norm) -> Any:
    """||P x||."""
    xp = array_namespace(W)
    W = W / _scale.unit(W, MATRIX)
    size = _scale.unit(x)
    seen = _apply(xp.linalg.pinv(W, rtol=_floor(W)), _apply(W, x / size))
    whole = xp.sum(xp.astype(_spectrum(W)[1], xp.int64), axis=-1) == W.shape[-1]
    return size[..., 0] * vector_norm(xp.where(whole[..., None], x / size, seen), norm)


def _forward(weights: Sequence[Any], x: Any, slope: Any) -> tuple[Any, list[Any]]:
    """Factors of the outputs: numbers of size 1, and powers of two, (..., 1)."""
    size = _scale.unit(x)
    z, sizes = x / size, [size]
    for depth, W in enumerate(weights):
        if depth:
            z = array_namespace(z).where(z > 0, z, slope * z)
        larger = _scale.unit(W, MATRIX)
        z = _apply(W / larger, z)
        size = _scale.unit(z)
        z, sizes = z / size, [*sizes, larger[..., 0], size]
    return z, sizes


def _spectrum(W: Any) -> tuple[Any, Any]:
    """Singular values, and which of them are no rounding."""
    sigma = array_namespace(W).linalg.svdvals(W)
    return sigma, sigma > _floor(W) * sigma[..., :1]


def _kernel_matrices(kernel: Any, groups: int) -> Any:
    """One per group."""
    kernel = circulant.grouped(_require.finite("kernel", kernel, ndim=4), groups, 2)
    xp = array_namespace(kernel)
    return xp.reshape(xp.permute_dims(kernel, (0, 3, 4, 2, 1)), (kernel.shape[0], -1, kernel.shape[1]))


def _identity(matrices: Any) -> Any:
    """Where the diagonal of square matrices is."""
    xp, place = array_namespace(matrices), device(matrices)
    index = xp.arange(matrices.shape[-1], device=place)
    return index[:, None] == index[None, :]


def _floor(W: Any) -> float:
    """Singular values below this share of the largest one count as 0."""
    return max(W.shape[-2:]) * float(array_namespace(W).finfo(W.dtype).eps)
