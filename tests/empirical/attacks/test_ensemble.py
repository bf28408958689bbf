"""AutoAttack on linear models whose robust points are known, its judge, and what it must leave alone."""

import logging
import sys

import numpy as np
import pytest
import torch

from empirical.attacks import ensemble as module
from empirical.attacks.ensemble import STANDARD, UNTARGETED, auto_attack
from fragility.engine.backend import UnavailableError
from fragility.engine.study import UsageError

BAND = 0.02  # of the distance: what attacks of a hundred steps may miss


def linear(classes, shape, size, seed=0, dtype=torch.float32):
    """A linear model, points far from the ends of [0, 1] and their classes; every tenth class is a wrong one."""
    stream = torch.Generator().manual_seed(seed)
    points = 0.45 + 0.1 * torch.rand(size, *shape, generator=stream, dtype=torch.float64).to(dtype)
    weight = torch.randn(classes, points[0].numel(), generator=stream, dtype=torch.float64).to(dtype)
    weight *= torch.linspace(0.5, 2, classes, dtype=dtype)[:, None]  # the runner-up is not always the nearest class
    model = lambda z: (z - 0.5).flatten(1) @ weight.T  # noqa: E731
    label = model(points).argmax(1)
    label[::10] = (label[::10] + 1) % classes
    return model, weight, points, label


def distances(model, weight, x, label, order):
    """Shortest perturbations, by the formula: the least (z_y - z_k) / ||w_y - w_k||, in the dual norm."""
    logits, found = model(x).double(), []
    for row, own in zip(logits, label.tolist(), strict=True):
        others = [k for k in range(len(weight)) if k != own]
        found.append(min(float(row[own] - row[k]) / float((weight[own] - weight[k]).norm(order)) for k in others))
    return np.array(found)


@pytest.mark.parametrize(
    ("norm", "dual", "classes", "attacks"),
    [
        ("l2", 2, 4, STANDARD),
        ("l2", 2, 4, ("apgd-t",)),
        ("linf", 1, 4, ("apgd-t",)),
        ("linf", 1, 4, ("fab-t",)),
        ("l2", 2, 3, UNTARGETED),
    ],
)
def test_survivors_are_those_farther_from_the_boundary_than_the_radius(norm, dual, classes, attacks):
    model, weight, x, label = linear(classes, (1, 6, 6), 30)
    distance = distances(model, weight, x, label, dual)
    radius = float(np.median(distance[distance > 0]))
    alive = auto_attack(model, x, label, norm, radius, 0, attacks, queries=20).numpy()
    assert not alive[distance < radius * (1 - BAND)].any()
    assert alive[distance > radius].all()
    assert 0 < alive.sum() < len(x)


def test_each_attack_alone_leaves_no_fewer_than_theory_and_fools_some():
    model, weight, x, label = linear(4, (1, 6, 6), 20, seed=1)
    distance = distances(model, weight, x, label, 1)
    radius = float(np.quantile(distance, 0.7))
    right = (distance > 0).sum()
    for name in ("apgd-ce", "fab", "square"):
        alive = auto_attack(model, x, label, "linf", radius, 0, (name,), queries=60).numpy()
        assert alive[distance > radius].all(), name
        assert alive.sum() < right, name


@pytest.mark.parametrize("name", ["apgd-t", "fab-t"])
def test_targets_are_all_other_classes_and_not_the_runner_up_alone(name):
    x, label = torch.full((3, 1, 5, 5), 0.5), torch.zeros(3, dtype=torch.long)

    def model(z):
        """The label's logit is 0; class 1 is next and cannot be reached, class 2 needs the mean to rise by 0.03."""
        rise = z.mean((1, 2, 3)) - 0.5
        return torch.stack([rise * 0, rise * 0 - 0.1, 10 * (rise - 0.03), rise * 0 - 1], 1)

    assert not auto_attack(model, x, label, "l2", 0.2, 0, (name,)).any()
    assert auto_attack(model, x, label, "l2", 0.14, 0, (name,)).all()


def test_with_radius_zero_the_right_ones_survive():
    model, _, x, label = linear(4, (1, 6, 6), 20)
    assert torch.equal(auto_attack(model, x, label, "l2", 0.0, 0), model(x).argmax(1) == label)


def test_points_that_are_no_images_are_attacked_too():
    model, weight, x, label = linear(4, (7,), 20, seed=2, dtype=torch.float64)
    distance = distances(model, weight, x, label, 2)
    radius = float(np.quantile(distance, 0.8))
    for attacks in (("apgd-ce", "apgd-t"), ("square",)):
        alive = auto_attack(model, x, label, "l2", radius, 0, attacks, queries=200).numpy()
        assert alive[distance > radius].all()
        assert alive.sum() < (distance > 0).sum()


