"""Interval propagation under joint input and weight perturbations: where every activation can go.

For an input in a box [l, u] and a weight within epsilon of W, entry by entry and all independent,

    max w h = max{(W - eps) l, (W + eps) l, (W - eps) u, (W + eps) u},    and  max_h (W + eps) h  where l >= 0,

is attained, so that the first layer's box is exact neuron by neuron, and each later one given the box before it.
Boxes contain every reachable value ("Joint margin bounds" needs them in Theorem 1, where its h^{k*} fails), but for
rounding: they are evaluated in the precision of the arrays, as every bound that is made of them.
"""

from __future__ import annotations

from functools import reduce
from math import inf
from operator import add
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from theory.numerics.array import Array
from theory.numerics.magnitudes import positive_part
from theory.things.layers import Weighted
from theory.things.network import Budget, Network, Radii, passed

Within = tuple[float, float] | None


class Box(NamedTuple):
    """Lower and upper ends, entry by entry."""

    lower: Array
    upper: Array


class Reach(NamedTuple):
    """Boxes along a network of L weighted layers.

    Parameters
    ----------
    inputs : L boxes, what each weighted layer is given: the input, then what the layers before it give.
    before : L - 1 boxes of the pre-activations.
    signed : whether entries of each of the `inputs` may be negative.
    """

    inputs: tuple[Box, ...]
    before: tuple[Box, ...]
    signed: tuple[bool, ...]


def magnitude(box: Box) -> Array:
    """The largest absolute value in a box."""
    xp = array_namespace(box.lower)
    return xp.maximum(xp.abs(box.lower), xp.abs(box.upper))


def peak(layer: Weighted, weight: Array, radius: Array, box: Box, signed: bool) -> Array:
    """Largest value of `layer.product` over all weights within `radius` of `weight` and all inputs in `box`; exact.

    Where inputs may be negative on a box of positive width it takes memory for every product of an entry of the
    weight with an input it meets: give a large first layer few samples at a time, or clip its inputs to [0, 1].
    """
    xp = array_namespace(box.lower)
    lower, upper = box
    if lower is upper:
        return layer.product(weight, upper) + radius * layer.window_sums(xp.abs(upper))
    if not signed:
        most = weight + radius
        return layer.product(positive_part(most), upper) - layer.product(positive_part(-most), lower)
    after = layer.shape_after(tuple(upper.shape[-layer.axes :]))
    taps = zip(layer.taps(weight, lower), layer.taps(weight, upper), strict=True)
    flat = reduce(add, (_corners(matrix, radius, low, high) for (matrix, low), (_, high) in taps))
    return xp.reshape(flat, (*upper.shape[: -layer.axes], weight.shape[0], *after[1:]))


def _corners(matrix: Array, radius: Array, lower: Array, upper: Array) -> Array:
    """Sum over the inputs of the largest corner: (..., rows, positions) from (..., inputs, positions)."""
    xp = array_namespace(lower)
    low, high = lower[..., None, :, :], upper[..., None, :, :]
    matrix = matrix[..., None]
    return xp.sum(xp.maximum(matrix * low + radius * xp.abs(low), matrix * high + radius * xp.abs(high)), axis=-2)


def affine(layer: Weighted, box: Box, radii: Radii, signed: bool) -> Box:
    """The box of all values of a perturbed weighted layer on inputs in `box`."""
    upper = peak(layer, layer.weight, radii.weight, box, signed) + layer.shift + radii.bias
    lower = -peak(layer, -layer.weight, radii.weight, box, signed) + layer.shift - radii.bias
    return Box(lower, upper)


def _range(within: Any) -> tuple[Array, Array]:
    """The two ends of the range that inputs are clipped to."""
    try:
        low, high = within
        fits = bool(-inf < low) and bool(low < high) and bool(high < inf)
    except (TypeError, ValueError, RuntimeError):  # not two; text or complex numbers; arrays of several
        fits = False
    if not fits:
        raise ValueError(f"within must be two finite numbers, the lower one first, got {within!r}")
    return low, high


def input_box(network: Network, x: Array, radius: Array, within: Within = None) -> Box:
    """The inputs that a perturbation of `radius` reaches, as the first weighted layer sees them.

    Parameters
    ----------
    x : inputs, (..., *shape of a sample).
    within : the range (low, high) to which every input is clipped, (0, 1) for pixels; must contain `x`.

    Raises
    ------
    ValueError : if `x` leaves the range, or is no input of the network (`Network.given`); for a range that is none.
    """
    x, radius = network.given(x), network.number("radius", radius)
    within = None if within is None else tuple(network.number("within", end) for end in _range(within))
    xp = array_namespace(x)
    if within is not None and not bool(xp.all((x >= within[0]) & (x <= within[1]))):
        raise ValueError(f"x must lie in [{within[0]}, {within[1]}], the range inputs are clipped to")
    if isinstance(radius, (int, float)) and radius == 0:
        point = passed(network.before, x)
        return Box(point, point)
    lower, upper = x - radius, x + radius
    if within is not None:
        lower, upper = xp.maximum(lower, 0 * x + within[0]), xp.minimum(upper, 0 * x + within[1])
    return Box(passed(network.before, lower), passed(network.before, upper))


def joint_boxes(network: Network, x: Array, budget: Budget, within: Within = None) -> Reach:
    """Boxes that contain every activation of every network and input within the budget.

    Exact for the first layer, and for the second if the input is not perturbed; differentiable.
    Parameters as in `input_box`.
    """
    radii = budget.layers(network)
    box = input_box(network, x, budget.input, within)
    signed = within is None or bool(within[0] < 0)
    inputs, before, signs = [box], [], [signed]
    for (layer, passes), radius in zip(network.stages[:-1], radii, strict=False):
        box = affine(layer, box, radius, signed)
        before.append(box)
        box = Box(*(passed(passes, network.activation(end)) for end in box))
        signed = not network.activation.nonnegative
        inputs.append(box)
        signs.append(signed)
    return Reach(tuple(inputs), tuple(before), tuple(signs))


def logit_boxes(network: Network, x: Array, budget: Budget, within: Within = None) -> Box:
    """Interval bounds on each logit, (..., K), over all networks and inputs within the budget."""
    reach = joint_boxes(network, x, budget, within)
    return affine(network.stages[-1].layer, reach.inputs[-1], budget.layers(network)[-1], reach.signed[-1])
