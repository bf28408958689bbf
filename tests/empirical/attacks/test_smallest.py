"""The one call that a user makes: what it returns, what it certifies, and what it says of input that it cannot take."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.attacks import smallest_perturbation
from empirical.attacks.bracket import THOROUGH
from fragility.engine.study import UsageError


def network(*modules):
    return nn.Sequential(*modules).eval().requires_grad_(False)


def linear():
    return network(nn.Flatten(), nn.Linear(16, 5))


def dense():
    return network(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 5))


def convolutional():
    return network(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 5))


def images(count=6):
    return torch.rand(count, 1, 4, 4)


@pytest.mark.parametrize("build", [linear, dense, convolutional])
def test_it_brackets_and_what_it_returns_flips(build):
    model, x = build(), images()
    y = model(x).argmax(1)
    found = smallest_perturbation(model, x, y, box=(0, 1))
    reached = np.isfinite(found.upper)
    assert reached.any()
    assert found.x_adv.dtype == x.dtype
    assert (model(found.x_adv).argmax(1) != y).numpy()[reached].all()
    assert 0 <= found.x_adv.min() <= found.x_adv.max() <= 1
    assert (found.x_adv - x).flatten(1).norm(dim=1).numpy()[reached] == pytest.approx(found.upper[reached], rel=1e-5)
    assert (found.lower > 0).all()
    assert (found.lower <= found.upper * (1 + 1e-6)).all()
    assert set(found.attack[reached]) == {"nearest_rivals"}
    assert found.certificate
    assert not found.why_not


def test_a_linear_network_is_bracketed_within_a_thousandth_by_its_box():
    model, x = linear(), images(20)
    y = model(x).argmax(1)
    found = smallest_perturbation(model, x, y, box=(0, 1))
    free = smallest_perturbation(model, x, y, box=None)
    reached = np.isfinite(found.upper)
    assert found.lower[reached] == pytest.approx(found.upper[reached], rel=1e-3)
    assert np.isinf(found.lower[~reached]).all()  # no image at all is given another class
    assert free.lower == pytest.approx(free.upper, rel=1e-3)
    assert (found.upper >= free.upper * (1 - 1e-5)).all()


def test_a_target_is_reached():
    model, x = dense(), images(12)
    y = model(x).argmax(1)
    target = (y + 1) % 5
    found = smallest_perturbation(model, x, y, box=None, target=target)
    assert (model(found.x_adv).argmax(1) == target).all()
    assert (found.upper >= smallest_perturbation(model, x, y, box=None).upper * (1 - 1e-3)).all()


def test_normalisation_dropout_softmax_and_nesting_are_seen_through():
    x = images()
    norm = nn.BatchNorm1d(12)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    first, last = nn.Linear(16, 12), nn.Linear(12, 5)
    model = network(nn.Flatten(), nn.Sequential(first, norm, nn.ReLU()), nn.Dropout(), last, nn.Softmax(1))
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    plain = network(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), last)
    plain[1].weight.copy_(first.weight * scale[:, None])
    plain[1].bias.copy_((first.bias - norm.running_mean) * scale + norm.bias)
    y = plain(x).argmax(1)
    seen, expected = (smallest_perturbation(one, x, y, box=None) for one in (model, plain))
    assert (seen.lower > 0).all()
    assert seen.lower == pytest.approx(expected.lower, rel=1e-4)
    assert seen.upper == pytest.approx(expected.upper, rel=1e-3)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda z: z.flatten(1)[:, :3], "function"),
        (network(nn.Flatten(), nn.Linear(16, 4), nn.Sigmoid(), nn.Linear(4, 3)), "Sigmoid"),
        (network(nn.Conv2d(1, 2, 3, dilation=2, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)), "dilation"),
        (network(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(16, 3)), "normalisation"),
    ],
)
def test_it_says_why_nothing_is_certified(model, says):
    x = images()
    found = smallest_perturbation(model, x, model(x).argmax(1), box=(0, 1))
    assert (found.lower == 0).all()
    assert not found.certificate
    assert says in found.why_not
    assert smallest_perturbation(model, x, model(x).argmax(1), box=(0, 1), certify=False).why_not


def test_steps_on_slopes_raise_what_is_certified():
    model, x = dense(), images(4)
    y = model(x).argmax(1)
    plain, risen = (smallest_perturbation(model, x, y, box=None, slope_steps=steps) for steps in (0, 10))
    assert (risen.lower >= plain.lower * (1 - 1e-9)).all()
    assert risen.lower.sum() > plain.lower.sum()
    assert (risen.lower <= risen.upper).all()


def test_sets_and_steps_are_the_callers():
    model, x = dense(), images(3)
    y = model(x).argmax(1).to(torch.int32)
    long = smallest_perturbation(model, x, y, box=(0, 1), attacks=THOROUGH[:-1])
    short = smallest_perturbation(model, x, y, box=(0, 1), attacks=("ddn",), steps={"ddn": 5})
    assert set(short.attack) <= {"ddn", ""}
    assert (long.upper <= short.upper * (1 + 1e-6)).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": np.zeros((2, 16), np.float32)}, "torch.as_tensor"),
        ({"x": torch.zeros(2, 16, dtype=torch.uint8)}, "floating point"),
        ({"x": torch.zeros(0, 16), "y": torch.zeros(0, dtype=torch.long)}, "a point and a coordinate at least"),
        ({"y": None}, "class numbers, got None"),
        ({"y": torch.tensor([0, 7])}, "from 0 to 4, got 7"),
        ({"y": torch.tensor([0.0, 1.0])}, "integer"),
        ({"y": torch.tensor([0])}, "each of 2 points"),
        ({"box": (1, 0)}, "lowest and the highest"),
        ({"box": (0.5, 1)}, "inside the box"),
        ({"target": torch.tensor([0, 0])}, "another class"),
        ({"attacks": "ddn"}, "sequence of names"),
        ({"slope_steps": -1}, "at least 0, got -1"),
        ({"model": lambda z: z[:, :2] @ torch.zeros(2)}, "logits"),
        ({"x": torch.zeros(2, 15)}, "must take x"),
    ],
)
def test_bad_input_gets_one_line(change, says):
    given = {"model": linear(), "x": torch.zeros(2, 16), "y": torch.tensor([0, 1]), "box": (0, 1), **change}
    with pytest.raises(UsageError, match=says) as raised:
        smallest_perturbation(given.pop("model"), given.pop("x"), given.pop("y"), **given)
    assert "\n" not in str(raised.value)


def test_there_is_no_default_box():
    with pytest.raises(TypeError, match="box"):
        smallest_perturbation(linear(), images(), torch.zeros(6, dtype=torch.long))
