"""Rows on ReLU networks, beside Theorem 7 and Section 5 of feature compression: at initialisation, along a segment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from scipy.special import digamma

from fragility.claim import Claim, Decoy, Sides, rows
from fragility.law import Law, Moment
from theory.gradients import gradient_plane as plane
from theory.gradients import path_length as paths
from theory.numerics.array import Array
from theory.worlds.gradient_plane import widths
from theory.worlds.path_length import network

RARE = 1e-9  # chance of a layer with too few open units, below which no sample shows it


def _one(n: int, **_: Any) -> Law:
    return plane.span_law(n, 1)


def _one_dimension_more(n: int, **_: Any) -> Law:
    return plane.span_law(n + 1, 1)


def _two(n: int, **_: Any) -> Law:
    return plane.span_law(n, 2)


def _room(n: int, **_: Any) -> bool:
    return n >= 3


def spanning(model: str, gradients: int = 1, rows: Sequence[int] = (), **_: Any) -> bool:
    """Whether the gradients are independent of each other in all but a `RARE` share of the worlds.

    In a ReLU network that takes as many open units in each layer: each is open with probability 1/2.
    """
    if model != "relu":
        return True
    closed = sum(Fraction(math.comb(row, k), 2**row) for row in rows for k in range(min(gradients, row + 1)))
    return closed < RARE


def _relu(model: str, **point: Any) -> bool:
    """Whether it is a ReLU network with an open unit in each layer."""
    return model == "relu" and spanning(model, **point)


def _narrow(model: str, rows: Sequence[int] = (), **_: Any) -> bool:
    """Whether it is a ReLU network so narrow that a layer is shut at times."""
    return model == "relu" and plane.zero_gradient_probability(rows) > RARE


def _open(
    n: int, rows: Sequence[int], shut: Callable[[Sequence[int]], float] = plane.zero_gradient_probability, **_: Any
) -> Moment:
    """The chance that no layer is shut."""
    chance = shut(rows)
    return Moment(np.asarray, 1 - chance, math.sqrt(chance * (1 - chance)))


def _log_norm(
    n: int, rows: Sequence[int], mean: Callable[[int, Sequence[int]], float] | None = None, **_: Any
) -> Moment:
    """The mean of ln ||gradient||^2 for weights of variance 2 over the inputs of their layer."""
    logs, variance = plane.log_gradient_moments(n, rows)
    scale = math.fsum(math.log(2 / width) for width in (n, *rows))
    return Moment(_log_square, (mean(n, rows) if mean else logs) + scale, math.sqrt(variance))


def _all_open(n: int, rows: Sequence[int]) -> float:
    """The mean logarithm as if every unit were open."""
    return math.fsum(digamma(degrees / 2) + math.log(2) for degrees in (n, *rows))


def _log_of_mean(n: int, rows: Sequence[int]) -> float:
    """The logarithm of the mean square, up to the variances of the weights."""
    return math.log(n) + math.fsum(math.log(row / 2) for row in rows)


def _mean_cosine(n: int, kept: int = 1, **_: Any) -> Moment:
    """The mean of a mean of |cos theta| of one law: its standard deviation is at most that of each of them."""
    law = plane.span_law(n, kept)
    return Moment(np.asarray, law.mean(), math.sqrt(law.var()))


def _root_mean_square(n: int, **_: Any) -> Moment:
    return replace(_mean_cosine(n), mean=n**-0.5)


def _log_square(norm: Array) -> Array:
    return 2 * np.log(norm)


def _dead(widths: Sequence[int]) -> Sides:
    """The share of all patterns of gates in which some layer is shut, against the formula."""
    patterns = product(*(product((0, 1), repeat=width) for width in widths))
    shut = [not all(any(layer) for layer in pattern) for pattern in patterns]
    return Sides(sum(shut) / len(shut), plane.zero_gradient_probability(widths))


def _relu_direct(output: Array, hidden: Array, bias: Array, x_1: Array, x_2: Array, pieces: int = 0) -> Sides:
    """The change of f of a layer of ReLU units, against a sum over the pieces on which no unit switches."""
    at_2, at_1 = hidden @ x_2 + bias, hidden @ x_1 + bias
    switched = (at_1 > 0) != (at_2 > 0)
    switches = np.sort(at_2[switched] / (at_2 - at_1)[switched])
    ends = np.concatenate(([0.0], switches, [1.0])) if not pieces else np.linspace(0, 1, pieces + 1)
    middle = (ends[:-1] + ends[1:]) / 2
    gradients = (output * (at_2 + middle[:, None] * (at_1 - at_2) > 0)) @ hidden
    change = output @ (np.maximum(at_1, 0) - np.maximum(at_2, 0))
    return Sides(change, paths.change_along(gradients, x_1 - x_2, np.diff(ends)))


_theorem_7 = rows("Feature compression, Theorem 7", status="extension", credit="ours")
_section_5 = rows("Feature compression, Section 5", study="simulate.path_length", status="extension", credit="ours")

CLAIMS: tuple[Claim, ...] = (
    _theorem_7(
        "fc.thm7.relu.law",
        says="a ReLU network's first gradient has the angle with any fixed direction that a Gaussian vector has",
        formula=r"\cos^2 \angle(\nabla f(x), v) \sim \mathrm{Beta}\left(\frac{1}{2}, \frac{n-1}{2}\right)",
        domain="n >= 2, Gaussian first layer, independent symmetric weights and biases, gradient not 0",
        kind="law",
        theory=_one,
        code=plane.span_law,
        tolerance=0.1,
        statistic="along_input",
        study="simulate.gradient_plane",
        where=_relu,
        note="For every width and depth, and any v that may depend on x, such as x itself, which is what is measured:"
        " the compression is there before training.",
        decoys=(Decoy("one dimension more", _one_dimension_more), Decoy("two gradients", _two, where=_room)),
    ),
    _theorem_7(
        "fc.thm7.relu.open",
        says="at initialisation the gradient of a ReLU network is not 0 as often as each layer has an open unit",
        formula=r"P(\nabla f(x) \ne 0) = \prod_l (1 - 2^{-w_l})",
        domain="independent symmetric weights and biases, x not 0",
        kind="moment",
        theory=_open,
        code=plane.zero_gradient_probability,
        tolerance=0.05,
        statistic="open",
        study="simulate.gradient_plane",
        where=_narrow,
        note="The complement of fc.thm7.relu.zero, counted in networks narrow enough to be shut at times.",
        decoys=(
            Decoy("a sum over the layers", partial(_open, shut=lambda rows: sum(0.5**row for row in rows))),
            Decoy("all layers shut", partial(_open, shut=lambda rows: 0.5 ** sum(rows))),
            Decoy("the first layer alone", partial(_open, shut=lambda rows: 0.5 ** rows[0])),
        ),
    ),
    _theorem_7(
        "fc.thm7.relu.norm",
        says="at initialisation the squared gradient is a product of chi-squares, whose degrees are the open units",
        formula=r"\mathbb{E} \ln \|\nabla f(x)\|^2 = \mathbb{E} \ln \chi_n^2 + \sum_l \mathbb{E} \ln \chi_{K_l}^2"
        r" + \sum_l \ln \sigma_l^2, \quad K_l \sim \mathrm{Bin}(w_l, 1/2)",
        domain="Gaussian weights of variance sigma_l^2, gradient not 0; drawn: sigma_l^2 = 2 / w_{l-1}",
        kind="moment",
        credit="Hanin and Nica 2020",
        theory=_log_norm,
        code=plane.log_gradient_moments,
        tolerance=0.1,
        statistic="gradient_norm",
        study="simulate.gradient_plane",
        where=_relu,
        note="So the gradient's length is random too, by a factor that grows with the depth.",
        decoys=(
            Decoy("all units open", partial(_log_norm, mean=_all_open)),
            Decoy("the logarithm of the mean", partial(_log_norm, mean=_log_of_mean)),
        ),
    ),
    _theorem_7(
        "fc.thm7.relu.zero",
        says="at initialisation the gradient of a ReLU network is 0 if some layer is shut",
        formula=r"P(\nabla f(x) = 0) = 1 - \prod_l (1 - 2^{-w_l})",
        domain="independent symmetric weights and biases, x not 0",
        kind="identity",
        theory=_dead,
        world=widths,
        code=plane.zero_gradient_probability,
        tolerance=1e-12,
        decoys=(
            Decoy("a sum over the layers", lambda widths: Sides(_dead(widths).left, sum(0.5**w for w in widths))),
            Decoy("all layers shut", lambda widths: Sides(_dead(widths).left, math.prod(0.5**w for w in widths))),
        ),
    ),
    Claim(
        id="fc.eq8.relu",
        source="Feature compression, Section 5, equation (8)",
        says="for a ReLU network the integral is a sum over the pieces of the segment on which no unit switches",
        formula=r"f(x_1) - f(x_2) = \sum_j \|\nabla f_j\| \cos \theta_j\, L_j",
        domain="one hidden layer of ReLU units",
        kind="identity",
        theory=_relu_direct,
        world=network,
        code=paths.change_along,
        tolerance=1e-8,
        status="extension",
        credit="textbook",
        decoys=(Decoy("eleven gradients at equal distances", partial(_relu_direct, pieces=11)),),
    ),
    _section_5(
        "fc.sec5.start",
        says="at initialisation the compression at x_2 on the way to x_1 has the law of one gradient",
        formula=r"\cos^2 \theta \sim \mathrm{Beta}\left(\frac{1}{2}, \frac{n-1}{2}\right)",
        domain="ReLU network at initialisation, x_1 and x_2 independent of it, gradient not 0",
        kind="law",
        theory=_one,
        code=plane.span_law,
        tolerance=0.1,
        statistic="start",
        where=_relu,
        note="Although the direction depends on the point: fc.thm7.relu.law with v = x_1 - x_2.",
        decoys=(Decoy("one dimension more", _one_dimension_more), Decoy("two gradients", _two, where=_room)),
    ),
    _section_5(
        "fc.sec5.midpoint",
        says="halfway between two Gaussian points the compression has that law for every network independent of them",
        formula=r"\cos^2 \theta\left(\tfrac{L}{2}\right) \sim \mathrm{Beta}\left(\frac{1}{2}, \frac{n-1}{2}\right)",
        domain="x_1, x_2 Gaussian of one variance, any network that is independent of them, gradient not 0",
        kind="law",
        theory=_one,
        code=plane.span_law,
        tolerance=0.1,
        statistic="midpoint",
        where=spanning,
        note="x_1 + x_2 and x_1 - x_2 are independent. Elsewhere on the segment the units matter.",
        decoys=(Decoy("one dimension more", _one_dimension_more), Decoy("two gradients", _two, where=_room)),
    ),
    _section_5(
        "fc.sec5.mean",
        says="at initialisation the compression averaged over the segment has the mean compression of one gradient",
        formula=r"\mathbb{E} \frac{1}{N} \sum_k |\cos \theta_k|"
        r" = \frac{\Gamma(n/2)}{\sqrt{\pi}\, \Gamma((n+1)/2)}",
        domain="ReLU network at initialisation, x_1 and x_2 independent of it, any N and any points of the segment",
        kind="moment",
        theory=_mean_cosine,
        code=plane.mean_compression,
        tolerance=0.02,
        statistic="mean",
        where=_relu,
        note="What Tables 5 to 7 average, before training.",
        decoys=(
            Decoy("two gradients", partial(_mean_cosine, kept=2), where=_room),
            Decoy("root mean square", _root_mean_square),
        ),
    ),
)
