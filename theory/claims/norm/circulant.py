"""Rows on circular convolution: its spectrum, zero padding, and batch normalisation folded into a kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy import linalg

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.convolution import circulant
from theory.convolution.matrices import dense, norm
from theory.numerics.array import Array
from theory.spaces import filters as spaces
from theory.things import kernels
from theory.worlds import circulant as worlds

# Cosines of 2 pi l / n that are rational: enough to know the squared norm of a circulant matrix exactly.
_COSINES = {1: (1,), 2: (1, -1), 3: (1, Fraction(-1, 2), Fraction(-1, 2)), 4: (1, 0, -1, 0)}


def _unitary(n: int) -> np.ndarray:
    """The unitary matrix of the discrete Fourier transform."""
    return np.fft.fft(np.eye(n), norm="ortho")


def _diagonalised(a: np.ndarray, power: float) -> Sides:
    """C_a against F* diag(N^power F a) F with the unitary F."""
    F = _unitary(a.size)
    return Sides(dense(a[None, None], (a.size,)), (F.conj().T @ np.diag(a.size**power * (F @ a)) @ F).real)


def _traces(a: np.ndarray) -> Sides:
    """Traces of both sides as printed, N a_0 and sqrt(N) a_0, for a square number N of taps."""
    return Sides(a.size * a[0], math.isqrt(a.size) * a[0])


def _convolved(a: np.ndarray, x: np.ndarray, transposed: bool = False) -> Sides:
    """C_a, of first column a, applied to every channel, against circular convolution by sums."""
    matrix = linalg.circulant(a).T if transposed else linalg.circulant(a)
    n = a.size
    sums = [[sum(a[j] * channel[(i - j) % n] for j in range(n)) for i in range(n)] for channel in x]
    return Sides(x @ matrix.T, np.array(sums))


def _spectrum(kernel: np.ndarray, grid: Sequence[int], stride: int) -> Sides:
    """Singular values of the matrix, against those of the transfer function."""
    measured = np.linalg.svd(dense(kernel, grid, stride), compute_uv=False)
    return Sides(measured, np.sort(circulant.singular_values(kernel, grid, stride), axis=None)[::-1])


def _cropped(kernel: np.ndarray, grid: Sequence[int], stride: int) -> Sides:
    """The same, with a kernel that is cut off at the grid."""
    cut = kernel[:, :, *(slice(size) for size in grid)]
    return Sides(_spectrum(kernel, grid, stride).left, _spectrum(cut, grid, stride).right)


def _alias_factor_forgotten(kernel: np.ndarray, grid: Sequence[int], stride: int) -> Sides:
    """The same, without the factor of the aliases."""
    measured, formula = _spectrum(kernel, grid, stride)
    return Sides(measured, formula * stride ** (len(grid) / 2))


def _power(kernel: np.ndarray, grid: Sequence[int]) -> Sides:
    """The sum of the squared singular values, against the grid's size times that of the taps."""
    return Sides(np.sum(circulant.singular_values(kernel, grid) ** 2), math.prod(grid) * np.sum(kernel**2))


def _condition(kernel: np.ndarray, grid: Sequence[int]) -> Sides:
    """The condition number of the matrix, against that from the frequencies."""
    return Sides(np.linalg.cond(dense(kernel, grid)), circulant.condition(kernel, grid))


def _reshaped_condition(kernel: np.ndarray, grid: Sequence[int]) -> Sides:
    """The condition number of the matrix, against that of the reshaped kernel."""
    return Sides(_condition(kernel, grid).left, np.linalg.cond(kernel.reshape(len(kernel), -1)))


def _linear(kernel: np.ndarray, x: np.ndarray, padded: bool = True) -> Sides:
    """Full linear convolution with C_I signals x, (C_I, n), by sums and on the padded circle."""
    taps, n = kernel.shape[-1], x.shape[-1]
    full = np.stack([sum(np.convolve(k, row) for k, row in zip(rows, x, strict=True)) for rows in kernel])
    grid = circulant.padded_grid((n,), (taps,)) if padded else (max(n, taps),)
    spectrum = np.einsum("fij,jf->if", kernels.transfer(kernel, grid), np.fft.fft(x, grid[0]))
    circular = np.fft.ifft(spectrum).real
    return Sides(full, np.pad(circular, ((0, 0), (0, n + taps - 1 - grid[0]))))


