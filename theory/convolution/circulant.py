"""Circular convolution with many channels: its singular values, frequency by frequency.

A kernel of shape (..., C_O, C_I, k_1, ..., k_d) acts on a periodic grid of n_1 x ... x n_d points (d = 1 for signals,
2 for images). The Fourier transform turns the operator into one C_O x C_I matrix per frequency (ConvNorm, Section 2.2;
Sedghi, Gupta and Long 2019),

    K^(w) = sum_a K[..., a] exp(-2 pi i sum_t w_t a_t / n_t),

and its singular values are those of all K^(w). Keeping every s-th point joins the s^d frequencies that then look
alike: s^(-d/2) [K^(w_1), ..., K^(w_(s^d))]. Convolution and cross-correlation, and every place of the kernel's origin,
have the same singular values: a phase, or the conjugate frequency, is the only difference. Leading axes are a batch;
NumPy, CuPy and torch arrays alike, at every scale of their dtype, differentiable under torch wherever singular values
are.

A grouped convolution consists of smaller ones side by side, each from its own inputs to its own outputs. Its kernel has
the shape (..., C_O, C_I / groups, k_1, ..., k_d), as PyTorch stores it, its singular values are those of all groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from array_api_compat import array_namespace

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.things import kernels


def singular_values(kernel: Array, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Array:
    """All singular values, (..., frequencies, min(C_O, s^d C_I)), in descending order at each frequency.

    There are n_1 ... n_d / s^d frequencies, one after the other. Unstrided, the squares add up to
    n_1 ... n_d ||wrapped kernel||_F^2. Grouped, there are min(C_O, s^d C_I) at each frequency as well, of all groups.

    Parameters
    ----------
    kernel, grid : as in `kernels.transfer`.
    stride : s, the same along all axes; it divides every n_t.
    groups : into how many the channels fall; it divides C_O and C_I.

    Raises
    ------
    ValueError : as `kernels.transfer`; for a stride below 1 or one that does not divide the grid, and for such groups.
    """
    kernel, grid = kernels.checked(kernel, grid)
    stride = _divisor(stride, grid)
    parts = kernels.grouped(kernel, groups, len(grid))
    xp = array_namespace(kernel)
    size = magnitudes.unit(parts, tuple(range(-len(grid) - 3, 0)))
    spectrum = kernels.transfer(parts / size, grid)
    values = xp.linalg.svdvals(_blocks(spectrum, grid, stride))  # (..., groups, frequencies, each)
    values = xp.moveaxis(values, -3, -2)
    joined = xp.reshape(values, (*values.shape[:-2], -1)) * xp.reshape(size, (*kernel.shape[: -len(grid) - 2], 1, 1))
    return xp.sort(joined, axis=-1, descending=True)


def spectral_norm(kernel: Array, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Array:
    """||A||_2 = max_w sigma_1(K^(w)) of the circular convolution, shape (...): exact; differentiable under torch.

    A real kernel has conjugate values at opposite frequencies, so half of them do when the stride is 1.
    Parameters and errors are those of `singular_values`.
    """
    _, largest, size = _extremes(kernel, grid, stride, groups)
    return largest * size


def condition(kernel: Array, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Array:
    """Largest over smallest singular value of the whole operator, shape (...); infinite where that is 0 to rounding.

    Unlike the condition number of the reshaped kernel it says what the layer does: (1, -1) is perfectly conditioned as
    a 2 x 1 matrix, and as an operator it forgets every constant. Singular values below max(C_O, C_I), of a group, times
    the machine's precision times the largest count as 0. Parameters and errors are those of `singular_values`.
    """
    smallest, largest, _ = _extremes(kernel, grid, stride, groups)
    xp = array_namespace(largest)
    rows, columns = kernel.shape[-len(grid) - 2 : -len(grid)]
    floor = max(rows // groups, columns) * xp.finfo(largest.dtype).eps * largest
    vanishes = smallest <= floor
    return xp.where(vanishes, xp.full_like(largest, math.inf), largest / xp.where(vanishes, largest + 1, smallest))


def padded_grid(grid: Sequence[int], taps: Sequence[int], stride: int = 1) -> tuple[int, ...]:
    """Smallest grid, n_t + k_t - 1 rounded up to multiples of the stride, on which nothing wraps around.

    "Any linear convolution can be reduced to a circular convolution via zero-padding" (ConvNorm, Section 2.2) holds
    from this size on, not on the image's own grid.
    """
    stride = require.integer("stride", stride, 1)
    grid, taps = require.integers("grid", grid, 1), require.integers("taps", taps, 1)
    if len(grid) != len(taps):
        raise ValueError(f"grid and taps must be equally many, got {grid} and {taps}")
    return tuple(-(-(n + k - 1) // stride) * stride for n, k in zip(grid, taps, strict=True))


def zero_padding_bound(kernel: Array, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Array:
    """Upper bound, shape (...), on the spectral norm of the convolution of n_1 x ... x n_d images with zero padding.

    The linear convolution pads, convolves on `padded_grid` and crops (subsampled, if strided), and neither padding nor
    cropping lengthens: a bound for any amount of padding. The norm on the image's own grid is none: (1, -1) on three
    points has circular norm sqrt 3, but 2 cos(pi / 7) with zero padding.

    Parameters
    ----------
    kernel : as in `kernels.transfer`.
    grid : size of the image without padding.
    stride : any, at least 1.
    groups : as in `singular_values`.
    """
    kernel, grid = kernels.checked(kernel, grid)
    return spectral_norm(kernel, padded_grid(grid, kernel.shape[-len(grid) :], stride), stride, groups)


def _divisor(stride: int, grid: tuple[int, ...]) -> int:
    stride = require.integer("stride", stride, 1)
    if any(size % stride for size in grid):
        raise ValueError(f"stride must divide every size of the grid, got {stride} for {grid}")
    return stride


def _blocks(spectrum: Array, grid: tuple[int, ...], stride: int) -> Array:
    """One matrix per frequency that survives the stride, (..., frequencies, C_O, C_I s^d)."""
    xp = array_namespace(spectrum)
    batch, (rows, columns), dims = spectrum.shape[: -len(grid) - 2], spectrum.shape[-2:], len(grid)
    # Frequencies u and u + n/s look alike on the coarse grid: axis t splits into (s, n_t / s).
    split = xp.reshape(spectrum, (*batch, *chain(*((stride, n // stride) for n in grid)), rows, columns))
    first = len(batch)
    aliases, coarse = range(first, first + 2 * dims, 2), range(first + 1, first + 2 * dims, 2)
    order = (*range(first), *coarse, first + 2 * dims, *aliases, first + 2 * dims + 1)
    joined = (*batch, math.prod(grid) // stride**dims, rows, stride**dims * columns)
    return xp.reshape(xp.permute_dims(split, order), joined) / stride ** (dims / 2)


def _extremes(kernel: Array, grid: Sequence[int], stride: int, groups: int) -> tuple[Array, Array, Array]:
    """Smallest and largest singular value over all frequencies and groups, of the kernel over a power of two; that."""
    kernel, grid = kernels.checked(kernel, grid)
    stride, batch = _divisor(stride, grid), kernel.shape[: -len(grid) - 2]
    xp = array_namespace(kernel)
    size = magnitudes.unit(kernel, tuple(range(-len(grid) - 2, 0)))
    parts = kernels.grouped(kernel / size, groups, len(grid))
    if stride == 1 and xp.isdtype(kernel.dtype, "real floating"):
        values = xp.linalg.svdvals(kernels.transfer(parts, grid, half=True))
    else:
        values = xp.linalg.svdvals(_blocks(kernels.transfer(parts, grid), grid, stride))
    values = xp.reshape(values, (*batch, -1))
    return xp.min(values, axis=-1), xp.max(values, axis=-1), xp.reshape(size, batch)
