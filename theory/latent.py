"""Two linear layers in place of one, attacks by penalty, and distances in latent space (latent and SVD defences).

"2L is effectively equivalent to 1L" (2.3) is true of the functions, not of what the SVD defence makes of them: it
depends on the factors, (W_2 G^-1)(G W_1) being the same function for every invertible G. Arrays of NumPy, CuPy and
torch, at every scale that their dtype has.
"""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import array_namespace

from theory import _require, _scale
from theory.conditioning import MATRIX, _apply, matrix_norm, vector_norm


def represents_every_map(width: int, inputs: int, classes: int) -> bool:
    """Whether two linear layers of this hidden width give all maps x -> W x + b: width >= min(inputs, classes)."""
    for name, value in (("width", width), ("inputs", inputs), ("classes", classes)):
        _require.integer(name, value, 1)
    return width >= min(inputs, classes)


def regauged(W2: Any, W1: Any, G: Any) -> tuple[Any, Any]:
    """(W_2 G^-1, G W_1): other factors of the same function, for an invertible G.

    Raises
    ------
    ValueError : unless G is square and invertible: with rows and columns of size 1, a power of two taken out of each,
        its smallest singular value must exceed n u times the largest.
    """
    W2, W1, G = (_matrix(name, value) for name, value in (("W2", W2), ("W1", W1), ("G", G)))
    W2, W1, G = _require.alike(W2=W2, W1=W1, G=G)
    if not W2.shape[-1] == G.shape[-2] == G.shape[-1] == W1.shape[-2]:
        shapes = ", ".join(str(tuple(factor.shape)) for factor in (W2, G, W1))
        raise ValueError(f"G must be square and fit between W2 and W1, got shapes {shapes}")
    xp, n = array_namespace(G), G.shape[-1]
    rows = _scale.unit(G, -1)
    columns = _scale.unit(G / rows, -2)
    core = G / rows / columns
    sigma = xp.linalg.svdvals(core)
    if not bool(xp.all(sigma[..., -1] > n * xp.finfo(G.dtype).eps * sigma[..., 0])):
        raise ValueError("G must be invertible, got a singular matrix, to rounding")
    return (W2 / columns) @ xp.linalg.inv(core) / xp.matrix_transpose(rows), G @ W1


def balanced_factors(W: Any) -> tuple[Any, Any]:
    """U Sigma^(1/2) and Sigma^(1/2) V^T: factors of W with W_2^T W_2 = W_1 W_1^T.

    Shrinking the bottom k of both by s shrinks those of the product by s^2: 1/10 becomes 1/100.
    """
    W = _matrix("W", W)
    xp = array_namespace(W)
    size = _scale.unit(W, MATRIX)
    U, sigma, Vh = xp.linalg.svd(W / size, full_matrices=False)
    root = xp.sqrt(sigma) * xp.sqrt(size[..., 0])
    return U * root[..., None, :], root[..., :, None] * Vh


def imbalance(W2: Any, W1: Any) -> Any:
    """||W_2^T W_2 - W_1 W_1^T||_F / ||W_2 W_1||_F: 0 for balanced factors; gradient flow conserves the numerator.

    Infinite where the product is 0 and the factors are not balanced.
    """
    W2, W1 = _require.alike(W2=_matrix("W2", W2), W1=_matrix("W1", W1))
    xp = array_namespace(W2, W1)
    second, first = _scale.unit(W2, MATRIX), _scale.unit(W1, MATRIX)
    larger = xp.maximum(second, first)
    A, B = W2 / larger, W1 / larger
    gap = matrix_norm(xp.matrix_transpose(A) @ A - B @ xp.matrix_transpose(B), "fro")
    larger, second, first = (size[..., 0, 0] for size in (larger, second, first))
    over = matrix_norm((W2 / second[..., None, None]) @ (W1 / first[..., None, None]), "fro")
    ratio = _scale.product(gap, larger, larger, over=[over, second, first])
    return xp.where(gap == 0, xp.zeros_like(ratio), ratio)


def certified_distance(margin: Any, lipschitz: Any, confidence: float) -> Any:
    """Least ||x_adv - x|| at which the goal may have probability `confidence`: (logit(c) + m_yg(x)) / Lip(z_g - z_y).

    p_g >= c needs z_g - z_y >= logit(c). Linear classifiers: Lip = ||w_g - w_y||. Exact for two classes without a box.

    Parameters
    ----------
    margin : z_y(x) - z_g(x) of the clean input.
    lipschitz : of z_g - z_y, in the norm that measures the distance, at least 0. With 0 the distance is infinite,
        unless the goal has the probability to begin with.
    """
    odds = math.log(_require.probability("confidence", confidence) / (1 - confidence))
    margin, lipschitz = _require.alike(
        margin=_require.finite("margin", margin, rational=False), lipschitz=_require.numbers("lipschitz", lipschitz, 0)
    )
    xp = array_namespace(margin)
    lipschitz = lipschitz + xp.zeros_like(margin)
    missing = xp.where(margin + odds > 0, margin + odds, xp.zeros_like(margin)) + xp.zeros_like(lipschitz)
    return xp.where(missing > 0, _scale.product(missing, over=[lipschitz]), xp.zeros_like(missing))


def stall_penalty(gradient: Any, x: Any) -> Any:
    """The lambda from which the attack of 2.4 cannot leave the clean x in [0, 1]^n: (...,).

    ||P_T(-g)||_2 for the gradient g of the cross entropy at x, P_T dropping components that leave the box. Exact for
    linear classifiers, where the objective is convex; otherwise for first-order steps. It is at most sqrt(2) ||W||_2
    for softmax(W x + b): with a larger lambda every attack returns its input, which looks like robustness.
    """
    gradient, x = _require.finite("gradient", gradient, rational=False), _require.finite("x", x, rational=False)
    gradient, x = _require.alike(gradient=gradient, x=x)
    xp = array_namespace(gradient)
    blocked = ((x <= 0) & (gradient > 0)) | ((x >= 1) & (gradient < 0))
    return vector_norm(xp.where(blocked, xp.zeros_like(gradient), gradient))


def recoded(W: Any, bias: Any, x: Any, shift: Any) -> tuple[Any, Any]:
    """(input, bias) of the same classifier on codes moved by a: x + a and b - W a.

    Logits and ||x_adv - x|| stay, but the paper's robustness ||x_adv - x|| / ||x|| (3.4) tends to 0 as a grows: it
    compares nothing between spaces.
    """
    bias, x, shift = (_require.finite(name, value) for name, value in (("bias", bias), ("x", x), ("shift", shift)))
    W, bias, x, shift = _require.alike(W=_require.matrix("W", W), bias=bias, x=x, shift=shift)
    return x + shift, bias - _apply(W, shift)


def linear_projection(D: Any, x: Any) -> Any:
    """z_P = argmin_z ||D z - x||_2 = D^+ x for a linear decoder (2.1); the encoding z_E = E x equals it iff E = D^+.

    The shortest, where D lacks full column rank; singular values of up to max(m, n) u sigma_1 count as 0.
    """
    D = _matrix("D", D)
    xp = array_namespace(D)
    size = _scale.unit(D, MATRIX)
    return _apply(xp.linalg.pinv(D / size), x) / size[..., 0]


def _matrix(name: str, array: Any) -> Any:
    return _require.matrix(name, array, rational=False)
