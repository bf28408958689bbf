"""FGSM and FGMT on linear softmax networks against backpropagation, brute force, and what is known by hand."""

from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.conditioning.gradient_attacks import (
    cross_entropy,
    fast_gradient,
    fast_gradient_accuracy,
    input_gradient,
    lost_radius,
    two_class_attack,
)
from theory.points.probes import sign_step, worst_margin

SEEDS = st.integers(0, 10**6)
# two classes and an image, with logits .3 and .8
W, B, X = np.array([[1, -2, 0.5], [0, 1, 1.5]]), np.zeros(2), np.array([0.5, 0.2, 0.4])


def network(seed, classes=None, images=12):
    rng = np.random.default_rng(seed)
    classes, n = classes or int(rng.integers(2, 6)), int(rng.integers(1, 6))
    weights = rng.standard_normal((classes, n)) * 10 ** rng.uniform(-0.5, 1)
    return weights, rng.standard_normal(classes), rng.random((images, n)), rng


def predictions(weights, bias, x):
    return np.argmax(x @ weights.T + bias, axis=-1)


def by_backpropagation(weights, bias, x, epsilon, steps, target):
    """The images after every step, with gradients from torch, as an attack on any network takes them."""
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(*reversed(weights.shape)).double()
    with torch.no_grad():
        layer.weight.copy_(torch.asarray(weights))
        layer.bias.copy_(torch.asarray(bias))
    image = torch.asarray(x)
    clean = layer(image)
    aim = clean.argmin(dim=-1) if target else clean.argmax(dim=-1)
    found = [x]
    for _ in range(steps):
        image = image.detach().requires_grad_()
        torch.nn.functional.cross_entropy(layer(image), aim, reduction="sum").backward()
        image = (image + (-epsilon if target else epsilon) * image.grad.sign()).clip(0, 1)
        found.append(image.detach().numpy())
    return np.array(found)


def test_two_classes_by_hand():
    first = np.array(0)
    assert fast_gradient(W, B, X, 0.1, label=first) == pytest.approx([0.4, 0.3, 0.5])
    assert fast_gradient(W, B, X, 0.1, target=True) == pytest.approx([0.6, 0.1, 0.3])
    assert fast_gradient(W, B, X, 0.1) == pytest.approx([0.6, 0.1, 0.3])
    assert two_class_attack(W, B, X, 0.1, label=first) == pytest.approx([0.4, 0.3, 0.5])
    assert np.array_equal(fast_gradient(W, B, X, 0.1, steps=0), X)


def test_twelve_steps_go_twelve_times_as_far():
    assert np.max(np.abs(fast_gradient(W, B, X, 0.02) - X)) == pytest.approx(0.02)
    assert np.max(np.abs(fast_gradient(W, B, X, 0.02, 12, box=None) - X)) == pytest.approx(0.24)


@given(SEEDS, st.floats(0.001, 0.4), st.integers(1, 6), st.booleans())
def test_backpropagation_finds_the_same(seed, epsilon, steps, target):
    weights, bias, x, rng = network(seed)
    found = by_backpropagation(weights, bias, x, epsilon, steps, target)
    assert fast_gradient(weights, bias, x, epsilon, steps, target) == pytest.approx(found[-1], abs=1e-12)
    labels = rng.integers(len(weights), size=len(x))
    expected = [np.mean(predictions(weights, bias, at) == labels) for at in found]
    assert fast_gradient_accuracy(weights, bias, x, labels, epsilon, steps, target) == pytest.approx(expected)


@given(SEEDS)
def test_loss_and_gradient_are_those_of_torch(seed):
    torch = pytest.importorskip("torch")
    weights, bias, x, rng = network(seed)
    labels = rng.integers(len(weights), size=len(x))
    image = torch.asarray(x).requires_grad_()
    losses = torch.nn.functional.cross_entropy(
        image @ torch.asarray(weights).T + torch.asarray(bias), torch.asarray(labels), reduction="none"
    )
    losses.sum().backward()
    assert cross_entropy(weights, bias, x, labels) == pytest.approx(losses.detach().numpy(), abs=1e-12)
    gradient = image.grad.numpy()
    assert input_gradient(weights, bias, x, labels) == pytest.approx(gradient, abs=1e-12 * np.max(np.abs(weights)))


