"""Rows on "a constant": whether one bounds the attacks of Theorems 1, 4 and 6 "with high probability"."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from scipy import stats
from scipy.special import log_ndtr

from fragility.claim import Claim, Decoy, Quote, Rate, Sides, rows
from fragility.law import Law
from theory.numerics.array import Number
from theory.points import attack_size, separation
from theory.spaces import laws as spaces
from theory.worlds import attack_size as worlds


def three_to_the_minus(power: Fraction) -> Fraction:
    """A rational lower bound of e^-power, power >= 0."""
    return Fraction(1, 3 ** math.ceil(power))


def _swap(d: int) -> Law:
    """The law of the length of the swap, on square data."""
    return attack_size.swap_law(d, (d,))


def _last(d: int) -> Law:
    """The law of r_dd, the absolute value of a standard normal variable."""
    return attack_size.flip_law(d, (d,), 0.5)


def _outside(limit: Number, law: Callable[[int], Law]) -> Sides:
    """The chance that a fixed limit is passed, which is to vanish for large d, by a law that is the same for all d."""
    return Sides(law(2).sf(float(limit)), 0)


def _swap_outside(limit: Fraction) -> Sides:
    """A bound of P(||e|| > D) = e^(-D^2/4) from below."""
    return Sides(three_to_the_minus(limit**2 / 4), 0)


def _normal_outside(limit: Fraction) -> Sides:
    """A bound of P(|N| > D) from below: sqrt(2/pi) D / (1 + D^2) e^(-D^2/2), with sqrt(2/pi) > 39/50."""
    return Sides(Fraction(39, 50) * limit / (1 + limit**2) * three_to_the_minus(limit**2 / 2), 0)


def _of_a_constant(law: Callable[[int], Law], data: str) -> Callable[..., Mapping[str, bool]]:
    """The hypotheses of "a constant": the law that it is to bound is one for every d."""

    def met(limit: Fraction, **_: Any) -> Mapping[str, bool]:
        return {
            "D is a positive constant": limit > 0,
            f"{data}: the same law for every d (d = 2, 3 and 10^5 compared)": law(2) == law(3) == law(10**5),
        }

    return met


def _swap_within(delta: float, d: int, factor: float = 4.0) -> Sides:
    """The chance that the swap is longer than sqrt(-factor ln delta), against delta."""
    return Sides(attack_size.swap_law(d, (d,)).sf(math.sqrt(-factor * math.log(delta))), delta)


def _flip_within(delta: float, d: int, factor: float = 2.0) -> Sides:
    """The chance that the attack on signs is longer than a multiple of a normal quantile, against delta."""
    return Sides(attack_size.flip_law(d, (d,)).sf(factor * stats.norm.isf(delta / 2)), delta)


def _column_outside(d: int, limit: float, level: float, first: float = 1.0, rate: float = 1.0) -> Sides:
    """The chance that the perturbation along the last column is longer than a limit, against the bound by a level."""
    below = math.exp((d - 1) * log_ndtr(level))
    return Sides(attack_size.column_law(d, d).sf(limit), first * below + math.exp(-rate * limit * level))


def _product_outside(d: int, layers: int, limit: float, power: int = 1) -> Sides:
    """The chance that the swap of normalised generators is longer, against its mean square over the limit's square."""
    rows = (d,) * layers
    law = attack_size.swap_law(d, rows, separation.normalising_scale(rows))
    return Sides(law.sf(limit), 2 ** (layers + 1) / (limit**2 * d ** (layers - power)))


def _exists(exponent: float) -> Rate:
    """Growth of the median length along the last column, times sqrt(2 ln d)."""
    return Rate(
        "d",
        exponent,
        lambda d: float(attack_size.column_law(d, d).median()) * math.sqrt(2 * math.log(d)),
        sizes=(8, 64, 512),
        at=lambda d: {"n": d, "rows": (d,)},
    )


_WITH_HIGH_PROBABILITY = Quote(
    "“with high probability” means that the probability increases to ‘1’ as the dimension increases",
    "Section 2, above Theorem 1",
)
_CHANGED = (
    "with high probability, one can add a perturbation of size [..] such that the classification result of the neural"
    " network is changed"
)

