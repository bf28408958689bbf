"""The two penalties of the loss that trains for joint robustness, and the terms that they are made of.

tau charges a network for what a perturbed input can add to a margin, zeta for what perturbed weights can ("Joint margin
bounds", eqs. (2) to (4)); both are differentiable functions of the weights and batch over leading axes of x. With
D_ij = ||W^L_i - W^L_j||_1, N_m = ||W^m||_inf and d_m columns of W^m,

    tau^{ij} = epsilon_x (D_ij + 2 d_L epsilon_L) prod_{m<L} (N_m + d_m epsilon_m),
    zeta^{ij} = D_ij S_{L-1} + 2 epsilon_L ||u^{L-1}||_1,

where S_m is `injected` and u^m are the upper ends of boxes that hold every activation. The paper has the h^{m*} of
`reach_printed` in their place, which hold them in the first layer only: its zeta can be trained with, too.
"""

from __future__ import annotations

from array_api_compat import array_namespace

from theory.numerics import require
from theory.numerics.array import Array
from theory.things.boxes import Reach, joint_boxes, magnitude
from theory.things.layers import Dense, Flatten
from theory.things.network import Budget, Network, class_labels


def margin_penalties(network: Network, x: Array, labels: Array, budget: Budget) -> tuple[Array, Array]:
    """max_{j != y} tau^{jy} and max_{j != y} zeta^{jy}, each (...): the two penalties of the loss of eq. (4).

    Both are increasing in D_jy, so their maxima are at the same j whatever x, and no (..., K, K) array is made.
    `labels` (...) are integers of the library of `x`. The loss is their mean, times alpha and beta, plus the usual one.

    Raises
    ------
    ValueError : for labels that are no class or not one per sample.
    """
    sizes = [magnitude(box) for box in weight_reach(network, x, budget).inputs]
    terms = injected(network, budget, sizes), last_added(network, budget, sizes[-1])
    return _largest(network, x, labels, budget, *terms)


def margin_penalties_printed(network: Network, x: Array, labels: Array, budget: Budget) -> tuple[Array, Array]:
    """The two penalties, each (...), with zeta as eq. (3) prints it: what the paper's networks were trained with.

    Not smaller than any of `margin_penalties` for two layers, not larger for more.

    Raises
    ------
    ValueError : for one layer; for biases and convolutions; for labels that are no class or not one per sample.
    """
    return _largest(network, x, labels, budget, *zeta_terms_printed(network, x, budget))


def _largest(
    network: Network, x: Array, labels: Array, budget: Budget, deviation: Array, last: Array
) -> tuple[Array, Array]:
    """Largest tau and deviation * D + last over the other classes, each (...)."""
    weight = network.stages[-1].layer.weight
    xp = array_namespace(weight)
    labels = class_labels(labels, network.classes, tuple(x.shape[: len(x.shape) - network.axes]))
    require.library(weight=weight, labels=labels)
    farthest = xp.take(xp.max(row_distances(network), axis=-1), xp.reshape(labels, (-1,)), axis=0)
    farthest = xp.reshape(farthest, tuple(labels.shape))
    ends = farthest + 2 * weight.shape[1] * budget.layers(network)[-1].weight
    return network.number("input", budget.input) * ends * gain(network, x, budget), deviation * farthest + last


def row_distances(network: Network) -> Array:
    """D_ij = ||W^L_i - W^L_j||_1, (K, K)."""
    xp = array_namespace(network.stages[-1].layer.weight)
    weight = network.stages[-1].layer.weight
    return xp.sum(xp.abs(weight[:, None, :] - weight[None, :, :]), axis=-1)


def gain(network: Network, x: Array, budget: Budget) -> Array:
    """Factor by which the perturbed hidden layers can stretch the input's perturbation, in l_inf."""
    factor: Array = 1
    for (layer, _), shape, radius in zip(network.stages[:-1], network.shapes(x), budget.layers(network), strict=False):
        factor = factor * network.activation.lipschitz * layer.norm_inf(shape, radius.weight)
    return factor