def test_equal_seeds_give_equal_results_and_no_generator_of_torch_is_touched():
    model, _, x, label = linear(5, (1, 6, 6), 60, seed=3)
    before = torch.get_rng_state()
    first = auto_attack(model, x, label, "linf", 0.02, 5, ("square",), queries=3)
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(3)
    assert torch.equal(first, auto_attack(model, x, label, "linf", 0.02, 5, ("square",), queries=3))
    assert not torch.equal(first, auto_attack(model, x, label, "linf", 0.02, 6, ("square",), queries=3))


@pytest.mark.parametrize(
    ("proposal", "fooled"),
    [
        (lambda x: x + 0.5, False),  # drawn back to the radius, where nothing flips
        (lambda x: x * float("nan"), False),
        (lambda x: x, False),
        (lambda x: torch.full_like(x, 7.0), False),
        (lambda x: x - 0.2 / x[0].numel() ** 0.5, True),
        (lambda x: x - 0.5, True),  # outside the ball, and drawn back it still flips
    ],
)
def test_proposals_are_judged_again_within_ball_and_box(monkeypatch, proposal, fooled):
    x, label = torch.full((3, 1, 5, 5), 0.5), torch.ones(3, dtype=torch.long)
    # Class 0 needs the mean to fall by 0.03 or to rise by 0.06; the radius allows 0.04 each way.
    model = lambda z: torch.stack([(z.mean((1, 2, 3)) - 0.515).abs() - 0.045, z.mean((1, 2, 3)) * 0], 1)  # noqa: E731
    monkeypatch.setattr(module, "_attack", lambda *_: lambda images, _: proposal(images))
    alive = auto_attack(model, x, label, "l2", 0.2, 0, ("apgd-ce",))
    assert alive.tolist() == [not fooled] * 3


def test_a_proposal_outside_of_the_box_does_not_count(monkeypatch):
    x, label = torch.full((2, 1, 5, 5), 0.99), torch.ones(2, dtype=torch.long)
    model = lambda z: torch.stack([z.mean((1, 2, 3)) - 1.01, z.mean((1, 2, 3)) * 0], 1)  # noqa: E731
    monkeypatch.setattr(module, "_attack", lambda *_: lambda images, _: images + 0.04)
    assert auto_attack(model, x, label, "l2", 0.2, 0, ("apgd-ce",)).all()


def test_it_is_silent_where_gradients_vanish(caplog, capfd):
    dead = lambda z: torch.stack([z.flatten(1).sum(1) * 0 + k for k in range(4)], 1)  # noqa: E731
    x, label = torch.full((2, 1, 5, 5), 0.5), torch.full((2,), 3)
    with caplog.at_level(logging.DEBUG):
        alive = auto_attack(dead, x, label, "l2", 0.5, 0, ("apgd-ce", "apgd-t", "square"), queries=2)
    assert alive.all()
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_parameters_collect_no_gradients_and_inputs_stay():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(25, 4))
    x = torch.rand(3, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    kept = x.clone()
    auto_attack(network, x, network(x).argmax(1), "l2", 0.1, 0, UNTARGETED, queries=2)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(x, kept)


def test_a_model_whose_logits_are_its_input_is_attacked_as_any_other():
    x = torch.rand(8, 1, 5, 5, generator=torch.Generator().manual_seed(1))
    found = [
        auto_attack(model, x, x.flatten(1).argmax(1), "l2", 0.2, 0, ("square",), queries=40)
        for model in (lambda z: z.flatten(1), lambda z: z.flatten(1) * 1)
    ]
    assert torch.equal(*found)
    assert 0 < found[0].sum() < 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"norm": "l1"}, "norm"),
        ({"radius": -1.0}, "radius"),
        ({"seed": -1}, "seed"),
        ({"queries": 0}, "queries"),
        ({"attacks": ("magic",)}, "magic"),
        ({"attacks": ()}, "none"),
        ({"x": torch.ones(2, 3) * 2}, r"\[0, 1\]"),
        ({"labels": torch.tensor([0, 3])}, "from 0 to 2"),
        ({"model": lambda z: z * torch.rand(1)}, "random"),
        ({"attacks": STANDARD}, "four classes"),
    ],
)
def test_what_cannot_be_attacked_is_refused(change, says):
    given = {
        "model": lambda z: z * 2,
        "x": torch.ones(2, 3) / 2,
        "labels": torch.tensor([0, 1]),
        "norm": "l2",
        "radius": 0.1,
        "seed": 0,
        "attacks": UNTARGETED,
        **change,
    }
    with pytest.raises(UsageError, match=says):
        auto_attack(**given)


def test_without_the_package_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyautoattack", None)
    module._package.cache_clear()
    with pytest.raises(UnavailableError, match="pip install pyautoattack"):
        auto_attack(lambda z: z * 2, torch.ones(1, 3) / 2, torch.tensor([0]), "l2", 0.1, 0, UNTARGETED)
