"""Feature compression of trained ReLU networks on x = A z, without knowing what theory says of it.

A is Gaussian, z runs through all sign vectors of length n, and the label of x = A z is the last sign. Networks of some
hidden layers are trained on all 2^n points. Two points whose signs differ in the last place only are 2 ||a_n|| apart,
a_n the last column of A; the gradients of both outputs are taken along the segment between them, and what of it they
see is recorded (Table 3), before training too. From one end the shortest perturbation that changes the decision is
bracketed (Table 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from simulate.engine.study import Axis, Method, Point, Study, UsageError, integers, positive

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.models.mlp import Layers
    from simulate.backends import Stream

MOST_N = 16  # 2^n points of n numbers for each network
ALPHAS = np.arange(10) / 9  # places on the segment, those of Table 3
RANK = 1e-10  # of the gradients' lengths: what a sum of gradients has less of beside their difference is rounding
FLAGS = ("zero_gradient", "saturated", "disagreement", "misclassified", "crossed")
SEEN = ("compression", "cosine", "common", "gradients", "inverse")
STATISTICS = (
    *("valid", "accuracy", "loss", "fraction", "column", *SEEN, "mean_compression", "mean_cosine", "turn"),
    *("untrained_compression", "untrained_start", "untrained_cosine", "common_start"),
    *("lower", "distance", "perturbation_cosine", "input_cosine", "margin", "other_margin", "first_order", "optimum"),
    *FLAGS,
)
World = Mapping[str, Any]


def draw(stream: Stream, size: int, n: int, layers: int, width: int, inputs: int, **_: Any) -> World:
    """ "data", standard Gaussian (size, n, n); "signs" of the first points, (size, inputs, n); initial "network"."""
    from empirical.models.mlp import initial

    return {
        "data": stream.normal(size, n, n),
        "signs": np.where(stream.uniform(size, inputs, n) < 0.5, -1.0, 1.0),
        "network": initial(stream, size, (n, *[width] * layers, 2)),
    }


def measure(backend: Any, world: World, n: int, scale: float, epochs: int, **_: Any) -> dict[str, np.ndarray]:
    """Numbers of each network, and what its gradients see of a_n.

    Of a network, (size,): valid, 1 where all 2^n points are classified right; accuracy and loss (mean cross-entropy)
    on them; column ||a_n||; fraction, the distance of a_n from the span of the other columns over ||a_n||; turn,
    |cosine| between the gradients g of the difference of the outputs at both ends of the segment.

    Along the segment of the first pair, (size, 10): compression, the share of x_2 - x_1 in the span of both gradients;
    cosine, |cosine| of g and x_2 - x_1; common, |cosine| of what else the span holds and of what g does not see of
    x_2 - x_1; gradients, the cosine between the two; inverse, |cosine| of g and the last row of the inverse of A.
    mean_ is over all pairs; untrained_compression before training. Of its start alone, (size,): common_start,
    untrained_start (the compression) and untrained_cosine.

    At the first point of each pair, (size, inputs): lower and distance, the bracket of the shortest perturbation that
    changes the decision; perturbation_cosine and input_cosine, |cosines| of that perturbation and of g with a_n;
    margin of the logits there and other_margin at the pair's other point; first_order distance; optimum, half the
    distance to the nearest point of the other label. Shares of these points that bear a flag of the bracket, (size,).

    Compression is 0 where both gradients vanish; cosines are NaN where one of their directions does not exist.
    """
    import torch

    from empirical.models import mlp
    from empirical.models.linear import sign_vectors
    from empirical.training.loop import fit
    from empirical.training.many import ManyNetworks, Schedule

    data = torch.tensor(world["data"], device=backend.device)
    data[:, :, :-1] *= scale
    signs = sign_vectors(n, data)
    points, labels = signs @ data.transpose(1, 2), (signs[:, -1] < 0).long()
    trainee = ManyNetworks(
        mlp.layers(world["network"], torch.float32, backend.device), points.float(), labels, Schedule(epochs)
    )
    fit(trainee, epochs, f"{len(data)} networks")
    network = mlp.layers(trainee.trained, torch.float64, backend.device)

    first = torch.tensor(world["signs"], device=backend.device)
    pairs = Pairs(data, first)
    seen, turn = along(network, pairs)
    untrained, _turn = along(mlp.layers(world["network"], torch.float64, backend.device), pairs.some(1))
    single = {name: value[:, 0] for name, value in seen.items()}
    found = {
        **on_all(network, points, labels),
        "fraction": 1 / (torch.linalg.inv(data)[:, -1].norm(dim=1) * pairs.column.norm(dim=1)),
        "column": pairs.column.norm(dim=1),
        **single,
        "mean_compression": seen["compression"].mean(1),
        "mean_cosine": seen["cosine"].mean(1),
        "turn": turn[:, 0],
        "common_start": single["common"][:, 0],
        "untrained_compression": untrained["compression"][:, 0],
        "untrained_start": untrained["compression"][:, 0, 0],
        "untrained_cosine": untrained["cosine"][:, 0, 0],
    }
    attacked = perturbations(network, pairs, points, labels)
    return {**{name: value.cpu().numpy() for name, value in found.items()}, **attacked}


class Pairs:
    """Pairs x_1 = A z_1, x_2 = A z_2 whose signs differ in the last place only.

    Parameters
    ----------
    data : A, (size, n, n).
    signs : z_1, (size, pairs, n).
    """

    def __init__(self, data: Tensor, signs: Tensor) -> None:
        self.data, self.signs = data, signs
        self.column = data[:, :, -1]
        self.first = signs @ data.transpose(1, 2)
        self.difference = -2 * signs[:, :, -1:] * self.column[:, None]
        self.label = (signs[:, :, -1] < 0).long()

    def some(self, count: int) -> Pairs:
        """The first pairs of each network."""
        return Pairs(self.data, self.signs[:, :count])


def along(network: Layers, pairs: Pairs) -> tuple[dict[str, Tensor], Tensor]:
    """What the gradients see along the segments, `SEEN`, each (size, pairs, 10), and their turn, (size, pairs)."""
    import torch

    from empirical.models.mlp import jacobian

    alphas = torch.tensor(ALPHAS, device=pairs.data.device)
    places = pairs.first[:, :, None] + alphas[:, None] * pairs.difference[:, :, None]
    gradients = jacobian(network, places.flatten(1, 2)).unflatten(1, places.shape[1:3])
    one, other = gradients[..., 0, :], gradients[..., 1, :]
    inverse = torch.linalg.inv(pairs.data)[:, None, None, -1]
    difference = one - other
    found = shares(one, other, pairs.difference[:, :, None].expand_as(one))
    found["gradients"], found["inverse"] = cosine(one, other), cosine(difference, inverse).abs()
    return found, cosine(difference[:, :, 0], difference[:, :, -1]).abs()


def shares(one: Tensor, other: Tensor, v: Tensor) -> dict[str, Tensor]:
    """How much of v the span of two gradients holds: along their difference, beside it, and together.

    Gram-Schmidt, the difference of the gradients first. All arguments (..., n), results (...).
    """
    g = one - other
    total = one + other
    rest = total - _unit(g) * (_unit(g) * total).sum(-1, keepdim=True)
    longest = (one.norm(dim=-1) + other.norm(dim=-1))[..., None]
    rest = rest.where(rest.norm(dim=-1, keepdim=True) > RANK * longest, 0.0)
    left = v - _unit(g) * (_unit(g) * v).sum(-1, keepdim=True)
    along, beside = (_unit(g) * v).sum(-1), (_unit(rest) * v).sum(-1)
    return {
        "compression": (along**2 + beside**2).sqrt() / v.norm(dim=-1),
        "cosine": cosine(g, v).abs(),
        "common": cosine(rest, left).abs(),
    }


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of the angle between vectors (..., n), NaN where one is 0."""
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))


