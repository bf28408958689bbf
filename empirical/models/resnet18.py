"""ResNet18 for 32 x 32 images with the normalisations of ConvNorm, whose layers Figure 1 of the paper is about.

It is the variant for small images: a first convolution of 3 x 3 without pooling behind it, as in the code cited.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils import skip_init

from empirical.models.convnorm import STOCK, Options
from empirical.models.load import Normalised
from empirical.models.normalisations import CLASSES, Parts, finished, group

WIDTHS, SIDE = (64, 128, 256, 512), 32


def resnet18(seed: int, normalisation: str, options: Options = STOCK) -> Normalised:
    """ResNet18 of images (B, 3, 32, 32) in [0, 1] with 10 logits and 20 convolutions without biases.

    Parameters
    ----------
    seed : of the weights, at least 0; the kernels of a seed are the same in all normalisations.
    normalisation : one of `normalisations.NORMALISATIONS`.
    options : of normalised convolutions.

    Raises
    ------
    UsageError : there is no such normalisation.
    """
    return finished(ResNet18(Parts(normalisation, options)), seed)


class ResNet18(nn.Module):
    """A first convolution, four groups of two blocks, the mean over pixels and a dense layer."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        first, second, third, fourth = WIDTHS
        self.conv1 = parts.convolution(3, first, 3, SIDE)
        self.norm = parts.between(first)
        self.group1 = group(Block, first, first, SIDE, 1, parts)
        self.group2 = group(Block, first, second, SIDE, 2, parts)
        self.group3 = group(Block, second, third, SIDE // 2, 2, parts)
        self.group4 = group(Block, third, fourth, SIDE // 4, 2, parts)
        self.fc = skip_init(nn.Linear, fourth, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 10) of images (B, 3, 32, 32) of standardised colours."""
        x = self.group2(self.group1(relu(self.norm(self.conv1(x)))))
        return self.fc(self.group4(self.group3(x)).mean((2, 3)))


class Block(nn.Module):
    """relu(shortcut + D_2 K_2 relu(D_1 K_1 x)): the shortcut is x, or a normalised 1 x 1 convolution of x.

    Parameters
    ----------
    side : of the images that come in, in pixels.
    stride : of the first convolution and of the shortcut.
    """

    def __init__(self, channels_in: int, channels_out: int, side: int, stride: int, parts: Parts) -> None:
        super().__init__()
        self.conv1 = parts.convolution(channels_in, channels_out, 3, side, stride)
        self.norm1 = parts.between(channels_out)
        self.conv2 = parts.convolution(channels_out, channels_out, 3, side // stride)
        self.norm2 = parts.between(channels_out)
        self.shortcut = (
            nn.Sequential(parts.convolution(channels_in, channels_out, 1, side, stride), parts.between(channels_out))
            if channels_in != channels_out or stride > 1
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_O, side / stride, side / stride) of (B, C_I, side, side)."""
        branch = self.norm2(self.conv2(relu(self.norm1(self.conv1(x)))))
        return relu(branch + self.shortcut(x))
