"""Images that no joint perturbation of input and weights within a pair of radii can turn, by bounds on the margins.

Four certificates are cheap: the paper's tau + zeta with zeta put right, the same with zeta as printed (which is no
bound from three layers on), intervals, and linear bounds (CROWN). For tiny networks there is the exact answer, too.
All are evaluated in double precision, whatever the network is kept in, and those that are bounds leave room for what
rounding does to a network that runs in the precision of its weights (`theory.joint.certificates.rounding_slack`). That
room is for the worst of all orders of summing up: of 500 images that a dense network of MNIST has right it takes two
even where nothing is perturbed.

Pixels lie in [0, 1], and attacks stay there. Every weight and every bias has the one radius of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_torch_array, to_device

from fragility.engine.study import UsageError
from theory.joint import margins
from theory.joint.certificates import FLOAT32, FLOAT64, certified_margins, rounding_slack
from theory.joint.crown import last_linear, tightest_increase
from theory.joint.optimum import joint_optimum
from theory.numerics.array import Array
from theory.things.boxes import joint_boxes
from theory.things.layers import Conv, Dense, Flatten
from theory.things.network import Budget, Network, pairwise_margins

PIXELS = (0.0, 1.0)
AT_ONCE = 16  # images whose linear bounds are computed together: with more, their arrays leave the cache
ROBUST, BROKEN, OPEN = 1.0, 0.0, np.nan
Bound = Callable[[Network, Array, Budget], Array]


def _interval(network: Network, x: Array, budget: Budget) -> Array:
    return margins.interval_increase(network, x, budget, PIXELS)


def _crown(network: Network, x: Array, budget: Budget) -> Array:
    """The smaller of linear and interval bound, on refined boxes if all layers but the first are dense."""
    if all(isinstance(stage.layer, Dense) for stage in network.stages[1:]):
        return tightest_increase(network, x, budget, PIXELS)
    linear = last_linear(network, budget, joint_boxes(network, x, budget, PIXELS)) - pairwise_margins(network.logits(x))
    return array_namespace(linear).minimum(linear, _interval(network, x, budget))


def _printed(network: Network, x: Array, budget: Budget) -> Array:
    return margins.tau(network, x, budget) + margins.zeta_printed(network, x, budget)


@dataclass(frozen=True)
class _Problem:
    """A network and images in double precision, and what is needed to leave room for rounding.

    Parameters
    ----------
    unit : unit roundoff of the arithmetic that the network runs in.
    """

    network: Network
    x: Array
    labels: Array
    unit: float

    def some(self, chosen: np.ndarray) -> _Problem:
        """Of these images, given by their numbers."""
        xp = array_namespace(self.x)
        index = xp.asarray(chosen, device=self.x.device)
        return _Problem(self.network, xp.take(self.x, index, axis=0), xp.take(self.labels, index, axis=0), self.unit)

    def holds(self, bound: Bound, budget: Budget, rounding: bool = True) -> np.ndarray:
        """Whether each image is right and stays so within a budget, by a bound."""
        increase = bound(self.network, self.x, budget)
        if rounding:
            increase = increase + rounding_slack(self.network, self.x, budget, self.unit, PIXELS)
        return _numpy(certified_margins(self.network.logits(self.x), self.labels, increase)) > 0


def certified(
    network: Network, x: Array, labels: Array, radii_x: Sequence[float], radii_w: Sequence[float]
) -> dict[str, np.ndarray]:
    """Whether each image is right and certified to stay so at each pair of radii, each (images, x, w) of bool.

    "theorem" is tau + zeta, corrected; "printed" is tau + zeta as in eq. (3) and not there for networks with biases or
    convolutions, or of one layer; "interval" and "crown" are of inputs clipped to [0, 1], "crown" the smaller of both
    on refined boxes, or on those of intervals if a second layer is a convolution, of which refined ones take a third of
    a second for each image and pair of radii. It is tried where the cells with the next smaller radii are certified,
    and only there: others cannot be expected to be.

    Parameters
    ----------
    network : ReLU; it is taken to run in the precision of its weights, float32 or float64.
    x : (images, *shape of one), in [0, 1].
    labels : (images,) integers of the library of `x`.
    radii_x, radii_w : of every pixel, and of every weight and bias; at least 0, increasing.

    Raises
    ------
    UsageError : for radii that do not increase.
    ValueError : for another activation, labels that are no classes, and images outside of [0, 1].
    """
    radii_x, radii_w = _increasing("radii_x", radii_x), _increasing("radii_w", radii_w)
    problem = _doubled(network, x, labels)
    found = {"theorem": margins.theorem_increase, "interval": _interval} | (
        {"printed": _printed} if _is_printed(problem.network) else {}
    )
    shape = (int(x.shape[0]), len(radii_x), len(radii_w))
    sure = {name: np.zeros(shape, bool) for name in (*found, "crown")}
    for i, radius_x in enumerate(radii_x):
        for j, radius_w in enumerate(radii_w):
            budget = Budget(radius_x, radius_w, radius_w)
            for name, bound in found.items():
                sure[name][:, i, j] = problem.holds(bound, budget, rounding=name != "printed")
            hopeful = _smaller(sure["crown"], i, j) & ~sure["interval"][:, i, j]
            sure["crown"][:, i, j] = sure["interval"][:, i, j]
            for part in _parts(np.flatnonzero(hopeful)):
                sure["crown"][part, i, j] = problem.some(part).holds(_crown, budget)
    return sure


def exact(
    network: Network, x: Array, labels: Array, radii_x: Sequence[float], radii_w: Sequence[float], seconds: float
) -> np.ndarray:
    """Whether each image is right and no perturbation at all turns it, (images, x, w): 1, 0, or NaN if that is open.

    0 comes with a network and an input that were evaluated, 1 with a proof that leaves room for rounding. What holds
    at a pair of radii holds at smaller ones, and what fails fails at larger ones: a walk along the border between both
    settles all pairs, unless the solver gives up.

    Parameters
    ----------
    network : dense and small: some dozen units in all.
    seconds : that one class of one image at one pair of radii may take.

    Others and errors as in `certified`; a ValueError for layers that are not dense.
    """
    radii_x, radii_w = _increasing("radii_x", radii_x), _increasing("radii_w", radii_w)
    problem, easy = _doubled(network, x, labels), certified(network, x, labels, radii_x, radii_w)["crown"]
    settled = np.where(easy, ROBUST, OPEN)
    said = array_namespace(problem.x).argmax(problem.network.logits(problem.x), axis=-1)
    settled[_numpy(said != problem.labels)] = BROKEN
    for number in range(len(settled)):
        _walk(problem.some(np.array([number])), settled[number], radii_x, radii_w, seconds)
    return settled


def _walk(
    problem: _Problem, settled: np.ndarray, radii_x: Sequence[float], radii_w: Sequence[float], seconds: float
) -> None:
    """Settles the cells (x, w) of one image in place: from the largest input radius to the largest weight radius."""
    i, j = len(radii_x) - 1, 0
    while i >= 0 and j < len(radii_w):
        if np.isnan(settled[i, j]):
            settled[i, j] = _decided(problem, Budget(radii_x[i], radii_w[j], radii_w[j]), seconds)
        if settled[i, j] == ROBUST:
            settled[: i + 1, : j + 1] = ROBUST
            j += 1
        else:
            if settled[i, j] == BROKEN:
                settled[i:, j:] = BROKEN
            i -= 1


def _decided(problem: _Problem, budget: Budget, seconds: float) -> float:
    """What the exact optimum says of the one image of a problem, class after class, the most dangerous first.

    The linear relaxation often knows already: its solution may turn the image, or its optimum prove that none does.
    """
    network, point, label = problem.network, problem.x[0, ...], int(problem.labels[0])
    slack = rounding_slack(network, point, budget, problem.unit, PIXELS)
    highest = _numpy((_interval(network, point, budget) + pairwise_margins(network.logits(point)) + slack)[:, label])
    answer = ROBUST
    for other in np.argsort(-highest):
        if other == label or highest[other] < 0:
            continue
        for relax in (True, False):
            found = joint_optimum(
                network, point, budget, (int(other), label), within=PIXELS, relax=relax, time_limit=seconds
            )
            if found.attained >= 0:
                return BROKEN
            if found.upper + found.tolerance + float(slack[other, label]) < 0:
                break
        else:
            answer = OPEN
    return answer


def _smaller(sure: np.ndarray, i: int, j: int) -> np.ndarray:
    """Whether the cells next to (i, j) with smaller radii are certified; of the first cell, yes."""
    everywhere = np.ones(len(sure), bool)
    return (sure[:, i - 1, j] if i else everywhere) & (sure[:, i, j - 1] if j else everywhere)


def _parts(numbers: np.ndarray) -> list[np.ndarray]:
    """The same numbers, at most `AT_ONCE` at a time."""
    return [numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE)]


def _is_printed(network: Network) -> bool:
    """Whether eq. (3) speaks of such a network."""
    plain = all(isinstance(layer, Dense) and layer.bias is None for layer in network.layers)
    return plain and network.depth > 1


def _increasing(name: str, radii: Sequence[float]) -> list[float]:
    values = [float(radius) for radius in radii]
    if not (values and values[0] >= 0 and all(first < second for first, second in pairwise(values))):
        raise UsageError(f"{name} must increase from at least 0, got {', '.join(map(str, values)) or 'none'}")
    return values


def _doubled(network: Network, x: Array, labels: Array) -> _Problem:
    """Copies in double precision that ask for no gradient."""
    xp = array_namespace(x)
    single = any(stage.layer.weight.dtype != xp.float64 for stage in network.stages)

    def double(array: Any) -> Any:
        return None if array is None else xp.astype(array.detach() if is_torch_array(array) else array, xp.float64)

    layers = [
        replace(layer, weight=double(layer.weight), bias=double(layer.bias))
        if isinstance(layer, (Dense, Conv))
        else layer
        for layer in network.layers
    ]
    x = double(x)
    if all(isinstance(layer, (Dense, Flatten)) for layer in layers):  # of vectors, then
        layers = [layer for layer in layers if isinstance(layer, Dense)]
        x = xp.reshape(x, (x.shape[0], -1))
    return _Problem(Network(layers, network.activation), x, labels, FLOAT32 if single else FLOAT64)


def _numpy(array: Array) -> np.ndarray:
    return np.asarray(to_device(array, "cpu"))
