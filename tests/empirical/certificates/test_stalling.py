"""Penalties that keep an attack on its clean input, beside what an attack does there."""

import numpy as np
import pytest
import torch

from empirical.attacks.penalised import Penalised
from empirical.certificates.stalling import stall_penalties
from empirical.models.shallow import CLASSIFIERS


def case(kind):
    stream = torch.Generator().manual_seed(0)
    x = torch.rand(30, 12, dtype=torch.float64, generator=stream)
    x = torch.where(x < 0.3, 0.0, torch.where(x > 0.8, 1.0, x))
    return CLASSIFIERS[kind](2, 12, 9).double(), x, torch.arange(30) % 10


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("box", [(0.0, 1.0), None])
def test_an_attack_leaves_its_start_exactly_below_the_penalty(kind, box):
    model, x, goal = case(kind)
    found = stall_penalties(model, x, goal, box)
    penalty = float(np.median(found))
    moved = ~Penalised(penalty, steps=1, box=box).run(model, x, goal).stalled.numpy()
    np.testing.assert_array_equal(moved, penalty < found)
    assert moved.any()
    assert not moved.all()


def test_without_a_box_it_is_the_length_of_the_gradient():
    model, x, goal = case("1l")
    weight = model[1].weight.detach()
    residual = model(x).softmax(1).detach() - torch.nn.functional.one_hot(goal, 10)
    np.testing.assert_allclose(stall_penalties(model, x, goal), (residual @ weight).norm(dim=1).numpy(), rtol=1e-12)
    assert (stall_penalties(model, x, goal, (0.0, 1.0)) < stall_penalties(model, x, goal)).any()
