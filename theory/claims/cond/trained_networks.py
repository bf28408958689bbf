"""Rows on condition numbers of trained layers: where they begin, how they go, how they compare (conditioning, V-C)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import rankdata

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from fragility.law import Moment
from theory.claims.cond.trained_settings import (
    CONNECTED,
    CONVOLUTIONAL,
    EUCLIDEAN,
    PIXELS,
    PLAIN,
    ROUNDING,
    SOFTMAX,
    pair,
    simple,
)
from theory.conditioning import condition_numbers
from theory.conditioning.gaussian_condition import edge_ratio, tall_condition
from theory.numerics.array import Array

RANKS = (10, 9, 64, 128, 10)  # smaller side of each layer's matrix
SHAPES = ((784, 10), (32, 9), (288, 64), (3136, 128), (128, 10))  # larger side first, of images with 28 x 28 pixels
LEAST = 1e-30  # standard deviation of weights, below which single precision makes them 0
NEAR = 0.3  # of ln kappa: 35 per cent
TOGETHER = 0.5  # rank correlation of what follows the same trend


def _ln_first(first: Array) -> Array:
    """ln kappa_2 of the simple model's initial weights."""
    return np.log(first[:, PLAIN, 0, EUCLIDEAN])


def _initial(dataset: str = "mnist", mean: Callable[[int, int], float] | None = None, **_: Any) -> Moment:
    """The mean of ln kappa_2 of a Gaussian matrix of the layer's shape."""
    pixels = PIXELS.get(dataset, 784)
    centre, sd = tall_condition(pixels, 10)
    return Moment(_ln_first, math.log(mean(pixels, 10) if mean else centre), sd)


def _one(_m: int, _n: int) -> float:
    return 1.0


def _gaussian(initial: str, **_: Any) -> bool:
    """Whether the simple model starts from normal weights, and not from 0."""
    return initial != "glorot" and float(initial) > LEAST


def _both_large(networks: str, dataset: str, **_: Any) -> bool:
    """Whether there is a CNN, of images with 28 x 28 pixels."""
    return networks == "pair" and dataset not in PIXELS


def _started(treatments: str, initial: str, **_: Any) -> bool:
    """Whether there is an orthogonal arm: weights of 0 have no singular vectors to start from, and stay 0."""
    return treatments == "all" and (initial == "glorot" or float(initial) > LEAST)


def _as_gaussian(first: Array) -> Sides:
    """How far ln kappa_2 of the CNN's initial layers is from that of Gaussian matrices, against `NEAR`."""
    predicted = np.log([tall_condition(*shape)[0] for shape in SHAPES[1:]])
    return Sides(np.abs(np.log(first[:, PLAIN, 1:, EUCLIDEAN]) - predicted), NEAR)


def _as_orthogonal(first: Array) -> Sides:
    return Sides(np.log(first[:, PLAIN, 1:, EUCLIDEAN]), NEAR)


def _orthogonal_start(first: Array) -> Sides:
    """kappa_2 and kappa_F of the orthogonal arm's initial layers, against 1 and the rank."""
    own = first[:, 1]
    ranks = np.array(RANKS[: own.shape[1]], dtype=float)
    return Sides(own[..., [EUCLIDEAN, 3]], np.stack((np.ones_like(ranks), ranks), axis=-1))


def _orthogonal_start_everywhere(first: Array) -> Sides:
    return Sides(first[:, 1][..., [EUCLIDEAN, 3]], 1.0)


def _ends(course: Array, layers: Sequence[int]) -> tuple[Array, Array, Array]:
    """First, largest and last kappa_2 along training of the layers that there are, (networks, layers)."""
    chosen = [layer for layer in layers if layer < course.shape[1]]
    own = course[..., EUCLIDEAN][:, chosen]
    known = ~np.isnan(own)
    last = own.shape[2] - 1 - np.argmax(known[:, :, ::-1], axis=2)
    largest = np.max(np.where(known, own, -np.inf), axis=2)
    return own[:, :, 0], largest, np.take_along_axis(own, last[:, :, None], axis=2)[:, :, 0]


