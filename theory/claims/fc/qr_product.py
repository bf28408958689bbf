"""Rows on the R of a product of Gaussian matrices: Lemma 3 of feature compression, part by part."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, everywhere, rows
from fragility.law import Law, Moment
from theory.claims.fc.sizes import Rows, layered
from theory.laws.chi_product import chi_product, symmetrised
from theory.products import qr_product
from theory.products.fraction import fraction_law
from theory.spaces import laws as spaces

LEMMA = "Feature compression, Lemma 3"
PRODUCT = Quote("Then [..] follows the same probability distribution as [..], namely the product of", "Lemma 3")
FACTORS = Quote(
    "be independent upper triangular matrices of dimension [..] with random elements in the upper-triangular sections",
    "Lemma 3",
)
ABOVE = Quote(
    "its off-diagonal elements in the strictly upper triangular section are i.i.d. standard Gaussian random variables",
    "Lemma 3",
)
DIAGONAL = Quote(
    "its diagonal element in the [..]-th row is the square root of a random variable following the chi-squared"
    " distribution of degree",
    "Lemma 3",
)


def _full(n: int, rows: Rows) -> bool:
    """Whether R is square."""
    return min(rows) >= n


def _plane(n: int, rows: Rows) -> bool:
    """Whether R has a trailing 2 x 2 block."""
    return n >= 2 and _full(n, rows)


def _up_to_two_factors(n: int, rows: Rows) -> bool:
    return _plane(n, rows) and len(rows) <= 2


def _decoys(theory: Callable[..., Any]) -> tuple[Decoy, ...]:
    """Decoys that one writes down by mistake: each is `theory` of other factors."""
    return (
        Decoy("one degree of freedom off in one layer", lambda n, rows: theory(n, (rows[0] + 1, *rows[1:]))),
        Decoy("a layer forgotten", lambda n, rows: theory(n, rows[1:]), where=layered),
        # The factors shifted by one: degrees of freedom from the columns of each H_i. A mere change of order
        # is no decoy: it leaves the law of R as it is (theory/products/qr_product.py says why).
        Decoy("widths taken for heights", lambda n, rows: theory(n, (n, *rows[:-1]))),
    )


def _signs_not_fixed(n: int, rows: Rows) -> Law:
    return symmetrised(qr_product.last_law(n, rows))


def _unequal(n: int, rows: Rows) -> bool:
    """Whether heights differ from the width, so that shifting them makes another law."""
    return _full(n, rows) and {*rows} != {n}


def _other_joint_law(laws: Callable[[int, Rows], Any]) -> Callable[..., Any]:
    """The joint moment as if the entries of both products had other laws."""
    return lambda n, rows: replace(qr_product.joint_moment(n, rows), laws=laws(n, rows) * 2)


def _sizes_shared(n: int, rows: Rows) -> Moment:
    """The joint moment if entries had their laws and random signs, but each two of them one |normal score|.

    Of two such entries the even half of all frequencies tells: E k(U_1 - U_1') k(U_2 - U_2') = 1/2.
    """
    entries = len(qr_product.factor_laws(n, rows))
    mean = math.expm1(entries // 2 * math.log1p(1 / (2 * entries)))
    return replace(qr_product.joint_moment(n, rows), mean=mean)


def _fixed_sum(n: int, rows: Rows) -> Moment:
    return replace(qr_product.diagonal_correlation(n, rows), mean=-1.0)


def _log_of_mean(n: int, rows: Rows) -> Moment:
    moment = qr_product.lyapunov_moment(n, rows)
    return replace(moment, mean=float(np.log(qr_product.last_law(n, rows).mean())))


def _full_rank(n: int, rows: Rows) -> Sides:
    """The rank of the product, against its width."""
    return Sides(qr_product.rank(int(n), tuple(map(int, rows))), int(n))


_lemma_3 = rows(LEMMA, kind="law", study="simulate.qr_product", where=_full)
_printed = rows(LEMMA, kind="law", study="simulate.qr_product", where=_full, reconstructed=True)

CLAIMS: tuple[Claim, ...] = (
    _printed(
        "fc.lemma3.diagonal",
        says="each r_kk is a product of chi variables with n_i - k + 1 degrees of freedom",
        quotes=(PRODUCT, DIAGONAL),
        reading="a diagonal entry of a product of triangular matrices is the product of theirs; degrees of freedom"
        " n_i - k + 1",
        theory=qr_product.diagonal_laws,
        formula=r"r_{kk} \overset{d}{=} \prod_{i=1}^{L} \chi_{n_i-k+1}, \quad k = 1, \dots, n",
        domain="n >= 1, every n_i >= n",
        note="For one factor this is Bartlett's decomposition (1933).",
        statistic="diagonal",
        tolerance=0.01,
        decoys=_decoys(qr_product.diagonal_laws),
    ),
    _printed(
        "fc.lemma3.independence",
        says="r_11, ..., r_nn are uncorrelated, as independent variables are: their normal scores on average over all"
        " pairs",
        quotes=(PRODUCT, FACTORS),
        reading="weaker than the words, which make the entries independent: dependence without correlation is left to"
        " fc.lemma3.joint. That the entries of one factor are independent of each other goes without saying in the"
        " lemma",
        theory=qr_product.diagonal_correlation,
        kind="moment",
        formula=r"\frac{1}{n} \sum_{k \ne j} \mathbb{E}\, z_k z_j = 0, \quad z_k = \Phi^{-1}(F_k(r_{kk}))",
        domain="n >= 2, every n_i >= n",
        note="Entries that share their size in pairs and differ in sign would pass; fc.lemma3.joint rejects them.",
        statistic="diagonal",
        tolerance=1.0,
        where=_plane,
        decoys=(Decoy("a fixed sum, which would force the correlation -1 / (n - 1)", _fixed_sum),),
    ),
    _printed(
        "fc.lemma3.joint",
        says="R is R_L ... R_1 in law, jointly: all entries of the triangular factors by which R grows have their laws"
        " and are independent",
        quotes=(PRODUCT, ABOVE),
        reading="stronger than the words, as the proof is: R_i is what the i-th factor multiplies R by, so that R is"
        " R_L ... R_1 itself, and in law what the lemma says; all entries independent, degrees of freedom n_i - k + 1",
        theory=qr_product.joint_moment,
        kind="moment",
        formula=r"R \overset{d}{=} R_L \cdots R_1, \quad (R_i)_{kk} \sim \chi_{n_i-k+1}, \; (R_i)_{kj} \sim"
        r" \mathcal{N}(0, 1): \quad \mathbb{E} \prod_{j=1}^{M} \left( 1 + \sqrt{180 / M}\, B_2(U_j - U'_j) \right) = 1",
        domain="n >= 1, every n_i >= n; U and U' are the transforms by their distribution functions of all M entries in"
        " two independent products, B_2(x) = x^2 - x + 1/6 with period 1; drawn for n <= 32",
        note="The mean is a sum of squares, one for each set of entries and each frequency: 1 if and only if each entry"
        " has its law and all are independent, and else larger. Dependence of any kind counts, with the share of the"
        " pairs that depend: entries that copy each other's size, two by two, raise it by 0.28, but one such pair alone"
        " by 1 / (2 M), far below the tolerance.",
        statistic="factors",
        tolerance=0.1,
        decoys=(
            Decoy("entries that share their size in pairs and differ in sign: uncorrelated", _sizes_shared),
            Decoy(
                "widths taken for heights",
                _other_joint_law(lambda n, rows: qr_product.factor_laws(n, (n, *rows[:-1]))),
                where=_unequal,
            ),
            Decoy(
                "signs not fixed",
                _other_joint_law(lambda n, rows: tuple(map(symmetrised, qr_product.factor_laws(n, rows)))),
            ),
        ),
    ),
    _lemma_3(
        "fc.lemma3.offdiagonal",
        says="E r_kj^2 = prod(n_i - k + 1) - prod(n_i - k) for j > k",
        theory=qr_product.off_diagonal_moment,
        kind="moment",
        status="extension",
        credit="ours",
        formula=r"\mathbb{E}\, r_{kj}^2 = \prod_i (n_i-k+1) - \prod_i (n_i-k), \quad j > k",
        domain="n >= 2, every n_i >= n",
        note="What the lemma's product comes to right of the diagonal; the entries there are not normal for L >= 2.",
        statistic="row_power",
        tolerance=0.05,
        where=_plane,
        decoys=(
            Decoy(
                "a layer forgotten",
                lambda n, rows: qr_product.off_diagonal_moment(n, rows[1:]),
                where=layered,
            ),
            Decoy("one layer more", lambda n, rows: qr_product.off_diagonal_moment(n, (*rows, n))),
        ),
    ),
    _printed(
        "fc.lemma3.last",
        says="r_nn is a product of chi variables with n_i - n + 1 degrees of freedom",
        quotes=(PRODUCT, DIAGONAL),
        reading="fc.lemma3.diagonal at k = n, in its last row",
        theory=qr_product.last_law,
        formula=r"r_{nn} \overset{d}{=} \prod_{i=1}^{L} \chi_{n_i-n+1}",
        domain="n >= 1, every n_i >= n",
        note="The positive sign convention is part of the statement: LAPACK does not return it.",
        statistic="last",
        tolerance=0.1,
        decoys=(*_decoys(qr_product.last_law), Decoy("signs not fixed", _signs_not_fixed)),
    ),
    _lemma_3(
        "fc.lemma3.lyapunov",
        says="E ln r_nn is the sum over the layers of (ln 2 + psi((n_i - n + 1) / 2)) / 2",
        theory=qr_product.lyapunov_moment,
        kind="moment",
        status="extension",
        credit="Newman 1986",
        formula=r"\mathbb{E} \ln r_{nn} = \frac{1}{2} \sum_i \left( \ln 2 + \psi\left(\frac{n_i-n+1}{2}\right) \right)",
        domain="n >= 1, every n_i >= n",
        note="Exact at every depth; for square factors -0.635 a layer, whatever n (Newman 1986).",
        statistic="last",
        tolerance=0.3,
        decoys=(
            Decoy("the logarithm of the mean", _log_of_mean),
            Decoy("a layer forgotten", lambda n, rows: qr_product.lyapunov_moment(n, rows[1:]), where=layered),
        ),
    ),
    _lemma_3(
        "fc.lemma3.block.stretch",
        says="the trailing 2 x 2 block stretches any fixed unit vector by a product of chi_{n_i - n + 2}",
        theory=qr_product.stretch_law,
        formula=r"\| R_{22} v \| \overset{d}{=} \prod_i \chi_{n_i-n+2}, \quad \|v\| = 1",
        domain="n >= 2, every n_i >= n",
        status="extension",
        credit="ours",
        note="The block follows the lemma with two columns; the attack of Theorems 1 and 4 is as long as it stretches"
        " (1, -1).",
        statistic="stretch",
        tolerance=0.1,
        where=_plane,
        decoys=_decoys(qr_product.stretch_law),
    ),
    _lemma_3(
        "fc.lemma3.block.determinant",
        says="r_{n-1,n-1} r_nn is a product of independent Gamma(n_i - n + 1) variables",
        theory=qr_product.determinant_law,
        formula=r"r_{n-1,n-1}\, r_{nn} \overset{d}{=} \prod_i \mathrm{Gamma}(n_i-n+1)",
        domain="n >= 2, every n_i >= n",
        status="extension",
        credit="textbook",
        note="chi_k chi_{k+1}, independent, is Gamma(k) by the duplication formula.",
        statistic="determinant",
        tolerance=0.1,
        where=_plane,
        decoys=_decoys(qr_product.determinant_law),
    ),
    _lemma_3(
        "fc.lemma3.block.corner",
        says="|r_{n-1,n}| is |N| for one factor and chi_1 chi_{n_1 + n_2 - 2n + 3} for two",
        theory=qr_product.corner_law,
        formula=r"|r_{n-1,n}| \overset{d}{=} |N| \;(L=1), \quad \chi_1 \chi_{n_1+n_2-2n+3} \;(L=2)",
        domain="n >= 2, every n_i >= n, at most two factors",
        status="extension",
        credit="ours",
        note="For one factor the lemma itself, and Bartlett's decomposition (1933).",
        statistic="corner",
        tolerance=0.1,
        where=_up_to_two_factors,
        decoys=(Decoy("a layer forgotten", lambda n, rows: qr_product.corner_law(n, rows[1:]), where=layered),),
    ),
    _lemma_3(
        "fc.lemma3.column",
        says="the norm of the last column of H is a product of chi variables with n_i degrees of freedom",
        theory=lambda n, rows: qr_product.column_norm_law(rows),
        formula=r"\| H e_n \| \overset{d}{=} \prod_i \chi_{n_i}",
        domain="n >= 1, every n_i >= n",
        status="extension",
        credit="textbook",
        code=qr_product.column_norm_law,
        statistic="column_norm",
        tolerance=0.1,
        decoys=(
            Decoy("a layer forgotten", lambda n, rows: qr_product.column_norm_law(rows[1:]), where=layered),
            Decoy("widths taken for heights", lambda n, rows: qr_product.column_norm_law((n, *rows[:-1]))),
        ),
    ),
    _lemma_3(
        "fc.lemma3.basis",
        says="Q is Haar and independent of R: any unit vector, chosen by R or not, makes of its columns a uniform point"
        " of the sphere",
        theory=lambda n, rows: qr_product.basis_entry_law(rows),
        formula=r"(Q u)_j^2 \sim \mathrm{Beta}\left( \frac{1}{2}, \frac{n_L-1}{2} \right), \quad u = u(R), \|u\| = 1",
        domain="every n_i >= 1, n_L >= 2; as many columns of Q as R has rows",
        status="extension",
        credit="textbook",
        note="The paper's proof uses that a factor after Q is Gaussian again and independent, without saying so. Drawn"
        " with u along the diagonal of R; u = e_k gives the entries of Q.",
        code=qr_product.basis_entry_law,
        statistic="direction",
        tolerance=0.1,
        where=lambda n, rows: rows[-1] >= 2,
        decoys=(
            Decoy("of the first height", lambda n, rows: qr_product.basis_entry_law(rows[:1]), where=layered),
            Decoy("normal entries", lambda n, rows: chi_product((1,), rows[-1] ** -0.5)),
        ),
    ),
    _printed(
        "fc.lemma3.heights.printed",
        says="every height may be taken to be at least n without loss of generality",
        quotes=(Quote("Here without loss of generality, we assume that for every [..], [..].", "Lemma 3"),),
        reading="the lost inequality is read as n_i >= n for every factor, without which R has fewer than n rows",
        theory=_full_rank,
        space=spaces.heights,
        kind="identity",
        formula=r"\mathrm{rank}(H_L \cdots H_1) = n",
        domain="every n_i >= 1; the rank with probability 1",
        status="slip",
        defect="Lemma 3 takes every factor of the product to have at least n rows 'without loss of generality', but a"
        " factor with fewer lowers the rank of the product, so that r_nn is 0",
        instead=("fc.lemma3.heights.corrected",),
        hypotheses=lambda n, rows, **_: {
            "every factor has at least one row and one column": min(n, *rows) >= 1,
            "there is a factor": len(rows) >= 1,
        },
        note="With some n_i < n the rank is lower, r_nn = 0 and condition (1) cannot hold. The lemma is right where the"
        " inequality holds.",
        code=qr_product.rank,
        tolerance=1e-9,
        study="",
        where=everywhere,
    ),
    _lemma_3(
        "fc.lemma3.heights.corrected",
        says="R is trapezoidal with min(n, n_1, ..., n_L) rows, and its diagonal follows the same laws",
        theory=qr_product.diagonal_laws,
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
        source="Feature compression, Section 6, 'fraction'",
        says="|r_nn| / ||a_n|| follows the chain of Beta laws that Lemma 3 implies",
        kind="law",
        theory=fraction_law,
        formula=r"F = (1 + t_L^2)^{-1/2}, \quad t_0 = 0, \quad"
        r" t_i^2 = \frac{(t_{i-1} \chi_{n_i} + N)^2 + \chi_{n-2}^2}{\chi_{n_i-n+1}^2}",
        domain="n >= 2, every n_i >= n",
        status="extension",
        credit="ours",
        note="The paper defines the quantity and tells no law of it. One factor, a textbook law: F^2 ~"
        " Beta((n_1-n+1)/2, (n-1)/2). Exact at every depth; not a product of Beta laws.",
        statistic="fraction",
        study="simulate.qr_product",
        tolerance=0.1,
        where=_plane,
        decoys=_decoys(fraction_law),
    ),
)