_ours = rows("Feature compression", tolerance=1e-8, status="extension", credit="ours")
_row = rows("Feature compression", tolerance=1e-8)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "fc.thm1.size.bounded.printed",
        at="proof of Theorem 1",
        says="some constant D bounds the size of the constructed perturbation, with a probability that tends to 1 with"
        " d",
        theory=lambda limit: _outside(limit, _swap),
        space=spaces.constant,
        kind="bound",
        formula=r"\lim_{d \to \infty} P(\|e\| > D) \le 0",
        domain="any constant D > 0; square data",
        status="gap",
        quotes=(
            Quote(
                "Thus, there exists a constant [..] such that, with high probability, under an error [..] with [..],"
                " the predicted label will be changed",
                "proof of Theorem 1",
            ),
            _WITH_HIGH_PROBABILITY,
        ),
        reading="said, as 'Thus' has it, of the perturbation just constructed, whose size is equation (3); the lost"
        " condition is read as ||e|| <= D; D is one number for all d",
        reconstructed=True,
        instead=("fc.thm1.size.bounded.corrected", "fc.thm1.exists"),
        defect="the proof of Theorem 1 bounds its perturbation by a constant with high probability, but the size has"
        " the same law in every dimension, P(||e|| > D) = exp(-D^2/4), which tends to 0 for no D; the theorem is true"
        " by another perturbation",
        hypotheses=_of_a_constant(_swap, "as many standard normal points as dimensions"),
        argument="The perturbation is e = P (x_j - x_i), P the projection on the plane orthogonal to the other d - 2"
        " points. P does not depend on x_i and x_j, so that e is normal with variance 2 in each of two directions:"
        " ||e||^2 / 2 is chi-square with 2 degrees of freedom and P(||e|| > D) = exp(-D^2/4), in every dimension. For"
        " every constant D that is one positive number for all d, which does not tend to 0.",
        note="For each probability below 1 there is such a D; for a probability that tends to 1 there is none.",
        code=attack_size.swap_law,
        replay=_swap_outside,
    ),
    _row(
        "fc.thm1.size.bounded.corrected",
        at="proof of Theorem 1",
        says="with probability 1 - delta the size is at most 2 sqrt(ln(1/delta)), for every d",
        theory=_swap_within,
        world=worlds.error_level,
        space=spaces.error_level,
        kind="identity",
        formula=r"P\left( \|e\| > 2 \sqrt{\ln(1/\delta)} \right) = \delta",
        domain="0 < delta < 1, square data",
        status="corrected",
        code=attack_size.swap_law,
        decoys=(Decoy("without the factor sqrt 2", lambda delta, d: _swap_within(delta, d, 2.0)),),
    ),
    _row(
        "fc.thm1.exists",
        at="Theorem 1",
        says="a perturbation longer than any constant D is needed with a probability that tends to 0 with d",
        theory=_column_outside,
        world=worlds.limit_and_level,
        kind="bound",
        formula=r"P(m_i > D) \le P(U_d > D) \le \Phi(a)^{d-1} + e^{-D a} \to 0 \quad (a = \sqrt{\ln d})",
        domain="square data of 2 <= d <= 10^6, D > 0, every a > 0",
        quotes=(
            Quote(f"For each [..], {_CHANGED}", "Theorem 1, second item"),
            Quote("but can only tolerate worst-case perturbations of magnitude [..]", "Remarks 2, below Theorem 1"),
        ),
        reading="the lost size is read as ||e|| <= D, the lost order of Remarks 2 as that of a constant; true for every"
        " D > 0; the row gives the bound of the failures at every d",
        reconstructed=True,
        note="By the direction q_n alone, and not by the paper's construction. U_d = |N| C / max_j |C + Z_j|, C of the"
        " law chi_2 (fc.thm1.column, fc.thm1.column.law): either no Z_j is above a, or U_d <= |N| C / a, and"
        " P(|N| C > t) = e^-t exactly.",
        code=attack_size.column_law,
        decoys=(
            Decoy("the maximum taken for large", lambda **world: _column_outside(**world, first=0.0)),
            Decoy("twice the rate", lambda **world: _column_outside(**world, rate=2.0)),
        ),
    ),
    _ours(
        "fc.thm1.exists.rate",
        at="Theorem 1",
        says="the perturbation along the last column falls like 1/sqrt(2 ln d): it is smaller than a constant",
        theory=lambda: _exists(0.0),
        kind="rate",
        tolerance=0.02,
        formula=r"m_i \le U_d, \quad \mathrm{median}(U_d) \sqrt{2 \ln d} \to \mathrm{const}",
        domain="square data, d to infinity",
        reading="measured: slope of the median of U_d times sqrt(2 ln d), so that the logarithm is part of the"
        " statement: exactly between d = 2^14 and 2^16, by draws from d = 8 to 512",
        code=attack_size.column_law,
        statistic="normalised_column",
        study="simulate.last_column",
        decoys=(Decoy("d^-1/4", lambda: _exists(-0.25)), Decoy("d^1/4", lambda: _exists(0.25))),
    ),
    _row(
        "fc.thm4.exists",
        at="Theorem 4",
        says="the constructed perturbation is longer than any constant D with a probability that tends to 0 with d",
        theory=_product_outside,
        world=worlds.limit_and_layers,
        kind="bound",
        formula=r"P(\|e\| > D) \le \frac{\mathbb{E} \|e\|^2}{D^2} = \frac{2^{L+1}}{D^2 d^{L-1}} \to 0",
        domain="L >= 2 square layers, entries of the L - 1 generators of variance 1/d, D > 0",
        quotes=(Quote(f"For each class [..], {_CHANGED}", "Theorem 4, second item"),),
        reading="the lost size is read as ||e|| <= D, and the lost variance as 1/d; true for every D > 0; two layers or"
        " more, since one is Theorem 1; the row gives the bound of the failures at every d",
        reconstructed=True,
        note="By the paper's own perturbation, which changes the label whatever its size (fc.thm1.untargeted), and"
        " Chebyshev's inequality: the generators shrink it, see fc.thm4.size.normalised.",
        code=attack_size.swap_law,
        decoys=(Decoy("a layer more shrinks it", lambda **world: _product_outside(**world, power=0)),),
    ),
    _row(
        "fc.thm4.block.printed",
        at="proof of Theorem 4",
        says="some constant D bounds the entries of each layer's last 2 x 2 block of R with a probability that tends to"
        " 1 with d",
        theory=lambda limit: _outside(limit, _last),
        space=spaces.constant,
        kind="bound",
        formula=r"\lim_{d \to \infty} P\left( |r_{n-1,n-1}| + |r_{n-1,n}| + |r_{nn}| > D \right) \le 0",
        domain="any constant D > 0; the factor of the codes, square and of unit variance",
        status="gap",
        quotes=(
            Quote(
                "Because with high probability, [..], …, [..] will all be bounded by a constant at the same time",
                "proof of Theorem 4",
            ),
            _WITH_HIGH_PROBABILITY,
        ),
        reading="the lost quantities are read as the sums of the block's absolute entries, one for each factor, as the"
        " sentence before defines them; one of them belongs to the factor of the codes, 'independent standard"
        " unit-variance', which is not normalised; D is one number for all d",
        reconstructed=True,
        instead=("fc.thm4.exists", "fc.thm4.size.normalised"),
        cause="fc.thm1.size.bounded.printed",
        hypotheses=_of_a_constant(_last, "as many codes as dimensions, of unit variance"),
        argument="The block of the codes' factor, a square standard normal matrix, has entries distributed as chi_2, N"
        " and |N'|, in every dimension. So P(sum > D) >= P(|N| > D) = 2 (1 - Phi(D)) > 0 is for every constant D at"
        " least one positive number for all d, which does not tend to 0.",
        note="The left side is P(|N| > D), which is below the chance of the sum. Measured by QR of square standard"
        " normal matrices, seed 0: the sum is above 4 in 0.140 of 10^4 at d = 10, in 0.142 of 4000 at d = 100 and in"
        " 0.152 of 1000 at d = 400; in 0.145 of 10^7 draws of its law, whatever d. The theorem stands: for two layers"
        " or more the blocks of the normalised generators shrink, and for one it is Theorem 1.",
        code=attack_size.flip_law,
        replay=_normal_outside,
    ),
    _row(
        "fc.thm6.size.bounded.printed",
        at="Theorem 6",
        says="some constant D allows a perturbation of size D that changes the label, with a probability that tends to"
        " 1 with d",
        theory=lambda limit: _outside(limit, _last),
        space=spaces.constant,
        kind="bound",
        formula=r"\lim_{d \to \infty} P(r_{mm} > D) \le 0",
        domain="any constant D > 0; square A",
        status="refuted",
        quotes=(
            Quote(
                "Given a data [..], with high probability, one can add a perturbation of size [..] such that [..],"
                " where [..] is a constant independent of",
                "Theorem 6, second item",
            ),
            _WITH_HIGH_PROBABILITY,
        ),
        reading="the lost size is read as ||e|| <= D, and what is lost after 'such that' as a changed label: the wrong"
        " class has the larger output; D is one number for all d",
        reconstructed=True,
        instead=("fc.thm6.size.bounded.corrected", "fc.thm6.tie"),
        defect="Theorem 6 promises, with high probability, a changed label by a perturbation no longer than a constant"
        " D, but the shortest one has the same law in every dimension: with probability 2 (1 - Phi(D)), for D = 2 that"
        " is 0.046 for every d, none is short enough",
        hypotheses=_of_a_constant(_last, "square standard normal A"),
        argument="By equation (6) the outputs are p . x and -p . x, p = q_m / r_mm the last row of A^-1, and z_m and"
        " -z_m at x = A z. A changed label needs |p . e| >= 1, hence ||e|| >= 1 / ||p|| = r_mm, in whatever direction e"
        " points: two classes leave no other attack. r_mm, the distance of a column from the span of the others, is |N|"
        " in every dimension. So for every constant D no perturbation up to D changes the label with a probability of"
        " at least P(|N| > D) = 2 (1 - Phi(D)) > 0, one number for all d, which does not tend to 0.",
        note="The paper's attack is twice as long as the shortest, so that it is longer than D with probability"
        " 2 (1 - Phi(D/2)), 0.32 for D = 2. The proof has the same step as that of Theorem 1, where another"
        " perturbation saves the theorem.",
        code=attack_size.flip_law,
        replay=_normal_outside,
    ),
    _row(
        "fc.thm6.size.bounded.corrected",
        at="Theorem 6",
        says="with probability 1 - delta a size of twice the normal quantile of 1 - delta/2 is enough, for every d",
        theory=_flip_within,
        world=worlds.error_level,
        space=spaces.error_level,
        kind="identity",
        formula=r"P\left( 2 r_{mm} > 2 \Phi^{-1}(1 - \delta/2) \right) = \delta",
        domain="0 < delta < 1, square A",
        status="corrected",
        code=attack_size.flip_law,
        decoys=(Decoy("the quantile itself", lambda delta, d: _flip_within(delta, d, 1.0)),),
    ),
)
