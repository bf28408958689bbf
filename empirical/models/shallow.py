"""The three classifiers of the latent and SVD defences (Section 2.3): one linear layer, two, and two with a ReLU.

They take images or latent codes, whatever their shape, and return logits. Initial weights are a function of the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn
from torch.nn.utils import skip_init

from empirical.models.initial import uniform

CLASSES = 10


def one_linear(seed: int, inputs: int, width: int) -> nn.Sequential:
    """1L: one dense layer inputs - 10 with biases, for batches (B, ...) of `inputs` numbers each.

    Parameters
    ----------
    seed : at least 0.
    inputs : numbers of one image or code, at least 1.
    width : of the hidden layer that the other two classifiers have; this one has none, so that it changes nothing.
    """
    return uniform(nn.Sequential(nn.Flatten(), skip_init(nn.Linear, inputs, CLASSES)), seed)


def two_linear(seed: int, inputs: int, width: int) -> nn.Sequential:
    """2L: inputs - width - 10 without a nonlinearity; of width at least 10 the same functions as 1L."""
    return uniform(nn.Sequential(nn.Flatten(), *_dense(inputs, width)), seed)


def linear_relu_linear(seed: int, inputs: int, width: int) -> nn.Sequential:
    """LRL: 2L with a ReLU between its two layers."""
    first, second = _dense(inputs, width)
    return uniform(nn.Sequential(nn.Flatten(), first, nn.ReLU(), second), seed)


CLASSIFIERS: Mapping[str, Callable[..., nn.Sequential]] = {
    "1l": one_linear,
    "2l": two_linear,
    "lrl": linear_relu_linear,
}


def _dense(inputs: int, width: int) -> tuple[nn.Linear, nn.Linear]:
    return skip_init(nn.Linear, inputs, width), skip_init(nn.Linear, width, CLASSES)
