"""ConvNorm's normalisation: every output channel of a circular convolution divided by its length at each frequency.

A_k = [C_(a_k1) ... C_(a_kC_I)] maps the input channels to output channel k, P_k = (A_k A_k^T)^(-1/2), Q_k = P_k A_k
(ConvNorm, equation (1)). In the frequency domain row k of the transfer function K^(w) is divided by its 2-norm,

    q^_kj(w) = a^_kj(w) / sqrt(sum_i |a^_ki(w)|^2),

so that the rows of Q^(w) are unit vectors at every frequency where they do not vanish. Kernels, grids and arrays are
those of `theory.things.kernels`: (..., C_O, C_I, k_1, ..., k_d), NumPy, CuPy or torch, differentiable under torch. The
scale of an output channel does not matter. A grouped kernel, (..., C_O, C_I / groups, k_1, ..., k_d), has its rows as
it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import array_api_compat
import numpy as np
from array_api_compat import array_namespace

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.things.kernels import checked, transfer


class _Rows(NamedTuple):
    """a^_k(w) of every output channel over a power of two."""

    spectrum: Array  # (..., n_1, ..., n_d, C_O, C_I)
    powers: Array  # ||a^_k(w)||^2, (..., n_1, ..., n_d, C_O)
    sizes: Array  # the powers of two, (..., 1, ..., 1, C_O)


def _rows(kernel: Array, grid: Sequence[int]) -> _Rows:
    """The rows of the transfer function, each over the power of two next to its kernel's largest entry."""
    kernel = require.finite("kernel", kernel, rational=False, complex_entries=True)
    grid = require.integers("grid", grid, 1)
    sizes = magnitudes.unit(kernel, tuple(range(-len(grid) - 1, 0)))
    spectrum = transfer(kernel / sizes, grid)
    xp = array_namespace(spectrum)
    sizes = xp.reshape(sizes, (*kernel.shape[: -len(grid) - 2], *(1,) * len(grid), -1))
    return _Rows(spectrum, xp.sum(xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2, axis=-1), sizes)


def row_norms(kernel: Array, grid: Sequence[int]) -> Array:
    """||a^_k(w)||, (..., n_1, ..., n_d, C_O): the singular values of A_k, frequency by frequency."""
    rows = _rows(kernel, grid)
    return magnitudes.length(rows.spectrum) * rows.sizes


def smallest_row_norm(kernel: Array, grid: Sequence[int]) -> Array:
    """min over channels and frequencies of ||a^_k(w)||, shape (...): 1 / max_k ||P_k||.

    Where it is 0 the preconditioner of equation (1) does not exist; where it is small, rounding and gradients grow by
    its reciprocal. Every filter of one input channel with zero mean is such a case.
    """
    norms = _flat(row_norms(kernel, grid), grid)
    return array_namespace(norms).min(norms, axis=-1)


def vanishes(kernel: Array, grid: Sequence[int]) -> Array:
    """Whether some row is 0 at some frequency to rounding, 8 u times the longest that it is, shape (...)."""
    return _vanishing(_rows(kernel, grid).powers, grid)


def normaliser(kernel: Array, grid: Sequence[int], epsilon: float = 0.0) -> Array:
    """v^_k(w) = (||a^_k(w)||^2 + epsilon)^(-1/2), (..., n_1, ..., n_d, C_O): the preconditioner P_k (equation (1)).

    Parameters
    ----------
    kernel, grid : as in `kernels.transfer`.
    epsilon : 0 for the paper's formula; with more, rows get the norm sqrt(s / (s + epsilon)) < 1, s = ||a^_k(w)||^2.

    Raises
    ------
    ValueError : for a negative epsilon, and for a row that vanishes to rounding at some frequency if epsilon is 0.
    """
    gains, larger = _gains(_rows(kernel, grid), grid, epsilon)
    return gains / larger


