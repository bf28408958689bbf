"""Rows on the lengths that Tables 5 to 8 of feature compression compute: signed ones, and those of attacks."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.fc.path_length import WEIGHTS, network_gradient, segment
from theory.claims.fc.right_sides import with_right_times
from theory.gradients import path_length as paths
from theory.numerics.array import Array, Number
from theory.spaces import linear as spaces
from theory.worlds import path_length as worlds


def _signed(x_1: Array, x_2: Array, **network: Any) -> Sides:
    """The signed length of the segment, against the change of f over the gradient at x_2."""
    change, gradients = segment(x_1=x_1, x_2=x_2, **network)
    clean = network_gradient(x=x_2, **network)
    return Sides(paths.signed_length(gradients, x_1 - x_2, clean, WEIGHTS), paths.first_order_length(change, clean))


def _signed_by_cosines(x_1: Array, x_2: Array, **network: Any) -> Sides:
    """The signed length against the path's length times the mean cosine."""
    _, gradients = segment(x_1=x_1, x_2=x_2, **network)
    mean = WEIGHTS @ paths.cosines(gradients, x_1 - x_2)
    return Sides(_signed(x_1, x_2, **network).left, mean * np.linalg.norm(x_1 - x_2))


def _polynomial(coefficients: Array, t: Array, derivatives: int = 0) -> Array:
    """The polynomial sum_j c_j t^j, or a derivative of it."""
    for _ in range(derivatives):
        coefficients = [j * c for j, c in enumerate(coefficients)][1:] or [0 * coefficients[0]]
    return sum(c * t**j for j, c in enumerate(coefficients))


def _sum(count: Number, coefficients: Array) -> Sides:
    """The mean of f' over count nodes with both ends, against f(1) - f(0); exact in fractions."""
    count = int(count)
    slopes = [_polynomial(coefficients, Fraction(k, count - 1), 1) for k in range(count)]
    return Sides(sum(slopes) / count, _polynomial(coefficients, 1) - _polynomial(coefficients, 0))


def _quadrature(rule: paths.Rule, count: int, coefficients: Array) -> Sides:
    """The mean of f' over the nodes of a rule, against f(1) - f(0) plus the error that is predicted."""
    h = _polynomial(coefficients, paths.nodes(count, rule), 1)
    return Sides(np.mean(h), _change(coefficients) + _predicted_error(rule, count, coefficients))


def _change(coefficients: Array) -> Array:
    """The change of f from 0 to 1."""
    return _polynomial(coefficients, 1.0) - _polynomial(coefficients, 0.0)


def _predicted_error(rule: paths.Rule, count: int, coefficients: Array) -> Array:
    """The error of the rule's sum by terms of Euler and Maclaurin."""
    values, slopes = ([_polynomial(coefficients, t, order) for t in (0.0, 1.0)] for order in (1, 2))
    return paths.quadrature_error(rule, count, (values[0], values[1]), (slopes[0], slopes[1]), _change(coefficients))


def _without_error(rule: paths.Rule, count: int, coefficients: Array) -> Sides:
    return Sides(_quadrature(rule, count, coefficients).left, _change(coefficients))


def _as_rule(other: paths.Rule) -> Callable[..., Sides]:
    """The error predicted as if the nodes were those of another rule."""

    def theory(rule: paths.Rule, count: int, coefficients: Array) -> Sides:
        error = _predicted_error(other, count, coefficients)
        return Sides(_quadrature(rule, count, coefficients).left, _change(coefficients) + error)

    return theory


def _of_both_classes(gradient: Array, difference: Array, margin: Number) -> dict[str, bool]:
    return {
        "x_2 is of class 2: f(x_2) > 0": margin > 0,
        "x_1 is of class 1: f(x_1) < 0": margin + gradient @ difference < 0,
    }


def _both_ends(count: Number, coefficients: Array) -> dict[str, bool]:
    return {
        "at least two points, the ends": count >= 2,
        "their number is whole": count % 1 == 0,
        "f has a continuous derivative": len(coefficients) > 0,
    }


def _tie(gradient: Array, difference: Array, margin: Number) -> Sides:
    """The shortest step to f = 0 over the distance of the points, for a linear f, against the formula."""
    cosine = paths.cosines(gradient[None, :], difference)[0]
    shortest = np.linalg.lstsq(gradient[None, :], np.array([-margin]), rcond=None)[0]
    ratio = np.linalg.norm(shortest) / np.linalg.norm(difference)
    return Sides(ratio, paths.tie_ratio(cosine, margin, margin + gradient @ difference))


