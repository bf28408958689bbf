"""Rows on random errors, many layers and convolutions, which no single condition number describes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.conditioning import condition_numbers
from theory.conditioning.condition_numbers import condition, matrix_norm, rank, vector_norm
from theory.convolution.matrices import dense
from theory.numerics.array import Array
from theory.spaces import matrices as spaces
from theory.things import kernels
from theory.worlds import condition_layers as worlds
from theory.worlds.relative_errors import error

PAPER = "Conditioning, Section III-B"
CONVOLUTIONS = "Conditioning, Section V-C"


def _sphere(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights that integrate polynomials of degree 5 over the unit sphere of R^n, n >= 2, exactly."""
    unit = np.eye(n)
    pairs = [(unit[i] + sign * unit[j]) / math.sqrt(2) for i, j in combinations(range(n), 2) for sign in (1, -1)]
    points = np.vstack([unit, pairs])
    return points, np.array([(4 - n) / (n * (n + 2))] * n + [2 / (n * (n + 2))] * len(pairs))


def _directions(W: np.ndarray) -> tuple[float, float]:
    """Mean and variance of the squared stretch over all directions."""
    points, weights = _sphere(W.shape[1])
    squares = np.sum((points @ W.T) ** 2, axis=1)
    mean = float(weights @ squares)
    return mean, float(weights @ (squares - mean) ** 2)


def _stretch_mean(W: np.ndarray, factor: float = 1.0) -> Sides:
    """The mean squared stretch over all directions, against the formula."""
    return Sides(_directions(W)[0], factor * condition_numbers.stretch_moments(W)[0])


def _stretch_variance(W: np.ndarray, shift: float = 0.0) -> Sides:
    """The variance of the squared stretch over all directions, against the formula."""
    n = W.shape[1]
    return Sides(_directions(W)[1], condition_numbers.stretch_moments(W)[1] * (n + 2) / (n + 2 - shift))


def _change(weights: Sequence[Array], x: np.ndarray, delta: np.ndarray, slope: float) -> float:
    """How far an error moves the outputs of a leaky network."""
    f = condition_numbers.leaky_outputs
    return vector_norm(f(weights, x + delta, slope) - f(weights, x, slope))


def _absolute(weights: Sequence[Array], x: np.ndarray, delta: np.ndarray, slope: float, first: int = 0) -> Sides:
    """The change of the outputs, against the product of the norms; decoys leave the `first` layers out."""
    norms = [matrix_norm(W) for W in weights[:first]]
    bound = condition_numbers.lipschitz_product(weights) * vector_norm(delta) / math.prod(norms)
    return Sides(_change(weights, x, delta, slope), bound)


def _largest_factor(weights: Sequence[Array], x: np.ndarray, delta: np.ndarray, slope: float) -> Sides:
    """The change of the outputs, against the largest norm alone."""
    bound = max(matrix_norm(W) for W in weights) * vector_norm(delta)
    return Sides(_change(weights, x, delta, slope), bound)


def _telescoped(weights: Sequence[Array], x: np.ndarray, delta: np.ndarray, slope: float, share: float = 1.0) -> Sides:
    """The relative change of the outputs, against a share of the telescoped bound."""
    size = vector_norm(condition_numbers.leaky_outputs(weights, x, slope))
    bound = condition_numbers.telescoped_bound(weights, x, delta, slope)
    return Sides(_change(weights, x, delta, slope) / size, share * bound)


def _leaky(weights: Sequence[Array], x: np.ndarray, delta: np.ndarray, slope: float) -> Sides:
    """The relative change of the outputs, against the product of the condition numbers."""
    size = vector_norm(condition_numbers.leaky_outputs(weights, x, slope))
    bound = condition_numbers.leaky_product_bound(weights, x, delta, slope)
    return Sides(_change(weights, x, delta, slope) / size, bound)


def _leaky_without_slope(weights: Sequence[Array], x: np.ndarray, delta: np.ndarray, slope: float) -> Sides:
    left, right = _leaky(weights, x, delta, slope)
    return Sides(left, right * slope ** (len(weights) - 1))


def _relu(W: np.ndarray, x: np.ndarray) -> np.ndarray:
    z = W @ x
    return np.where(z > 0, z, 0 * z)


