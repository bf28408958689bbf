"""The table of claims: a row per statement of the papers, with its theory, its evidence and its near-misses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from theory import qr_product
from theory.claim import Claim, Decoy
from theory.fraction import fraction_law
from theory.laws import symmetrised

Rows = tuple[int, ...]


def _plane(n: int, rows: Rows) -> bool:
    """There is a trailing 2 x 2 block."""
    return n >= 2


def _layered(n: int, rows: Rows) -> bool:
    return len(rows) >= 2


def _up_to_two_factors(n: int, rows: Rows) -> bool:
    return n >= 2 and len(rows) <= 2


def _slips(theory: Callable[..., Any]) -> tuple[Decoy, ...]:
    """What one writes down by mistake: each is `theory` of other factors."""
    return (
        Decoy("one degree of freedom off in one layer", lambda n, rows: theory(n, (rows[0] + 1, *rows[1:]))),
        Decoy("a layer forgotten", lambda n, rows: theory(n, rows[1:]), where=_layered),
        # The factors shifted by one: degrees of freedom from the columns of each H_i. A mere change of order
        # is no decoy: it leaves the law of R as it is (theory/qr_product.py says why).
        Decoy("widths taken for heights", lambda n, rows: theory(n, (n, *rows[:-1]))),
    )


def _signs_not_fixed(n: int, rows: Rows) -> Any:
    return symmetrised(qr_product.last_law(n, rows))


def _fixed_sum(n: int, rows: Rows) -> Any:
    return replace(qr_product.diagonal_correlation(n, rows), mean=-1.0)


def _log_of_mean(n: int, rows: Rows) -> Any:
    moment = qr_product.lyapunov_moment(n, rows)
    return replace(moment, mean=float(np.log(qr_product.last_law(n, rows).mean())))


def _lemma_3(part: str, says: str, theory: Callable[..., Any], **other: Any) -> Claim:
    return Claim(
        id=f"fc.lemma3.{part}",
        source="Feature compression, Lemma 3",
        says=says,
        kind=other.pop("kind", "law"),
        theory=theory,
        study="qr_product",
        figure="qr_product",
        **other,
    )


CLAIMS: tuple[Claim, ...] = (
    _lemma_3(
        "diagonal",
        "each r_kk is a product of chi variables with n_i - k + 1 degrees of freedom",
        qr_product.diagonal_laws,
        statistic="diagonal",
        tolerance=0.01,
        decoys=_slips(qr_product.diagonal_laws),
    ),
    _lemma_3(
        "independence",
        "r_11, ..., r_nn are independent: their normal scores are uncorrelated on average",
        qr_product.diagonal_correlation,
        kind="moment",
        statistic="diagonal",
        tolerance=1.0,
        where=_plane,
        decoys=(Decoy("a fixed sum, which would force the correlation -1 / (n - 1)", _fixed_sum),),
    ),
    _lemma_3(
        "offdiagonal",
        "E r_kj^2 = prod(n_i - k + 1) - prod(n_i - k) for j > k",
        qr_product.off_diagonal_moment,
        kind="moment",
        statistic="row_power",
        tolerance=0.05,
        where=_plane,
        decoys=(
            Decoy(
                "a layer forgotten",
                lambda n, rows: qr_product.off_diagonal_moment(n, rows[1:]),
                where=_layered,
            ),
            Decoy("one layer more", lambda n, rows: qr_product.off_diagonal_moment(n, (*rows, n))),
        ),
    ),
    _lemma_3(
        "last",
        "r_nn is a product of chi variables with n_i - n + 1 degrees of freedom",
        qr_product.last_law,
        statistic="last",
        tolerance=0.1,
        decoys=(*_slips(qr_product.last_law), Decoy("signs not fixed", _signs_not_fixed)),
    ),
    _lemma_3(
        "lyapunov",
        "E ln r_nn is the sum over the layers of (ln 2 + psi((n_i - n + 1) / 2)) / 2",
        qr_product.lyapunov_moment,
        kind="moment",
        statistic="last",
        tolerance=0.3,
        decoys=(
            Decoy("the logarithm of the mean", _log_of_mean),
            Decoy("a layer forgotten", lambda n, rows: qr_product.lyapunov_moment(n, rows[1:]), where=_layered),
        ),
    ),
    _lemma_3(
        "block.stretch",
        "the trailing 2 x 2 block stretches any fixed unit vector by a product of chi_{n_i - n + 2}",
        qr_product.stretch_law,
        statistic="stretch",
        tolerance=0.1,
        where=_plane,
        decoys=_slips(qr_product.stretch_law),
    ),
    _lemma_3(
        "block.determinant",
        "r_{n-1,n-1} r_nn is a product of independent Gamma(n_i - n + 1) variables",
        qr_product.determinant_law,
        statistic="determinant",
        tolerance=0.1,
        where=_plane,
        decoys=_slips(qr_product.determinant_law),
    ),
    _lemma_3(
        "block.corner",
        "|r_{n-1,n}| is |N| for one factor and chi_1 chi_{n_1 + n_2 - 2n + 3} for two",
        qr_product.corner_law,
        statistic="corner",
        tolerance=0.1,
        where=_up_to_two_factors,
        decoys=(Decoy("a layer forgotten", lambda n, rows: qr_product.corner_law(n, rows[1:]), where=_layered),),
    ),
    _lemma_3(
        "column",
        "the norm of the last column of H is a product of chi variables with n_i degrees of freedom",
        lambda n, rows: qr_product.column_norm_law(rows),
        statistic="column_norm",
        tolerance=0.1,
        decoys=(
            Decoy("a layer forgotten", lambda n, rows: qr_product.column_norm_law(rows[1:]), where=_layered),
            Decoy("widths taken for heights", lambda n, rows: qr_product.column_norm_law((n, *rows[:-1]))),
        ),
    ),
    Claim(
        id="fc.fraction",
        source="Feature compression, Section 3, 'fraction'",
        says="|r_nn| / ||a_n|| follows the chain of Beta laws that Lemma 3 implies",
        kind="law",
        theory=fraction_law,
        statistic="fraction",
        study="qr_product",
        figure="qr_product",
        tolerance=0.1,
        where=_plane,
        decoys=_slips(fraction_law),
    ),
)
