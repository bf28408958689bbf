"""Perturbations of linear classifiers, seen through their probing vectors (feature compression, Theorem 5).

A linear network of any depth has outputs f_k(x) = p_k . x + b_k, with probing vectors p_k^T = w_k^T H_{L-1} ... H_1.
Only the difference g = p_1 - p_2 decides between two classes: from x, where f_1 - f_2 = gap > 0, the infimum of the
lengths that give f_2 > f_1 is gap / ||g||_*, with the dual of the norm in which length is measured, and it is
approached, never attained, along one direction. Lengths here are those of the tie; a flip needs any factor above 1.

All is exact, needs no law of the data, and holds for K classes by taking the smallest pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace, device
from scipy.optimize import nnls

from theory import _require
from theory.gradient_plane import _length, projection

Norm = Literal["l2", "linf"]


def probing_vectors(outputs: Any, hidden: Sequence[Any] = ()) -> Any:
    """Rows p_k of W H_{L-1} ... H_1 (feature compression, Theorem 5), multiplied from the left, K rows at a time.

    Parameters
    ----------
    outputs : rows w_k of the last layer, (..., K, width).
    hidden : H_1, ..., H_{L-1}, the first layer first.

    Raises
    ------
    ValueError : if the matrices cannot be multiplied.
    """
    product = _require.matrix("outputs", outputs)
    for weight in reversed(hidden):
        _require.matrix("hidden", weight)
        if product.shape[-1] != weight.shape[-2]:
            raise ValueError(f"hidden must have {product.shape[-1]} rows here, got shape {tuple(weight.shape)}")
        product = product @ weight
    return product


def pair_distance(p_1: Any, p_2: Any, x: Any, offset: Any = 0, norm: Norm = "l2") -> Any:
    """Infimum of ||e|| with f_2(x + e) > f_1(x + e): max(gap, 0) / ||p_1 - p_2||_* (feature compression, Theorem 5).

    Parameters
    ----------
    p_1, p_2, x : (..., d).
    offset : b_1 - b_2, broadcasts.
    norm : in which e is measured, "l2" or "linf".

    Returns
    -------
    (...), at least 0: 0 where f_2 > f_1 already, infinity where p_1 = p_2 and it never is.
    """
    gap = _gap(p_1, p_2, x, offset)
    return _over(gap, _dual(p_1 - p_2, norm))


def pair_perturbation(p_1: Any, p_2: Any, x: Any, offset: Any = 0, norm: Norm = "l2") -> Any:
    """The shortest e with f_2(x + e) = f_1(x + e); (1 + eta) e flips the order, for every eta > 0 (Theorem 5).

    -gap g / ||g||^2 for "l2" and -gap sign(g) / ||g||_1 for "linf", g = p_1 - p_2; exact in fractions. 0 where g = 0.
    Where f_2 > f_1 already it leads back to the tie.
    """
    xp = array_namespace(p_1, p_2, x)
    g = p_1 - p_2
    gap = _gap(p_1, p_2, x, 0, keepdims=True) + (offset[..., None] if getattr(offset, "shape", ()) else offset)
    _known(norm)
    size = xp.sum(g * g if norm == "l2" else xp.abs(g), axis=-1, keepdims=True)
    direction = g if norm == "l2" else xp.where(g > 0, 1 + 0 * g, xp.where(g < 0, -1 + 0 * g, 0 * g))
    return -gap * direction / xp.where(size > 0, size, 1 + 0 * size)


def projected_distance(p_1: Any, p_2: Any, x_1: Any, x_2: Any) -> Any:
    """||P(x_2 - x_1)||, P on the span of both probing vectors (feature compression, Theorem 5).

    The length of the shortest e that gives at x_1 both outputs of x_2. If x_2 is classified as 2 it is at least the sum
    of both points' distances to the tie; if x_2 is not, it may be too short to change any label.
    """
    xp = array_namespace(p_1, p_2)
    return _length(projection(xp.stack((p_1, p_2), axis=-2), x_2 - x_1))


def class_distances(probes: Any, x: Any, label: Any, bias: Any = None, norm: Norm = "l2") -> Any:
    """Infimum of ||e|| for each class to overtake the label at x + e: pairs as in Theorem 5 of feature compression.

    Parameters
    ----------
    probes : p_1, ..., p_K, (K, d).
    x : (..., d).
    label : class at x, integers (...) from 0 to K - 1, or one integer.
    bias : (K,).
    norm : in which e is measured, "l2" or "linf".

    Returns
    -------
    (..., K), infinity at the label itself.
    """
    gaps, differences = _against(probes, x, label, bias)
    return _over(gaps, _dual(differences, norm))


def untargeted_distance(probes: Any, x: Any, label: Any, bias: Any = None, norm: Norm = "l2") -> Any:
    """Infimum of ||e|| with another argmax than the label at x + e: the least of the `class_distances`.

    Exact for every linear classifier; 0 for a point that is misclassified.
    """
    distances = class_distances(probes, x, label, bias, norm)
    return array_namespace(distances).min(distances, axis=-1)


def worst_margin(probes: Any, x: Any, label: Any, radius: Any, bias: Any = None, norm: Norm = "l2") -> Any:
    """Least margin of the label over the ball: min_j (f_y - f_j)(x) - radius ||p_y - p_j||_*, exact.

    With norm "linf" the exact worst case that attacks of the sign of the gradient can at best attain.

    Parameters
    ----------
    probes, x, label, bias, norm : as in `class_distances`.
    radius : at least 0, broadcasts against (...).

    Returns
    -------
    (...), positive where no perturbation in the ball changes the label.
    """
    xp = array_namespace(probes, x)
    gaps, differences = _against(probes, x, label, bias)
    if not isinstance(radius, int | float):
        radius = xp.asarray(radius)[..., None]
    drops = gaps - radius * _dual(differences, norm)
    return xp.min(xp.where(_is_label(probes, label), 0 * drops + xp.inf, drops), axis=-1)


def sign_step(probes: Any, x: Any, label: Any, radius: float, bias: Any = None, descend: bool = False) -> Any:
    """One step of the fast gradient sign method on softmax regression, in closed form and without clipping.

    x + radius * sign(grad CE) with grad CE = sum_k softmax_k p_k - p_label; `descend` steps towards the label instead,
    as the targeted variant does. The sign is exact, also where the gradient itself would underflow. The margin is never
    below `worst_margin`, and equal to it for two classes.

    Parameters
    ----------
    probes, x, label, bias : as in `class_distances`.
    radius : linf length of the step, at least 0.
    """
    xp = array_namespace(probes, x)
    _require.budget("radius", radius)
    scores = _scores(probes, x, bias)
    others = xp.where(_is_label(probes, label), 0 * scores - xp.inf, scores)
    # softmax_k (p_k - p_label), up to a factor: nothing underflows when the label has nearly all the weight
    weights = xp.exp(others - xp.max(others, axis=-1, keepdims=True))
    _, differences = _against(probes, x, label, bias)
    gradient = -xp.sum(weights[..., None] * differences, axis=-2)
    return x + (-radius if descend else radius) * xp.sign(gradient)


def targeted_perturbation(probes: np.ndarray, x: np.ndarray, target: int, bias: np.ndarray | None = None) -> np.ndarray:
    """The shortest e, in the Euclidean norm, at which no class beats the target; (1 + eta) e as good as wins for it.

    A least-distance program, min ||e|| with (p_t - p_k) . (x + e) + b_t - b_k >= 0 for all k, solved as nonnegative
    least squares (Lawson and Hanson). At least the `pair_distance` to the target, above it where a third class is in
    the way. NumPy only.

    Parameters
    ----------
    probes, x, bias : (K, d), (d,), (K,).
    target : class, from 0 to K - 1.

    Returns
    -------
    (d,); all NaN if the target wins nowhere, or only beyond a million times the largest pair distance.
    """
    _require.finite("probes", probes, 2)
    _require.finite("x", x, 1)
    gaps, differences = _against(probes, x, target, bias)
    others = np.arange(len(probes)) != _label(target, len(probes))
    constraints, needed = differences[others], -gaps[others]  # G e >= h
    if np.all(needed <= 0):
        return np.zeros_like(x, dtype=float)
    sizes = np.linalg.norm(constraints, axis=1)
    sizes[sizes == 0] = 1
    constraints, needed = constraints / sizes[:, None], needed / sizes
    unit = np.max(needed)  # the program is homogeneous: lengths in units of the largest violated one
    system = np.vstack((constraints.T, needed / unit))
    goal = np.append(np.zeros(len(x)), 1.0)
    weights, length = nnls(system, goal)
    residual = system @ weights - goal
    if length**2 < 1e-13:
        return np.full(len(x), np.nan)
    return -residual[:-1] / residual[-1] * unit


def _gap(p_1: Any, p_2: Any, x: Any, offset: Any, keepdims: bool = False) -> Any:
    for name, vector in (("p_1", p_1), ("p_2", p_2), ("x", x)):
        _require.finite(name, vector)
    if not p_1.shape[-1] == p_2.shape[-1] == x.shape[-1]:
        raise ValueError(
            f"p_1, p_2 and x must have the same dimension, got {p_1.shape[-1]}, {p_2.shape[-1]} and {x.shape[-1]}"
        )
    return array_namespace(p_1, p_2, x).sum((p_1 - p_2) * x, axis=-1, keepdims=keepdims) + offset


def _known(norm: str) -> None:
    if norm not in ("l2", "linf"):
        raise ValueError(f'norm must be "l2" or "linf", got {norm!r}')


def _dual(vector: Any, norm: Norm) -> Any:
    """Norm of a linear function of e when e is measured in `norm`."""
    _known(norm)
    return _length(vector) if norm == "l2" else _absolute_sum(vector)


def _absolute_sum(vector: Any) -> Any:
    xp = array_namespace(vector)
    return xp.sum(xp.abs(vector), axis=-1)


def _over(gap: Any, size: Any) -> Any:
    """max(gap, 0) / size, infinite where the size is 0 and the gap is not negative."""
    xp = array_namespace(gap, size)
    quotient = xp.where(gap > 0, gap, 0 * gap) / xp.where(size > 0, size, 1 + 0 * size)
    return xp.where((size > 0) | (gap < 0), quotient, quotient + xp.inf)


def _label(label: Any, classes: int) -> Any:
    """The label, if it is one or are some of the classes."""
    if isinstance(label, int):
        if not 0 <= label < classes:
            raise ValueError(f"label must be from 0 to {classes - 1}, got {label}")
        return label
    xp = array_namespace(label)
    if not xp.isdtype(label.dtype, "integral") or not bool(xp.all((label >= 0) & (label < classes))):
        raise ValueError(f"label must hold integers from 0 to {classes - 1}, got {label}")
    return label[..., None]


def _is_label(probes: Any, label: Any) -> Any:
    """(..., K), true at the label."""
    classes = array_namespace(probes).arange(probes.shape[0], device=device(probes))
    return classes == _label(label, probes.shape[0])


def _scores(probes: Any, x: Any, bias: Any) -> Any:
    _require.finite("probes", probes, 2)
    _require.finite("x", x)
    if probes.shape[0] < 2:
        raise ValueError(f"probes must be at least 2 in number, got {probes.shape[0]}")
    if probes.shape[1] != x.shape[-1]:
        raise ValueError(f"probes and x must have the same dimension, got {probes.shape[1]} and {x.shape[-1]}")
    scores = x @ probes.T
    return scores if bias is None else scores + bias


def _against(probes: Any, x: Any, label: Any, bias: Any) -> tuple[Any, Any]:
    """f_label - f_k at x, (..., K), and p_label - p_k, (..., K, d)."""
    xp = array_namespace(probes, x)
    scores = _scores(probes, x, bias)
    mine = _is_label(probes, label)
    own = xp.sum(xp.where(mine, scores, 0 * scores), axis=-1, keepdims=True)
    chosen = xp.where(mine[..., None], probes, 0 * probes)
    return own - scores, xp.sum(chosen, axis=-2, keepdims=True) - probes
