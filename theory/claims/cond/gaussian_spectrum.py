"""Rows on singular values and condition numbers of Gaussian matrices: where layers start (conditioning, V-C)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import stats
from scipy.special import hyperu

from fragility.claim import Claim, Decoy, Quote, Rate, Sides, rows
from fragility.law import Law, Moment
from theory.conditioning import gaussian_condition as condition
from theory.conditioning import gaussian_spectrum as spectrum
from theory.conditioning.three_column_condition import ThreeColumnCondition
from theory.worlds import gaussian_spectrum as worlds

EDELMAN = "Edelman 1988"


def _scaled(n: int, rows: tuple[int, ...], factor: float = 1.0) -> Law:
    """The law of a multiple of sqrt(n) sigma_min."""
    return spectrum.smallest_singular_law(n, factor * math.sqrt(n))


def _small_ball(n: int, power: float = 0.0) -> Sides:
    """Density of sigma_min at 0, against that of r_nn over the mean coordinate of a Haar vector."""
    return Sides(float(spectrum.smallest_singular_law(n).pdf(0.0)), spectrum.small_ball_constant(n) / n**power)


def _mixture(n: int, x: float, shift: int = 0) -> Sides:
    """Edelman's printed density against that of the scale mixture, at sigma = x / sqrt(n)."""
    sigma = x / math.sqrt(n)
    tricomi = float(hyperu((n - 1) / 2, -0.5, sigma**2 / 2))
    density = 2 * n / math.sqrt(2 * math.pi) * math.gamma((n + 1) / 2) * math.exp(-n * sigma**2 / 2) * tricomi
    return Sides(density, float(spectrum.smallest_singular_law(n + shift).pdf(sigma)))


def _distances(A: np.ndarray, side: int, factor: float = 1.0) -> Sides:
    """One of the two bounds between the smallest singular value and the least column distance."""
    smallest = np.linalg.svd(A, compute_uv=False)[-1]
    nearest = np.min(spectrum.column_distances(A))
    if side:
        return Sides(smallest, factor * nearest)
    return Sides(nearest / math.sqrt(A.shape[1]), factor * smallest)


def _power(A: np.ndarray, power: float = 2.0) -> Sides:
    """Sums of negative powers: of singular values, and of column distances."""
    sigma = np.linalg.svd(A, compute_uv=False)
    return Sides(np.sum(sigma**-2.0), np.sum(spectrum.column_distances(A) ** -power))


def _last(A: np.ndarray, column: int = -1) -> Sides:
    """The last column's distance against the last diagonal entry of R."""
    return Sides(abs(np.linalg.qr(A)[1][-1, -1]), spectrum.column_distances(A)[column])


def _interval(m: int, miss: float, exponent: float = 1.0) -> Sides:
    """Logarithm of the exact probability that one column's norm lies outside, against that of the bound."""
    low, high = spectrum.extreme_interval(m, 1, miss)
    outside = stats.chi.cdf(low, m) + stats.chi.sf(high, m)
    return Sides(math.log(outside), math.log(2) + exponent * math.log(miss / 2))


def _tall(n: int, rows: tuple[int, ...]) -> Moment:
    """The mean of ln kappa of a tall matrix, by the edges' laws."""
    mean, sd = condition.tall_condition(rows[0], n)
    return Moment(np.log, math.log(mean), sd)


def _edges(n: int, rows: tuple[int, ...]) -> Moment:
    """The same, by the edges of Marchenko and Pastur."""
    return Moment(np.log, math.log(condition.edge_ratio(rows[0], n)), _tall(n, rows).sd)


def _square_limit(n: int, rows: tuple[int, ...]) -> Law:
    return condition.SquareConditionLimit()


def _shrink(exponent: float) -> Rate:
    """The median of the smallest singular value goes like this power of n."""
    return Rate(
        "n",
        exponent,
        lambda n: spectrum.smallest_singular_law(n).median(),
        sizes=(16, 64, 256),
        at=lambda n: {"n": n, "rows": (n,)},
    )


