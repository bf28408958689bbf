"""Networks of digits: their maps, their sizes, and initial weights that are a function of the seed."""

import pytest
import torch
from torch.nn.functional import conv2d, linear, max_pool2d, relu

from empirical.models.mnist import pooled_conv, softmax, two_conv


def test_it_is_the_network_of_the_example():
    network = two_conv(0).eval()
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    conv1, conv2, fc1, fc2 = (layer for layer in network if list(layer.parameters()))
    hidden = relu(conv2d(relu(conv2d(x, conv1.weight, conv1.bias)), conv2.weight, conv2.bias))
    pooled = max_pool2d(hidden, 2).flatten(1)
    logits = linear(relu(linear(pooled, fc1.weight, fc1.bias)), fc2.weight, fc2.bias)
    assert torch.equal(network(x), logits)
    assert [tuple(layer.weight.shape) for layer in (conv1, conv2, fc1, fc2)] == [
        (32, 1, 3, 3),
        (64, 32, 3, 3),
        (128, 9216),
        (10, 128),
    ]
    assert [layer.p for layer in network if hasattr(layer, "p")] == [0.25, 0.5]


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (9, 1), (32, 3)])
def test_it_takes_images_of_other_sizes(size, channels):
    assert two_conv(0, size, channels).eval()(torch.zeros(2, channels, size, size)).shape == (2, 10)


def test_initial_weights_are_torchs_own_and_a_function_of_the_seed():
    before = torch.get_rng_state()
    first, again, other = two_conv(0), two_conv(0), two_conv(1)
    assert torch.equal(torch.get_rng_state(), before)
    for (name, weight), same, different in zip(
        first.named_parameters(), again.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(weight, same)
        assert not torch.isclose(weight, different).all()
        layer = first[int(name.split(".")[0])]
        bound = layer.weight[0].numel() ** -0.5  # torch: He's uniform with a = sqrt(5) has this bound
        assert weight.abs().max() <= bound
        assert weight.abs().max() > bound * (1 - 20 / weight.numel())
        assert abs(weight.mean()) < 5 * bound / (3 * weight.numel()) ** 0.5


def test_the_simple_model_is_one_layer():
    network = softmax(3, size=8, deviation=0.1)
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    layer = network.get_submodule("simple")
    assert torch.equal(network(x), linear(x.flatten(1), layer.weight))
    assert not layer.bias.any()
    assert layer.weight.shape == (10, 64)


def test_the_convolutional_model_is_that_of_the_cited_code():
    """With every ReLU before its pooling, as the words have it."""
    network = pooled_conv(0).eval()
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1)).requires_grad_()
    conv0, conv1, dense, logits = map(network.get_submodule, ("conv0", "conv1", "dense", "logits"))
    hidden = max_pool2d(relu(conv2d(x, conv0.weight, conv0.bias, padding=1)), 2)
    hidden = max_pool2d(relu(conv2d(hidden, conv1.weight, conv1.bias, padding=1)), 2)
    said = linear(relu(linear(hidden.flatten(1), dense.weight, dense.bias)), logits.weight, logits.bias)
    torch.testing.assert_close(network(x), said)
    gradients = [torch.autograd.grad(out[:, 3].sum(), x)[0] for out in (network(x), said)]
    torch.testing.assert_close(*gradients)
    assert [tuple(layer.weight.shape) for layer in (conv0, conv1, dense, logits)] == [
        (32, 1, 3, 3),
        (64, 32, 3, 3),
        (128, 3136),
        (10, 128),
    ]
    assert [layer.p for layer in network if hasattr(layer, "p")] == [0.25]
    assert sum(parameter.numel() for parameter in network.parameters()) == 421_642


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (9, 1), (32, 3)])
def test_both_take_images_of_other_sizes(size, channels):
    for network in (softmax(0, size, channels), pooled_conv(0, size, channels).eval()):
        assert network(torch.zeros(2, channels, size, size)).shape == (2, 10)


def test_glorots_weights_are_uniform_in_their_bounds():
    """sqrt(6 / (n_in + n_out)), kernels counting every entry."""
    network = pooled_conv(5)
    bounds = {"conv0": 6 / (9 * 33), "conv1": 6 / (9 * 96), "dense": 6 / (3136 + 128), "logits": 6 / 138}
    for name, layer in [*((name, network.get_submodule(name)) for name in bounds), ("simple", softmax(5)[1])]:
        bound, weight = bounds.get(name, 6 / 794) ** 0.5, layer.weight
        assert weight.abs().max() <= bound
        assert weight.abs().max() > bound * (1 - 20 / weight.numel())
        assert abs(weight.mean()) < 5 * bound / (3 * weight.numel()) ** 0.5
        assert not layer.bias.any()


def test_normal_weights_have_the_deviation_that_is_asked_for():
    one, ten = (softmax(2, deviation=deviation)[1].weight for deviation in (0.01, 0.1))
    torch.testing.assert_close(10 * one, ten)
    assert one.std().item() == pytest.approx(0.01, rel=5 / (2 * one.numel()) ** 0.5)
    assert not softmax(2, deviation=0.0)[1].weight.any()


@pytest.mark.parametrize("build", [softmax, pooled_conv, lambda seed: softmax(seed, deviation=0.005)])
def test_weights_of_both_are_a_function_of_the_seed(build):
    before = torch.get_rng_state()
    first, again, other = build(0), build(0), build(1)
    assert torch.equal(torch.get_rng_state(), before)
    for weight, same, different in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same)
        if weight.ndim > 1:
            assert not torch.isclose(weight, different).all()
