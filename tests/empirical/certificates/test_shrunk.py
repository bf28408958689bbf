"""Decisions certified to survive a shrinking, against bounds written out pair by pair and against shrunk networks."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from empirical.certificates.shrunk import Shrinking, unchanged
from empirical.models.initial import uniform
from fragility.engine.study import UsageError

CLASSES, INPUTS = 4, 9
HEIGHTS = {"one": (), "two": (7,), "three": (6, 8)}


def network(heights, relu, seed=0, dtype=torch.float32):
    """Dense layers with random weights and biases, a ReLU between them or none."""
    layers = [nn.Flatten()]
    for inputs, outputs in pairwise((INPUTS, *heights, CLASSES)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()] if relu else [nn.Linear(inputs, outputs)]
    return uniform(nn.Sequential(*(layers[:-1] if relu else layers)), seed).to(dtype)


def parameters(model):
    """(weight, bias) of each layer, in float64."""
    return [
        (layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy())
        for layer in model
        if isinstance(layer, nn.Linear)
    ]


def shrunk(weight, k, factor):
    left, sigma, right = np.linalg.svd(weight, full_matrices=False)
    scaled = sigma * np.where(np.arange(len(sigma)) < len(sigma) - k, 1, factor)
    return (left * scaled) @ right


def inputs(count, seed=1):
    return torch.rand((count, 3, 3), generator=torch.Generator().manual_seed(seed)) * 4


def by_hand(model, x, counts, factor, relu):
    """(lead, bound) of each image over each class, the bounds of C2 and C3 one pair after another."""
    layers = parameters(model)
    leads, bounds = np.full((len(x), CLASSES), np.inf), np.zeros((len(x), CLASSES))
    for number, point in enumerate(x.flatten(1).double().numpy()):
        h, inside = point, []
        for weight, bias in layers:
            inside.append(h)
            h = weight @ h + bias
            h = np.maximum(h, 0) if relu and len(inside) < len(layers) else h
        label = int(h.argmax())
        moved = [shrunk(weight, k, factor) for (weight, _), k in zip(layers, counts, strict=True)]
        for other in range(CLASSES):
            if other == label:
                continue
            leads[number, other] = h[label] - h[other]
            if len(layers) == 1:
                left, sigma, right = np.linalg.svd(layers[0][0], full_matrices=False)
                k = counts[0]
                if k:
                    apart = left[label, -k:] - left[other, -k:]
                    bounds[number, other] = (
                        (1 - factor) * sigma[-k] * np.linalg.norm(apart) * np.linalg.norm(right[-k:] @ point)
                    )
                continue
            errors = [(new - weight) @ a for new, (weight, _), a in zip(moved, layers, inside, strict=True)]
            below = 0.0
            for layer, error in enumerate(errors[:-1]):
                between = [np.linalg.norm(matrix, 2) for matrix in moved[layer + 1 : -1]]
                below += np.prod(between) * np.linalg.norm(error)
            row = np.linalg.norm(moved[-1][label] - moved[-1][other])
            bounds[number, other] = row * below + abs(errors[-1][label] - errors[-1][other])
    return leads, bounds


@pytest.mark.parametrize("name", HEIGHTS)
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("factor", [0.0, 0.1, 0.9])
def test_what_is_certified_is_what_the_bounds_say_pair_by_pair(name, relu, factor):
    model, x = network(HEIGHTS[name], relu, dtype=torch.float64), inputs(60).double()
    counts = [(1,) * (1 + len(HEIGHTS[name])), tuple(range(1, 2 + len(HEIGHTS[name]))), (0,) * (1 + len(HEIGHTS[name]))]
    found = unchanged(model, x, [Shrinking(number, factor) for number in counts])
    for row, number in zip(found, counts, strict=True):
        leads, bounds = by_hand(model, x, number, factor, relu)
        assert (np.abs(leads - bounds) > 1e-9).all(), "no image on the border"
        np.testing.assert_array_equal(row, (leads > bounds).all(1))
    assert found[2].all()


@pytest.mark.parametrize("name", HEIGHTS)
@pytest.mark.parametrize("relu", [True, False])
def test_no_certified_decision_changes(name, relu):
    x = inputs(200)
    certain, stand = [], []
    for seed in range(2):
        model = network(HEIGHTS[name], relu, seed)
        counts = [tuple(range(first, first + 1 + len(HEIGHTS[name]))) for first in (0, 1, 2)]
        shrinkings = [Shrinking(number, factor) for number in counts for factor in (0.0, 0.5, 0.95)]
        found = unchanged(model, x, shrinkings)
        decision = model(x).argmax(1)
        for row, shrinking in zip(found, shrinkings, strict=True):
            changed = network(HEIGHTS[name], relu, seed)
            layers = [layer for layer in changed if isinstance(layer, nn.Linear)]
            for layer, k in zip(layers, shrinking.counts, strict=True):
                weight = shrunk(layer.weight.detach().double().numpy(), k, shrinking.factor)
                layer.weight.data = torch.tensor(weight, dtype=torch.float32)
            same = (changed(x).argmax(1) == decision).numpy()
            assert (row <= same).all()
            certain.append(row.mean())
            stand.append(same.mean())
    assert 0.05 < np.mean(certain) < np.mean(stand) < 1


def test_room_is_left_for_the_rounding_of_the_networks_own_arithmetic():
    """A lead that sums in single precision may lose, though nothing is shrunk."""
    for dtype, lead, sure in ((torch.float32, 1e-7, False), (torch.float64, 1e-7, True), (torch.float32, 1e-3, True)):
        model = nn.Sequential(nn.Linear(2, 2, dtype=dtype))
        model[0].weight.data = torch.tensor([[1.0, 1.0], [1.0, 0.5]], dtype=dtype)
        model[0].bias.data = torch.tensor([lead - 0.5, 0.0], dtype=dtype)
        x = torch.ones((1, 2), dtype=dtype)
        assert unchanged(model, x, [Shrinking((0,), 0.0)]).tolist() == [[sure]]


def test_a_tie_is_never_certified():
    model = nn.Sequential(nn.Linear(2, 2, bias=False, dtype=torch.float64))
    model[0].weight.data = torch.eye(2, dtype=torch.float64)
    assert not unchanged(model, torch.ones((1, 2)), [Shrinking((0,), 0.0)]).any()


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ([nn.Linear(9, 4), nn.Tanh(), nn.Linear(4, 2)], "Linear, Tanh, Linear"),
        ([nn.Linear(9, 4), nn.ReLU()], "Linear, ReLU"),
        ([nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 2)], "Linear, ReLU, Linear, Linear"),
        ([nn.Flatten()], "nothing"),
    ],
)
def test_other_networks_are_refused(layers, named):
    with pytest.raises(UsageError, match=f"Linear with a ReLU between all of them or between none, got {named}$"):
        unchanged(nn.Sequential(*layers), inputs(1), [])


def test_shrinkings_that_there_are_not_are_refused():
    model = network((), False)
    for counts, factor in (((5,), 0.0), ((-1,), 0.0), ((1,), 1.5), ((1, 1), 0.0)):
        with pytest.raises(ValueError, match=r"k must|s must|argument"):
            unchanged(model, inputs(1), [Shrinking(counts, factor)])
    assert unchanged(model, inputs(3), []).shape == (0, 3)
