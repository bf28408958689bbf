"""Two linear layers in place of one, attacks by penalty, and distances in latent space (latent and SVD defences).

"2L is effectively equivalent to 1L" (2.3) is true of the functions, not of what the SVD defence makes of them: it
depends on the factors, (W_2 G^-1)(G W_1) being the same function for every invertible G. Arrays of NumPy, CuPy and
torch, at every scale that their dtype has.
"""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from theory.conditioning.condition_numbers import matrix_norm, vector_norm
from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.numerics.linear import MATRIX, applied


def represents_every_map(width: int, inputs: int, classes: int) -> bool:
    """Whether two linear layers of this hidden width give all maps x -> W x + b: width >= min(inputs, classes)."""
    for name, value in (("width", width), ("inputs", inputs), ("classes", classes)):
        require.integer(name, value, 1)
    return width >= min(inputs, classes)


def regauged(W2: Array, W1: Array, G: Array) -> tuple[Array, Array]:
    """(W_2 G^-1, G W_1): other factors of the same function, for an invertible G.

    Raises
    ------
    ValueError : unless G is square and invertible: with rows and columns of size 1, a power of two taken out of each,
        its smallest singular value must exceed n u times the largest.
    """
    W2, W1, G = (_matrix(name, value) for name, value in (("W2", W2), ("W1", W1), ("G", G)))
    W2, W1, G = require.alike(W2=W2, W1=W1, G=G)
    if not W2.shape[-1] == G.shape[-2] == G.shape[-1] == W1.shape[-2]:
        shapes = ", ".join(str(tuple(factor.shape)) for factor in (W2, G, W1))
        raise ValueError(f"G must be square and fit between W2 and W1, got shapes {shapes}")
    xp, n = array_namespace(G), G.shape[-1]
    rows = magnitudes.unit(G, -1)
    columns = magnitudes.unit(G / rows, -2)
    core = G / rows / columns
    sigma = xp.linalg.svdvals(core)
    if not bool(xp.all(sigma[..., -1] > n * xp.finfo(G.dtype).eps * sigma[..., 0])):
        raise ValueError("G must be invertible, got a singular matrix, to rounding")
    return (W2 / columns) @ xp.linalg.inv(core) / xp.matrix_transpose(rows), G @ W1


def balanced_factors(W: Array) -> tuple[Array, Array]:
    """U Sigma^(1/2) and Sigma^(1/2) V^T: factors of W with W_2^T W_2 = W_1 W_1^T.

    Shrinking the bottom k of both by s shrinks those of the product by s^2: 1/10 becomes 1/100.
    """
    W = _matrix("W", W)
    xp = array_namespace(W)
    size = magnitudes.unit(W, MATRIX)
    U, sigma, Vh = xp.linalg.svd(W / size, full_matrices=False)
    root = xp.sqrt(sigma) * xp.sqrt(size[..., 0])
    return U * root[..., None, :], root[..., :, None] * Vh


def imbalance(W2: Array, W1: Array) -> Array:
    """||W_2^T W_2 - W_1 W_1^T||_F / ||W_2 W_1||_F: 0 for balanced factors; gradient flow conserves the numerator.

    Infinite where the product is 0 and the factors are not balanced.
    """
    W2, W1 = require.alike(W2=_matrix("W2", W2), W1=_matrix("W1", W1))
    xp = array_namespace(W2, W1)
    second, first = magnitudes.unit(W2, MATRIX), magnitudes.unit(W1, MATRIX)
    larger = xp.maximum(second, first)
    A, B = W2 / larger, W1 / larger
    gap = matrix_norm(xp.matrix_transpose(A) @ A - B @ xp.matrix_transpose(B), "fro")
    larger, second, first = (size[..., 0, 0] for size in (larger, second, first))
    over = matrix_norm((W2 / second[..., None, None]) @ (W1 / first[..., None, None]), "fro")
    ratio = magnitudes.product(gap, larger, larger, over=[over, second, first])
    return xp.where(gap == 0, xp.zeros_like(ratio), ratio)


def certified_distance(margin: Array, lipschitz: Array, confidence: float) -> Array:
    """Least ||x_adv - x|| at which the goal may have probability `confidence`: (logit(c) + m_yg(x)) / Lip(z_g - z_y).

    p_g >= c needs z_g - z_y >= logit(c). Linear classifiers: Lip = ||w_g - w_y||. Exact for two classes without a box.

    Parameters
    ----------
    margin : z_y(x) - z_g(x) of the clean input.
    lipschitz : of z_g - z_y, in the norm that measures the distance, at least 0. With 0 the distance is infinite,
        unless the goal has the probability to begin with.
    """
    odds = math.log(require.probability("confidence", confidence) / (1 - confidence))
    margin, lipschitz = require.alike(
        margin=require.finite("margin", margin, rational=False), lipschitz=require.numbers("lipschitz", lipschitz, 0)
    )
    xp = array_namespace(margin)
    lipschitz = lipschitz + xp.zeros_like(margin)
    missing = xp.where(margin + odds > 0, margin + odds, xp.zeros_like(margin)) + xp.zeros_like(lipschitz)
    return xp.where(missing > 0, magnitudes.product(missing, over=[lipschitz]), xp.zeros_like(missing))


def stall_penalty(gradient: Array, x: Array) -> Array:
    """The lambda from which the attack of 2.4 cannot leave the clean x in [0, 1]^n: (...,).

    ||P_T(-g)||_2 for the gradient g of the cross entropy at x, P_T dropping components that leave the box. Exact for
    linear classifiers, where the objective is convex; otherwise for first-order steps. It is at most sqrt(2) ||W||_2
    for softmax(W x + b): with a larger lambda every attack returns its input, which looks like robustness.
    """
    gradient, x = require.finite("gradient", gradient, rational=False), require.finite("x", x, rational=False)
    gradient, x = require.alike(gradient=gradient, x=x)
    xp = array_namespace(gradient)
    blocked = ((x <= 0) & (gradient > 0)) | ((x >= 1) & (gradient < 0))
    return vector_norm(xp.where(blocked, xp.zeros_like(gradient), gradient))


def recoded(W: Array, bias: Array, x: Array, shift: Array) -> tuple[Array, Array]:
    """(input, bias) of the same classifier on codes moved by a: x + a and b - W a.

    Logits and ||x_adv - x|| stay, but the paper's robustness ||x_adv - x|| / ||x|| (3.4) tends to 0 as a grows: it
    compares nothing between spaces.
    """
    bias, x, shift = (require.finite(name, value) for name, value in (("bias", bias), ("x", x), ("shift", shift)))
    W, bias, x, shift = require.alike(W=require.matrix("W", W), bias=bias, x=x, shift=shift)
    return x + shift, bias - applied(W, shift)


def linear_projection(D: Array, x: Array) -> Array:
    """z_P = argmin_z ||D z - x||_2 = D^+ x for a linear decoder (2.1); the encoding z_E = E x equals it iff E = D^+.

    The shortest, where D lacks full column rank; singular values of up to max(m, n) u sigma_1 count as 0.
    """
    D = _matrix("D", D)
    xp = array_namespace(D)
    size = magnitudes.unit(D, MATRIX)
    return applied(xp.linalg.pinv(D / size), x) / size[..., 0]


def _matrix(name: str, array: Array) -> Array:
    return require.matrix(name, array, rational=False)
