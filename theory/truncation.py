"""Shrinking the bottom singular values of a classifier's weights: what can change (latent and SVD defences, 2.2, 3.6).

W = U Sigma V^T has q = min(m, n) singular values; the bottom k are multiplied by s, so that W_s = W - (1 - s) W_b with
W_b = U_b Sigma_b V_b^T. s = 0 zeroes them out, s = 1/10 is the paper's "factor of 10"; its "scaled down by 10%"
would be s = 9/10. Biases stay as they are. Weights are (..., m, n), one row a logit; vectors (..., n).

Arrays of NumPy, CuPy and torch; differentiable where the singular values are distinct.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from scipy.optimize import linprog
from scipy.stats import beta

from theory import _require

ROUNDINGS: dict[str, Callable[[Fraction], int]] = {"floor": math.floor, "round": round, "ceil": math.ceil}


def count_from_percent(percent: float, q: int, rounding: Literal["floor", "round", "ceil"]) -> int:
    """How many of q singular values x % are; the paper leaves the rounding open. "round" takes ties to even.

    It matters: 5 % of the 10 values of a last layer are 0, 0 or 1; 15 % are 1, 2 or 2.

    Raises
    ------
    ValueError : unless 0 <= percent <= 100, q >= 1 and the rounding is one of the three.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"percent must be between 0 and 100, got {percent}")
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding must be floor, round or ceil, got {rounding!r}")
    return ROUNDINGS[rounding](Fraction(str(percent)) * _require.integer("q", q, 1) / 100)


def bottom_part(W: Any, k: int) -> Any:
    """W_b, the part of W on its k smallest singular values: (..., m, n).

    Where sigma_(q-k) = sigma_(q-k+1) it is one of several.

    Raises
    ------
    ValueError : unless 0 <= k <= min(m, n).
    """
    xp = array_namespace(W)
    U, sigma, Vh = xp.linalg.svd(W, full_matrices=False)
    top = _kept(W, k)
    return (U[..., :, top:] * sigma[..., None, top:]) @ Vh[..., top:, :]


def shrink_bottom(W: Any, k: int, s: float) -> Any:
    """W_s: W with its k smallest singular values multiplied by s in [0, 1]: (..., m, n)."""
    return W - (1 - _share(s)) * bottom_part(W, k)


def truncation_errors(W: Any, k: int, s: float = 0.0) -> tuple[Any, Any]:
    """||W - W_s|| in spectral and Frobenius norm: (1 - s) sigma_(q-k+1) and (1 - s) sqrt(sum of the bottom sigma^2).

    For s = 0 no matrix of rank q - k is nearer in either norm (Eckart and Young 1936, Mirsky 1960). 0 for k = 0.
    """
    xp = array_namespace(W)
    bottom = (1 - _share(s)) * xp.linalg.svdvals(W)[..., _kept(W, k) :]
    if k == 0:
        return xp.zeros(W.shape[:-2], dtype=W.dtype), xp.zeros(W.shape[:-2], dtype=W.dtype)
    return bottom[..., 0], xp.linalg.vector_norm(bottom, axis=-1)


def margin_parts(W: Any, x: Any, label: int, other: int, k: int, bias: Any = None) -> tuple[Any, Any]:
    """m_top and m_bot: what top and bottom part add to the margin of `label` over `other`; the bias counts as top."""
    bottom = bottom_part(W, k)
    parts = _apply(W - bottom, x), _apply(bottom, x)
    top, bot = (z[..., label] - z[..., other] for z in parts)
    return (top if bias is None else top + bias[..., label] - bias[..., other]), bot


def shrunk_margin(top: Any, bottom: Any, s: Any) -> Any:
    """m_s = m_top + s m_bot, the margin of the linear classifier W_s: affine in s, exact."""
    return top + s * bottom


def keeps_for_every_share(top: Any, bottom: Any) -> Any:
    """Whether the decision stands for every s in [0, 1]: m_top > 0 and m_top + m_bot > 0."""
    return (top > 0) & (top + bottom > 0)


