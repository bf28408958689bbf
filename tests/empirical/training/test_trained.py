"""The network that a study of digits asks for: trained once, then taken from its file."""

import numpy as np
import pytest
import torch

from empirical.data.images import Images
from empirical.places import CHECKPOINTS
from empirical.training.mnist import trained
from empirical.training.network import Minibatches
from simulate.engine.study import UsageError


@pytest.fixture
def images(monkeypatch, tmp_path):
    """80 noisy images of two classes that are told apart by their upper half; arrays as files give them."""
    monkeypatch.setenv(CHECKPOINTS, str(tmp_path))
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    x = rng.integers(0, 100, (80, 8, 8), dtype=np.uint8)
    x[labels == 1, :4] += 150
    x.flags.writeable = labels.flags.writeable = False
    return Images(x, labels, tuple("0123456789"))


def test_it_is_trained_once(images, monkeypatch, tmp_path):
    network, history = trained(4, 2, images, images.first(20))
    (file,) = tmp_path.glob("[!.]*")
    assert file.name == "mnist-two_conv-seed4-epochs2-cpu.pt"
    monkeypatch.setattr(Minibatches, "epoch", None)
    again, told = trained(4, 2, images, images.first(20))
    assert told == history
    assert [*told[0]] == ["loss", "accuracy", "test_accuracy"]
    x = images.tensor()
    assert torch.equal(network(x), again(x))
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_a_file_of_other_images_is_refused(images):
    trained(0, 1, images, images.first(20))
    other = Images(255 - images.x, images.labels, images.classes)
    with pytest.raises(UsageError, match=f"{images.digest}.*{other.digest}"):
        trained(0, 1, other, images.first(20))
