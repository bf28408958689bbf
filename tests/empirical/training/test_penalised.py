"""The penalty on ill-conditioned weights: what it is, where it is 0, and its gradient."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.training.network import Recipe, train
from empirical.training.objective import CROSS_ENTROPY
from empirical.training.penalised import Conditioned, spread


def gaussian(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5), (1, 6)])
def test_it_is_the_squared_coefficient_of_variation_of_squared_singular_values(shape):
    W = gaussian(*shape)
    squares = np.linalg.svd(W.numpy(), compute_uv=False) ** 2
    assert spread(W).item() == pytest.approx((squares.std() / squares.mean()) ** 2, abs=1e-12)
    for other in (1e-6 * W, W.T, 1e8 * W):
        assert spread(other).item() == pytest.approx(spread(W).item(), abs=1e-12)


def test_equal_singular_values_have_none_and_one_alone_has_the_most():
    assert spread(3 * torch.linalg.qr(gaussian(7, 4))[0]).item() == pytest.approx(0, abs=1e-12)
    assert spread(gaussian(7, 1) @ gaussian(1, 4, seed=1)).item() == pytest.approx(3)


def test_its_gradient_is_one():
    W = gaussian(3, 5).requires_grad_()
    assert torch.autograd.gradcheck(spread, W)
    zero = torch.zeros(3, 5, requires_grad=True)
    assert spread(zero).item() == 0
    assert not torch.autograd.grad(spread(zero), zero)[0].any()


def test_a_step_goes_down_the_loss_and_the_penalty():
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    x, y = gaussian(20, 6), torch.arange(20) % 3
    before = [parameter.detach().clone() for parameter in model.parameters()]
    loss, logits = Conditioned(0.7).backward(model, x, y, torch.Generator())
    penalty = sum(spread(model[k].weight) for k in (0, 2))
    whole = nn.functional.cross_entropy(model(x), y) + 0.7 * penalty
    assert loss.item() == pytest.approx(whole.item())
    assert torch.equal(logits, model(x))
    assert not loss.requires_grad
    for parameter, expected, old in zip(
        model.parameters(), torch.autograd.grad(whole, list(model.parameters())), before, strict=True
    ):
        torch.testing.assert_close(parameter.grad, expected)
        assert torch.equal(parameter, old)


def test_it_trains_better_conditioned_layers():
    x, y = gaussian(200, 8, dtype=torch.float32).sigmoid(), torch.arange(200) % 4
    conditions = []
    for objective in (CROSS_ENTROPY, Conditioned(1.0)):
        model = nn.Linear(8, 4)
        with torch.no_grad():
            model.bias.zero_()
            model.weight.copy_(gaussian(4, 8, seed=2))
            model.weight[1] = model.weight[0] + 0.1 * model.weight[1]
        train(model, x, y, 20, 0, Recipe("SGD", 0.1, 1.0, 20), objective=objective)
        conditions.append(torch.linalg.cond(model.weight).item())
    assert conditions[0] > 10 * conditions[1]
