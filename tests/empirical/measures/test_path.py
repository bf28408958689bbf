"""The segment between two images of a trained network, against theory's functions of the same gradients."""

import numpy as np
import pytest
import torch

from empirical.measures.path import ends, midpoints, path
from fragility.engine.study import UsageError
from theory.gradients import path_length

NODES = 7


@pytest.fixture(scope="module")
def network():
    """A small tanh network with three outputs, in double precision, and its weights."""
    made = torch.Generator().manual_seed(3)
    first = torch.randn(16, 6, generator=made, dtype=torch.float64)
    second = torch.randn(3, 16, generator=made, dtype=torch.float64)
    return lambda x: torch.tanh(x.flatten(1) @ first.T) @ second.T, first, second


@pytest.fixture(scope="module")
def images():
    """Five pairs of images of 2 x 3 pixels."""
    made = torch.Generator().manual_seed(4)
    return torch.rand(2, 5, 1, 2, 3, generator=made, dtype=torch.float64)


def by_hand(network, x, label, target):
    """f and its gradient at x, (..., 6), by the chain rule in NumPy."""
    first, second = network[1].numpy(), network[2].numpy()
    hidden = np.tanh(x @ first.T)
    out = second[label] - second[target]
    return hidden @ out, ((1 - hidden**2) * out) @ first


def test_a_path_agrees_with_theory(network, images):
    clean, other = images
    fractions = path_length.nodes(NODES, "ends")
    np.testing.assert_allclose(ends(NODES), fractions, rtol=1e-15)
    seen = path(network[0], clean, other, 2, 0, fractions)
    start, difference = clean.flatten(1).numpy(), (other - clean).flatten(1).numpy()
    values, gradients = by_hand(network, start[:, None] + fractions[:, None] * difference[:, None], 2, 0)
    np.testing.assert_allclose(seen.values, values, rtol=1e-12)
    np.testing.assert_allclose(seen.norms, np.linalg.norm(gradients, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(seen.length, np.linalg.norm(difference, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(seen.cosines, path_length.cosines(gradients, difference), rtol=1e-10)
    np.testing.assert_allclose(seen.change, path_length.change_along(gradients, difference), rtol=1e-10)
    np.testing.assert_allclose(seen.weighted, path_length.weighted_compression(gradients, difference), rtol=1e-10)
    expected = path_length.signed_length(gradients, difference, gradients[:, 0])
    np.testing.assert_allclose(seen.signed_length(seen.norms[:, 0]), expected, rtol=1e-10)


def test_midpoints_carry_no_angle_but_the_change_of_the_output(network, images):
    clean, other = images
    seen = path(network[0], clean, other, 1, 2, midpoints(400))
    np.testing.assert_allclose(seen.fractions, path_length.nodes(400, "midpoint"), rtol=1e-14)
    change = by_hand(network, other.flatten(1).numpy(), 1, 2)[0] - by_hand(network, clean.flatten(1).numpy(), 1, 2)[0]
    np.testing.assert_allclose(seen.change, change, rtol=1e-3)


@pytest.mark.parametrize("at_once", [1, 4, 1000])
def test_batches_change_nothing(network, images, at_once):
    clean, other = images
    whole = path(network[0], clean, other, 0, 1, ends(NODES))
    sizes = []

    def watched(x):
        sizes.append(len(x))
        return network[0](x)

    batched = path(watched, clean, other, 0, 1, ends(NODES), at_once=at_once)
    assert max(sizes) <= at_once
    assert sum(sizes) == 5 * NODES
    np.testing.assert_allclose(batched.slopes, whole.slopes, rtol=1e-12)
    np.testing.assert_allclose(batched.values, whole.values, rtol=1e-12)


def test_every_segment_may_have_its_own_classes(network, images):
    clean, other = images
    labels, targets = torch.tensor([0, 1, 2, 0, 1]), torch.tensor([1, 2, 0, 2, 0])
    mixed = path(network[0], clean, other, labels, targets, ends(3))
    for row in range(5):
        one = path(network[0], clean[[row]], other[[row]], int(labels[row]), int(targets[row]), ends(3))
        np.testing.assert_allclose(mixed.slopes[row], one.slopes[0], rtol=1e-12)


def test_where_there_is_no_gradient_there_is_no_angle(images):
    clean, other = images
    flat = path(lambda x: torch.relu(x.flatten(1) - 9)[:, :2], clean, other, 0, 1, ends(3))
    assert np.isnan(flat.cosines).all()
    assert np.isnan(flat.weighted).all()
    assert (flat.norms == 0).all()
    still = path(lambda x: x.flatten(1)[:, :2], clean, clean, 0, 1, ends(3))
    assert np.isnan(still.cosines).all()
    assert (still.slopes == 0).all()


NAN = float("nan")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"clean": torch.full((5, 1, 2, 3), NAN)}, "x must be finite"),
        (
            {"other": torch.zeros(5, 1, 2, 2)},
            r"clean and other must have one shape and dtype, got \(5, 1, 2, 3\) torch",
        ),
        ({"other": torch.zeros(5, 1, 2, 3)}, "must have one shape and dtype, .* torch.float64 and .* torch.float32"),
        ({"clean": np.zeros((5, 6))}, "x must be a tensor of torch, got ndarray"),
        ({"label": 3}, "label must be class numbers from 0 to 2, got 3"),
        ({"target": -1}, "target must be class numbers from 0 to 2, got -1"),
        ({"label": 1.0}, "label must be a class number .* got dtype float64"),
        ({"target": [0, 1]}, r"target must be a class number for each of 5 points, got shape \(2,\)"),
        ({"fractions": [0.0, 1.5]}, r"fractions must be numbers in \[0, 1\], one at least, got \[0.  1.5\]"),
        ({"fractions": []}, "fractions must be numbers in"),
        ({"fractions": [NAN]}, "fractions must be finite"),
        ({"fractions": 0.5}, r"fractions must have shape \(any\), got \(\)"),
        ({"at_once": 0}, "at_once must be at least 1, got 0"),
        ({"model": lambda x: x.flatten(1)[:, :3].detach()}, "must have a gradient with respect to x"),
        ({"model": lambda x: x.flatten(1).sum(1)}, r"must return logits \(15, classes\) with two classes at least"),
        ({"model": torch.nn.Linear(3, 3)}, "the model must take x, torch.float64 .* got RuntimeError"),
    ],
)
def test_what_cannot_be_measured_is_one_line(network, images, change, says):
    clean, other = images
    given = {
        "model": network[0],
        "clean": clean,
        "other": other,
        "label": 0,
        "target": 1,
        "fractions": ends(3),
        **change,
    }
    with pytest.raises(UsageError, match=says) as error:
        path(**given)
    assert "\n" not in str(error.value)


def test_nodes_are_counted_from_where_they_exist():
    assert ends(2).tolist() == [0, 1]
    assert midpoints(1).tolist() == [0.5]
    with pytest.raises(UsageError, match="count must be at least 2 where both ends are nodes, got 1"):
        ends(1)
    with pytest.raises(UsageError, match="count must be at least 1, got 0"):
        midpoints(0)


@pytest.mark.parametrize("kind", [np.int32, np.uint8, list])
def test_classes_are_integers_of_any_kind(network, images, kind):
    labels = [0, 1, 2, 0, 1]
    given = labels if kind is list else np.array(labels, kind)
    expected = path(network[0], *images, torch.tensor(labels), 2, ends(3)).slopes
    np.testing.assert_array_equal(path(network[0], *images, given, np.int16(2), ends(3)).slopes, expected)
