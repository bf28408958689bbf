"""Objectives of robust training against the losses that they stand for, computed another way."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models.small import cnn, tiny
from empirical.training.adversarial import Adversarial, InputAttack
from empirical.training.margin_loss import MarginLoss
from empirical.training.network import Recipe, train
from empirical.training.weight_perturbation import AdversarialWeights
from theory.joint import margins
from theory.things.layers import Dense
from theory.things.network import Budget, Network

ATTACK = InputAttack(0.1, 4)
OBJECTIVES = [
    Adversarial(ATTACK),
    MarginLoss(0.1, 0.01, 0.01, 0.02, printed=True),
    MarginLoss(0.1, 0.01, 0.0, 0.02, printed=False, attack=ATTACK),
    AdversarialWeights(0.01, ATTACK),
]


def batch(size=7, side=4, seed=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.random((size, 1, side, side))), torch.tensor(rng.integers(0, 10, size))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def gradients(model):
    return [value.grad.clone() for value in model.parameters()]


def test_the_attack_stays_in_the_ball_and_the_box_and_leaves_gradients_alone():
    model, (x, y) = tiny(0).double(), batch()
    x[0] = 0.0
    x[1] = 1.0
    moved = ATTACK.moved(model, x, y, generator())
    assert (moved - x).abs().max() <= 0.1 + 1e-15
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert all(value.grad is None for value in model.parameters())
    assert torch.equal(moved, ATTACK.moved(model, x, y, generator()))
    assert not torch.equal(moved, ATTACK.moved(model, x, y, generator(1)))
    loss = nn.functional.cross_entropy
    assert loss(model(moved), y) > loss(model(x), y)


def test_of_a_linear_network_with_two_classes_the_attack_finds_the_corner():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)).double()
    x, y = batch()
    x, y = 0.3 + 0.4 * x, y % 2
    moved = InputAttack(0.1, 10).moved(model, x, y, generator())
    slope = (model[1].weight[1] - model[1].weight[0]).detach()
    corner = x + 0.1 * torch.where(y == 0, 1, -1)[:, None, None, None] * slope.sign().reshape(1, 1, 4, 4)
    torch.testing.assert_close(moved, corner)


def test_adversarial_training_descends_the_loss_at_the_attacked_inputs():
    model, (x, y) = tiny(0).double(), batch()
    loss, logits = Adversarial(ATTACK).backward(model, x, y, generator())
    found = gradients(model)
    model.zero_grad()
    moved = ATTACK.moved(model, x, y, generator())
    expected = nn.functional.cross_entropy(model(moved), y)
    expected.backward()
    assert loss == expected
    torch.testing.assert_close(logits, model(moved))
    for one, other in zip(found, gradients(model), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("attack", [None, ATTACK])
@pytest.mark.parametrize("printed", [True, False])
def test_the_margin_loss_is_eq_4(printed, attack):
    """Against tables of all pairs, by finite differences in one direction of all weights."""
    model, (x, y) = tiny(2).double(), batch()
    objective = MarginLoss(0.1, 0.01, 0.03, 0.07, printed, attack)
    loss, logits = objective.backward(model, x, y, generator())
    at = x if attack is None else attack.moved(model, x, y, generator())
    torch.testing.assert_close(logits, model(at).detach())

    def whole(weights):
        network, budget = Network([Dense(weight) for weight in weights]), Budget(0.1, 0.01)
        flat = x.flatten(1).numpy()
        zeta = (margins.zeta_printed if printed else margins.zeta)(network, flat, budget)
        tau, numbers = margins.tau(network, flat, budget), np.arange(len(y))
        penalty = 0.03 * tau.max(0)[y.numpy()].mean() + 0.07 * zeta.max(1)[numbers, y.numpy()].mean()
        outputs = torch.tensor(network.logits(at.flatten(1).numpy()))
        return float(nn.functional.cross_entropy(outputs, y)) + penalty

    held = [value.detach().numpy() for value in model.parameters()]
    assert float(loss) == pytest.approx(whole(held), rel=1e-12)
    rng = np.random.default_rng(1)
    ways = [rng.normal(size=weight.shape) for weight in held]
    step = 1e-6
    ends = [whole([weight + sign * step * way for weight, way in zip(held, ways, strict=True)]) for sign in (1, -1)]
    slope = sum(
        float((value.grad * torch.tensor(way)).sum()) for value, way in zip(model.parameters(), ways, strict=True)
    )
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5)


def test_convolutions_and_biases_have_the_corrected_penalty():
    model, (x, y) = cnn(0, 8, biases=True), batch(side=8)
    loss, _ = MarginLoss(0.1, 0.01, 0.01, 0.01, printed=False).backward(model, x.float(), y, generator())
    assert loss > nn.functional.cross_entropy(model(x.float()), y)
    with pytest.raises(ValueError, match="dense layers without biases only"):
        MarginLoss(0.1, 0.01, 0.01, 0.01, printed=True).backward(model, x.float(), y, generator())


def test_weights_are_moved_to_a_corner_and_the_gradient_there_is_taken():
    model, (x, y) = tiny(2).double(), batch()
    objective = AdversarialWeights(0.02, ATTACK)
    before = copy.deepcopy(model)
    loss, logits = objective.backward(model, x, y, generator())
    moved = copy.deepcopy(before)
    at = ATTACK.moved(moved, x, y, generator())
    nn.functional.cross_entropy(moved(at), y).backward()
    with torch.no_grad():
        for value in moved.parameters():
            value += 0.02 * value.grad.sign()
    moved.zero_grad()
    expected = nn.functional.cross_entropy(moved(at), y)
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(logits, moved(at).detach())
    for one, other in zip(gradients(model), gradients(moved), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_an_interrupted_objective_leaves_the_weights_bit_for_bit(objective):
    class Interrupted(nn.Sequential):
        left = 0

        def forward(self, x):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            return super().forward(x)

    model, (x, y) = Interrupted(*tiny(0).double()), batch()
    before, calls = {name: value.clone() for name, value in model.state_dict().items()}, 0
    while True:
        calls += 1
        model.left = calls
        try:
            objective.backward(model, x, y, generator())
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert calls > 1


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_training_by_each_is_a_function_of_its_seed_and_of_no_global_state(objective):
    x, y = batch(40)
    trained = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(trained))
        model = tiny(3)
        train(model, x.float(), y, 2, seed, Recipe("Adam", 1e-3, 1.0, 16), objective=objective)
        trained.append(torch.cat([value.flatten() for value in model.parameters()]))
    assert torch.equal(trained[0], trained[1])
    assert not torch.equal(trained[0], trained[2])


def test_what_differs_in_a_loss_differs_in_what_it_is_called():
    told = {repr(objective) for objective in [*OBJECTIVES, Adversarial(InputAttack(0.1, 5))]}
    assert len(told) == 5
