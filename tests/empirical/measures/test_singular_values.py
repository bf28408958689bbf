"""Extreme singular values against the matrix itself, which is written down entry by entry."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from empirical.measures.singular_values import bidiagonalised, extremes, matrix, of_module

LIKE = torch.empty(0, dtype=torch.float64)
SETTINGS = [  # channels in and out, side, and how the convolution acts
    (2, 3, 6, dict(kernel_size=3)),
    (2, 3, 7, dict(kernel_size=3, stride=2, padding=1)),
    (4, 6, 5, dict(kernel_size=3, padding=1, groups=2)),
    (3, 3, 8, dict(kernel_size=3, padding=2, dilation=2, groups=3)),
    (1, 2, 7, dict(kernel_size=(2, 3), stride=(1, 3), padding=(1, 2))),
]


def written(weight, shape, stride=1, padding=0, dilation=1, groups=1, **_):
    """The matrix of a convolution of images of this shape with zeros around them: an entry for each pair of places."""
    pair = lambda value: value if isinstance(value, tuple) else (value, value)  # noqa: E731
    (s, t), (p, q), (d, e) = map(pair, (stride, padding, dilation))
    outputs, inputs, high, wide = weight.shape
    sides = zip(shape[1:], (p, q), (d, e), (high, wide), (s, t), strict=True)
    rows = [(side + 2 * pad - apart * (taps - 1) - 1) // step + 1 for side, pad, apart, taps, step in sides]
    found = np.zeros((outputs, *rows, *shape))
    for o, i, j, c, a, b in product(*map(range, (outputs, *rows, inputs, high, wide))):
        y, x = i * s + a * d - p, j * t + b * e - q
        if 0 <= y < shape[1] and 0 <= x < shape[2]:
            found[o, i, j, o // (outputs // groups) * inputs + c, y, x] += weight[o, c, a, b]
    return found.reshape(math.prod((outputs, *rows)), -1)


def convolution(setting):
    inputs, outputs, side, how = setting
    torch.manual_seed(0)
    module = nn.Conv2d(inputs, outputs, **how).double()
    return module, (inputs, side, side), written(module.weight.detach().numpy(), (inputs, side, side), **how)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_convolution_is_the_matrix_that_its_definition_writes(setting):
    module, shape, expected = convolution(setting)
    linear = of_module(module, shape, LIKE)
    np.testing.assert_allclose(matrix(linear).numpy(), expected, atol=1e-14)
    sigma = np.linalg.svd(expected, compute_uv=False)
    found = extremes(linear, seed=0)
    assert found.exact
    assert found.largest == pytest.approx(sigma[0], rel=1e-12)
    assert found.at_most == found.largest
    assert found.smallest == pytest.approx(sigma[-1], rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("setting", SETTINGS)
def test_bidiagonalisation_comes_to_the_largest_value_from_below(setting):
    module, shape, expected = convolution(setting)
    sigma = np.linalg.svd(expected, compute_uv=False)
    linear = of_module(module, shape, LIKE)
    for side in (linear, linear.turned):
        found = bidiagonalised(side, seed=1)
        assert found.largest == pytest.approx(sigma[0], rel=1e-9)
        assert found.largest <= sigma[0] * (1 + 1e-12) <= found.at_most * (1 + 1e-12)
        assert not found.exact
        if len(sigma) == math.prod(side.inputs):  # else the map of the larger side annihilates what the other does not
            assert found.smallest >= sigma[-1] * (1 - 1e-9) - 1e-14


def test_after_few_steps_the_norm_lies_within_the_interval_that_is_said_and_mostly_above_its_lower_end():
    rng = np.random.default_rng(0)
    for seed in range(20):
        entries = torch.from_numpy(rng.standard_normal((300, 300)))
        dense = nn.Linear(300, 300).double()
        dense.weight.data = entries
        norm = float(torch.linalg.matrix_norm(entries, 2))
        rough, fine = (bidiagonalised(of_module(dense, (300,), LIKE), seed, steps) for steps in (20, 150))
        assert rough.largest < norm <= rough.at_most
        assert fine.largest <= norm * (1 + 1e-12)
        assert fine.largest > (1 - 1e-4) * norm
        assert norm <= fine.at_most <= 1.011 * fine.largest


def test_an_upper_end_that_is_no_bound_at_all_is_infinite():
    dense = nn.Linear(5000, 5000, bias=False)
    found = bidiagonalised(of_module(dense, (5000,), torch.empty(0)), seed=0, steps=3)
    assert math.isinf(found.at_most)
    assert 0 < found.largest < math.inf


def test_single_precision_is_told_in_the_interval():
    torch.manual_seed(1)
    module = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    exact = extremes(of_module(module.double(), (3, 20, 20), LIKE), 0).largest
    found = bidiagonalised(of_module(module.float(), (3, 20, 20), torch.empty(0)), seed=0)
    assert found.largest == pytest.approx(exact, rel=1e-5)
    assert found.at_most >= exact
    lacking = nn.Linear(60, 50)
    with torch.no_grad():
        lacking.weight[7] = lacking.weight[8]
    least = bidiagonalised(of_module(lacking, (60,), torch.empty(0)).turned, seed=0)
    assert least.smallest > 1e-5 * least.largest  # of rounding it cannot tell a value of 0


@pytest.mark.parametrize(
    "module", [nn.ConvTranspose2d(2, 3, 3, stride=2), nn.Conv1d(2, 3, 3, padding=1), nn.AvgPool2d(2)]
)
def test_other_modules_are_the_linear_maps_that_they_are(module):
    shape = (2, 5) if isinstance(module, nn.Conv1d) else (2, 5, 5)
    linear = of_module(module, shape, LIKE)
    entries = matrix(linear)
    x, y = torch.rand(1, *shape).double(), torch.rand(1, *linear.outputs).double()
    np.testing.assert_allclose(entries @ x.flatten(), linear.apply(x).flatten(), atol=1e-14)
    np.testing.assert_allclose(entries.T @ y.flatten(), linear.adjoint(y).flatten(), atol=1e-14)


def test_a_map_of_nothing_has_norm_zero():
    dense = nn.Linear(40, 30)
    with torch.no_grad():
        dense.weight.zero_()
    for found in (extremes(of_module(dense, (40,), LIKE), 0), bidiagonalised(of_module(dense, (40,), LIKE), 0)):
        assert (found.largest, found.at_most, found.smallest) == (0, 0, 0)
