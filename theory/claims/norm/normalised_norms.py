"""Rows on the norm and the condition of a normalised layer: Proposition 3.1 of ConvNorm and what stands beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.convolution import convnorm
from theory.convolution.matrices import dense, norm, normalised
from theory.spaces import filters as spaces
from theory.things import normalisation
from theory.worlds import convnorm as worlds

Grid = Sequence[int]


def _stacked(blocks: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Largest ||Q_k||, ||Q|| and the bound of Proposition 3.1."""
    least, most = convnorm.stack_bounds(np.array([norm(block) for block in blocks]))
    return float(least), norm(np.concatenate(blocks)), float(most)


def _upper(blocks: Sequence[np.ndarray]) -> Sides:
    """The norm of the stack, against the bound."""
    _, measured, most = _stacked(blocks)
    return Sides(measured, most)


def _lower(blocks: Sequence[np.ndarray], factor: float = 1) -> Sides:
    """A multiple of the largest norm, against that of the stack."""
    least, measured, _ = _stacked(blocks)
    return Sides(factor * least, measured)


def _range(kernel: np.ndarray, grid: Grid) -> tuple[float, float, float]:
    """The norm of a normalised layer between its ends."""
    low, high = convnorm.norm_range(*kernel.shape[:2])
    return low, norm(normalised(kernel, grid)), high


def _within(low: float, measured: float, high: float) -> Sides:
    """A number no smaller than one end and no larger than the other."""
    return Sides(np.array([low, measured]), np.array([measured, high]))


def _lowers(kernel: np.ndarray, grid: Grid) -> Sides:
    """The norm of the normalised layer, against that of the layer."""
    return Sides(norm(normalised(kernel, grid)), norm(dense(kernel, grid)))


def _lowers_exactly(filters: np.ndarray) -> Sides:
    """||Q||^2 and ||A||^2 of 1 x 1 filters of one channel: every row of Q is a sign."""
    return Sides(Fraction(sum(weight != 0 for weight in filters)), sum(filters * filters))


def _compared(kernel: np.ndarray, grid: Grid) -> Sides:
    """The norm of the normalised layer between multiples of that of the layer."""
    low, high = convnorm.comparison(kernel, grid)
    return _within(float(low), norm(normalised(kernel, grid)), float(high))


def _mean_power(shape: tuple[int, ...], place: tuple[int, ...], grid: Grid, sd: float, fan: int = 1) -> Sides:
    """||a^(w)||^2 at one frequency, averaged over all signs of weights of size sd: E of any centred independent law."""
    signs = sd * np.array(list(product((-1.0, 1.0), repeat=math.prod(shape))))
    kernels = signs.reshape(-1, 1, *shape)
    measured = np.mean([normalisation.row_norms(kernel[None, 0], grid)[place][0] ** 2 for kernel in kernels])
    return Sides(measured, fan * convnorm.expected_row_power(shape[0], shape[1:], sd**2))


def _equilibrated(matrix: np.ndarray, scaling: np.ndarray, factor: float = 1) -> Sides:
    """The condition number with rows of unit norm, against the bound from another scaling."""
    rows = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    return Sides(np.linalg.cond(rows), factor * convnorm.equilibrated_condition_bound(matrix, scaling))


