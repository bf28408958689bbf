"""Rows on ConvNorm: what its preconditioner makes of a layer, and Proposition 3.1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from theory import circulant, convnorm
from theory._dense import dense, norm, normalised, preconditioners
from theory.claim import Claim, Decoy, Quote, Sides, rows

Grid = Sequence[int]


def _reparameterised(kernel: np.ndarray, grid: Grid, joint: bool = False, power: float = 0.5) -> Sides:
    """Equation (1) on matrices, against the kernel from the frequency domain; decoys take other rows or roots."""
    if joint or power != 0.5:
        spectrum = circulant.transfer(kernel, grid)
        powers = np.sum(np.abs(spectrum) ** 2, axis=(-2, -1) if joint else -1, keepdims=True)
        axes = tuple(range(len(grid)))
        formula = np.moveaxis(np.fft.ifftn(spectrum / powers**power, axes=axes).real, (-2, -1), (0, 1))
    else:
        formula = convnorm.normalised_kernel(kernel, grid)
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
    powers = convnorm.row_norms(kernel, grid) ** 2
    gains = powers * convnorm.normaliser(kernel, grid, epsilon) ** 2
    return Sides(measured, np.ones_like(measured) if exact else np.sort(gains, axis=None))


def _trace(taps: np.ndarray) -> Sides:
    """tr Q_k Q_k^T of taps (C_I, k) on two points, where frequencies are rational, against tr I = 2.

    Where a^_k vanishes the pseudo-inverse is taken: no other value is possible, since Q_k is 0 there.
    """
    signs = np.array([1, -1] * taps.shape[1])[: taps.shape[1]]
    gains = [np.sum(taps, axis=1), np.sum(taps * signs, axis=1)]
    return Sides(Fraction(sum(bool(np.any(gain != 0)) for gain in gains)), 2)


def _precondition_norm(kernel: np.ndarray, grid: Grid, typical: bool = False) -> Sides:
    measured = max(map(norm, preconditioners(kernel, grid)))
    shortest = convnorm.smallest_row_norm(kernel, grid)
    return Sides(measured, 1 / (np.mean(convnorm.row_norms(kernel, grid)) if typical else shortest))


def _stacked(blocks: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Largest ||Q_k||, ||Q|| and the bound of Proposition 3.1."""
    least, most = convnorm.stack_bounds(np.array([norm(block) for block in blocks]))
    return float(least), norm(np.concatenate(blocks)), float(most)


def _upper(blocks: Sequence[np.ndarray]) -> Sides:
    _, measured, most = _stacked(blocks)
    return Sides(measured, most)


def _lower(blocks: Sequence[np.ndarray], factor: float = 1) -> Sides:
    least, measured, _ = _stacked(blocks)
    return Sides(factor * least, measured)


def _range(kernel: np.ndarray, grid: Grid) -> tuple[float, float, float]:
    low, high = convnorm.norm_range(*kernel.shape[:2])
    return low, norm(normalised(kernel, grid)), high


def _within(low: float, measured: float, high: float) -> Sides:
    return Sides(np.array([low, measured]), np.array([measured, high]))


def _lowers(kernel: np.ndarray, grid: Grid) -> Sides:
    return Sides(norm(normalised(kernel, grid)), norm(dense(kernel, grid)))


def _lowers_exactly(filters: np.ndarray) -> Sides:
    """||Q||^2 and ||A||^2 of 1 x 1 filters of one channel: every row of Q is a sign."""
    return Sides(Fraction(sum(weight != 0 for weight in filters)), sum(filters * filters))


def _compared(kernel: np.ndarray, grid: Grid) -> Sides:
    low, high = convnorm.comparison(kernel, grid)
    return _within(float(low), norm(normalised(kernel, grid)), float(high))


def _rescaled(kernel: np.ndarray, grid: Grid, factor: float, power: int = 0) -> Sides:
    measured = normalised(factor * kernel, grid)
    return Sides(measured, factor**power * dense(convnorm.normalised_kernel(kernel, grid), grid))


