"""Certified distances of encoders with classifiers behind them, beside torch's own answers and closed forms."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.certificates.piecewise import piecewise_distance, relu_layers
from empirical.models.autoencoders import autoencoder
from empirical.models.shallow import CLASSIFIERS
from fragility.engine.study import UsageError


def whole(kind, seed=0):
    """An autoencoder's encoder of 4 x 4 pixels and a classifier of its codes, in float64."""
    return nn.Sequential(*autoencoder(seed, 4).encoder, *CLASSIFIERS[kind](seed, 32, 7)).double()


def images(count, seed=0):
    return torch.rand(count, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 2 - 0.5


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_layers_with_plain_relus_are_the_same_function(kind):
    model, x = whole(kind), images(50)
    values = x.flatten(1).numpy()
    layers = relu_layers(model)
    for number, (weight, bias) in enumerate(layers):
        values = np.maximum(values, 0) if number else values
        values = values @ weight[0].T + bias
    np.testing.assert_allclose(values, model(x).detach().numpy(), atol=1e-12)
    assert len(layers) == (3 if kind == "lrl" else 2)


@pytest.mark.parametrize("kind", ["1l", "lrl"])
def test_nothing_flips_within_the_certified_distance_and_the_best_of_many_directions_is_not_far(kind):
    model, x = whole(kind, seed=3), images(5, seed=1)
    label = model(x).argmax(1)
    found = piecewise_distance(model, x, label)
    assert (found > 0).all()
    stream = torch.Generator().manual_seed(2)
    for number, radius in enumerate(found):
        delta = torch.randn(4000, 1, 4, 4, dtype=torch.float64, generator=stream)
        point = x[number : number + 1].clone().requires_grad_()
        logits = model(point)[0]
        rival = logits.detach().argsort()[-2]
        (slope,) = torch.autograd.grad(logits[label[number]] - logits[rival], point)
        delta[0] = -slope[0]  # towards the runner-up
        delta /= delta.flatten(1).norm(dim=1)[:, None, None, None]
        assert (model(x[number] + radius * delta).argmax(1) == label[number]).all()
        assert (model(x[number] + 3 * radius * delta[:1]).argmax(1) != label[number]).all()


def test_linear_classifiers_have_their_distance_in_closed_form():
    model, x = CLASSIFIERS["2l"](1, 16, 12).double().requires_grad_(False), images(9)
    _, first, second = model
    weight = second.weight @ first.weight
    logits = model(x)
    label = logits.argmax(1)
    expected = []
    for row, own in zip(logits, label, strict=True):
        gaps = [(row[own] - row[j]) / (weight[own] - weight[j]).norm() for j in range(10) if j != own]
        expected.append(float(min(gaps)))
    np.testing.assert_allclose(piecewise_distance(model, x, label), expected, rtol=1e-9)


def test_a_point_that_is_given_another_label_is_certified_nothing():
    model, x = whole("lrl"), images(4)
    wrong = (model(x).argmax(1) + 1) % 10
    assert (piecewise_distance(model, x, wrong) == 0).all()


def test_other_modules_are_a_line():
    with pytest.raises(UsageError, match=r"need Flatten, Linear, ReLU and LeakyReLU, got Tanh\(\)"):
        relu_layers([nn.Linear(3, 2), nn.Tanh()])
    with pytest.raises(UsageError, match="need a Linear layer at the end, got none"):
        relu_layers([nn.Flatten()])
