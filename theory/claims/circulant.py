"""Rows on circular convolution: its spectrum, zero padding, and batch normalisation folded into a kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from scipy import linalg, stats

from theory import circulant, convnorm
from theory._dense import dense, norm
from theory.claim import Claim, Decoy, Quote, Sides, rows

# Cosines of 2 pi l / n that are rational: enough to know the squared norm of a circulant matrix exactly.
_COSINES = {1: (1,), 2: (1, -1), 3: (1, Fraction(-1, 2), Fraction(-1, 2)), 4: (1, 0, -1, 0)}


def _unitary(n: int) -> np.ndarray:
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
    measured = np.linalg.svd(dense(kernel, grid, stride), compute_uv=False)
    return Sides(measured, np.sort(circulant.singular_values(kernel, grid, stride), axis=None)[::-1])


def _cropped(kernel: np.ndarray, grid: Sequence[int], stride: int) -> Sides:
    cut = kernel[:, :, *(slice(size) for size in grid)]
    return Sides(_spectrum(kernel, grid, stride).left, _spectrum(cut, grid, stride).right)


def _alias_factor_forgotten(kernel: np.ndarray, grid: Sequence[int], stride: int) -> Sides:
    measured, formula = _spectrum(kernel, grid, stride)
    return Sides(measured, formula * stride ** (len(grid) / 2))


def _power(kernel: np.ndarray, grid: Sequence[int]) -> Sides:
    return Sides(np.sum(circulant.singular_values(kernel, grid) ** 2), math.prod(grid) * np.sum(kernel**2))


def _condition(kernel: np.ndarray, grid: Sequence[int]) -> Sides:
    return Sides(np.linalg.cond(dense(kernel, grid)), circulant.condition(kernel, grid))


def _reshaped_condition(kernel: np.ndarray, grid: Sequence[int]) -> Sides:
    return Sides(_condition(kernel, grid).left, np.linalg.cond(kernel.reshape(len(kernel), -1)))


def _linear(kernel: np.ndarray, x: np.ndarray, padded: bool = True) -> Sides:
    """Full linear convolution with C_I signals x, (C_I, n), by sums and on the padded circle."""
    taps, n = kernel.shape[-1], x.shape[-1]
    full = np.stack([sum(np.convolve(k, row) for k, row in zip(rows, x, strict=True)) for rows in kernel])
    grid = circulant.padded_grid((n,), (taps,)) if padded else (max(n, taps),)
    spectrum = np.einsum("fij,jf->if", circulant.transfer(kernel, grid), np.fft.fft(x, grid[0]))
    circular = np.fft.ifft(spectrum).real
    return Sides(full, np.pad(circular, ((0, 0), (0, n + taps - 1 - grid[0]))))


def _zero_padded(kernel: np.ndarray, grid: Sequence[int], stride: int, start: int) -> Sides:
    measured = norm(dense(kernel, grid, stride, start))
    return Sides(measured, circulant.zero_padding_bound(kernel, grid, stride))


def _same_size(kernel: np.ndarray, grid: Sequence[int], stride: int, start: int) -> Sides:
    rounded = circulant.padded_grid(grid, (1,) * len(grid), stride)
    measured = norm(dense(kernel, grid, stride, start))
    return Sides(measured, circulant.spectral_norm(kernel, rounded, stride))


def _reshaped_norm(kernel: np.ndarray, grid: Sequence[int], stride: int, start: int) -> Sides:
    return Sides(norm(dense(kernel, grid, stride, start)), norm(kernel.reshape(len(kernel), -1)))


def _rayleigh(taps: np.ndarray, x: np.ndarray) -> Sides:
    """||T x||^2 / ||x||^2 of one zero-padded filter against ||C_n||^2, both exact: n of rational cosines only."""
    n = x.size
    image = np.convolve(taps, x)[:n]
    wrapped = [sum(taps[place::n]) for place in range(n)]
    lags = [sum(wrapped[place] * wrapped[(place + lag) % n] for place in range(n)) for lag in range(n)]
    gains = [sum(lags[lag] * _COSINES[n][lag * w % n] for lag in range(n)) for w in range(n)]
    return Sides(sum(image * image) / sum(x * x), max(gains))


def _folded(kernel: Any, x: Any, scale: Any, variance: Any, mean: Any, bias: Any, epsilon: float, used: float) -> Sides:
    """Convolution and batch normalisation one after the other, against one convolution; `used` is folded in."""
    grid = x.shape[1:]
    outer = (slice(None), *(None,) * len(grid))

    def apply(weights: np.ndarray) -> np.ndarray:
        return (dense(weights, grid) @ x.reshape(-1)).reshape(len(kernel), *grid)

    normalised = scale[outer] * (apply(kernel) - mean[outer]) / np.sqrt(variance + epsilon)[outer] + bias[outer]
    factor = circulant.batch_norm_factor(scale, variance, used)
    return Sides(normalised, apply(circulant.fold_batch_norm(kernel, factor)) + (bias - factor * mean)[outer])


def _folded_norm(kernel: np.ndarray, grid: Sequence[int], factor: np.ndarray, constant: Any) -> Sides:
    measured = norm(dense(circulant.fold_batch_norm(kernel, factor), grid))
    return Sides(measured, constant * circulant.spectral_norm(kernel, grid))


def _row_powers(n: int, channels_in: int, channels_out: int, taps: int, frequency: tuple[int, int]) -> list[Any]:
    """A law per output channel: they are independent."""
    return [convnorm.row_power_law(channels_in, (taps, taps), (n, n), frequency)] * channels_out


def _scaled(law: Any) -> Any:
    return lambda channels_in, channels_out, taps, **_: [law(channels_in, scale=taps**2)] * channels_out


def _pure(n: int, channels_in: int, channels_out: int, taps: int, frequency: tuple[int, int]) -> bool:
    """Whether rows, two at least, are real or isotropic: T = K or T = 0."""
    twice = [2 * w % n for w in frequency if taps > 1]
    return min(channels_in, channels_out) > 1 and (not any(twice) or any(w * taps % n == 0 < w for w in twice))


_row = rows("norm", "ConvNorm", kind="identity", tolerance=1e-9)
_drawn = partial(
    _row,
    at="Section 4",
    kind="law",
    status="extension",
    credit="ours, from textbook laws of Gaussian vectors",
    study="circulant",
)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "circulant.dft.printed",
        at="Section 2.2",
        says="a circulant matrix is F* diag(a^) F with a^ = F a and the unitary F",
        formula=r"C_a = F^* \mathrm{diag}(F a) F, \quad F F^* = I",
        domain="filters of N >= 2 taps on N points",
        theory=lambda a: _diagonalised(a, 0),
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
        code=circulant.transfer,
        replay=_traces,
    ),
    _row(
        "circulant.dft.corrected",
        at="Section 2.2",
        says="a circulant matrix is F* diag(sqrt(N) F a) F with the unitary F",
        formula=r"C_a = F^* \mathrm{diag}(\sqrt{N} F a) F, \quad F F^* = I",
        domain="filters of N taps on N points",
        theory=lambda a: _diagonalised(a, 0.5),
        status="corrected",
        code=_diagonalised,
        decoys=(
            Decoy("the factor sqrt N forgotten", lambda a: _diagonalised(a, 0)),
            Decoy("a factor N", lambda a: _diagonalised(a, 1)),
        ),
    ),
    _row(
        "circulant.size.printed",
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
        "circulant.size.corrected",
        at="Section 2.2",
        says="C_a has as many rows and columns as a channel has points, and convolves it with its first column",
        formula=r"C_a \in \mathbb{R}^{m \times m}, \quad C_a x_j = a * x_j",
        domain="inputs of any number of channels, each of m points of one axis",
        theory=_convolved,
        status="corrected",
        decoys=(
            Decoy("with its first row", lambda a, x: _convolved(a, x, transposed=True)),
            Decoy("as many as there are channels", lambda a, x: Sides(linalg.circulant(a).shape, len(x))),
        ),
    ),
    _row(
        "circulant.singular_values",
        at="Section 2.2",
        says="the singular values of a strided circular convolution are those of its matrices at every frequency",
        formula=r"\sigma(A) = \bigcup_w \sigma\left( s^{-d/2} [\hat K(w_1), \dots, \hat K(w_{s^d})] \right)",
        domain="kernels of any size, strides that divide the grid",
        theory=_spectrum,
        status="extension",
        credit="Sedghi, Gupta and Long 2019 for stride 1; strides by aliasing, textbook",
        code=circulant.singular_values,
        decoys=(
            Decoy("taps beyond the grid cut off", _cropped),
            Decoy("aliases joined without their factor", _alias_factor_forgotten),
        ),
    ),
    _row(
        "circulant.power",
        at="Section 2.2",
        says="the squared singular values of a circular convolution add up to the grid's size times ||K||_F^2",
        formula=r"\sum \sigma^2 = n_1 \cdots n_d \|K\|_F^2",
        domain="kernels no larger than the grid, stride 1",
        theory=_power,
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
        "circulant.condition",
        at="Section 2.2",
        says="the condition number of a convolution is the ratio of its extreme singular values over all frequencies",
        formula=r"\kappa(A) = \frac{\max_w \sigma_1(\hat K(w))}{\min_w \sigma_{\min}(\hat K(w))}",
        domain="kernels without vanishing singular values",
        theory=_condition,
        status="extension",
        credit="Sedghi, Gupta and Long 2019",
        tolerance=1e-7,
        code=circulant.condition,
        decoys=(Decoy("the condition number of the reshaped kernel", _reshaped_condition),),
    ),
    _row(
        "linear_convolution",
        at="Section 2.2",
        says="any linear convolution is a circular one after zero padding, on n + k - 1 points",
        formula=r"a * x = C_a \cdot \mathrm{pad}(x), \quad N \ge n + k - 1",
        domain="signals and kernels of any length",
        theory=_linear,
        quotes=(
            Quote("any linear convolution can be reduced to a circular convolution via zero-padding", "Section 2.2"),
        ),
        reading="as printed, with the padding counted; for kernels and signals of one axis, any numbers of channels",
        code=circulant.padded_grid,
        decoys=(Decoy("no padding", lambda kernel, x: _linear(kernel, x, padded=False)),),
    ),
    _row(
        "zero_padding.tempting",
        at="Section 2.2",
        says="for its norm a convolution with zero padding may be taken to be circular on the image's own grid",
        formula=r"\|T\| \le \|C_n\|",
        domain="images of n points, padding that keeps their size",
        theory=_same_size,
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
        "zero_padding",
        at="Section 2.2",
        says="a convolution with zero padding has at most the norm of the circular one on n + k - 1 points",
        formula=r"\|T\| \le \|C_N\|, \quad N = s \lceil (n + k - 1) / s \rceil",
        domain="any amount of padding, any stride",
        theory=_zero_padded,
        kind="bound",
        status="extension",
        credit="textbook: the norm of a submatrix",
        code=circulant.zero_padding_bound,
        decoys=(Decoy("the image's own grid", _same_size), Decoy("the norm of the reshaped kernel", _reshaped_norm)),
    ),
    _row(
        "batch_norm.fold",
        at="Section 4",
        says="a convolution and the batch normalisation behind it are one convolution when evaluated",
        formula=r"K' = \mathrm{diag}\left( \frac{\gamma}{\sqrt{v + \epsilon}} \right) K",
        domain="evaluation mode, any shape",
        theory=lambda epsilon, **world: _folded(**world, epsilon=epsilon, used=epsilon),
        status="extension",
        credit="textbook",
        note="While training, the factor depends on the batch and the layer has no Lipschitz constant.",
        code=circulant.fold_batch_norm,
        decoys=(Decoy("epsilon forgotten", lambda epsilon, **world: _folded(**world, epsilon=epsilon, used=0.0)),),
    ),
    _row(
        "batch_norm.bound",
        at="Section 4",
        says="batch normalisation multiplies the spectral norm by at most its largest factor",
        formula=r"\|D K\| \le \max_k |D_k| \, \|K\|",
        domain="evaluation mode",
        theory=lambda kernel, grid, factor: _folded_norm(kernel, grid, factor, np.max(np.abs(factor))),
        kind="bound",
        status="extension",
        credit="textbook",
        code=circulant.fold_batch_norm,
        decoys=(
            Decoy(
                "its mean factor",
                lambda kernel, grid, factor: _folded_norm(kernel, grid, factor, np.mean(np.abs(factor))),
            ),
        ),
    ),
    _drawn(
        "initial.row_power",
        says="Gaussian weights give a row of the transfer function a squared norm that is a sum of two chi-squares",
        formula=r"\|\hat a_k(w)\|^2 \overset{d}{=} \frac{K + T}{2} \chi^2_{C_I} + \frac{K - T}{2} \chi^2_{C_I}, \quad"
        r" T = \left| \sum_a e^{-4 \pi i \, w \cdot a / n} \right|",
        domain="N(0, 1) weights, K taps; every frequency, output channels independent",
        theory=_row_powers,
        tolerance=0.03,
        statistic="row_power",
        note="Exact, mean C_I K.",
        code=convnorm.row_power_law,
        decoys=(
            Decoy("isotropic everywhere", _scaled(stats.gamma)),
            Decoy("real everywhere", _scaled(stats.chi2)),
        ),
    ),
    _drawn(
        "initial.overlap",
        says="after normalisation two rows of the transfer function are independent random unit vectors",
        formula=r"|\langle \hat q_k, \hat q_l \rangle|^2 \sim \mathrm{Beta}(1, C_I - 1) \; (T = 0), \quad"
        r" \mathrm{Beta}\left(\frac{1}{2}, \frac{C_I - 1}{2}\right) \; (T = K)",
        domain="N(0, 1) weights, two channels or more on either side, T as for the squared norm of a row",
        theory=lambda n, channels_in, channels_out, taps, frequency: convnorm.overlap_law(
            channels_in, (taps, taps), (n, n), frequency
        ),
        tolerance=0.05,
        statistic="overlap",
        where=_pure,
        note="Exact. Two rows alone have the squared norm 1 + |<q_k, q_l>|: never 1, however they are normalised.",
        code=convnorm.overlap_law,
        decoys=(
            Decoy("complex everywhere", lambda channels_in, **_: stats.beta(1, channels_in - 1)),
            Decoy("real everywhere", lambda channels_in, **_: stats.beta(0.5, (channels_in - 1) / 2)),
        ),
    ),
)
