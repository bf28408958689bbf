"""Rows on how far apart data lie: the first halves of Theorems 1, 4 and 6 of feature compression."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from scipy.special import digamma

from fragility.claim import Claim, Decoy, Quote, Rate, Sides, rows
from theory.claims.fc.sizes import layered, two_points
from theory.numerics.array import Array
from theory.points import separation
from theory.worlds import separation as worlds

DELTA = 0.01  # at which the rates of the largest share are stated


def _nearest(points: Array, direction: Array, factor: float = 1.0) -> Sides:
    """Half of the least distance from the first column, against where a ray leaves its nearest-neighbour cell."""
    steps = points[:, 1:] - points[:, :1]
    squares, leads = np.sum(steps**2, axis=0), direction @ steps / np.linalg.norm(direction)
    leaves = np.min(squares[leads > 0] / (2 * leads[leads > 0]), initial=np.inf)
    return Sides(np.sqrt(squares.min()) / 2, factor * leaves)


def _union(d: int, points: int, share: float, log_count: float | None = None) -> Sides:
    """The chance that one of disjoint pairs is close, against the number of all pairs times one pair's."""
    count = separation.log_pairs(points) if log_count is None else log_count
    floor = separation.closest_pair_probability_floor(d, points, share)
    return Sides(floor, math.exp(separation.log_union_bound(d, count, share)))


def _missing(exponent: float) -> Rate:
    """The fall of what the largest share lacks of 1, for Gaussian points."""
    return Rate("d", exponent, lambda d: 1 - separation.largest_share(d, separation.log_pairs(d), DELTA))


def _sign_missing(exponent: float) -> Rate:
    """The same for the two classes of Theorem 6."""
    return Rate("d", exponent, lambda d: 1 - separation.largest_sign_share(d, DELTA), between=(2**12, 2**14))


def _pairs(d: int, distinct: bool = False, log_count: float | None = None) -> Sides:
    """The number of cross-class pairs, or of their distinct differences, counted one by one, against the formula."""
    signs = [np.array(z) for z in itertools.product((-1, 1), repeat=d)]
    differences = [tuple(z - y) for z in signs if z[-1] > 0 for y in signs if y[-1] < 0]
    counted = len(set(differences)) if distinct else len(differences)
    return Sides(counted, math.exp(separation.log_sign_pairs(d, distinct) if log_count is None else log_count))


def _signs(d: int, share: float, log_count: float | None = None) -> Sides:
    """ln of the expected number of short differences, against all pairs times Lemma 2's bound."""
    count = separation.log_sign_pairs(d) if log_count is None else log_count
    return Sides(separation.log_sign_bound(d, share), count + separation.log_chernoff_bound(d, share))


def _expected(matrix_size: int, share: float, factor: float = 1.0) -> Sides:
    """The expected number of short differences, difference by difference, against the sum over strata."""
    d = matrix_size
    lengths = [1 + sum(map(abs, u)) for u in itertools.product((-1, 0, 1), repeat=d - 1)]
    direct = sum(math.exp(separation.log_norm_probability(d, share / math.sqrt(length))) for length in lengths)
    return Sides(direct, factor * math.exp(separation.log_sign_bound(d, share)))


def _close_pairs(d: int, points: int, share: float, layers: int = 1) -> Sides:
    """ln of the expected number of pairs so close, which is above the chance of any, against the bound of it."""
    law, count = separation.distance_law((d,) * layers, (2 * d**layers) ** -0.5), separation.log_pairs(points)
    bound = separation.log_layered_chernoff_bound(d, layers, share)
    return Sides(count + law.logcdf(share**layers), count + bound)


def _one_pair(points: int, **world: Any) -> Sides:
    """The same against the bound of one pair for all."""
    sides = _close_pairs(points=points, **world)
    return Sides(sides.left, sides.right - separation.log_pairs(points))


def _no_exponential(d: int, share: float, **world: Any) -> Sides:
    """The same with the factor e^((1 - alpha^2) d / 2) of the bound forgotten."""
    sides = _close_pairs(d=d, share=share, **world)
    return Sides(sides.left, sides.right - d * (1 - share**2) / 2)


