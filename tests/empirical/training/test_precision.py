"""Training in bfloat16: what is rounded, and what is not."""

import torch
from torch import nn

from empirical.models.small import cnn
from empirical.training.network import Recipe, train
from empirical.training.precision import BFloat16


def images(count=12):
    drawn = torch.Generator().manual_seed(0)
    return torch.rand(count, 1, 8, 8, generator=drawn), torch.arange(count) % 10


def test_in_evaluation_it_is_the_network_itself():
    x, _ = images()
    assert torch.equal(BFloat16(cnn(0, 8)).eval()(x), cnn(0, 8).eval()(x))


def test_in_training_it_is_rounded_to_8_binary_digits():
    x, y = images()
    rounded, exact = BFloat16(cnn(0, 8)).train(), cnn(0, 8).train()
    one, other = rounded(x), exact(x)
    assert one.dtype == torch.float32
    error = float((one - other).detach().abs().max() / other.detach().abs().max())
    assert 1e-5 < error < 0.03
    nn.functional.cross_entropy(one, y).backward()
    nn.functional.cross_entropy(other, y).backward()
    for half, whole in zip(rounded.parameters(), exact.parameters(), strict=True):
        assert half.dtype == half.grad.dtype == torch.float32
        assert nn.functional.cosine_similarity(half.grad.flatten(), whole.grad.flatten(), dim=0) > 0.98


def test_it_learns():
    x, y = images(60)
    x = x + (torch.arange(10) == y[:, None]).float().repeat(1, 7)[:, :64].reshape(-1, 1, 8, 8)
    history = train(BFloat16(cnn(0, 8)), x.clamp(0, 1), y, 20, 0, Recipe("Adam", 1e-2, 1.0, 20))
    assert history[-1]["loss"] < 0.3 * history[0]["loss"]
