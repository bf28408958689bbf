"""Training images that are never met twice alike: shifted by a few pixels, and half of them mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Shifted:
    """Crops of the images' own size from images padded with black, every other one flipped left to right.

    With 4 pixels it is what nearly every training on CIFAR-10 does (ConvNorm's cited code for one).

    Parameters
    ----------
    padding : pixels on each side, at least 0; shifts by -padding, ..., padding in each direction are equally likely.
    """

    padding: int = 4

    def __str__(self) -> str:
        return f"shifts by up to {self.padding} pixels and flips"

    def moved(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """The images (B, channels, height, width), each with a shift and a flip of its own.

        Parameters
        ----------
        generator : on the device of x.
        """
        count, channels, height, width = x.shape
        down, right = torch.randint(2 * self.padding + 1, (2, count, 1), device=x.device, generator=generator)
        flipped = torch.randint(2, (count, 1), device=x.device, generator=generator) == 1
        rows, columns = (torch.arange(size, device=x.device) for size in (height, width))
        columns = torch.where(flipped, columns.flip(0), columns)
        padded = nn.functional.pad(x, [self.padding] * 4)
        image = torch.arange(count, device=x.device)[:, None, None, None]
        channel = torch.arange(channels, device=x.device)[:, None, None]
        return padded[image, channel, (rows + down)[:, None, :, None], (columns + right)[:, None, None, :]]
