"""The four normalisations of ConvNorm's Table 1: what convolutions are, and what stands where batch normalisation does.

A network that is made of `Parts` has the same kernels for the same seed, whatever its normalisation is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torch.nn.utils import skip_init

from empirical.models.convnorm import STOCK, ConvNorm2d, Options
from empirical.models.initial import uniform
from empirical.models.load import Normalised
from fragility.engine.study import UsageError

NORMALISATIONS = ("vanilla", "bn", "convnorm", "bn_convnorm")
MEAN, SPREAD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the colours of CIFAR-10's training images
CLASSES = 10


@dataclass(frozen=True)
class Parts:
    """What a network is made of.

    Parameters
    ----------
    normalisation : one of NORMALISATIONS. "bn" and "bn_convnorm" have batch normalisation between the layers, and in
        "convnorm" and "bn_convnorm" every convolution, those of the shortcuts included, is a `ConvNorm2d`.
    options : of these; they may contain further batch normalisation.

    Raises
    ------
    UsageError : there is no such normalisation.
    """

    normalisation: str
    options: Options = STOCK

    def __post_init__(self) -> None:
        if self.normalisation not in NORMALISATIONS:
            raise UsageError(
                f"the normalisation must be one of {', '.join(NORMALISATIONS)}, got {self.normalisation!r}"
            )

    def convolution(self, channels_in: int, channels_out: int, taps: int, side: int, stride: int = 1) -> nn.Module:
        """A convolution without bias that keeps images of side x side pixels as large, or every `stride`-th pixel."""
        padding = (taps - 1) // 2
        if "convnorm" in self.normalisation:
            return ConvNorm2d(channels_in, channels_out, taps, side, stride, padding, options=self.options)
        return skip_init(nn.Conv2d, channels_in, channels_out, taps, stride=stride, padding=padding, bias=False)

    def between(self, channels: int) -> nn.Module:
        """Batch normalisation, or nothing."""
        return nn.BatchNorm2d(channels) if self.normalisation.startswith("bn") else nn.Identity()


def group(
    block: Callable[..., nn.Module], channels_in: int, channels_out: int, side: int, stride: int, parts: Parts
) -> nn.Sequential:
    """Two blocks in a row, called "block1" and "block2", the first of which changes channels and pixels."""
    first = block(channels_in, channels_out, side, stride, parts)
    second = block(channels_out, channels_out, side // stride, 1, parts)
    return nn.Sequential(OrderedDict(block1=first, block2=second))


def finished(network: nn.Module, seed: int) -> Normalised:
    """A network of standardised colours as one of images (B, 3, 32, 32) in [0, 1], its initial weights filled in.

    Kernels, weights and biases are uniform in +-1/sqrt(inputs of a unit), torch's own initialisation, which is that of
    the code cited; depth-wise convolutions come last. Batch normalisation starts as the identity.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    uniform(nn.Sequential(*sorted(layers, key=lambda layer: isinstance(layer, nn.Conv2d) and layer.groups > 1)), seed)
    return Normalised(network, MEAN, SPREAD)
