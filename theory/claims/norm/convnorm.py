"""Rows on ConvNorm: what its preconditioner makes of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.convolution import convnorm
from theory.convolution.matrices import dense, norm, normalised, preconditioners
from theory.spaces import filters as spaces
from theory.things import kernels, normalisation
from theory.worlds import convnorm as worlds

Grid = Sequence[int]


def _reparameterised(kernel: np.ndarray, grid: Grid, joint: bool = False, power: float = 0.5) -> Sides:
    """Equation (1) on matrices, against the kernel from the frequency domain; decoys take other rows or roots."""
    if joint or power != 0.5:
        spectrum = kernels.transfer(kernel, grid)
        powers = np.sum(np.abs(spectrum) ** 2, axis=(-2, -1) if joint else -1, keepdims=True)
        axes = tuple(range(len(grid)))
        formula = np.moveaxis(np.fft.ifftn(spectrum / powers**power, axes=axes).real, (-2, -1), (0, 1))
    else:
        formula = normalisation.normalised_kernel(kernel, grid)
    return Sides(normalised(kernel, grid), dense(formula, grid))


def _outputs(kernel: np.ndarray, grid: Grid, z: np.ndarray, channels: slice = slice(None)) -> Sides:
    """P_k applied to every output channel k, against Q applied to the input, of which decoys keep some channels."""
    plain = np.split(dense(kernel, grid) @ z.reshape(-1), len(kernel))
    outputs = [P @ channel for P, channel in zip(preconditioners(kernel, grid), plain, strict=True)]
    kept = np.zeros_like(z)
    kept[channels] = z[channels]
    return Sides(np.concatenate(outputs), normalised(kernel, grid) @ kept.reshape(-1))


def _frame(kernel: np.ndarray, grid: Grid, epsilon: float, exact: bool = False) -> Sides:
    """Eigenvalues of all Q_k Q_k^T, in order of size, against s / (s + epsilon) or, `exact`, 1."""
    parts = np.split(normalised(kernel, grid, epsilon), len(kernel))
    measured = np.sort([np.linalg.eigvalsh(Q @ Q.T) for Q in parts], axis=None)
    powers = normalisation.row_norms(kernel, grid) ** 2
    gains = powers * normalisation.normaliser(kernel, grid, epsilon) ** 2
    return Sides(measured, np.ones_like(measured) if exact else np.sort(gains, axis=None))


def _trace(taps: np.ndarray) -> Sides:
    """tr Q_k Q_k^T of taps (C_I, k) on two points, where frequencies are rational, against tr I = 2.

    Where a^_k vanishes the pseudo-inverse is taken: no other value is possible, since Q_k is 0 there.
    """
    signs = np.array([1, -1] * taps.shape[1])[: taps.shape[1]]
    gains = [np.sum(taps, axis=1), np.sum(taps * signs, axis=1)]
    return Sides(Fraction(sum(bool(np.any(gain != 0)) for gain in gains)), 2)


def _precondition_norm(kernel: np.ndarray, grid: Grid, typical: bool = False) -> Sides:
    """The largest norm of a preconditioner, against the reciprocal of the smallest row norm."""
    measured = max(map(norm, preconditioners(kernel, grid)))
    shortest = normalisation.smallest_row_norm(kernel, grid)
    return Sides(measured, 1 / (np.mean(normalisation.row_norms(kernel, grid)) if typical else shortest))


def _rescaled(kernel: np.ndarray, grid: Grid, factor: float, power: int = 0) -> Sides:
    """A rescaled layer after normalisation, against a power of the factor times the layer."""
    measured = normalised(factor * kernel, grid)
    return Sides(measured, factor**power * dense(normalisation.normalised_kernel(kernel, grid), grid))


_row = rows("ConvNorm", kind="identity", tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "norm.eq1",
        says="the preconditioner divides every row of the transfer function by its 2-norm:"
        " convolutions with v_k * a_kj",
        formula=r"Q_k = (A_k A_k^\top)^{-1/2} A_k = [C_{v_k * a_{k1}} \cdots C_{v_k * a_{k C_I}}], \quad"
        r" \hat v_k = \left( \sum_i |\hat a_{ki}|^2 \right)^{-1/2}",
        domain="circular convolution, no row that vanishes at a frequency",
        theory=_reparameterised,
        world=worlds.kernel_without_zeros,
        at="equation (1)",
        quotes=(
            Quote("ConvNorm is essentially a reparameterization of the kernels [..] for the k-th channel", "Section 3"),
            Quote(
                "the reparameterization can be written in terms of convolutions which can be efficiently computed using"
                " FFT",
                "Section 3",
            ),
        ),
        reading="no row of the transfer function vanishes at a frequency, which the paper does not say and the inverse"
        " root of A_k A_k^T needs; a^ are the transfer functions, eigenvalues of C_a, so that no factor of F is lost",
        note="The new kernels fill the grid: the layer depends on the image's size.",
        code=normalisation.normalised_kernel,
        tolerance=1e-7,
        decoys=(
            Decoy("one norm for all rows of a frequency", lambda **world: _reparameterised(**world, joint=True)),
            Decoy("divided by the squared norm", lambda **world: _reparameterised(**world, power=1)),
        ),
    ),
    _row(
        "norm.eq1.input.printed",
        says="the normalised output of channel k is Q_k applied to one input channel",
        formula=r"\tilde z_{k,out} = Q_k(A_k) \, z_{k,in}",
        domain="layers of C_I >= 2 input channels of m points each",
        theory=lambda z: Sides(z[0].size, z.size),
        at="Section 3",
        status="slip",
        quotes=(Quote("The resulting normalized output is thus given by [..] where [..]", "Section 3"),),
        reading="the formula left out ends in Q_k(A_k) z_(k,in), and z_(j,in) is input channel j: its number of points"
        " is held against the number of columns of Q_k",
        instead=("norm.eq1.input.corrected",),
        defect="the normalised output is printed as Q_k z_(k,in), with one input channel, where Q_k has columns for all"
        " C_I of them; output channels beyond C_I have no z_(k,in) at all",
        hypotheses=lambda z, **_: {"an input of C_I >= 2 channels of m points each": z.ndim == 2 and len(z) >= 2},
        code=normalisation.normalised_kernel,
    ),
    _row(
        "norm.eq1.input.corrected",
        says="the normalised output of channel k is Q_k applied to all input channels",
        formula=r"P_k \sum_j a_{kj} * z_{j,in} = Q_k z_{in}",
        domain="circular convolution, no row that vanishes at a frequency",
        theory=_outputs,
        world=worlds.kernel_and_input,
        at="Section 3",
        status="corrected",
        code=normalisation.normalised_kernel,
        tolerance=1e-7,
        decoys=(Decoy("to one input channel", lambda **world: _outputs(**world, channels=slice(1))),),
    ),
    _row(
        "norm.tight_frame.reading",
        says="every output channel whose kernel is not 0 can be normalised to a tight frame",
        formula=r"Q_k Q_k^\top = I",
        domain="all kernels that are not 0, C_I >= 2",
        theory=lambda kernel, grid: _frame(kernel, grid, 0.0, exact=True),
        space=spaces.filter_of_channels,
        at="Section 3",
        status="reading",
        quotes=(
            Quote(
                "it can be normalized to tight frame with [..] and so [..] can be normalized in each channel to unity",
                "Section 3",
            ),
        ),
        reading="of every A_k other than 0, whatever P_k is taken where A_k A_k^T has no inverse root",
        instead=("norm.tight_frame.corrected",),
        defect="a channel can be normalised to Q_k Q_k^T = I only where no row of its transfer function vanishes at a"
        " frequency, a condition that Section 3 leaves out: where all its filters have zero mean there is no such P_k",
        hypotheses=lambda taps, **_: {
            "A_k is overcomplete, of several input channels": taps.ndim == 2 and len(taps) >= 2,
            "a kernel that is not 0": bool(np.any(taps != 0)),
        },
        note="Where A_k has less than full rank so has P_k A_k for every P_k, and no Q_k Q_k^T is I. The paper's P_k is"
        " then 0 / 0 at that frequency; code that adds an epsilon to the root gets what the corrected row says.",
        code=convnorm.tight_frame_deviation,
        replay=_trace,
    ),
    _row(
        "norm.tight_frame.corrected",
        says="Q_k Q_k^T has the eigenvalues s / (s + epsilon), s the squared row norms: I for epsilon = 0",
        formula=r"\lambda_w(Q_k Q_k^\top) = \frac{\|\hat a_k(w)\|^2}{\|\hat a_k(w)\|^2 + \epsilon}",
        domain="epsilon > 0, or no row that vanishes at a frequency; circular convolution without cropping",
        theory=_frame,
        world=worlds.kernel_and_epsilon,
        space=spaces.kernel_and_epsilon,
        at="Section 3",
        status="corrected",
        code=normalisation.normaliser,
        tolerance=1e-7,
        decoys=(Decoy("I in spite of epsilon", lambda **world: _frame(**world, exact=True)),),
    ),
    _row(
        "norm.preconditioner.norm",
        says="the preconditioner's norm is the reciprocal of the smallest row norm of the transfer function",
        formula=r"\max_k \|P_k\| = \frac{1}{\min_{k,w} \|\hat a_k(w)\|}",
        domain="no row that vanishes at a frequency",
        theory=_precondition_norm,
        world=worlds.kernel_without_zeros,
        at="equation (1)",
        status="extension",
        credit="textbook",
        note="Forward noise and gradients grow by as much near a vanishing frequency.",
        code=normalisation.smallest_row_norm,
        tolerance=1e-7,
        decoys=(Decoy("of the mean row norm", lambda **world: _precondition_norm(**world, typical=True)),),
    ),
    _row(
        "norm.scale",
        says="the normalised layer does not depend on the scale of its kernel",
        formula=r"Q(c A) = Q(A), \quad c > 0",
        domain="no row that vanishes at a frequency",
        theory=_rescaled,
        world=worlds.kernel_and_factor,
        at="equation (1)",
        status="extension",
        credit="ours",
        note="So no bound on ||Q|| alone can say that normalising reduces anything.",
        code=normalisation.normalised_kernel,
        tolerance=1e-7,
        decoys=(Decoy("proportional to it", lambda **world: _rescaled(**world, power=1)),),
    ),
)
