"""Rows on distances of Gaussian data that can be drawn: the nearest point, and how many differences are short."""

from __future__ import annotations

import math

import numpy as np

from fragility.claim import Claim, Decoy, rows
from fragility.law import Moment
from theory.claims.fc.sizes import Rows, layered, one_factor, two_points
from theory.points import nearest, separation

CLOSE = 0.7  # share of the root mean square distance below which the study counts pairs
SHORT = 0.8  # share of sqrt(d) below which it counts halved differences of opposite labels


def _share(mean: float) -> Moment:
    """The mean of a number in [0, 1], which has at most the variance of a coin."""
    return Moment(np.asarray, mean, math.sqrt(mean * (1 - mean)))


def _close(n: int, rows: Rows, factor: float = 1.0) -> Moment:
    """The share of close pairs."""
    typical = math.sqrt(2 * math.prod(rows))
    return _share(float(separation.distance_law(rows).cdf(factor * CLOSE * typical)))


def _close_per_layer(n: int, rows: Rows) -> Moment:
    """That share as if the product of the chi variables were a chi variable of all their degrees."""
    return _share(math.exp(separation.log_norm_probability(sum(rows), CLOSE)))


def _short(n: int, rows: Rows) -> Moment:
    """The share of short differences between opposite labels."""
    distinct = separation.log_sign_pairs(n, distinct=True)
    return _share(math.exp(separation.log_sign_bound(n, SHORT) - distinct))


def _short_alike(n: int, rows: Rows) -> Moment:
    """That share as if all differences were as long as a_n itself."""
    return _share(math.exp(separation.log_norm_probability(n, SHORT)))


def _short_signs(n: int, rows: Rows) -> Moment:
    """That share as if every sign of a difference were 1 or -1."""
    return _share(math.exp(separation.log_norm_probability(n, SHORT / math.sqrt(n))))


def _one_factor_in_a_plane_or_more(n: int, rows: Rows) -> bool:
    return one_factor(n, rows) and rows[0] >= 2


_row = rows("Feature compression", status="extension", study="simulate.separation")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "fc.thm1.nearest.law",
        at="Theorem 1",
        says="given a point the others are at independent distances, so the nearest of them has an exact law",
        theory=lambda n, rows: nearest.nearest_law(n, rows[0]),
        kind="law",
        tolerance=0.05,
        formula=r"P\left( \min_j \|x_j - x_i\| > r \right) = \mathbb{E} \left( 1 -"
        r" F_{\chi_d'^2(\|x_i\|^2)}(r^2) \right)^{n-1}, \quad \|x_i\| \sim \chi_d",
        domain="n >= 2 independent standard normal points in dimension d >= 2",
        code=nearest.nearest_law,
        statistic="nearest",
        where=_one_factor_in_a_plane_or_more,
        credit="textbook",
        note="Half of it is what the minimum-distance classifier tolerates at x_i, at least.",
        decoys=(
            Decoy(
                "as many others as points", lambda n, rows: nearest.nearest_law(n + 1, rows[0]), lambda n, rows: n <= 5
            ),
            Decoy("one dimension more", lambda n, rows: nearest.nearest_law(n, rows[0] + 1)),
            Decoy("the nearest of two", lambda n, rows: nearest.nearest_law(2, rows[0])),
        ),
    ),
    _row(
        "fc.thm1.separation.pairs",
        at="Theorems 1 and 4",
        says="the expected share of pairs that are close is the probability that one pair is",
        theory=lambda n, rows: _close(n, rows),
        kind="moment",
        tolerance=0.03,
        formula=r"\mathbb{E} \#\{i < j : \|x_i - x_j\| \le \alpha \sqrt{2 \textstyle\prod_i n_i}\} = \frac{n(n-1)}{2}"
        r" P\left( \prod_i \chi_{n_i} \le \alpha \sqrt{\textstyle\prod_i n_i} \right)",
        domain="n >= 2 points at every depth; judged at alpha = 0.7",
        code=separation.distance_law,
        statistic="close_pairs",
        where=two_points,
        credit="textbook",
        note="Exact, dependent as the pairs are. By Markov's inequality it is the union bound of the theorem.",
        decoys=(
            Decoy("alpha a tenth larger", lambda n, rows: _close(n, rows, 1.1)),
            Decoy("the layers' degrees added up", _close_per_layer, where=layered),
        ),
    ),
    _row(
        "fc.thm6.separation.count",
        at="Theorem 6",
        says="the expected share of short differences between opposite labels is a sum over how many signs differ",
        theory=_short,
        kind="moment",
        tolerance=0.01,
        formula=r"3^{-(d-1)}\, \mathbb{E} \#\{u : \|a_d + \sum_k u_k a_k\| \le \alpha \sqrt{d}\} = 3^{-(d-1)} \sum_k"
        r" \binom{d-1}{k} 2^k P\left( \|Z\| \le \frac{\alpha \sqrt{d}}{\sqrt{1+k}} \right)",
        domain="u in {-1, 0, 1}^(d-1), 2 <= d <= 8, beyond which the share is too small; judged at alpha = 0.8",
        code=separation.log_sign_bound,
        statistic="short_differences",
        where=lambda n, rows: 2 <= n <= 8 and rows == (n,),
        credit="ours",
        note="Exact. By Markov's inequality it bounds the chance that the classes are closer than 2 alpha sqrt(d).",
        decoys=(
            Decoy("every difference as long as a_d", _short_alike),
            Decoy("no sign in common", _short_signs),
        ),
    ),
)