_row = rows("ConvNorm, Proposition 3.1", kind="bound", tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "norm.prop3.1",
        says="the spectral norm of stacked operators is at most the root of the sum of their squared norms",
        formula=r"\|Q\| \le \sqrt{\sum_{k=1}^{C_O} \|Q_k\|^2}",
        domain="any operators with a common domain",
        theory=_upper,
        world=worlds.blocks,
        quotes=(Quote("The spectral norm of Q induced in (2) can be bounded by [..]", "Proposition 3.1"),),
        reading="tried on any blocks with a common domain, of which the Q_k are some",
        code=convnorm.stack_bounds,
        decoys=(Decoy("the largest of their norms", lambda blocks: Sides(_upper(blocks).left, _stacked(blocks)[0])),),
    ),
    _row(
        "norm.prop3.1.lower",
        says="the spectral norm of stacked operators is at least the largest of their norms",
        formula=r"\max_k \|Q_k\| \le \|Q\|",
        domain="any operators with a common domain",
        theory=_lower,
        world=worlds.blocks,
        status="extension",
        credit="textbook",
        code=convnorm.stack_bounds,
        decoys=(Decoy("times the root of their number", lambda blocks: _lower(blocks, math.sqrt(len(blocks)))),),
    ),
    _row(
        "norm.range",
        says="after normalisation the norm lies between sqrt(C_O / min(C_O, C_I)) and sqrt(C_O)",
        formula=r"\sqrt{\frac{C_O}{\min(C_O, C_I)}} \le \|Q\| \le \sqrt{C_O}",
        domain="no row that vanishes at a frequency",
        theory=lambda kernel, grid: _within(*_range(kernel, grid)),
        world=worlds.kernel_without_zeros,
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
        "norm.range.one_channel",
        says="with one input channel the normalised layer has norm sqrt(C_O), whatever the kernel",
        formula=r"C_I = 1 \; \Rightarrow \; \|Q\| = \sqrt{C_O}",
        domain="one input channel, no row that vanishes at a frequency",
        theory=lambda kernel, grid: Sides(*_range(kernel, grid)[1:]),
        world=worlds.kernel_of_one_channel,
        kind="identity",
        status="extension",
        credit="ours",
        code=convnorm.norm_range,
        decoys=(Decoy("norm 1", lambda kernel, grid: Sides(_range(kernel, grid)[1], 1.0)),),
    ),
    _row(
        "norm.reduces.printed",
        says="normalising reduces the spectral norm of the layer",
        formula=r"\|Q\| \le \|A\|",
        domain="all kernels of which no row vanishes at a frequency",
        theory=_lowers,
        space=spaces.single_taps,
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
        "norm.reduces.corrected",
        says="normalising divides the norm by something between the smallest and the largest row norm",
        formula=r"\frac{\|A\|}{\max_{k,w} \|\hat a_k(w)\|} \le \|Q\| \le \frac{\|A\|}{\min_{k,w} \|\hat a_k(w)\|}",
        domain="no row that vanishes at a frequency",
        theory=_compared,
        world=worlds.kernel_of_moderate_rows,
        space=spaces.kernel,
        status="corrected",
        note="It raises the norm if no row is longer than 1 and lowers it if none is shorter.",
        code=convnorm.comparison,
        tolerance=1e-7,
        decoys=(
            Decoy("never above the norm before", _lowers),
            Decoy("never below it", lambda kernel, grid: _lowers(kernel, grid).swapped),
        ),
    ),
    _row(
        "norm.initial.power",
        says="independent centred weights give every row of the transfer function the mean square"
        " C_I k_1 ... k_d Var(a)",
        formula=r"\mathbb{E} \|\hat a_k(w)\|^2 = C_I k_1 \cdots k_d \mathrm{Var}(a)",
        domain="independent centred weights, every frequency",
        theory=_mean_power,
        world=worlds.shape_and_frequency,
        kind="identity",
        status="extension",
        credit="textbook",
        note="1/3 for PyTorch's default and 2 for He's: ConvNorm raises the norm by sqrt 3, or lowers it by sqrt 2.",
        code=convnorm.expected_row_power,
        decoys=(Decoy("twice the fan-in", lambda **world: _mean_power(**world, fan=2)),),
    ),
    _row(
        "norm.van_der_sluis",
        says="rows of unit norm are within sqrt(C_O) of the best conditioned scaling of rows, at every frequency",
        formula=r"\kappa_2(\hat Q(w)) \le \sqrt{C_O} \min_D \kappa_2(D \hat A(w))",
        domain="full row rank",
        theory=_equilibrated,
        world=worlds.matrix_and_scaling,
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