def _unit(v: Tensor) -> Tensor:
    """v over its length; 0 stays 0."""
    length = v.norm(dim=-1, keepdim=True)
    return v / length.where(length > 0, 1.0)


def on_all(network: Layers, points: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """ "valid", "accuracy" and "loss" on points (size, count, n), each (size,)."""
    import torch

    from empirical.models.mlp import logits

    right, loss = [], []
    for some, label in zip(points.split(512, dim=1), labels.split(512), strict=True):  # activations of some MB
        outputs, expected = logits(network, some), label.expand(len(points), -1)
        right.append(outputs.argmax(2) == expected)
        loss.append(torch.nn.functional.cross_entropy(outputs.transpose(1, 2), expected, reduction="none"))
    accuracy = torch.cat(right, 1).double().mean(1)
    return {"valid": (accuracy == 1).double(), "accuracy": accuracy, "loss": torch.cat(loss, 1).mean(1)}


def perturbations(network: Layers, pairs: Pairs, points: Tensor, labels: Tensor) -> dict[str, np.ndarray]:
    """The bracket at the first point of each pair and what it is compared with, as `measure` says."""
    import torch

    from empirical.attacks.bracket import QUICK, bracket
    from empirical.attacks.lower import relu_distance
    from empirical.models import mlp

    size, count, n = pairs.first.shape
    x, label = pairs.first.flatten(0, 1), pairs.label.flatten()
    of_each = [(weight.cpu().numpy().repeat(count, 0), bias.cpu().numpy().repeat(count, 0)) for weight, bias in network]
    lower = relu_distance(of_each, x.cpu().numpy(), label.cpu().numpy())
    found = bracket(mlp.flat(network), x, label, lower=lower, attacks=QUICK)
    delta = torch.tensor(found.delta, device=x.device).reshape(size, count, n)
    gradients = mlp.jacobian(network, pairs.first)
    apart = torch.cdist(pairs.first, points)
    opposite = labels != pairs.label[:, :, None]
    column = pairs.column[:, None].expand_as(delta)
    values = {
        "perturbation_cosine": cosine(delta, column).abs(),
        "input_cosine": cosine(gradients[:, :, 0] - gradients[:, :, 1], column).abs(),
        "margin": _margin(network, pairs.first, pairs.label),
        "other_margin": _margin(network, pairs.first + pairs.difference, 1 - pairs.label),
        "optimum": apart.where(opposite, torch.inf).amin(2) / 2,
    }
    brackets = {"lower": found.lower, "distance": found.upper, "first_order": found.first_order}
    return {
        **{name: value.cpu().numpy() for name, value in values.items()},
        **{name: value.reshape(size, count) for name, value in brackets.items()},
        **{name: found.flags[name].reshape(size, count).mean(1) for name in FLAGS},
    }


def _margin(network: Layers, x: Tensor, label: Tensor) -> Tensor:
    """Logit of the label minus the other, (size, points), at x (size, points, n)."""
    from empirical.models.mlp import logits

    outputs = logits(network, x)
    return (outputs[..., 0] - outputs[..., 1]) * (1 - 2 * label)


def points(
    n: Sequence[int],
    layers: Sequence[int],
    width: Sequence[int],
    scale: Sequence[float],
    inputs: Sequence[int],
    epochs: Sequence[int],
) -> list[Point]:
    """Every combination."""
    if max(n) > MOST_N:
        raise UsageError(f"--n must be at most {MOST_N}, as all 2^n points are trained on, got {max(n)}")
    axes = ("n", "layers", "width", "scale", "inputs", "epochs")
    return [dict(zip(axes, point, strict=True)) for point in product(n, layers, width, scale, inputs, epochs)]


def _floats(n: int, layers: int, width: int, **_: Any) -> int:
    return n * n + width * (n + 1) + (layers - 1) * width * (width + 1) + 2 * (width + 1) + (n << n)


STUDY = Study(
    name="relu_compression",
    says="feature compression of trained ReLU networks on sign vectors (feature compression, Tables 3 and 4)",
    grid={
        "n": Axis(integers(3, "--n"), [12], "input dimension, with 2^n points; a list sweeps: 8,10,12"),
        "layers": Axis(integers(1, "--layers"), [1], "hidden layers; a list sweeps: 1,2,3,4"),
        "width": Axis(integers(1, "--width"), [64], "units of each hidden layer; a list sweeps"),
        "scale": Axis(positive("--scale"), [5.0, 1.0], "factor of all columns of A but the last; a list sweeps"),
        "inputs": Axis(integers(1, "--inputs"), [10], "pairs of points per network; a list sweeps"),
        "epochs": Axis(integers(1, "--epochs"), [100], "of training; a list sweeps"),
    },
    points=points,
    methods={
        "trained": Method("networks trained to the end", draw, measure, lambda **_: STATISTICS, _floats, block=16)
    },
    table=({"n": 8, "layers": 1, "width": 32, "scale": 5.0, "inputs": 4, "epochs": 40},),
)

if __name__ == "__main__":
    from empirical.command import main

    main(STUDY, samples=64, full={"layers": [1, 2, 3, 4]})
