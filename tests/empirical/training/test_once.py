"""A network that several ask for: trained once, then taken from its file, whatever network it is."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from empirical.data.images import Images
from empirical.models.mnist import two_conv
from empirical.training.network import Minibatches
from empirical.training.once import tensors, trained
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError

SMALL = partial(two_conv, size=8)


@pytest.fixture
def images(tmp_path):
    """80 noisy images of two classes that are told apart by their upper half; arrays as files give them."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    x = rng.integers(0, 100, (80, 8, 8), dtype=np.uint8)
    x[labels == 1, :4] += 150
    x.flags.writeable = labels.flags.writeable = False
    with using(Context(checkpoints=tmp_path)):
        yield Images(x, labels, tuple("0123456789"))


def test_it_is_trained_once(images, monkeypatch, tmp_path):
    network, history = trained(SMALL, "two_conv", 4, 2, images, images.first(20), data="mnist")
    (file,) = tmp_path.glob("[!.]*")
    assert file.name == "mnist-two_conv-seed4-epochs2-cpu.pt"
    monkeypatch.setattr(Minibatches, "epoch", None)
    again, told = trained(SMALL, "two_conv", 4, 2, images, images.first(20), data="mnist")
    assert told == history
    assert [*told[0]] == ["loss", "accuracy", "test_accuracy"]
    x = images.tensor()
    assert torch.equal(network(x), again(x))
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_a_file_of_other_images_is_refused(images):
    trained(SMALL, "two_conv", 0, 1, images, images.first(20))
    other = Images(255 - images.x, images.labels, images.classes)
    with pytest.raises(UsageError, match=f"{images.digest}.*{other.digest}"):
        trained(SMALL, "two_conv", 0, 1, other, images.first(20))


def test_any_network_on_images_of_any_shape(tmp_path):
    def linear(seed):
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 6, 2))
        nn.init.constant_(network[1].weight, seed / 100)
        return network

    x = np.random.default_rng(1).integers(0, 255, (30, 4, 6, 3), dtype=np.uint8)
    images = Images(x, (x[..., 0].mean((1, 2)) > 127).astype(np.int64), ("dark", "light"))
    assert torch.equal(tensors(images)[0].float() / 255, images.tensor())
    with using(Context(checkpoints=tmp_path)):
        network, history = trained(linear, "linear", 3, 1, images, images.first(9), data="noise")
    assert len(history) == 1
    assert network(images.tensor()).shape == (30, 2)
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["noise-linear-seed3-epochs1-cpu.pt"]
