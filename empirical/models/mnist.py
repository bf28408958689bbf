"""The convolutional network of PyTorch's MNIST example, which is what the paper's description of its network fits.

Convolution 1-32 of 3 x 3, ReLU, convolution 32-64 of 3 x 3, ReLU, max-pooling 2, dropout 0.25, dense 9216-128, ReLU,
dropout 0.5, dense 128-10. It returns logits; the example's log-softmax and NLL loss are together the cross-entropy.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.utils import skip_init

from empirical.models.dropout import Dropout

CLASSES = 10


def two_conv(seed: int, size: int = 28, channels: int = 1) -> nn.Sequential:
    """The network for images (B, channels, size, size) in [0, 1], its initial weights a function of `seed`.

    Weights and biases are uniform in +-1/sqrt(inputs of a unit), torch's own initialisation.

    Parameters
    ----------
    seed : at least 0.
    size : at least 6; 28 is MNIST's, with 1,199,882 parameters, and 8 that of scikit-learn's digits.
    """
    pooled = (size - 4) // 2
    network = nn.Sequential(
        skip_init(nn.Conv2d, channels, 32, 3),
        nn.ReLU(),
        skip_init(nn.Conv2d, 32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        Dropout(0.25),
        nn.Flatten(),
        skip_init(nn.Linear, 64 * pooled**2, 128),
        nn.ReLU(),
        Dropout(0.5),
        skip_init(nn.Linear, 128, CLASSES),
    )
    stream = torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
    with torch.no_grad():
        for layer in network:
            parameters = list(layer.parameters())
            for parameter in parameters:
                parameter.uniform_(-1, 1, generator=stream).div_(parameters[0][0].numel() ** 0.5)
    return network