def _drift(d: int, layers: int, factor: float = 1.0) -> Sides:
    """The mean of ln(||x_i - x_j||^2 / 2d) for normalised generators, against L digammas."""
    rows = (d,) * layers
    mean = separation.distance_law(rows, separation.normalising_scale(rows)).log_mean()
    return Sides(2 * mean - math.log(2 * d), factor * layers * (digamma(d / 2) - math.log(d / 2)))


_APART = "with high probability, for every [..], the smallest distance between any two data points is [..]"

_row = rows("Feature compression", kind="bound", tolerance=1e-9, reconstructed=True)
_ours = rows("Feature compression", kind="bound", tolerance=1e-9, status="extension", credit="ours")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "fc.thm1.separation",
        at="Theorem 1",
        says="the expected number of pairs closer than alpha sqrt(2 d), which bounds the chance that there is one, is"
        " at most the number of pairs times Lemma 2's bound",
        theory=_close_pairs,
        world=worlds.points_and_share,
        formula=r"P\left( \min_{i \ne j} \|x_i - x_j\| \le \alpha \sqrt{2d} \right) \le \frac{m(m-1)}{2}"
        r" P(\|Z\| \le \alpha \sqrt{d}) \le \frac{m(m-1)}{2} \left( \alpha e^{(1-\alpha^2)/2} \right)^d",
        domain="m >= 2 independent standard normal points in dimension d, 0 < alpha < 1; m = d in the paper",
        quotes=(Quote(_APART, "Theorem 1, first item"),),
        reading="the lost distance is read as alpha sqrt(2 d) or more, for every constant alpha < 1; the row gives the"
        " bound of the failures at every d, which tends to 0 for m = d",
        note="In logarithms. The first step is Markov's inequality.",
        code=separation.log_chernoff_bound,
        decoys=(Decoy("one pair for all", _one_pair),),
    ),
    _ours(
        "fc.thm1.separation.union",
        at="Theorem 1",
        says="that some pair is closer than alpha sqrt(2 d) is as likely as the number of pairs times one pair's"
        " probability, up to a factor of the number of points",
        theory=_union,
        world=worlds.points_and_share,
        formula=r"1 - (1-p)^{\lfloor m/2 \rfloor} \le P\left( \min_{i \ne j} \|x_i - x_j\| \le \alpha \sqrt{2d} \right)"
        r" \le \frac{m(m-1)}{2} \, p, \quad p = P(\|Z\| \le \alpha \sqrt{d})",
        domain="m >= 2 independent standard normal points in dimension d; m = d in the paper",
        credit="textbook",
        code=separation.closest_pair_probability_floor,
        note="The left side is the chance that one of floor(m/2) disjoint, hence independent, pairs is close.",
        decoys=(Decoy("one pair for all", lambda d, points, share: _union(d, points, share, 0.0)),),
    ),
    _ours(
        "fc.thm1.separation.constant",
        at="Theorem 1",
        says="d points are (1 - o(1)) sqrt(2 d) apart: what is missing from 1 falls like 1/sqrt(d), up to a logarithm",
        theory=lambda: _missing(-0.5),
        kind="rate",
        tolerance=0.07,
        formula=r"1 - \alpha_d \approx \sqrt{\frac{\ln(d^2 / 2 \delta)}{d}}",
        domain="m = d points, with probability at least 1 - delta = 0.99",
        reading="measured: slope of 1 - alpha_d, as it is, where the exact union bound is 0.01, between d = 2^14 and"
        " 2^16; the logarithm is within the tolerance",
        code=separation.largest_share,
        note="At d = 1000 the pairs are only known to be 0.88 sqrt(2 d) apart. Judged by the exact bound: its slope"
        " settles beyond the d whose pairs can be drawn often enough.",
        decoys=(Decoy("1/d", lambda: _missing(-1.0)), Decoy("a constant gap", lambda: _missing(0.0))),
    ),
    _row(
        "fc.thm1.nearest",
        at="Theorem 1",
        says="the minimum-distance classifier tolerates half of the distance to the nearest other"
        " point, in every direction",
        theory=_nearest,
        world=worlds.points_and_direction,
        formula=r"\frac{1}{2} \min_j \|x_j - x_i\| \le \min_{w \cdot (x_j - x_i) > 0}"
        r" \frac{\|x_j - x_i\|^2}{2\, w \cdot (x_j - x_i)}, \quad \|w\| = 1",
        domain="one point per class",
        quotes=(
            Quote(
                "one would need to add a perturbation of size [..] to change the classification decision if the"
                " minimum-distance classifier is used",
                "Theorem 1, first item",
            ),
        ),
        reading="the lost size is half of the least distance; for any points, and in every direction",
        note="Equality towards the nearest point: this is the exact worst case.",
        decoys=(Decoy("a tenth further", lambda points, direction: _nearest(points, direction, 1 / 1.1)),),
    ),
    _ours(
        "fc.thm4.distance",
        at="Theorem 4",
        says="the distance of two generated points is sqrt(2) times a product of chi variables of all heights",
        theory=lambda n, rows: separation.distance_law(rows),
        kind="law",
        tolerance=0.1,
        formula=r"\|x_i - x_j\| \overset{d}{=} \sqrt{2} \prod_i \chi_{n_i}",
        domain="unit variances; independent of the number of points n",
        credit="textbook",
        code=separation.distance_law,
        note="A Gaussian matrix multiplies the length of a given vector by an independent chi variable.",
        study="simulate.separation",
        statistic="distance",
        where=two_points,
        decoys=(
            Decoy("the factor sqrt 2 forgotten", lambda n, rows: separation.distance_law(rows, 2**-0.5)),
            Decoy(
                "a layer forgotten",
                lambda n, rows: separation.distance_law(rows[1:]),
                where=layered,
            ),
        ),
    ),
    _row(
        "fc.thm4.separation",
        at="Theorem 4",
        says="the expected number of pairs closer than alpha^L of their typical distance over L layers, which bounds"
        " the chance that there is one, is at most L times the number of pairs times Lemma 2's bound",
        theory=_close_pairs,
        world=worlds.layers_and_share,
        formula=r"P\left( \min_{i \ne j} \|x_i - x_j\| \le \alpha^L \sqrt{2d} \right) \le \frac{m(m-1)}{2}"
        r" P\left( \prod_{i=1}^{L} \frac{\chi_{d}}{\sqrt{d}} \le \alpha^L \right)"
        r" \le \frac{m(m-1)}{2} L \left( \alpha e^{(1-\alpha^2)/2} \right)^d",
        domain="m >= 2 points through L square layers of dimension d, 0 < alpha < 1; m = d in the paper",
        quotes=(Quote(_APART, "Theorem 4, first item"),),
        reading="the lost distance is read as a constant times sqrt(2 d), every constant below 1 in a fixed number of"
        " layers; generators with entries of variance 1/d, square as the paper's proof has them; the row gives the"
        " bound of the failures at every d, which tends to 0 for m = d",
        code=separation.log_layered_chernoff_bound,
        note="In logarithms. The first step is Markov's inequality, the second the proof's induction: the product is"
        " that small only if a factor is below alpha. A constant only for a fixed number of layers: see"
        " fc.thm4.depth.",
        decoys=(
            Decoy("the exponential factor forgotten", _no_exponential),
            Decoy("one pair for all", _one_pair),
        ),
    ),
    _ours(
        "fc.thm4.depth",
        at="Theorem 4",
        says="normalised distances drift down by 1/d a layer in the squared logarithm: no constant serves every depth",
        theory=_drift,
        world=worlds.layers_and_dimension,
        kind="identity",
        formula=r"\mathbb{E} \ln \frac{\|x_i - x_j\|^2}{2d} = L \left( \psi\left( \frac{d}{2} \right)"
        r" - \ln \frac{d}{2} \right) \approx -\frac{L}{d}",
        domain="L square layers with entries of variance 1/d",
        code=separation.normalising_scale,
        note="The theorem's constant holds for all pairs only as long as L is small beside d / ln d.",
        decoys=(Decoy("half of it", lambda d, layers: _drift(d, layers, 0.5)),),
    ),
    _row(
        "fc.thm6.pairs",
        at="proof of Theorem 6",
        says="there are 4^(d-1) pairs of points of opposite label",
        theory=_pairs,
        world=worlds.few_signs,
        kind="identity",
        formula=r"\#\{(z, z') : z_d = 1, \; z'_d = -1\} = 4^{d-1}",
        domain="z and z' of d signs",
        quotes=(
            Quote(
                "The only major difference is that we have [..] pairs of vectors to consider for the union bound",
                "proof of Theorem 6",
            ),
        ),
        reading="the lost number is read as that of all pairs of one point of each class",
        code=separation.log_sign_pairs,
        decoys=(Decoy("3^(d-1) pairs", lambda d: _pairs(d, log_count=(d - 1) * math.log(3))),),
    ),
    _ours(
        "fc.thm6.pairs.distinct",
        at="proof of Theorem 6",
        says="the 4^(d-1) pairs of points of opposite label have only 3^(d-1) distinct differences",
        theory=lambda d: _pairs(d, distinct=True),
        world=worlds.few_signs,
        kind="identity",
        formula=r"\#\{z - z' : z_d = 1, \; z'_d = -1\} = 3^{d-1}",
        domain="z and z' of d signs",
        code=separation.log_sign_pairs,
        decoys=(Decoy("2^(d-1) differences", lambda d: _pairs(d, distinct=True, log_count=(d - 1) * math.log(2))),),
    ),
    _row(
        "fc.thm6.separation",
        at="Theorem 6",
        says="the expected number of differences of the classes shorter than 2 alpha sqrt(d), which bounds the chance"
        " that there is one, is at most 4^(d-1) times Lemma 2's bound",
        theory=_signs,
        world=worlds.signs_and_share,
        formula=r"P\left( \min_{z, z'} \|A (z - z')\| \le 2 \alpha \sqrt{d} \right) \le"
        r" \sum_k \binom{d-1}{k} 2^k P\left( \|Z\| \le \frac{\alpha \sqrt{d}}{\sqrt{1+k}} \right)"
        r" \le 4^{d-1} \left( \alpha e^{(1-\alpha^2)/2} \right)^d",
        domain="0 < alpha < 1, d >= 1",
        quotes=(
            Quote(
                "with high probability, there exists a constant [..] such that the smallest distance between any two"
                " data points in the two different classes is at least [..]",
                "Theorem 6, first item",
            ),
        ),
        reading="the lost distance is read as the constant times sqrt(d); the row gives the bound of the failures at"
        " every d, which tends to 0 for alpha < 0.1534: such a constant exists",
        code=separation.log_sign_bound,
        note="In logarithms. That alpha must be so small is an artefact of counting pairs: with distinct differences,"
        " each at its own length, every alpha < 1 will do, see fc.thm6.separation.constant.",
        decoys=(Decoy("one pair for all", lambda d, share: _signs(d, share, 0.0)),),
    ),
    _ours(
        "fc.thm6.separation.strata",
        at="Theorem 6",
        says="the expected number of distinct short differences is a sum over how many signs differ",
        theory=_expected,
        world=worlds.few_signs_and_share,
        kind="identity",
        formula=r"\mathbb{E} \, \#\{u : \|a_d + \sum_k u_k a_k\| \le \alpha \sqrt{d}\}"
        r" = \sum_k \binom{d-1}{k} 2^k P\left( \|Z\| \le \frac{\alpha \sqrt{d}}{\sqrt{1+k}} \right)",
        domain="u in {-1, 0, 1}^(d-1)",
        code=separation.log_sign_bound,
        decoys=(Decoy("a factor 2", lambda matrix_size, share: _expected(matrix_size, share, 2.0)),),
    ),
    _ours(
        "fc.thm6.separation.constant",
        at="Theorem 6",
        says="every constant alpha below 1 separates the classes: what is missing from 1 falls like 1/sqrt(d)",
        theory=lambda: _sign_missing(-0.5),
        kind="rate",
        tolerance=0.02,
        formula=r"1 - \alpha_d \sim \frac{\Phi^{-1}(1-\delta)}{\sqrt{2d}}",
        domain="with probability at least 1 - delta = 0.99",
        reading="measured: slope of 1 - alpha_d, as it is, where the exact bound is 0.01, between d = 2^12 and 2^14",
        code=separation.largest_sign_share,
        note="The paper asks for a sufficiently small constant only. Judged by the exact bound: all differences can be"
        " drawn for d <= 13 only.",
        decoys=(Decoy("a constant gap", lambda: _sign_missing(0.0)), Decoy("1/d", lambda: _sign_missing(-1.0))),
    ),
)
