"""What is measured of examples in each classifier's own space, beside sums and loops by hand."""

import numpy as np
import pytest
import torch

from empirical.attacks.penalised import Penalised
from empirical.latent_defence.attacked import Examples, attempts, background, coded, penalties, sizes, transfer
from empirical.latent_defence.setting import CODES, KINDS, PENALTIES
from empirical.models.shallow import CLASSIFIERS


def examples(reached=(True, True, False)):
    """Three attempts on images of 2 x 2 pixels."""
    x = torch.tensor([[0.0, 0.0, 0.6, 0.8], [0.0, 0.3, 0.0, 0.4], [1.0, 0.0, 0.0, 0.0]]).reshape(3, 1, 2, 2)
    delta = torch.tensor([[0.3, 0.0, 0.4, 0.0], [0.0, 0.0, 0.0, 0.1], [0.0, 0.0, 0.0, 0.0]]).reshape(3, 1, 2, 2)
    flags = torch.tensor(reached)
    return Examples(x, x + delta, torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]), flags, ~flags)


def test_sizes_are_means_over_what_reached_its_goal():
    found = sizes(examples())
    assert found["robustness"] == pytest.approx((0.5 / 1 + 0.1 / 0.5) / 2, rel=1e-6)
    assert found["absolute"] == pytest.approx(0.3, rel=1e-6)
    assert found["success"] == pytest.approx(2 / 3)
    assert found["stalled"] == pytest.approx(1 / 3)
    assert found["attempts"] == 3


def test_what_never_reached_its_goal_has_no_size():
    found = sizes(examples((False, False, False)))
    assert np.isnan([found["robustness"], found["absolute"]]).all()
    assert (found["success"], found["stalled"]) == (0, 1)
    assert np.isnan(background(examples((False, False, False)))).all()


def test_the_background_is_where_the_clean_pixel_is_0():
    energy, white = background(examples())
    assert energy == pytest.approx((0.09 / 0.25 + 0) / 2, rel=1e-6)
    assert white == pytest.approx(0.5)


class Fixed(torch.nn.Module):
    """A classifier that gives every input the class that its first number stands for, in tenths."""

    def forward(self, x):
        return -(torch.arange(10) - 10 * x.flatten(1)[:, :1]).abs()


class Shifted:
    """A way to codes that are the images, moved by a constant."""

    def __init__(self, shift):
        self.shift = shift

    def codes(self, x, _stream):
        return x.flatten(1) + self.shift


def test_examples_are_shown_to_each_other_classifier_and_coded_for_their_own():
    """The first example is at 0.3 from 0, with label 0 and goal 1; the second at 0, with label 1 and goal 2."""
    made = {"1l": examples(), "2l": examples((False, True, False)), "lrl": examples((False, False, False))}
    models = {kind: Fixed() for kind in KINDS}
    found = transfer(models, made)
    np.testing.assert_array_equal(found[0], [0, 0, 0])
    assert np.isnan(found[2]).all()
    ways = {space: Shifted(0.1 * number) for number, space in enumerate(CODES)}
    shown = coded(ways, dict.fromkeys(CODES, models), made)
    np.testing.assert_array_equal(shown["coded_accuracy"][0, :2], [0.5, 0])  # clean, both are said to be 0
    np.testing.assert_array_equal(shown["coded_accuracy"][1, :2], [0.5, 1])
    np.testing.assert_array_equal(shown["adversarial_accuracy"][1, :2], [0.5, 1])  # said to be 4 and 1
    np.testing.assert_array_equal(shown["hit"][2, :2], [0.5, 1])  # said to be 5 and 2
    for name in ("adversarial_accuracy", "coded_accuracy", "hit"):
        assert shown[name].shape == (4, 3)
        assert np.isnan(shown[name][:, 2]).all()


@pytest.mark.parametrize("box", [(0.0, 1.0), None])
def test_linear_classifiers_stall_where_theory_says_so(box):
    model = CLASSIFIERS["1l"](0, 12, 5)
    with torch.no_grad():
        model[1].weight.mul_(2)
    x = torch.rand(200, 12, generator=torch.Generator().manual_seed(1))
    labels = model(x).argmax(1)
    found = penalties(model, x, labels, box)
    np.testing.assert_array_equal(found["stalled_at"], found["stall_certified"])
    assert found["stall_certified"][0] == 0
    assert 0 < found["stall_certified"][PENALTIES.index(1.0)] < 1
    assert found["stall_certified"][-1] == 1
    assert (found["success_at"] + found["stalled_at"] <= 1).all()


def test_attempts_are_on_inputs_that_are_classified_right_and_stay_in_their_box():
    model = CLASSIFIERS["lrl"](0, 12, 30)
    with torch.no_grad():
        model[3].weight.mul_(20)
    x = torch.rand(300, 12, generator=torch.Generator().manual_seed(1))
    labels = model(x).argmax(1)
    labels[::2] = (labels[::2] + 1) % 10
    found = attempts(model, x, labels, 1, Penalised(0.01, rate=0.2))
    assert (model(found.x).argmax(1) == found.labels).all()
    assert (found.goal != found.labels).all()
    assert found.x_adv.min() >= 0
    assert found.x_adv.max() <= 1
    free = attempts(model, x, labels, 1, Penalised(0.01, rate=0.2, box=None))
    assert free.x_adv.min() < 0 or free.x_adv.max() > 1
    chosen = free.reached.nonzero()[:, 0]
    said = model(free.x_adv).softmax(1)[chosen, free.goal[chosen]]
    assert (said >= 0.95).all()


def test_a_classifier_that_has_nothing_right_is_not_attacked():
    x, wrong = torch.rand(20, 1, 2, 2), torch.full((20,), 9)
    found = penalties(CLASSIFIERS["1l"](0, 4, 3), x, 1 - wrong % 2, (0.0, 1.0))
    assert list(found) == ["stalled_at", "success_at", "robustness_at", "stall_certified"]
    never = penalties(Constant(), x, wrong, (0.0, 1.0))
    assert all(np.isnan(values).all() and len(values) == len(PENALTIES) for values in never.values())


class Constant(torch.nn.Sequential):
    """A classifier of one linear layer that says 0 of everything."""

    def __init__(self):
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(4, 10))
        torch.nn.init.zeros_(self[1].weight)
        torch.nn.init.zeros_(self[1].bias)
