"""Kernels of convolutions: their groups, transfer functions and reshaped matrices, and batch normalisation folded in.

A kernel of shape (..., C_O, C_I, k_1, ..., k_d) acts on a periodic grid of n_1 x ... x n_d points (d = 1 for signals,
2 for images). The Fourier transform turns the operator into one C_O x C_I matrix per frequency (ConvNorm, Section 2.2),

    K^(w) = sum_a K[..., a] exp(-2 pi i sum_t w_t a_t / n_t).

A grouped convolution consists of smaller ones side by side, each from its own inputs to its own outputs; its kernel has
the shape (..., C_O, C_I / groups, k_1, ..., k_d), as PyTorch stores it. Leading axes are a batch; NumPy, CuPy and torch
arrays alike, differentiable under torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from theory.numerics import require
from theory.numerics.array import Array


def grouped(kernel: Array, groups: int, dims: int) -> Array:
    """The smaller convolutions of a grouped one, as a batch: (..., groups, C_O / groups, C_I / groups, k_1, ..., k_d).

    Parameters
    ----------
    kernel : (..., C_O, C_I / groups, k_1, ..., k_d) with d = `dims`.

    Raises
    ------
    ValueError : for groups below 1, or that do not divide the output channels.
    """
    kernel = require.finite("kernel", kernel, complex_entries=True)
    groups, dims = require.integer("groups", groups, 1), require.integer("dims", dims, 1)
    axis = len(kernel.shape) - dims - 2
    if axis < 0:
        raise ValueError(f"kernel must have at least {dims + 2} axes, got shape {tuple(kernel.shape)}")
    channels = kernel.shape[axis]
    if channels % groups:
        raise ValueError(f"groups must divide the output channels, got {groups} for {channels}")
    shape = (*kernel.shape[:axis], groups, channels // groups, *kernel.shape[axis + 1 :])
    return array_namespace(kernel).reshape(kernel, shape)


def transfer(kernel: Array, grid: Sequence[int], *, half: bool = False) -> Array:
    """K^(w) at all frequencies: complex, shape (..., n_1, ..., n_d, C_O, C_I) (ConvNorm, Section 2.2).

    Exact for kernels of any size: taps beyond the grid are wrapped around it, not cut off. Of a grouped convolution the
    rows of all groups, one below the other, without the zeros beside them.

    Parameters
    ----------
    kernel : real or complex, (..., C_O, C_I, k_1, ..., k_d); integers are taken as doubles.
    grid : (n_1, ..., n_d), the points of the periodic grid along each axis.
    half : for a real kernel, only the first n_d // 2 + 1 frequencies along the last axis: the values at the others are
        conjugate to theirs.

    Raises
    ------
    ValueError : for an empty grid or a size below 1, a kernel with fewer than d + 2 axes, empty or not finite, and for
        a complex one of which half is wanted.
    """
    kernel, grid = checked(kernel, grid)
    xp, axes = array_namespace(kernel), _spatial(grid)
    if half:
        if xp.isdtype(kernel.dtype, "complex floating"):
            raise ValueError(f"kernel must be real where half of the frequencies is wanted, got dtype {kernel.dtype}")
        return _channels_last(xp.fft.rfftn(_wrapped(kernel, grid), axes=axes), grid)
    complex_kernel = _wrapped(kernel, grid) * (1 + 0j)  # fftn of the standard takes complex arrays only
    return _channels_last(xp.fft.fftn(complex_kernel, axes=axes), grid)


def checked(kernel: Array, grid: Sequence[int]) -> tuple[Array, tuple[int, ...]]:
    """The kernel in floating point and the grid as integers, as every function of both takes them.

    Raises
    ------
    ValueError : as `transfer`.
    """
    grid = require.integers("grid", grid, 1)
    kernel = require.finite("kernel", kernel, rational=False, complex_entries=True)
    if len(kernel.shape) < len(grid) + 2:
        raise ValueError(
            f"kernel must have axes C_O, C_I and one per axis of the grid, got shape {tuple(kernel.shape)} for {grid}"
        )
    return kernel, grid


def kernel_matrix(kernel: Array, groups: int = 1) -> Array:
    """A convolution's kernel as the matrix that the paper conditions: (out, in, h, w) to (h w in, out).

    The paper's (K_x, K_y, C_in, N_f) reshaped to (K_x K_y C_in, N_f) (conditioning, V-C), from PyTorch's layout.
    Grouped, (out, in / groups, h, w) to one such matrix per group, (groups, h w in / groups, out / groups).

    Raises
    ------
    ValueError : unless the kernel has 4 axes and the groups divide its output channels.
    """
    stack = kernel_matrices(kernel, groups)
    return stack[0, ...] if groups == 1 else stack


def kernel_matrices(kernel: Array, groups: int) -> Array:
    """The `kernel_matrix` of every group, one or more: (groups, h w in / groups, out / groups)."""
    kernel = grouped(require.finite("kernel", kernel, ndim=4), groups, 2)
    xp = array_namespace(kernel)
    return xp.reshape(xp.permute_dims(kernel, (0, 3, 4, 2, 1)), (kernel.shape[0], -1, kernel.shape[1]))


def batch_norm_factor(scale: Array, variance: Array, epsilon: float = 1e-5) -> Array:
    """gamma / sqrt(variance + epsilon) per channel: what batch normalisation multiplies by when it is evaluated.

    Its Lipschitz constant is the largest absolute value. While training, the factor depends on the batch and there is
    no such constant.

    Raises
    ------
    ValueError : unless the variances are at least 0, epsilon too, and their sum is positive.
    """
    scale = require.finite("scale", scale, rational=False)
    variance = require.finite("variance", variance, rational=False)
    scale, variance = require.alike(scale=scale, variance=variance)
    xp = array_namespace(variance)
    least = xp.min(variance).item()
    if least < 0 or require.budget("epsilon", epsilon) + least <= 0:
        raise ValueError(f"variance + epsilon must be positive and variance not negative, got {least} and {epsilon}")
    return scale / xp.sqrt(variance + epsilon)


def fold_batch_norm(kernel: Array, factor: Array) -> Array:
    """The kernel diag(factor) K of a convolution followed by batch normalisation: its output channels multiplied.

    Parameters
    ----------
    kernel : (C_O, C_I, k_1, ..., k_d), or a weight matrix (C_O, C_I).
    factor : (C_O,), as from `batch_norm_factor`; the new bias is beta + factor * (bias - mean).

    Raises
    ------
    ValueError : unless there is one factor per output channel.
    """
    kernel = require.finite("kernel", kernel, complex_entries=True)
    kernel, factor = require.alike(kernel=kernel, factor=require.finite("factor", factor, ndim=1))
    xp = array_namespace(kernel)
    if factor.shape[0] != kernel.shape[0]:
        raise ValueError(f"factor must hold one number per output channel, got {factor.shape[0]} for {kernel.shape[0]}")
    return xp.reshape(factor, (-1,) + (1,) * (len(kernel.shape) - 1)) * kernel


def _spatial(grid: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(-len(grid), 0))


def _wrapped(kernel: Array, grid: tuple[int, ...]) -> Array:
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


def _channels_last(spectrum: Array, grid: tuple[int, ...]) -> Array:
    """(..., C_O, C_I, frequencies) with the frequencies in front of the channels."""
    axes, batch = len(spectrum.shape), len(spectrum.shape) - len(grid) - 2
    order = (*range(batch), *range(batch + 2, axes), batch, batch + 1)
    return array_namespace(spectrum).permute_dims(spectrum, order)