def _spike(course: Array, factor: float) -> Sides:
    """A multiple of the larger of both ends, against the largest."""
    first, largest, last = _ends(course, CONNECTED)
    return Sides(factor * np.maximum(first, last), largest)


def _settle(course: Array) -> Sides:
    """The first against the last, of fully connected layers."""
    first, _, last = _ends(course, CONNECTED)
    return Sides(first, last)


def _first_step(first_strict: Array, course_strict: Array) -> Sides:
    """Ten times sigma_1 / sigma_n before training, against that after one step, of fully connected layers."""
    chosen = [layer for layer in CONNECTED if layer < first_strict.shape[2]]
    return Sides(10 * first_strict[:, PLAIN, chosen, EUCLIDEAN], course_strict[:, chosen, 1, EUCLIDEAN])


def _no_step(first_strict: Array, course_strict: Array) -> Sides:
    return _first_step(first_strict / 10, course_strict).swapped


def _grow(looks: Array, course: Array) -> Sides:
    """`TOGETHER` and the first, against the rank correlation with the step and the last, of convolutional layers."""
    first, _, last = _ends(course, CONVOLUTIONAL)
    trend = np.array(
        [
            [_ranked(looks_of[layer], course_of[layer, :, EUCLIDEAN]) for layer in CONVOLUTIONAL]
            for looks_of, course_of in zip(looks, course, strict=True)
        ]
    )
    return Sides(np.stack((np.full_like(first, TOGETHER), first), axis=-1), np.stack((trend, last), axis=-1))


def _shrink(course: Array) -> Sides:
    first, _, last = _ends(course, CONVOLUTIONAL)
    return Sides(last, first)


def _same_trend(course: Array) -> Sides:
    """`TOGETHER`, against the least rank correlation of the courses of a layer in two norms, (networks, layers).

    A layer whose kappa_2 changes by less than a half has no trend, and counts as 1.
    """
    pairs = list(combinations(range(course.shape[-1]), 2))
    least = [
        [min(_ranked(layer[:, one], layer[:, other]) for one, other in pairs) for layer in network]
        for network in course
    ]
    first, largest, _ = _ends(course, range(course.shape[1]))
    return Sides(TOGETHER, np.where(largest < 1.5 * first, 1.0, np.array(least)))


def _same_size(course: Array) -> Sides:
    """The largest quotient of two norms' condition numbers along training, against 2."""
    known = course > 0
    most = np.max(np.where(known, course, 0.0), axis=-1)
    least = np.min(np.where(known, course, np.inf), axis=-1)
    return Sides(np.max(most / least, axis=-1), 2.0)


def _ranked(one: Array, other: Array) -> float:
    """Spearman's rank correlation of the entries that both have; 0 where one is constant."""
    known = ~(np.isnan(one) | np.isnan(other))
    ranks = [rankdata(values[known]) for values in (one, other)]
    return float(np.corrcoef(ranks)[0, 1]) if min(map(np.ptp, ranks)) > 0 else 0.0


def _centred(gauge: Array, kappa_strict: Array) -> Sides:
    """Condition numbers of the centred softmax layers, over those of the layers themselves, against 1.

    Where both have lost rank both are infinite, and none is raised.
    """
    own = kappa_strict[:, :, list(SOFTMAX[: gauge.shape[-1]]), EUCLIDEAN]
    return Sides(np.divide(gauge, own, out=np.ones_like(gauge), where=gauge != own), 1.0)


def _centred_above(gauge: Array, kappa_strict: Array) -> Sides:
    return Sides(1.0, _centred(gauge, kappa_strict).left)


def _above_logits(kappa: Array) -> Sides:
    """Condition numbers of the logits layer, against those of the simple model's, in all norms."""
    own = kappa[:, PLAIN]
    return Sides(own[:, SOFTMAX[1]], own[:, SOFTMAX[0]])


