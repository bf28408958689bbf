"""Stacked ReLU networks against torch's own, one network and one point at a time."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models import mlp
from fragility.backends.numpy_backend import NumpyBackend

SIZE, POINTS = 3, 5
HEIGHTS = {1: (4, 6, 2), 3: (4, 6, 5, 7, 3)}


def drawn(heights):
    return mlp.initial(NumpyBackend().stream(7, 0), SIZE, heights)


def separate(arrays, number):
    """Network `number` as a module of torch."""
    modules = []
    for weight, bias in arrays:
        linear = nn.Linear(weight.shape[2], weight.shape[1], dtype=torch.float64)
        linear.weight.data, linear.bias.data = torch.tensor(weight[number]), torch.tensor(bias[number])
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


@pytest.fixture(params=HEIGHTS)
def arrays(request):
    return drawn(HEIGHTS[request.param])


@pytest.fixture
def x():
    return torch.tensor(np.random.default_rng(0).normal(size=(SIZE, POINTS, 4)))


def test_logits_are_those_of_separate_networks(arrays, x):
    together = mlp.logits(mlp.layers(arrays, torch.float64), x)
    for number in range(SIZE):
        torch.testing.assert_close(together[number], separate(arrays, number)(x[number]), rtol=1e-12, atol=1e-12)


def test_jacobian_is_that_of_automatic_differentiation(arrays, x):
    together = mlp.jacobian(mlp.layers(arrays, torch.float64), x)
    for number in range(SIZE):
        model = separate(arrays, number)
        for point in range(POINTS):
            expected = torch.autograd.functional.jacobian(model, x[number, point])
            torch.testing.assert_close(together[number, point], expected, rtol=1e-12, atol=1e-12)


def test_flat_gives_each_element_the_weights_of_its_network(arrays, x):
    network = mlp.layers(arrays, torch.float64)
    assert torch.equal(mlp.flat(network)(x.flatten(0, 1)), mlp.logits(network, x).flatten(0, 1))


def test_initial_weights_fill_torch_s_own_range():
    (weight, bias), (last, _) = mlp.initial(NumpyBackend().stream(1, 0), 400, (16, 9, 2))
    for values, inputs in ((weight, 16), (bias, 16), (last, 9)):
        bound = inputs**-0.5
        assert 0.99 * bound < values.max() <= bound
        assert -bound <= values.min() < -0.99 * bound
    assert weight.var() == pytest.approx(1 / 48, rel=0.02)  # of a uniform law; 57600 entries, so 0.4 % standard error
