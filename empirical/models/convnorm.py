"""ConvNorm's convolution: every output channel filtered by its normaliser, and what the cited code puts behind it.

The paper normalises a circular convolution (ConvNorm, Section 3): output channel k of the kernel a is filtered by v_k,
whose transfer function is v^_k(w) = (sum_j |a^_kj(w)|^2)^(-1/2). The code that it cites pads images with zeros until
nothing wraps around, filters on that larger grid and crops: what is cropped is no tight frame any more. It takes v_k
for a constant when it differentiates, keeps a running average of v_k for evaluation, and adds a depth-wise convolution
with a bias and batch normalisation. The paper mentions none of this; `Options` names each choice.

The formula of v_k is that of `theory.things.normalisation`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from fragility.engine.study import UsageError
from theory.things.normalisation import relative_normaliser

RAMP, LEAST = 40_000, 0.01  # batches over which the newest normaliser's share falls from 1 by half a cosine; its end


@dataclass(frozen=True)
class Options:
    """What the paper does not say of the layer. The defaults are the choices of the code that it cites.

    Parameters
    ----------
    batch_norm : whether the layer ends in batch normalisation, so that a network "with ConvNorm" has both.
    affine : whether a depth-wise convolution with the kernel's taps and a bias follows the normaliser; without it the
        batch normalisation has no scale and no shift either.
    detached : whether gradients take the normaliser for a constant. Differentiated, they are orthogonal to the kernel.
    running : whether evaluation takes a running average of the normaliser over training's batches. Its newest value
        has the share max((1 + cos(pi b / 40000)) / 2, 0.01) at batch b: for thousands of batches hardly an average.
        Without it, and before the first batch, evaluation takes the normaliser of the weights as they are.
    circular : whether images continue periodically, as in the paper's formulas, or are surrounded by zeros.
    epsilon : share of a channel's mean squared row norm that is added to every squared row norm, so that frequencies
        at which a row vanishes do no harm. The cited code adds nothing and divides by 0.
    """

    batch_norm: bool = True
    affine: bool = True
    detached: bool = True
    running: bool = True
    circular: bool = False
    epsilon: float = 1e-5


STOCK = Options()


class ConvNorm2d(nn.Module):
    """A normalised convolution without bias of images (B, C_I, side, side), in place of `nn.Conv2d`.

    Its kernel is `convolution.weight`, (C_O, C_I / groups, taps, taps). Weights are not initialised here, but for those
    of the batch normalisation. The normaliser is evaluated in the kernel's precision, under autocast, too.

    Parameters
    ----------
    channels_in, channels_out : C_I and C_O.
    taps : of the kernel along each axis, odd.
    side : of the images in pixels: a normalised kernel fills the grid and belongs to one size.
    stride : every how many pixels of the normalised image are kept.
    padding : zeros on each side of the image that the output keeps, as for `nn.Conv2d`, from 0 to taps - 1; of circular
        ones, by how many pixels the kernel is shifted.
    groups : into how many the channels fall.

    Raises
    ------
    UsageError : for other taps or another padding.
    """

    average: Tensor
    batches: Tensor

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        taps: int,
        side: int,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        options: Options = STOCK,
    ) -> None:
        super().__init__()
        if taps % 2 == 0:
            raise UsageError(f"the taps of a normalised convolution must be odd in number, got {taps}")
        if not 0 <= padding < taps:
            raise UsageError(f"the padding of a normalised convolution must be from 0 to {taps - 1}, got {padding}")
        self.side, self.stride, self.padding, self.options = side, stride, padding, options
        around = 0 if options.circular else taps - 1
        self.grid = side + around
        inside = (taps - 1) // 2
        own = 0 if options.circular else inside  # with more, convolutions in bfloat16 take twice the time on CPUs
        self.convolution = skip_init(nn.Conv2d, channels_in, channels_out, taps, padding=own, groups=groups, bias=False)
        self.kept = range(0, side, stride) if options.circular else range(around - padding, side + padding, stride)
        after: list[nn.Module] = []
        if options.affine:
            after.append(skip_init(nn.Conv2d, channels_out, channels_out, taps, padding=inside, groups=channels_out))
        if options.batch_norm:
            after.append(nn.BatchNorm2d(channels_out, affine=options.affine))
        self.after = nn.Sequential(*after)
        if options.running:
            rows, columns = self._frequencies()
            self.register_buffer("average", torch.zeros(rows, columns // 2 + 1, channels_out))
            self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_O, out, out) with out as of `nn.Conv2d`; of circular ones side / stride, rounded up.

        Raises
        ------
        UsageError : for images of another size.
        """
        if x.shape[-2:] != (self.side, self.side):
            raise UsageError(f"images must have {self.side} x {self.side} pixels, got {tuple(x.shape[-2:])}")
        return self.after(self.normalised(x))

    def normalised(self, x: Tensor) -> Tensor:
        """The normalised convolution alone, before the depth-wise convolution and batch normalisation."""
        taps, gains = self.convolution.kernel_size[0], self.normaliser()
        if taps == 1:
            weight = self.convolution.weight * gains.reshape(-1, 1, 1, 1)
            return nn.functional.conv2d(x, weight, stride=self.stride, groups=self.convolution.groups)
        if self.options.circular:
            x = nn.functional.pad(x, (self.padding, taps - 1 - self.padding) * 2, mode="circular")
        else:
            x = nn.functional.pad(x, (taps - 1 - self.convolution.padding[0],) * 4)
        return filtered(self.convolution(x), gains, self.kept)

    def normaliser(self) -> Tensor:
        """v^_k(w) in the present mode, (n, n // 2 + 1, C_O) on the grid of n x n pixels; of one tap (1, 1, C_O).

        In training with a running average, a call counts as a batch.

        Raises
        ------
        UsageError : the kernel is not finite.
        """
        if self.options.running and not self.training and self.batches > 0:
            return self.average
        kernel = self.convolution.weight.detach() if self.options.detached else self.convolution.weight
        try:
            with torch.autocast(kernel.device.type, enabled=False):
                gains = relative_normaliser(kernel, self._frequencies(), self.options.epsilon)
        except ValueError as error:
            raise UsageError(f"there is no normaliser, as where a training has diverged: {error}") from None
        if self.options.running and self.training:
            with torch.no_grad():
                self.batches += 1
                angle = self.batches.clamp(max=RAMP) * (math.pi / RAMP)
                self.average.lerp_(gains, (angle.cos() / 2 + 0.5).clamp(min=LEAST).to(gains.dtype))
        return gains

    def _frequencies(self) -> tuple[int, int]:
        """The grid whose frequencies the normaliser depends on: of one tap it is the same at all."""
        return (1, 1) if self.convolution.kernel_size[0] == 1 else (self.grid, self.grid)


