"""Rows on how far the attacks of Theorems 1, 4 and 6 reach: their laws, exact in every dimension."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import stats
from scipy.special import log_ndtr

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from fragility.law import Law
from theory.claims.fc.sizes import Rows, one_factor, two_points
from theory.points import attack_size
from theory.worlds import attack_size as worlds


def _square_first(n: int, rows: Rows) -> bool:
    """Whether one row more makes a difference worth seeing."""
    return n >= 2 and rows[0] == n


def _decoys(law: Callable[..., Law], factor: float) -> tuple[Decoy, ...]:
    """Decoys of a law: its constant forgotten, a degree of freedom off, a layer forgotten."""
    return (
        Decoy("its constant factor forgotten", lambda n, rows: law(n, rows, 1 / factor)),
        Decoy("one row more in one layer", lambda n, rows: law(n, (rows[0] + 1, *rows[1:])), where=_square_first),
        Decoy("a layer forgotten", lambda n, rows: law(n, rows[1:]), where=lambda n, rows: n >= 2 and len(rows) >= 2),
    )


def _target(n: int, d: int, shift: int = 0) -> Sides:
    """The probability by conditioning on the largest of the other outputs, against that by their common scale."""
    power, law = n - 2, stats.chi(d - n + 3)

    nodes, weights = np.polynomial.legendre.leggauss(80)
    m = 6.5 * (1 + nodes)
    density = power * np.exp((power - 1) * log_ndtr(m)) * stats.norm.pdf(m) * law.sf(math.sqrt(2) * m)
    left = 0.5**power + 6.5 * density @ weights
    return Sides(left, attack_size.target_probability(n + shift, d + shift))


def _bound_mean(d: int, layers: int, factor: float = 1.0) -> Sides:
    """The mean length of the swap, against a factor times the mean of its bound."""
    return Sides(attack_size.swap_law(d, (d,) * layers).mean(), factor * attack_size.bound_mean(d, (d,) * layers))


_law = rows("Feature compression", kind="law", tolerance=0.1, study="simulate.last_column")
_ours = rows("Feature compression", tolerance=1e-8, status="extension", credit="ours")


CLAIMS: tuple[Claim, ...] = (
    _law(
        "fc.thm1.size.law",
        at="proof of Theorem 1, equation (3)",
        says="the size of the constructed perturbation has the same Rayleigh law in every dimension",
        theory=lambda n, rows: attack_size.swap_law(n, rows),
        formula=r"\|e\| \overset{d}{=} \sqrt{2}\, \chi_{d-n+2}; \quad d = n: P(\|e\| > t) = e^{-t^2/4}",
        domain="n >= 2 standard normal points in dimension d >= n",
        status="extension",
        credit="ours",
        where=one_factor,
        code=attack_size.swap_law,
        statistic="size",
        decoys=_decoys(attack_size.swap_law, math.sqrt(2))[:2],
    ),
    _ours(
        "fc.thm1.target.probability",
        at="proof of Theorem 1",
        says="the target becomes the largest output with a probability that tends to 0 with the number of classes",
        theory=_target,
        world=worlds.classes_and_dimension,
        kind="identity",
        formula=r"P(f_j = \max_k f_k) = \mathbb{E}\, \Phi(C / \sqrt{2})^{n-2}, \quad C \sim \chi_{d-n+3}",
        domain="n >= 2 standard normal points in dimension d >= n",
        note="0.846 for 3 classes, 0.034 for 64; the label is lost in any case.",
        code=attack_size.target_probability,
        decoys=(Decoy("one class more", lambda n, d: _target(n, d, 1)),),
    ),
    _law(
        "fc.thm1.column.law",
        at="Theorem 1",
        says="the shortest perturbation along the last column has the law of a product of two chi over a maximum",
        theory=lambda n, rows: attack_size.column_law(n, rows[0]),
        formula=r"U \overset{d}{=} \frac{r\, C}{\max_{j < n} |C + Z_j|}, \quad r \sim \chi_{d-n+1},"
        r" \; C \sim \chi_{d-n+2}",
        domain="n >= 2 standard normal points in dimension d >= n",
        status="extension",
        credit="ours",
        where=one_factor,
        code=attack_size.column_law,
        statistic="column",
        decoys=(
            Decoy("one degree of freedom off", lambda n, rows: attack_size.column_law(n, rows[0] + 1)),
            Decoy("r alone", lambda n, rows: attack_size.flip_law(n, rows, 0.5)),
        ),
    ),
    _law(
        "fc.thm1.margin.law",
        at="Theorem 1",
        says="the exact distance to the tie with one class is a product of chi variables over sqrt(2)",
        theory=lambda n, rows: attack_size.pair_margin_law(n, rows),
        formula=r"m_{ij} \overset{d}{=} \frac{1}{\sqrt{2}} \prod_i \chi_{n_i-n+1}",
        domain="n >= 2 points, every n_i >= n; Theorem 1 is one factor, Theorem 4 any number",
        status="extension",
        credit="ours",
        where=two_points,
        code=attack_size.pair_margin_law,
        statistic="margin",
        decoys=_decoys(attack_size.pair_margin_law, 1 / math.sqrt(2)),
    ),
    _law(
        "fc.thm4.size",
        at="Theorem 4",
        says="the size of the constructed perturbation is sqrt(2) times a product of chi variables",
        theory=lambda n, rows: attack_size.swap_law(n, rows),
        formula=r"\|e\| \overset{d}{=} \sqrt{2} \prod_i \chi_{n_i-n+2}",
        domain="n >= 2 points, every n_i >= n, unit variances",
        status="extension",
        credit="ours",
        where=two_points,
        code=attack_size.swap_law,
        statistic="size",
        decoys=_decoys(attack_size.swap_law, math.sqrt(2)),
    ),
    _ours(
        "fc.thm4.bound.mean",
        at="proof of Theorem 4",
        says="the mean size is below the mean of the bound it is proved by, known in closed form for two layers",
        theory=_bound_mean,
        world=worlds.one_layer_or_two,
        kind="bound",
        formula=r"\sqrt{2} \left( \frac{\pi}{2} \right)^{L/2} \le 2.849 \;(L=1), \quad"
        r" \frac{\pi}{2} + \frac{6}{\pi} \;(L=2)",
        domain="square layers of unit variance, L = 1 or 2",
        code=attack_size.bound_mean,
        decoys=(Decoy("half the bound", lambda d, layers: _bound_mean(d, layers, 0.5)),),
    ),
    _law(
        "fc.thm6.size.law",
        at="proof of Theorem 6, equation (7)",
        says="the size of the attack on signs is 2 r_mm, twice a product of chi variables; |2 N| for one square factor",
        theory=lambda n, rows: attack_size.flip_law(n, rows),
        formula=r"\|e\| = 2 r_{mm} \overset{d}{=} 2 \prod_i \chi_{n_i-m+1}",
        domain="m = n signs, every n_i >= n; the paper has one square factor",
        quotes=(
            Quote(
                "for the QR decomposition of the Gaussian matrix [..], we know that [..] is the absolute value of a"
                " random variable following the standard Gaussian distribution",
                "proof of Theorem 6, below equation (7)",
            ),
        ),
        reading="the lost variable is read as r_mm, half the size in equation (7); the paper says it of one square"
        " factor, and that Lemma 3 extends it; the law for products and other heights is ours",
        reconstructed=True,
        code=attack_size.flip_law,
        statistic="sign_size",
        decoys=_decoys(attack_size.flip_law, 2.0),
        where=two_points,
    ),
)