@given(SEEDS, st.booleans())
def test_one_step_without_a_box_is_the_step_in_closed_form(seed, descend):
    weights, bias, x, rng = network(seed)
    labels = rng.integers(len(weights), size=len(x))
    step = sign_step(weights, x, labels, 0.1, bias, descend)
    assert fast_gradient(weights, bias, x, 0.1, 1, descend, box=None, label=labels) == pytest.approx(step, abs=1e-15)


@given(SEEDS, st.floats(0, 0.3), st.integers(0, 5))
def test_no_corner_of_ball_and_box_is_worse_for_two_classes(seed, epsilon, steps):
    weights, bias, x, _ = network(seed, classes=2, images=3)
    moved = two_class_attack(weights, bias, x, epsilon, steps)
    assert moved == pytest.approx(fast_gradient(weights, bias, x, epsilon, steps), abs=1e-12)
    assert moved == pytest.approx(fast_gradient(weights, bias, x, epsilon, steps, target=True), abs=1e-12)
    for clean, end, y in zip(x, moved, predictions(weights, bias, x), strict=True):
        ends = [(max(pixel - steps * epsilon, 0), min(pixel + steps * epsilon, 1)) for pixel in clean]
        logits = np.array(list(product(*ends))) @ weights.T + bias
        at_end = weights @ end + bias
        assert at_end[y] - at_end[1 - y] == pytest.approx(np.min(logits[:, y] - logits[:, 1 - y]), abs=1e-9)


@given(SEEDS, st.floats(0.001, 0.2), st.integers(1, 12), st.booleans())
def test_accuracy_is_above_what_margins_certify_and_images_are_attacked_one_by_one(seed, epsilon, steps, target):
    weights, bias, x, rng = network(seed)
    labels = rng.integers(len(weights), size=len(x))
    found = fast_gradient_accuracy(weights, bias, x, labels, epsilon, steps, target)
    certified = [
        np.mean(worst_margin(weights, x, labels, count * epsilon, bias, "linf") > 0) for count in range(steps + 1)
    ]
    assert np.all(found >= np.array(certified) - 1e-12)
    single = [
        fast_gradient_accuracy(weights, bias, *one, epsilon, steps, target)
        for one in zip(x, map(np.asarray, labels), strict=True)
    ]
    assert np.mean(single, axis=0) == pytest.approx(found)
    shape = (3, 4)
    together = fast_gradient(weights, bias, x.reshape(*shape, -1), epsilon, steps, target)
    assert np.array_equal(together.reshape(x.shape), fast_gradient(weights, bias, x, epsilon, steps, target))
    batches = fast_gradient_accuracy(
        weights, bias, x.reshape(*shape, -1), labels.reshape(shape), epsilon, steps, target
    )
    assert batches == pytest.approx(found)


def test_a_wrong_prediction_is_repaired_and_with_the_true_label_it_is_not():
    """Of five images the network misclassifies two, and beyond the reach of all margins it is right on these only."""
    weights, bias, x = (
        np.array([[1.0, 0], [0, 1]]),
        np.zeros(2),
        np.array([[9, 1], [8, 1], [1, 7], [5, 2], [2, 5]]) / 10,
    )
    labels = np.array([0, 0, 1, 1, 0])
    assert fast_gradient_accuracy(weights, bias, x, labels, 0.5, 1, box=None).tolist() == [0.6, 0.4]
    leaked = fast_gradient(weights, bias, x, 0.5, box=None, label=labels)
    assert np.mean(predictions(weights, bias, leaked) == labels) == 0


def test_a_step_towards_a_target_may_overshoot():
    """The target wins in the middle of one pixel's range, and the step of .4 crosses it."""
    weights, bias, x = np.array([[-5.0], [0], [5]]), np.array([2.5, -3, -2.5]), np.array([0.6])
    target = np.array(1)
    moved = fast_gradient(weights, bias, x, 0.4, target=True)
    assert moved == pytest.approx([0.2])
    assert cross_entropy(weights, bias, moved, target) > cross_entropy(weights, bias, x, target) + 0.5