_row = rows("Conditioning, Section V-C", study="empirical.conditioning", kind="majority", tolerance=0.1)
_ours = partial(_row, status="extension", credit="ours")
WAY = "of ||W|| ||W^+||, at the recorded steps: each of the first, then ever fewer"

CLAIMS: tuple[Claim, ...] = (
    _ours(
        "cond.trained.initial.simple",
        says="the simple model's layer starts with the condition number of a Gaussian matrix of its shape",
        formula=r"\mathbb{E} \ln \kappa_2(W_0) = \ln \kappa_{784 \times 10}",
        domain="normal initial weights; digits have 64 pixels",
        credit="Ma 2012",
        kind="moment",
        theory=_initial,
        code=tall_condition,
        tolerance=0.03,
        statistic="first",
        where=_gaussian,
        decoys=(
            Decoy("the Marchenko-Pastur edges", partial(_initial, mean=edge_ratio)),
            Decoy("a perfectly conditioned matrix", partial(_initial, mean=_one)),
        ),
        note="1.21 for 784 x 10 and 2.01 for 64 x 10, whatever the weights' standard deviation.",
    ),
    _ours(
        "cond.trained.initial.conv",
        says="the CNN's layers start with condition numbers within 35 per cent of those of Gaussian matrices",
        formula=r"|\ln \kappa_2(W_0) - \ln \kappa_{m \times n}| \le 0.3",
        domain="32 x 9, 288 x 64, 3136 x 128, 128 x 10 uniform weights",
        theory=_as_gaussian,
        code=tall_condition,
        statistic="first",
        where=_both_large,
        decoys=(Decoy("they start orthogonal", _as_orthogonal),),
        note="2.6, 2.7, 1.5 and 1.6. Uniform entries make the small ones 4 per cent lower than Gaussian ones do.",
    ),
    _ours(
        "cond.trained.initial.orthogonal",
        says="orthogonal layers start with kappa_2 = 1, and with the rank for kappa_F",
        formula=r"\kappa_2(Q) = 1, \quad \kappa_F(Q) = r",
        domain="the orthogonal arm, every layer; initial weights that are not 0",
        credit="textbook",
        kind="identity",
        theory=_orthogonal_start,
        code=condition_numbers.condition,
        tolerance=ROUNDING,
        statistic="first",
        where=_started,
        decoys=(Decoy("1 in both norms", _orthogonal_start_everywhere),),
        note="A condition number in the Frobenius norm is never below the rank: that norm is not induced.",
    ),
    _row(
        "cond.trained.course.spike",
        says="condition numbers of fully connected layers spike while they are trained",
        formula=r"2 \max(\kappa(W_0), \kappa(W_T)) \le \max_t \kappa(W_t)",
        domain="every fully connected layer that there is",
        theory=lambda course: _spike(course, 2.0),
        code=_spike,
        status="unmet",
        statistic="course",
        where=simple,
        quotes=(
            Quote("experience a large spike", "Section V-C"),
            Quote("but much lower than condition numbers during the optimization process", "Section V-C"),
        ),
        reading=f"the largest kappa_2 is at least twice that of both ends, in each such layer; {WAY}",
        decoys=(Decoy("to a millionfold", lambda course: _spike(course, 1e6)),),
        note="From normal or uniform initial weights they rise to what they end with. From weights of zero, the"
        " simple model's are 0, after one step some 7e6, rounding of a rank that is lost, and 2e6 in the end: the"
        " course that the caption of Figure 4 describes, and not the numbers of Tables I and II.",
    ),
    _row(
        "cond.trained.course.settle",
        says="fully connected layers settle above the condition number that they begin with",
        formula=r"\kappa(W_0) \le \kappa(W_T)",
        domain="every fully connected layer that there is",
        theory=_settle,
        statistic="course",
        where=simple,
        quotes=(Quote("settle at a condition number that is higher than the initial", "Section V-C"),),
        reading="kappa_2 before and after training, in each such layer",
        decoys=(Decoy("below it", lambda course: _settle(course).swapped),),
    ),
    _row(
        "cond.trained.course.first_step",
        says="after the first iteration the condition number of a fully connected layer is very high or infinite",
        formula=r"10 \, \frac{\sigma_1}{\sigma_n}(W_0) \le \frac{\sigma_1}{\sigma_n}(W_1)",
        domain="every fully connected layer that there is",
        theory=_first_step,
        status="unmet",
        statistic="course_strict",
        where=simple,
        quotes=(
            Quote(
                "The weight matrix after the first iteration is generally very high (sometimes singular)", "Section V-C"
            ),
        ),
        reading="'very high' as: at least ten times what it was before, by sigma_1 / sigma_n; 'iteration' as a step",
        decoys=(Decoy("no higher than before", _no_step),),
        note="From weights of zero it is infinite. From the initial weights with which training ends at the printed"
        " condition numbers, one step of 0.5 raises kappa_2 from 1.2 to 3.2.",
    ),
    _row(
        "cond.trained.course.convolutional",
        says="condition numbers of convolutional layers grow along training",
        formula=r"\rho(t, \kappa(W_t)) \ge \tfrac12, \quad \kappa(W_0) \le \kappa(W_T)",
        domain="both convolutional layers",
        theory=_grow,
        statistic="course",
        where=pair,
        quotes=(
            Quote("They grow more and more ill-conditioned as training progresses", "Section V-C"),
            Quote("increase with training iteration", "Abstract"),
            Quote("the condition numbers increase steadily over time", "Section VI"),
        ),
        reading=f"kappa_2 ends above where it begins, and its rank correlation with the step is 1/2 or more; {WAY}",
        decoys=(Decoy("they end below where they begin", _shrink),),
    ),
    _row(
        "cond.trained.course.norms",
        source="Conditioning, Section V-B",
        says="the condition numbers of a layer in four norms follow the same trend along training",
        formula=r"\rho(\kappa_p(W_t), \kappa_q(W_t)) \ge \tfrac12",
        domain="every layer, all pairs of norms",
        theory=_same_trend,
        statistic="course",
        where=simple,
        quotes=(
            Quote(
                "used to calculate condition number follow the same trend over training steps for a given model",
                "Section V-B",
            ),
        ),
        reading="rank correlations over the steps are 1/2 or more, in layers of which kappa_2 rises by a half or more;"
        f" {WAY}",
        decoys=(Decoy("they are the same within a factor of 2", _same_size),),
    ),
    _ours(
        "cond.trained.final.logits",
        source="Conditioning, Section VI",
        says="the simple model's layer ends with a higher condition number than the CNN's logits layer, in all norms",
        formula=r"\kappa_{logits} \le \kappa_{simple}",
        domain="all four norms",
        theory=_above_logits,
        statistic="kappa",
        where=pair,
        decoys=(
            Decoy(
                "with a lower one",
                lambda kappa: _above_logits(kappa).swapped,
            ),
        ),
        note="So the printed tables have it, see cond.conclusion.simple.corrected.",
    ),
    _ours(
        "cond.trained.gauge",
        source="Conditioning, Section III-B",
        says="centring the weights of a softmax layer, which changes no probability, never raises the condition number",
        formula=r"\kappa\left(\left(I - \tfrac1K \mathbf{1} \mathbf{1}^T\right) W\right) \le \sigma_1 / \sigma_K",
        domain="every softmax layer; the K - 1 singular values that centring leaves",
        credit="textbook",
        kind="bound",
        theory=_centred,
        code=condition_numbers.gauge_condition,
        tolerance=ROUNDING,
        statistic="gauge",
        decoys=(Decoy("never lowers it", _centred_above),),
        note="Singular values interlace. What is printed of the simple model holds the direction that a softmax does "
        "not see.",
    ),
)
