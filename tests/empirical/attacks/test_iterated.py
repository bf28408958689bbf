"""The iterated attacks, against gradients written down by hand on a linear model."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.attacks.iterated import METHODS, iterated
from fragility.engine.study import UsageError
from theory.conditioning.gradient_attacks import fast_gradient_accuracy

SIZE, PIXELS, CLASSES = 23, 30, 5


def linear(seed=0, scale=1.0):
    drawn = torch.Generator().manual_seed(seed)
    model = nn.Linear(PIXELS, CLASSES, dtype=torch.float64).requires_grad_(False)
    model.weight.copy_(scale * torch.randn(CLASSES, PIXELS, generator=drawn, dtype=torch.float64))
    model.bias.copy_(torch.randn(CLASSES, generator=drawn, dtype=torch.float64))
    return model


def images(seed=1):
    return torch.rand(SIZE, PIXELS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(model, x, method, radius, steps):
    """The gradient of the cross-entropy is W^T (p - e_y); all images after each step, (steps, N, pixels)."""
    W, b = model.weight.numpy(), model.bias.numpy()
    x = x.numpy()
    logits = x @ W.T + b
    chosen = logits.argmax(1) if method == "fgsm" else logits.argmin(1)
    sign, found = (1 if method == "fgsm" else -1), []
    for _ in range(steps):
        logits = x @ W.T + b
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(len(x)), chosen] -= 1
        x = np.clip(x + sign * radius * np.sign(p @ W), 0, 1)
        found.append(x)
    return np.stack(found)


@pytest.mark.parametrize("method", ["fgsm", "fgmt"])
@pytest.mark.parametrize("radius", [0.004, 0.06, 0.4])
def test_it_is_the_closed_form_of_a_linear_model(method, radius):
    model, x = linear(), images()
    expected = by_hand(model, x, method, radius, 7)
    classes, moved, ends = iterated(model, x, method, radius, 7)
    np.testing.assert_allclose(ends.numpy(), expected[-1], rtol=0, atol=1e-14)
    np.testing.assert_array_equal(classes, (expected @ model.weight.numpy().T + model.bias.numpy()).argmax(2))
    np.testing.assert_allclose(moved, np.abs(expected - x.numpy()).max(2), atol=1e-14)
    assert classes.shape == moved.shape == (7, SIZE)


def test_two_classes_by_hand():
    """Three pixels, for which both attacks are one."""
    model = nn.Linear(3, 2, bias=False, dtype=torch.float64).requires_grad_(False)
    model.weight.copy_(torch.tensor([[1, -2, 0.5], [0, 1, 1.5]]))
    x = torch.tensor([[0.5, 0.2, 0.4]], dtype=torch.float64)  # logits .3 and .8
    for method in ("fgsm", "fgmt"):  # with two classes away from one is towards the other
        np.testing.assert_allclose(iterated(model, x, method, 0.1, 1)[2].numpy(), [[0.6, 0.1, 0.3]], atol=1e-15)


def test_one_trajectory_gives_all_its_beginnings():
    model, x = linear(), images()
    whole, far, _ = iterated(model, x, "fgsm", 0.03, 12)
    for steps in (1, 5):
        classes, moved, _ = iterated(model, x, "fgsm", 0.03, steps)
        np.testing.assert_array_equal(classes, whole[:steps])
        np.testing.assert_array_equal(moved, far[:steps])


@pytest.mark.parametrize("method", ["fgsm", "fgmt"])
def test_it_stays_in_the_box_and_leaves_no_ball_behind(method):
    x = images()
    _, moved, ends = iterated(linear(), x, method, 0.02, 12)
    assert ends.min() >= 0
    assert ends.max() <= 1
    assert moved[0].max() == pytest.approx(0.02)
    assert moved[-1].max() == pytest.approx(0.24)  # twelve full steps, as no sign of most pixels ever changes
    assert (moved <= 0.02 * np.arange(1, 13)[:, None] + 1e-12).all()


def test_without_a_radius_nothing_moves():
    model, x = linear(), images()
    classes, moved, ends = iterated(model, x, "fgmt", 0.0, 3)
    np.testing.assert_array_equal(classes, np.tile(model(x).argmax(1).numpy(), (3, 1)))
    assert not moved.any()
    assert torch.equal(ends, x)


def test_an_error_may_be_repaired():
    """No label is known: what is said is left, right or wrong."""
    model, x = linear(), images()
    said = model(x).argmax(1).numpy()
    after = iterated(model, x, "fgsm", 0.1, 4)[0][-1]
    assert (after != said).all()
    wrong = (said + 1) % CLASSES
    assert (after == wrong).any()


def test_targets_are_reached():
    model, x = linear(), images()
    least = model(x).argmin(1).numpy()
    np.testing.assert_array_equal(iterated(model, x, "fgmt", 0.2, 8)[0][-1], least)


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_images_do_not_know_of_each_other(at_once):
    model, x = linear(), images()
    for one, other in zip(
        iterated(model, x, "fgsm", 0.05, 3), iterated(model, x, "fgsm", 0.05, 3, at_once), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_model_and_images_are_left_alone():
    model, x = linear(), images()
    model.weight.requires_grad_(True)
    kept = x.clone()
    _, _, ends = iterated(model, x, "fgsm", 0.1, 3)
    assert torch.equal(x, kept)
    assert not x.requires_grad
    assert not ends.requires_grad
    assert model.weight.grad is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("pgd", 0.1, 1), "the method must be one of fgsm, fgmt, got 'pgd'"),
        (("fgsm", -0.1, 1), "the radius must be finite and at least 0, got -0.1"),
        (("fgsm", float("nan"), 1), "the radius must be finite"),
        (("fgsm", 0.1, 0), "steps and at_once must be at least 1, got 0 and 100"),
    ],
)
def test_bad_arguments_get_one_line(arguments, line):
    with pytest.raises(UsageError, match=line):
        iterated(linear(), images(), *arguments)


def test_bad_images_and_models_get_one_line():
    with pytest.raises(UsageError, match=r"images must lie in \[0, 1\], got entries from 0"):
        iterated(linear(), 2 * images(), "fgsm", 0.1, 1)
    with pytest.raises(UsageError, match="must have a gradient"):
        iterated(lambda x: linear()(x).detach(), images(), "fgsm", 0.1, 1)


@pytest.mark.parametrize("method", METHODS)
def test_accuracies_after_each_step_are_those_that_theory_has_in_closed_form(method):
    """In float64, so that no sign of a gradient is lost in rounding."""
    model, stream = linear(3, 0.8), torch.Generator().manual_seed(11)
    x = torch.rand(200, PIXELS, generator=stream, dtype=torch.float64)
    labels = torch.randint(CLASSES, (200,), generator=stream).numpy()
    weights = [part.numpy() for part in model.parameters()]
    for radius in (0.01, 0.1, 0.3):
        said, _, _ = iterated(model, x, method, radius, 6)
        expected = fast_gradient_accuracy(*weights, x.numpy(), labels, radius, 6, target=method == "fgmt")
        np.testing.assert_array_equal((said == labels).mean(axis=1), expected[1:])
