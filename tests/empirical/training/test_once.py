"""A network that several ask for: trained once, then taken from its file, whatever network it is."""

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from empirical.data.images import Images
from empirical.data.points import Points
from empirical.models.initial import uniform
from empirical.models.mnist import two_conv
from empirical.training.network import Minibatches, Recipe
from empirical.training.objective import CROSS_ENTROPY
from empirical.training.once import tensors, trained
from fragility.engine.context import Context, using

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
    assert re.fullmatch(r"mnist-two_conv-seed4-[0-9a-f]{12}\.pt", file.name)
    monkeypatch.setattr(Minibatches, "epoch", None)
    again, told = trained(SMALL, "two_conv", 4, 2, images, images.first(20), data="mnist")
    assert told == history
    assert [*told[0]] == ["loss", "accuracy", "test_accuracy"]
    x = images.tensor()
    assert torch.equal(network(x), again(x))
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_whatever_differs_is_another_file(images, tmp_path):
    other = Images(255 - images.x, images.labels, images.classes)
    first = images.first(20)
    asked = [
        {},
        {"seed": 1},
        {"epochs": 2},
        {"images": other},
        {"test": other.first(20)},
        {"recipe": Recipe("SGD")},
        {"objective": Doubled()},
        {"build": partial(two_conv, size=8, channels=1)},
    ]
    usual = {"build": SMALL, "name": "net", "seed": 0, "epochs": 1, "images": images, "test": first}
    for _ in range(2):
        for change in asked:
            trained(**usual | change)
    assert len([*tmp_path.glob("[!.]*")]) == len(asked)


@dataclass(frozen=True)
class Doubled:
    """Twice the cross-entropy."""

    def backward(self, model, x, y, generator):
        loss, logits = CROSS_ENTROPY.backward(model, x, y, generator)
        for parameter in model.parameters():
            parameter.grad *= 2
        return 2 * loss, logits


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
    (file,) = tmp_path.glob("[!.]*")
    assert file.name.startswith("noise-linear-seed3-")


def test_points_are_trained_on_as_they_are_and_need_no_test(tmp_path):
    def linear(seed):
        return uniform(nn.Sequential(nn.Linear(2, 2)), seed)

    x = np.random.default_rng(2).normal(0, 5, (60, 2)).astype(np.float32)
    points = Points(x, (x[:, 0] > x[:, 1]).astype(np.int64))
    found, labels = tensors(points)
    assert torch.equal(found, torch.tensor(x))
    assert torch.equal(labels, torch.tensor(points.labels))
    with using(Context(checkpoints=tmp_path)):
        network, history = trained(linear, "linear", 0, 20, points, recipe=Recipe("SGD", rate=0.5, decay=1.0, batch=10))
        tested = trained(linear, "linear", 0, 20, points, points, recipe=Recipe("SGD", rate=0.5, decay=1.0, batch=10))
    assert [*history[0]] == ["loss", "accuracy"]
    right = float((network(found).argmax(1) == labels).double().mean())
    assert tested[1][-1]["test_accuracy"] == right > 0.9
    assert all(torch.equal(value, tested[0].state_dict()[name]) for name, value in network.state_dict().items())
    assert len([*tmp_path.glob("[!.]*")]) == 2
