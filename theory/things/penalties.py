"""The two penalties of the loss that trains for joint robustness, and the terms that they are made of.

tau charges a network for what a perturbed input can add to a margin, zeta for what perturbed weights can ("Joint margin
bounds", eqs. (2) to (4)); both are differentiable functions of the weights and batch over leading axes of x. With
D_ij = ||W^L_i - W^L_j||_1, N_m = ||W^m||_inf and d_m columns of W^m,

    tau^{ij} = epsilon_x (D_ij + 2 d_L epsilon_L) prod_{m<L} (N_m + d_m epsilon_m),
    zeta^{ij} = D_ij S_{L-1} + 2 epsilon_L ||u^{L-1}||_1,

where S_m is `injected` and u^m are the upper ends of boxes that hold every activation.
"""

from __future__ import annotations

from array_api_compat import array_namespace

from theory.numerics import require
from theory.numerics.array import Array
from theory.things.boxes import Reach, joint_boxes, magnitude
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
    last = network.stages[-1].layer.weight
    xp = array_namespace(last)
    labels = class_labels(labels, network.classes, tuple(sizes[-1].shape[:-1]))
    require.library(weight=last, labels=labels)
    farthest = xp.take(xp.max(row_distances(network), axis=-1), xp.reshape(labels, (-1,)), axis=0)
    farthest = xp.reshape(farthest, tuple(labels.shape))
    ends = farthest + 2 * last.shape[1] * budget.layers(network)[-1].weight
    weights = injected(network, budget, sizes) * farthest + last_added(network, budget, sizes[-1])
    return network.number("input", budget.input) * ends * gain(network, x, budget), weights


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