def _mean_power(shape: tuple[int, ...], place: tuple[int, ...], grid: Grid, sd: float, fan: int = 1) -> Sides:
    """||a^(w)||^2 at one frequency, averaged over all signs of weights of size sd: E of any centred independent law."""
    signs = sd * np.array(list(product((-1.0, 1.0), repeat=math.prod(shape))))
    kernels = signs.reshape(-1, 1, *shape)
    measured = np.mean([convnorm.row_norms(kernel[None, 0], grid)[place][0] ** 2 for kernel in kernels])
    return Sides(measured, fan * convnorm.expected_row_power(shape[0], shape[1:], sd**2))


def _equilibrated(matrix: np.ndarray, scaling: np.ndarray, factor: float = 1) -> Sides:
    rows = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    return Sides(np.linalg.cond(rows), factor * convnorm.equilibrated_condition_bound(matrix, scaling))


_row = rows("norm", "ConvNorm, Proposition 3.1", kind="bound", tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "eq1",
        says="the preconditioner divides every row of the transfer function by its 2-norm:"
        " convolutions with v_k * a_kj",
        formula=r"Q_k = (A_k A_k^\top)^{-1/2} A_k = [C_{v_k * a_{k1}} \cdots C_{v_k * a_{k C_I}}], \quad"
        r" \hat v_k = \left( \sum_i |\hat a_{ki}|^2 \right)^{-1/2}",
        domain="circular convolution, no row that vanishes at a frequency",
        theory=_reparameterised,
        source="ConvNorm, equation (1)",
        kind="identity",
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
        code=convnorm.normalised_kernel,
        tolerance=1e-7,
        decoys=(
            Decoy("one norm for all rows of a frequency", lambda **world: _reparameterised(**world, joint=True)),
            Decoy("divided by the squared norm", lambda **world: _reparameterised(**world, power=1)),
        ),
    ),
    _row(
        "eq1.input.printed",
        says="the normalised output of channel k is Q_k applied to one input channel",
        formula=r"\tilde z_{k,out} = Q_k(A_k) \, z_{k,in}",
        domain="layers of C_I >= 2 input channels of m points each",
        theory=lambda z: Sides(z[0].size, z.size),
        source="ConvNorm, Section 3",
        kind="identity",
        status="slip",
        quotes=(Quote("The resulting normalized output is thus given by [..] where [..]", "Section 3"),),
        reading="the formula left out ends in Q_k(A_k) z_(k,in), and z_(j,in) is input channel j: its number of points"
        " is held against the number of columns of Q_k",
        instead=("norm.eq1.input.corrected",),
        defect="the normalised output is printed as Q_k z_(k,in), with one input channel, where Q_k has columns for all"
        " C_I of them; output channels beyond C_I have no z_(k,in) at all",
        hypotheses=lambda z, **_: {"an input of C_I >= 2 channels of m points each": z.ndim == 2 and len(z) >= 2},
        code=convnorm.normalised_kernel,
    ),
    _row(
        "eq1.input.corrected",
        says="the normalised output of channel k is Q_k applied to all input channels",
        formula=r"P_k \sum_j a_{kj} * z_{j,in} = Q_k z_{in}",
        domain="circular convolution, no row that vanishes at a frequency",
        theory=_outputs,
        source="ConvNorm, Section 3",
        kind="identity",
        status="corrected",
        code=convnorm.normalised_kernel,
        tolerance=1e-7,
        decoys=(Decoy("to one input channel", lambda **world: _outputs(**world, channels=slice(1))),),
    ),
    _row(
        "tight_frame.reading",
        says="every output channel whose kernel is not 0 can be normalised to a tight frame",
        formula=r"Q_k Q_k^\top = I",
        domain="all kernels that are not 0, C_I >= 2",
        theory=lambda kernel, grid: _frame(kernel, grid, 0.0, exact=True),
        source="ConvNorm, Section 3",
        kind="identity",
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
        "tight_frame.corrected",
        says="Q_k Q_k^T has the eigenvalues s / (s + epsilon), s the squared row norms: I for epsilon = 0",
        formula=r"\lambda_w(Q_k Q_k^\top) = \frac{\|\hat a_k(w)\|^2}{\|\hat a_k(w)\|^2 + \epsilon}",
        domain="epsilon > 0, or no row that vanishes at a frequency; circular convolution without cropping",
        theory=_frame,
        source="ConvNorm, Section 3",
        kind="identity",
        status="corrected",
        code=convnorm.normaliser,
        tolerance=1e-7,
        decoys=(Decoy("I in spite of epsilon", lambda **world: _frame(**world, exact=True)),),
    ),
    _row(
        "preconditioner.norm",
        says="the preconditioner's norm is the reciprocal of the smallest row norm of the transfer function",
        formula=r"\max_k \|P_k\| = \frac{1}{\min_{k,w} \|\hat a_k(w)\|}",
        domain="no row that vanishes at a frequency",
        theory=_precondition_norm,
        source="ConvNorm, equation (1)",
        kind="identity",
        status="extension",
        credit="textbook",
        note="Forward noise and gradients grow by as much near a vanishing frequency.",
        code=convnorm.smallest_row_norm,
        tolerance=1e-7,
        decoys=(Decoy("of the mean row norm", lambda **world: _precondition_norm(**world, typical=True)),),
    ),
    _row(
        "scale",
        says="the normalised layer does not depend on the scale of its kernel",
        formula=r"Q(c A) = Q(A), \quad c > 0",
        domain="no row that vanishes at a frequency",
        theory=_rescaled,
        source="ConvNorm, equation (1)",
        kind="identity",
        status="extension",
        credit="ours",
        note="So no bound on ||Q|| alone can say that normalising reduces anything.",
        code=convnorm.normalised_kernel,
        tolerance=1e-7,
        decoys=(Decoy("proportional to it", lambda **world: _rescaled(**world, power=1)),),
    ),
    _row(
        "prop3.1",
        says="the spectral norm of stacked operators is at most the root of the sum of their squared norms",
        formula=r"\|Q\| \le \sqrt{\sum_{k=1}^{C_O} \|Q_k\|^2}",
        domain="any operators with a common domain",
        theory=_upper,
        quotes=(Quote("The spectral norm of Q induced in (2) can be bounded by [..]", "Proposition 3.1"),),
        reading="tried on any blocks with a common domain, of which the Q_k are some",
        code=convnorm.stack_bounds,
        decoys=(Decoy("the largest of their norms", lambda blocks: Sides(_upper(blocks).left, _stacked(blocks)[0])),),
    ),
    _row(
        "prop3.1.lower",
        says="the spectral norm of stacked operators is at least the largest of their norms",
        formula=r"\max_k \|Q_k\| \le \|Q\|",
        domain="any operators with a common domain",
        theory=_lower,
        status="extension",
        credit="textbook",
        code=convnorm.stack_bounds,
        decoys=(Decoy("times the root of their number", lambda blocks: _lower(blocks, math.sqrt(len(blocks)))),),
    ),
    _row(
        "range",
        says="after normalisation the norm lies between sqrt(C_O / min(C_O, C_I)) and sqrt(C_O)",
        formula=r"\sqrt{\frac{C_O}{\min(C_O, C_I)}} \le \|Q\| \le \sqrt{C_O}",
        domain="no row that vanishes at a frequency",
        theory=lambda kernel, grid: _within(*_range(kernel, grid)),
        status="extension",
        credit="ours",
        note="Both ends are attained: a layer that widens always expands something. Typical: 1 + sqrt(C_O / C_I).",
        code=convnorm.norm_range,
        decoys=(
            Decoy("non-expansive", lambda kernel, grid: Sides(_range(kernel, grid)[1], 1.0)),
            Decoy("at least sqrt(C_O)", lambda kernel, grid: Sides(*_range(kernel, grid)[:0:-1])),
        ),
    ),
    _row(
        "range.one_channel",
        says="with one input channel the normalised layer has norm sqrt(C_O), whatever the kernel",
        formula=r"C_I = 1 \; \Rightarrow \; \|Q\| = \sqrt{C_O}",
        domain="one input channel, no row that vanishes at a frequency",
        theory=lambda kernel, grid: Sides(*_range(kernel, grid)[1:]),
        kind="identity",
        status="extension",
        credit="ours",
        code=convnorm.norm_range,
        decoys=(Decoy("norm 1", lambda kernel, grid: Sides(_range(kernel, grid)[1], 1.0)),),
    ),
    _row(
        "reduces.printed",
        says="normalising reduces the spectral norm of the layer",
        formula=r"\|Q\| \le \|A\|",
        domain="all kernels of which no row vanishes at a frequency",
        theory=_lowers,
        status="refuted",
        quotes=(
            Quote(
                "and so the ConvNorm actually reduces [..], improving the Lipschitzness in each layer",
                "Proposition 3.1",
            ),
        ),
        reading="the norm of the normalised layer Q is at most that of the layer A = [A_1; ...; A_(C_O)] before, for"
        " every kernel",
        instead=("norm.reduces.corrected",),
        defect="Proposition 3.1 does not show that ConvNorm reduces the norm of a layer, which its bound never"
        " mentions, and it is false: kernels of PyTorch's default initialisation come out about 1.7 times as large",
        hypotheses=lambda filters, **_: {
            "a layer of 1-stride circular convolutions, here of one tap and one input channel": filters.ndim == 1,
            "no row of a transfer function vanishes, so that every P_k exists": bool(np.all(filters != 0)),
        },
        note="||Q_k|| = 1, so that the bound is sqrt(C_O), whatever A is; and Q does not depend on the scale of A."
        " Default kernels have the mean squared row norm 1/3, and rise by about sqrt 3: by 1.55 to 1.75 in 60 of 60, 3"
        " x 3 taps, 16 to 128 channels, on 8 x 8 and 16 x 16 points (seed 0). Figure 1 of the paper shows norms that"
        " are reduced: those of one trained network.",
        code=convnorm.spectral_norm,
        replay=_lowers_exactly,
    ),
    _row(
        "reduces.corrected",
        says="normalising divides the norm by something between the smallest and the largest row norm",
        formula=r"\frac{\|A\|}{\max_{k,w} \|\hat a_k(w)\|} \le \|Q\| \le \frac{\|A\|}{\min_{k,w} \|\hat a_k(w)\|}",
        domain="no row that vanishes at a frequency",
        theory=_compared,
        status="corrected",
        note="It raises the norm if no row is longer than 1 and lowers it if none is shorter.",
        code=convnorm.comparison,
        tolerance=1e-7,
        decoys=(
            Decoy("never above the norm before", _lowers),
            Decoy("never below it", lambda kernel, grid: Sides(*_lowers(kernel, grid)[::-1])),
        ),
    ),
    _row(
        "initial.power",
        says="independent centred weights give every row of the transfer function the mean square"
        " C_I k_1 ... k_d Var(a)",
        formula=r"\mathbb{E} \|\hat a_k(w)\|^2 = C_I k_1 \cdots k_d \mathrm{Var}(a)",
        domain="independent centred weights, every frequency",
        theory=_mean_power,
        kind="identity",
        status="extension",
        credit="textbook",
        note="1/3 for PyTorch's default and 2 for He's: ConvNorm raises the norm by sqrt 3, or lowers it by sqrt 2.",
        code=convnorm.expected_row_power,
        decoys=(Decoy("twice the fan-in", lambda **world: _mean_power(**world, fan=2)),),
    ),
    _row(
        "van_der_sluis",
        says="rows of unit norm are within sqrt(C_O) of the best conditioned scaling of rows, at every frequency",
        formula=r"\kappa_2(\hat Q(w)) \le \sqrt{C_O} \min_D \kappa_2(D \hat A(w))",
        domain="full row rank",
        theory=_equilibrated,
        source="ConvNorm, Section 3, and Conditioning, Section III-B",
        status="extension",
        credit="van der Sluis 1969",
        note="Best for two rows; for more it can be worse than no scaling.",
        code=convnorm.equilibrated_condition_bound,
        decoys=(
            Decoy(
                "best of all scalings",
                lambda matrix, scaling: _equilibrated(matrix, scaling, 1 / math.sqrt(len(matrix))),
            ),
        ),
    ),
)
