"""Small networks and what theory is told of them."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models.described import described
from empirical.models.small import NETWORKS, cnn, mlp, tiny
from fragility.engine.study import UsageError
from theory.things.layers import Conv


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize(("name", "size"), [("mlp", 8), ("cnn", 7), ("cnn", 8), ("tiny", 4)])
def test_what_is_described_has_the_same_logits_and_gradients(name, size, biases):
    model = NETWORKS[name](3, size, biases).double()
    x = torch.tensor(np.random.default_rng(0).random((5, 1, size, size)))
    found = described(model)
    torch.testing.assert_close(found.logits(x), model(x))
    assert [(stage.layer.bias is not None) for stage in found.stages] == [biases] * 3
    for output in (found.logits(x), model(x)):
        output.square().sum().backward()
    for value in model.parameters():
        value.grad /= 2
    expected = [value.grad.clone() for value in model.parameters()]
    model.zero_grad()
    model(x).square().sum().backward()
    for value, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(value.grad, gradient)


def test_other_weights_take_the_place_of_its_own():
    model, other = tiny(0), tiny(1)
    x = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(described(model, dict(other.named_parameters())).logits(x), other(x))


def test_widths_are_those_of_the_paper_and_of_its_exact_optimum():
    assert [tuple(value.shape) for value in mlp(0).parameters()] == [(128, 784), (64, 128), (10, 64)]
    assert [tuple(value.shape) for value in tiny(0).parameters()] == [(8, 16), (6, 8), (10, 6)]
    assert sum(isinstance(stage.layer, Conv) for stage in described(cnn(0)).stages) == 2


def test_weights_are_a_function_of_the_seed_and_of_no_global_state():
    state = torch.get_rng_state()
    first, again, other = mlp(4), mlp(4), mlp(5)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first[1].weight, again[1].weight)
    assert not torch.equal(first[1].weight, other[1].weight)
    assert float(first[1].weight.detach().abs().max()) == pytest.approx(28**-1, rel=1e-3)


def test_pools_and_strides_are_described():
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=1, dilation=1, groups=2),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 3, 2),
        nn.ReLU(),
        nn.MaxPool2d(2, stride=1),
        nn.Flatten(),
        nn.Linear(12, 2),
    )
    x = torch.rand(2, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(described(model).logits(x), model(x))


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (nn.Linear(2, 2), "a sequence of layers, got Linear"),
        (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), "a ReLU must stand right after"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), "a ReLU must stand right after"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "a ReLU must stand right after"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2), nn.Linear(2, 2)), "layers must be dense"),
        (nn.Sequential(nn.Conv2d(1, 1, 1, padding_mode="circular"), nn.ReLU(), nn.Linear(2, 2)), "layers must be"),
        (nn.Sequential(nn.MaxPool2d(2, padding=1), nn.Linear(2, 2)), "layers must be dense"),
    ],
)
def test_what_theory_does_not_speak_of_is_a_line(model, match):
    with pytest.raises(UsageError, match=match):
        described(model)
