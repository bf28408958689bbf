"""From bounds on margins to certificates: which decisions no network and input within a budget can change.

A sample (x, y) is certified if f^{yj}_W(x) > B^{jy} for every j != y, where B^{jy} bounds the increase of f^{jy}: wrong
class first. tau and zeta are symmetric in the pair; interval, linear and exact bounds are not. The theorem lets the
weights depend on the sample, so that the accuracy under one perturbed network shared by all samples is no smaller.
"""

from __future__ import annotations

from collections.abc import Callable

import array_api_compat
from array_api_compat import array_namespace

from theory.joint.margins import apart, interval_increase
from theory.numerics import require
from theory.numerics.array import Array
from theory.things.boxes import Within, joint_boxes, magnitude
from theory.things.layers import AveragePool
from theory.things.network import Budget, Network, class_labels, pairwise_margins

FLOAT32 = 2.0**-24
FLOAT64 = 2.0**-53


def certified_margins(logits: Array, labels: Array, increase: Array) -> Array:
    """min over j != y of f_y - f_j - B^{jy}, (...): the sample is certified iff it is positive.

    Parameters
    ----------
    logits : (..., K), without perturbation.
    labels : (...), integers of the library of `logits`.
    increase : (..., K, K), entry [j, y] bounds how much f_j - f_y can grow; any bound of `theory.joint.margins`,
        `theory.joint.crown` or `theory.joint.optimum`, plus a slack for rounding if wanted. Infinite where none is
        known.

    Raises
    ------
    ValueError : for labels that are no class or not one per sample, and for logits or bounds that are no real numbers
        or do not fit together.
    """
    margins = pairwise_margins(logits)
    xp, classes = array_namespace(margins), margins.shape[-1]
    increase = require.finite("increase", increase, unbounded=True)
    labels = class_labels(labels, classes, tuple(margins.shape[:-2]))
    require.library(logits=margins, labels=labels, increase=increase)
    shape = (1,) * (margins.ndim - increase.ndim) + tuple(increase.shape)
    if shape[-2:] != (classes, classes) or any(
        1 not in (own, other) and own != other for own, other in zip(shape[::-1], margins.shape[::-1], strict=False)
    ):
        raise ValueError(f"increase must fit margins of shape {tuple(margins.shape)}, got {tuple(increase.shape)}")
    gap = -margins - increase  # [j, y]
    index = xp.arange(classes, device=array_api_compat.device(labels))
    chosen = index == labels[..., None]
    excluded = xp.asarray(float("inf"), dtype=gap.dtype, device=array_api_compat.device(gap))
    column = xp.sum(xp.where(chosen[..., None, :], gap, xp.zeros_like(gap)), axis=-1)
    return xp.min(xp.where(chosen, excluded, column), axis=-1)


def certified(logits: Array, labels: Array, increase: Array) -> Array:
    """Whether each sample is right and stays so within the budget, (...); parameters as in `certified_margins`."""
    return certified_margins(logits, labels, increase) > 0


def certified_accuracy(logits: Array, labels: Array, increase: Array) -> float:
    """Share of samples certified: a lower bound on the accuracy under any attack within the budget."""
    sure = certified(logits, labels, increase)
    xp = array_namespace(sure)
    return float(xp.mean(xp.astype(sure, xp.float64)))


def certified_scale(
    network: Network,
    x: Array,
    label: int,
    budget: Budget,
    bound: Callable[..., Array] = interval_increase,
    *,
    most: float = 1.0,
    steps: int = 30,
) -> float:
    """Largest s <= most, to most / 2^steps, at which one sample is certified within s times the budget; 0 if none.

    `bound(network, x, budget)` must not decrease as the budget grows, as every bound of the theory.

    Raises
    ------
    ValueError : unless `most` is positive, `steps` at least 1, `label` a class and `x` one sample.
    """
    require.positive("most", most)
    steps = require.integer("steps", steps, 1)
    logits = network.logits(x)
    label = require.integer("label", label, 0)
    labels = array_namespace(logits).asarray(label, device=array_api_compat.device(logits))

    def holds(scale: float) -> bool:
        return bool(certified(logits, labels, bound(network, x, budget.scaled(scale))))

    if holds(most):
        return most
    low, high = 0.0, most
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def rounding_slack(network: Network, x: Array, budget: Budget, unit: float = FLOAT32, within: Within = None) -> Array:
    """How far rounding can move each margin of a network within the budget, (..., K, K), run in floating point.

    A sum of n products in any order errs by at most gamma_n |W| |h|, gamma_n = n u / (1 - n u), and errors T of the
    input of a layer come out as |W| T: T_m = (|W| + eps) T_{m-1} + gamma (...), entry by entry. Add it, and evaluate
    the bounds themselves and this one in double precision: it takes on the precision of the arrays, too. ReLU and its
    kind only: rounding inside other activations, underflow, and matrix products in a precision below `unit` (TF32,
    Winograd) are not covered.

    Parameters
    ----------
    unit : unit roundoff of the arithmetic the network runs in, 2^-24 for float32.

    Raises
    ------
    ValueError : for an activation that rounds, or sums so long that n u >= 1.
    """
    if network.activation.name not in ("relu", "relu6", "identity"):
        raise ValueError(f"the activation must be relu for a rounding bound, got {network.activation.name}")
    require.probability("unit", unit)
    boxes = joint_boxes(network, x, budget, within).inputs
    xp = array_namespace(boxes[0].upper)
    error = xp.zeros_like(boxes[0].upper)
    if any(isinstance(step, AveragePool) for step in network.before):
        raise ValueError("pools must not stand in front of the first layer for a rounding bound")
    for (layer, passes), radius, box in zip(network.stages, budget.layers(network), boxes, strict=True):
        weight, size = xp.abs(layer.weight) + radius.weight, magnitude(box) + error
        terms = 1
        for extent in layer.weight.shape[1:]:
            terms *= extent
        bias = 0 if layer.bias is None else xp.abs(layer.shift) + radius.bias
        rounded = _gamma(terms + 1, unit) * (layer.product(weight, size) + bias)
        error = layer.product(weight, error) + rounded
        for step in passes:
            if type(step) is AveragePool:
                n = step.size[0] * step.size[1]
                peak = network.activation(layer.product(weight, size) + bias + error)
                error = step(error) + _gamma(n, unit) * step(peak)
            else:
                error = step(error)
    margin = error[..., :, None] + error[..., None, :]
    top = layer.product(weight, size) + bias
    return apart(network, margin + unit * (margin + top[..., :, None] + top[..., None, :]))


def _gamma(terms: int, unit: float) -> float:
    """n u / (1 - n u)."""
    if terms * unit >= 1:
        raise ValueError(f"sums must be shorter than 1 / unit for a rounding bound, got {terms} terms")
    return terms * unit / (1 - terms * unit)
