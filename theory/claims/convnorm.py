"""Rows on ConvNorm: what its preconditioner makes of a layer, and Proposition 3.1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from theory import circulant, convnorm
from theory._dense import dense, norm, normalised, preconditioners
from theory.claim import Claim, Decoy, Sides, rows

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


def _frame(kernel: np.ndarray, grid: Grid, epsilon: float, exact: bool = False) -> Sides:
    """Eigenvalues of all Q_k Q_k^T, in order of size, against s / (s + epsilon) or, `exact`, 1."""
    parts = np.split(normalised(kernel, grid, epsilon), len(kernel))
    measured = np.sort([np.linalg.eigvalsh(Q @ Q.T) for Q in parts], axis=None)
    powers = convnorm.row_norms(kernel, grid) ** 2
    gains = powers * convnorm.normaliser(kernel, grid, epsilon) ** 2
    return Sides(measured, np.ones_like(measured) if exact else np.sort(gains, axis=None))


def _trace(taps: np.ndarray) -> Sides:
    """tr Q_k Q_k^T of one filter on two points, where frequencies are rational, against tr I = 2.

    Where a^ vanishes the pseudo-inverse is taken: no other value is possible, since Q_k is 0 there.
    """
    gains = [sum(taps), sum(tap * (-1) ** place for place, tap in enumerate(taps))]
    return Sides(Fraction(sum(gain != 0 for gain in gains)), 2)


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
        note="The new kernels fill the grid: the layer depends on the image's size.",
        code=convnorm.normalised_kernel,
        tolerance=1e-7,
        decoys=(
            Decoy("one norm for all rows of a frequency", lambda **world: _reparameterised(**world, joint=True)),
            Decoy("divided by the squared norm", lambda **world: _reparameterised(**world, power=1)),
        ),
    ),
    _row(
        "tight_frame.printed",
        says="every channel can be normalised to a tight frame",
        formula=r"Q_k Q_k^\top = I",
        domain="all kernels",
        theory=lambda kernel, grid: _frame(kernel, grid, 0.0, exact=True),
        source="ConvNorm, Section 3",
        kind="identity",
        status="refuted",
        note="False wherever a row vanishes: a filter of one channel with zero mean has no P_k, 0 / 0 at frequency 0.",
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
        code=convnorm.norm_range,
        decoys=(Decoy("norm 1", lambda kernel, grid: Sides(_range(kernel, grid)[1], 1.0)),),
    ),
    _row(
        "reduces.printed",
        says="normalising reduces the spectral norm of the layer",
        formula=r"\|Q\| \le \|A\|",
        domain="all kernels",
        theory=_lowers,
        status="refuted",
        note="Does not follow from the bound, which never mentions A. Kernels of PyTorch's default initialisation have"
        " mean squared row norm 1/3: their norm rises by about sqrt 3.",
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
        note="Best for two rows; for more it can be worse than no scaling (van der Sluis 1969).",
        code=convnorm.equilibrated_condition_bound,
        decoys=(
            Decoy(
                "best of all scalings",
                lambda matrix, scaling: _equilibrated(matrix, scaling, 1 / math.sqrt(len(matrix))),
            ),
        ),
    ),
)