def _cosine_alone(gradient: Array, difference: Array, margin: Number) -> Sides:
    """The same ratio against the cosine."""
    cosine = paths.cosines(gradient[None, :], difference)[0]
    return Sides(_tie(gradient, difference, margin).left, abs(cosine))


def _cosine_alone_squared(gradient: Array, difference: Array, margin: Number) -> Sides:
    """The squares of both, which keep fractions exact."""
    lengths = np.sum(gradient**2) * np.sum(difference**2)
    return Sides(margin**2 / lengths, np.sum(gradient * difference) ** 2 / lengths)


def _sign_lengths_squared(gradient: Array, margin: Number) -> Sides:
    """The squared L2 lengths to f = 0 of the step of signs and of the shortest one, for a linear f."""
    step = margin / np.sum(np.abs(gradient)) * (1 * (gradient > 0) - 1 * (gradient < 0))
    return Sides(np.sum(step**2), margin**2 / np.sum(gradient**2))


def _sign_lengths(gradient: Array, margin: Number) -> Sides:
    """The L2 lengths of both steps."""
    return Sides(*np.sqrt(_sign_lengths_squared(gradient, margin)))


def _steep(gradient: Array, margin: Number) -> dict[str, bool]:
    return {"the gradient is not 0": bool(np.any(gradient != 0)), "x_2 is no tie: f(x_2) > 0": margin > 0}


def _inflation(gradient: Array, margin: Number) -> Sides:
    """The ratio of both lengths, against the ratio of two norms."""
    signed, shortest = _sign_lengths(gradient, margin)
    return Sides(signed / shortest, paths.sign_inflation(gradient))


def _inflation_as(formula: Callable[[Array], float]) -> Callable[..., Sides]:
    """The same against another formula of the gradient."""
    return lambda gradient, margin: Sides(_inflation(gradient, margin).left, formula(gradient))


_said = rows("Feature compression, Section 6", reconstructed=True)
_extension = rows("Feature compression, Section 6", status="extension", credit="ours", tolerance=1e-9)

