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
from typing import Literal

from array_api_compat import array_namespace, device

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.numerics.linear import MATRIX, applied, operands
from theory.things.kernels import kernel_matrices

Norm = float | Literal["fro"]
NORMS: tuple[Norm, ...] = (1, 2, math.inf, "fro")


def matrix_norm(W: Array, norm: Norm = 2) -> Array:
    """||W|| for norm 1 (largest column sum), 2 (largest singular value), inf (largest row sum) or "fro": shape (...).

    Raises
    ------
    ValueError : for another norm, or entries that are not finite.
    """
    W = require.matrix("W", W, rational=_rational(norm), complex_entries=True)
    xp = array_namespace(W)
    if norm == 2:
        size = magnitudes.unit(W, MATRIX)
        return size[..., 0, 0] * xp.linalg.svdvals(W / size)[..., 0]
    if norm == "fro":
        return magnitudes.length(W, MATRIX)
    return xp.max(xp.sum(xp.abs(W), axis=-2 if norm == 1 else -1), axis=-1)


def vector_norm(x: Array, norm: Norm = 2) -> Array:
    """||x|| over the last axis; Euclidean for 2 and "fro"."""
    x = require.finite("x", x, rational=_rational(norm), complex_entries=True)
    xp = array_namespace(x)
    if norm == 1:
        return xp.sum(xp.abs(x), axis=-1)
    return xp.max(xp.abs(x), axis=-1) if norm == math.inf else magnitudes.length(x)


def rank(W: Array) -> Array:
    """Numerical rank: how many singular values exceed max(m, n) u sigma_1, u the precision of the entries."""
    W = require.matrix("W", W, rational=False, complex_entries=True)
    xp = array_namespace(W)
    return xp.sum(xp.astype(_spectrum(W / magnitudes.unit(W, MATRIX))[1], xp.int64), axis=-1)


def condition(W: Array, norm: Norm = 2, strict: bool = False) -> Array:
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
    W = require.matrix("W", W, rational=False, complex_entries=True)
    _checked(norm)
    xp = array_namespace(W)
    W = W / magnitudes.unit(W, MATRIX)
    sigma, seen = _spectrum(W)
    if norm in (2, "fro"):
        inverse = xp.where(seen, 1 / xp.where(seen, sigma, xp.ones_like(sigma)), xp.zeros_like(sigma))
        own, inverted = (
            magnitudes.length(each) if norm == "fro" else xp.max(each, axis=-1) for each in (sigma, inverse)
        )
        value = own * inverted
    else:
        value = matrix_norm(W, norm) * matrix_norm(xp.linalg.pinv(W, rtol=_floor(W)), norm)
    if strict:
        return xp.where(xp.all(seen, axis=-1), value, xp.full_like(value, math.inf))
    return value


def gauge_condition(W: Array) -> Array:
    """sigma_1 / sigma_min(K-1, n) of (I - 1 1^T / K) W for a softmax layer with K >= 2 logits: shape (...).

    Adding one functional to all logits, W + 1 c^T, changes no probability and no attack, but drives the condition
    number of W to infinity; this one stays as it is, up to the rounding of W's entries. Infinite if the centred weights
    have a lower rank: singular values of up to max(K, n) u ||W||, of W as it is given, are rounding.
    """
    W = require.matrix("W", W, rational=False)
    if W.shape[-2] < 2:
        raise ValueError(f"W must have at least 2 rows, the logits of a softmax, got shape {tuple(W.shape)}")
    xp = array_namespace(W)
    W = W / magnitudes.unit(W, MATRIX)
    sigma = xp.linalg.svdvals(W - xp.mean(W, axis=-2, keepdims=True))
    last = sigma[..., min(W.shape[-2] - 1, W.shape[-1]) - 1]
    seen = last > _floor(W) * matrix_norm(W)
    return xp.where(seen, sigma[..., 0] / xp.where(seen, last, xp.ones_like(last)), xp.full_like(last, math.inf))


def relative_growth(W: Array, x: Array, delta: Array, norm: Norm = 2) -> Array:
    """||W delta|| / ||W x||: the relative error of z_1 = W x that delta causes, shape (...); infinite if W x = 0."""
    (W,), (x, delta) = operands([W], _rational(norm), x=x, delta=delta)
    return magnitudes.product(*_image(W, delta, norm), over=_image(W, x, norm))


def printed_bound(W: Array, x: Array, delta: Array, norm: Norm = 2) -> Array:
    """kappa(W) ||delta|| / ||x||, the inequality of III-B: holds for all x iff W has full column rank.

    Infinite if x = 0.
    """
    (W,), (x, delta) = operands([W], False, x=x, delta=delta)
    return magnitudes.product(condition(W, norm), vector_norm(delta, norm), over=[vector_norm(x, norm)])