def _square(least: int = 1) -> Callable[..., bool]:
    """Where matrices are square, of `least` columns or more."""
    return lambda n, rows: rows == (n,) and n >= least


def _columns(count: int) -> Callable[..., bool]:
    """Where matrices have `count` columns, and no fewer rows."""
    return lambda n, rows: n == count and len(rows) == 1 and rows[0] >= count


def _is_tall(n: int, rows: tuple[int, ...]) -> bool:
    return len(rows) == 1 and 10 <= n <= rows[0] / 2.5


def _edges_differ(n: int, rows: tuple[int, ...]) -> bool:
    return abs(_edges(n, rows).mean - _tall(n, rows).mean) > 0.06


_row = rows("Conditioning, Section V-C", kind="law", status="extension", tolerance=0.05)
_drawn = partial(_row, study="simulate.conditioning")


CLAIMS: tuple[Claim, ...] = (
    _drawn(
        "cond.gaussian.smallest",
        says="sqrt(n) times the smallest singular value of an n x n Gaussian matrix has Edelman's law",
        theory=_scaled,
        formula=r"f(\lambda) = \frac{n}{\sqrt{2\pi}} \Gamma\left(\frac{n+1}{2}\right) \lambda^{-1/2} e^{-n\lambda/2}"
        r" U\left(\frac{n-1}{2}, -\frac{1}{2}, \frac{\lambda}{2}\right), \quad \lambda = \sigma_{min}^2",
        domain="square, n >= 1",
        credit=EDELMAN,
        tolerance=0.03,
        code=spectrum.smallest_singular_law,
        where=_square(),
        statistic="scaled_smallest",
        note="Exact at every n.",
        decoys=(
            Decoy("half as large", lambda n, rows: _scaled(n, rows, 0.5)),
            Decoy("that of the last column's distance, |N|", lambda n, rows: stats.halfnorm(), where=_square(8)),
        ),
    ),
    _row(
        "cond.gaussian.smallest.mixture",
        says="Edelman's density is that of |N| / sqrt(n + T) with an independent T",
        theory=_mixture,
        world=worlds.size_and_point,
        formula=r"\sigma_{min} \overset{d}{=} \frac{|N|}{\sqrt{n + T}}, \quad f_T(t) = \frac{n(n-1)}{2}"
        r" \frac{t^{(n-3)/2}}{(1+t)^{(n+2)/2} (n+t)^{1/2}}",
        kind="identity",
        domain="n >= 2",
        credit="ours",
        code=spectrum.smallest_singular_law,
        tolerance=1e-9,
        decoys=(Decoy("one dimension more", lambda n, x: _mixture(n, x, 1)),),
    ),
    _drawn(
        "cond.gaussian.smallest.limit",
        says="sqrt(n) times the smallest singular value tends to a law with tail exp(-t - t^2/2)",
        theory=lambda n, rows: spectrum.ScaledSmallestLimit(),
        formula=r"P(\sqrt{n}\, \sigma_{min} > t) \to e^{-t - t^2/2}",
        domain="square, n large",
        credit=EDELMAN,
        code=spectrum.ScaledSmallestLimit,
        where=_square(60),
        statistic="scaled_smallest",
        note="Asymptotic: 0.002 off at n = 60.",
        decoys=(
            Decoy("exponential", lambda n, rows: stats.expon()),
            Decoy("Rayleigh", lambda n, rows: stats.rayleigh()),
        ),
    ),
    _drawn(
        "cond.gaussian.smallest.rate",
        says="the smallest singular value of a square Gaussian matrix shrinks like 1 / sqrt(n)",
        theory=lambda: _shrink(-0.5),
        formula=r"\mathrm{median}\, \sigma_{min} \approx \frac{0.547}{\sqrt{n}}",
        kind="rate",
        domain="square",
        credit=EDELMAN,
        code=spectrum.smallest_singular_law,
        tolerance=0.03,
        statistic="smallest",
        note="So a square layer starts with kappa about n; far from singular at random initialisation are tall ones.",
        decoys=(Decoy("like 1 / n", lambda: _shrink(-1.0)), Decoy("constant, as r_nn", lambda: _shrink(0.0))),
    ),
    _row(
        "cond.gaussian.small_ball",
        says="near 0 the density of sigma_min is that of r_nn over the mean coordinate of a random unit vector",
        theory=_small_ball,
        world=worlds.size,
        formula=r"c_n\, \mathbb{E} |o_n| = \sqrt{\frac{2}{\pi}}, \quad c_n = \lim_{t \to 0}"
        r" \frac{P(\sigma_{min} \le t)}{t}",
        kind="identity",
        domain="square, n >= 1",
        credit="ours",
        code=spectrum.small_ball_constant,
        tolerance=1e-10,
        note="c_n = sqrt 2 Gamma((n+1)/2) / Gamma(n/2), about sqrt(n).",
        decoys=(Decoy("sqrt(n) forgotten", lambda n: _small_ball(n, 0.5)),),
    ),
    _row(
        "cond.gaussian.distances.low",
        says="the smallest singular value is at least the least column distance over sqrt(n)",
        theory=lambda A: _distances(A, 0),
        world=worlds.matrix,
        formula=r"\frac{1}{\sqrt{n}} \min_k \mathrm{dist}(a_k, \mathrm{span}_{j \ne k} a_j) \le \sigma_{min}",
        kind="bound",
        domain="full column rank",
        credit="Rudelson and Vershynin 2008",
        code=spectrum.column_distances,
        tolerance=1e-8,
        decoys=(Decoy("half of it", lambda A: _distances(A, 0, 0.5)),),
    ),
    _row(
        "cond.gaussian.distances.high",
        says="the smallest singular value is at most the least column distance",
        theory=lambda A: _distances(A, 1),
        world=worlds.matrix,
        formula=r"\sigma_{min} \le \min_k \mathrm{dist}(a_k, \mathrm{span}_{j \ne k} a_j) \le r_{nn}",
        kind="bound",
        domain="full column rank",
        credit="Rudelson and Vershynin 2008",
        code=spectrum.column_distances,
        tolerance=1e-8,
        decoys=(Decoy("half of it", lambda A: _distances(A, 1, 0.5)),),
    ),
    _row(
        "cond.gaussian.distances.power",
        says="the inverse squares of singular values and of column distances have the same sum",
        theory=_power,
        world=worlds.matrix,
        formula=r"\sum_j \sigma_j^{-2} = \sum_k \mathrm{dist}_k^{-2}",
        kind="identity",
        domain="full column rank",
        credit="Tao and Vu 2010",
        code=spectrum.column_distances,
        tolerance=1e-6,
        decoys=(Decoy("not squared", lambda A: _power(A, 1.0)),),
    ),
    _row(
        "cond.gaussian.distances.last",
        says="the last column's distance is r_nn",
        theory=_last,
        world=worlds.matrix_of_several_columns,
        formula=r"\mathrm{dist}(a_n, \mathrm{span}_{j < n} a_j) = r_{nn}",
        kind="identity",
        domain="full column rank",
        credit="textbook",
        code=spectrum.column_distances,
        tolerance=1e-6,
        decoys=(Decoy("the first column's", lambda A: _last(A, 0)),),
    ),
    _row(
        "cond.gaussian.interval",
        says="all singular values lie within sqrt(m) -+ (sqrt(n) + t) but for a probability of 2 exp(-t^2/2)",
        theory=_interval,
        world=worlds.rows_and_miss,
        formula=r"P\left(\sqrt{m} - \sqrt{n} - t \le \sigma_{min}, \; \sigma_{max} \le \sqrt{m} + \sqrt{n} + t\right)"
        r" \ge 1 - 2 e^{-t^2/2}",
        kind="bound",
        domain="m >= n; the sides, logarithms, for one column, where the law is known",
        credit="Davidson and Szarek 2001",
        code=spectrum.extreme_interval,
        tolerance=1e-8,
        decoys=(Decoy("eight times the exponent", lambda m, miss: _interval(m, miss, 8.0)),),
    ),
    _drawn(
        "cond.gaussian.two_columns",
        says="the logarithm of the condition number of an m x 2 Gaussian matrix has the tail sech(s)^(m-1)",
        theory=lambda n, rows: condition.TwoColumnCondition(rows[0]),
        formula=r"P(\kappa > t) = \left(\frac{2t}{1+t^2}\right)^{m-1}",
        domain="two columns, m >= 2 rows",
        credit=EDELMAN,
        code=condition.TwoColumnCondition,
        tolerance=0.03,
        where=_columns(2),
        statistic="condition",
        note="Exact.",
        decoys=(
            Decoy("one row more", lambda n, rows: condition.TwoColumnCondition(rows[0] + 1)),
            Decoy("the limit for square matrices", _square_limit),
        ),
    ),
    _drawn(
        "cond.gaussian.three_columns",
        says="the condition number of an m x 3 Gaussian matrix follows from the density of three eigenvalues",
        theory=lambda n, rows: ThreeColumnCondition(rows[0]),
        formula=r"f(r, t) \propto (r-t)(r-1)(t-1) (rt)^{(m-4)/2} (1+t+r)^{-3m/2}, \quad \kappa ="
        r" \sqrt{r}, \; 1 \le t \le r",
        domain="three columns, m >= 3 rows",
        credit="textbook",
        code=ThreeColumnCondition,
        tolerance=0.03,
        where=_columns(3),
        statistic="condition",
        note="Exact, by one quadrature over the joint density of the eigenvalues of a Wishart matrix.",
        decoys=(
            Decoy("one row more", lambda n, rows: ThreeColumnCondition(rows[0] + 1)),
            Decoy("two columns", lambda n, rows: condition.TwoColumnCondition(rows[0])),
        ),
    ),
    _drawn(
        "cond.gaussian.square",
        says="the condition number of a square Gaussian matrix over n tends to a law, exp(-2/x - 2/x^2) below x",
        theory=_square_limit,
        formula=r"P(\kappa / n \le x) \to e^{-2/x - 2/x^2}",
        domain="square, n large",
        credit=EDELMAN,
        code=condition.SquareConditionLimit,
        where=_square(200),
        statistic="condition_per_column",
        note="Asymptotic: E ln kappa is 0.034 lower at n = 60, 0.012 at n = 256. No mean: the tail goes like 2 / x.",
        decoys=(Decoy("1/x for 2/x", lambda n, rows: stats.invgamma(1)),),
    ),
    _drawn(
        "cond.gaussian.tall",
        says="a tall Gaussian matrix has a low condition number: the ratio of Tracy-Widom edges",
        theory=_tall,
        formula=r"\mathbb{E} \ln \kappa \approx \frac{1}{2} \left(\ln(\mu_+ + s_+ E) - \ln \mu_- -"
        r" \frac{t^2}{8} + t E\right)",
        kind="moment",
        domain="n >= 10 columns, at least 2.5 n rows, one factor",
        status="printed",
        quotes=(
            Quote(
                "A randomly initialized weight matrix is likely to have a low condition number given that it is likely"
                " to be far from singular",
                "Section V-C",
            ),
        ),
        reading="random as Gaussian; a matrix of clearly more rows than columns, as the layers there are; low as the"
        " number that the formula gives",
        code=condition.tall_condition,
        tolerance=0.03,
        where=_is_tall,
        statistic="condition",
        note="1.2 to 2.7 for layers of the paper's kind, such as 784 x 10. The edges' centres are those of Johnstone"
        " 2001 and Ma 2012. A square matrix is nearer to singular: its condition number is about n, see"
        " cond.gaussian.square.",
        decoys=(
            Decoy("the Marchenko-Pastur edges", _edges, where=_edges_differ),
            Decoy("a perfectly conditioned matrix", lambda n, rows: Moment(np.log, 0.0, _tall(n, rows).sd)),
        ),
    ),
)
