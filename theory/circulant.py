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
from typing import Any

from array_api_compat import array_namespace

from theory import _require, _scale


def grouped(kernel: Any, groups: int, dims: int) -> Any:
    """The smaller convolutions of a grouped one, as a batch: (..., groups, C_O / groups, C_I / groups, k_1, ..., k_d).

    Parameters
    ----------
    kernel : (..., C_O, C_I / groups, k_1, ..., k_d) with d = `dims`.

    Raises
    ------
    ValueError : for groups below 1, or that do not divide the output channels.
    """
    kernel = _require.finite("kernel", kernel, complex_entries=True)
    groups, dims = _require.integer("groups", groups, 1), _require.integer("dims", dims, 1)
    axis = len(kernel.shape) - dims - 2
    if axis < 0:
        raise ValueError(f"kernel must have at least {dims + 2} axes, got shape {tuple(kernel.shape)}")
    channels = kernel.shape[axis]
    if channels % groups:
        raise ValueError(f"groups must divide the output channels, got {groups} for {channels}")
    shape = (*kernel.shape[:axis], groups, channels // groups, *kernel.shape[axis + 1 :])
    return array_namespace(kernel).reshape(kernel, shape)


def transfer(kernel: Any, grid: Sequence[int]) -> Any:
    """K^(w) at all frequencies: complex, shape (..., n_1, ..., n_d, C_O, C_I) (ConvNorm, Section 2.2).

    Exact for kernels of any size: taps beyond the grid are wrapped around it, not cut off. Of a grouped convolution the
    rows of all groups, one below the other, without the zeros beside them.

    Parameters
    ----------
    kernel : real or complex, (..., C_O, C_I, k_1, ..., k_d); integers are taken as doubles.
    grid : (n_1, ..., n_d), the points of the periodic grid along each axis.

    Raises
    ------
    ValueError : for an empty grid or a size below 1, a kernel with fewer than d + 2 axes, empty or not finite.
    """
    kernel, grid = _checked(kernel, grid)
    xp = array_namespace(kernel)
    complex_kernel = _wrapped(kernel, grid) * (1 + 0j)  # fftn of the standard takes complex arrays only
    return _channels_last(xp.fft.fftn(complex_kernel, axes=_spatial(grid)), grid)


def singular_values(kernel: Any, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Any:
    """All singular values, (..., frequencies, min(C_O, s^d C_I)), in descending order at each frequency.

    There are n_1 ... n_d / s^d frequencies, one after the other. Unstrided, the squares add up to
    n_1 ... n_d ||wrapped kernel||_F^2. Grouped, there are min(C_O, s^d C_I) at each frequency as well, of all groups.

    Parameters
    ----------
    kernel, grid : as in `transfer`.
    stride : s, the same along all axes; it divides every n_t.
    groups : into how many the channels fall; it divides C_O and C_I.

    Raises
    ------
    ValueError : as `transfer`; for a stride below 1 or one that does not divide the grid, and for such groups.
    """
    kernel, grid = _checked(kernel, grid)
    stride = _divisor(stride, grid)
    parts = grouped(kernel, groups, len(grid))
    xp = array_namespace(kernel)
    size = _scale.unit(parts, tuple(range(-len(grid) - 3, 0)))
    values = xp.linalg.svdvals(_blocks(transfer(parts / size, grid), grid, stride))  # (..., groups, frequencies, each)
    values = xp.moveaxis(values, -3, -2)
    joined = xp.reshape(values, (*values.shape[:-2], -1)) * xp.reshape(size, (*kernel.shape[: -len(grid) - 2], 1, 1))
    return xp.sort(joined, axis=-1, descending=True)


def spectral_norm(kernel: Any, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Any:
    """||A||_2 = max_w sigma_1(K^(w)) of the circular convolution, shape (...): exact; differentiable under torch.

    A real kernel has conjugate values at opposite frequencies, so half of them do when the stride is 1.
    Parameters and errors are those of `singular_values`.
    """
    _, largest, size = _extremes(kernel, grid, stride, groups)
    return largest * size


def condition(kernel: Any, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Any:
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
    stride = _require.integer("stride", stride, 1)
    grid, taps = _require.integers("grid", grid, 1), _require.integers("taps", taps, 1)
    if len(grid) != len(taps):
        raise ValueError(f"grid and taps must be equally many, got {grid} and {taps}")
    return tuple(-(-(n + k - 1) // stride) * stride for n, k in zip(grid, taps, strict=True))


def zero_padding_bound(kernel: Any, grid: Sequence[int], stride: int = 1, groups: int = 1) -> Any:
    """Upper bound, shape (...), on the spectral norm of the convolution of n_1 x ... x n_d images with zero padding.

    The linear convolution pads, convolves on `padded_grid` and crops (subsampled, if strided), and neither padding nor
    cropping lengthens: a bound for any amount of padding. The norm on the image's own grid is none: (1, -1) on three
    points has circular norm sqrt 3, but 2 cos(pi / 7) with zero padding.

    Parameters
    ----------
    kernel : as in `transfer`.
    grid : size of the image without padding.
    stride : any, at least 1.
    groups : as in `singular_values`.
    """
    kernel, grid = _checked(kernel, grid)
    return spectral_norm(kernel, padded_grid(grid, kernel.shape[-len(grid) :], stride), stride, groups)


def batch_norm_factor(scale: Any, variance: Any, epsilon: float = 1e-5) -> Any:
    """gamma / sqrt(variance + epsilon) per channel: what batch normalisation multiplies by when it is evaluated.

    Its Lipschitz constant is the largest absolute value. While training, the factor depends on the batch and there is
    no such constant.

    Raises
    ------
    ValueError : unless the variances are at least 0, epsilon too, and their sum is positive.
    """
    scale = _require.finite("scale", scale, rational=False)
    variance = _require.finite("variance", variance, rational=False)
    scale, variance = _require.alike(scale=scale, variance=variance)
    xp = array_namespace(variance)
    least = xp.min(variance).item()
    if least < 0 or _require.budget("epsilon", epsilon) + least <= 0:
        raise ValueError(f"variance + epsilon must be positive and variance not negative, got {least} and {epsilon}")
    return scale / xp.sqrt(variance + epsilon)


def fold_batch_norm(kernel: Any, factor: Any) -> Any:
    """The kernel diag(factor) K of a convolution followed by batch normalisation: its output channels multiplied.

    Parameters
    ----------
    kernel : (C_O, C_I, k_1, ..., k_d), or a weight matrix (C_O, C_I).
    factor : (C_O,), as from `batch_norm_factor`; the new bias is beta + factor * (bias - mean).

    Raises
    ------
    ValueError : unless there is one factor per output channel.
    """
    kernel = _require.finite("kernel", kernel, complex_entries=True)
    kernel, factor = _require.alike(kernel=kernel, factor=_require.finite("factor", factor, ndim=1))
    xp = array_namespace(kernel)
    if factor.shape[0] != kernel.shape[0]:
        raise ValueError(f"factor must hold one number per output channel, got {factor.shape[0]} for {kernel.shape[0]}")
    return xp.reshape(factor, (-1,) + (1,) * (len(kernel.shape) - 1)) * kernel


def _checked(kernel: Any, grid: Sequence[int]) -> tuple[Any, tuple[int, ...]]:
    """Kernel in floating point and grid as integers."""
    grid = _require.integers("grid", grid, 1)
    kernel = _require.finite("kernel", kernel, rational=False, complex_entries=True)
    if len(kernel.shape) < len(grid) + 2:
        raise ValueError(
            f"kernel must have axes C_O, C_I and one per axis of the grid, got shape {tuple(kernel.shape)} for {grid}"
        )
    return kernel, grid


def _divisor(stride: int, grid: tuple[int, ...]) -> int:
    stride = _require.integer("stride", stride, 1)
    if any(size % stride for size in grid):
        raise ValueError(f"stride must divide every size of the grid, got {stride} for {grid}")
    return stride


def _spatial(grid: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(-len(grid), 0))


def _wrapped(kernel: Any, grid: tuple[int, ...]) -> Any:
    """The kernel summed over its windings around the grid, or padded with zeros to fill it."""
    xp = array_namespace(kernel)
    for axis, size in zip(_spatial(grid), grid, strict=True):
        taps = kernel.shape[axis]
        windings = -(-taps // size)
        kernel = xp.moveaxis(kernel, axis, -1)
        missing = xp.zeros_like(xp.broadcast_to(kernel[..., :1], (*kernel.shape[:-1], windings * size - taps)))
        whole = xp.concat([kernel, missing], axis=-1)
        whole = xp.sum(xp.reshape(whole, (*kernel.shape[:-1], windings, size)), axis=-2)
        kernel = xp.moveaxis(whole, -1, axis)
    return kernel


def _channels_last(spectrum: Any, grid: tuple[int, ...]) -> Any:
    """(..., C_O, C_I, frequencies) with the frequencies in front of the channels."""
    axes, batch = len(spectrum.shape), len(spectrum.shape) - len(grid) - 2
    order = (*range(batch), *range(batch + 2, axes), batch, batch + 1)
    return array_namespace(spectrum).permute_dims(spectrum, order)


def _blocks(spectrum: Any, grid: tuple[int, ...], stride: int) -> Any:
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


def _extremes(kernel: Any, grid: Sequence[int], stride: int, groups: int) -> tuple[Any, Any, Any]:
    """Smallest and largest singular value over all frequencies and groups, of the kernel over a power of two; that."""
    kernel, grid = _checked(kernel, grid)
    stride, batch = _divisor(stride, grid), kernel.shape[: -len(grid) - 2]
    xp = array_namespace(kernel)
    size = _scale.unit(kernel, tuple(range(-len(grid) - 2, 0)))
    parts = grouped(kernel / size, groups, len(grid))
    if stride == 1 and xp.isdtype(kernel.dtype, "real floating"):
        half = xp.fft.rfftn(_wrapped(parts, grid), axes=_spatial(grid))
        values = xp.linalg.svdvals(_channels_last(half, grid))
    else:
        values = xp.linalg.svdvals(_blocks(transfer(parts, grid), grid, stride))
    values = xp.reshape(values, (*batch, -1))
    return xp.min(values, axis=-1), xp.max(values, axis=-1), xp.reshape(size, batch)