def row_space_bound(W: Array, x: Array, delta: Array, norm: Norm = 2) -> Array:
    """kappa(W) ||delta|| / ||P x||: bounds `relative_growth` for every shape and rank. Infinite if W x = 0."""
    (W,), (x, delta) = operands([W], False, x=x, delta=delta)
    return magnitudes.product(condition(W, norm), vector_norm(delta, norm), over=[_seen(W, x, norm)])


def row_space_factor(W: Array, x: Array, norm: Norm = 2) -> Array:
    """||x|| / ||P x||, what the paper's inequality lacks: shape (...), infinite if W x = 0, 1 for full column rank.

    Euclidean and for x uniform on the sphere in R^n, its inverse squared has the law Beta(r/2, (n - r)/2), r the rank.
    Singular values of up to max(m, n) u sigma_1 count as 0; of the others the smallest, sigma_r, makes the relative
    error of ||P x|| some u ||W|| ||x|| / (sigma_r ||P x||), as much as the rounding of the entries of W does.
    """
    (W,), (x,) = operands([W], False, x=x)
    return magnitudes.product(vector_norm(x, norm), over=[_seen(W, x, norm)])


def effective_condition(W: Array, x: Array, norm: Norm = 2) -> Array:
    """||W|| ||x|| / ||W x||, the least constant for this x: the supremum of the growth per ||delta|| / ||x||.

    Infinite if W x = 0.
    """
    (W,), (x,) = operands([W], _rational(norm), x=x)
    return magnitudes.product(matrix_norm(W, norm), vector_norm(x, norm), over=_image(W, x, norm))


def stretch_moments(W: Array) -> tuple[Array, Array]:
    """Mean and variance of ||W d||^2 for d uniform on the unit sphere of R^n: two arrays (...), exact.

    sum sigma^2 / n and 2 / (n + 2) (sum sigma^4 / n - (sum sigma^2 / n)^2); rationals stay exact.
    """
    W = require.matrix("W", W)
    xp = array_namespace(W)
    size = magnitudes.unit(W, MATRIX)
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


def random_growth(W: Array, x: Array) -> Array:
    """||W||_F ||x|| / (sqrt(n) ||W x||): root mean square of the relative growth over random directions, Euclidean.

    About 1 for a random x, whatever the condition number: conditioning speaks of the worst case only. Infinite if
    W x = 0.
    """
    (W,), (x,) = operands([W], False, x=x)
    over = (*_image(W, x, 2), math.sqrt(W.shape[-1]))
    return magnitudes.product(matrix_norm(W, "fro"), vector_norm(x), over=over)


def leaky_outputs(weights: Sequence[Array], x: Array, slope: Array) -> Array:
    """f(x) = W^L a(W^(L-1) ... a(W^1 x)), a(t) = t for t > 0 and slope t below: shape (..., m_L)."""
    weights, (x, slope) = operands(weights, True, slope, x=x)
    z, sizes = _forward(weights, x, slope)
    return magnitudes.product(z, *sizes)


def lipschitz_product(weights: Sequence[Array], norm: Norm = 2) -> Array:
    """prod_l ||W^l||: bounds ||f(x + delta) - f(x)|| / ||delta|| for activations that are 1-Lipschitz."""
    weights, _ = operands(weights, _rational(norm))
    return magnitudes.product(*(matrix_norm(W, norm) for W in weights))


def telescoped_bound(weights: Sequence[Array], x: Array, delta: Array, slope: Array = 0, norm: Norm = 2) -> Array:
    """prod_l ||W^l|| ||delta|| / ||f(x)||: bounds ||f(x + delta) - f(x)|| / ||f(x)|| for every slope in [0, 1].

    No condition on ranks; infinite where f(x) = 0.
    """
    weights, (x, delta, slope) = operands(weights, _rational(norm), slope, x=x, delta=delta)
    z, sizes = _forward(weights, x, slope)
    norms = [matrix_norm(W, norm) for W in weights]
    over = [vector_norm(z, norm), *(size[..., 0] for size in sizes)]
    return magnitudes.product(*norms, vector_norm(delta, norm), over=over)


def leaky_product_bound(weights: Sequence[Array], x: Array, delta: Array, slope: float, norm: Norm = 2) -> Array:
    """slope^-(L-1) prod_l kappa(W^l) ||delta|| / ||x||: bounds the same if all W^l have full column rank, no bias.

    Infinite if x = 0.

    Raises
    ------
    ValueError : unless 0 < slope <= 1 (for ReLU no product of condition numbers bounds a relative error).
    """
    weights, (x, delta, slope) = operands(weights, False, slope, x=x, delta=delta)
    if not 0 < slope <= 1:
        raise ValueError(f"slope must be above 0 and at most 1, got {slope}")
    kappas = [condition(W, norm) for W in weights]
    over = [vector_norm(x, norm), *[slope] * (len(kappas) - 1)]
    return magnitudes.product(*kappas, vector_norm(delta, norm), over=over)


