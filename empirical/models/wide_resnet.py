"""WideResNet-16-k for 32 x 32 images with the normalisations of ConvNorm (Section 4; Zagoruyko and Komodakis 2016).

The block is the paper's 'basic-wide': activation before convolution, no dropout, and a 1 x 1 convolution as shortcut
where the shape changes.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils import skip_init

from empirical.models.convnorm import STOCK, Options
from empirical.models.load import Normalised
from empirical.models.normalisations import CLASSES, Parts, finished, group
from fragility.engine.study import UsageError

FIRST, WIDTHS, SIDE = 16, (16, 32, 64), 32


def wide_resnet(seed: int, widen: int, normalisation: str, options: Options = STOCK) -> Normalised:
    """WideResNet-16-k of images (B, 3, 32, 32) in [0, 1] with 10 logits, its weights a function of the seed.

    Convolutions have no biases. They and the last layer have 174128, 689840 and 2745264 weights for k = 1, 2 and 4.

    Parameters
    ----------
    seed : at least 0; the kernels of a seed are the same in all normalisations.
    widen : k, at least 1.
    normalisation : one of `normalisations.NORMALISATIONS`.
    options : of normalised convolutions.

    Raises
    ------
    UsageError : there is no such width or normalisation.
    """
    if widen < 1:
        raise UsageError(f"the widening factor must be at least 1, got {widen}")
    return finished(WideResNet(widen, Parts(normalisation, options)), seed)


class WideResNet(nn.Module):
    """A first convolution, three groups of two blocks, normalisation, ReLU, the mean over pixels and a dense layer."""

    def __init__(self, widen: int, parts: Parts) -> None:
        super().__init__()
        narrow, middle, wide = (width * widen for width in WIDTHS)
        self.conv1 = parts.convolution(3, FIRST, 3, SIDE)
        self.group1 = group(Block, FIRST, narrow, SIDE, 1, parts)
        self.group2 = group(Block, narrow, middle, SIDE, 2, parts)
        self.group3 = group(Block, middle, wide, SIDE // 2, 2, parts)
        self.norm = parts.between(wide)
        self.fc = skip_init(nn.Linear, wide, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 10) of images (B, 3, 32, 32) of standardised colours."""
        x = self.group3(self.group2(self.group1(self.conv1(x))))
        return self.fc(relu(self.norm(x)).mean((2, 3)))


class Block(nn.Module):
    """shortcut + K_2 relu(D_2 K_1 o) with o = relu(D_1 x): the shortcut is x, or a 1 x 1 convolution of o.

    Parameters
    ----------
    side : of the images that come in, in pixels.
    stride : of the first convolution and of the shortcut.
    """

    def __init__(self, channels_in: int, channels_out: int, side: int, stride: int, parts: Parts) -> None:
        super().__init__()
        self.norm1 = parts.between(channels_in)
        self.conv1 = parts.convolution(channels_in, channels_out, 3, side, stride)
        self.norm2 = parts.between(channels_out)
        self.conv2 = parts.convolution(channels_out, channels_out, 3, side // stride)
        changes = channels_in != channels_out or stride > 1
        self.shortcut = parts.convolution(channels_in, channels_out, 1, side, stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_O, side / stride, side / stride) of (B, C_I, side, side)."""
        entry = relu(self.norm1(x))
        branch = self.conv2(relu(self.norm2(self.conv1(entry))))
        return branch + (x if self.shortcut is None else self.shortcut(entry))