def _relu_product(W: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Sides:
    """||delta f|| ||x|| against kappa(W) ||delta|| ||f(x)|| for f = relu(W x), so that f(x) may be 0."""
    change = vector_norm(_relu(W, x + delta) - _relu(W, x))
    return Sides(change * vector_norm(x), condition(W) * vector_norm(delta) * vector_norm(_relu(W, x)))


def _relu_product_of_row(W: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Sides:
    """Squared, exact for one row: kappa = 1."""
    (change,), (output,) = _relu(W, x + delta) - _relu(W, x), _relu(W, x)
    return Sides(change**2 * (x @ x), (delta @ delta) * output**2)


def _relu_change(W: np.ndarray, x: np.ndarray, delta: np.ndarray, share: float = 1.0) -> Sides:
    """The change of a ReLU layer's outputs, against a share of its norm."""
    return Sides(vector_norm(_relu(W, x + delta) - _relu(W, x)), share * matrix_norm(W) * vector_norm(delta))


def _roundness(W: np.ndarray) -> Fraction:
    """4 det / trace^2 of the smaller Gram matrix, of size 1 or 2: (2 kappa / (1 + kappa^2))^2, from 1 down to 0."""
    gram = W @ W.T if W.shape[0] < W.shape[1] else W.T @ W
    if len(gram) == 1:
        return Fraction(int(gram[0, 0] != 0))
    return 4 * (gram[0, 0] * gram[1, 1] - gram[0, 1] * gram[1, 0]) / (gram[0, 0] + gram[1, 1]) ** 2


def _reshaped(kernel: np.ndarray, size: int) -> Sides:
    """kappa(convolution) against kappa(reshaped kernel), both by the decreasing function above."""
    return Sides(_roundness(dense(kernel, (1, size))), _roundness(kernels.kernel_matrix(kernel)))


def _both_of_full_rank(kernel: np.ndarray, size: int) -> dict[str, bool]:
    return {
        "the filters fit on the circle": kernel.shape[-1] <= size,
        "the convolution is invertible: its condition number is the same by both definitions": _full_rank(
            dense(kernel, (1, size))
        ),
        "the reshaped kernel has full rank, too": _full_rank(kernels.kernel_matrix(kernel)),
    }


def _full_rank(W: np.ndarray) -> bool:
    return bool(rank(W.astype(float)) == min(W.shape))


def _full_column_rank(W: np.ndarray, **_world: Any) -> dict[str, bool]:
    return {"W has full column rank": bool(rank(W.astype(float)) == W.shape[1])}


def _convolution_norm(kernel: np.ndarray, grid: Sequence[int], stride: int, start: int | None) -> float:
    return float(np.linalg.norm(dense(kernel, grid, stride, start), 2))


def _convolution_above(kernel: np.ndarray, share: float = 1.0, **where: Any) -> Sides:
    """The norm of a convolution, against a share of the upper bound."""
    return Sides(_convolution_norm(kernel, **where), share * condition_numbers.convolution_norm_bounds(kernel)[1])


def _convolution_below(kernel: np.ndarray, pick: int = 0, **where: Any) -> Sides:
    """One of the two bounds, against the norm of a convolution."""
    return Sides(condition_numbers.convolution_norm_bounds(kernel)[pick], _convolution_norm(kernel, **where))


_row = rows(PAPER, kind="bound", tolerance=1e-8)
_textbook = rows(PAPER, kind="bound", tolerance=1e-8, status="extension", credit="textbook")
_ours = rows(PAPER, kind="bound", tolerance=1e-8, status="extension", credit="ours")


CLAIMS: tuple[Claim, ...] = (
    _textbook(
        "cond.random.mean",
        says="a random direction is stretched by ||W||_F / sqrt(n) in the quadratic mean",
        theory=_stretch_mean,
        world=worlds.more_columns_than_rank,
        formula=r"\mathbb{E} \|W d\|^2 = \frac{\|W\|_F^2}{n}",
        kind="identity",
        domain="d uniform on the unit sphere of R^n",
        code=condition_numbers.stretch_moments,
        note="Relative to a random x, a random error does not grow, whatever the condition number.",
        decoys=(Decoy("twice as much", lambda W: _stretch_mean(W, 2.0)),),
    ),
    _textbook(
        "cond.random.variance",
        says="the variance of the squared stretch of a random direction",
        theory=_stretch_variance,
        world=worlds.more_columns_than_rank,
        formula=r"\mathrm{Var} \|W d\|^2 = \frac{2}{n+2} \left(\frac{\sum \sigma^4}{n} - \frac{(\sum"
        r" \sigma^2)^2}{n^2}\right)",
        kind="identity",
        domain="d uniform on the unit sphere of R^n",
        code=condition_numbers.stretch_moments,
        decoys=(Decoy("2 / n for 2 / (n + 2)", lambda W: _stretch_variance(W, 2.0)),),
    ),
    _row(
        "cond.layers.absolute",
        says="errors grow at most by the product of the layers' norms",
        theory=_absolute,
        world=worlds.cascade,
        formula=r"\|f(x + \delta) - f(x)\| \le \prod_l \|W^l\|\, \|\delta\|",
        domain="leaky ReLU of slope 0 to 1 (any 1-Lipschitz activation)",
        status="extension",
        credit="Szegedy et al. 2014",
        code=condition_numbers.lipschitz_product,
        decoys=(
            Decoy("the first layer forgotten", lambda **world: _absolute(**world, first=1)),
            Decoy("the largest factor alone", _largest_factor),
        ),
    ),
    _textbook(
        "cond.layers.telescoped",
        says="relative errors grow at most by the product of the norms times ||x|| / ||f(x)||",
        theory=_telescoped,
        world=worlds.cascade,
        formula=r"\frac{\|f(x + \delta) - f(x)\|}{\|f(x)\|} \le \frac{\prod_l \|W^l\|}{\|f(x)\|} \|\delta\|",
        domain="leaky ReLU of slope 0 to 1, f(x) not 0; any ranks",
        code=condition_numbers.telescoped_bound,
        decoys=(Decoy("half of it", lambda **world: _telescoped(**world, share=0.5)),),
    ),
    _ours(
        "cond.layers.leaky",
        says="relative errors grow at most by the product of the condition numbers over slope^(L-1)",
        theory=_leaky,
        world=worlds.cascade_of_full_column_rank,
        formula=r"\frac{\|f(x + \delta) - f(x)\|}{\|f(x)\|} \le a^{-(L-1)} \prod_l \kappa(W^l)"
        r" \frac{\|\delta\|}{\|x\|}",
        domain="leaky ReLU of slope a > 0, every W^l of full column rank, no bias",
        code=condition_numbers.leaky_product_bound,
        decoys=(Decoy("the slope forgotten", _leaky_without_slope),),
    ),
    _ours(
        "cond.relu_product.tempting",
        says="the relative error after a ReLU layer is at most the condition number times that of the input",
        theory=_relu_product,
        space=spaces.layer_of_full_column_rank,
        formula=r"\|\delta f\|\, \|x\| \le \kappa(W)\, \|\delta\|\, \|f(x)\|, \quad f(x) = \max(W x, 0)",
        domain="W of full column rank",
        tempting=True,
        instead=("cond.relu_product", "cond.layers.telescoped"),
        hypotheses=_full_column_rank,
        replay=_relu_product_of_row,
        note="The paper states its inequality 'before activation is applied'. Behind a ReLU it would not hold: f(x) may"
        " be 0, and its relative error infinite.",
    ),
    _textbook(
        "cond.relu_product",
        says="the absolute error after a ReLU layer is at most the norm times that of the input",
        theory=_relu_change,
        world=error,
        space=spaces.layer,
        formula=r"\|\delta f\| \le \|W\|\, \|\delta\|",
        domain="any W",
        decoys=(Decoy("half the norm", lambda **world: _relu_change(**world, share=0.5)),),
    ),
    _row(
        "cond.conv_reshape.reading",
        says="the condition number of a convolutional layer is that of its kernel reshaped to a matrix",
        theory=_reshaped,
        space=spaces.pair_of_taps,
        formula=r"\kappa(\mathrm{conv}) = \kappa(W_r)",
        kind="identity",
        source=CONVOLUTIONS,
        domain="circular; for two columns at most, by the decreasing function (2 kappa / (1 + kappa^2))^2",
        status="reading",
        quotes=(
            Quote(
                "to calculate condition numbers for convolutional layers, a weight matrix of dimensions [..] is"
                " reshaped to dimensions [..]",
                "Section V-C",
            ),
        ),
        reading="the number so calculated as that of the layer, the map from images to images, and not just of the"
        " matrix; the 2-norm",
        instead=("norm.circulant.condition", "cond.conv_reshape.norm_low", "cond.conv_reshape.norm_high"),
        defect="the condition number that Section V-C calculates for a convolutional layer is that of its reshaped"
        " kernel, and not of the map from image to image: 1 where that has 3, for the filter (2, 1) on two points",
        hypotheses=_both_of_full_rank,
        code=kernels.kernel_matrix,
        note="Read of the reshaped matrix alone the number is what it is called. As the layer's it can be too small, as"
        " of the filter (1, -1), which has 1 and annihilates constants, or too large, as of two equal delta filters,"
        " whose matrix is singular and which copy their input. Only the norms are tied.",
    ),
    _textbook(
        "cond.conv_reshape.norm_low",
        says="the norm of a convolution is at least that of its kernel's matrix",
        theory=_convolution_below,
        world=worlds.convolution,
        formula=r"\|W_r\|_2 \le \|\mathrm{conv}\|_2",
        source=CONVOLUTIONS,
        domain="any stride and padding with one window fully inside",
        code=condition_numbers.convolution_norm_bounds,
        note="The kernel's matrix is a block of the convolution's.",
        decoys=(Decoy("the upper bound", lambda **world: _convolution_below(**world, pick=1)),),
    ),
    _row(
        "cond.conv_reshape.norm_high",
        says="the norm of a convolution is at most sqrt(h w) times that of its kernel's matrix",
        theory=_convolution_above,
        world=worlds.convolution,
        formula=r"\|\mathrm{conv}\|_2 \le \sqrt{h w}\, \|W_r\|_2",
        source=CONVOLUTIONS,
        domain="any stride, circular or zero padding",
        status="extension",
        credit="Singla and Feizi 2021",
        code=condition_numbers.convolution_norm_bounds,
        note="Every pixel lies in h w windows at most.",
        decoys=(
            Decoy(
                "without the factor",
                lambda kernel, **where: _convolution_above(
                    kernel, 1 / math.sqrt(kernel.shape[2] * kernel.shape[3]), **where
                ),
            ),
        ),
    ),
)