def _zero_padded(kernel: np.ndarray, grid: Sequence[int], stride: int, start: int) -> Sides:
    """The norm of a convolution with zero padding, against the bound."""
    measured = norm(dense(kernel, grid, stride, start))
    return Sides(measured, circulant.zero_padding_bound(kernel, grid, stride))


def _same_size(kernel: np.ndarray, grid: Sequence[int], stride: int, start: int) -> Sides:
    """The same, against the norm of the circular one on the image's own grid."""
    rounded = circulant.padded_grid(grid, (1,) * len(grid), stride)
    measured = norm(dense(kernel, grid, stride, start))
    return Sides(measured, circulant.spectral_norm(kernel, rounded, stride))


def _reshaped_norm(kernel: np.ndarray, grid: Sequence[int], stride: int, start: int) -> Sides:
    """The same, against the norm of the reshaped kernel."""
    return Sides(norm(dense(kernel, grid, stride, start)), norm(kernel.reshape(len(kernel), -1)))


def _rayleigh(taps: np.ndarray, x: np.ndarray) -> Sides:
    """||T x||^2 / ||x||^2 of one zero-padded filter against ||C_n||^2, both exact: n of rational cosines only."""
    n = x.size
    image = np.convolve(taps, x)[:n]
    wrapped = [sum(taps[place::n]) for place in range(n)]
    lags = [sum(wrapped[place] * wrapped[(place + lag) % n] for place in range(n)) for lag in range(n)]
    gains = [sum(lags[lag] * _COSINES[n][lag * w % n] for lag in range(n)) for w in range(n)]
    return Sides(sum(image * image) / sum(x * x), max(gains))


def _folded(
    kernel: Array,
    x: Array,
    scale: Array,
    variance: Array,
    mean: Array,
    bias: Array,
    epsilon: float,
    used: float,
) -> Sides:
    """Convolution and batch normalisation one after the other, against one convolution; `used` is folded in."""
    grid = x.shape[1:]
    outer = (slice(None), *(None,) * len(grid))

    def apply(weights: np.ndarray) -> np.ndarray:
        return (dense(weights, grid) @ x.reshape(-1)).reshape(len(kernel), *grid)

    normalised = scale[outer] * (apply(kernel) - mean[outer]) / np.sqrt(variance + epsilon)[outer] + bias[outer]
    factor = kernels.batch_norm_factor(scale, variance, used)
    return Sides(normalised, apply(kernels.fold_batch_norm(kernel, factor)) + (bias - factor * mean)[outer])


def _folded_norm(kernel: np.ndarray, grid: Sequence[int], factor: np.ndarray, constant: Array) -> Sides:
    """The norm after batch normalisation, against a multiple of that before."""
    measured = norm(dense(kernels.fold_batch_norm(kernel, factor), grid))
    return Sides(measured, constant * circulant.spectral_norm(kernel, grid))


