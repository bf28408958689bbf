"""Small networks of grey images, with or without biases: a dense one, a convolutional one, and one of a few units.

Their layers are such that `empirical.models.described` can say what they are, so that penalties and certificates of
theory apply: dense layers and convolutions with a ReLU after each but the last. They return logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from torch import nn
from torch.nn.utils import skip_init

from empirical.models.initial import uniform

CLASSES = 10
HEIGHTS = (128, 64)  # hidden units of the dense network
FEW = (8, 6)  # of the one that is small enough for an exact optimum
CHANNELS = (8, 16)  # of the convolutional one; both halve the image


def mlp(seed: int, size: int = 28, biases: bool = False) -> nn.Sequential:
    """size^2 - 128 - 64 - 10 for images (B, 1, size, size) in [0, 1]; weights are a function of `seed`, at least 0."""
    return uniform(_dense((size**2, *HEIGHTS, CLASSES), biases), seed)


def tiny(seed: int, size: int = 4, biases: bool = False) -> nn.Sequential:
    """size^2 - 8 - 6 - 10, as `mlp`."""
    return uniform(_dense((size**2, *FEW, CLASSES), biases), seed)


def cnn(seed: int, size: int = 28, biases: bool = False) -> nn.Sequential:
    """Convolutions 1-8 and 8-16 of 3 x 3 with stride 2, then a dense layer, as `mlp`; `size` is at least 1."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((1, *CHANNELS)):
        layers += [skip_init(nn.Conv2d, inputs, outputs, 3, stride=2, padding=1, bias=biases), nn.ReLU()]
        size = (size + 1) // 2
    layers += [nn.Flatten(), skip_init(nn.Linear, CHANNELS[-1] * size**2, CLASSES, bias=biases)]
    return uniform(nn.Sequential(*layers), seed)


NETWORKS: Mapping[str, Callable[..., nn.Sequential]] = {"mlp": mlp, "cnn": cnn, "tiny": tiny}


def _dense(heights: tuple[int, ...], biases: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(heights):
        layers += [skip_init(nn.Linear, inputs, outputs, bias=biases), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
