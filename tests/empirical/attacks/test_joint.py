"""The joint attack against a plain loop over a copied network, a closed form, and the edges of its balls."""

import copy
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from empirical.attacks import joint
from empirical.attacks.joint import Ascent, decisions, joint_attack
from empirical.models.small import cnn, tiny
from fragility.engine import stop
from theory.joint.optimum import closed_form_increase
from theory.things.network import Budget, Network

RADII = st.sampled_from([0.0, 1e-9, 0.01, 0.05, 0.3, 2.0])


def images(groups, size, side=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.random((groups, size, 1, side, side), dtype=np.float32)
    x[x < 0.2], x[x > 0.9] = 0, 1
    return torch.tensor(x), torch.tensor(rng.integers(0, 10, (groups, size)))


def bits(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(model, before):
    return all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def by_hand(model, x, y, radius_x, radius_w, steps):
    """Section 4.1 on one group: a copy whose parameters are stepped and clipped."""
    moved = copy.deepcopy(model).requires_grad_()
    point = x.clone()
    for _ in range(steps):
        point = point.detach().requires_grad_()
        moved.zero_grad()
        nn.functional.cross_entropy(moved(point), y).backward()
        with torch.no_grad():
            for now, first in zip(moved.parameters(), model.parameters(), strict=True):
                now += 0.0005 * now.grad.sign()
                now.copy_(torch.minimum(torch.maximum(now, first - radius_w), first + radius_w))
            step = point + 0.01 * point.grad.sign()
            point = torch.minimum(torch.maximum(step, x - radius_x), x + radius_x).clamp(0, 1)
    return point.detach(), moved


@pytest.mark.parametrize("build", [tiny, cnn])
@pytest.mark.parametrize("radii", [(0.05, 0.002), (0.0, 0.01), (0.03, 0.0)])
def test_it_is_the_attack_of_the_paper(build, radii):
    model, (x, y) = build(1, size=4, biases=True).requires_grad_(False), images(3, 5)
    found = joint_attack(model, x, y, [radii[0]] * 3, [radii[1]] * 3, Ascent(12))
    for group in range(3):
        point, moved = by_hand(model, x[group], y[group], *radii, 12)
        torch.testing.assert_close(found.x[group], point, rtol=0, atol=1e-6)
        for name, value in moved.named_parameters():
            torch.testing.assert_close(found.weights[name][group], value.detach(), rtol=0, atol=1e-6)
        assert torch.equal(found.right[group], moved(point).argmax(1) == y[group])


@settings(max_examples=40)
@given(st.integers(0, 1000), RADII, RADII, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(joint.LOSSES))
def test_no_rounding_leads_out_of_the_balls(seed, radius_x, radius_w, rescaled, alternating, random, loss):
    model, (x, y) = tiny(seed), images(2, 3, seed=seed)
    ascent = Ascent(7, 0.2, 0.1, rescaled=rescaled, loss=loss, alternating=alternating, random=random, best=random)
    other = 0.07
    found = joint_attack(model, x, y, [radius_x, other], [radius_w, other], ascent, [(seed, 0), (seed, 1)])
    for group, (near_x, near_w) in enumerate([(radius_x, radius_w), (other, other)]):
        assert ((found.x[group].double() - x[group].double()).abs() <= near_x).all()
        for name, value in model.named_parameters():
            assert ((found.weights[name][group].double() - value.detach().double()).abs() <= near_w).all()
    assert found.x.min() >= 0
    assert found.x.max() <= 1
    assert torch.equal(found.right, decisions(model, found.weights, found.x, y))
    if radius_x == 0:
        assert torch.equal(found.x[0], x[0])
    if radius_w == 0:
        assert all(torch.equal(found.weights[name][0], value) for name, value in model.named_parameters())


@pytest.mark.parametrize("loss", joint.LOSSES)
def test_of_one_layer_and_two_classes_it_finds_the_optimum(loss):
    """Where the input stays positive the worst case is a corner that no step by signs turns back from."""
    rng = np.random.default_rng(2)
    model = nn.Sequential(nn.Linear(6, 2, bias=False)).requires_grad_(False)
    model[0].weight.copy_(torch.tensor(rng.normal(size=(2, 6))))
    x, radii = torch.tensor(rng.uniform(0.3, 0.7, (20, 1, 6)), dtype=torch.float32), (0.1, 0.02)
    y = model(x[:, 0]).argmax(1)
    found = joint_attack(model, x, y[:, None], [radii[0]] * 20, [radii[1]] * 20, Ascent(100, loss=loss))
    network = Network.dense([model[0].weight.double()])
    highest = closed_form_increase(network, x[:, 0].double(), Budget(*radii))
    for k, label in enumerate(y.tolist()):
        moved = found.weights["0.weight"][k].double() @ found.x[k, 0].double()
        before = network.logits(x[k, 0].double())
        increase = (moved[1 - label] - moved[label]) - (before[1 - label] - before[label])
        turned = moved[1 - label] > moved[label]
        assert turned or increase == pytest.approx(float(highest[k, 1 - label, label]), rel=1e-5)
        assert increase <= float(highest[k, 1 - label, label]) * (1 + 1e-9)


@pytest.mark.parametrize("ascent", [Ascent(6), Ascent(6, rescaled=True, random=True, best=True)])
def test_groups_side_by_side_are_attacked_as_each_alone(ascent):
    model, (x, y) = tiny(3), images(3, 4)
    radii = [0.02, 0.3, 0.1], [0.01, 0.002, 0.03]
    seeds = [(5, 0), (5, 1), (5, 2)]
    together = joint_attack(model, x, y, *radii, ascent, seeds)
    for k in range(3):
        one = slice(k, k + 1)
        alone = joint_attack(model, x[one], y[one], radii[0][one], radii[1][one], ascent, seeds[one])
        torch.testing.assert_close(alone.x[0], together.x[k], rtol=0, atol=1e-6)


@pytest.mark.parametrize("error", [KeyboardInterrupt, stop.StoppedError])
def test_an_interrupted_attack_leaves_the_weights_bit_for_bit(error, monkeypatch):
    model, (x, y) = tiny(0), images(2, 4)
    before, left = bits(model), iter(range(3))

    def look():
        if next(left, None) is None:
            raise error

    monkeypatch.setattr(joint, "look", look)
    with pytest.raises(error):
        joint_attack(model, x, y, [0.1] * 2, [0.1] * 2, Ascent(10))
    assert same(model, before)
    assert all(value.grad is None for value in model.parameters())


def test_the_end_of_the_process_ends_an_attack(monkeypatch):
    ending = threading.Event()
    monkeypatch.setattr(stop, "_ENDING", ending)
    model, (x, y) = tiny(0), images(1, 4)
    before = bits(model)
    ending.set()
    with pytest.raises(stop.StoppedError):
        joint_attack(model, x, y, [0.1], [0.1], Ascent(10))
    assert same(model, before)


def test_a_hundred_steps_of_the_paper_end_at_their_sum_and_rescaled_ones_at_the_radius():
    model, (x, y) = tiny(0).requires_grad_(False), images(1, 6)
    for ascent, reached in ((Ascent(10), 0.005), (Ascent(10, rescaled=True), 0.5)):
        moved = joint_attack(model, x, y, [0.0], [0.5], ascent).weights
        far = max(float((moved[name][0] - value).abs().max()) for name, value in model.named_parameters())
        assert far == pytest.approx(reached, rel=1e-3)


def test_where_the_cross_entropy_rounds_to_0_the_margin_still_climbs():
    model, (x, _) = tiny(0), images(5, 4)
    with torch.no_grad():
        model[-1].weight *= 1e5
    y = model(x.flatten(0, 1)).argmax(1).reshape(5, 4)
    logits = model(x.flatten(0, 1)).detach().topk(2).values
    assert (logits[:, 0] - logits[:, 1]).min() > 104
    stuck, moved = (joint_attack(model, x, y, [0.3] * 5, [0.0] * 5, Ascent(40, loss=loss)) for loss in joint.LOSSES)
    assert torch.equal(stuck.x, x)
    assert stuck.right.all()
    assert not moved.right.all()


def test_the_best_iterate_leaves_no_more_right_than_the_first_or_the_last():
    model, (x, y) = tiny(5), images(8, 6)
    y[::2] = model(x[::2].flatten(0, 1)).argmax(1).reshape(4, 6)
    radii = [0.1] * 8, [0.05] * 8
    last, best = (joint_attack(model, x, y, *radii, Ascent(9, 0.05, 0.02, best=best)) for best in (False, True))
    clean = joint_attack(model, x, y, [0.0] * 8, [0.0] * 8, Ascent(1)).right
    assert (best.right.sum(1) <= last.right.sum(1)).all()
    assert (best.right.sum(1) <= clean.sum(1)).all()
    assert (best.right.sum(1) < clean.sum(1)).any()


def test_random_starts_are_a_function_of_their_seeds():
    model, (x, y) = tiny(5), images(2, 3)
    ascent = Ascent(0, random=True)
    first, again, other = (
        joint_attack(model, x, y, [0.1] * 2, [0.1] * 2, ascent, seeds)
        for seeds in ([(1, 0), (1, 1)], [(1, 0), (1, 1)], [(1, 1), (2, 1)])
    )
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.weights["1.weight"][1], other.weights["1.weight"][0])
    assert not torch.equal(first.weights["1.weight"][0], first.weights["1.weight"][1])