_row = rows("ConvNorm", kind="identity", tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "norm.circulant.dft.printed",
        at="Section 2.2",
        says="a circulant matrix is F* diag(a^) F with a^ = F a and the unitary F",
        formula=r"C_a = F^* \mathrm{diag}(F a) F, \quad F F^* = I",
        domain="filters of N >= 2 taps on N points",
        theory=lambda a: _diagonalised(a, 0),
        space=spaces.filter_of_square_length,
        status="slip",
        quotes=(
            Quote(
                "is a circulant matrix whose first column is a. [..] can be decomposed via the discrete Fourier"
                " Transform (DFT) matrix F: [..]",
                "Section 2.2",
            ),
        ),
        reading="F is unitary, as in the steps for P_k in Section 3, where F F* drops out",
        instead=("norm.circulant.dft.corrected",),
        defect="the decomposition C_a = F* diag(F a) F loses a factor: with the unitary F that the derivation of P_k"
        " uses it gives C_a over the root of N, with the other usual F, of entries of absolute value 1, N times C_a",
        hypotheses=lambda a, **_: {
            "a circulant matrix with first column a, real, of N >= 2 entries": a.ndim == 1 and a.size >= 2,
            "F F* = I": bool(np.allclose(_unitary(a.size) @ _unitary(a.size).conj().T, np.eye(a.size))),
        },
        note="Q_k does not depend on the factor. No normalisation of F repairs the formula with F* as it stands.",
        code=kernels.transfer,
        replay=_traces,
    ),
    _row(
        "norm.circulant.dft.corrected",
        at="Section 2.2",
        says="a circulant matrix is F* diag(sqrt(N) F a) F with the unitary F",
        formula=r"C_a = F^* \mathrm{diag}(\sqrt{N} F a) F, \quad F F^* = I",
        domain="filters of N taps on N points",
        theory=lambda a: _diagonalised(a, 0.5),
        world=worlds.one_filter,
        space=spaces.one_filter,
        status="corrected",
        code=_diagonalised,
        decoys=(
            Decoy("the factor sqrt N forgotten", lambda a: _diagonalised(a, 0)),
            Decoy("a factor N", lambda a: _diagonalised(a, 1)),
        ),
    ),
    _row(
        "norm.circulant.size.printed",
        at="Section 2.2",
        says="C_a has as many rows and columns as the input has channels",
        formula=r"C_a \in \mathbb{R}^{C \times C}",
        domain="inputs of C channels of m points each",
        theory=lambda a, x: Sides(len(x), a.size),
        status="slip",
        quotes=(
            Quote("Suppose that the input data x has C output channels", "Section 2.2"),
            Quote("where [..] is a circulant matrix whose first column is a", "Section 2.2"),
        ),
        reading="the formula left out has C_a in R^(C x C); the filter a has as many entries as a channel has points,"
        " as y = a * x = C_a x needs it",
        instead=("norm.circulant.size.corrected",),
        defect="C_a is printed as a C x C matrix, C the number of channels: it acts on the m points of one channel,"
        " and is m x m",
        hypotheses=lambda a, x, **_: {
            "an input of C channels of m points each": x.ndim == 2,
            "a first column of C_a of m entries": a.shape == x.shape[1:],
        },
        code=_convolved,
    ),
    _row(
        "norm.circulant.size.corrected",
        at="Section 2.2",
        says="C_a has as many rows and columns as a channel has points, and convolves it with its first column",
        formula=r"C_a \in \mathbb{R}^{m \times m}, \quad C_a x_j = a * x_j",
        domain="inputs of any number of channels, each of m points of one axis",
        theory=_convolved,
        world=worlds.filter_and_channels,
        status="corrected",
        decoys=(
            Decoy("with its first row", lambda a, x: _convolved(a, x, transposed=True)),
            Decoy("as many as there are channels", lambda a, x: Sides(linalg.circulant(a).shape, len(x))),
        ),
    ),
    _row(
        "norm.circulant.singular_values",
        at="Section 2.2",
        says="the singular values of a strided circular convolution are those of its matrices at every frequency",
        formula=r"\sigma(A) = \bigcup_w \sigma\left( s^{-d/2} [\hat K(w_1), \dots, \hat K(w_{s^d})] \right)",
        domain="kernels of any size, strides that divide the grid",
        theory=_spectrum,
        world=worlds.strided_kernel,
        status="extension",
        credit="Sedghi, Gupta and Long 2019 for stride 1; strides by aliasing, textbook",
        code=circulant.singular_values,
        decoys=(
            Decoy("taps beyond the grid cut off", _cropped),
            Decoy("aliases joined without their factor", _alias_factor_forgotten),
        ),
    ),
    _row(
        "norm.circulant.power",
        at="Section 2.2",
        says="the squared singular values of a circular convolution add up to the grid's size times ||K||_F^2",
        formula=r"\sum \sigma^2 = n_1 \cdots n_d \|K\|_F^2",
        domain="kernels no larger than the grid, stride 1",
        theory=_power,
        world=worlds.kernel_within_grid,
        status="extension",
        credit="textbook",
        code=circulant.singular_values,
        decoys=(
            Decoy(
                "the grid's size forgotten", lambda **world: Sides(_power(**world).left, np.sum(world["kernel"] ** 2))
            ),
        ),
    ),
    _row(
        "norm.circulant.condition",
        at="Section 2.2",
        says="the condition number of a convolution is the ratio of its extreme singular values over all frequencies",
        formula=r"\kappa(A) = \frac{\max_w \sigma_1(\hat K(w))}{\min_w \sigma_{\min}(\hat K(w))}",
        domain="kernels without vanishing singular values",
        theory=_condition,
        world=worlds.kernel_within_grid,
        status="extension",
        credit="Sedghi, Gupta and Long 2019",
        tolerance=1e-7,
        code=circulant.condition,
        decoys=(Decoy("the condition number of the reshaped kernel", _reshaped_condition),),
    ),
    _row(
        "norm.linear_convolution",
        at="Section 2.2",
        says="any linear convolution is a circular one after zero padding, on n + k - 1 points",
        formula=r"a * x = C_a \cdot \mathrm{pad}(x), \quad N \ge n + k - 1",
        domain="signals and kernels of any length",
        theory=_linear,
        world=worlds.kernel_and_signals,
        quotes=(
            Quote("any linear convolution can be reduced to a circular convolution via zero-padding", "Section 2.2"),
        ),
        reading="as printed, with the padding counted; for kernels and signals of one axis, any numbers of channels",
        code=circulant.padded_grid,
        decoys=(Decoy("no padding", lambda kernel, x: _linear(kernel, x, padded=False)),),
    ),
    _row(
        "norm.zero_padding.tempting",
        at="Section 2.2",
        says="for its norm a convolution with zero padding may be taken to be circular on the image's own grid",
        formula=r"\|T\| \le \|C_n\|",
        domain="images of n points, padding that keeps their size",
        theory=_same_size,
        space=spaces.padded_filter,
        kind="bound",
        status="extension",
        credit="ours",
        tempting=True,
        instead=("norm.zero_padding",),
        hypotheses=lambda taps, x, **_: {
            "a filter, and an image of n points that is not 0": taps.ndim == x.ndim == 1 and bool(np.any(x != 0)),
        },
        note="The paper pads first, which is right. Code that takes the image's own grid is off by a few per cent only,"
        " but has no certificate: (1, -1) on 3 points has the norm 2 cos(pi / 7) = 1.802 > sqrt 3.",
        code=circulant.spectral_norm,
        replay=_rayleigh,
    ),
    _row(
        "norm.zero_padding",
        at="Section 2.2",
        says="a convolution with zero padding has at most the norm of the circular one on n + k - 1 points",
        formula=r"\|T\| \le \|C_N\|, \quad N = s \lceil (n + k - 1) / s \rceil",
        domain="any amount of padding, any stride",
        theory=_zero_padded,
        world=worlds.padded_kernel,
        space=spaces.padded_kernel,
        kind="bound",
        status="extension",
        credit="textbook: the norm of a submatrix",
        code=circulant.zero_padding_bound,
        decoys=(Decoy("the image's own grid", _same_size), Decoy("the norm of the reshaped kernel", _reshaped_norm)),
    ),
    _row(
        "norm.batch_norm.fold",
        at="Section 4",
        says="a convolution and the batch normalisation behind it are one convolution when evaluated",
        formula=r"K' = \mathrm{diag}\left( \frac{\gamma}{\sqrt{v + \epsilon}} \right) K",
        domain="evaluation mode, any shape",
        theory=lambda epsilon, **world: _folded(**world, epsilon=epsilon, used=epsilon),
        world=worlds.batch_norm,
        status="extension",
        credit="textbook",
        note="While training, the factor depends on the batch and the layer has no Lipschitz constant.",
        code=kernels.fold_batch_norm,
        decoys=(Decoy("epsilon forgotten", lambda epsilon, **world: _folded(**world, epsilon=epsilon, used=0.0)),),
    ),
    _row(
        "norm.batch_norm.bound",
        at="Section 4",
        says="batch normalisation multiplies the spectral norm by at most its largest factor",
        formula=r"\|D K\| \le \max_k |D_k| \, \|K\|",
        domain="evaluation mode",
        theory=lambda kernel, grid, factor: _folded_norm(kernel, grid, factor, np.max(np.abs(factor))),
        world=worlds.kernel_and_factors,
        kind="bound",
        status="extension",
        credit="textbook",
        code=kernels.fold_batch_norm,
        decoys=(
            Decoy(
                "its mean factor",
                lambda kernel, grid, factor: _folded_norm(kernel, grid, factor, np.mean(np.abs(factor))),
            ),
        ),
    ),
)
