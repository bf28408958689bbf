"""Rows on how far the attacks of Theorems 1, 4 and 6 reach: laws, orders, and what is meant by "a constant"."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import log_ndtr

from theory import attack_size
from theory.claim import Claim, Decoy, Rate, Sides, rows
from theory.laws import Law

Rows = tuple[int, ...]
LAYERS = 2  # of the rate rows on Theorem 4


def _one_factor(n: int, rows: Rows) -> bool:
    return n >= 2 and len(rows) == 1


def _square_first(n: int, rows: Rows) -> bool:
    """Where one row more makes a difference worth seeing."""
    return n >= 2 and rows[0] == n


def _pair(n: int, rows: Rows) -> bool:
    return n >= 2


def _slips(law: Callable[..., Law], factor: float) -> tuple[Decoy, ...]:
    """A constant forgotten, a degree of freedom off, a layer forgotten."""
    return (
        Decoy("its constant factor forgotten", lambda n, rows: law(n, rows, 1 / factor)),
        Decoy("one row more in one layer", lambda n, rows: law(n, (rows[0] + 1, *rows[1:])), where=_square_first),
        Decoy("a layer forgotten", lambda n, rows: law(n, rows[1:]), where=lambda n, rows: n >= 2 and len(rows) >= 2),
    )


def _three_to_the(power: Fraction) -> Fraction:
    """A rational lower bound of e^-power, power >= 0."""
    return Fraction(1, 3 ** math.ceil(power))


def _outside(limit: Any, law: Law) -> Sides:
    """Probability that a fixed limit is passed, which the printed claim wants to vanish for large dimensions."""
    return Sides(law.sf(float(limit)), 0)


def _swap_outside(limit: Fraction) -> Sides:
    return Sides(_three_to_the(limit**2 / 4), 0)


def _flip_outside(limit: Fraction) -> Sides:
    """P(|N| > x) >= sqrt(2/pi) x / (1 + x^2) e^(-x^2/2) at x = limit / 2, with sqrt(2/pi) > 39/50."""
    x = limit / 2
    return Sides(Fraction(39, 50) * x / (1 + x**2) * _three_to_the(x**2 / 2), 0)


def _swap_within(delta: float, d: int, factor: float = 4.0) -> Sides:
    return Sides(attack_size.swap_law(d, (d,)).sf(math.sqrt(-factor * math.log(delta))), delta)


def _flip_within(delta: float, d: int, factor: float = 2.0) -> Sides:
    return Sides(attack_size.flip_law(d, (d,)).sf(factor * stats.norm.isf(delta / 2)), delta)


def _exists(exponent: float) -> Rate:
    return Rate(
        "d",
        exponent,
        lambda d: float(attack_size.column_law(d, d).median()) * math.sqrt(2 * math.log(d)),
        sizes=(8, 64, 512),
        at=lambda d: {"n": d, "rows": (d,)},
    )


def _target(n: int, d: int, shift: int = 0) -> Sides:
    """By conditioning on the largest of the other outputs and not on their common scale."""
    power, law = n - 2, stats.chi(d - n + 3)

    nodes, weights = np.polynomial.legendre.leggauss(80)
    m = 6.5 * (1 + nodes)
    density = power * np.exp((power - 1) * log_ndtr(m)) * stats.norm.pdf(m) * law.sf(math.sqrt(2) * m)
    left = 0.5**power + 6.5 * density @ weights
    return Sides(left, attack_size.target_probability(n + shift, d + shift))


def _bound_mean(d: int, layers: int, factor: float = 1.0) -> Sides:
    return Sides(attack_size.swap_law(d, (d,) * layers).mean(), factor * attack_size.bound_mean(d, (d,) * layers))


_law = rows("fc", "Feature compression", kind="law", tolerance=0.1, study="last_column")
_statement = rows("fc", "Feature compression", tolerance=1e-8)


CLAIMS: tuple[Claim, ...] = (
    _law(
        "thm1.size.law",
        at="Theorem 1, equation (3)",
        says="the size of the constructed perturbation has the same Rayleigh law in every dimension",
        theory=lambda n, rows: attack_size.swap_law(n, rows),
        formula=r"\|e\| \overset{d}{=} \sqrt{2}\, \chi_{d-n+2}; \quad d = n: P(\|e\| > t) = e^{-t^2/4}",
        domain="n >= 2 standard normal points in dimension d >= n",
        status="extension",
        where=_one_factor,
        code=attack_size.swap_law,
        statistic="size",
        decoys=_slips(attack_size.swap_law, math.sqrt(2))[:2],
    ),
    _statement(
        "thm1.size.bounded.printed",
        at="Theorem 1, proof",
        says="some constant bounds the size of the constructed perturbation with a probability that tends to 1 with d",
        theory=lambda limit: _outside(limit, attack_size.swap_law(2, (2,))),
        kind="bound",
        formula=r"\lim_{d \to \infty} P(\|e\| > D) \le 0",
        domain="any constant D",
        status="refuted",
        note="The law does not depend on d, and no D bounds it; the stored D is one of all. The"
        " theorem's claim is true by another perturbation: see fc.thm1.exists.",
        code=attack_size.swap_law,
        replay=_swap_outside,
    ),
    _statement(
        "thm1.size.bounded.corrected",
        at="Theorem 1, proof",
        says="with probability 1 - delta the size is at most 2 sqrt(ln(1/delta)), for every d",
        theory=_swap_within,
        kind="identity",
        formula=r"P\left( \|e\| > 2 \sqrt{\ln(1/\delta)} \right) = \delta",
        domain="0 < delta < 1, square data",
        status="corrected",
        code=attack_size.swap_law,
        decoys=(Decoy("without the factor sqrt 2", lambda delta, d: _swap_within(delta, d, 2.0)),),
    ),
    _statement(
        "thm1.target.corrected",
        at="Theorem 1, proof",
        says="the target becomes the largest output with a probability that tends to 0 with the number of classes",
        theory=_target,
        kind="identity",
        formula=r"P(f_j = \max_k f_k) = \mathbb{E}\, \Phi(C / \sqrt{2})^{n-2}, \quad C \sim \chi_{d-n+3}",
        domain="n >= 2 standard normal points in dimension d >= n",
        status="corrected",
        note="0.846 for 3 classes, 0.034 for 64; the label is lost in any case.",
        code=attack_size.target_probability,
        decoys=(Decoy("one class more", lambda n, d: _target(n, d, 1)),),
    ),
    _statement(
        "thm1.exists",
        at="Theorem 1",
        says="some perturbation of bounded size changes the label with high probability: its size"
        " falls like 1/sqrt(2 ln d)",
        theory=lambda: _exists(0.0),
        kind="rate",
        tolerance=0.02,
        formula=r"m_i \le U_d, \quad \mathrm{median}(U_d) \sqrt{2 \ln d} \to \mathrm{const}",
        domain="square data, d to infinity",
        note="True as printed, by the direction q_n alone and not by the paper's proof; smaller than a constant.",
        code=attack_size.column_law,
        statistic="normalised_column",
        study="last_column",
        decoys=(Decoy("d^-1/4", lambda: _exists(-0.25)), Decoy("d^1/4", lambda: _exists(0.25))),
    ),
    _law(
        "thm1.column.law",
        at="Theorem 1",
        says="the shortest perturbation along the last column has the law of a product of two chi over a maximum",
        theory=lambda n, rows: attack_size.column_law(n, rows[0]),
        formula=r"U \overset{d}{=} \frac{r\, C}{\max_{j < n} |C + Z_j|}, \quad r \sim \chi_{d-n+1},"
        r" \; C \sim \chi_{d-n+2}",
        domain="n >= 2 standard normal points in dimension d >= n",
        status="extension",
        where=_one_factor,
        code=attack_size.column_law,
        statistic="column",
        decoys=(
            Decoy("one degree of freedom off", lambda n, rows: attack_size.column_law(n, rows[0] + 1)),
            Decoy("r alone", lambda n, rows: attack_size.flip_law(n, rows, 0.5)),
        ),
    ),
    _law(
        "thm1.margin.law",
        at="Theorem 1",
        says="the exact distance to the tie with one class is a product of chi variables over sqrt(2)",
        theory=lambda n, rows: attack_size.pair_margin_law(n, rows),
        formula=r"m_{ij} \overset{d}{=} \frac{1}{\sqrt{2}} \prod_i \chi_{n_i-n+1}",
        domain="n >= 2 points, every n_i >= n; Theorem 1 is one factor, Theorem 4 any number",
        status="extension",
        where=_pair,
        code=attack_size.pair_margin_law,
        statistic="margin",
        decoys=_slips(attack_size.pair_margin_law, 1 / math.sqrt(2)),
    ),
    _law(
        "thm4.size",
        at="Theorem 4",
        says="the size of the constructed perturbation is sqrt(2) times a product of chi variables",
        theory=lambda n, rows: attack_size.swap_law(n, rows),
        formula=r"\|e\| \overset{d}{=} \sqrt{2} \prod_i \chi_{n_i-n+2}",
        domain="n >= 2 points, every n_i >= n, unit variances",
        status="extension",
        where=_pair,
        code=attack_size.swap_law,
        statistic="size",
        decoys=_slips(attack_size.swap_law, math.sqrt(2)),
    ),
    _statement(
        "thm4.bound.mean",
        at="Theorem 4, proof",
        says="the mean size is below the mean of the bound it is proved by, known in closed form for two layers",
        theory=_bound_mean,
        kind="bound",
        formula=r"\sqrt{2} \left( \frac{\pi}{2} \right)^{L/2} \le 2.849 \;(L=1), \quad"
        r" \frac{\pi}{2} + \frac{6}{\pi} \;(L=2)",
        domain="square layers of unit variance, L = 1 or 2",
        status="extension",
        code=attack_size.bound_mean,
        decoys=(Decoy("half the bound", lambda d, layers: _bound_mean(d, layers, 0.5)),),
    ),
    _law(
        "thm6.size.law",
        at="Theorem 6, equation (7)",
        says="the size of the attack on signs is 2 r_mm, twice a product of chi variables; |2 N| for one square factor",
        theory=lambda n, rows: attack_size.flip_law(n, rows),
        formula=r"\|e\| = 2 r_{mm} \overset{d}{=} 2 \prod_i \chi_{n_i-m+1}",
        domain="m = n signs, every n_i >= n; the paper has one square factor",
        code=attack_size.flip_law,
        statistic="sign_size",
        decoys=_slips(attack_size.flip_law, 2.0),
        where=_pair,
    ),
    _statement(
        "thm6.size.bounded.printed",
        at="Theorem 6",
        says="some constant D allows a perturbation of size D with a probability that tends to 1 with d",
        theory=lambda limit: _outside(limit, attack_size.flip_law(2, (2,))),
        kind="bound",
        formula=r"\lim_{d \to \infty} P(2 r_{mm} > D) \le 0",
        domain="any constant D; half of D for the tie alone",
        status="refuted",
        note="r_mm is the exact minimum, its law does not depend on d, and no D bounds it; the"
        " stored D is one of all. Two classes leave no other direction.",
        code=attack_size.flip_law,
        replay=_flip_outside,
    ),
    _statement(
        "thm6.size.bounded.corrected",
        at="Theorem 6",
        says="with probability 1 - delta a size of twice the normal quantile of 1 - delta/2 is enough, for every d",
        theory=_flip_within,
        kind="identity",
        formula=r"P\left( 2 r_{mm} > 2 \Phi^{-1}(1 - \delta/2) \right) = \delta",
        domain="0 < delta < 1, square A",
        status="corrected",
        code=attack_size.flip_law,
        decoys=(Decoy("the quantile itself", lambda delta, d: _flip_within(delta, d, 1.0)),),
    ),
)
