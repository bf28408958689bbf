"""ConvNorm: every output channel of a circular convolution preconditioned, and what that does to the spectral norm.

A_k = [C_(a_k1) ... C_(a_kC_I)] maps the input channels to output channel k, P_k = (A_k A_k^T)^(-1/2), Q_k = P_k A_k
(ConvNorm, equation (1)). In the frequency domain row k of the transfer function K^(w) is divided by its 2-norm,

    q^_kj(w) = a^_kj(w) / sqrt(sum_i |a^_ki(w)|^2),

so that the rows of Q^(w) are unit vectors at every frequency where they do not vanish. Kernels, grids and arrays are
those of `theory.circulant`: (..., C_O, C_I, k_1, ..., k_d), NumPy, CuPy or torch, differentiable under torch. The scale
of an output channel does not matter. A grouped kernel, (..., C_O, C_I / groups, k_1, ..., k_d), has its rows as it is;
only norms of the whole layer need to be told how many groups there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace
from scipy import stats

from theory import _require, _scale, circulant, conditioning
from theory.chi_square_pair import ChiSquarePair


def row_norms(kernel: Any, grid: Sequence[int]) -> Any:
    """||a^_k(w)||, (..., n_1, ..., n_d, C_O): the singular values of A_k, frequency by frequency."""
    rows = _rows(kernel, grid)
    return _scale.length(rows.spectrum) * rows.sizes


def smallest_row_norm(kernel: Any, grid: Sequence[int]) -> Any:
    """min over channels and frequencies of ||a^_k(w)||, shape (...): 1 / max_k ||P_k||.

    Where it is 0 the preconditioner of equation (1) does not exist; where it is small, rounding and gradients grow by
    its reciprocal. Every filter of one input channel with zero mean is such a case.
    """
    norms = _flat(row_norms(kernel, grid), grid)
    return array_namespace(norms).min(norms, axis=-1)


def vanishes(kernel: Any, grid: Sequence[int]) -> Any:
    """Whether some row is 0 at some frequency to rounding, 8 u times the longest that it is, shape (...)."""
    return _vanishing(_rows(kernel, grid).powers, grid)


def normaliser(kernel: Any, grid: Sequence[int], epsilon: float = 0.0) -> Any:
    """v^_k(w) = (||a^_k(w)||^2 + epsilon)^(-1/2), (..., n_1, ..., n_d, C_O): the preconditioner P_k (equation (1)).

    Parameters
    ----------
    kernel, grid : as in `theory.circulant.transfer`.
    epsilon : 0 for the paper's formula; with more, rows get the norm sqrt(s / (s + epsilon)) < 1, s = ||a^_k(w)||^2.

    Raises
    ------
    ValueError : for a negative epsilon, and for a row that vanishes to rounding at some frequency if epsilon is 0.
    """
    gains, larger = _gains(_rows(kernel, grid), grid, epsilon)
    return gains / larger


def suggested_epsilon(kernel: Any, grid: Sequence[int]) -> float:
    """1e-5 of the mean squared row norm: too little to be seen where rows are of ordinary size.

    0 where all rows vanish, or are so short that their squares do.
    """
    norms = row_norms(kernel, grid)
    xp = array_namespace(norms)
    largest = _scale.power(xp.max(norms))
    return 1e-5 * (xp.mean((norms / largest) ** 2) * largest * largest).item()


def normalised_transfer(kernel: Any, grid: Sequence[int], epsilon: float = 0.0) -> Any:
    """Q^(w) at all frequencies, complex, (..., n_1, ..., n_d, C_O, C_I) (ConvNorm, Section 3)."""
    rows = _rows(kernel, grid)
    gains, larger = _gains(rows, grid, epsilon)
    return (gains * (rows.sizes / larger))[..., None] * rows.spectrum


def normalised_kernel(kernel: Any, grid: Sequence[int], epsilon: float = 0.0) -> Any:
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


def spectral_norm(kernel: Any, grid: Sequence[int], epsilon: float = 0.0, groups: int = 1) -> Any:
    """||Q|| of the normalised layer, shape (...): exact, from the singular values of Q^(w) (ConvNorm, equation (2))."""
    kernel = _require.finite("kernel", kernel, rational=False, complex_entries=True)
    grid = _require.integers("grid", grid, 1)
    values = conditioning.matrix_norm(normalised_transfer(circulant.grouped(kernel, groups, len(grid)), grid, epsilon))
    xp = array_namespace(values)
    return xp.max(xp.reshape(values, (*kernel.shape[: -len(grid) - 2], -1)), axis=-1)


def tight_frame_deviation(kernel: Any, grid: Sequence[int], epsilon: float = 0.0) -> Any:
    """max_k ||Q_k Q_k^T - I||, shape (...): 0 to rounding, or epsilon / (epsilon + smallest row norm squared)."""
    rows = _rows(kernel, grid)
    gains, larger = _gains(rows, grid, epsilon)
    xp = array_namespace(gains)
    deviation = xp.abs(rows.powers * (gains * (rows.sizes / larger)) ** 2 - 1)
    return xp.max(_flat(deviation, grid), axis=-1)


def stack_bounds(norms: Any) -> tuple[Any, Any]:
    """Bounds max_k ||Q_k|| <= ||Q|| <= sqrt(sum_k ||Q_k||^2) for operators Q_k stacked (ConvNorm, Proposition 3.1).

    Parameters
    ----------
    norms : ||Q_k||, (..., C_O), at least 0.
    """
    norms = _require.finite("norms", norms, rational=False)
    xp = array_namespace(norms)
    if bool(xp.any(norms < 0)):
        raise ValueError("norms must not be negative, got one that is")
    return xp.max(norms, axis=-1), _scale.length(norms)


def norm_range(channels_out: int, channels_in: int, groups: int = 1) -> tuple[float, float]:
    """All that ||Q|| can be after exact normalisation: from sqrt(C_O / min(C_O, C_I)) to sqrt(C_O).

    The rows at each frequency have unit norm, so the squares of at most min(C_O, C_I) singular values add up to C_O.
    Both ends are attained. A layer that widens is never non-expansive; with one input channel ||Q|| = sqrt(C_O) always.
    Grouped, C_O / groups and C_I / groups take their places: `groups` divides both.
    """
    channels_out = _require.integer("channels_out", channels_out, 1)
    channels_in = _require.integer("channels_in", channels_in, 1)
    if channels_out % _require.integer("groups", groups, 1) or channels_in % groups:
        raise ValueError(f"groups must divide the channels, got {groups} for {channels_out} and {channels_in}")
    return math.sqrt(channels_out / min(channels_out, channels_in)), math.sqrt(channels_out // groups)


def typical_norm(channels_out: int, channels_in: int) -> float:
    """1 + sqrt(C_O / C_I): about ||Q|| for independent random kernels with many channels (asymptotic).

    Measured 2.02, 2.92 and 1.51 from 64 to 64, 16 to 64 and 64 to 16 channels, against 2, 3 and 1.5.
    """
    channels_out = _require.integer("channels_out", channels_out, 1)
    return 1 + math.sqrt(channels_out / _require.integer("channels_in", channels_in, 1))


def comparison(kernel: Any, grid: Sequence[int], groups: int = 1) -> tuple[Any, Any]:
    """Bounds ||A|| / max ||a^_k(w)|| <= ||Q|| <= ||A|| / min ||a^_k(w)||, maxima over k and w; each of shape (...).

    They say when normalising raises the norm (no row longer than 1) and when it lowers it (none shorter); the upper
    one is infinite where a row vanishes, and 0 and infinity is all that is known where the kernel is 0.
    """
    norms = _flat(row_norms(kernel, grid), grid)
    xp = array_namespace(norms)
    before, longest = circulant.spectral_norm(kernel, grid, groups=groups), xp.max(norms, axis=-1)
    above = _scale.product(before, over=[xp.min(norms, axis=-1)])
    below = before / xp.where(longest > 0, longest, xp.ones_like(longest))
    return below, xp.where(vanishes(kernel, grid), xp.full_like(above, math.inf), above)


def expected_row_power(channels_in: int, taps: Sequence[int], variance: float) -> float:
    """E ||a^_k(w)||^2 = C_I k_1 ... k_d Var(a) for independent centred weights, the same at every frequency.

    1/3 for weights uniform with variance 1 / (3 fan-in), so that ConvNorm raises the norm by about sqrt 3; 2 for
    variance 2 / fan-in, where it lowers it by about sqrt 2.
    """
    count = math.prod(_require.integers("taps", taps, 1))
    return _require.integer("channels_in", channels_in, 1) * count * _require.positive("variance", variance)


def row_power_law(channels_in: int, taps: Sequence[int], grid: Sequence[int], frequency: Sequence[int]) -> Any:
    """Law of ||a^_k(w)||^2 for independent N(0, 1) weights, exact at every frequency w of every grid.

    Each of the C_I entries is a complex normal whose real and imaginary part, turned to their principal axes, have the
    variances (K + T)/2 and (K - T)/2: K = k_1 ... k_d taps and T = |sum_a exp(-4 pi i sum_t w_t a_t / n_t)|.
    So the sum of squares is Gamma(C_I) times K where T = 0, chi-square with C_I degrees times K where T = K, which is
    where the transfer function is real but for a phase, and a `ChiSquarePair` in between.

    Raises
    ------
    ValueError : unless channels and taps are at least 1 and taps, grid and frequency equally many.
    """
    count, tilt = _tilt(taps, grid, frequency)
    channels_in = _require.integer("channels_in", channels_in, 1)
    if tilt == 0:
        return stats.gamma(channels_in, scale=count)
    if tilt == count:
        return stats.chi2(channels_in, scale=count)
    return ChiSquarePair(channels_in, (count - tilt) / 2, (count + tilt) / 2)


def overlap_law(channels_in: int, taps: Sequence[int], grid: Sequence[int], frequency: Sequence[int]) -> Any:
    """Law of |<q^_k(w), q^_l(w)>|^2 for two output channels, C_I >= 2 and independent N(0, 1) weights.

    Unit rows are then uniformly distributed: Beta(1, C_I - 1) where T = 0 (see `row_power_law`), Beta(1/2, (C_I-1)/2)
    where T = K. With two output channels ||Q^(w)||^2 = 1 + |<q^_1, q^_2>|.

    Raises
    ------
    ValueError : in between, and as `row_power_law`.
    """
    count, tilt = _tilt(taps, grid, frequency)
    rest = _require.integer("channels_in", channels_in, 2) - 1
    if tilt not in (0, count):
        raise ValueError(f"rows must be real or isotropic at the frequency, got tilt {tilt:.3g} of {count}")
    return stats.beta(1, rest) if tilt == 0 else stats.beta(0.5, rest / 2)


def _tilt(taps: Sequence[int], grid: Sequence[int], frequency: Sequence[int]) -> tuple[int, float]:
    """K and T of `row_power_law`; T is exact where it is 0 or K."""
    taps, grid = _require.integers("taps", taps, 1), _require.integers("grid", grid, 1)
    frequency = _require.integers("frequency", frequency, -math.inf)
    if not len(taps) == len(grid) == len(frequency):
        raise ValueError(f"taps, grid and frequency must be equally many, got {taps}, {grid} and {frequency}")
    count, tilt = 1, 1.0
    for k, n, w in zip(taps, grid, frequency, strict=True):
        count *= k
        twice = 2 * w % n
        if twice == 0:
            tilt *= k
        else:
            tilt *= (
                0.0 if twice * k % n == 0 else abs(math.sin(math.pi * twice * k / n) / math.sin(math.pi * twice / n))
            )
    return count, tilt


def equilibrated_condition_bound(matrix: Any, scaling: Any) -> Any:
    """sqrt(m) kappa_2(D A), which kappa_2 of A with unit rows does not exceed, whatever D (van der Sluis 1969).

    Normalised rows are thus within sqrt(m) of the best conditioned scaling of rows; best themselves for m = 2, and for
    more they can be worse than no scaling at all. Infinite where D A lacks full row rank to rounding.

    Parameters
    ----------
    matrix : real or complex, (..., m, n), m <= n, with full row rank, such as A^(w).
    scaling : the diagonal of D, (..., m), no entry 0.

    Raises
    ------
    ValueError : for more rows than columns, and for a scaling with a zero.
    """
    matrix = _require.matrix("matrix", matrix, rational=False, complex_entries=True)
    scaling = _require.finite("scaling", scaling, rational=False)
    xp = _require.library(matrix=matrix, scaling=scaling)
    if matrix.shape[-2] > matrix.shape[-1]:
        raise ValueError(f"matrix must have at most as many rows as columns, got shape {tuple(matrix.shape)}")
    if bool(xp.any(scaling == 0)):
        raise ValueError("scaling must not hold zeros, got one")
    scaled = (scaling / _scale.unit(scaling))[..., None] * (matrix / _scale.unit(matrix, (-2, -1)))
    return math.sqrt(matrix.shape[-2]) * conditioning.condition(scaled, strict=True)


class _Rows(NamedTuple):
    """a^_k(w) of every output channel over a power of two."""

    spectrum: Any  # (..., n_1, ..., n_d, C_O, C_I)
    powers: Any  # ||a^_k(w)||^2, (..., n_1, ..., n_d, C_O)
    sizes: Any  # the powers of two, (..., 1, ..., 1, C_O)


def _rows(kernel: Any, grid: Sequence[int]) -> _Rows:
    kernel = _require.finite("kernel", kernel, rational=False, complex_entries=True)
    grid = _require.integers("grid", grid, 1)
    sizes = _scale.unit(kernel, tuple(range(-len(grid) - 1, 0)))
    spectrum = circulant.transfer(kernel / sizes, grid)
    xp = array_namespace(spectrum)
    sizes = xp.reshape(sizes, (*kernel.shape[: -len(grid) - 2], *(1,) * len(grid), -1))
    return _Rows(spectrum, xp.sum(xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2, axis=-1), sizes)


def _vanishing(powers: Any, grid: Sequence[int]) -> Any:
    xp = array_namespace(powers)
    longest = xp.max(powers, axis=tuple(range(-len(grid) - 1, -1)), keepdims=True)
    return xp.any(_flat(powers <= (8 * xp.finfo(powers.dtype).eps) ** 2 * longest, grid), axis=-1)


def _gains(rows: _Rows, grid: Sequence[int], epsilon: float) -> tuple[Any, Any]:
    """The normaliser times a power of two, and that power."""
    root = math.sqrt(_require.budget("epsilon", epsilon))
    xp = array_namespace(rows.powers)
    if epsilon == 0 and bool(xp.any(_vanishing(rows.powers, grid))):
        raise ValueError("rows of the kernel must not vanish at any frequency, got one that does: take epsilon > 0")
    larger = xp.maximum(rows.sizes, _scale.power(xp.full_like(rows.sizes, root))) if root else rows.sizes
    return (rows.powers * (rows.sizes / larger) ** 2 + (root / larger) ** 2) ** -0.5, larger


def _flat(values: Any, grid: Sequence[int]) -> Any:
    """(..., n_1, ..., n_d, C_O) as (..., all of them)."""
    return array_namespace(values).reshape(values, (*values.shape[: -len(grid) - 1], -1))
