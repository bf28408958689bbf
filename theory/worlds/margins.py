"""Worlds of the joint margin bounds: small networks, radii, and what an attacker without theory finds there."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fragility.space import World
from theory.numerics.array import Array
from theory.things.layers import AveragePool, Conv, Dense, Flatten, MaxPool
from theory.things.network import ACTIVATIONS, Budget, Network
from theory.worlds.networks import attack, draw_budget, draw_network, draw_radii, draw_size

Size = Callable[[np.random.Generator], dict[str, int]]
Draw = Callable[[np.random.Generator], World]
Moved = tuple[list[Array], Array]  # weights and an input

NONNEGATIVE = [name for name, activation in ACTIVATIONS.items() if activation.nonnegative]  # as the paper assumes
CORNERS = 8  # tried of networks that the attacker does not know


def tiny(rng: np.random.Generator) -> dict[str, int]:
    """Size of networks whose exact optimum is found at once, and where bounds can be attained."""
    return {"depth": int(rng.integers(1, 5)), "most": 3}


def shallow(rng: np.random.Generator) -> dict[str, int]:
    """Size of networks of which half are so small that the effect of the input alone comes near its bound."""
    return draw_size(rng) if rng.random() < 0.5 else {"depth": int(rng.integers(1, 3)), "most": 2}


def deep(rng: np.random.Generator) -> dict[str, int]:
    """Size of networks of three layers or more."""
    return draw_size(rng) | {"depth": int(rng.integers(3, 7))}


def _corner(rng: np.random.Generator, weights: list[Array], x: Array, radii: list[float], radius_x: float) -> Moved:
    """Weights and input at random corners of their balls."""
    moved = [
        weight + radius * rng.choice([-1, 1], size=weight.shape) for weight, radius in zip(weights, radii, strict=True)
    ]
    return moved, x + radius_x * rng.choice([-1, 1], size=x.shape)


def _best(
    rng: np.random.Generator,
    activation: str,
    first: Moved,
    weights: list[Array],
    x: Array,
    radii: list[float],
    radius_x: float,
) -> Moved:
    """What raises the margin most: what was found of the network with ReLUs, or one of a few corners."""
    proposals = [first, *(_corner(rng, weights, x, radii, radius_x) for _ in range(CORNERS))]
    logits = [Network.dense(moved, activation=activation).logits(point) for moved, point in proposals]
    return proposals[int(np.argmax([each[0] - each[1] for each in logits]))]


def attacked(clean: bool = False, size: Size = draw_size, others: bool = True, **given: int) -> Draw:
    """A network, a budget and what an attacker finds within it; `given` in place of what `size` draws.

    With `others` every other network has one of the activations that the paper speaks of, in place of ReLU.
    """

    def draw(rng: np.random.Generator) -> World:
        weights, x = draw_network(rng, **size(rng) | given)
        radii, radius_x = draw_budget(rng, weights)
        radius_x = 0.0 if clean else radius_x
        moved, moved_x = attack(rng, weights, x, radii, radius_x)
        world = {"weights": weights, "x": x, "radii": radii}
        if others and rng.random() < 0.5:
            world["activation"] = str(rng.choice(NONNEGATIVE))
            moved, moved_x = _best(rng, world["activation"], (moved, moved_x), weights, x, radii, radius_x)
        world["moved"] = moved
        return world if clean else world | {"moved_x": moved_x, "radius_x": radius_x}

    return draw


def reached(rng: np.random.Generator) -> World:
    """A network of two layers or more and weights at corners; the first layer's carry the signs of the input."""
    weights, x = draw_network(rng, **draw_size(rng) | {"depth": int(rng.integers(2, 7))})
    radii, _ = draw_budget(rng, weights)
    moved = [
        weight + radius * rng.choice([-1, 1], size=weight.shape) for weight, radius in zip(weights, radii, strict=True)
    ]
    moved[0] = weights[0] + radii[0] * np.sign(x)
    return {"weights": weights, "x": x, "moved": moved, "radii": radii}


def grown(rng: np.random.Generator) -> World:
    """A network and two budgets, of which one holds the other."""
    weights, x = draw_network(rng, **draw_size(rng))
    smaller, _ = draw_budget(rng, weights)
    return {"weights": weights, "x": x, "smaller": smaller, "larger": [r + rng.uniform(0, 0.2) for r in smaller]}


def vector(rng: np.random.Generator) -> World:
    """A first layer, what it is given, and a radius."""
    rows, columns = rng.integers(1, 5, size=2)
    return {"weight": rng.normal(size=(rows, columns)), "x": rng.normal(size=columns), "radius": rng.uniform(0, 2)}


def ball(rng: np.random.Generator) -> World:
    """A matrix and another, each entry of which is as far away from 0 as the radius allows."""
    weight, radius = rng.normal(size=rng.integers(1, 6, size=2)), rng.uniform(0, 1)
    return {"weight": weight, "moved": weight + radius * np.sign(weight), "radius": radius}


def fixed(budget_x: bool = False, size: Size = draw_size, largest: float = 0.3, **given: int) -> Draw:
    """A network and a budget, without a perturbation; `given` in place of what `size` draws."""

    def draw(rng: np.random.Generator) -> World:
        weights, x = draw_network(rng, **size(rng) | given)
        radii, radius_x = draw_budget(rng, weights, largest)
        return {"weights": weights, "x": x, "radii": radii} | ({"radius_x": radius_x} if budget_x else {})

    return draw


def two_layers_fixed(rng: np.random.Generator) -> World:
    """Two small layers and their radii, at the clean input."""
    return fixed(depth=2, most=2, classes=2)(rng) | {"radius_x": 0}


