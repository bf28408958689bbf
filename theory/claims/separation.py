"""Rows on how far apart data lie: Lemma 2 and the first halves of Theorems 1, 4 and 6 of feature compression."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import digamma

from theory import separation
from theory.claim import Claim, Decoy, Rate, Sides, rows

DELTA = 0.01  # at which the rates of the largest share are stated


def _tail(d: int, share: float, bound: Callable[..., Any] = separation.log_chernoff_bound) -> Sides:
    return Sides(separation.log_norm_probability(d, share), bound(d, share))


def _exponent(d: int, share: float, slope: float = 1.0) -> Sides:
    return Sides(separation.log_norm_probability(d, share) / d, slope * math.log(share) + 0.5)


def _looseness(exponent: float) -> Rate:
    def ratio(d: int) -> float:
        return math.exp(separation.log_chernoff_bound(d, 0.9) - separation.log_norm_probability(d, 0.9))

    return Rate("d", exponent, ratio)


def _nearest(points: np.ndarray, direction: np.ndarray, factor: float = 1.0) -> Sides:
    """Half of the least distance from the first column, against where a ray leaves its nearest-neighbour cell."""
    steps = points[:, 1:] - points[:, :1]
    squares, leads = np.sum(steps**2, axis=0), direction @ steps / np.linalg.norm(direction)
    leaves = np.min(squares[leads > 0] / (2 * leads[leads > 0]), initial=np.inf)
    return Sides(np.sqrt(squares.min()) / 2, factor * leaves)


def _union(d: int, points: int, share: float, log_count: float | None = None) -> Sides:
    count = separation.log_pairs(points) if log_count is None else log_count
    floor = separation.closest_pair_probability_floor(d, points, share)
    return Sides(floor, math.exp(separation.log_union_bound(d, count, share)))


def _missing(exponent: float) -> Rate:
    return Rate("d", exponent, lambda d: 1 - separation.largest_share(d, separation.log_pairs(d), DELTA))


def _sign_missing(exponent: float) -> Rate:
    return Rate("d", exponent, lambda d: 1 - separation.largest_sign_share(d, DELTA), between=(2**12, 2**14))


def _pairs(d: int, logs: Any = None) -> Sides:
    """Cross-class pairs and distinct differences, counted one by one."""
    signs = [np.array(z) for z in itertools.product((-1, 1), repeat=d)]
    differences = [tuple(z - y) for z in signs if z[-1] > 0 for y in signs if y[-1] < 0]
    counted = np.array([len(differences), len(set(differences))])
    expected = [separation.log_sign_pairs(d), separation.log_sign_pairs(d, distinct=True)]
    return Sides(counted, np.exp(expected if logs is None else logs))


def _signs(d: int, share: float, log_count: float | None = None) -> Sides:
    count = separation.log_sign_pairs(d) if log_count is None else log_count
    return Sides(separation.log_sign_bound(d, share), count + separation.log_chernoff_bound(d, share))


def _expected(matrix_size: int, share: float, factor: float = 1.0) -> Sides:
    """Expected number of short differences, difference by difference, against the sum over strata."""
    d = matrix_size
    lengths = [1 + sum(map(abs, u)) for u in itertools.product((-1, 0, 1), repeat=d - 1)]
    direct = sum(math.exp(separation.log_norm_probability(d, share / math.sqrt(length))) for length in lengths)
    return Sides(direct, factor * math.exp(separation.log_sign_bound(d, share)))


def _layered(d: int, layers: int, share: float, forgotten: bool = False) -> Sides:
    law = separation.distance_law((d,) * layers, (2 * d**layers) ** -0.5)
    right = separation.log_layered_chernoff_bound(d, layers, share)
    return Sides(law.logcdf(share**layers), math.log(layers) + d * math.log(share) if forgotten else right)


def _drift(d: int, layers: int, factor: float = 1.0) -> Sides:
    """E ln(||x_i - x_j||^2 / 2d) for normalised generators."""
    rows = (d,) * layers
    mean = separation.distance_law(rows, separation.normalising_scale(rows)).log_mean()
    return Sides(2 * mean - math.log(2 * d), factor * layers * (digamma(d / 2) - math.log(d / 2)))


_row = rows("fc", "Feature compression", kind="bound", tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "lemma2.chernoff",
        at="Lemma 2",
        says="a standard normal vector is shorter than alpha sqrt(d) with at most an exponentially small probability",
        theory=_tail,
        formula=r"\ln P(\|Z\| \le \alpha \sqrt{d}) \le d \left( \ln \alpha + \frac{1 - \alpha^2}{2} \right)",
        domain="0 < alpha < 1, d >= 1",
        note="For the squared norm put the square root of alpha.",
        code=separation.log_chernoff_bound,
        decoys=(
            Decoy("alpha taken for its square", lambda d, share: _tail(d, share**2)._replace(left=_tail(d, share)[0])),
            Decoy("alpha^d alone", lambda d, share: _tail(d, share, lambda d, share: d * math.log(share))),
        ),
    ),
    _row(
        "lemma2.exponent",
        at="Lemma 2",
        says="the logarithm of Chernoff's bound over d goes to minus infinity with alpha, like ln alpha",
        theory=_exponent,
        formula=r"\frac{1}{d} \ln P(\|Z\| \le \alpha \sqrt{d}) \le \ln \alpha + \frac{1}{2}",
        domain="alpha > 0, d >= 1",
        code=separation.log_norm_probability,
        decoys=(Decoy("twice as fast", lambda d, share: _exponent(d, share, 2.0)),),
    ),
    _row(
        "lemma2.series",
        at="Lemma 2",
        says="the first term of the series times a geometric sum bounds the probability in closed form",
        theory=lambda d, share: _tail(d, share, separation.log_series_bound),
        formula=r"P(\|Z\| \le \alpha \sqrt{d}) \le \frac{x^a e^{-x}}{\Gamma(a+1)} \, \frac{a+1}{a+1-x},"
        r" \quad a = \frac{d}{2}, \; x = \alpha^2 a",
        domain="0 < alpha < 1, d >= 1",
        status="extension",
        code=separation.log_series_bound,
        note="Sharper than the printed bound for alpha^2 below about 1 - 1/sqrt(pi d).",
        decoys=(
            Decoy(
                "the first term alone",
                lambda d, share: _tail(
                    d,
                    share,
                    lambda d, share: separation.log_series_bound(d, share) - math.log((d + 2) / (d + 2 - share**2 * d)),
                ),
            ),
        ),
    ),
    _row(
        "lemma2.looseness",
        at="Lemma 2",
        says="the printed bound is loose only by a factor sqrt(pi d) (1 - alpha^2)",
        theory=lambda: _looseness(0.5),
        kind="rate",
        tolerance=0.02,
        formula=r"\frac{(\alpha e^{(1-\alpha^2)/2})^d}{P(\|Z\| \le \alpha \sqrt{d})} \sim \sqrt{\pi d} \, (1-\alpha^2)",
        domain="alpha < 1 fixed, d to infinity; here alpha = 0.9",
        status="extension",
        code=separation.log_chernoff_bound,
        note="Judged by the exact law: at sizes where the slope has settled no sample holds a vector so short.",
        decoys=(Decoy("a constant factor", lambda: _looseness(0.0)), Decoy("a factor d", lambda: _looseness(1.0))),
    ),
    _row(
        "thm1.separation",
        at="Theorem 1",
        says="some pair is closer than alpha sqrt(2 d) with at most the number of pairs times Lemma 2's probability",
        theory=_union,
        formula=r"1 - (1-p)^{\lfloor m/2 \rfloor} \le P\left( \min_{i \ne j} \|x_i - x_j\| \le \alpha \sqrt{2d} \right)"
        r" \le \frac{m(m-1)}{2} \, p, \quad p = P(\|Z\| \le \alpha \sqrt{d})",
        domain="m >= 2 independent standard normal points in dimension d; m = d in the paper",
        code=separation.log_union_bound,
        note="The left side is a lower bound by disjoint pairs: the union loses at most a factor m.",
        decoys=(Decoy("one pair for all", lambda d, points, share: _union(d, points, share, 0.0)),),
    ),
    _row(
        "thm1.separation.constant",
        at="Theorem 1",
        says="d points are (1 - o(1)) sqrt(2 d) apart: what is missing from 1 falls like 1/sqrt(d), up to a logarithm",
        theory=lambda: _missing(-0.5),
        kind="rate",
        tolerance=0.07,
        formula=r"1 - \alpha_d \approx \sqrt{\frac{\ln(d^2 / 2 \delta)}{d}}",
        domain="m = d points, with probability at least 1 - delta = 0.99",
        code=separation.largest_share,
        note="At d = 1000 the pairs are only known to be 0.88 sqrt(2 d) apart. Judged by the exact bound: its slope"
        " settles beyond the d whose pairs can be drawn often enough.",
        decoys=(Decoy("1/d", lambda: _missing(-1.0)), Decoy("a constant gap", lambda: _missing(0.0))),
    ),
    _row(
        "thm1.nearest",
        at="Theorem 1",
        says="the minimum-distance classifier tolerates half of the distance to the nearest other"
        " point, in every direction",
        theory=_nearest,
        formula=r"\frac{1}{2} \min_j \|x_j - x_i\| \le \min_{w \cdot (x_j - x_i) > 0}"
        r" \frac{\|x_j - x_i\|^2}{2\, w \cdot (x_j - x_i)}, \quad \|w\| = 1",
        domain="one point per class",
        note="Equality towards the nearest point: this is the exact worst case.",
        decoys=(Decoy("a tenth further", lambda points, direction: _nearest(points, direction, 1 / 1.1)),),
    ),
    _row(
        "thm4.distance",
        at="Theorem 4",
        says="the distance of two generated points is sqrt(2) times a product of chi variables of all heights",
        theory=lambda n, rows: separation.distance_law(rows),
        kind="law",
        tolerance=0.1,
        formula=r"\|x_i - x_j\| \overset{d}{=} \sqrt{2} \prod_i \chi_{n_i}",
        domain="unit variances; independent of the number of points n",
        status="extension",
        code=separation.distance_law,
        study="separation",
        statistic="distance",
        where=lambda n, rows: n >= 2,
        decoys=(
            Decoy("the factor sqrt 2 forgotten", lambda n, rows: separation.distance_law(rows, 2**-0.5)),
            Decoy(
                "a layer forgotten",
                lambda n, rows: separation.distance_law(rows[1:]),
                where=lambda n, rows: len(rows) >= 2,
            ),
        ),
    ),
    _row(
        "thm4.separation",
        at="Theorem 4",
        says="a distance over L layers is below alpha^L of its size with at most L times Lemma 2's probability",
        theory=_layered,
        formula=r"P\left( \prod_{i=1}^{L} \frac{\chi_{d}}{\sqrt{d}} \le \alpha^L \right)"
        r" \le L \left( \alpha e^{(1-\alpha^2)/2} \right)^d",
        domain="L square layers, 0 < alpha < 1; for all pairs times their number",
        code=separation.log_layered_chernoff_bound,
        note="In logarithms. A constant only for a fixed number of layers: see fc.thm4.depth.",
        decoys=(Decoy("the exponential factor forgotten", lambda d, layers, share: _layered(d, layers, share, True)),),
    ),
    _row(
        "thm4.depth",
        at="Theorem 4",
        says="normalised distances drift down by 1/d a layer in the squared logarithm: no constant serves every depth",
        theory=_drift,
        kind="identity",
        formula=r"\mathbb{E} \ln \frac{\|x_i - x_j\|^2}{2d} = L \left( \psi\left( \frac{d}{2} \right)"
        r" - \ln \frac{d}{2} \right) \approx -\frac{L}{d}",
        domain="L square layers with entries of variance 1/d",
        status="extension",
        code=separation.normalising_scale,
        note="The theorem's constant holds for all pairs only as long as L is small beside d / ln d.",
        decoys=(Decoy("half of it", lambda d, layers: _drift(d, layers, 0.5)),),
    ),
    _row(
        "thm6.pairs",
        at="Theorem 6",
        says="4^(d-1) pairs of opposite label have only 3^(d-1) distinct differences",
        theory=_pairs,
        kind="identity",
        formula=r"\#\{(z, z')\} = 4^{d-1}, \quad \#\{z - z'\} = 3^{d-1}",
        domain="z and z' of d signs with z_d = 1 and z'_d = -1",
        code=separation.log_sign_pairs,
        note="The second count is beyond the paper.",
        decoys=(
            Decoy("2^(d-1) differences", lambda d: _pairs(d, [separation.log_sign_pairs(d), (d - 1) * math.log(2)])),
        ),
    ),
    _row(
        "thm6.separation",
        at="Theorem 6",
        says="classes are closer than 2 alpha sqrt(d) with a chance of at most 4^(d-1) times Lemma 2's probability",
        theory=_signs,
        formula=r"\sum_k \binom{d-1}{k} 2^k P\left( \|Z\| \le \frac{\alpha \sqrt{d}}{\sqrt{1+k}} \right)"
        r" \le 4^{d-1} \left( \alpha e^{(1-\alpha^2)/2} \right)^d",
        domain="0 < alpha < 1, d >= 1",
        code=separation.log_sign_bound,
        note="In logarithms. The right side is small for alpha < 0.1534 only, an artefact of counting pairs; the left"
        " side is a sharper bound.",
        decoys=(Decoy("one pair for all", lambda d, share: _signs(d, share, 0.0)),),
    ),
    _row(
        "thm6.separation.strata",
        at="Theorem 6",
        says="the expected number of distinct short differences is a sum over how many signs differ",
        theory=_expected,
        kind="identity",
        formula=r"\mathbb{E} \, \#\{u : \|a_d + \sum_k u_k a_k\| \le \alpha \sqrt{d}\}"
        r" = \sum_k \binom{d-1}{k} 2^k P\left( \|Z\| \le \frac{\alpha \sqrt{d}}{\sqrt{1+k}} \right)",
        domain="u in {-1, 0, 1}^(d-1)",
        status="extension",
        code=separation.log_sign_bound,
        decoys=(Decoy("a factor 2", lambda matrix_size, share: _expected(matrix_size, share, 2.0)),),
    ),
    _row(
        "thm6.separation.constant",
        at="Theorem 6",
        says="every constant alpha below 1 separates the classes: what is missing from 1 falls like 1/sqrt(d)",
        theory=lambda: _sign_missing(-0.5),
        kind="rate",
        tolerance=0.02,
        formula=r"1 - \alpha_d \sim \frac{\Phi^{-1}(1-\delta)}{\sqrt{2d}}",
        domain="with probability at least 1 - delta = 0.99",
        status="extension",
        code=separation.largest_sign_share,
        note="The paper asks for a sufficiently small constant only. Judged by the exact bound: all differences can be"
        " drawn for d <= 13 only.",
        decoys=(Decoy("a constant gap", lambda: _sign_missing(0.0)), Decoy("1/d", lambda: _sign_missing(-1.0))),
    ),
)
