"""ConvNorm's layer beside the plain convolution and beside an FFT: `python -m benchmarks.bench_convnorm`.

The same images, kernels and precision, one thread and its own time, in one run. Forward and backward together are
nn.Conv2d, then what `ConvNorm2d` takes times that: the normaliser and its filter alone, taken for a constant by the
gradient or differentiated, and the whole layer with its depth-wise convolution and batch normalisation, beside batch
normalisation behind the plain convolution. The last two columns are forward and backward of the filter alone, with
products by the matrices of Fourier transforms, as the layer has them, and how much longer torch.fft takes for it.
"""

from collections.abc import Callable
from itertools import starmap
from statistics import median
from time import process_time

import torch
from torch import Tensor, nn

from benchmarks.command import main as command
from empirical.models.convnorm import ConvNorm2d, Options, filtered

CASES = (  # channels in and out, pixels aside, stride: layers of WideResNet-16-k for k = 1, 2, 5; 128 images
    (16, 16, 32, 1),
    (32, 32, 32, 1),
    (32, 64, 32, 2),
    (64, 64, 16, 1),
    (128, 128, 8, 1),
    (320, 320, 8, 1),
)
IMAGES, ROUNDS = 128, 5
ALONE = Options(batch_norm=False, affine=False)
DIFFERENTIATED = Options(batch_norm=False, affine=False, detached=False)


def seconds(function: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """Forward and backward, with gradients of the images, too."""
    times = []
    for _ in range(ROUNDS + 1):
        start = process_time()
        function(x).square().sum().backward()
        times.append(process_time() - start)
    return median(times[1:])


def by_fft(layer: ConvNorm2d, gains: Tensor, z: Tensor) -> Tensor:
    """The filter of a layer as one would write it first."""
    spectrum = torch.fft.rfft2(z) * gains.permute(2, 0, 1)
    return torch.fft.irfft2(spectrum, s=z.shape[-2:])[..., layer.kept, :][..., layer.kept]


def row(channels_in: int, channels_out: int, side: int, stride: int) -> str:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(IMAGES, channels_in, side, side, generator=generator).contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    plain = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
    alone, differentiated, whole = (
        ConvNorm2d(channels_in, channels_out, 3, side, stride, 1, options=options)
        for options in (ALONE, DIFFERENTIATED, Options())
    )
    for layer in (alone, differentiated, whole):
        for parameter in layer.parameters():
            nn.init.normal_(parameter, generator=generator)
    z = torch.randn(IMAGES, channels_out, alone.grid, alone.grid, generator=generator)
    z = z.contiguous(memory_format=torch.channels_last).requires_grad_()
    gains = alone.normaliser()
    base = seconds(plain, x)
    normalised = nn.Sequential(plain, nn.BatchNorm2d(channels_out))
    ratios = [seconds(layer, x) / base for layer in (alone, differentiated, whole, normalised)]
    ours = seconds(lambda z: filtered(z, gains, alone.kept), z)
    fft = seconds(lambda z: by_fft(alone, gains, z), z)
    what = f"{channels_in} to {channels_out} channels, {side} x {side}, stride {stride}"
    shown = "".join(f"{ratio:16.2f}" for ratio in ratios)
    return f"{what:40}{1e3 * base:10.1f}{shown}{1e3 * ours:10.1f}{fft / ours:10.1f}"


def main() -> None:
    torch.set_num_threads(1)
    columns = ("ConvNorm alone", "differentiated", "whole layer", "batch norm")
    heads = "".join(f"{column:>16}" for column in columns)
    print(f"{f'milliseconds for {IMAGES} images, ratios':40}{'plain':>10}{heads}{'filter':>10}{'FFT':>10}")
    for line in starmap(row, CASES):
        print(line, flush=True)


if __name__ == "__main__":
    command("bench_convnorm", __doc__, main)