def relative_normaliser(kernel: Array, grid: Sequence[int], epsilon: float) -> Array:
    """v^_k(w) = (||a^_k(w)||^2 + epsilon ||a_k||^2)^(-1/2) at half of the frequencies, as a layer in training takes it.

    It is `normaliser` with an epsilon for each channel, a share of the mean of ||a^_k(w)||^2 over any grid that holds
    the kernel: no scale of a channel matters, and gradients are orthogonal to every channel. The squares come from the
    Gram matrices of the taps, for sum_j |a^_kj(w)|^2 = sum_(s, t) <a_k[s], a_k[t]> cos(w (s - t)): C_O of them in place
    of C_O C_I transforms. They are rounded by about u ||a_k||^2, so that epsilon should lie well above the machine's u.

    Parameters
    ----------
    kernel : real, otherwise as in `kernels.transfer`.
    grid : as there; the result has the shape (..., n_1, ..., n_d // 2 + 1, C_O), as `kernels.transfer` with `half`.
    epsilon : positive. A channel of zeros has epsilon^(-1/2).

    Raises
    ------
    ValueError : as `kernels.transfer` with `half`, and for an epsilon that is not positive.
    """
    kernel, grid = checked(kernel, grid)
    epsilon, xp, dims = require.positive("epsilon", epsilon), array_namespace(kernel), len(grid)
    if xp.isdtype(kernel.dtype, "complex floating"):
        raise ValueError(f"kernel must be real where half of the frequencies is wanted, got dtype {kernel.dtype}")
    batch, taps = kernel.shape[: -dims - 2], kernel.shape[-dims:]
    rows = xp.reshape(kernel, (*kernel.shape[:-dims], math.prod(taps)))
    sizes = magnitudes.unit(rows, (-2, -1))
    rows = rows / sizes
    gram = xp.matmul(xp.matrix_transpose(rows), rows)
    whole = xp.sum(xp.sum(rows**2, axis=-1), axis=-1)
    whole = xp.where(whole > 0, whole, xp.ones_like(whole))
    cosines = xp.asarray(_cosines(grid, taps), dtype=kernel.dtype, device=array_api_compat.device(kernel))
    flat = xp.reshape(gram, (*gram.shape[:-2], -1)) / whole[..., None]
    powers = magnitudes.positive_part(xp.matmul(cosines, xp.matrix_transpose(flat)))
    gains = (powers + epsilon) ** -0.5 / (xp.sqrt(whole) * sizes[..., 0, 0])[..., None, :]
    return xp.reshape(gains, (*batch, *grid[:-1], grid[-1] // 2 + 1, kernel.shape[-dims - 2]))


@lru_cache
def _cosines(grid: tuple[int, ...], taps: tuple[int, ...]) -> np.ndarray:
    """cos(w (s - t)) for half of the frequencies w and all pairs of taps s and t, (frequencies, pairs)."""
    frequencies = np.indices((*grid[:-1], grid[-1] // 2 + 1)).reshape(len(grid), -1)
    places = np.indices(taps).reshape(len(taps), -1)
    turns = (frequencies.T / grid) @ places
    return np.cos(2 * np.pi * (turns[:, :, None] - turns[:, None, :])).reshape(len(turns), -1)


def suggested_epsilon(kernel: Array, grid: Sequence[int]) -> float:
    """1e-5 of the mean squared row norm: too little to be seen where rows are of ordinary size.

    0 where all rows vanish, or are so short that their squares do.
    """
    norms = row_norms(kernel, grid)
    xp = array_namespace(norms)
    largest = magnitudes.power(xp.max(norms))
    return 1e-5 * (xp.mean((norms / largest) ** 2) * largest * largest).item()


def normalised_transfer(kernel: Array, grid: Sequence[int], epsilon: float = 0.0) -> Array:
    """Q^(w) at all frequencies, complex, (..., n_1, ..., n_d, C_O, C_I) (ConvNorm, Section 3)."""
    rows = _rows(kernel, grid)
    gains, larger = _gains(rows, grid, epsilon)
    return (gains * (rows.sizes / larger))[..., None] * rows.spectrum


def normalised_powers(kernel: Array, grid: Sequence[int], epsilon: float = 0.0) -> Array:
    """||q^_k(w)||^2 of all normalised rows, (..., n_1, ..., n_d, C_O): 1 to rounding for epsilon = 0."""
    rows = _rows(kernel, grid)
    gains, larger = _gains(rows, grid, epsilon)
    return rows.powers * (gains * (rows.sizes / larger)) ** 2


def normalised_kernel(kernel: Array, grid: Sequence[int], epsilon: float = 0.0) -> Array:
    """The kernels v_k * a_kj that ConvNorm convolves with, (..., C_O, C_I, n_1, ..., n_d) (ConvNorm, Section 3).

    Real for a real kernel. They fill the whole grid, whatever the size of a: a 3 x 3 kernel becomes one that depends on
    the image's size.
    """
    spectrum = normalised_transfer(kernel, grid, epsilon)
    xp = array_namespace(spectrum)
    axes, dims = len(spectrum.shape), len(grid)
    batch = axes - dims - 2
    order = (*range(batch), axes - 2, axes - 1, *range(batch, batch + dims))
    full = xp.fft.ifftn(xp.permute_dims(spectrum, order), axes=tuple(range(-dims, 0)))
    return full if xp.isdtype(kernel.dtype, "complex floating") else xp.real(full)


def _gains(rows: _Rows, grid: Sequence[int], epsilon: float) -> tuple[Array, Array]:
    """The normaliser times a power of two, and that power."""
    root = math.sqrt(require.budget("epsilon", epsilon))
    xp = array_namespace(rows.powers)
    if epsilon == 0 and bool(xp.any(_vanishing(rows.powers, grid))):
        raise ValueError("rows of the kernel must not vanish at any frequency, got one that does: take epsilon > 0")
    larger = xp.maximum(rows.sizes, magnitudes.power(xp.full_like(rows.sizes, root))) if root else rows.sizes
    return (rows.powers * (rows.sizes / larger) ** 2 + (root / larger) ** 2) ** -0.5, larger


def _vanishing(powers: Array, grid: Sequence[int]) -> Array:
    xp = array_namespace(powers)
    longest = xp.max(powers, axis=tuple(range(-len(grid) - 1, -1)), keepdims=True)
    return xp.any(_flat(powers <= (8 * xp.finfo(powers.dtype).eps) ** 2 * longest, grid), axis=-1)


def _flat(values: Array, grid: Sequence[int]) -> Array:
    """(..., n_1, ..., n_d, C_O) as (..., all of them)."""
    return array_namespace(values).reshape(values, (*values.shape[: -len(grid) - 1], -1))
