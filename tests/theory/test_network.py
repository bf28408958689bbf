"""Layers and networks against torch and against the dense matrices that they unroll to."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.things.layers import AveragePool, Conv, Dense, Flatten, MaxPool
from theory.things.network import ACTIVATIONS, Activation, Budget, Network, pairwise_margins

CONVOLUTIONS = st.tuples(
    st.integers(0, 999),
    st.sampled_from([1, 2, 4]),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
    st.tuples(st.integers(5, 7), st.integers(5, 7)),
)


def convolution(case):
    seed, groups, kernel, stride, padding, dilation, image = case
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(8, 4 // groups, *kernel)), rng.normal(size=8)
    return Conv(weight, bias, stride, padding, dilation, groups), rng.normal(size=(3, 4, *image))


def unrolled(layer, shape):
    unit = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return layer.product(layer.weight, unit).reshape(len(unit), -1).T


@settings(max_examples=50)
@given(CONVOLUTIONS)
def test_a_convolution_is_that_of_torch(case):
    torch = pytest.importorskip("torch")
    layer, x = convolution(case)
    arrays = (torch.asarray(array) for array in (x, layer.weight, layer.bias))
    how = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation, "groups": layer.groups}
    reference = torch.nn.functional.conv2d(*arrays, **how)
    assert layer(x) == pytest.approx(reference.numpy(), abs=1e-12)
    assert layer.shape_after(x.shape[1:]) == reference.shape[1:]


@settings(max_examples=50)
@given(CONVOLUTIONS)
def test_norms_and_transpose_of_a_convolution_are_those_of_its_matrix(case):
    layer, x = convolution(case)
    shape = x.shape[1:]
    matrix = unrolled(layer, shape)
    assert layer.norm_inf(shape) == pytest.approx(np.linalg.norm(matrix, np.inf))
    assert layer.norm_one(shape) == pytest.approx(np.linalg.norm(matrix, 1))
    outward = replace(layer, weight=layer.weight + 0.3 * np.sign(layer.weight))
    assert layer.norm_inf(shape, 0.3) == pytest.approx(np.linalg.norm(unrolled(outward, shape), np.inf))
    y = layer.product(layer.weight, x)
    assert layer.pull(layer.weight, y, shape).reshape(3, -1) == pytest.approx(y.reshape(3, -1) @ matrix, abs=1e-10)
    ones = np.ones_like(layer.weight)
    assert layer.window_sums(x) + 0 * y == pytest.approx(layer.product(ones, x), abs=1e-12)
    assert layer.pull_sums(y, shape) + 0 * x == pytest.approx(layer.pull(ones, y, shape), abs=1e-10)


def test_a_small_image_sees_only_part_of_the_kernel():
    layer = Conv(np.array([[[[1.0, -2, 1], [0, 3, 0], [1, 1, -1]]]]), padding=1)
    assert layer.norm_inf((1, 4, 4)) == 10
    assert layer.norm_inf((1, 2, 2)) == 6


@pytest.mark.parametrize("size", [2, (2, 3)])
@pytest.mark.parametrize("stride", [None, 1, (2, 1)])
def test_pools_are_those_of_torch(size, stride):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).normal(size=(2, 3, 6, 7))
    given_x = torch.asarray(x, requires_grad=True)
    for pool, reference in (
        (AveragePool(size, stride), torch.nn.functional.avg_pool2d),
        (MaxPool(size, stride), torch.nn.functional.max_pool2d),
    ):
        expected = reference(given_x, size, stride)
        assert pool(x) == pytest.approx(expected.detach().numpy(), abs=1e-12)
        assert pool.shape_after(x.shape[1:]) == expected.shape[1:]
    average = AveragePool(size, stride)
    y = torch.asarray(average(x))
    (gradient,) = torch.autograd.grad(average(given_x), given_x, y)
    assert average.pull(y.numpy(), x.shape[1:]) == pytest.approx(gradient.numpy(), abs=1e-12)


def test_a_network_is_that_of_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
        torch.nn.Linear(36, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3),
    ).double()  # fmt: skip
    conv, first, last = model[0], model[4], model[6]
    network = Network(
        [Conv(conv.weight, conv.bias, 2, 1), MaxPool(2), Flatten(), Dense(first.weight, first.bias),
         Dense(last.weight, last.bias)]
    )  # fmt: skip
    x = torch.rand(7, 1, 12, 12, dtype=torch.float64)
    assert network.logits(x).detach().numpy() == pytest.approx(model(x).detach().numpy(), abs=1e-12)
    assert network.shapes(x) == [(1, 12, 12), (36,), (5,)]
    assert (network.depth, network.classes, network.axes) == (3, 3, 3)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_keep_what_bounds_ask_of_them(name):
    torch = pytest.importorskip("torch")
    activation, x = ACTIVATIONS[name], np.linspace(-60, 60, 4801)
    values = activation(x)
    assert np.all(np.diff(values) >= 0)
    assert np.max(np.diff(values) / np.diff(x)) <= activation.lipschitz + 1e-9
    assert (np.min(values) >= 0) == activation.nonnegative
    reference = getattr(torch.nn.functional, name, lambda x: x)(torch.asarray(x))
    assert values == pytest.approx(reference.numpy(), abs=1e-8)


def test_fractions_stay_exact():
    third = Fraction(1, 3)
    network = Network.dense([np.array([[third, -third]]), np.array([[third], [Fraction(-1)]])])
    logits = network.logits(np.array([Fraction(2), Fraction(1)]))
    assert list(logits) == [Fraction(1, 9), Fraction(-1, 3)]
    assert pairwise_margins(logits)[0, 1] == Fraction(4, 9)


def test_an_activation_of_your_own():
    network = Network.dense(np.ones((2, 1, 1)), activation=Activation("square root", np.sqrt, lipschitz=np.inf))
    assert network.logits(np.array([4.0])) == 2


def test_a_neuron_far_below_zero_is_off():
    with np.errstate(over="ignore"):
        network = Network.dense([np.array([[-1e200], [1.0]]), np.array([[1.0, 1]])])
        assert network.logits(np.array([1e200])) == 1e200


def test_a_budget_spreads_over_the_layers():
    network = Network.dense([np.eye(2)] * 3, [np.zeros(2), None, np.zeros(2)])
    assert Budget(0, 0.1, 0.2).layers(network) == [(0.1, 0.2), (0.1, 0), (0.1, 0.2)]
    assert Budget(0, (1, 2, 3)).scaled(2).layers(network) == [(2, 0), (4, 0), (6, 0)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Network.dense([np.eye(2), np.eye(3)]), "a dense layer of 3 columns must be given as many"),
        (lambda: Network.dense([np.eye(2)], activation="swish"), "activation must be one of relu, relu6"),
        (lambda: Network.dense([np.eye(2)], [None, None]), "biases must be as many as the weights, got 2 for 1"),
        (lambda: Network([]), "the last layer must be dense"),
        (lambda: Network([Flatten()]), "the last layer must be dense"),
        (lambda: Dense(np.ones(3)), "weight must have 2 axes"),
        (lambda: Dense(np.full((2, 2), np.nan)), "weight must be finite"),
        (lambda: Dense(np.eye(2), np.zeros(3)), "bias must have 2 entries, got 3"),
        (lambda: Conv(np.ones((1, 1, 2, 2)), stride=0), "stride must be at least 1, got 0"),
        (lambda: Conv(np.ones((4, 1, 2, 2)), groups=3), "groups must divide the output channels, got 3 for 4"),
        (
            lambda: Conv(np.ones((4, 1, 2, 2)), groups=2)(np.ones((4, 4, 4))),
            "a convolution of 2 channels must be given",
        ),
        (lambda: Conv(np.ones((1, 1, 2, 2)), padding=(1, 1, 1)), "padding must be one integer or two"),
        (lambda: Conv(np.ones((1, 1, 5, 5)))(np.ones((1, 4, 4))), "a window of 5 must fit into the image"),
        (lambda: Conv(np.ones((1, 2, 1, 1)))(np.ones((1, 4, 4))), "a convolution of 2 channels must be given as many"),
        (lambda: Flatten().shape_after((4,)), "a flattening of 3 axes"),
        (lambda: MaxPool(2).shape_after((4,)), "a pool must be given channels, height and width"),
        (lambda: MaxPool(2).pull(np.ones((1, 2, 2)), (1, 4, 4)), "max pooling is not linear"),
        (lambda: Network.dense([np.eye(2)]).logits(np.array(1.0)), "x must have at least 1 axes"),
        (lambda: Network.dense([np.eye(2)]).logits(np.array([1.0, np.inf])), "x must be finite"),
        (lambda: pairwise_margins(np.array(1.0)), "logits must have at least 1 axes"),
        (lambda: pairwise_margins(np.array([1.0, np.nan])), "logits must be finite"),
        (lambda: Budget(-0.1), "input must be at least 0 and finite, got -0.1"),
        (lambda: Budget(0, (0.1, np.inf)), "weights must be at least 0 and finite, got inf"),
        (lambda: Budget(0, (1, 2)).layers(Network.dense([np.eye(2)])), "weights must be one radius or 1, got 2"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_norms_of_a_zero_padded_convolution():
    """The kernel sin(1.7 t + 0.1 t^2 + 0.2), t = 0, 1, ..., on 5 x 5 pixels padded by one."""
    t = np.arange(54)
    layer = Conv(np.sin(1.7 * t + 0.1 * t**2 + 0.2).reshape(3, 2, 3, 3), padding=1)
    assert layer.norm_inf((2, 5, 5)) == pytest.approx(12.9395539694, abs=1e-10)
    assert layer.norm_one((2, 5, 5)) == pytest.approx(20.7357634306, abs=1e-10)
