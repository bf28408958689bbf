"""Rows on trained networks: their data, and what holds of every one of them, whatever its training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theory import optimal_tolerance as optimum
from theory.claim import Claim, Decoy, Sides, rows
from theory.fraction import fraction_law
from theory.gradient_plane import span_law

ROUNDING = 1e-5  # of networks trained and kept in float32

_linear = rows(
    "fc.trained.linear",
    "Feature compression, Section 6, Tables 1 and 2",
    room="empirical",
    study="linear_compression",
    status="extension",
)


_relu = rows(
    "fc.trained.relu",
    "Feature compression, Section 6, Tables 3 and 4",
    room="empirical",
    study="relu_compression",
    status="extension",
)


_mnist = rows(
    "fc.trained.mnist",
    "Feature compression, Section 6, Tables 5 and 6",
    room="empirical",
    study="mnist_compression",
    status="extension",
)


def _fraction(n: int, **_: Any) -> Any:
    return fraction_law(n, (n,))


def _taller(n: int, **_: Any) -> Any:
    return fraction_law(n, (n + 1,))


def _match(cos_1: Any, cos_2: Any, fraction: Any) -> Sides:
    lower, upper = optimum.angle_bounds(fraction, cos_2)
    return Sides(np.stack((lower, cos_1), axis=1), np.stack((cos_1, upper), axis=1))


def _match_of_second_order(cos_1: Any, cos_2: Any, fraction: Any) -> Sides:
    return Sides(np.abs(cos_1 - fraction), 1 - cos_2**2)


def _mean(cos_1: Any, column: Any, mean_margin: Any) -> Sides:
    return Sides(cos_1 * column, np.abs(mean_margin))


def _worst(cos_1: Any, column: Any, worst_margin: Any) -> Sides:
    return Sides(cos_1 * column, worst_margin)


def _valid(valid: Any, worst_margin: Any) -> Sides:
    return Sides(valid, np.where(worst_margin > 0, 1.0, 0.0))


def _often_invalid(scale: float, **_: Any) -> bool:
    """Where some networks are not accurate after the default training."""
    return scale >= 5


def _valid_on_average(valid: Any, mean_margin: Any) -> Sides:
    return Sides(valid, np.where(mean_margin > 0, 1.0, 0.0))


def _above(valid: Any, fraction: Any, cos_1: Any) -> Sides:
    kept = valid == 1
    return Sides(fraction[kept], cos_1[kept])


def _below(valid: Any, fraction: Any, cos_1: Any) -> Sides:
    sides = _above(valid, fraction, cos_1)
    return Sides(sides.right, sides.left)


def _order(worst_margin: Any, last: Any, best_linear: Any, tolerance: Any, column: Any) -> Sides:
    least = np.maximum(worst_margin, last)
    return Sides(np.stack((least, best_linear, tolerance), axis=1), np.stack((best_linear, tolerance, column), axis=1))


def _classes_are_hulls(tolerance: Any, best_linear: Any) -> Sides:
    return Sides(tolerance, best_linear)


def _shallow(layers: int, **_: Any) -> bool:
    return layers == 1


def _spanned(gradients: int, dropped: int = 0) -> Callable[..., Any]:
    return lambda n, **_: span_law(n - dropped, gradients)


def _certified(lower: Any, distance: Any) -> Sides:
    return Sides(lower, distance)


def _linearised(first_order: Any, distance: Any) -> Sides:
    return Sides(first_order, distance)


def _blocking(construction: str, **_: Any) -> bool:
    """Whether the artificial 1 is one for the network."""
    return construction != "whole"


def _in_place(construction: str, **_: Any) -> bool:
    """Whether the 7 stands where it was, so that much of its stroke must go."""
    return construction == "enough"


def _no_longer(works: Any, distance: Any, length: Any) -> Sides:
    made = works == 1
    return Sides(distance[made], length[made])


def _half_as_long(works: Any, distance: Any, length: Any) -> Sides:
    sides = _no_longer(works, distance, length)
    return Sides(sides.left, sides.right / 2)


CLAIMS: tuple[Claim, ...] = (
    _linear(
        "fraction",
        says="the fraction of the data matrix has its law before networks are selected by their training accuracy",
        formula=r"F^2 \sim \mathrm{Beta}(\tfrac12, \tfrac{n - 1}2)",
        domain="all runs, valid or not, at any scale of the other columns",
        kind="law",
        theory=_fraction,
        code=fraction_law,
        tolerance=0.1,
        statistic="fraction",
        decoys=(Decoy("one row more than columns", _taller),),
        note="The mean over valid runs alone is larger: training reaches accuracy 1 where |r_nn| is large.",
    ),
    _linear(
        "match",
        says="|cos theta_1| differs from the fraction by no more than the angle theta_2 allows",
        formula=r"\cos(\phi + \theta_2) \le |\cos \theta_1| \le \cos(\phi - \theta_2), \quad \cos \phi = F",
        domain="every linear network, trained or not",
        kind="bound",
        theory=_match,
        code=optimum.angle_bounds,
        tolerance=ROUNDING,
        decoys=(Decoy("the difference is of second order in theta_2", _match_of_second_order),),
        note="How well the two match in Tables 1 and 2 is a matter of theta_2 alone: at |cos theta_2| = 0.99 they may "
        "differ by 0.14.",
    ),
    _linear(
        "mean",
        says="|cos theta_1| times the length of the last column is the mean margin of the points, not the least",
        formula=r"|\cos \theta_1|\, \|a_n\| = \Bigl|\frac{1}{2^n} \sum_z z_n \frac{p^T A z}{\|p\|}\Bigr|",
        domain="every linear network without biases, trained or not",
        kind="identity",
        theory=_mean,
        code=optimum.margins,
        tolerance=ROUNDING,
        decoys=(Decoy("it is the smallest perturbation that changes an output", _worst),),
    ),
    _linear(
        "valid",
        says="training accuracy is 1 where the least margin is positive, and nowhere else",
        formula=r"\mathrm{accuracy} = 1 \iff \min_z z_n \tfrac{p^T A z}{\|p\|} > 0",
        domain="every linear network without biases, trained or not",
        kind="identity",
        theory=_valid,
        code=optimum.margins,
        tolerance=ROUNDING,
        decoys=(Decoy("it is 1 where the mean margin is positive", _valid_on_average, where=_often_invalid),),
    ),
    _linear(
        "above",
        says="a trained network looks at no less of the last column than the interpolating one",
        formula=r"F \le |\cos \theta_1|",
        domain="valid networks trained by gradient steps on the cross-entropy",
        kind="bound",
        theory=_above,
        code=optimum.fraction,
        tolerance=ROUNDING,
        decoys=(Decoy("it looks at no more", _below),),
        note="Of a minimiser p of the loss at given length: p = A w, where w_k / w_n lies in [-1, 1] and has the sign "
        "opposite to p . a_k, so that the mean margin is at least rho_box >= |r_nn|. Training stops near such a p. In "
        "print the mean difference (.0365) is the mean absolute difference (.0367), too.",
    ),
    _linear(
        "order",
        says="no linear network tolerates more than the hulls of the classes do, no classifier more than the classes",
        formula=r"\max(\min_z z_n \tfrac{p^T A z}{\|p\|}, |r_{nn}|) \le \rho_\square \le T^* \le \|a_n\|",
        domain="every linear network without biases, trained or not",
        kind="bound",
        theory=_order,
        code=optimum.linear_margin,
        tolerance=ROUNDING,
        decoys=(Decoy("a linear network can do as well as the nearest neighbour", _classes_are_hulls),),
    ),
    _relu(
        "untrained.plane",
        says="before training, both gradients hold as much of x_2 - x_1 as a random plane",
        formula=r"\|P \Delta\|^2 / \|\Delta\|^2 \sim \mathrm{Beta}(1, \tfrac{n - 2}2)",
        domain="ReLU networks with symmetric independent weights, whatever the data",
        kind="law",
        theory=_spanned(2),
        code=span_law,
        tolerance=0.1,
        statistic="untrained_start",
        decoys=(Decoy("a random line", _spanned(1)), Decoy("a random space of three dimensions", _spanned(3))),
        note="Exact for Gaussian weights of the first layer; these are uniform, which costs O(1 / width).",
    ),
    _relu(
        "untrained.line",
        says="before training, the gradient of the outputs' difference holds as much of x_2 - x_1 as a random line",
        formula=r"\cos^2 \angle(\nabla (f_1 - f_2), \Delta) \sim \mathrm{Beta}(\tfrac12, \tfrac{n - 1}2)",
        domain="ReLU networks with symmetric independent weights, whatever the data",
        kind="law",
        theory=_spanned(1),
        code=span_law,
        tolerance=0.1,
        statistic="untrained_cosine",
        decoys=(Decoy("a random plane", _spanned(2)),),
        note="Exact for Gaussian weights of the first layer; these are uniform, which costs O(1 / width).",
    ),
    _relu(
        "common",
        says="what both gradients have in common is random even after training, among the directions left to it",
        formula=r"\cos^2 \sim \mathrm{Beta}(\tfrac12, \tfrac{n - 2}2)",
        domain="one hidden layer; the sum of both gradients and x_2 - x_1, each without its part along the difference",
        kind="law",
        theory=_spanned(1, dropped=1),
        code=span_law,
        tolerance=0.1,
        statistic="common_start",
        where=_shallow,
        decoys=(Decoy("a random plane of them", _spanned(2, dropped=1)),),
        note="Cross-entropy is blind to the sum of the outputs. So the printed compression onto both gradients holds a "
        "direction that was never learned, beside the one that was.",
    ),
    _relu(
        "bracket",
        says="no perturbation that was found to change a decision is shorter than the certified bound",
        formula=r"\underline{r}(x) \le \|e\|",
        domain="every ReLU network, by its linear pieces and linear relaxations",
        kind="bound",
        theory=_certified,
        tolerance=ROUNDING,
        decoys=(Decoy("the first-order distance is a bound", _linearised),),
    ),
    _mnist(
        "length",
        says="a 7 needs no longer a way to a 1 than to the 1 that is made of it by blocking its stroke",
        formula=r"\|e\| \le \|x_1 - x_2\|",
        domain="sevens that are called 1 without their upper stroke",
        kind="bound",
        theory=_no_longer,
        tolerance=ROUNDING,
        where=_blocking,
        decoys=(Decoy("half the way will do, as for the nearest neighbour", _half_as_long, where=_in_place),),
        note="The attacks know nothing of the blocked image, so that a longer way would show that they fail.",
    ),
)
