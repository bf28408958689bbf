"""Rows on what is tolerated in a random direction, by the best classifier and the network (Remarks 2 of Theorem 1)."""

from __future__ import annotations

import math
from fractions import Fraction

from fragility.claim import Claim, Decoy, Quote, Rate, Sides, rows
from theory.claims.fc.bounded_attacks import three_to_the_minus
from theory.points import attack_size
from theory.spaces import laws as spaces


def _optimal_average(exponent: float) -> Rate:
    """Growth of what the best classifier tolerates in a random direction, times sqrt(2 ln d)."""

    def value(d: int) -> float:
        return attack_size.typical_nearest_tolerance(d) * math.sqrt(2 * math.log(d))

    return Rate("d", exponent, value, sizes=(2**8, 2**11, 2**14), at=lambda d: {"n": d, "rows": (d,)})


def _network_average(exponent: float) -> Rate:
    """Growth of what the network tolerates there, times sqrt(2 ln d), in the geometric mean."""
    return Rate("d", exponent, lambda d: attack_size.typical_average_tolerance(d) * math.sqrt(2 * math.log(d)))


def _density(level: Fraction) -> Fraction:
    """A rational lower bound of the standard normal density: 1 / sqrt(2 pi) > 39/100."""
    return Fraction(39, 100) * three_to_the_minus(level**2 / 2)


def _none(density: Fraction, d: Fraction) -> Fraction:
    """A bound 1 / (1 + (d-1) p) of (1 - p)^(d-1), the chance that none of the others is within a unit past a level."""
    return 1 / (1 + (d - 1) * density)


def _network_share(constant: Fraction, d: Fraction) -> Sides:
    """One half, against a bound of P(|N| ||g|| >= c sqrt(d) (max_j g_j - g_i)): one of four events, each bounded.

    |N| > 2 or g_i > 2 (Chebyshev, Cantelli), ||g||^2 > 2 d (Chebyshev), or no other g_j from a to a + 1, where
    a - 2 = 3 / c, so that else |N| ||g|| <= 2 sqrt(2 d) < c sqrt(d) (a - 2).
    """
    level = 2 + 3 / constant
    return Sides(Fraction(1, 2), Fraction(1, 4) + Fraction(1, 5) + Fraction(2) / d + _none(_density(level + 1), d))


def _nearest_share(constant: Fraction, d: Fraction) -> Sides:
    """One half, against a bound of P(T >= c d), T = min_j ||x_j - x_i||^2 / (2 w . (x_j - x_i)) over positive steps.

    By one of three events: |w . x_i| > 2 (Chebyshev), no other w . x_j from a to a + 1, or the rest of the step to the
    first such x_j, 2 chi_(d-1)^2, above 4 d (Chebyshev). Else T <= (a + 3) / 2 + 2 d / (a - 2), which is below c d
    for a - 2 = 4 / c and d large enough.
    """
    level = 2 + 4 / constant
    longest = (level + 3) / 2 + 2 * d / (level - 2)
    chance = Fraction(1, 4) + Fraction(2) / d + _none(_density(level + 1), d)
    return Sides(Fraction(1, 2), chance if longest < constant * d else Fraction(1))


def _of_remark_2(constant: Fraction, d: Fraction) -> dict[str, bool]:
    """The hypotheses of both orders."""
    return {
        "the constant is positive": constant > 0,
        "a whole number of dimensions, two or more, with as many points": d >= 2 and d.denominator == 1,
    }


_PLACE = "Remarks 2, below Theorem 1"

