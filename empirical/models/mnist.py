"""Networks of digits: PyTorch's MNIST example, and the simple and the convolutional model of conditioning (Section IV).

All return logits; with log-softmax and NLL loss, or with a softmax, they are trained by the cross-entropy. Initial
weights are a function of the seed alone.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn.utils import skip_init

from empirical.models.dropout import Dropout
from empirical.models.initial import glorot, stream, uniform

CLASSES = 10


def two_conv(seed: int, size: int = 28, channels: int = 1) -> nn.Sequential:
    """The convolutional network of PyTorch's example, which is what the words of feature compression fit.

    Convolution 1-32 of 3 x 3, ReLU, convolution 32-64 of 3 x 3, ReLU, max-pooling 2, dropout 0.25, dense 9216-128,
    ReLU, dropout 0.5, dense 128-10, for images (B, channels, size, size) in [0, 1]. Weights and biases are uniform in
    +-1/sqrt(inputs of a unit), torch's own initialisation.

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
    return uniform(network, seed)


def softmax(seed: int, size: int = 28, channels: int = 1, deviation: float | None = None) -> nn.Sequential:
    """The simple model: one dense layer, called "simple", for images (B, channels, size, size), biases 0.

    Parameters
    ----------
    seed : at least 0.
    deviation : of normal initial weights; 0 starts at W = 0, as TensorFlow's tutorial for beginners does. None for
        weights uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010).
    """
    layer = skip_init(nn.Linear, channels * size**2, CLASSES)
    with torch.no_grad():
        layer.bias.zero_()
        if deviation is None:
            glorot(layer.weight, stream(seed))
        else:
            layer.weight.normal_(generator=stream(seed)).mul_(deviation)
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), simple=layer))


def pooled_conv(seed: int, size: int = 28, channels: int = 1) -> nn.Sequential:
    """The convolutional model with layers "conv0", "conv1", "dense" and "logits", as the code cited there has them.

    Convolution 1-32 of 3 x 3, ReLU, max-pooling 2, convolution 32-64 of 3 x 3, ReLU, max-pooling 2, dense 3136-128,
    ReLU, dropout 0.25, dense 128-10, for images (B, channels, size, size) in [0, 1]; zeros around the images keep their
    size. Weights are uniform in +-sqrt(6 / (inputs + outputs of an entry)) (Glorot and Bengio 2010), biases 0: Keras's
    defaults. A ReLU after max-pooling is the same map with the same gradient, and has a quarter of the work; kernels
    are kept with channels last, in which an epoch takes two thirds of the time.

    Parameters
    ----------
    seed : at least 0.
    size : at least 4; 28 is MNIST's, with 421,642 parameters.
    """
    conv0, conv1 = skip_init(nn.Conv2d, channels, 32, 3, padding=1), skip_init(nn.Conv2d, 32, 64, 3, padding=1)
    dense, logits = skip_init(nn.Linear, 64 * (size // 4) ** 2, 128), skip_init(nn.Linear, 128, CLASSES)
    drawn = stream(seed)
    with torch.no_grad():
        for layer in (conv0, conv1, dense, logits):
            glorot(layer.weight, drawn)
            layer.bias.zero_()
        for layer in (conv0, conv1):
            layer.weight.data = layer.weight.contiguous(memory_format=torch.channels_last)
    return nn.Sequential(
        OrderedDict(
            conv0=conv0,
            pool0=nn.MaxPool2d(2),
            relu0=nn.ReLU(),
            conv1=conv1,
            pool1=nn.MaxPool2d(2),
            relu1=nn.ReLU(),
            flatten=nn.Flatten(),
            dense=dense,
            relu2=nn.ReLU(),
            dropout=Dropout(0.25),
            logits=logits,
        )
    )
