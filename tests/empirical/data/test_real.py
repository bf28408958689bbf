"""The real data sets, where they are at hand."""

import numpy as np
import pytest

from empirical.data import load, photographs, read_photograph
from empirical.data.folders import find


@pytest.fixture
def has(data):
    def check(name):
        if find(name, data) is None:
            pytest.skip(f"{data} has no {name}")
        return data

    return check


def test_mnist(has):
    folder = has("mnist")
    train, test = (load("mnist", split, folder) for split in ("train", "test"))
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(train.x.mean() / 255, 4) == 0.1307  # by these two everybody normalises
    assert round(train.x.std() / 255, 4) == 0.3081


def test_fashion_mnist(has):
    folder = has("fashion-mnist")
    train, test = (load("fashion-mnist", split, folder) for split in ("train", "test"))
    assert np.bincount(train.labels).tolist() == [6000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    assert round(train.x.mean() / 255, 4) == 0.2860


def test_cifar10(has):
    folder = has("cifar10")
    train, test = (load("cifar10", split, folder) for split in ("train", "test"))
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    means = train.x.reshape(-1, 3).mean(0) / 255
    assert means.round(4).tolist() == [0.4914, 0.4822, 0.4465]
    assert train.classes[train.labels[0]] == "frog"


def test_photographs(has):
    found = photographs(has("imagenet"))
    assert found == sorted(found)
    springer = next(photograph for photograph in found if photograph.wnid == "n02102040")
    pixels = read_photograph(springer.path)
    assert pixels.shape == (224, 224, 3)
    assert pixels.std() > 20
