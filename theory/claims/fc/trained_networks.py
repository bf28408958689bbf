"""Rows on trained networks: their data, and what holds of every one of them, whatever its training."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from fragility.claim import STATEMENTS, Claim, Decoy, Sides, rows
from fragility.law import Law
from theory.gradients.gradient_plane import projection, span_law
from theory.numerics.array import Array, Number
from theory.points import optimal_tolerance as optimum
from theory.products.fraction import fraction_law

ROUNDING = 1e-5  # of networks trained and kept in float32
RARE = 1e-6  # chance of a layer with too few open units, below which no run meets one
ALIVE = "the network is alive: p is not 0, and no weight has overflowed"
MOVING = f"{ALIVE}; nor is the gradient of the loss 0, at each look"

_linear = rows(
    "Feature compression, Section 6, Tables 1 and 2",
    study="empirical.linear_compression",
    status="extension",
    credit="ours",
)
_relu = rows(
    "Feature compression, Section 6, Tables 3 and 4",
    study="empirical.relu_compression",
    status="extension",
    credit="ours",
)
_mnist = rows(
    "Feature compression, Section 6, Tables 5 and 6",
    study="empirical.mnist_compression",
    status="extension",
    credit="ours",
)


def _fraction(n: int, **_: Any) -> Law:
    return fraction_law(n, (n,))


def _taller(n: int, **_: Any) -> Law:
    return fraction_law(n, (n + 1,))


def _match(cos_1: Array, cos_2: Array, fraction: Array) -> Sides:
    """The cosine of theta_1 between the bounds that the fraction and theta_2 leave it."""
    lower, upper = optimum.angle_bounds(fraction, cos_2)
    return Sides(np.stack((lower, cos_1), axis=1), np.stack((cos_1, upper), axis=1))


def _match_of_second_order(cos_1: Array, cos_2: Array, fraction: Array) -> Sides:
    return Sides(np.abs(cos_1 - fraction), 1 - cos_2**2)


def _mean(cos_1: Array, column: Array, mean_margin: Array) -> Sides:
    """The cosine of theta_1 times the length of the last column, against the mean margin."""
    return Sides(cos_1 * column, np.abs(mean_margin))


def _worst(cos_1: Array, column: Array, worst_margin: Array) -> Sides:
    """The same against the least margin."""
    return Sides(cos_1 * column, worst_margin)


def _valid(valid: Array, worst_margin: Array) -> Sides:
    """Whether training accuracy is 1, against whether the least margin is positive."""
    return Sides(valid, np.where(worst_margin > 0, 1.0, 0.0))


def _resolved(scale: float, **_: Any) -> bool:
    """Whether rounding of the points, by scale 2^-52, is far below `ROUNDING`."""
    return scale <= 1e9


def _apart(scale: float, **_: Any) -> bool:
    """Whether the other columns are long enough for margins and distances to differ."""
    return scale >= 0.01


def _often_invalid(scale: float, **_: Any) -> bool:
    """Whether some networks are not accurate after the default training."""
    return scale >= 5


def _valid_on_average(valid: Array, mean_margin: Array) -> Sides:
    return Sides(valid, np.where(mean_margin > 0, 1.0, 0.0))


def _first_step(matrix: Array, first: Array) -> Array:
    """The vector p after one step from logits that are 0 everywhere, up to the rate.

    Each point weighs 1/2, and the loss falls along a_n.
    """
    return first.T @ (first @ matrix[:, -1])


def _right_on_all(p: Array, matrix: Array, scale: Number) -> bool:
    seen = p @ matrix
    return bool(seen[-1] > scale * np.sum(np.abs(seen[:-1])))


def _after_one_step(matrix: Array, scale: Number, first: Array) -> Sides:
    """The squares of both sides after one step from logits that are 0 everywhere, if the network is then valid."""
    last, others = matrix[:, -1], matrix[:, :-1]
    p = _first_step(matrix, first)
    if not _right_on_all(p, matrix, scale):
        return Sides(Fraction(0), Fraction(0))
    seen, square = p @ last, last @ last
    normal = last - projection(others.T, last)
    return Sides((normal @ normal) / square, seen**2 / ((p @ p) * square))


def _lean(alignment_path: Array, best_linear: Array, cos_1_path: Array, column: Array) -> Sides:
    """The best linear margin times the alignment, against the mean margin, along the training."""
    return Sides(alignment_path * best_linear[:, None], cos_1_path * column[:, None])


def _lean_whatever_the_way(best_linear: Array, cos_1_path: Array, column: Array) -> Sides:
    return Sides(best_linear[:, None], cos_1_path * column[:, None])


def _lean_exactly(alignment_path: Array, best_linear: Array, cos_1_path: Array, column: Array) -> Sides:
    return _lean(alignment_path, best_linear, cos_1_path, column).swapped


def _order(worst_margin: Array, last: Array, best_linear: Array, tolerance: Array, column: Array) -> Sides:
    """What each kind of classifier tolerates, against what the next better one does."""
    least = np.maximum(worst_margin, last)
    return Sides(np.stack((least, best_linear, tolerance), axis=1), np.stack((best_linear, tolerance, column), axis=1))


def _classes_are_hulls(tolerance: Array, best_linear: Array) -> Sides:
    return Sides(tolerance, best_linear)


def _open(units: int) -> Callable[..., bool]:
    """Whether no run meets a network with fewer open units in a layer: each is open with probability 1/2."""

    def wide(layers: int, width: int, **_: Any) -> bool:
        fewer = sum(math.comb(width, k) for k in range(units))
        return layers * fewer / 2**width < RARE

    return wide


def _shallow(layers: int, **point: Any) -> bool:
    """Whether there is one hidden layer, with two open units."""
    return layers == 1 and _open(2)(layers, **point)


def _spanned(gradients: int, dropped: int = 0) -> Callable[..., Law]:
    """The law of the compression on so many random directions, of all dimensions but some."""
    return lambda n, **_: span_law(n - dropped, gradients)


def _certified(lower: Array, distance: Array) -> Sides:
    return Sides(lower, distance)


def _linearised(first_order: Array, distance: Array) -> Sides:
    return Sides(first_order, distance)


def _blocking(construction: str, **_: Any) -> bool:
    """Whether the artificial 1 is one for the network."""
    return construction != "whole"


def _in_place(construction: str, dataset: str, **_: Any) -> bool:
    """Whether the 7 stands where it was, so that much of its stroke must go; of digits no 1 is made at all."""
    return construction == "enough" and dataset == "mnist"


def _no_longer(works: Array, distance: Array, length: Array) -> Sides:
    """The distance, against the way to the blocked image, of the images that are called 1."""
    made = works == 1
    return Sides(distance[made], length[made])


def _half_as_long(works: Array, distance: Array, length: Array) -> Sides:
    sides = _no_longer(works, distance, length)
    return Sides(sides.left, sides.right / 2)


CLAIMS: tuple[Claim, ...] = (
    _linear(
        "fc.trained.linear.fraction",
        says="the fraction of the data matrix has its law before networks are selected by their training accuracy",
        formula=r"F^2 \sim \mathrm{Beta}(\tfrac12, \tfrac{n - 1}2)",
        domain="all runs, valid or not, at any scale of the other columns",
        credit="textbook",
        kind="law",
        theory=_fraction,
        code=fraction_law,
        tolerance=0.1,
        statistic="fraction",
        decoys=(Decoy("one row more than columns", _taller),),
        note="The mean over valid runs alone is larger: training reaches accuracy 1 where |r_nn| is large.",
    ),
    _linear(
        "fc.trained.linear.match",
        says="|cos theta_1| differs from the fraction by no more than the angle theta_2 allows",
        formula=r"\cos(\phi + \theta_2) \le |\cos \theta_1| \le \cos(\phi - \theta_2), \quad \cos \phi = F",
        domain="every linear network, trained or not",
        kind="bound",
        theory=_match,
        code=optimum.angle_bounds,
        tolerance=ROUNDING,
        given=ALIVE,
        decoys=(Decoy("the difference is of second order in theta_2", _match_of_second_order),),
        note="How well the two match in Tables 1 and 2 is a matter of theta_2 alone: at |cos theta_2| = 0.99 they may "
        "differ by 0.14.",
    ),
    _linear(
        "fc.trained.linear.mean",
        says="|cos theta_1| times the length of the last column is the mean margin of the points, not the least",
        formula=r"|\cos \theta_1|\, \|a_n\| = \Bigl|\frac{1}{2^n} \sum_z z_n \frac{p^T A z}{\|p\|}\Bigr|",
        domain="every linear network without biases, trained or not; in float64 for scales up to 1e9",
        kind="identity",
        theory=_mean,
        code=optimum.margins,
        tolerance=ROUNDING,
        where=_resolved,
        given=ALIVE,
        decoys=(Decoy("it is the smallest perturbation that changes an output", _worst, where=_apart),),
    ),
    _linear(
        "fc.trained.linear.valid",
        says="training accuracy is 1 where the least margin is positive, and nowhere else",
        formula=r"\mathrm{accuracy} = 1 \iff \min_z z_n \tfrac{p^T A z}{\|p\|} > 0",
        domain="every linear network without biases, trained or not",
        credit="textbook",
        kind="identity",
        theory=_valid,
        code=optimum.margins,
        tolerance=ROUNDING,
        given=ALIVE,
        decoys=(Decoy("it is 1 where the mean margin is positive", _valid_on_average, where=_often_invalid),),
    ),
    _linear(
        "fc.trained.linear.above.tempting",
        says="a trained network looks at no less of the last column than the interpolating one",
        formula=r"F \le |\cos \theta_1|",
        domain="valid networks trained by gradient steps on the cross-entropy, however many",
        kind="bound",
        theory=_after_one_step,
        code=optimum.fraction,
        tolerance=ROUNDING,
        study=STATEMENTS,
        statistic="excess",
        tempting=True,
        instead=("fc.trained.linear.lean",),
        hypotheses=lambda matrix, scale, first: {
            "A is square, with independent columns": (
                np.linalg.matrix_rank(matrix.astype(float)) == matrix.shape[0] == matrix.shape[1]
            ),
            "the columns but the last are multiplied by a positive number": scale > 0,
            "the network is valid after its first gradient step": _right_on_all(
                _first_step(matrix, first), matrix, scale
            ),
        },
        note="Nobody says it, but so it is in Experiment 9 of Table 1, and in nearly all networks. True of a minimiser "
        "of the loss at given length, and false on the way there, where p still holds what its first weights gave it: "
        "in the counterexample, after one step. At n = 12 and scale 5 it fails in 10 of 510 networks that are valid "
        "after 64 steps, 2 of 682 after 128, 1 of 809 after 256, 0 of 940 after 1024. What holds of every network is "
        "fc.trained.linear.lean.",
    ),
    _linear(
        "fc.trained.linear.lean",
        says="the mean margin is at least what the best linear network tolerates, times the cosine between p and minus "
        "the gradient of the loss",
        formula=r"|\cos \theta_1|\, \|a_n\| \ge \rho_\square \cos \angle(p, -\nabla_p L) \ge"
        r" |r_{nn}| \cos \angle(p, -\nabla_p L)",
        domain="every linear network without biases, trained or not; the second part where the cosine is not negative",
        kind="bound",
        theory=_lean,
        code=optimum.linear_margin,
        tolerance=ROUNDING,
        given=MOVING,
        decoys=(
            Decoy("whatever the cosine", _lean_whatever_the_way, where=_often_invalid),
            Decoy("the mean margin is at most that", _lean_exactly),
        ),
        note="-grad L = A w, where w_k has the sign opposite to p . a_k and |w_k| <= w_n, so that -p . grad L <= "
        "w_n p . a_n and ||grad L|| >= w_n rho_box. Of a minimiser at given length the cosine is 1. Judged at "
        "seven places along each training.",
    ),
    _linear(
        "fc.trained.linear.order",
        says="no linear network tolerates more than the hulls of the classes do, no classifier more than the classes",
        formula=r"\max(\min_z z_n \tfrac{p^T A z}{\|p\|}, |r_{nn}|) \le \rho_\square \le T^* \le \|a_n\|",
        domain="every linear network without biases, trained or not",
        kind="bound",
        theory=_order,
        code=optimum.linear_margin,
        tolerance=ROUNDING,
        given=ALIVE,
        decoys=(Decoy("a linear network can do as well as the nearest neighbour", _classes_are_hulls, where=_apart),),
    ),
    _relu(
        "fc.trained.relu.untrained.plane",
        says="before training, both gradients hold as much of x_2 - x_1 as a random plane",
        formula=r"\|P \Delta\|^2 / \|\Delta\|^2 \sim \mathrm{Beta}(1, \tfrac{n - 2}2)",
        domain="ReLU networks with symmetric independent weights, whatever the data, so wide that two units are "
        "open in each layer: 25 units if there is one layer, 27 if there are four",
        kind="law",
        theory=_spanned(2),
        code=span_law,
        tolerance=0.1,
        statistic="untrained_start",
        where=_open(2),
        decoys=(Decoy("a random line", _spanned(1)), Decoy("a random space of three dimensions", _spanned(3))),
        note="Exact for Gaussian weights of the first layer; these are uniform, which costs O(1 / width). Where a "
        "layer has one open unit the gradients are parallel, and where it has none they are 0: with 4 units the "
        "distribution functions are .14 apart, with 8 .02 (n = 12, one layer, 4000 networks).",
    ),
    _relu(
        "fc.trained.relu.untrained.line",
        says="before training, the gradient of the outputs' difference holds as much of x_2 - x_1 as a random line",
        formula=r"\cos^2 \angle(\nabla (f_1 - f_2), \Delta) \sim \mathrm{Beta}(\tfrac12, \tfrac{n - 1}2)",
        domain="ReLU networks with symmetric independent weights, whatever the data, so wide that a unit is open "
        "in each layer: 20 units if there is one layer, 22 if there are four",
        kind="law",
        theory=_spanned(1),
        code=span_law,
        tolerance=0.1,
        statistic="untrained_cosine",
        where=_open(1),
        given="the gradient of the outputs' difference is not 0 at x_1",
        decoys=(Decoy("a random plane", _spanned(2)),),
        note="Exact for Gaussian weights of the first layer; these are uniform, which costs O(1 / width). It holds at "
        "any width of the gradients that are not 0.",
    ),
    _relu(
        "fc.trained.relu.common",
        says="what both gradients have in common is random even after training, among the directions left to it",
        formula=r"\cos^2 \sim \mathrm{Beta}(\tfrac12, \tfrac{n - 2}2)",
        domain="one hidden layer of 25 units or more; the sum of both gradients and x_2 - x_1, each without its part "
        "along the difference",
        kind="law",
        theory=_spanned(1, dropped=1),
        code=span_law,
        tolerance=0.1,
        statistic="common_start",
        where=_shallow,
        given="the gradients are not parallel, nor is their difference parallel to x_2 - x_1: else nothing is left of"
        " one of both",
        decoys=(Decoy("a random plane of them", _spanned(2, dropped=1)),),
        note="Cross-entropy is blind to the sum of the outputs. So the printed compression onto both gradients holds a "
        "direction that was never learned, beside the one that was.",
    ),
    _relu(
        "fc.trained.relu.bracket",
        says="no perturbation that was found to change a decision is shorter than the certified bound",
        formula=r"\underline{r}(x) \le \|e\|",
        domain="every ReLU network, by its linear pieces and linear relaxations",
        credit="Zhang et al. 2018",
        kind="bound",
        theory=_certified,
        tolerance=ROUNDING,
        decoys=(Decoy("the first-order distance is a bound", _linearised),),
    ),
    _mnist(
        "fc.trained.mnist.length",
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
