"""Rows on entries that are not Gaussian: what stays exact at every size, and what is not universal at any."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import stats

from fragility.claim import Claim, Decoy, rows
from fragility.law import Moment
from theory.conditioning import universality

Rows = tuple[int, ...]
Values = np.ndarray
LARGEST = 8  # columns of the matrices whose rank is looked at
ROUNDED = 1e-6  # bound of a standard deviation that is 0 up to rounding


def _square_of(values: Values) -> Values:
    return values**2


def _is_below_one(values: Values) -> Values:
    return (values < 0).astype(float)


@lru_cache
def _over_factorial(n: int) -> Callable[[Values], Values]:
    """The squared determinant over n!, from its logarithm."""
    return lambda log_determinant: np.exp(2 * log_determinant - math.lgamma(n + 1))


@lru_cache
def _over_rows(m: int) -> Callable[[Values], Values]:
    """The squared norm over the number of rows."""
    return lambda norm: norm**2 / m


@lru_cache
def _deviation(m: int) -> Callable[[Values], Values]:
    """The squared deviation of the squared norm from its mean, over the number of rows."""
    return lambda norm: (norm**2 - m) ** 2 / m


def _spread(entries: str) -> float:
    """Bounds the variance of a^T P a by this times the trace of the projection P: 2 + kappa max_i P_ii."""
    return 2 + max(universality.kurtosis(entries), 0)


def _power(n: int, rows: Rows, entries: str, gain: float = 0.0) -> Moment:
    """The mean square of r_nn, for a space of known dimension."""
    k = rows[0] - n + 1
    return Moment(_square_of, k * (1 + gain), math.sqrt(_spread(entries) * k))


def _codimension(n: int, rows: Rows, entries: str) -> Moment:
    """The mean square of r_nn, for a space of random dimension."""
    m, k = rows[0], rows[0] - n + 1
    mean = m - universality.mean_rank(m, n - 1) if entries == "signs" else float(k)
    return Moment(_square_of, mean, math.sqrt(_spread(entries) * mean + (mean - k) * (m - mean)))


def _determinant(n: int, rows: Rows, entries: str, mean: float = 1.0) -> Moment:
    """The mean of the squared determinant over n!."""
    return Moment(_over_factorial(n), mean, math.sqrt(universality.determinant_fourth(n, entries) - 1))


def _norm_power(n: int, rows: Rows, entries: str, lost: int = 0) -> Moment:
    """The mean of the squared norm over the number of rows; a decoy loses one."""
    m = rows[0]
    sd = max(math.sqrt((universality.kurtosis(entries) + 2) / m), ROUNDED)
    return Moment(_over_rows(m), 1 - lost / m, sd)


def _norm_spread(n: int, rows: Rows, entries: str, mean: float | None = None) -> Moment:
    """The variance of the squared norm over the number of rows."""
    m = rows[0]
    second, fourth = universality.squared_norm_cumulants(entries)
    sd = max(math.sqrt(fourth / m + 2 * second**2), ROUNDED)
    return Moment(_deviation(m), universality.kurtosis(entries) + 2 if mean is None else mean, sd)


def _few(n: int, rows: Rows, entries: str) -> bool:
    """Where the rank of the first n - 1 columns is known: always full, but for signs."""
    return n <= LARGEST and (entries != "signs" or (rows[0] - 1) * (n - 2) <= universality.MOST_BITS)


def foreign(n: int, rows: Rows, entries: str) -> bool:
    """Where entries are not normal."""
    return entries != "gaussian"


_row = rows("Beyond the papers", kind="law", status="extension", study="simulate.universality")
_moment = rows(
    "Beyond the papers",
    kind="moment",
    tolerance=0.1,
    status="extension",
    credit="textbook",
    study="simulate.universality",
)


CLAIMS: tuple[Claim, ...] = (
    _moment(
        "universality.last.power",
        says="the mean square of r_nn is the number of rows beyond the other columns, whatever the entries",
        theory=lambda n, rows, entries: _power(n, rows, entries),
        formula=r"\mathbb{E}\, r_{nn}^2 = m - n + 1",
        domain="independent entries of mean 0 and variance 1; every size",
        code=universality.last_limit,
        statistic="last",
        note="Exact: the other columns fix a projection, a_n is independent of it. r_nn as QR gives it: dependent"
        " columns are completed.",
        decoys=(
            Decoy(
                "with a kurtosis term",
                lambda n, rows, entries: _power(n, rows, entries, universality.kurtosis(entries) / rows[0]),
                where=foreign,
            ),
            Decoy("the rows but one column fewer", lambda n, rows, entries: _power(n, (rows[0] + 1,), entries)),
        ),
    ),
    _moment(
        "universality.span",
        says="the mean square distance of a column from the span of the others is the mean codimension of the span",
        theory=_codimension,
        formula=r"\mathbb{E}\, \mathrm{dist}(a_n, \mathrm{span}_{j<n} a_j)^2 = m - \mathbb{E}\, \mathrm{rank}(a_1,"
        r" \ldots, a_{n-1})",
        domain="independent entries of mean 0 and variance 1; the rank of signs by enumeration, n <= 5",
        code=universality.mean_rank,
        statistic="distance",
        where=_few,
        note="Exact. Entries with a density give m - n + 1, signs more: 1.25 for n = 3, 1.36 for n = 4.",
        decoys=(Decoy("full rank, always", lambda n, rows, entries: _power(n, rows, entries)),),
    ),
    _moment(
        "universality.determinant",
        says="the mean square of the determinant is n!, whatever the entries",
        theory=lambda n, rows, entries: _determinant(n, rows, entries),
        credit="textbook; the fourth moment Nyquist, Rice and Riordan 1954",
        formula=r"\mathbb{E} \det(A)^2 = n!, \quad \frac{\mathbb{E} \det(A)^4}{(n!)^2} = \frac{1}{2}"
        r" \sum_{j=0}^{n} \frac{\kappa^j}{j!} (n-j+1)(n-j+2)",
        domain="independent entries of mean 0, variance 1 and fourth cumulant kappa; judged for n <= 4",
        tolerance=0.2,
        code=universality.determinant_fourth,
        statistic="log_determinant",
        where=lambda n, rows, entries: rows == (n,) and n <= 4,
        note="Exact; the fourth moment gives the band its width.",
        decoys=(
            Decoy("(n+1)!", lambda n, rows, entries: _determinant(n, rows, entries, n + 1.0)),
            Decoy(
                "with a kurtosis term",
                lambda n, rows, entries: _determinant(n, rows, entries, 1 + universality.kurtosis(entries) / n),
                where=foreign,
            ),
        ),
    ),
    _moment(
        "universality.singular",
        says="signs make singular matrices: half of those of size 2, two thirds of those of size 4",
        theory=lambda n, rows, entries: Moment(_is_below_one, universality.singular_probability(n), 0.5),
        credit="textbook, by enumeration",
        formula=r"P(\det A = 0) = 0, \frac{1}{2}, \frac{5}{8}, \frac{169}{256}, \frac{42976}{65536}, \quad"
        r" n = 1, \ldots, 5",
        domain="fair signs, n <= 5, by enumeration",
        tolerance=0.03,
        code=universality.singular_probability,
        statistic="log_determinant",
        where=lambda n, rows, entries: rows == (n,) and n <= 5 and entries == "signs",
        note="So r_nn has an atom at 0, and no interpolating network exists. 0 for entries with a density.",
        decoys=(
            Decoy("never", lambda n, rows, entries: Moment(_is_below_one, 0.0, 0.5)),
            Decoy("as often as for n = 2", lambda n, rows, entries: Moment(_is_below_one, 0.5, 0.5)),
        ),
    ),
    _moment(
        "universality.column_norm.power",
        says="the mean square of a column's norm is the number of rows",
        theory=lambda n, rows, entries: _norm_power(n, rows, entries),
        formula=r"\mathbb{E} \|a_n\|^2 = m",
        domain="entries of mean 0 and variance 1; every size",
        tolerance=0.03,
        code=universality.norm_law,
        statistic="column_norm",
        note="Exact; for signs without the expectation.",
        decoys=(Decoy("a row lost", lambda n, rows, entries: _norm_power(n, rows, entries, 1)),),
    ),
    _moment(
        "universality.column_norm.spread",
        says="the variance of the squared norm of a column is m (kappa + 2): not universal at any size, 0 for signs",
        theory=lambda n, rows, entries: _norm_spread(n, rows, entries),
        formula=r"\frac{1}{m} \mathrm{Var} \|a_n\|^2 = \kappa + 2",
        domain="entries with eight moments: normal, uniform, signs",
        code=universality.squared_norm_cumulants,
        statistic="column_norm",
        where=lambda n, rows, entries: entries != "student",
        note="Exact. Hence ||a_n|| - sqrt(m) tends to a normal law of variance (kappa + 2) / 4.",
        decoys=(
            Decoy("2, as for normal entries", lambda n, rows, entries: _norm_spread(n, rows, entries, 2.0), foreign),
        ),
    ),
    _row(
        "universality.column_norm",
        says="the norm of a column has a law of its own for each law of the entries",
        theory=lambda n, rows, entries: universality.norm_law(rows[0], entries),
        credit="textbook; its inversion is ours",
        formula=r"\|a_n\|^2 = \sum_{i=1}^{m} x_i^2",
        domain="entries with a density; m >= 2",
        tolerance=0.05,
        code=universality.norm_law,
        statistic="column_norm",
        where=lambda n, rows, entries: entries != "signs" and n >= 8,
        note="By inversion of the transform of a square; the law that normal entries give is 0.13 off, and stays so.",
        decoys=(
            Decoy("chi, as for normal entries", lambda n, rows, entries: stats.chi(rows[0]), where=foreign),
            Decoy("one entry more", lambda n, rows, entries: universality.norm_law(rows[0] + 1, entries)),
        ),
    ),
)
