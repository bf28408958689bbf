"""What the gradients of a trained ReLU network see of the way between two points, and how far its decisions reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fragility.engine.statistics import FLAG, SHARE, Statistic, Statistics

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.models.mlp import Layers

ALPHAS = np.arange(10) / 9  # places on the segment, those of Table 3
RANK = 1e-10  # of the gradients' lengths: what a sum of gradients has less of beside their difference is rounding
FLAGS = ("zero_gradient", "saturated", "disagreement", "misclassified", "crossed")  # of the bracket
SEEN = ("compression", "cosine", "common", "gradients", "inverse")
PLACES, INPUTS = (len(ALPHAS),), ("inputs",)
# x_1 and x_2 are the first pair where nothing else is said, g the gradient of the difference of the outputs.
STATISTICS = Statistics(
    {
        "valid": Statistic("whether all 2^n points are classified right", FLAG),
        "accuracy": Statistic("share of them that are", SHARE),
        "loss": Statistic("mean cross-entropy on them"),
        "fraction": Statistic("distance of a_n from the span of the other columns, over ||a_n||", SHARE),
        "column": Statistic("||a_n||"),
        "compression": Statistic("share of x_2 - x_1 in the span of both gradients, along the segment", SHARE, PLACES),
        "cosine": Statistic("|cosine| of g and x_2 - x_1", SHARE, PLACES),
        "common": Statistic("|cosine| of what else the span holds and what g does not see of x_2 - x_1", SHARE, PLACES),
        "gradients": Statistic("cosine of the two gradients", "", PLACES),
        "inverse": Statistic("|cosine| of g and the last row of the inverse of A", SHARE, PLACES),
        "mean_compression": Statistic("compression, mean of all pairs", SHARE, PLACES),
        "mean_cosine": Statistic("cosine, mean of all pairs", SHARE, PLACES),
        "turn": Statistic("|cosine| between g at both ends of the segment", SHARE),
        "untrained_compression": Statistic("compression before training", SHARE, PLACES),
        "untrained_start": Statistic("the same at the start of the segment", SHARE),
        "untrained_cosine": Statistic("cosine before training, at the start", SHARE),
        "common_start": Statistic("common at the start", SHARE),
        "lower": Statistic("certified bound of the shortest perturbation of the first point of a pair", "", INPUTS),
        "distance": Statistic("length of the shortest found that changes the decision", "", INPUTS),
        "perturbation_cosine": Statistic("|cosine| of that perturbation and a_n", SHARE, INPUTS),
        "input_cosine": Statistic("|cosine| of g and a_n", SHARE, INPUTS),
        "margin": Statistic("logit of the label minus the other, at the first point of a pair", "", INPUTS),
        "other_margin": Statistic("the same at its other point", "", INPUTS),
        "first_order": Statistic("margin over the length of its gradient", "", INPUTS),
        "optimum": Statistic("half the distance to the nearest point of the other label", "", INPUTS),
        **dict.fromkeys(FLAGS, Statistic("share of the inputs that bear this flag of the bracket", SHARE)),
    }
)
World = Mapping[str, Any]


def measure(backend: Any, world: World, n: int, scale: float, epochs: int, **_: Any) -> dict[str, np.ndarray]:
    """`STATISTICS` of each network.

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

    from empirical.attacks.bracket import bracket
    from empirical.certificates.dense import relu_distance
    from empirical.models import mlp

    size, count, n = pairs.first.shape
    x, label = pairs.first.flatten(0, 1), pairs.label.flatten()
    of_each = [(weight.cpu().numpy().repeat(count, 0), bias.cpu().numpy().repeat(count, 0)) for weight, bias in network]
    lower = relu_distance(of_each, x.cpu().numpy(), label.cpu().numpy())
    found = bracket(mlp.flat(network), x, label, lower=lower)
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
