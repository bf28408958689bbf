"""Rows on the law of the compression of Theorem 7 of feature compression, and on ReLU networks at initialisation."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from scipy.integrate import quad
from scipy.stats import beta

from theory import gradient_plane as plane
from theory.claim import Claim, Decoy, Rate, Sides
from theory.laws import chi_product

THEOREM = "Feature compression, Theorem 7"


def _law(n: int) -> Any:
    return plane.span_law(n, 2)


def _single_law(n: int) -> Any:
    return plane.span_law(n, 1)


def _above(least: int) -> Any:
    return lambda n: n >= least


def _inverse_square_mean(n: int, gradients: int) -> Sides:
    """1 / E rho^2, by quadrature of the law."""
    law = plane.span_law(n, gradients)
    return Sides(1 / law.moment(2), plane.difficulty_of_means(n, gradients))


def _truncated(n: Any, floor: Any) -> Sides:
    """E rho^-2 over rho^2 >= floor, below the mean difficulty, for two gradients."""
    law = beta(1, (n - 2) / 2)
    return Sides(law.expect(lambda u: 1 / u, lb=float(floor)), n / 2)


def _truncated_below(n: Any, floor: Any) -> Sides:
    """The same for even n: the density (n - 2) / 2 (1 - u)^((n - 4) / 2) / u falls, so that rectangles lie below it."""
    left, below = Fraction(floor), Fraction(0)
    while left < 1:
        right = min(2 * left, Fraction(1))
        below += (right - left) * (n - 2) / 2 * (1 - right) ** ((int(n) - 4) // 2) / right
        left = right
    return Sides(below, n / 2)


def _median(n: int, gradients: int) -> Sides:
    return Sides(plane.span_law(n, gradients).median() ** -2, plane.median_difficulty(n, gradients))


def _median_as(formula: Any) -> Any:
    return lambda n, gradients: Sides(_median(n, gradients).left, formula(n, gradients))


def _mean(n: int, gradients: int) -> Sides:
    density = beta(gradients / 2, (n - gradients) / 2).pdf
    return Sides(quad(lambda u: density(u) / u, 0, 1, limit=200)[0], plane.mean_difficulty(n, gradients))


def _growth(exponent: float) -> Rate:
    return Rate("n", exponent, plane.median_difficulty)


def _fall(exponent: float) -> Rate:
    return Rate("n", exponent, plane.mean_compression)


def _dead(widths: Any) -> Sides:
    """Over all patterns of fair gates: the share in which some layer is shut."""
    patterns = product(*(product((0, 1), repeat=width) for width in widths))
    shut = [not all(any(layer) for layer in pattern) for pattern in patterns]
    return Sides(sum(shut) / len(shut), plane.zero_gradient_probability(widths))


def _theorem_7(part: str, says: str, formula: str, **other: Any) -> Claim:
    return Claim(id=f"fc.thm7.{part}", source=THEOREM, says=says, formula=formula, **other)


CLAIMS: tuple[Claim, ...] = (
    _theorem_7(
        "law",
        "the squared compression of independent Gaussian differences on two gradients is Beta(1, (n - 2)/2)",
        r"\frac{\|P (x_2 - x_1)\|^2}{\|x_2 - x_1\|^2} \sim \mathrm{Beta}\left(1, \frac{n-2}{2}\right)",
        domain="n >= 3, gradients and difference independent, difference isotropic",
        kind="law",
        theory=_law,
        code=plane.span_law,
        tolerance=0.1,
        where=_above(3),
        note="Exact for every n. Trained gradients are not independent of the data.",
        decoys=(
            Decoy("one gradient", _single_law),
            Decoy("three gradients", lambda n: plane.span_law(n, 3), where=_above(4)),
            Decoy("one dimension more", lambda n: _law(n + 1)),
        ),
    ),
    _theorem_7(
        "size.law",
        "the squared projection of a difference of Gaussian points on two gradients is twice chi-square of degree 2",
        r"\|P (x_2 - x_1)\| \overset{d}{=} \sqrt{2}\, \chi_2, \quad \|x_2 - x_1\| \overset{d}{=} \sqrt{2}\, \chi_n",
        domain="n >= 2, gradients and points independent and Gaussian",
        kind="law",
        theory=lambda n: plane.size_law(2),
        code=plane.size_law,
        tolerance=0.1,
        where=_above(2),
        note="Only the whole difference concentrates as n grows; its projection stays random, whatever n.",
        decoys=(
            Decoy("variance 1 in place of 2", lambda n: chi_product((2,))),
            Decoy("one gradient", lambda n: plane.size_law(1)),
        ),
    ),
    _theorem_7(
        "mean.rate",
        "the mean compression falls like one over the square root of the dimension",
        r"\mathbb{E} \rho = \frac{\sqrt{\pi}}{2} \frac{\Gamma(n/2)}{\Gamma((n+1)/2)} \simeq \sqrt{\frac{\pi}{2n}}",
        domain="two gradients",
        kind="rate",
        theory=partial(_fall, -0.5),
        code=plane.mean_compression,
        tolerance=0.02,
        status="extension",
        decoys=(Decoy("one over the dimension", partial(_fall, -1.0)), Decoy("no fall", partial(_fall, 0.0))),
    ),
    _theorem_7(
        "difficulty.means",
        "the squared whole step is on average n / 2 times the squared projected one, as a ratio of means",
        r"\frac{\mathbb{E} \|\Delta\|^2}{\mathbb{E} \|P \Delta\|^2} = \frac{1}{\mathbb{E} \rho^2} = \frac{n}{k}",
        domain="k < n gradients, independent of an isotropic difference",
        kind="identity",
        theory=_inverse_square_mean,
        code=plane.difficulty_of_means,
        tolerance=1e-8,
        decoys=(
            Decoy(
                "one gradient less",
                lambda n, gradients: Sides(_inverse_square_mean(n, gradients).left, n / max(gradients - 1, 0.5)),
            ),
            Decoy(
                "the median of the ratio",
                lambda n, gradients: Sides(
                    _inverse_square_mean(n, gradients).left, plane.median_difficulty(n, gradients)
                ),
            ),
        ),
    ),
    _theorem_7(
        "difficulty.printed",
        "the whole step is n / 2 times more difficult than the projected one, as the mean of the ratio of squares",
        r"\mathbb{E} \frac{\|\Delta\|^2}{\|P \Delta\|^2} \le \frac{n}{2}",
        domain="two gradients; left side: the mean over rho^2 >= floor only",
        kind="bound",
        theory=_truncated,
        replay=_truncated_below,
        code=plane.mean_difficulty,
        tolerance=1e-9,
        status="refuted",
        note="The mean is infinite for one and two gradients; (n - 2) / (k - 2) beyond.",
    ),
    _theorem_7(
        "difficulty.corrected",
        "the median of the ratio of squares is 1 / (1 - 2^(-2/(n - 2))) for two gradients",
        r"\mathrm{median} \frac{\|\Delta\|^2}{\|P \Delta\|^2} = \frac{1}{I^{-1}_{1/2}(k/2, (n-k)/2)},"
        r" \quad k = 2: \frac{1}{1 - 2^{-2/(n-2)}}",
        domain="k < n gradients",
        kind="identity",
        theory=_median,
        code=plane.median_difficulty,
        tolerance=1e-8,
        status="corrected",
        note="About 0.72 (n - 2) for two gradients: more than n / 2.",
        decoys=(
            Decoy("the ratio of means", _median_as(plane.difficulty_of_means)),
            Decoy("one dimension more", _median_as(lambda n, gradients: plane.median_difficulty(n + 1, gradients))),
        ),
    ),
    _theorem_7(
        "difficulty.moment",
        "from three gradients on the mean of the ratio of squares is (n - 2) / (k - 2)",
        r"\mathbb{E} \frac{\|\Delta\|^2}{\|P \Delta\|^2} = \frac{n-2}{k-2}, \quad k \ge 3",
        domain="3 <= k < n",
        kind="identity",
        theory=_mean,
        code=plane.mean_difficulty,
        tolerance=1e-6,
        status="extension",
        decoys=(Decoy("the ratio of means", lambda n, gradients: Sides(_mean(n, gradients).left, n / gradients)),),
    ),
    _theorem_7(
        "difficulty.rate",
        "the median difficulty grows in proportion to the dimension",
        r"\mathrm{median} \frac{\|\Delta\|^2}{\|P \Delta\|^2} \simeq \frac{n-2}{2 \ln 2}",
        domain="two gradients",
        kind="rate",
        theory=partial(_growth, 1.0),
        code=plane.median_difficulty,
        tolerance=0.02,
        decoys=(Decoy("its square root", partial(_growth, 0.5)), Decoy("its square", partial(_growth, 2.0))),
    ),
    _theorem_7(
        "relu.law",
        "at initialisation a ReLU network's gradient shows any fixed direction the fraction of one Gaussian matrix",
        r"\cos^2 \angle(\nabla f(x), v) \sim \mathrm{Beta}\left(\frac{1}{2}, \frac{n-1}{2}\right)",
        domain="n >= 2, Gaussian first layer, independent symmetric weights and biases, gradient not 0",
        kind="law",
        theory=_single_law,
        code=plane.span_law,
        tolerance=0.1,
        status="extension",
        where=_above(2),
        note="For every width and depth, and any v that may depend on x: the compression is there before training.",
        decoys=(
            Decoy("one dimension more", lambda n: _single_law(n + 1)),
            Decoy("two gradients", _law, where=_above(3)),
        ),
    ),
    _theorem_7(
        "relu.zero",
        "at initialisation the gradient of a ReLU network is 0 if some layer is shut",
        r"P(\nabla f(x) = 0) = 1 - \prod_l (1 - 2^{-w_l})",
        domain="independent symmetric weights and biases, x not 0",
        kind="identity",
        theory=_dead,
        code=plane.zero_gradient_probability,
        tolerance=1e-12,
        status="extension",
        decoys=(
            Decoy("a sum over the layers", lambda widths: Sides(_dead(widths).left, sum(0.5**w for w in widths))),
            Decoy("all layers shut", lambda widths: Sides(_dead(widths).left, math.prod(0.5**w for w in widths))),
        ),
    ),
)
