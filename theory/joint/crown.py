"""Linear bounds (CROWN) under joint input and weight perturbations, of ReLU networks with biases and convolutions.

The upper bound mu . a on a pre-activation a = W' h + b' is carried to the layer before it: with h >= 0 and all weights
within epsilon of W,

    mu . a <= (W^T mu + epsilon ||mu||_1) . h + mu . b + eps^b ||mu||_1,

and a ReLU lies between two lines over its interval. At the input, where signs may differ, what is left is
max of lambda x + c |x| over a box, which its ends attain. It costs what input-only CROWN costs and has no weight
variables at all. Neither this nor the interval bound is always the smaller one: `tightest_increase` takes the best.
For a convolution the positions that share a kernel are bounded as if they did not, which is valid. All of it holds
but for rounding in the precision of the arrays: see `certificates.rounding_slack`.
"""

from __future__ import annotations

from math import prod

import array_api_compat
from array_api_compat import array_namespace

from theory.joint.margins import apart, last_interval
from theory.numerics.array import Array
from theory.things.boxes import Box, Reach, Within, affine, joint_boxes
from theory.things.network import Budget, Network, Radii, pairwise_margins, passed
from theory.things.relaxation import Lines, relu_lines


def _beside(x: Array, axes: int) -> Array:
    """`x` with an axis for the functionals that are bounded, in front of the last `axes`."""
    return array_namespace(x).expand_dims(x, axis=-axes - 1)


def _highest(network: Network, radii: list[Radii], mu: Array, reach: Reach, depth: int) -> Array:
    """Upper bound (..., P) on functionals mu (P, *shape) of the output of weighted layer number `depth`, from 1."""
    xp = array_namespace(mu)
    constant: Array = 0
    for m in reversed(range(depth)):
        layer, radius = network.stages[m].layer, radii[m]
        axes = tuple(range(-layer.axes, 0))
        size = xp.abs(mu)
        constant = constant + layer.added(mu) + radius.bias * xp.sum(size, axis=axes)
        shape = tuple(reach.inputs[m].upper.shape[-layer.axes :])
        slope, bend = layer.pull(layer.weight, mu, shape), radius.weight * layer.pull_sums(size, shape)
        if m == 0:
            low, high = (_beside(end, layer.axes) for end in reach.inputs[0])
            ends = (slope * low + bend * xp.abs(low), slope * high + bend * xp.abs(high))
            return constant + xp.sum(xp.maximum(*ends), axis=axes)
        before, passes = reach.before[m - 1], network.stages[m - 1].passes
        shapes = [tuple(before.upper.shape[-network.stages[m - 1].layer.axes :])]
        for step in passes:
            shapes.append(step.shape_after(shapes[-1]))
        slope = slope + bend
        for step, shape in zip(reversed(passes), reversed(shapes[:-1]), strict=True):
            slope = step.pull(slope, shape)
        axes = tuple(range(-network.stages[m - 1].layer.axes, 0))
        lines = Lines(*(_beside(line, len(axes)) for line in relu_lines(*before)))
        mu, added = lines.highest(slope)
        constant = constant + xp.sum(added, axis=axes)
    return constant


def _require_relu(network: Network) -> None:
    if network.activation.name != "relu":
        raise ValueError(f"the activation must be relu for linear bounds, got {network.activation.name}")


def refined_boxes(network: Network, x: Array, budget: Budget, within: Within = None) -> Reach:
    """The boxes of `theory.things.boxes.joint_boxes`, those of pre-activations intersected with linear bounds of them.

    Memory for each hidden layer: its neurons times the largest layer before it, per sample.

    Raises
    ------
    ValueError : unless the activation is ReLU; for max pooling in front of a hidden layer.
    """
    _require_relu(network)
    reach, radii = joint_boxes(network, x, budget, within), budget.layers(network)
    inputs, before = list(reach.inputs[:1]), list[Box]()
    for m, (layer, passes) in enumerate(network.stages[:-1]):
        box = affine(layer, inputs[m], radii[m], reach.signed[m])
        if m > 0:
            xp = array_namespace(box.upper)
            shape = tuple(box.upper.shape[-layer.axes :])
            unit = _identity(box.upper, prod(shape))
            unit = xp.reshape(unit, (prod(shape), *shape))
            known = Reach(tuple(inputs), tuple(before), reach.signed)
            upper = xp.reshape(_highest(network, radii, unit, known, m + 1), box.upper.shape)
            lower = -xp.reshape(_highest(network, radii, -unit, known, m + 1), box.lower.shape)
            box = Box(xp.maximum(box.lower, lower), xp.minimum(box.upper, upper))
        before.append(box)
        inputs.append(Box(*(passed(passes, network.activation(end)) for end in box)))
    return Reach(tuple(inputs), tuple(before), reach.signed)


def _identity(like: Array, size: int) -> Array:
    return array_namespace(like).eye(size, dtype=like.dtype, device=array_api_compat.device(like))


def crown_increase(network: Network, x: Array, budget: Budget, within: Within = None) -> Array:
    """Linear bound on the increase of every pairwise margin, (..., K, K), with refined intermediate boxes.

    Never below the exact increase; equal to it for one layer. Differentiable. `within` as in `interval_increase`.

    Raises
    ------
    ValueError : unless the activation is ReLU; for max pooling.
    """
    reach = refined_boxes(network, x, budget, within)
    return last_linear(network, budget, reach) - pairwise_margins(network.logits(x))


def last_linear(network: Network, budget: Budget, reach: Reach) -> Array:
    """Linear bound on the largest margin f^{ij} itself, given the boxes along the network, (..., K, K)."""
    classes, like = network.classes, reach.inputs[-1].upper
    xp = array_namespace(like)
    mu = xp.reshape(pairwise_margins(_identity(like, classes)), (classes, -1)).T  # rows e_i - e_j
    highest = _highest(network, budget.layers(network), mu, reach, network.depth)
    return apart(network, xp.reshape(highest, (*highest.shape[:-1], classes, classes)))


def tightest_increase(network: Network, x: Array, budget: Budget, within: Within = None) -> Array:
    """The smaller of the linear and the interval bound on the same refined boxes, (..., K, K).

    Raises
    ------
    ValueError : unless the activation is ReLU; for max pooling.
    """
    reach = refined_boxes(network, x, budget, within)
    interval = last_interval(network, budget, reach.inputs[-1], reach.signed[-1])
    linear = last_linear(network, budget, reach)
    return array_namespace(linear).minimum(linear, interval) - pairwise_margins(network.logits(x))
