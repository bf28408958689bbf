"""Interval propagation against enumeration, sampling and another library."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.joint.margins import interval_increase
from theory.things.boxes import input_box, joint_boxes, logit_boxes, magnitude
from theory.things.layers import AveragePool, Conv, Dense, Flatten
from theory.things.network import Budget, Network
from theory.worlds.networks import draw_network, draw_radii

SEEDS = st.integers(0, 10_000)


def corners(center, radius):
    for sign in product((-1, 1), repeat=center.size):
        yield center + radius * np.reshape(sign, center.shape)


@given(SEEDS, st.floats(0, 1), st.floats(0, 1))
def test_the_first_box_is_attained_neuron_by_neuron(seed, radius, radius_x):
    rng = np.random.default_rng(seed)
    weight, bias, x = rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2)
    values = [moved @ point + bias for moved in corners(weight, radius) for point in corners(x, radius_x)]
    box = logit_boxes(Network.dense([weight], [bias]), x, Budget(radius_x, radius, 0.25))
    assert box.upper == pytest.approx(np.max(values, axis=0) + 0.25)
    assert box.lower == pytest.approx(np.min(values, axis=0) - 0.25)


@given(SEEDS)
def test_the_second_box_is_attained_at_the_clean_input(seed):
    rng = np.random.default_rng(seed)
    first, second, x = rng.normal(size=(2, 2)), rng.normal(size=(1, 2)), rng.normal(size=2)
    values = [outer @ np.maximum(inner @ x, 0) for inner in corners(first, 0.3) for outer in corners(second, 0.2)]
    box = logit_boxes(Network.dense([first, second]), x, Budget(0, (0.3, 0.2)))
    assert box.upper == pytest.approx(np.max(values))
    assert box.lower == pytest.approx(np.min(values))


@given(SEEDS)
def test_boxes_hold_every_activation(seed):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng)
    radii = draw_radii(rng, len(weights))
    reach = joint_boxes(Network.dense(weights), x, Budget(0.2, radii))
    for _ in range(10):
        moved = [
            weight + radius * rng.uniform(-1, 1, weight.shape) for weight, radius in zip(weights, radii, strict=True)
        ]
        values = Network.dense(moved).activations(x + 0.2 * rng.uniform(-1, 1, x.shape))
        for value, box in zip(values, reach.inputs, strict=True):
            assert np.all(box.lower - 1e-12 <= value)
            assert np.all(value <= box.upper + 1e-12)


def test_a_convolution_has_the_box_of_its_corners():
    rng = np.random.default_rng(1)
    kernel, x = rng.normal(size=(1, 1, 2, 2)), rng.normal(size=(1, 3, 3))
    layer = Conv(kernel, padding=1, stride=2)
    values = [layer.product(moved, x) for moved in corners(kernel, 0.5)]
    network = Network([layer, Flatten(), Dense(np.eye(4))])
    box = joint_boxes(network, x, Budget(0, 0.5)).before[0]
    assert box.upper == pytest.approx(np.max(values, axis=0))
    signed = joint_boxes(network, x, Budget(0.1, 0.5)).before[0]
    loose = np.max([layer.product(moved, point) for moved in corners(kernel, 0.5) for point in corners(x, 0.1)], axis=0)
    assert signed.upper == pytest.approx(loose)


def test_the_range_of_pixels_narrows_the_boxes():
    network, x = Network.dense([np.eye(2)]), np.array([0.05, 0.99])
    clipped = input_box(network, x, 0.1, within=(0, 1))
    assert clipped.lower == pytest.approx([0, 0.89])
    assert clipped.upper == pytest.approx([0.15, 1])
    assert magnitude(input_box(network, -x, 0.1)) == pytest.approx([0.15, 1.09])
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        input_box(network, -x, 0.1, within=(0, 1))


@given(SEEDS)
def test_both_ways_to_the_box_of_pixels_agree(seed):
    """Inputs that cannot be negative take a shorter way; a range that allows it by a hair takes the long one."""
    rng = np.random.default_rng(seed)
    network, x = Network.dense([rng.normal(size=(4, 3)), rng.normal(size=(2, 4))]), rng.uniform(0.1, 0.9, size=(5, 3))
    short = interval_increase(network, x, Budget(0.2, 0.1), within=(0, 1))
    long = interval_increase(network, x, Budget(0.2, 0.1), within=(-1e-300, 1))
    assert short == pytest.approx(long)


@given(SEEDS)
def test_without_weight_perturbation_it_is_the_known_interval_bound(seed):
    bound_propagation = pytest.importorskip("bound_propagation")
    torch = pytest.importorskip("torch")
    network, model, x = twin(torch, seed)
    region = bound_propagation.HyperRectangle.from_eps(torch.asarray(x), 0.1)
    known = bound_propagation.BoundModelFactory().build(model).ibp(region)
    box = logit_boxes(network, x, Budget(0.1))
    assert box.lower == pytest.approx(known.lower.detach().numpy(), abs=1e-12)
    assert box.upper == pytest.approx(known.upper.detach().numpy(), abs=1e-12)


def twin(torch, seed, sizes=(3, 5, 4, 3)):
    """The same network here and in torch, and a batch of inputs."""
    torch.manual_seed(seed)
    linear = [torch.nn.Linear(*shape) for shape in pairwise(sizes)]
    model = torch.nn.Sequential(*[step for layer in linear for step in (layer, torch.nn.ReLU())][:-1]).double()
    weights, biases = zip(
        *((layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in linear), strict=True
    )
    return Network.dense(weights, biases), model, torch.randn(6, sizes[0], dtype=torch.float64).numpy()


def test_fractions_stay_exact():
    half = Fraction(1, 2)
    box = logit_boxes(Network.dense([np.array([[half, -half]])]), np.array([half, half]), Budget(half, half))
    assert (list(box.lower), list(box.upper)) == ([-1], [1])


def test_numpy_and_torch_agree_on_convolutions():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    arrays = rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3), rng.normal(size=(2, 12))
    x, budget = rng.normal(size=(4, 2, 5, 5)), Budget(0.1, 0.05, 0.01)

    def network(kernel, bias, last):
        return Network([Conv(kernel, bias, padding=1), AveragePool(2), Flatten(), Dense(last)])

    ours = logit_boxes(network(*arrays), x, budget)
    theirs = logit_boxes(network(*map(torch.asarray, arrays)), torch.asarray(x), budget)
    assert ours.upper == pytest.approx(theirs.upper.numpy(), rel=1e-12)
    assert ours.lower == pytest.approx(theirs.lower.numpy(), rel=1e-12)
