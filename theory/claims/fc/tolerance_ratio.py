"""Rows on what the network tolerates beside the best classifier (feature compression, Theorems 1 and 4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from fragility.claim import Claim, Decoy, Quote, Rate, Sides, rows
from fragility.law import Law
from theory.claims.fc.sizes import Rows, three_points, two_points
from theory.points import attack_size, separation
from theory.products.fraction import compression_law, fraction_law
from theory.spaces import laws as spaces

LAYERS = 2  # of the rate rows on Theorem 4
SWEEP = tuple(2**power for power in (5, 10, 15, 19))  # 10^6 is the largest height whose law is known


def _square_first(n: int, rows: Rows) -> bool:
    """Whether one row more makes a difference worth seeing."""
    return n >= 3 and rows[0] == n


def _median(law: Callable[[int], Law], exponent: float, at: Callable[[int], dict[str, Any]]) -> Rate:
    """Growth of the median of a law with d."""
    return Rate("d", exponent, lambda d: float(law(d).ppf(0.5)), sizes=SWEEP, at=at)


def _square(layers: int) -> Callable[[int], dict[str, Any]]:
    """The study's points with that many square layers, by d."""
    return lambda d: {"n": d, "rows": (d,) * layers}


def _order(exponent: float) -> Rate:
    """The fall of the fraction on square data."""
    return _median(lambda d: fraction_law(d, (d,)), exponent, _square(1))