def weight_reach(network: Network, x: Array, budget: Budget) -> Reach:
    """Boxes of all activations at the clean input while the weights move: what zeta needs."""
    return joint_boxes(network, x, Budget(0, budget.weights, budget.biases))


def injected(network: Network, budget: Budget, sizes: list[Array], start: Array = 0, inflated: bool = False) -> Array:
    """S_{L-1} of S_m = c (N_m S_{m-1} + epsilon_m ||u^{m-1}||_1 + eps^b_m): deviation of the last hidden layer, l_inf.

    Parameters
    ----------
    sizes : |u^0|, ..., |u^{L-1}|, upper ends of what each weighted layer is given.
    start : S_0.
    inflated : N_m + d_m epsilon_m in place of N_m.
    """
    deviation = start
    for (layer, _), size, radius in zip(network.stages[:-1], sizes, budget.layers(network), strict=False):
        shape = tuple(size.shape[len(size.shape) - layer.axes :])
        norm = layer.norm_inf(shape, radius.weight if inflated else 0)
        step = norm * deviation + radius.weight * layer.reach(size) + radius.bias
        deviation = network.activation.lipschitz * step
    return deviation


def last_added(network: Network, budget: Budget, size: Array) -> Array:
    """2 epsilon_L ||u^{L-1}||_1 + 2 eps^b_L, (...): the last layer's two rows move apart."""
    radii = budget.layers(network)[-1]
    return 2 * radii.weight * array_namespace(size).sum(size, axis=-1) + 2 * radii.bias


def reach_printed(network: Network, x: Array, budget: Budget) -> list[Array]:
    """h^{0*} = x, h^{1*}, ..., h^{L-1*} of eq. (3), which the paper takes for bounds on the activations.

    h^{k*} = rho((W^k + epsilon_k) h^{k-1*}) is one for k = 1 only: on a negative entry of W^k + epsilon_k a smaller
    activation gives a larger value.

    Raises
    ------
    ValueError : unless every layer is dense and without bias; images may be flattened in front.
    """
    flat = all(isinstance(step, Flatten) for step in network.before)
    if not flat or any(
        not isinstance(layer, Dense) or layer.bias is not None for layer in network.layers[len(network.before) :]
    ):
        raise ValueError("the printed bound is stated for dense layers without biases only")
    radii = budget.layers(network)
    values = [network.activations(x)[0]]
    for m, ((layer, _), radius) in enumerate(zip(network.stages[:-1], radii, strict=False)):
        seen = abs(values[0]) if m == 0 else values[-1]
        before = layer(values[-1]) + radius.weight * layer.window_sums(seen)
        values.append(network.activation(before))
    return values


def zeta_terms_printed(network: Network, x: Array, budget: Budget) -> tuple[Array, Array]:
    """The braces of eq. (3), which D_ij multiplies, and its last term 2 epsilon_L ||h^{L-1*}||_1, each (...).

    Raises
    ------
    ValueError : for L = 1, where eq. (3) speaks of layers 0 and -1; for biases and convolutions.
    """
    depth = network.depth
    if depth < 2:
        raise ValueError("layers must be at least 2 for the printed bound, which is undefined for 1")
    size = [array_namespace(h).sum(abs(h), axis=-1) for h in reach_printed(network, x, budget)]
    epsilon = [0, *(radius.weight for radius in budget.layers(network))]
    norm = [1, *(stage.layer.norm_inf((stage.layer.weight.shape[1],)) for stage in network.stages)]

    def product(first: int, last: int) -> Array:
        total: Array = 1
        for m in range(first, last + 1):
            total = total * norm[m]
        return total

    braces = epsilon[1] * size[0] * product(2, depth - 1)
    for k in range(1, depth - 2):
        braces = braces + product(k + 2, depth - 1) * epsilon[k + 1] * size[k]
    braces = braces + epsilon[depth - 1] * size[depth - 2]
    return braces, 2 * epsilon[depth] * size[depth - 1]