def labelled(rng: np.random.Generator) -> World:
    """A network, a budget, and a label."""
    return fixed(budget_x=True)(rng) | {"label": int(rng.integers(3))}


def certified(rng: np.random.Generator) -> World:
    """A network, a label, and the attack on the margin of another class."""
    weights, x = draw_network(rng, **draw_size(rng))
    (radii, radius_x), label = draw_budget(rng, weights, 0.1), int(rng.integers(3))
    moved, moved_x = attack(rng, weights, x, radii, radius_x, pair=(int(label == 0), label))
    return {
        "weights": weights, "x": x, "label": label, "moved": moved, "moved_x": moved_x,
        "radii": radii, "radius_x": radius_x,
    }  # fmt: skip


def with_biases(size: Size = draw_size, largest: float = 0.3) -> Draw:
    """A network and a budget, every other time with biases."""

    def draw(rng: np.random.Generator) -> World:
        world = fixed(budget_x=True, size=size, largest=largest)(rng)
        biases = [rng.normal(size=weight.shape[0]) for weight in world["weights"]]
        return world | ({"biases": biases} if rng.random() < 0.5 else {})

    return draw


def _moved(rng: np.random.Generator, network: Network, x: Array, budget: Budget) -> tuple[Network, Array]:
    """A copy of a network and an input at random corners of their balls."""
    radii, sign = iter(budget.layers(network)), rng.choice([-1, 1])
    layers: list[Any] = []
    for layer in network.layers:
        if isinstance(layer, (Dense, Conv)):
            radius = next(radii)
            weight = layer.weight + radius.weight * sign * np.sign(layer.weight + rng.normal(size=layer.weight.shape))
            bias = None if layer.bias is None else layer.bias + radius.bias * rng.choice([-1, 1], layer.bias.shape)
            rest = {} if isinstance(layer, Dense) else {k: getattr(layer, k) for k in ("stride", "padding", "dilation")}
            layers.append(type(layer)(weight, bias, **rest))
        else:
            layers.append(layer)
    return Network(layers, network.activation), x + budget.input * rng.choice([-1, 1], size=x.shape)


def biased(rng: np.random.Generator) -> World:
    """A network with biases, which mostly move; the last ones as far apart as they can."""
    weights, x = draw_network(rng, **draw_size(rng))
    network = Network.dense(weights, [rng.normal(size=weight.shape[0]) for weight in weights])
    budget = Budget(0.01, 0.01, draw_radii(rng, len(weights), 1.0))
    moved, moved_x = _moved(rng, network, x, budget)
    last, radii = network.stages[-1].layer, budget.layers(network)[-1]
    far = Dense(moved.stages[-1].layer.weight, last.bias + radii.bias * np.array([1, -1, 1]))
    moved = Network([*moved.layers[:-1], far])
    return {"network": network, "moved": moved, "x": x, "moved_x": moved_x, "budget": budget}


def activated(rng: np.random.Generator) -> World:
    """A network with another activation, and one within its budget."""
    weights, x = draw_network(rng, **draw_size(rng))
    name = rng.choice(["relu6", "softplus", "sigmoid", "tanh", "leaky_relu", "identity"])
    network, budget = Network.dense(weights, activation=str(name)), Budget(0.05, tuple(draw_radii(rng, len(weights))))
    moved, moved_x = _moved(rng, network, x, budget)
    return {"network": network, "moved": moved, "x": x, "moved_x": moved_x, "budget": budget}


def _kernel(rng: np.random.Generator, out: int, channels: int) -> Conv:
    size = tuple(rng.integers(1, 4, size=2))
    return Conv(
        rng.normal(size=(out, channels, *size)), rng.normal(size=out) if rng.random() < 0.5 else None,
        stride=int(rng.integers(1, 3)), padding=int(rng.integers(0, 3)), dilation=int(rng.integers(1, 3)),
    )  # fmt: skip


def convolved(rng: np.random.Generator) -> World:
    """A convolution, a pool and a dense layer, and another network within their budget."""
    shape = (int(rng.integers(1, 3)), int(rng.integers(5, 8)), int(rng.integers(5, 8)))
    conv = _kernel(rng, 2, shape[0])
    pool = [AveragePool, MaxPool][rng.integers(2)]((1, 1) if min(conv.shape_after(shape)[1:]) < 2 else 2)
    size = int(np.prod(pool.shape_after(conv.shape_after(shape))))
    network = Network([conv, pool, Flatten(), Dense(rng.normal(size=(3, size)))])
    x, budget = rng.normal(size=shape), Budget(0.001, (0.1, 0.1), 0.01)
    moved, moved_x = _moved(rng, network, x, budget)
    return {"network": network, "moved": moved, "x": x, "moved_x": moved_x, "budget": budget}


def kernel(rng: np.random.Generator) -> World:
    """A convolution and the shape of what it is given."""
    return {"layer": _kernel(rng, 2, 2), "shape": (2, *rng.integers(5, 7, size=2))}


def product(rng: np.random.Generator) -> World:
    """A matrix between two vectors, and a radius."""
    rows, columns = rng.integers(1, 4, size=2)
    draws = rng.normal(size=(rows, columns)), rng.normal(size=columns), rng.normal(size=rows), rng.uniform(0, 1)
    return dict(zip(("weight", "h", "c", "radius"), draws, strict=True))


def chain(rng: np.random.Generator) -> World:
    """Positive scalar layers, the last of two classes."""
    depth = int(rng.integers(1, 7))
    weights = [rng.uniform(0.1, 2, size=(1, 1)) for _ in range(depth - 1)] + [np.array([[1.5], [rng.uniform(-1, 1)]])]
    return {"weights": weights, "x": rng.uniform(0.5, 2, size=1), "radii": draw_radii(rng, depth), "radius_x": 0.2}
