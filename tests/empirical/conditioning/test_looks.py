"""Looks at a network on its way: when they are, what they see, and that they are kept."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.conditioning.looks import Looks, matrix, schedule
from empirical.models.mnist import pooled_conv, softmax
from empirical.training.network import Recipe, train

X = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(60) % 10


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 30), (5, 12), (1, 1000), (5, 469), (1, 100_000), (40, 500)])
def test_looks_are_early_then_rare_and_include_both_ends(epochs, steps):
    coarse, fine = schedule(epochs, steps)
    total = epochs * steps
    assert set(coarse) <= set(fine)
    assert list(fine) == sorted(set(fine))
    assert fine[: min(total, 50) + 1] == tuple(range(min(total, 50) + 1))
    assert fine[-1] == coarse[-1] == total
    assert coarse[0] == 0
    assert {epoch * steps for epoch in range(1, epochs + 1)} <= set(coarse)
    assert len(fine) <= 51 + 51 + epochs + np.log(total) / np.log(1.15)
    if total <= 5000:
        assert set(range(0, total, 100)) <= set(coarse)


def trained(looks, epochs=2, checkpoint=None):
    model = softmax(4, 8, deviation=0.0)
    train(model, X, Y, epochs, 0, Recipe("SGD", 0.5, 1.0, 10), watch=looks, checkpoint=checkpoint)
    return model


def test_they_see_the_weights_after_so_many_steps():
    looks = Looks(("simple",), 2, 6, X[:20], Y[:20])
    model = trained(looks)
    kappa, strict = looks.conditions
    assert looks.steps == tuple(range(13))
    assert kappa.shape == strict.shape == (1, 13, 4)
    W = model.get_parameter("simple.weight").double().numpy()
    assert kappa[0, -1, 1] == pytest.approx(np.linalg.norm(W, 2) * np.linalg.norm(np.linalg.pinv(W), 2))
    assert not kappa[0, 0].any()  # W = 0, the paper's zeros
    assert (strict[0, 0] == np.inf).all()
    assert kappa[0, 1:, 1].min() > 1e5  # one functional of the logits stays 0, but for rounding
    said = model(X[:20]).argmax(1)
    assert looks.accuracies[-1] == pytest.approx((said == Y[:20]).float().mean().item())
    np.testing.assert_array_equal(np.isnan(looks.accuracies), [step not in (0, 6, 12) for step in looks.steps])


def test_what_was_seen_is_kept_with_the_training(tmp_path):
    whole, resumed, read = (Looks(("simple",), 2, 6, X[:20], Y[:20]) for _ in range(3))
    trained(whole)
    file = tmp_path / "training.pt"
    trained(Looks(("simple",), 2, 6, X[:20], Y[:20]), 1, file)
    trained(resumed, 2, file)
    trained(read, 2, file)
    for looks in (resumed, read):
        np.testing.assert_array_equal(looks.conditions, whole.conditions)
        np.testing.assert_array_equal(looks.accuracies, whole.accuracies)


def test_looking_changes_no_weight():
    assert torch.equal(*(trained(looks)[1].weight for looks in (None, Looks(("simple",), 2, 6, X, Y))))


def test_matrices_are_inputs_by_outputs():
    model = pooled_conv(0, 8)
    shapes = {name: matrix(model, name).shape for name in ("conv0", "conv1", "dense", "logits")}
    assert shapes == {"conv0": (9, 32), "conv1": (288, 64), "dense": (256, 128), "logits": (128, 10)}
    kernel = model.get_parameter("conv1.weight")
    np.testing.assert_array_equal(matrix(model, "conv1")[:, 3], kernel[3].flatten().detach().double().numpy())
    assert matrix(nn.Sequential(nn.Linear(2, 3)), "0").dtype == np.float64