_row = rows(f"Feature compression, {_PLACE}", tolerance=1e-8)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "fc.thm1.remark2.optimal.average.reading",
        says="in a random direction the best classifier tolerates a constant share of d or more, with probability 1/2"
        " or more for all large d",
        theory=_nearest_share,
        space=spaces.constant_and_dimension,
        kind="bound",
        status="reading",
        formula=r"\frac{1}{2} \le P\left( \min_{w \cdot (x_j - x_i) > 0}"
        r" \frac{\|x_j - x_i\|^2}{2\, w \cdot (x_j - x_i)} \ge c\, d \right)",
        domain="square data, some constant c > 0, all large d; w a unit vector independent of the data",
        quotes=(Quote("the optimal classifier can tolerate average-case perturbations of magnitude [..]", _PLACE),),
        reading="the lost order is read as d; 'average-case' as a random direction; 'of magnitude' as a lower bound,"
        " c d or more, c the same for all large d, with probability 1/2 or more; the optimal classifier as that of"
        " minimum distance. Read up to a logarithm, as the row that is named does, or as an upper bound, the words"
        " are true",
        reconstructed=True,
        instead=("fc.thm1.remark2.optimal.average.corrected",),
        defect="Remarks 2 give what is tolerated in a random direction as of magnitude d (best classifier) and"
        " sqrt(d) (network), and leave out a factor 1/sqrt(ln d): no constant share of these orders is tolerated for"
        " all large d (the median share of d is 0.54 at d = 16 and 0.30 at d = 1024)",
        hypotheses=_of_remark_2,
        argument="Along a unit vector w the step to the tie with x_j is (D_j + S_j / D_j) / 2, D_j = w . (x_j - x_i)"
        " > 0 and S_j the squared length of the rest of x_j - x_i, which is independent of all w . x_k, and twice a"
        " chi-square variable with d - 1 degrees of freedom. Given c, let a = 2 + 4/c and p = P(a <= N <= a + 1) > 0."
        " If |w . x_i| <= 2, some other w . x_j is from a to a + 1, and S_j <= 4 d for the first such j, then the"
        " step is at most (a + 3)/2 + 2 d/(a - 2) = (a + 3)/2 + c d/2, below c d for large d. These fail with"
        " probabilities of at most 1/4, (1 - p)^(d-1) and 2/d: for every c their sum tends to 1/4, below 1/2.",
        note="Medians of the tolerance over d: 0.54, 0.41, 0.35 and 0.30 at d = 16, 64, 256 and 1024 (2000 data sets"
        " each, seed 0), falling like 1/sqrt(2 ln d). The right side is an upper bound of the probability.",
        code=attack_size.typical_nearest_tolerance,
    ),
    _row(
        "fc.thm1.remark2.optimal.average.corrected",
        says="in a random direction the best classifier tolerates about d, up to a logarithm",
        theory=lambda: _optimal_average(1.0),
        kind="rate",
        tolerance=0.08,
        formula=r"\frac{d}{\sqrt{2 \ln d}}",
        domain="square data, d to infinity; to leading order",
        status="corrected",
        reading="measured: slope of the tolerance times sqrt(2 ln d), so that the logarithm is part of the statement:"
        " of its leading order between d = 2^14 and 2^16, of the median by draws from d = 2^8 to 2^14",
        code=attack_size.typical_nearest_tolerance,
        study="simulate.separation",
        statistic="scaled_tolerance",
        decoys=(Decoy("sqrt(d)", lambda: _optimal_average(0.5)),),
    ),
    _row(
        "fc.thm1.remark2.network.average.reading",
        says="in a random direction the network tolerates a constant share of sqrt(d) or more, with probability 1/2 or"
        " more for all large d",
        theory=_network_share,
        space=spaces.constant_and_dimension,
        kind="bound",
        status="reading",
        formula=r"\frac{1}{2} \le P\left( \frac{|N| \, \|g\|}{\max_j g_j - g_i} \ge c \sqrt{d} \right)",
        domain="square data, some constant c > 0, all large d; a direction independent of the data",
        quotes=(Quote("NN classifier can tolerate average-case perturbations of magnitude [..]", _PLACE),),
        reading="the lost order is read as sqrt(d); 'average-case' as a random direction; 'of magnitude' as a lower"
        " bound, c sqrt(d) or more, c the same for all large d, with probability 1/2 or more. Read up to a logarithm"
        " and a random factor, as the row that is named does, or as an upper bound, the words are true",
        reconstructed=True,
        instead=("fc.thm1.remark2.network.average.corrected",),
        cause="fc.thm1.remark2.optimal.average.reading",
        hypotheses=_of_remark_2,
        argument="Along a unit vector w the outputs change by A^-1 w = g / (|N| ||g||), g of d standard normal"
        " variables and N one more: the label is lost at the step |N| ||g|| / (max_j g_j - g_i). Given c, let a = 2 +"
        " 3/c and p = P(N >= a) > 0. If |N| <= 2, g_i <= 2, ||g||^2 <= 2 d and some other g_j is a or more, the step"
        " is at most 2 sqrt(2 d) / (a - 2), below c sqrt(d). These fail with probabilities of at most 1/4, 1/5, 2/d"
        " and (1 - p)^(d-1): for every c their sum tends to 9/20, below 1/2.",
        note="Medians of the tolerance over sqrt(d): 0.40, 0.29, 0.24 and 0.21 at d = 16, 64, 256 and 1024 (2000 draws"
        " of that law each, seed 0), falling like 1/sqrt(2 ln d). The right side is an upper bound of the probability.",
        code=attack_size.typical_average_tolerance,
    ),
    _row(
        "fc.thm1.remark2.network.average.corrected",
        says="in a random direction the network tolerates about sqrt(d), up to a logarithm and a random factor",
        theory=lambda: _network_average(0.5),
        kind="rate",
        tolerance=0.02,
        formula=r"|N| \sqrt{\frac{d}{2 \ln d}}",
        domain="square data, d to infinity",
        status="corrected",
        reading="measured: slope of the tolerance times sqrt(2 ln d), so that the logarithm is part of the statement,"
        " in the geometric mean, between d = 2^14 and 2^16",
        note="The random factor |N| remains: no share holds with a probability that tends to 1. Judged by the exact"
        " geometric mean, of the steps that find another class: no quantile of draws is known.",
        code=attack_size.typical_average_tolerance,
        decoys=(
            Decoy("a constant", lambda: _network_average(0.0)),
            Decoy("d", lambda: _network_average(1.0)),
        ),
    ),
)
