"""What shrinking the bottom singular values of a classifier's weights can change (latent and SVD defences, 2.2, 3.6).

W_s is W with its bottom k singular values multiplied by s, as `theory.things.shrinking` has it, W_b the part of W on
them. Biases stay as they are. Weights are (..., m, n), one row a logit; vectors (..., n).

Arrays of NumPy, CuPy and torch, at every scale that their dtype has; differentiable where the singular values are
distinct.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace
from scipy.optimize import linprog
from scipy.stats import beta

from fragility.law import Law
from theory.conditioning.condition_numbers import matrix_norm, vector_norm
from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.numerics.linear import MATRIX, applied, operands
from theory.things.shrinking import bottom_part, decomposed, kept, share, shrink_bottom


def truncation_errors(W: Array, k: int, s: float = 0.0) -> tuple[Array, Array]:
    """||W - W_s|| in spectral and Frobenius norm: (1 - s) sigma_(q-k+1) and (1 - s) sqrt(sum of the bottom sigma^2).

    For s = 0 no matrix of rank q - k is nearer in either norm (Eckart and Young 1936, Mirsky 1960). 0 for k = 0.
    """
    W, top = require.matrix("W", W, rational=False), kept(W, k)
    size = magnitudes.unit(W, MATRIX)
    sigma = size[..., 0] * array_namespace(W).linalg.svdvals(W / size)
    bottom = (1 - share(s)) * sigma[..., top:] if k else 0 * sigma
    return bottom[..., 0], magnitudes.length(bottom)


def margin_parts(W: Array, x: Array, label: int, other: int, k: int, bias: Array = None) -> tuple[Array, Array]:
    """m_top and m_bot: what top and bottom part add to the margin of `label` over `other`; the bias counts as top."""
    bottom = bottom_part(W, k)
    label, other = _classes(bottom, label, other)
    parts = applied(require.matrix("W", W, rational=False) - bottom, x), applied(bottom, x)
    top, bot = (z[..., label] - z[..., other] for z in parts)
    if bias is None:
        return top, bot
    top, bot, bias = require.alike(top=top, bot=bot, bias=require.finite("bias", bias, rational=False))
    return top + bias[..., label] - bias[..., other], bot


def shrunk_margin(top: Array, bottom: Array, s: Array) -> Array:
    """m_s = m_top + s m_bot, the margin of the linear classifier W_s: affine in s, exact."""
    top, bottom, s = _parts(top=top, bottom=bottom, s=s)
    return top + s * bottom


def keeps_for_every_share(top: Array, bottom: Array) -> Array:
    """Whether the decision stands for every s in [0, 1]: m_top > 0 and m_top + m_bot > 0."""
    top, bottom = _parts(top=top, bottom=bottom)
    return (top > 0) & (top + bottom > 0)


def repair_share(top: Array, bottom: Array) -> Array:
    """The share s* below which a wrong decision (m_top + m_bot < 0) is repaired: m_top / |m_bot| if m_top > 0, else 0.

    NaN where the decision is right to begin with, so that there is nothing to repair.
    """
    top, bottom = (require.finite(name, part, rational=False) for name, part in (("top", top), ("bottom", bottom)))
    top, bottom = require.alike(top=top, bottom=bottom)
    xp = array_namespace(top)
    wrong = top + bottom < 0
    reachable = wrong & (top > 0)
    share = xp.where(reachable, top, xp.zeros_like(top)) / xp.where(reachable, xp.abs(bottom), xp.ones_like(top))
    return xp.where(wrong, share, xp.full_like(share, math.nan))


def margin_change_bounds(W: Array, x: Array, label: int, other: int, k: int, s: float) -> tuple[Array, Array]:
    """Two bounds of |m_s - m_1|, the second weaker and without x's direction.

    (1 - s) sigma_(q-k+1) ||U_b^T (e_i - e_j)|| ||V_b^T x||, an equality for k = 1, and
    sqrt(2) (1 - s) sigma_(q-k+1) ||x||. A margin above either keeps its sign.
    """
    (W,), (x,) = operands([W], False, x=x)
    label, other = _classes(W, label, other)
    U, _, Vh, _ = decomposed(W)
    top, largest, longest = kept(W, k), truncation_errors(W, k, s)[0], vector_norm(x)
    plain = math.sqrt(2) * largest * longest
    if not k:
        return plain, plain
    left = magnitudes.length(U[..., label, top:] - U[..., other, top:])
    return largest * left * vector_norm(applied(Vh[..., top:, :], x)), plain


def typical_margin_change(W: Array, x: Array, k: int, s: float) -> Array:
    """sqrt(2 / (m n)) (1 - s) ||W_b||_F ||x||: root mean square of m_s - m_1 over random singular vectors, shape (...).

    Exact for U and V uniformly distributed and independent of each other, as those of a Gaussian matrix are, whatever
    the singular values; at most sqrt(k / (m n)) times the bound without directions.
    """
    (W,), (x,) = operands([W], False, x=x)
    size = truncation_errors(W, k, s)[1] * vector_norm(x)
    return math.sqrt(2 / (W.shape[-2] * W.shape[-1])) * size


def bottom_share_law(n: int, k: int) -> Law:
    """Law Beta(k/2, (n-k)/2) of ||V_b^T x||^2 / ||x||^2 for k < n directions V_b uniformly distributed in R^n.

    Exact for any x that does not depend on them, and a Gaussian W: what a random error has in the bottom part.
    """
    require.integer("n", n, require.integer("k", k, 1) + 1)
    return beta(k / 2, (n - k) / 2)


def cascade_bounds(
    weights: Sequence[Array], activations: Sequence[Array], counts: Sequence[int], s: float
) -> tuple[Array, Array]:
    """Two bounds of ||f_s(x) - f(x)||_2 when the bottom counts[l] singular values of every W^l are multiplied by s.

    With E_l = W^l_s - W^l, sum_l prod_{m>l} ||W^m_s|| ||E_l h^(l-1)|| and, weaker but without the shrunk weights'
    action on x, sum_l prod_{m>l} ||W^m|| (1 - s) sigma^(l)_(q-k+1) ||h^(l-1)||. Hybrids with clean layers below.

    Parameters
    ----------
    weights : W^1..W^L; activations 1-Lipschitz between them, biases any.
    activations : the clean h^0 = x, h^1, ..., h^(L-1), each (..., n_l).
    """
    sharp, plain, shrunk, spectral = [], [], [], []
    for W, h, k in _layers(weights, activations, counts):
        sharp.append(vector_norm(applied((1 - share(s)) * bottom_part(W, k), h)))
        plain.append(truncation_errors(W, k, s)[0] * vector_norm(h))
        shrunk.append(matrix_norm(shrink_bottom(W, k, s)))
        spectral.append(matrix_norm(require.matrix("W", W, rational=False)))
    return _telescoped(sharp, shrunk), _telescoped(plain, spectral)


def cascade_margin_bound(
    weights: Sequence[Array], activations: Sequence[Array], counts: Sequence[int], s: float, label: int, other: int
) -> Array:
    """Bounds the change of the margin of `label` over `other` in the same cascade; a margin above it keeps its sign.

    ||w_i - w_j|| of the shrunk last layer times the bound for the layers below, plus |(e_i - e_j)^T E_L h^(L-1)|.
    """
    *_, (W, h, k) = _layers(weights, activations, counts)
    label, other = _classes(require.matrix("W", W, rational=False), label, other)
    shrunk, moved = shrink_bottom(W, k, s), applied(bottom_part(W, k), h)
    own = (1 - s) * array_namespace(moved).abs(moved[..., label] - moved[..., other])
    below = cascade_bounds(weights[:-1], activations[:-1], counts[:-1], s)[0]
    return magnitudes.length(shrunk[..., label, :] - shrunk[..., other, :]) * below + own


def reachable_classes(W: np.ndarray, k: int) -> tuple[int, ...]:
    """Classes that some x makes the only largest logit once the bottom k singular values are zeroed (no biases).

    Class i is reachable iff row i of U_top Sigma_top is an exposed point of the convex hull of the rows; at most two
    are for rank 1. NumPy only: a linear program per class.
    """
    W = require.numpy_array("W", W, 2)
    U, sigma, _ = np.linalg.svd(W / magnitudes.unit(W, MATRIX), full_matrices=False)
    rows = U[:, : kept(W, k)] * sigma[: kept(W, k)]
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


def energy_profile(W: Array, direction: Array) -> Array:
    """Shares of ||direction||^2 along v_1, ..., v_q and, last, outside the row space: (..., q + 1), summing to 1.

    For x_adv - x it measures what the paper supposes, that attacks act on the lowest singular values. Columns v_i with
    sigma_i = 0 are arbitrary directions outside the row space. NaN where the direction is 0 and has no shares.
    """
    Vh = decomposed(W)[2]
    direction = require.finite("direction", direction, rational=False)
    Vh, direction = require.alike(W=Vh, direction=direction / magnitudes.unit(direction))
    xp = array_namespace(Vh)
    along = applied(Vh, direction)
    # Outside from the residual vector, not as 1 minus the rest: it may be tiny.
    rest = direction - applied(xp.matrix_transpose(Vh), along)
    squares = xp.concat([along * along, xp.sum(rest * rest, axis=-1, keepdims=True)], axis=-1)
    return squares / magnitudes.or_nan(xp.sum(direction * direction, axis=-1, keepdims=True))


def gradient_energy(W: Array, residual: Array) -> Array:
    """<W^T r, v_i>^2 = sigma_i^2 (u_i^T r)^2 for i = 1..q: (..., q); r = p - e_y for the cross entropy of softmax(W x).

    For an isotropic residual the expected share of the bottom k is sum_b sigma^2 / sum sigma^2 <= k / q.
    """
    U, sigma, _, size = decomposed(W)
    return (size[..., 0] * (sigma * applied(array_namespace(U).matrix_transpose(U), residual))) ** 2


def _layers(
    weights: Sequence[Array], activations: Sequence[Array], counts: Sequence[int]
) -> list[tuple[Array, Array, int]]:
    counts = require.integers("counts", counts, 0, fewest=0)
    if not len(weights) == len(activations) == len(counts):
        raise ValueError(
            "weights, activations and counts must be as many as layers, got "
            f"{len(weights)}, {len(activations)} and {len(counts)}"
        )
    return list(zip(weights, activations, counts, strict=True))


def _parts(**values: Array) -> tuple[Array, ...]:
    return require.alike(**{name: require.numbers(name, value) for name, value in values.items()})


def _telescoped(errors: Sequence[Array], norms: Sequence[Array]) -> Array:
    """Every layer's error times the norms of those above it, added up."""
    return sum(magnitudes.product(error, *norms[layer + 1 :]) for layer, error in enumerate(errors))


def _classes(W: Array, label: int, other: int) -> tuple[int, int]:
    count = W.shape[-2]
    return require.place("label", label, count), require.place("other", other, count)
