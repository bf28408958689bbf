"""Initial weights as functions of a seed, from streams of their own: torch's and Keras's defaults."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def stream(seed: int) -> torch.Generator:
    """torch's generator in host memory, its stream a function of the seed, at least 0."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))


def uniform(network: nn.Sequential, seed: int) -> nn.Sequential:
    """The network, its weights and biases filled uniformly in +-1/sqrt(inputs of a unit), as torch does by itself."""
    drawn = stream(seed)
    with torch.no_grad():
        for layer in network:
            parameters = list(layer.parameters())
            for parameter in parameters:
                parameter.uniform_(-1, 1, generator=drawn).div_(parameters[0][0].numel() ** 0.5)
    return network


def glorot(weight: Tensor, drawn: torch.Generator) -> None:
    """Fills (outputs, inputs, ...) in place."""
    bound = (6 / ((weight.shape[0] + weight.shape[1]) * weight[0, 0].numel())) ** 0.5
    weight.uniform_(-bound, bound, generator=drawn)