def convolution_norm_bounds(kernel: Array, groups: int = 1) -> tuple[Array, Array]:
    """Spectral norm of the kernel's matrix and sqrt(h w) times it: between them lies that of the convolution.

    Above for every stride and zero padding, as a pixel lies in at most h w windows; below if some window lies fully
    inside. The condition numbers of kernel matrix and convolution do not bound each other in either direction. Of a
    grouped convolution the largest over its groups.
    """
    norms = matrix_norm(kernel_matrices(kernel, groups))
    low = array_namespace(norms).max(norms, axis=-1)
    return low, math.sqrt(kernel.shape[-2] * kernel.shape[-1]) * low


def frobenius_condition_range(condition_2: Array, rank: int) -> tuple[Array, Array]:
    """Least and largest kappa_F that a matrix of this rank r >= 2 with this kappa_2 may have.

    kappa_2 + 1/kappa_2 + r - 2 (Cauchy and Schwarz) and r (kappa_2 + 1/kappa_2) / 2 (Kantorovich).

    Raises
    ------
    ValueError : for a rank below 2, or a condition number that is not finite or below 1 by more than rounding.
    """
    require.integer("rank", rank, 2)
    condition_2 = require.numbers("condition_2", condition_2, 1 - 1e-6)
    ends = condition_2 + 1 / condition_2
    return ends + (rank - 2), ends * rank / 2


def stable_rank(W: Array) -> Array:
    """||W||_F^2 / ||W||_2^2, from 1 to the rank, 0 for W = 0; at most (kappa_F / kappa_2)^2."""
    W = require.matrix("W", W, rational=False, complex_entries=True)
    xp = array_namespace(W)
    W = W / magnitudes.unit(W, MATRIX)
    largest = matrix_norm(W)
    return (matrix_norm(W, "fro") / xp.where(largest > 0, largest, xp.ones_like(largest))) ** 2


def _checked(norm: Norm) -> Norm:
    if norm not in NORMS:
        raise ValueError(f"norm must be 1, 2, inf or 'fro', got {norm!r}")
    return norm


def _rational(norm: Norm) -> bool:
    """Whether this norm of fractions is a fraction."""
    return _checked(norm) in (1, math.inf)


def _image(W: Array, x: Array, norm: Norm) -> tuple[Array, Array, Array]:
    """||W x|| in three factors, none out of range."""
    larger, longer = magnitudes.unit(W, MATRIX), magnitudes.unit(x)
    return vector_norm(applied(W / larger, x / longer), norm), larger[..., 0, 0], longer[..., 0]


def _seen(W: Array, x: Array, norm: Norm) -> Array:
    """||P x||, the length of what the layer sees of x."""
    xp = array_namespace(W)
    W = W / magnitudes.unit(W, MATRIX)
    size = magnitudes.unit(x)
    seen = applied(xp.linalg.pinv(W, rtol=_floor(W)), applied(W, x / size))
    whole = xp.sum(xp.astype(_spectrum(W)[1], xp.int64), axis=-1) == W.shape[-1]
    return size[..., 0] * vector_norm(xp.where(whole[..., None], x / size, seen), norm)


def _forward(weights: Sequence[Array], x: Array, slope: Array) -> tuple[Array, list[Array]]:
    """Factors of the outputs: numbers of size 1, and powers of two, (..., 1)."""
    size = magnitudes.unit(x)
    z, sizes = x / size, [size]
    for depth, W in enumerate(weights):
        if depth:
            z = array_namespace(z).where(z > 0, z, slope * z)
        larger = magnitudes.unit(W, MATRIX)
        z = applied(W / larger, z)
        size = magnitudes.unit(z)
        z, sizes = z / size, [*sizes, larger[..., 0], size]
    return z, sizes


def _spectrum(W: Array) -> tuple[Array, Array]:
    """Singular values, and which of them are no rounding."""
    sigma = array_namespace(W).linalg.svdvals(W)
    return sigma, sigma > _floor(W) * sigma[..., :1]


def _identity(matrices: Array) -> Array:
    """A mask that is true on the diagonal of square matrices."""
    xp, place = array_namespace(matrices), device(matrices)
    index = xp.arange(matrices.shape[-1], device=place)
    return index[:, None] == index[None, :]


def _floor(W: Array) -> float:
    """Singular values below this share of the largest one count as 0."""
    return max(W.shape[-2:]) * float(array_namespace(W).finfo(W.dtype).eps)