def filtered(image: Tensor, gains: Tensor, kept: range) -> Tensor:
    """Pixels (B, C, kept, kept) of images (B, C, n, n) after a circular filter for each channel, channels last.

    Fourier transforms are products with their matrices, real and imaginary parts one below the other: for images of
    some dozen pixels they take half of an FFT's time at most, and pixels that are not kept are never computed. They are
    in the precision of the gains, under autocast, too.

    Parameters
    ----------
    gains : real transfer functions, the same at opposite frequencies, (n, n // 2 + 1, C).
    kept : rows, and columns, of the filtered images.
    """
    size, channels, side, _ = image.shape
    columns_in, rows_in, rows_out, columns_out = _transforms(side, kept, gains.dtype, gains.device)
    with torch.autocast(image.device.type, enabled=False):
        pixels = image.to(gains.dtype).permute(0, 2, 3, 1)
        across = _times(columns_in, pixels.reshape(size * side, side, channels))
        spectrum = _times(rows_in, across.reshape(size, 2 * side, -1))
        product = spectrum.reshape(size, side, 2, -1, channels) * gains[:, None]
        down = _times(rows_out, product.reshape(size, 2 * side, -1))
        pixels = _times(columns_out, down.reshape(size * len(kept), -1, channels))
    return pixels.reshape(size, len(kept), len(kept), channels).permute(0, 3, 1, 2)


def _times(matrix: Tensor, stack: Tensor) -> Tensor:
    """The matrix times every matrix of a stack."""
    return torch.bmm(matrix.expand(len(stack), -1, -1), stack)


@lru_cache
def _transforms(side: int, kept: range, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, ...]:
    """Matrices of the transforms in the order of their use, the first to half of the frequencies along rows of pixels.

    Complex rows are pairs (real, imaginary) in the first and pairs of halves in the others' columns.
    """
    turns = torch.arange(side)[:, None] * torch.arange(side) % side
    angles = turns.double() * (2 * math.pi / side)
    cos, sin, last = angles.cos(), angles.sin(), torch.tensor(kept)
    half = side // 2 + 1
    twice = torch.where(turns[1, :half] * 2 % side == 0, 1.0, 2.0)  # most frequencies stand for their conjugates, too
    turned = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], 1)  # (frequency, 2, pixel, 2)
    back = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)[last]
    matrices = (
        torch.cat([cos[:half], -sin[:half]]),
        turned.reshape(2 * side, -1),
        back.reshape(2 * len(kept), -1) / side,
        torch.cat([cos[last, :half] * twice, -sin[last, :half] * twice], 1) / side,
    )
    return tuple(matrix.to(device, dtype) for matrix in matrices)