def repair_share(top: Any, bottom: Any) -> Any:
    """The share s* below which a wrong decision (m_top + m_bot < 0) is repaired: m_top / |m_bot| if m_top > 0, else 0.

    NaN where the decision is right to begin with, so that there is nothing to repair.
    """
    xp = array_namespace(top)
    wrong = top + bottom < 0
    reachable = wrong & (top > 0)
    share = xp.where(reachable, top, xp.zeros_like(top)) / xp.where(reachable, xp.abs(bottom), xp.ones_like(top))
    return xp.where(wrong, share, xp.full_like(share, math.nan))


def margin_change_bounds(W: Any, x: Any, label: int, other: int, k: int, s: float) -> tuple[Any, Any]:
    """Two bounds of |m_s - m_1|, the second weaker and without x's direction.

    (1 - s) sigma_(q-k+1) ||U_b^T (e_i - e_j)|| ||V_b^T x||, an equality for k = 1, and
    sqrt(2) (1 - s) sigma_(q-k+1) ||x||. A margin above either keeps its sign.
    """
    xp = array_namespace(W)
    U, _, Vh = xp.linalg.svd(W, full_matrices=False)
    top = _kept(W, k)
    largest = truncation_errors(W, k, s)[0]
    left = xp.linalg.vector_norm(U[..., label, top:] - U[..., other, top:], axis=-1)
    right = xp.linalg.vector_norm(_apply(Vh[..., top:, :], x), axis=-1)
    return largest * left * right, math.sqrt(2) * largest * xp.linalg.vector_norm(x, axis=-1)


def typical_margin_change(W: Any, x: Any, k: int, s: float) -> Any:
    """sqrt(2 / (m n)) (1 - s) ||W_b||_F ||x||: root mean square of m_s - m_1 over random singular vectors, shape (...).

    Exact for U and V uniformly distributed and independent of each other, as those of a Gaussian matrix are, whatever
    the singular values; at most sqrt(k / (m n)) times the bound without directions.
    """
    xp = array_namespace(W)
    size = truncation_errors(W, k, s)[1] * xp.linalg.vector_norm(x, axis=-1)
    return math.sqrt(2 / (W.shape[-2] * W.shape[-1])) * size


def bottom_share_law(n: int, k: int) -> Any:
    """Law Beta(k/2, (n-k)/2) of ||V_b^T x||^2 / ||x||^2 for k < n directions V_b uniformly distributed in R^n.

    Exact for any x that does not depend on them, and a Gaussian W: what a random error has in the bottom part.
    """
    _require.integer("n", n, _require.integer("k", k, 1) + 1)
    return beta(k / 2, (n - k) / 2)


def cascade_bounds(
    weights: Sequence[Any], activations: Sequence[Any], counts: Sequence[int], s: float
) -> tuple[Any, Any]:
    """Two bounds of ||f_s(x) - f(x)||_2 when the bottom counts[l] singular values of every W^l are multiplied by s.

    With E_l = W^l_s - W^l, sum_l prod_{m>l} ||W^m_s|| ||E_l h^(l-1)|| and, weaker but without the shrunk weights'
    action on x, sum_l prod_{m>l} ||W^m|| (1 - s) sigma^(l)_(q-k+1) ||h^(l-1)||. Hybrids with clean layers below.

    Parameters
    ----------
    weights : W^1..W^L; activations 1-Lipschitz between them, biases any.
    activations : the clean h^0 = x, h^1, ..., h^(L-1), each (..., n_l).
    """
    sharp: Any = 0
    plain: Any = 0
    for W, h, k in _layers(weights, activations, counts):
        xp = array_namespace(W)
        spectral = xp.linalg.svdvals(W)[..., 0]
        shrunk = xp.linalg.svdvals(shrink_bottom(W, k, s))[..., 0]
        error = xp.linalg.vector_norm(_apply((1 - s) * bottom_part(W, k), h), axis=-1)
        sharp = shrunk * sharp + error
        plain = spectral * plain + truncation_errors(W, k, s)[0] * xp.linalg.vector_norm(h, axis=-1)
    return sharp, plain


