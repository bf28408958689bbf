"""Rows on the R of a product of Gaussian matrices: Lemma 3 of feature compression, part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from theory import qr_product
from theory.claim import Claim, Decoy, Sides, everywhere
from theory.fraction import fraction_law
from theory.laws import chi_product, symmetrised

Rows = tuple[int, ...]


def _full(n: int, rows: Rows) -> bool:
    """R is square."""
    return min(rows) >= n


def _plane(n: int, rows: Rows) -> bool:
    """There is a trailing 2 x 2 block."""
    return n >= 2 and _full(n, rows)


def _layered(n: int, rows: Rows) -> bool:
    return len(rows) >= 2


def _up_to_two_factors(n: int, rows: Rows) -> bool:
    return _plane(n, rows) and len(rows) <= 2


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


def _full_rank(n: int, rows: Rows) -> Sides:
    return Sides(qr_product.rank(int(n), tuple(map(int, rows))), int(n))


def _lemma_3(part: str, says: str, theory: Callable[..., Any], **other: Any) -> Claim:
    return Claim(
        id=f"fc.lemma3.{part}",
        source="Feature compression, Lemma 3",
        says=says,
        kind=other.pop("kind", "law"),
        theory=theory,
        **{"study": "qr_product", "where": _full, **other},
    )


CLAIMS: tuple[Claim, ...] = (
    _lemma_3(
        "diagonal",
        "each r_kk is a product of chi variables with n_i - k + 1 degrees of freedom",
        qr_product.diagonal_laws,
        formula=r"r_{kk} \overset{d}{=} \prod_{i=1}^{L} \chi_{n_i-k+1}, \quad k = 1, \dots, n",
        domain="n >= 1, every n_i >= n",
        statistic="diagonal",
        tolerance=0.01,
        decoys=_slips(qr_product.diagonal_laws),
    ),
    _lemma_3(
        "independence",
        "r_11, ..., r_nn are independent: their normal scores are uncorrelated on average",
        qr_product.diagonal_correlation,
        kind="moment",
        formula=r"\frac{1}{n} \sum_{k \ne j} \mathbb{E}\, z_k z_j = 0, \quad z_k = \Phi^{-1}(F_k(r_{kk}))",
        domain="n >= 2, every n_i >= n",
        note="Correlation on average over all pairs: dependence without correlation would pass.",
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
        formula=r"\mathbb{E}\, r_{kj}^2 = \prod_i (n_i-k+1) - \prod_i (n_i-k), \quad j > k",
        domain="n >= 2, every n_i >= n",
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
        formula=r"r_{nn} \overset{d}{=} \prod_{i=1}^{L} \chi_{n_i-n+1}",
        domain="n >= 1, every n_i >= n",
        note="The positive sign convention is part of the statement: LAPACK does not return it.",
        statistic="last",
        tolerance=0.1,
        decoys=(*_slips(qr_product.last_law), Decoy("signs not fixed", _signs_not_fixed)),
    ),
    _lemma_3(
        "lyapunov",
        "E ln r_nn is the sum over the layers of (ln 2 + psi((n_i - n + 1) / 2)) / 2",
        qr_product.lyapunov_moment,
        kind="moment",
        status="extension",
        formula=r"\mathbb{E} \ln r_{nn} = \frac{1}{2} \sum_i \left( \ln 2 + \psi\left(\frac{n_i-n+1}{2}\right) \right)",
        domain="n >= 1, every n_i >= n",
        note="Exact at every depth; for square factors -0.635 a layer, whatever n (Newman 1986).",
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
        formula=r"\| R_{22} v \| \overset{d}{=} \prod_i \chi_{n_i-n+2}, \quad \|v\| = 1",
        domain="n >= 2, every n_i >= n",
        statistic="stretch",
        tolerance=0.1,
        where=_plane,
        decoys=_slips(qr_product.stretch_law),
    ),
    _lemma_3(
        "block.determinant",
        "r_{n-1,n-1} r_nn is a product of independent Gamma(n_i - n + 1) variables",
        qr_product.determinant_law,
        formula=r"r_{n-1,n-1}\, r_{nn} \overset{d}{=} \prod_i \mathrm{Gamma}(n_i-n+1)",
        domain="n >= 2, every n_i >= n",
        status="extension",
        statistic="determinant",
        tolerance=0.1,
        where=_plane,
        decoys=_slips(qr_product.determinant_law),
    ),
    _lemma_3(
        "block.corner",
        "|r_{n-1,n}| is |N| for one factor and chi_1 chi_{n_1 + n_2 - 2n + 3} for two",
        qr_product.corner_law,
        formula=r"|r_{n-1,n}| \overset{d}{=} |N| \;(L=1), \quad \chi_1 \chi_{n_1+n_2-2n+3} \;(L=2)",
        domain="n >= 2, every n_i >= n, at most two factors",
        status="extension",
        statistic="corner",
        tolerance=0.1,
        where=_up_to_two_factors,
        decoys=(Decoy("a layer forgotten", lambda n, rows: qr_product.corner_law(n, rows[1:]), where=_layered),),
    ),
    _lemma_3(
        "column",
        "the norm of the last column of H is a product of chi variables with n_i degrees of freedom",
        lambda n, rows: qr_product.column_norm_law(rows),
        formula=r"\| H e_n \| \overset{d}{=} \prod_i \chi_{n_i}",
        domain="n >= 1, every n_i >= n",
        code=qr_product.column_norm_law,
        statistic="column_norm",
        tolerance=0.1,
        decoys=(
            Decoy("a layer forgotten", lambda n, rows: qr_product.column_norm_law(rows[1:]), where=_layered),
            Decoy("widths taken for heights", lambda n, rows: qr_product.column_norm_law((n, *rows[:-1]))),
        ),
    ),
    _lemma_3(
        "basis",
        "Q is Haar and independent of R: any unit vector, chosen by R or not, makes of its columns a uniform point of"
        " the sphere",
        lambda n, rows: qr_product.basis_entry_law(rows),
        formula=r"(Q u)_j^2 \sim \mathrm{Beta}\left( \frac{1}{2}, \frac{n_L-1}{2} \right), \quad u = u(R), \|u\| = 1",
        domain="every n_i >= 1, n_L >= 2; as many columns of Q as R has rows",
        status="extension",
        note="The paper's proof uses that a factor after Q is Gaussian again and independent, without saying so. Drawn"
        " with u along the diagonal of R; u = e_k gives the entries of Q.",
        code=qr_product.basis_entry_law,
        statistic="direction",
        tolerance=0.1,
        where=lambda n, rows: rows[-1] >= 2,
        decoys=(
            Decoy("of the first height", lambda n, rows: qr_product.basis_entry_law(rows[:1]), where=_layered),
            Decoy("normal entries", lambda n, rows: chi_product((1,), rows[-1] ** -0.5)),
        ),
    ),
    _lemma_3(
        "heights.printed",
        "every height may be taken to be at least n without loss of generality",
        _full_rank,
        kind="identity",
        formula=r"\mathrm{rank}(H_L \cdots H_1) = n",
        domain="every n_i >= 1",
        status="refuted",
        note="With some n_i < n the rank is lower, r_nn = 0 and condition (1) cannot hold.",
        code=qr_product.rank,
        tolerance=1e-9,
        study="",
        where=everywhere,
    ),
    _lemma_3(
        "heights.corrected",
        "R is trapezoidal with min(n, n_1, ..., n_L) rows, and its diagonal follows the same laws",
        qr_product.diagonal_laws,
        formula=r"r_{kk} \overset{d}{=} \prod_i \chi_{n_i-k+1}, \quad k \le \min(n, n_1, \dots, n_L)",
        domain="every n_i >= 1",
        status="corrected",
        tolerance=0.01,
        statistic="diagonal",
        where=everywhere,
        decoys=(
            Decoy(
                "degrees of freedom counted from the rank",
                lambda n, rows: qr_product.diagonal_laws(n, (qr_product.rank(n, rows),) * len(rows)),
            ),
        ),
    ),
    Claim(
        id="fc.fraction",
        source="Feature compression, Section 3, 'fraction'",
        says="|r_nn| / ||a_n|| follows the chain of Beta laws that Lemma 3 implies",
        kind="law",
        theory=fraction_law,
        formula=r"F = (1 + t_L^2)^{-1/2}, \quad t_0 = 0, \quad"
        r" t_i^2 = \frac{(t_{i-1} \chi_{n_i} + N)^2 + \chi_{n-2}^2}{\chi_{n_i-n+1}^2}",
        domain="n >= 2, every n_i >= n",
        note="One factor: F^2 ~ Beta((n_1-n+1)/2, (n-1)/2). Exact at every depth; not a product of Beta laws.",
        statistic="fraction",
        study="qr_product",
        tolerance=0.1,
        where=_plane,
        decoys=_slips(fraction_law),
    ),
)
