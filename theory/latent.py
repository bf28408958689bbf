"""Two linear layers in place of one, attacks by penalty, and distances in latent space (latent and SVD defences).

"2L is effectively equivalent to 1L" (2.3) is true of the functions, not of what the SVD defence makes of them: it
depends on the factors, (W_2 G^-1)(G W_1) being the same function for every invertible G.
"""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import array_namespace

from theory import _require
from theory.truncation import _apply


def represents_every_map(width: int, inputs: int, classes: int) -> bool:
    """Whether two linear layers of this hidden width give all maps x -> W x + b: width >= min(inputs, classes)."""
    for name, value in (("width", width), ("inputs", inputs), ("classes", classes)):
        _require.integer(name, value, 1)
    return width >= min(inputs, classes)


def regauged(W2: Any, W1: Any, G: Any) -> tuple[Any, Any]:
    """(W_2 G^-1, G W_1): other factors of the same function, for an invertible G."""
    return W2 @ array_namespace(G).linalg.inv(G), G @ W1


def balanced_factors(W: Any) -> tuple[Any, Any]:
    """U Sigma^(1/2) and Sigma^(1/2) V^T: factors of W with W_2^T W_2 = W_1 W_1^T.

    Shrinking the bottom k of both by s shrinks those of the product by s^2: 1/10 becomes 1/100.
    """
    xp = array_namespace(_require.matrix("W", W))
    U, sigma, Vh = xp.linalg.svd(W, full_matrices=False)
    root = xp.sqrt(sigma)
    return U * root[..., None, :], root[..., :, None] * Vh


def imbalance(W2: Any, W1: Any) -> Any:
    """||W_2^T W_2 - W_1 W_1^T||_F / ||W_2 W_1||_F: 0 for balanced factors; gradient flow conserves the numerator."""
    xp = array_namespace(W2)
    gap = xp.matrix_transpose(W2) @ W2 - W1 @ xp.matrix_transpose(W1)
    return xp.linalg.vector_norm(gap, axis=(-2, -1)) / xp.linalg.vector_norm(W2 @ W1, axis=(-2, -1))


def certified_distance(margin: Any, lipschitz: Any, confidence: float) -> Any:
    """Least ||x_adv - x|| at which the goal may have probability `confidence`: (logit(c) + m_yg(x)) / Lip(z_g - z_y).

    p_g >= c needs z_g - z_y >= logit(c). Linear classifiers: Lip = ||w_g - w_y||. Exact for two classes without a box.

    Parameters
    ----------
    margin : z_y(x) - z_g(x) of the clean input.
    lipschitz : of z_g - z_y, in the norm that measures the distance.
    """
    odds = math.log(_require.probability("confidence", confidence) / (1 - confidence))
    return array_namespace(margin).maximum(margin + odds, 0 * margin) / lipschitz


def stall_penalty(gradient: Any, x: Any) -> Any:
    """The lambda from which the attack of 2.4 cannot leave the clean x in [0, 1]^n: (...,).

    ||P_T(-g)||_2 for the gradient g of the cross entropy at x, P_T dropping components that leave the box. Exact for
    linear classifiers, where the objective is convex; otherwise for first-order steps. It is at most sqrt(2) ||W||_2
    for softmax(W x + b): with a larger lambda every attack returns its input, which looks like robustness.
    """
    xp = array_namespace(gradient)
    blocked = ((x <= 0) & (gradient > 0)) | ((x >= 1) & (gradient < 0))
    return xp.linalg.vector_norm(xp.where(blocked, xp.zeros_like(gradient), gradient), axis=-1)


def recoded(W: Any, bias: Any, x: Any, shift: Any) -> tuple[Any, Any]:
    """(input, bias) of the same classifier on codes moved by a: x + a and b - W a.

    Logits and ||x_adv - x|| stay, but the paper's robustness ||x_adv - x|| / ||x|| (3.4) tends to 0 as a grows: it
    compares nothing between spaces.
    """
    return x + shift, bias - _apply(W, shift)


def linear_projection(D: Any, x: Any) -> Any:
    """z_P = argmin_z ||D z - x||_2 = D^+ x for a linear decoder (2.1); the encoding z_E = E x equals it iff E = D^+."""
    xp = array_namespace(_require.matrix("D", D))
    return _apply(xp.linalg.pinv(D), x)
