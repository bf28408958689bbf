"""Perturbations of linear classifiers, seen through their probing vectors (feature compression, Theorem 5).

A linear network of any depth has outputs f_k(x) = p_k . x + b_k, with probing vectors p_k^T = w_k^T H_{L-1} ... H_1.
Only the difference g = p_1 - p_2 decides between two classes: from x, where f_1 - f_2 = gap > 0, the infimum of the
lengths that give f_2 > f_1 is gap / ||g||_*, with the dual of the norm in which length is measured, and it is
approached, never attained, along one direction. Lengths here are those of the tie; a flip needs any factor above 1.

All is exact, needs no law of the data, and holds for K classes by taking the smallest pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj
from scipy.optimize import nnls

from theory.gradients.gradient_plane import projection
from theory.numerics import magnitudes, require
from theory.numerics.array import Array

Norm = Literal["l2", "linf"]


def probing_vectors(outputs: Array, hidden: Sequence[Array] = ()) -> Array:
    """Rows p_k of W H_{L-1} ... H_1 (feature compression, Theorem 5), multiplied from the left, K rows at a time.

    Parameters
    ----------
    outputs : rows w_k of the last layer, (..., K, width).
    hidden : H_1, ..., H_{L-1}, the first layer first.

    Raises
    ------
    ValueError : if the matrices cannot be multiplied.
    """
    product = require.matrix("outputs", outputs)
    for weight in reversed(hidden):
        product, weight = require.alike(outputs=product, hidden=require.matrix("hidden", weight))
        if product.shape[-1] != weight.shape[-2]:
            raise ValueError(f"hidden must have {product.shape[-1]} rows here, got shape {tuple(weight.shape)}")
        product = product @ weight
    return product


def pair_distance(p_1: Array, p_2: Array, x: Array, offset: Array = 0, norm: Norm = "l2") -> Array:
    """Infimum of ||e|| with f_2(x + e) > f_1(x + e): max(gap, 0) / ||p_1 - p_2||_* (feature compression, Theorem 5).

    The unit of probing vectors and offset does not matter.

    Parameters
    ----------
    p_1, p_2, x : (..., d).
    offset : b_1 - b_2, broadcasts against (...).
    norm : in which e is measured, "l2" or "linf".

    Returns
    -------
    (...), at least 0: 0 where f_2 > f_1 already, infinity where p_1 = p_2 and it never is.
    """
    return _distance(*_pair(p_1, p_2, x, offset, rational=False), norm)


def pair_perturbation(p_1: Array, p_2: Array, x: Array, offset: Array = 0, norm: Norm = "l2") -> Array:
    """The shortest e with f_2(x + e) = f_1(x + e); (1 + eta) e flips the order, for every eta > 0 (Theorem 5).

    -gap g / ||g||^2 for "l2" and -gap sign(g) / ||g||_1 for "linf", g = p_1 - p_2; exact in fractions. 0 where g = 0.
    Where f_2 > f_1 already it leads back to the tie.
    """
    g, x, offset = _pair(p_1, p_2, x, offset)
    _known(norm)
    xp, unit = array_namespace(g), magnitudes.unit(g)
    g = g / unit
    gap = xp.sum(g * x, axis=-1, keepdims=True) + (offset[..., None] if hasattr(offset, "shape") else offset) / unit
    size = xp.sum(g * g if norm == "l2" else xp.abs(g), axis=-1, keepdims=True)
    direction = g if norm == "l2" else xp.where(g > 0, 1 + 0 * g, xp.where(g < 0, -1 + 0 * g, 0 * g))
    return -gap * direction / xp.where(size > 0, size, 1 + 0 * size)


def projected_distance(p_1: Array, p_2: Array, x_1: Array, x_2: Array) -> Array:
    """||P(x_2 - x_1)||, P on the span of both probing vectors (feature compression, Theorem 5).

    The length of the shortest e that gives at x_1 both outputs of x_2, never above that of x_2 - x_1. If x_2 is
    classified as 2 it is at least the sum of both points' distances to the tie; if x_2 is not, it may be too short to
    change any label.
    """
    p_1, p_2, x_1, x_2 = _vectors(p_1=p_1, p_2=p_2, x_1=x_1, x_2=x_2)
    xp, step = array_namespace(p_1), x_2 - x_1
    seen = projection(xp.stack(xp.broadcast_arrays(p_1, p_2), axis=-2), step)
    return magnitudes.at_most(magnitudes.length(seen), magnitudes.length(step))


def class_distances(probes: Array, x: Array, label: Array, bias: Array = None, norm: Norm = "l2") -> Array:
    """Infimum of ||e|| for each class to overtake the label at x + e: pairs as in Theorem 5 of feature compression.

    Parameters
    ----------
    probes : p_1, ..., p_K, (K, d), K >= 2.
    x : (..., d).
    label : class at x, integers (...) from 0 to K - 1, or one integer.
    bias : (K,).
    norm : in which e is measured, "l2" or "linf".

    Returns
    -------
    (..., K), at least 0; infinity at the label itself and at a class that is everywhere equal to it.

    Raises
    ------
    ValueError : for shapes that do not fit, labels that are not among the classes, and entries that are not finite.
    """
    _, x, differences, offsets, _ = _against(probes, x, label, bias)
    return _distance(differences, x[..., None, :], offsets, norm)


def untargeted_distance(probes: Array, x: Array, label: Array, bias: Array = None, norm: Norm = "l2") -> Array:
    """Infimum of ||e|| with another argmax than the label at x + e: the least of the `class_distances`.

    Exact for every linear classifier; 0 for a point that is misclassified.
    """
    distances = class_distances(probes, x, label, bias, norm)
    return array_namespace(distances).min(distances, axis=-1)


def worst_margin(probes: Array, x: Array, label: Array, radius: Array, bias: Array = None, norm: Norm = "l2") -> Array:
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
    radius = require.numbers("radius", radius, 0)
    mine, x, differences, offsets, radius = _against(probes, x, label, bias, radius)
    radius = radius[..., None] if hasattr(radius, "shape") else radius
    xp, drops = array_namespace(x), _gaps(differences, x, offsets) - radius * _dual(differences, norm)
    return xp.min(xp.where(mine, 0 * drops + xp.inf, drops), axis=-1)


def sign_step(probes: Array, x: Array, label: Array, radius: float, bias: Array = None, descend: bool = False) -> Array:
    """One step of the fast gradient sign method on softmax regression, in closed form and without clipping.

    x + radius * sign(grad CE) with grad CE = sum_k softmax_k p_k - p_label; `descend` steps towards the label instead,
    as the targeted variant does. The sign is that of the gradient before it underflows, in every entry: 0 only where
    all probing vectors agree or their differences cancel. The margin is never below `worst_margin`, and equal to it for
    two classes.

    Parameters
    ----------
    probes, x, label, bias : as in `class_distances`.
    radius : linf length of the step, at least 0.
    """
    require.budget("radius", radius)
    mine, x, differences, offsets, radius = _against(probes, x, label, bias, require.numbers("radius", radius))
    xp, gaps = array_namespace(x), _gaps(differences, x, offsets)
    # logarithms of softmax_k |p_k - p_label|, up to a term of their own in each entry of the gradient
    moved = (differences != 0) & ~mine[..., None]
    sizes = xp.log(xp.where(moved, xp.abs(differences), xp.ones_like(differences))) - gaps[..., None]
    sizes = xp.where(moved, sizes, xp.zeros_like(sizes) - xp.inf)
    largest = xp.max(sizes, axis=-2, keepdims=True)
    weights = xp.exp(sizes - xp.where(largest > -xp.inf, largest, xp.zeros_like(largest)))
    gradient = -xp.sum(weights * xp.sign(differences), axis=-2)
    return x + (-radius if descend else radius) * xp.sign(gradient)


def targeted_perturbation(probes: np.ndarray, x: np.ndarray, target: int, bias: np.ndarray | None = None) -> np.ndarray:
    """The shortest e, in the Euclidean norm, at which no class beats the target; (1 + eta) e as good as wins for it.

    A least-distance program, min ||e|| with (p_t - p_k) . (x + e) + b_t - b_k >= 0 for all k, solved as nonnegative
    least squares (Lawson and Hanson). At least the `pair_distance` to the target, above it where a third class is in
    the way. The unit of probing vectors and bias does not matter. NumPy only, in double precision.

    Parameters
    ----------
    probes, x, bias : (K, d), (d,), (K,).
    target : class, from 0 to K - 1.

    Returns
    -------
    (d,); all NaN if the target wins nowhere, or only beyond a million times the largest pair distance.
    """
    probes, x = require.numpy_array("probes", probes, 2), require.numpy_array("x", x, 1)
    mine, x, differences, offsets, _ = _against(probes, x, require.place("target", target, len(probes)), bias)
    constraints, biases = differences[~mine], offsets[~mine]
    units = magnitudes.unit(constraints)
    constraints = constraints / units
    needed = -(constraints @ x + biases / units[:, 0])  # G e >= h
    sizes = magnitudes.length(constraints)
    if np.all(needed <= 0):
        return np.zeros_like(x)
    if np.any((sizes == 0) & (needed > 0)):
        return np.full(len(x), np.nan)  # a class that is above the target everywhere
    constraints, needed = constraints[sizes > 0] / sizes[sizes > 0, None], needed[sizes > 0] / sizes[sizes > 0]
    unit = np.max(needed)  # the program is homogeneous: lengths in units of the largest violated one
    system = np.vstack((constraints.T, needed / unit))
    goal = np.append(np.zeros(len(x)), 1.0)
    weights, length = nnls(system, goal)
    residual = system @ weights - goal
    if length**2 < 1e-13:
        return np.full(len(x), np.nan)
    return -residual[:-1] / residual[-1] * unit


def _vectors(*, rational: bool = False, **vectors: Array) -> tuple[Array, ...]:
    """Vectors (..., d) in one floating point type, if they are finite and of one dimension."""
    arrays = require.alike(**{name: require.finite(name, v, rational=rational) for name, v in vectors.items()})
    sizes = [array.shape[-1] if array.shape else 0 for array in arrays]
    if len(set(sizes)) > 1 or 0 in sizes:
        *names, last = vectors
        *given, size = map(str, sizes)
        raise ValueError(
            f"{', '.join(names)} and {last} must have the same dimension, got {', '.join(given)} and {size}"
        )
    return arrays


def _pair(p_1: Array, p_2: Array, x: Array, offset: Array, *, rational: bool = True) -> tuple[Array, Array, Array]:
    """p_1 - p_2, x and the offset."""
    p_1, p_2, x = _vectors(rational=rational, p_1=p_1, p_2=p_2, x=x)
    g, x, offset = require.alike(p_1=p_1 - p_2, x=x, offset=require.numbers("offset", offset))
    return g, x, offset


def _known(norm: str) -> None:
    if norm not in ("l2", "linf"):
        raise ValueError(f'norm must be "l2" or "linf", got {norm!r}')


def _dual(vector: Array, norm: Norm) -> Array:
    """Norm of a linear function of e when e is measured in `norm`."""
    _known(norm)
    return magnitudes.length(vector) if norm == "l2" else array_namespace(vector).sum(abs(vector), axis=-1)


def _distance(g: Array, x: Array, offset: Array, norm: Norm) -> Array:
    """max(g . x + offset, 0) / ||g||_*, infinite where g is 0 and the gap is not negative."""
    xp, unit = array_namespace(g, x), magnitudes.unit(g)
    g = g / unit
    gap, size = xp.sum(g * x, axis=-1) + offset / unit[..., 0], _dual(g, norm)
    quotient = xp.where(gap > 0, gap, 0 * gap) / xp.where(size > 0, size, 1 + 0 * size)
    return xp.where((size > 0) | (gap < 0), quotient, quotient + xp.inf)


def _gaps(differences: Array, x: Array, offsets: Array) -> Array:
    """f_label - f_k at x, (..., K): of differences, so that nothing cancels between nearly equal classes."""
    return (differences @ x[..., None])[..., 0] + offsets


def _label(label: Array, x: Array, classes: int) -> Array:
    """The label as an integer, or the labels as integers (..., 1), if they are among the classes."""
    if not is_array_api_obj(label) or not label.shape:
        return require.place("label", label, classes)
    xp = require.library(x=x, label=label)
    labels = xp.astype(label, xp.int64) if xp.isdtype(label.dtype, "integral") else None
    if labels is None or not bool(xp.all((labels >= 0) & (labels < classes))):
        given = str(label.dtype) if labels is None else f"{int(xp.min(labels))} to {int(xp.max(labels))}"
        raise ValueError(f"label must hold integers from 0 to {classes - 1}, got {given}")
    if tuple(label.shape) != tuple(x.shape[:-1]):
        raise ValueError(f"label must have shape {tuple(x.shape[:-1])}, one for each x, got {tuple(label.shape)}")
    return labels[..., None]


def _against(
    probes: Array, x: Array, label: Array, bias: Array, radius: Array = 0
) -> tuple[Array, Array, Array, Array, Array]:
    """Where k is the label (..., K), x, p_label - p_k (..., K, d), b_label - b_k (..., K), and the radius."""
    checked = {"probes": require.finite("probes", probes, 2, rational=False)}
    checked |= {"x": require.finite("x", x, rational=False), "radius": radius}
    checked |= {} if bias is None else {"bias": require.finite("bias", bias, 1, rational=False)}
    probes, x, radius, *rest = require.alike(**checked)
    xp, (classes, d) = array_namespace(probes), probes.shape
    if classes < 2:
        raise ValueError(f"probes must be at least 2 in number, got {classes}")
    if tuple(x.shape[-1:]) != (d,):
        raise ValueError(f"probes and x must have the same dimension, got {d} and {x.shape[-1] if x.shape else 0}")
    bias = rest[0] if rest else xp.zeros(classes, dtype=probes.dtype, device=device(probes))
    if bias.shape[0] != classes:
        raise ValueError(f"bias must have {classes} entries, got {bias.shape[0]}")
    mine = xp.arange(classes, device=device(probes)) == _label(label, x, classes)
    chosen = xp.where(mine[..., None], probes, 0 * probes)
    own = xp.sum(xp.where(mine, bias, 0 * bias), axis=-1, keepdims=True)
    return mine, x, xp.sum(chosen, axis=-2, keepdims=True) - probes, own - bias, radius
