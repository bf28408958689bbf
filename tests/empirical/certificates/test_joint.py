"""Joint certificates beside closed forms, the exact optimum, perturbations that were tried, and float32."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.certificates.joint import certified, exact
from fragility.engine.study import UsageError
from theory.joint.optimum import worst_margin
from theory.things.layers import Conv, Dense, Flatten
from theory.things.network import Budget, Network

RADII_X, RADII_W = (0.0, 0.02, 0.1), (0.0, 0.01, 0.05)
SEEDS = st.integers(0, 10_000)
BOUNDS = ("theorem", "interval", "crown")


def weights(rng, heights=(4, 5, 4, 3)):
    return [rng.normal(size=(high, wide)) / wide**0.5 for wide, high in pairwise(heights)]


def drawn(seed, count=4, biases=False):
    """A dense network, images, and what it says of them: the labels, so that all images are right."""
    rng = np.random.default_rng(seed)
    matrices = weights(rng)
    shifts = [0.1 * rng.normal(size=len(matrix)) for matrix in matrices] if biases else None
    network, x = Network.dense(matrices, shifts), rng.random((count, 4))
    return network, x, network.logits(x).argmax(axis=-1)


def convolutional(rng):
    return Network(
        [
            Conv(rng.normal(size=(3, 1, 3, 3)) / 3, stride=2, padding=1),
            Conv(rng.normal(size=(4, 3, 3, 3)) / 5, stride=2, padding=1),
            Flatten(),
            Dense(rng.normal(size=(3, 16)) / 4),
        ]
    )


def moved(rng, layer, radius):
    """The layer with weights at corners of their ball."""
    if not isinstance(layer, (Dense, Conv)):
        return layer
    weight = layer.weight + radius * rng.choice([-1, 1], size=layer.weight.shape)
    bias = None if layer.bias is None else layer.bias + radius * rng.choice([-1, 1], size=layer.bias.shape)
    same = {} if isinstance(layer, Dense) else {"stride": layer.stride, "padding": layer.padding}
    return type(layer)(weight, bias, **same)


def test_two_linear_classes_by_hand():
    """|f_0 - f_1| falls by 2 epsilon_x and by 2 epsilon_w times the sum of the moved input, all at once."""
    network, x = Network.dense([np.eye(2)]), np.array([[0.8, 0.2], [0.6, 0.4]])
    labels = np.array([0, 0])
    sure = certified(network, x, labels, [0, 0.05, 0.15], [0, 0.06, 0.2])
    margin = np.array([0.6, 0.2])[:, None, None] - 2 * np.array([0, 0.05, 0.15])[:, None]
    worst = margin - 2 * np.array([0, 0.06, 0.2])  # x_0 + x_1 stays 1 in the worst case
    for name in ("interval", "crown"):
        np.testing.assert_array_equal(sure[name], worst > 0)
    np.testing.assert_array_equal(exact(network, x, labels, [0, 0.05, 0.15], [0, 0.06, 0.2], 10), worst > 0)
    assert "printed" not in sure


def solved(network, x, labels, k, i, j):
    """The worst margin of an image at a pair of radii."""
    budget = Budget(RADII_X[i], RADII_W[j], RADII_W[j])
    return worst_margin(network, x[k], int(labels[k]), budget, within=(0, 1))


@settings(max_examples=8)
@given(SEEDS, st.booleans())
def test_the_order_of_certificates_and_the_exact_optimum(seed, biases):
    network, x, labels = drawn(seed, biases=biases)
    sure = certified(network, x, labels, RADII_X, RADII_W)
    assert ("printed" in sure) != biases
    truth = exact(network, x, labels, RADII_X, RADII_W, 60)
    for cell in np.argwhere(np.isnan(truth)):  # weights that close all units leave a tie
        assert solved(network, x, labels, *cell).upper == pytest.approx(0, abs=1e-6)
    truth = np.nan_to_num(truth)
    for weaker, stronger in pairwise(BOUNDS):
        assert (sure[weaker] <= sure[stronger]).all()
    assert (sure["crown"] <= truth).all()
    assert (np.diff(truth, axis=1) <= 0).all()
    assert (np.diff(truth, axis=2) <= 0).all()
    assert (truth[:, 0, 0] == (np.diff(np.sort(network.logits(x)))[:, -1] > 0)).all()


@settings(max_examples=4)
@given(SEEDS)
def test_the_walk_along_the_border_says_what_every_cell_alone_does(seed):
    network, x, labels = drawn(seed, count=2)
    labels[1] = (labels[1] + 1) % 3  # an image that is wrong already
    found = exact(network, x, labels, RADII_X, RADII_W, 60)
    for cell, value in np.ndenumerate(found):
        alone = solved(network, x, labels, *cell)
        assert value == alone.robust or abs(alone.attained) < 1e-12


@pytest.mark.parametrize("kind", ["dense", "biases", "convolutional"])
def test_no_corner_turns_what_is_certified(kind):
    rng = np.random.default_rng(3)
    if kind == "convolutional":
        network, x = convolutional(rng), rng.random((12, 1, 8, 8))
        labels = network.logits(x).argmax(axis=-1)
    else:
        network, x, labels = drawn(5, count=12, biases=kind == "biases")
    radii_x, radii_w = (0.0, 0.003, 0.01), (0.0, 0.002, 0.005)
    sure = certified(network, x, labels, radii_x, radii_w)
    assert sure["crown"][:, 1:, 1:].any()
    for i, radius_x in enumerate(radii_x):
        for j, radius_w in enumerate(radii_w):
            for _ in range(30):
                other = Network([moved(rng, layer, radius_w) for layer in network.layers])
                point = np.clip(x + radius_x * rng.choice([-1, 1], size=x.shape), 0, 1)
                stays = other.logits(point).argmax(axis=-1) == labels
                for name in BOUNDS:
                    assert stays[sure[name][:, i, j]].all(), name


def test_an_image_that_is_wrong_is_never_certified():
    network, x, labels = drawn(0)
    sure = certified(network, x, (labels + 1) % 3, [0.0], [0.0])
    assert not any(values.any() for values in sure.values())
    assert certified(network, x, labels, [0.0], [0.0])["crown"].all()


def test_room_is_left_for_rounding():
    """Nearer to a tie than float32 resolves, float64 certifies and float32 does not."""
    x, labels, radii = np.array([[0.75, 0.25]]), np.array([0]), [0.25 - 1e-9]
    assert certified(Network.dense([np.eye(2)]), x, labels, radii, [0.0])["crown"].all()
    single = Network.dense([np.eye(2, dtype=np.float32)])
    for point in (x, x.astype(np.float32)):
        assert not certified(single, point, labels, radii, [0.0])["crown"].any()
        assert np.isnan(exact(single, point, labels, radii, [0.0], 10)).all()


def test_torch_says_what_numpy_says():
    network, x, labels = drawn(7)
    expected = certified(network, x, labels, RADII_X, RADII_W)
    held = [torch.tensor(layer.weight, requires_grad=True) for layer in network.layers]
    images = torch.tensor(x).reshape(-1, 1, 2, 2)
    described = Network([Flatten(), *map(Dense, held)])
    found = certified(described, images, torch.tensor(labels), RADII_X, RADII_W)
    assert set(found) == set(expected) == {*BOUNDS, "printed"}
    for name, values in found.items():
        assert isinstance(values, np.ndarray)
        np.testing.assert_array_equal(values, expected[name])
    worlds = (network, x, labels), (described, images, torch.tensor(labels))
    np.testing.assert_array_equal(*(exact(*world, RADII_X, RADII_W, 60) for world in worlds))


@pytest.mark.parametrize("radii", [[], [0.1, 0.1], [0.2, 0.1], [-0.1, 0.1], [np.nan, 0.1]])
def test_radii_must_increase(radii):
    network, x, labels = drawn(0)
    with pytest.raises(UsageError, match="radii_x must increase from at least 0"):
        certified(network, x, labels, radii, RADII_W)
    with pytest.raises(UsageError, match="radii_w must increase from at least 0"):
        exact(network, x, labels, RADII_X, radii, 1)
