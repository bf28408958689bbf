"""Certified lower bounds of the l2 distance to a flip, for linear networks and for ReLU networks of dense layers.

Everything is computed in float64 for a batch of networks, one for each point: the weights of a layer are (size, out,
in), or (1, out, in) where all points share them, and its biases (size, out) or (1, out). Bounds other than those of
linear networks are reduced by the relative `SLACK`. Arrays may be NumPy's, torch's or lists; what is not finite, does
not fit together or has fewer than two classes is a UsageError.

Targeted bounds rest on one thing: a point of class t has logit t above every other class, so the distance is at least
that of every pair, and of the pairs the largest bound is taken; without a target it is the smallest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from empirical.certificates.crown import SLACK, crown_distance
from empirical.decisions.halfspace import nearest
from empirical.decisions.inputs import dense, limits
from fragility.engine.study import UsageError

Layers = Sequence[tuple[np.ndarray, np.ndarray]]


def linear_distance(probes: Any, bias: Any, x: Any, label: Any, target: Any = None, box: Any = None) -> np.ndarray:
    """Distance of x to a flip of the linear network z -> probes z + bias within the box, (size,).

    Exact without a target: the least distance over the classes j at which f_j reaches f_label. With one it is the
    largest distance over the classes j at which the target reaches f_j: a lower bound, exact with two classes. 0 where
    the point flips already; inf where no perturbation can change the order. Without a box a distance is |f_label - f_j|
    over ||p_label - p_j||; within one it is that of Lagrange's dual problem in one dimension, a lower bound at any
    multiplier by weak duality, and to nine digits the distance at the best.

    Parameters
    ----------
    probes : (size or 1, classes, n).
    bias : (size or 1, classes).
    x : (size, n).
    label, target : (size,) class numbers.
    box : lowest and highest value of every coordinate, or None; x lies inside.
    """
    ((probes, bias),), x, label, target = dense([(probes, bias)], x, label, target)
    probes = np.broadcast_to(probes, (len(x), *probes.shape[1:]))
    logits = np.einsum("bcn,bn->bc", probes, x) + bias
    if (box := limits(box)) is None:
        return _nearest(logits, probes, label, target)
    if x.min() < box[0] or x.max() > box[1]:
        raise UsageError(f"x must lie inside the box {box}: clip it first")
    rows, chosen, sign = np.arange(len(x)), label if target is None else target, 1 if target is None else -1
    gaps = sign * (logits[rows, chosen][:, None] - logits)
    distances = np.full(gaps.shape, np.inf * sign)
    for other in range(gaps.shape[1]):
        rival = chosen != other
        normal = sign * (probes[rival, other] - probes[rival, chosen[rival]])
        distances[rival, other] = _within(x[rival], normal, gaps[rival, other], box)
    return distances.min(1) if target is None else distances.max(1)


def region_distance(layers: Layers, x: Any, label: Any, target: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Distance up to which the linear piece around x decides, (size,), and whether it is exact, (size,) bool.

    Within the piece the network is linear. Where its decision boundary is nearer than every boundary of the piece,
    the distance is exact (without a target); else no flip occurs before the nearest boundary of the piece.
    """
    layers, x, label, target = dense(layers, x, label, target)
    slopes, outputs = np.broadcast_to(np.eye(x.shape[1]), (len(x), *[x.shape[1]] * 2)), x
    piece = np.full(len(x), np.inf)
    for number, (weight, bias) in enumerate(layers):
        slopes = weight @ slopes
        outputs = (weight @ outputs[:, :, None])[:, :, 0] + bias
        if number + 1 < len(layers):
            piece = np.minimum(piece, _ratio(np.abs(outputs), np.linalg.norm(slopes, axis=2)).min(1))
            slopes = slopes * (outputs > 0)[:, :, None]
            outputs = np.maximum(outputs, 0)
    decision = _nearest(outputs, slopes, label, target)
    exact = (decision < piece) if target is None else np.zeros(len(x), bool)
    return np.minimum(decision, piece) * (1 - SLACK), exact


def lipschitz_distance(layers: Layers, x: Any, label: Any, target: Any = None) -> np.ndarray:
    """Margin over the product of the layers' spectral norms, (size,): ReLU never lengthens a difference."""
    layers, x, label, target = dense(layers, x, label, target)
    outputs, constant = x, np.ones(1)
    *hidden, (weight, bias) = layers
    for inner, shift in hidden:
        outputs = np.maximum((inner @ outputs[:, :, None])[:, :, 0] + shift, 0)
        constant = constant * np.linalg.norm(inner, 2, axis=(1, 2))
    outputs = (weight @ outputs[:, :, None])[:, :, 0] + bias
    return (1 - SLACK) * _nearest(outputs, weight * constant[:, None, None], label, target)


def relu_distance(layers: Layers, x: Any, label: Any, target: Any = None, slope_steps: int = 0) -> np.ndarray:
    """The best of three certified distances, (size,): of the linear piece, by Lipschitz constants, and by CROWN.

    `slope_steps` are those of `crown_distance`.
    """
    piece, exact = region_distance(layers, x, label, target)
    best = np.maximum(piece, lipschitz_distance(layers, x, label, target))
    if exact.all():
        return best
    return np.maximum(best, crown_distance(layers, x, label, target, best, slope_steps))


def _within(x: np.ndarray, normal: np.ndarray, gap: np.ndarray, box: tuple[float, float]) -> np.ndarray:
    """Lower bounds of ||d|| where normal . d >= gap and x + d is in the box, (rows,): inf where there is no such d."""
    import torch

    gap = np.maximum(gap, 0.0)
    point, way, offset = (torch.from_numpy(part) for part in (x, normal, gap))
    delta, multiplier = (part.numpy() for part in nearest(point, way, offset, box))
    gained = (normal * delta).sum(1)
    dual = (delta**2).sum(1) / 2 + multiplier * (gap - gained)
    most = (normal * np.where(normal > 0, box[1] - x, box[0] - x)).sum(1)
    return np.where(most * (1 + SLACK) < gap, np.inf, np.sqrt(2 * np.maximum(dual, 0.0)))


def _ratio(gap: np.ndarray, length: np.ndarray) -> np.ndarray:
    """gap / length; inf where nothing moves the gap."""
    return np.divide(gap, length, out=np.full(np.broadcast(gap, length).shape, np.inf), where=length > 0)


def _nearest(logits: np.ndarray, probes: np.ndarray, label: np.ndarray, target: np.ndarray | None) -> np.ndarray:
    """Distance of a flip of linear logits: the least over rivals of the label, or the largest over the target's."""
    rows, chosen = np.arange(len(logits)), label if target is None else target
    probes = np.broadcast_to(probes, (len(logits), *probes.shape[1:]))
    sign = 1 if target is None else -1
    gaps = sign * (logits[rows, chosen][:, None] - logits)
    distances = _ratio(gaps, np.linalg.norm(probes[rows, chosen][:, None] - probes, axis=2))
    distances = np.where((gaps <= 0) & np.isinf(distances), 0.0, distances)
    distances[rows, chosen] = np.inf * sign
    return np.maximum(distances.min(1) if target is None else distances.max(1), 0.0)
