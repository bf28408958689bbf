"""Ranks of labels, attacks of one step and of many, and what a watch sees of a network after each epoch."""

import numpy as np
import torch
from torch import nn

from empirical.convnorm_width import ranks as module
from empirical.convnorm_width.attacks import RADIUS, attacks
from empirical.convnorm_width.course import Course
from empirical.convnorm_width.ranks import accuracy, ranks
from empirical.models.small import tiny
from empirical.training.adversarial import InputAttack
from empirical.training.network import Recipe, train
from theory.convolution.robust_accuracy import projected_ascent, signed_step


class Given(nn.Module):
    """Logits that are looked up by the first pixel."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, x):
        return self.logits[x[:, 0, 0, 0].long()]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=30, seed=0):
    rng = np.random.default_rng(seed)
    x = torch.tensor(rng.random((count, 1, 4, 4), dtype=np.float32))
    return x, torch.tensor(rng.integers(0, 10, count))


def cross_entropy_gradient(model, y):
    def found(x):
        point = x.clone().requires_grad_()
        return torch.autograd.grad(nn.functional.cross_entropy(model(point), y, reduction="sum"), point)[0]

    return found


def test_ranks_are_those_of_a_stable_order_of_the_logits():
    logits = np.round(np.random.default_rng(0).normal(size=(40, 7)), 0)  # many are equal
    y = np.random.default_rng(1).integers(0, 7, 40)
    order = np.argsort(-logits, axis=1, kind="stable")
    expected = [int(np.flatnonzero(row == label)[0]) for row, label in zip(order, y, strict=True)]
    x = torch.arange(40.0)[:, None, None, None]
    found = ranks(Given(logits), x, torch.tensor(y), generator())
    assert found.tolist() == expected
    assert accuracy(found) == np.mean(logits.argmax(1) == y)
    assert accuracy(found, 5) == np.mean(np.array(expected) < 5)


def test_logits_that_are_not_finite_are_never_right():
    logits = np.array([[np.nan] * 6, [np.inf, 0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0, 0]])
    x = torch.arange(3.0)[:, None, None, None]
    assert ranks(Given(logits), x, torch.zeros(3, dtype=torch.int64), generator()).tolist() == [6, 6, 0]


def test_a_batch_at_a_time_is_all_at_once(monkeypatch):
    model, (x, y) = tiny(0).eval().requires_grad_(False), images()
    whole = [ranks(model, x, y, generator(), attack) for attack in (None, *attacks().values())]
    monkeypatch.setattr(module, "EVALUATED", 15)
    parts = [ranks(model, x, y, generator(), attack) for attack in (None, *attacks().values())]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_fgsm_is_one_signed_step_within_the_box():
    model, (x, y) = tiny(0).eval().requires_grad_(False), images()
    moved = attacks()["fgsm"].moved(model, x, y, generator())
    expected = signed_step(x, cross_entropy_gradient(model, y)(x), RADIUS).clamp(0, 1)
    torch.testing.assert_close(moved, expected)


def test_pgd_is_ten_signed_steps_of_2_over_255_in_ball_and_box():
    """Of images far from the ends of the box, where it does not matter that every step stays in it."""
    model, (x, y) = tiny(0).eval().requires_grad_(False), images()
    x = 0.25 + x / 2
    point = x + RADIUS * (2 * torch.rand(x.shape, generator=generator(5)) - 1)
    gradient = cross_entropy_gradient(model, y)
    for _ in range(10):
        point = torch.minimum(torch.maximum(point + 2 / 255 * gradient(point).sign(), x - RADIUS), x + RADIUS)
    found = attacks()["pgd"].moved(model, x, y, generator(5))
    torch.testing.assert_close(found, point)
    from_the_image = InputAttack(RADIUS, 10, random=False).moved(model, x, y, generator())
    torch.testing.assert_close(from_the_image, projected_ascent(x, gradient, RADIUS, 2 / 255, 10))


def learnable():
    """Images whose label is the brightest of four rows."""
    x, _ = images()
    return x, x.mean((1, 3)).argmax(1)


def right(model, x, y):
    return np.mean(model(x).argmax(1).numpy() == y.numpy())


def watched(epochs):
    x, y = learnable()
    course = Course(x[20:], y[20:], 3, 7)
    model = tiny(0)
    train(model, x[:20], y[:20], epochs, 0, Recipe("Adam", 0.05, 1.0, 8), watch=course)
    return model, course, (x[20:], y[20:])


def test_a_course_has_the_accuracies_after_each_epoch():
    model, course, (x, y) = watched(4)
    for name in ("clean", *attacks()):
        assert course.accuracies(name).shape == (4,)
        shorter = [watched(epochs)[1].accuracies(name)[-1] for epochs in (1, 2, 3)]
        assert course.accuracies(name)[:3].tolist() == shorter
    assert course.accuracies("clean")[-1] == right(model, x, y)
    fgsm = signed_step(x, cross_entropy_gradient(model, y)(x), RADIUS).clamp(0, 1)
    assert course.accuracies("fgsm")[-1] == right(model, fgsm, y)


def test_the_best_network_is_that_of_the_highest_clean_accuracy():
    _, course, (x, y) = watched(5)
    clean = course.accuracies("clean")
    assert len({*clean}) > 1
    best = tiny(1)
    best.load_state_dict(course.best)
    assert right(best, x, y) == clean.max()
    first, _, _ = watched(int(clean.argmax()) + 1)
    for name, value in first.state_dict().items():
        assert torch.equal(value, course.best[name])


def test_watching_changes_no_weight_and_survives_a_stop(tmp_path):
    x, y = learnable()
    recipe = Recipe("Adam", 0.05, 1.0, 8)

    def course():
        return Course(x[20:], y[20:], 3, 7)

    plain, whole, begun, resumed = (tiny(0) for _ in range(4))
    train(plain, x[:20], y[:20], 3, 0, recipe)
    seen, again = course(), course()
    train(whole, x[:20], y[:20], 3, 0, recipe, watch=seen)
    train(begun, x[:20], y[:20], 1, 0, recipe, checkpoint=tmp_path / "course.pt", watch=course())
    train(resumed, x[:20], y[:20], 3, 0, recipe, checkpoint=tmp_path / "course.pt", watch=again)
    for model in (whole, resumed):
        for one, other in zip(plain.parameters(), model.parameters(), strict=True):
            assert torch.equal(one, other)
    assert again.accuracies("pgd").tolist() == seen.accuracies("pgd").tolist()
    assert again.best.keys() == seen.best.keys()
    assert all(torch.equal(again.best[name], value) for name, value in seen.best.items())
