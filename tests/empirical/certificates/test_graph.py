"""Lipschitz constants along the graph of a network: products on chains, sums where ways join, and never too small."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from empirical.certificates.graph import lipschitz
from empirical.measures.layers import traced
from fragility.engine.study import UsageError

DOUBLE = torch.float64


def norm(name, module, given):
    """Of dense layers and of convolutions of one place."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        return float(torch.linalg.matrix_norm(module.weight.detach().flatten(1), 2))
    return None


def constant(model, shape):
    return lipschitz(traced(model.double().eval()), torch.rand(1, *shape, dtype=DOUBLE), norm)


def widest(model, shape):
    """The largest stretch seen of small differences."""
    torch.manual_seed(1)
    x = torch.rand(50, *shape, dtype=DOUBLE)
    step = 1e-3 * torch.randn_like(x)
    with torch.no_grad():
        moved = (model(x + step) - model(x)).flatten(1).norm(dim=1)
    return float((moved / step.flatten(1).norm(dim=1)).max())


class Steps(nn.Module):
    """Whatever a function makes of two layers and an image."""

    def __init__(self, forward, outputs=4):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.made = nn.Conv2d(4, outputs, 1), nn.Conv2d(4, outputs, 1), forward
        self.register_buffer("shift", torch.rand(4, 1, 1))

    def forward(self, x):
        return self.made(self, x)


def norms(model):
    return [norm("", module, None) for module in (model.a, model.b)]


def test_on_a_chain_it_is_the_product_of_the_norms():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 8), nn.Sigmoid())
    expected = norm("", model[1], None) * norm("", model[4], None) / 4
    assert constant(model, (3, 4)) == pytest.approx(expected)
    assert widest(model, (3, 4)) <= expected


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (lambda self, x: x + self.a(x), lambda a, b: 1 + a),
        (lambda self, x: torch.relu(self.a(x)) - self.b(x), lambda a, b: a + b),
        (lambda self, x: torch.cat((self.a(x), self.b(x)), 1), math.hypot),
        (lambda self, x: self.a(3 * x - 1), lambda a, b: 3 * a),
        (lambda self, x: self.a((x - self.shift) / 0.5), lambda a, b: 2 * a),
        (lambda self, x: functional.pad(self.a(x), (1, 1, 0, 1)), lambda a, b: a),
        (lambda self, x: self.a(x).mean((2, 3)), lambda a, b: a / 4),
        (lambda self, x: self.a(x).flatten(1), lambda a, b: a),
        (lambda self, x: self.a(x)[:, 1:, ..., 0], lambda a, b: a),
        (lambda self, x: torch.transpose(torch.chunk(self.a(x), 2, 1)[1], 1, 2), lambda a, b: a),
        (lambda self, x: x.view(x.size(0), 4, 16).reshape(-1, 4, 4, 4), lambda a, b: 1),
        (lambda self, x: functional.adaptive_avg_pool2d(self.b(x), 1), lambda a, b: b / 4),
    ],
)
def test_each_step_multiplies_by_its_own_constant(forward, expected):
    model = Steps(forward)
    found = constant(model, (4, 4, 4))
    assert found == pytest.approx(expected(*norms(model)))
    assert widest(model, (4, 4, 4)) <= found * (1 + 1e-9)


def test_pools_are_the_maps_that_they_are():
    for pool, expected in (
        (nn.AvgPool2d(2), 1 / 2),
        (nn.MaxPool2d(2), 1),
        (nn.MaxPool2d(3, 2), 2),
        (nn.AdaptiveAvgPool2d(1), 1 / 4),
        (nn.LeakyReLU(-2.0), 2),
    ):
        assert constant(nn.Sequential(pool), (2, 4, 4)) == pytest.approx(expected)
        assert widest(nn.Sequential(pool), (2, 4, 4)) <= expected * (1 + 1e-9)


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (Steps(lambda self, x: self.a(x) * self.b(x)), "no Lipschitz constant has a step of two values, mul"),
        (Steps(lambda self, x: torch.exp(self.a(x))), "no Lipschitz constant is known of the step exp"),
        (nn.Sequential(nn.LayerNorm(4)), "no Lipschitz constant is known of 0 (LayerNorm)"),
        (Steps(lambda self, x: self.a(x)[:, [0, 0]]), "no Lipschitz constant is known of the step getitem"),
        (Steps(lambda self, x: 1 / self.a(x)), "no Lipschitz constant is known of the step"),
    ],
)
def test_what_has_no_constant_is_named(model, line):
    with pytest.raises(UsageError) as error:
        constant(model, (4, 4, 4))
    assert line in str(error.value)
    assert "\n" not in str(error.value)