def _fewer(exponent: float) -> Rate:
    """The fall of the fraction with half as many points as dimensions."""
    return _median(lambda d: fraction_law(d // 2, (d,)), exponent, lambda d: {"n": d // 2, "rows": (d,)})


def _ratio(layers: int, d: int, constant: float) -> Sides:
    """The share c / sqrt(d), against the median of the ratio ||e|| / ||x_i - x_j||."""
    return Sides(constant / math.sqrt(d), compression_law(d, (d,) * layers, 2).median())


def _ratio_squared(layers: Fraction, d: Fraction, constant: Fraction) -> Sides:
    """The squares of both, with Markov's bound of the median: 2 E ratio^2 <= 2 (2/d) (2/(d-2))^(L-1)."""
    return Sides(constant**2 / d, 4 / d * (2 / (d - 2)) ** (int(layers) - 1))


def _of_the_ratio(layers: Fraction, d: Fraction, constant: Fraction) -> dict[str, bool]:
    return {
        "two layers or more": layers >= 2,
        "dimension of three or more": d >= 3,
        "the constant is positive": constant > 0,
    }


def _ratio_order(exponent: float) -> Rate:
    """The fall of the median compression to two coordinates, of some square layers."""
    return _median(lambda d: compression_law(d, (d,) * LAYERS, 2), exponent, _square(LAYERS))


def _normalised_size(exponent: float) -> Rate:
    """The fall of the swap's median length for normalised generators."""

    def law(d: int) -> Law:
        rows = (d,) * LAYERS
        return attack_size.swap_law(d, rows, separation.normalising_scale(rows))

    return _median(law, exponent, _square(LAYERS))


def _guaranteed(exponent: float) -> Rate:
    """Growth of the half distance that all pairs have with probability 1/2."""
    return Rate(
        "d", exponent, lambda d: math.sqrt(d / 2) * separation.largest_share(d, separation.log_pairs(d), delta=0.5)
    )


_law = rows(
    "Feature compression", kind="law", tolerance=0.1, study="simulate.last_column", status="extension", credit="ours"
)
_rate = rows("Feature compression", kind="rate", study="simulate.last_column")
_statement = rows("Feature compression", tolerance=1e-8)
_SLOPE = f"slope of the median: exactly between d = 2^14 and 2^16, by draws from d = {SWEEP[0]} to {SWEEP[-1]}"


CLAIMS: tuple[Claim, ...] = (
    _law(
        "fc.thm1.ratio",
        at="Theorem 1",
        says="the exact margin over half the distance of the points follows the law of the fraction",
        theory=lambda n, rows: fraction_law(n, rows),
        formula=r"\frac{2 m_{ij}}{\|x_i - x_j\|} \overset{d}{=} \frac{r_{nn}}{\|a_n\|}; \quad"
        r" L = 1: \mathrm{Beta}\left( \frac{d-n+1}{2}, \frac{n-1}{2} \right) \text{ for the square}",
        domain="n >= 2 points, every n_i >= n",
        where=two_points,
        code=fraction_law,
        statistic="ratio",
        decoys=(
            Decoy("the law of the swap", lambda n, rows: compression_law(n, rows, 2), where=three_points),
            Decoy("one row more", lambda n, rows: fraction_law(n, (rows[0] + 1, *rows[1:])), where=_square_first),
        ),
    ),
    _rate(
        "fc.thm1.ratio.order",
        at="Theorem 1",
        says="the network tolerates a share of the order 1/sqrt(d) of what the best classifier does",
        theory=lambda: _order(-0.5),
        tolerance=0.01,
        formula=r"\mathrm{median}\left( \frac{2 m_{ij}}{\|x_i - x_j\|} \right) \sim \frac{0.674}{\sqrt{d}}",
        domain="square data, d to infinity",
        quotes=(
            Quote(
                "neural networks’ adversarial robustness can be only [..] of the best possible adversarial robustness"
                " of optimal classifiers",
                "Abstract",
            ),
        ),
        reading="the lost share is read as the order 1/sqrt(d), in Theorem 1's setting, between a point and one other"
        f" class, tie against tie. Measured: {_SLOPE} of the ratio as it is",
        reconstructed=True,
        note="A typical order, not a constant: sqrt(d) times the ratio tends to |N|.",
        code=fraction_law,
        statistic="ratio",
        decoys=(
            Decoy("1/d", lambda: _order(-1.0)),
            Decoy("a constant", lambda: _order(0.0)),
        ),
    ),
    _rate(
        "fc.thm1.ratio.fewer",
        at="Theorem 1",
        says="with half as many points as dimensions the shortest interpolating network tolerates 0.71 of the best",
        theory=lambda: _fewer(0.0),
        tolerance=0.01,
        formula=r"n = d/2: \; \frac{2 m_{ij}}{\|x_i - x_j\|} \to \frac{1}{\sqrt{2}}",
        domain="n = d/2 points, d to infinity",
        status="extension",
        credit="ours",
        reading=f"measured: {_SLOPE} of the ratio as it is",
        note="The order 1/sqrt(d) needs d - n bounded: it is of square interpolation, not of networks.",
        code=fraction_law,
        statistic="ratio",
        decoys=(Decoy("1/sqrt(d)", lambda: _fewer(-0.5)),),
    ),
    _law(
        "fc.thm1.compression",
        at="Theorems 1 and 4",
        says="the constructed perturbation over the distance of the points follows the compression to two coordinates",
        theory=lambda n, rows: compression_law(n, rows, 2),
        formula=r"\frac{\|e\|}{\|x_i - x_j\|}: \;"
        r" t_i^2 = \frac{(t_{i-1} \chi_{n_i} + N)^2 + \chi_{n-3}^2}{\chi_{n_i-n+2}^2};"
        r" \quad L = 1: \mathrm{Beta}\left( \frac{d-n+2}{2}, \frac{n-2}{2} \right) \text{ for the square}",
        domain="n >= 3 points, every n_i >= n",
        where=three_points,
        code=compression_law,
        note="Exact at every depth; not a product of Beta laws.",
        statistic="compression",
        decoys=(
            Decoy("to one coordinate", lambda n, rows: fraction_law(n, rows)),
            Decoy("one row more", lambda n, rows: compression_law(n, (rows[0] + 1, *rows[1:]), 2), where=_square_first),
            Decoy(
                "a layer forgotten",
                lambda n, rows: compression_law(n, rows[1:], 2),
                where=lambda n, rows: n >= 3 and len(rows) >= 2,
            ),
        ),
    ),
    _statement(
        "fc.thm1.remark2.optimal",
        at="Remarks 2, below Theorem 1",
        says="the best classifier tolerates every perturbation of the order sqrt(d)",
        theory=lambda: _guaranteed(0.5),
        kind="rate",
        tolerance=0.02,
        formula=r"\frac{1}{2} \min_{ij} \|x_i - x_j\| \sim \sqrt{\frac{d}{2}}",
        domain="d points, with probability at least 1/2",
        quotes=(Quote("and worst-case perturbations of magnitude [..]; while the", "Remarks 2, below Theorem 1"),),
        reading="said of the optimal classifier, which is read as that of minimum distance; the lost order is read as"
        " sqrt(d). Measured: slope, as it is, of the half distance that the union bound guarantees with"
        " probability 1/2, between d = 2^14 and 2^16",
        reconstructed=True,
        code=separation.largest_share,
        note="Judged by the exact bound: the slope settles at d = 2^14, with more pairs than can be drawn often.",
        decoys=(Decoy("d", lambda: _guaranteed(1.0)), Decoy("a constant", lambda: _guaranteed(0.0))),
    ),
    _statement(
        "fc.thm4.ratio.tempting",
        at="Theorem 4",
        says="a constant beside sqrt(d): the perturbation is of the order 1/sqrt(d) of the distance at every depth",
        theory=_ratio,
        space=spaces.constant_and_layers,
        kind="bound",
        formula=r"\frac{c}{\sqrt{d}} \le \mathrm{median}\left( \frac{\|e\|}{\|x_i - x_j\|} \right)",
        domain="two square layers or more, some constant c > 0, all large d",
        status="extension",
        credit="ours",
        tempting=True,
        instead=("fc.thm4.ratio", "fc.thm4.exists"),
        hypotheses=_of_the_ratio,
        argument="The median is at most sqrt(2 E ratio^2) by Markov's inequality, and E ratio^2 <="
        " (2/d) (2/(d-2))^(L-1) for L square layers. For every c > 0 and L >= 2 that is below c / sqrt(d) once"
        " (d-2)^(L-1) > 2^(L+1) / c^2.",
        note="What one may take from a perturbation bounded by a constant and a distance of the order sqrt(d): Theorem"
        " 4 bounds the perturbation from above only. No normalisation of the generators changes the ratio; with the"
        " theorem's own, ||e|| itself tends to 0.",
        code=compression_law,
        replay=_ratio_squared,
    ),
    _rate(
        "fc.thm4.ratio",
        at="Theorem 4",
        says="the perturbation is of the order d^(-L/2) of the distance",
        theory=lambda: _ratio_order(-LAYERS / 2),
        tolerance=0.02,
        formula=r"\frac{\|e\|}{\|x_i - x_j\|} \asymp \left( \frac{2}{d} \right)^{L/2}",
        domain="L square layers, d to infinity; here L = 2",
        status="extension",
        credit="ours",
        reading=f"measured: {_SLOPE} of the ratio as it is",
        code=compression_law,
        statistic="compression",
        decoys=(Decoy("1/sqrt(d)", lambda: _ratio_order(-0.5)), Decoy("d^-L", lambda: _ratio_order(-float(LAYERS)))),
    ),
    _rate(
        "fc.thm4.size.normalised",
        at="Theorem 4",
        says="with normalised generators the perturbation shrinks like d^(-(L-1)/2)",
        theory=lambda: _normalised_size(-(LAYERS - 1) / 2),
        tolerance=0.02,
        formula=r"\|e\| \overset{d}{=} \sqrt{2}\, d^{-(L-1)/2} \prod_{i=1}^{L} \chi_2",
        domain="L square layers, entries of the L - 1 generators of variance 1/d; here L = 2",
        status="extension",
        credit="ours",
        reading=f"measured: {_SLOPE} of the size as it is",
        note="So the printed bound by a constant holds, but says too little from two layers on.",
        code=attack_size.swap_law,
        statistic="normalised_size",
        decoys=(Decoy("a constant", lambda: _normalised_size(0.0)),),
    ),
)