def test_an_image_that_is_led_astray_may_come_back():
    """By a further step of FGSM inside the box, though the loss rises; by a longer step of FGMT that the box cuts."""
    weights, bias = np.array([[0, 0], [0, 0.36], [4.96, -4]]), np.array([0, -0.082, -2.692])
    path = [fast_gradient(weights, bias, np.array([0.2, 0.2]), 0.25, steps) for steps in range(3)]
    assert [int(predictions(weights, bias, at)) for at in path] == [0, 1, 0]
    losses = [cross_entropy(weights, bias, at, np.array(0)) for at in path]
    assert losses[0] < losses[1] < losses[2] < np.log(3)
    weights, bias, x = np.array([[3.0, 1], [-2, 0], [-3, 4]]), np.array([2.0, -3, 1]), np.array([0.3, 0.7])
    ends = [predictions(weights, bias, fast_gradient(weights, bias, x, length, target=True)) for length in (0, 0.3, 1)]
    assert ends == [0, 2, 0]


def test_the_radius_beyond_which_a_prediction_is_lost():
    tie = np.array([[0.5, 0.5]])
    assert lost_radius(np.eye(2), np.zeros(2), tie) == pytest.approx([0])
    near = np.array([[0.5 + 1e-4, 0.5]])
    assert lost_radius(np.eye(2), np.zeros(2), near) == pytest.approx([1e-4 / 2], rel=1e-3)
    assert lost_radius(np.ones((3, 2)), np.arange(3), near).tolist() == [np.inf]


@given(SEEDS)
def test_beyond_that_radius_it_is_lost(seed):
    weights, bias, x, _ = network(seed)
    for image, y, radius in zip(x, predictions(weights, bias, x), lost_radius(weights, bias, x), strict=True):
        if np.isfinite(radius):
            for steps in (1, 4):
                moved = fast_gradient(weights, bias, image, (1 + 1e-6) * radius / steps, steps, box=None)
                assert predictions(weights, bias, moved) != y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_underflows_however_sure_the_network_is(dtype):
    weights = np.array([[2000, 0, 3], [0, 0, 3], [0, 1, 3]], dtype)
    bias, x = np.zeros(3, dtype), np.array([1, 0.5, 0.5], dtype)
    assert fast_gradient(weights, bias, x, 0.25, box=None).tolist() == [0.75, 0.75, 0.5]
    losses = cross_entropy(weights, bias, np.stack([x] * 3), np.arange(3))
    expected = [mpmath.log1p(mpmath.exp(-2000) + mpmath.exp(-1999.5)), 2000, 1999.5]
    assert losses == pytest.approx(np.array(expected, float))
    slopes = np.array([0.0, 2000, 2000])
    assert input_gradient(weights, bias, np.stack([x] * 3), np.arange(3))[:, 0] == pytest.approx(slopes)


@given(SEEDS, st.integers(1, 6), st.booleans())
def test_a_pixel_in_which_all_classes_agree_stays(seed, steps, target):
    weights, bias, x, _ = network(seed)
    weights[:, 0] = weights[0, 0]
    moved = fast_gradient(weights, bias, x, 0.1, steps, target)
    assert np.array_equal(moved[:, 0], x[:, 0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fast_gradient(W[:1], B[:1], X, 0.1), "at least 2 rows"),
        (lambda: fast_gradient(W, np.zeros(3), X, 0.1), "b must have 2 entries"),
        (lambda: fast_gradient(W, B, X[:2], 0.1), "x must have 3 entries"),
        (lambda: fast_gradient(W, B, X, -0.1), "epsilon must be at least 0"),
        (lambda: fast_gradient(W, B, X, 0.1, box=(1, 0)), "box must run"),
        (lambda: fast_gradient(W, B, X, 0.1, label=np.array(2)), "labels must be classes 0 to 1"),
        (lambda: fast_gradient_accuracy(W, B, X[None], np.array([0.0]), 0.1), "labels must be integers"),
        (lambda: two_class_attack(np.eye(3), np.zeros(3), X, 0.1), "W must have 2 rows"),
        (lambda: two_class_attack(W, B, X + 1, 0.1), "x must lie in the box"),
    ],
)
def test_bad_input_gets_one_line(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
