"""The two-convolution network: its map, its size, and initial weights that are a function of the seed."""

import pytest
import torch
from torch.nn.functional import conv2d, linear, max_pool2d, relu

from empirical.models.mnist import two_conv


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
