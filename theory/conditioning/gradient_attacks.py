"""The two attacks of Conditioning, Section III-C, on a linear softmax network, without a network library.

The logits are W x + b with W of shape (K, n), one row a class, and images x of shape (..., n). The implementation that
the paper cites takes full steps of epsilon, each clipped to the box of the pixels, and projects on no ball:

    FGSM    x <- clip(x + epsilon sgn(grad_x J_y(x))),  y the network's own prediction at the clean image,
    FGMT    x <- clip(x - epsilon sgn(grad_x J_t(x))),  t the least likely class at the clean image,

with y and t fixed, J_k the cross entropy of class k, grad_x J_k = W^T (p - e_k), p the softmax and sgn(0) = 0. The
paper prints one step, without the clip. Of equally likely classes the first is taken.

Arrays of NumPy, CuPy and torch. The sign is that of the exact gradient: where a network is so sure that 1 - p_k is
below the precision of its own softmax, backpropagation in that precision loses w_k and may step elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from array_api_compat import array_namespace, device

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.things.network import class_labels

Box = tuple[float, float] | None


def fast_gradient(
    W: Array,
    b: Array,
    x: Array,
    epsilon: float,
    steps: int = 1,
    target: bool = False,
    box: Box = (0.0, 1.0),
    label: Array = None,
) -> Array:
    """The image after the last step of FGSM or, with `target`, of FGMT: shape (..., n).

    Parameters
    ----------
    W, b, x : (K, n) with K >= 2, (K,), (..., n).
    epsilon : length of a step in every pixel, at least 0, in the units of x.
    steps : at least 0; as nothing is projected, a pixel may move by steps * epsilon.
    target : whether to descend the loss of the least likely class, and not to ascend that of the prediction.
    box : least and largest value of a pixel after a step; None does not clip.
    label : the class, integers (...), whose loss is ascended or descended, in place of the one at the clean image.

    Raises
    ------
    ValueError : for shapes that do not fit, entries that are not finite, and a box without inside.
    """
    *_, last = _iterates(*_network(W, b, x), epsilon, steps, target, box, label)
    return last


def fast_gradient_accuracy(
    W: Array,
    b: Array,
    x: Array,
    labels: Array,
    epsilon: float,
    steps: int = 1,
    target: bool = False,
    box: Box = (0.0, 1.0),
) -> Array:
    """Share of all images that are given their label after 0, 1, ..., `steps` steps: shape (steps + 1,).

    Parameters
    ----------
    labels : integers (...) from 0 to K - 1, one for each image; the attack does not see them.
    W, b, x, epsilon, steps, target, box : as in `fast_gradient`.
    """
    R, offset, x = _network(W, b, x)
    xp = array_namespace(R)
    labels = _classes(labels, R, x)
    right = [
        xp.mean(xp.astype(xp.argmax(_logits(R, offset, moved), axis=-1) == labels, R.dtype))
        for moved in _iterates(R, offset, x, epsilon, steps, target, box, None)
    ]
    return xp.stack(right)


def two_class_attack(
    W: Array, b: Array, x: Array, epsilon: float, steps: int = 1, box: Box = (0.0, 1.0), label: Array = None
) -> Array:
    """clip(x + steps epsilon sgn(w_other - w_y)), where both attacks end on two classes: shape (..., n).

    The gradient turns nowhere, so that all steps are one, and it is the best that any attack can do within
    steps * epsilon of x and the box. The parameters are those of `fast_gradient`.

    Raises
    ------
    ValueError : unless there are two classes and x lies in the box.
    """
    R, offset, x = _network(W, b, x)
    if R.shape[0] != 2:
        raise ValueError(f"W must have 2 rows, one a class, got shape {tuple(R.shape)}")
    xp, (low, high) = array_namespace(R), _ends(box)
    if not bool(xp.all((x >= low) & (x <= high))):
        raise ValueError(f"x must lie in the box from {low} to {high}")
    epsilon, steps = require.budget("epsilon", epsilon), require.integer("steps", steps, 0)
    first = _aim(R, offset, x, False, label)[..., None] == 0
    towards = xp.sign(xp.where(first, R[1, :] - R[0, :], R[0, :] - R[1, :]))
    return xp.clip(x + steps * epsilon * towards, low, high)


def cross_entropy(W: Array, b: Array, x: Array, label: Array) -> Array:
    """J_k(x) = -log p_k of each image's class k in `label`, integers (...): shape (...), at least 0.

    W, b and x are those of `fast_gradient`; no probability underflows on the way.
    """
    R, offset, x = _network(W, b, x)
    behind, _, _ = _residual(_logits(R, offset, x), _classes(label, R, x))
    return _softplus(behind)


def input_gradient(W: Array, b: Array, x: Array, label: Array) -> Array:
    """grad_x J_k = W^T (p - e_k) of each image's class k in `label`, integers (...): shape (..., n).

    Along each of FGSM's steps that no box cuts, the loss rises by at least epsilon times its l1 norm, which never
    falls from one step to the next. W, b and x are those of `fast_gradient`.
    """
    R, offset, x = _network(W, b, x)
    xp = array_namespace(R)
    behind, residual, total = _residual(_logits(R, offset, x), _classes(label, R, x))
    share = xp.exp(behind - _softplus(behind)) / total  # 1 - p_k over what stands for it in the residual
    return share[..., None] * (residual @ R)


def lost_radius(W: Array, b: Array, x: Array) -> Array:
    """(log K - J_y(x)) / ||grad_x J_y(x)||_1 of the prediction y at x: shape (...), at least 0.

    Beyond it no image keeps its prediction under FGSM that is not clipped, the radius being steps * epsilon: the loss
    is above log K then, and some class above y. Infinite where the gradient is 0. For two classes of nearly equal
    logits it is the distance of the tie in the largest pixel, otherwise it lies above. W, b and x are those of
    `fast_gradient`.
    """
    R, offset, x = _network(W, b, x)
    xp = array_namespace(R)
    y = _aim(R, offset, x, False, None)
    missing = magnitudes.positive_part(math.log(R.shape[0]) - cross_entropy(R, offset, x, y))
    slope = xp.sum(xp.abs(input_gradient(R, offset, x, y)), axis=-1)
    return xp.where(slope > 0, missing / xp.where(slope > 0, slope, 1 + 0 * slope), xp.full_like(slope, math.inf))


def _network(W: Array, b: Array, x: Array) -> tuple[Array, Array, Array]:
    """W and b less those of the first class, which moves all logits alike, and x.

    A pixel in which all classes agree then has the gradient 0 and no rounding in its place.
    """
    W, b, x = require.alike(
        W=require.finite("W", W, 2, rational=False),
        b=require.finite("b", b, 1, rational=False),
        x=require.finite("x", x, rational=False),
    )
    classes, n = W.shape
    if classes < 2:
        raise ValueError(f"W must have at least 2 rows, the logits of a softmax, got shape {tuple(W.shape)}")
    if b.shape[0] != classes:
        raise ValueError(f"b must have {classes} entries, one a class, got {b.shape[0]}")
    if tuple(x.shape[-1:]) != (n,):
        raise ValueError(f"x must have {n} entries along its last axis, got shape {tuple(x.shape)}")
    return W - W[:1, :], b - b[:1], x


def _logits(R: Array, offset: Array, x: Array) -> Array:
    return x @ array_namespace(R).matrix_transpose(R) + offset


def _classes(label: Array, R: Array, x: Array) -> Array:
    """One class of each image, as integers beside R."""
    xp = array_namespace(R)
    return class_labels(xp.asarray(label, device=device(R)), R.shape[0], tuple(x.shape[:-1]))


def _aim(R: Array, offset: Array, x: Array, target: bool, label: Array) -> Array:
    """The class whose loss is ascended or, with `target`, descended."""
    if label is not None:
        return _classes(label, R, x)
    xp, z = array_namespace(R), _logits(R, offset, x)
    return xp.argmin(z, axis=-1) if target else xp.argmax(z, axis=-1)


def _residual(z: Array, label: Array) -> tuple[Array, Array, Array]:
    """log((1 - p_k) / p_k) of the label k; p - e_k in units of the likeliest other class, and its entry at k, negated.

    So no entry that matters underflows, and the one at k is what the others sum to.
    """
    xp = array_namespace(z)
    own = xp.arange(z.shape[-1], device=device(z)) == label[..., None]
    others = xp.where(own, xp.full_like(z, -math.inf), z)
    top = xp.max(others, axis=-1, keepdims=True)
    weights = xp.exp(others - top)
    total = xp.sum(weights, axis=-1, keepdims=True)
    mine = xp.sum(xp.where(own, z, xp.zeros_like(z)), axis=-1)
    behind = top[..., 0] + xp.log(total[..., 0]) - mine
    return behind, xp.where(own, -total, weights), total[..., 0]


def _softplus(t: Array) -> Array:
    """log(1 + exp(t))."""
    xp = array_namespace(t)
    return magnitudes.positive_part(t) + xp.log1p(xp.exp(-xp.abs(t)))


def _ends(box: Box) -> tuple[float, float]:
    """Both ends of the box, infinite for none."""
    if box is None:
        return -math.inf, math.inf
    low, high = box
    if not low < high:
        raise ValueError(f"box must run from a lower to a higher value, got {low} to {high}")
    return low, high


def _iterates(
    R: Array, offset: Array, x: Array, epsilon: float, steps: int, target: bool, box: Box, label: Array
) -> Iterator[Array]:
    """The image after 0, 1, ..., `steps` steps."""
    xp, (low, high) = array_namespace(R), _ends(box)
    steps, stride = require.integer("steps", steps, 0), require.budget("epsilon", epsilon)
    stride = -stride if target else stride
    aim = _aim(R, offset, x, target, label)
    yield x
    for _ in range(steps):
        residual = _residual(_logits(R, offset, x), aim)[1]
        x = xp.clip(x + stride * xp.sign(residual @ R), low, high)
        yield x