def cascade_margin_bound(
    weights: Sequence[Any], activations: Sequence[Any], counts: Sequence[int], s: float, label: int, other: int
) -> Any:
    """Bounds the change of the margin of `label` over `other` in the same cascade; a margin above it keeps its sign.

    ||w_i - w_j|| of the shrunk last layer times the bound for the layers below, plus |(e_i - e_j)^T E_L h^(L-1)|.
    """
    *_, (W, h, k) = _layers(weights, activations, counts)
    xp = array_namespace(W)
    bottom, shrunk = bottom_part(W, k), shrink_bottom(W, k, s)
    own = (1 - s) * xp.abs(_apply(bottom, h)[..., label] - _apply(bottom, h)[..., other])
    below = cascade_bounds(weights[:-1], activations[:-1], counts[:-1], s)[0]
    return xp.linalg.vector_norm(shrunk[..., label, :] - shrunk[..., other, :], axis=-1) * below + own


def reachable_classes(W: np.ndarray, k: int) -> tuple[int, ...]:
    """Classes that some x makes the only largest logit once the bottom k singular values are zeroed (no biases).

    Class i is reachable iff row i of U_top Sigma_top is an exposed point of the convex hull of the rows; at most two
    are for rank 1. NumPy only: a linear program per class.
    """
    _require.matrix("W", W)
    U, sigma, _ = np.linalg.svd(W, full_matrices=False)
    rows = U[:, : _kept(W, k)] * sigma[: _kept(W, k)]
    scale = np.max(np.abs(rows), initial=0.0)
    if scale == 0:
        return () if len(rows) > 1 else (0,)
    found = []
    for i, row in enumerate(rows):
        others = np.delete(rows, i, axis=0) - row
        # The largest least lead over the others within the box of directions.
        lead = linprog(
            np.append(np.zeros(rows.shape[1]), -1.0),
            A_ub=np.column_stack([others / scale, np.ones(len(others))]),
            b_ub=np.zeros(len(others)),
            bounds=[(-1, 1)] * rows.shape[1] + [(None, 1)],
        )
        if -lead.fun > 1e-9:
            found.append(i)
    return tuple(found)


def energy_profile(W: Any, direction: Any) -> Any:
    """Shares of ||direction||^2 along v_1, ..., v_q and, last, outside the row space: (..., q + 1), summing to 1.

    For x_adv - x it measures what the paper supposes, that attacks act on the lowest singular values. Columns v_i with
    sigma_i = 0 are arbitrary directions outside the row space.
    """
    xp = array_namespace(W)
    Vh = xp.linalg.svd(W, full_matrices=False)[2]
    whole = xp.sum(direction * direction, axis=-1)[..., None]
    along = _apply(Vh, direction) ** 2 / whole
    # Outside from the residual vector, not as 1 minus the rest: it may be tiny.
    rest = direction - _apply(xp.matrix_transpose(Vh), _apply(Vh, direction))
    return xp.concat([along, xp.sum(rest * rest, axis=-1)[..., None] / whole], axis=-1)


def gradient_energy(W: Any, residual: Any) -> Any:
    """<W^T r, v_i>^2 = sigma_i^2 (u_i^T r)^2 for i = 1..q: (..., q); r = p - e_y for the cross entropy of softmax(W x).

    For an isotropic residual the expected share of the bottom k is sum_b sigma^2 / sum sigma^2 <= k / q.
    """
    xp = array_namespace(W)
    U, sigma, _ = xp.linalg.svd(W, full_matrices=False)
    return (sigma * _apply(xp.matrix_transpose(U), residual)) ** 2


def _layers(weights: Sequence[Any], activations: Sequence[Any], counts: Sequence[int]) -> list[tuple[Any, Any, int]]:
    if not len(weights) == len(activations) == len(counts):
        raise ValueError(
            "weights, activations and counts must be as many as layers, got "
            f"{len(weights)}, {len(activations)} and {len(counts)}"
        )
    return list(zip(weights, activations, counts, strict=True))


def _kept(W: Any, k: int) -> int:
    """How many singular values are left alone."""
    q = min(_require.matrix("W", W).shape[-2:])
    if not 0 <= k <= q:
        raise ValueError(f"k must be between 0 and min(m, n) = {q}, got {k}")
    return q - k


def _share(s: float) -> float:
    if not 0 <= s <= 1:
        raise ValueError(f"s must be between 0 and 1, got {s}")
    return s


def _apply(W: Any, x: Any) -> Any:
    """W x over leading axes."""
    return (W @ x[..., None])[..., 0]