CLAIMS: tuple[Claim, ...] = (
    _said(
        "fc.table8.length",
        at="Tables 5 and 8",
        says="the signed length is the change of f over the gradient's length at x_2",
        formula=r"s = \frac{\frac{L}{N} \sum_k \|\nabla f(x_k)\| \cos \theta_k}{\|\nabla f(x_2)\|}"
        r" \to \frac{f(x_1) - f(x_2)}{\|\nabla f(x_2)\|}",
        domain="f with a continuous gradient; drawn: networks of tanh units, Gauss's rule",
        kind="identity",
        theory=_signed,
        world=worlds.network,
        code=paths.signed_length,
        tolerance=1e-7,
        quotes=(
            Quote(
                "Note that the denominator represents the gradient at the benign English springer image,"
                " and the numerator is the value of the change in",
                "Section 6, above Table 8",
            ),
        ),
        reading="The lost definition is read as the formula's left side. In the limit of a fine rule, for the tables'"
        " sum over a few points has an error: fc.table8.sum.",
        note="So the signed length holds no angle: two evaluations of f and one gradient give it, and |s| near ||e||"
        " says that f is nearly linear on the attack's path, not that features are compressed.",
        decoys=(Decoy("L times the mean cosine", _signed_by_cosines),),
    ),
    _extension(
        "fc.table8.sum.tempting",
        at="Table 8",
        says="the sum in the signed length is exactly the change of f",
        formula=r"\frac{1}{N} \sum_{k=1}^N \nabla f(x_k)^T (x_1 - x_2) = f(x_1) - f(x_2)",
        domain="f a polynomial along the path, both ends among the N points",
        kind="identity",
        theory=_sum,
        space=spaces.polynomial,
        code=paths.change_along,
        tempting=True,
        instead=("fc.table8.sum",),
        hypotheses=_both_ends,
        note="A Riemann sum is no equality. With both ends among the points, which thereby count twice what they"
        " should, the error is of the order 1 / N however smooth f is.",
    ),
    _extension(
        "fc.table8.sum",
        at="Table 8",
        says="the sum errs by terms of Euler and Maclaurin",
        formula=r"\frac{1}{N} \sum_k h(\alpha_k) - \int_0^1 h"
        r" = \frac{1}{N} \left( \frac{h(0)+h(1)}{2} - \int_0^1 h \right) + \frac{h'(1)-h'(0)}{12 N (N-1)}",
        domain="both ends included; other rules likewise; exact for h of degree at most 3",
        kind="identity",
        theory=_quadrature,
        world=worlds.polynomial,
        space=spaces.polynomial_and_rule,
        code=paths.quadrature_error,
        credit="textbook",
        note="Where the tables' points lie is not said in the text that was read; those of Table 3 include both ends.",
        decoys=(
            Decoy("no error", _without_error),
            Decoy("the error of the midpoint rule", _as_rule("midpoint")),
            Decoy("the error of the left rule", _as_rule("left")),
        ),
    ),
    _extension(
        "fc.table5.factor.tempting",
        at="Table 5",
        says="the shortest flip over the whole distance of x_1 and x_2 is the cosine",
        formula=r"\frac{\|e\|}{\|x_1 - x_2\|} = |\cos \theta|",
        domain="linear f, f(x_1) < 0 < f(x_2)",
        kind="identity",
        theory=_cosine_alone,
        space=spaces.linear_output,
        replay=_cosine_alone_squared,
        code=paths.tie_ratio,
        tempting=True,
        instead=("fc.table5.factor",),
        hypotheses=_of_both_classes,
        note="A flip needs the tie only. The ratio that Table 5 compares with the cosine is lost in the text that was"
        " read; the section calls half of the distance the smallest perturbation for human eyes, and over that half"
        " the ratio is the cosine where the margins are equal, as in the stored world.",
    ),
    _extension(
        "fc.table5.factor",
        at="Table 5",
        says="the shortest flip over the whole distance is the cosine times the share of f(x_2) in the change",
        formula=r"\frac{\|e\|}{\|x_1 - x_2\|} = |\cos \theta| \frac{f(x_2)}{f(x_2) - f(x_1)}",
        domain="linear f, f(x_1) < 0 < f(x_2)",
        kind="identity",
        theory=_tie,
        world=worlds.linear_output,
        space=spaces.linear_output,
        code=paths.tie_ratio,
        note="Half the cosine for equal margins; nearly the cosine where x_1 is only just of class 1.",
        decoys=(Decoy("the cosine", _cosine_alone), Decoy("half the cosine", with_right_times(_cosine_alone, 0.5))),
    ),
    _extension(
        "fc.table5.sign.tempting",
        at="Table 5",
        says="the fast gradient sign method finds the perturbation of the least L2 length",
        formula=r"\|e_{\mathrm{sign}}\|_2 \le \min \|e\|_2",
        domain="linear f",
        kind="bound",
        theory=_sign_lengths,
        space=spaces.gradient_and_margin,
        replay=_sign_lengths_squared,
        code=paths.sign_inflation,
        tempting=True,
        instead=("fc.table5.sign",),
        hypotheses=_steep,
        note="The paper itself says that it does not: fc.table5.sign. Its step is the shortest in the largest entry,"
        " and in L2 only where all entries of the gradient that are not 0 have one size.",
    ),
    _said(
        "fc.table5.sign",
        at="Table 5",
        says="the L2 length of a step of signs is the least one times the ratio of two norms of the gradient",
        formula=r"\frac{\|e_{\mathrm{sign}}\|_2}{\min \|e\|_2} = \frac{\sqrt{s}\, \|\nabla f\|_2}{\|\nabla f\|_1},"
        r" \quad s = \#\{i: \partial_i f \ne 0\}",
        domain="linear f, otherwise to first order",
        kind="identity",
        theory=_inflation,
        world=worlds.gradient_and_margin,
        space=spaces.gradient_and_margin,
        code=paths.sign_inflation,
        tolerance=1e-9,
        quotes=(
            Quote(
                "might be due to that the fast gradient method does not find the minimum-magnitude perturbation",
                "Section 6, on Table 5",
            ),
        ),
        reading="Magnitude is the L2 length; by how much the method misses the least is added, for linear f.",
        note="Near sqrt(pi / 2) = 1.25 for Gaussian gradients, up to sqrt(d) for uneven ones; 1, the least, only for"
        " entries of one size.",
        decoys=(
            Decoy("sqrt(pi / 2)", _inflation_as(lambda gradient: np.sqrt(np.pi / 2))),
            Decoy("sqrt(d)", _inflation_as(lambda gradient: np.sqrt(gradient.size))),
            Decoy(
                "entries that are 0 counted too",
                _inflation_as(
                    lambda gradient: np.sqrt(gradient.size) * np.linalg.norm(gradient) / np.sum(np.abs(gradient))
                ),
            ),
        ),
    ),
)
