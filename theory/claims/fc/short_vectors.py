"""Rows on the chance that a Gaussian vector is short: Lemma 2 of feature compression."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fragility.claim import Claim, Decoy, Quote, Rate, Sides, rows
from theory.points import separation
from theory.worlds import separation as worlds


def _tail(d: int, share: float, bound: Callable[..., Any] = separation.log_chernoff_bound) -> Sides:
    """The logarithm of the chance that a Gaussian vector is short, against a bound of it."""
    return Sides(separation.log_norm_probability(d, share), bound(d, share))


def _exponent(d: int, share: float, slope: float = 1.0) -> Sides:
    """The logarithm of the probability over d, against ln(alpha) + 1/2."""
    return Sides(separation.log_norm_probability(d, share) / d, slope * math.log(share) + 0.5)


def _looseness(exponent: float) -> Rate:
    """Growth of the bound over the probability, at alpha = 0.9."""

    def ratio(d: int) -> float:
        return math.exp(separation.log_chernoff_bound(d, 0.9) - separation.log_norm_probability(d, 0.9))

    return Rate("d", exponent, ratio)


_row = rows("Feature compression", kind="bound", tolerance=1e-9, reconstructed=True)
_ours = rows("Feature compression", kind="bound", tolerance=1e-9, status="extension", credit="ours")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "fc.lemma2.chernoff",
        at="Lemma 2",
        says="a standard normal vector is shorter than alpha sqrt(d) with at most an exponentially small probability",
        theory=_tail,
        world=worlds.dimension_and_share,
        formula=r"\ln P(\|Z\| \le \alpha \sqrt{d}) \le d \left( \ln \alpha + \frac{1 - \alpha^2}{2} \right)",
        domain="0 < alpha < 1, d >= 1",
        quotes=(
            Quote("Let [..] be a constant smaller than 1. Then the probability that [..] is at most [..]", "Lemma 2"),
        ),
        reading="event and bound are lost: read as ||Z||^2 <= beta d, and as what the proof's Chernoff bound with its"
        " best parameter gives; for every d >= 1 and 0 < beta < 1, here with beta = alpha^2",
        note="In logarithms. For the squared norm, ||Z||^2 <= beta d, put alpha = sqrt(beta).",
        code=separation.log_chernoff_bound,
        decoys=(
            Decoy("alpha taken for its square", lambda d, share: _tail(d, share**2)._replace(left=_tail(d, share)[0])),
            Decoy("alpha^d alone", lambda d, share: _tail(d, share, lambda d, share: d * math.log(share))),
        ),
    ),
    _row(
        "fc.lemma2.exponent",
        at="Lemma 2",
        says="the logarithm of that probability over d goes to minus infinity as alpha goes to 0: it is at most"
        " ln(alpha) + 1/2",
        theory=_exponent,
        world=worlds.dimension_and_share,
        formula=r"\frac{1}{d} \ln P(\|Z\| \le \alpha \sqrt{d}) \le \ln \alpha + \frac{1}{2}",
        domain="alpha > 0, d >= 1",
        quotes=(
            Quote(
                "Moreover, as [..], the natural logarithm of this probability divided by [..] goes to negative"
                " infinity",
                "Lemma 2",
            ),
        ),
        reading="alpha goes to 0 (lost), and the divisor is d (lost); that ln(alpha) + 1/2 is above it for every d is"
        " ours, and more than the words say",
        code=separation.log_norm_probability,
        decoys=(Decoy("twice as fast", lambda d, share: _exponent(d, share, 2.0)),),
    ),
    _ours(
        "fc.lemma2.series",
        at="Lemma 2",
        says="the first term of the series times a geometric sum bounds the probability in closed form",
        theory=lambda d, share: _tail(d, share, separation.log_series_bound),
        world=worlds.dimension_and_share,
        formula=r"P(\|Z\| \le \alpha \sqrt{d}) \le \frac{x^a e^{-x}}{\Gamma(a+1)} \, \frac{a+1}{a+1-x},"
        r" \quad a = \frac{d}{2}, \; x = \alpha^2 a",
        domain="0 < alpha < 1, d >= 1",
        credit="textbook",
        code=separation.log_series_bound,
        note="Sharper than the printed bound for alpha^2 below about 1 - 1/sqrt(pi d).",
        decoys=(
            Decoy(
                "the first term alone",
                lambda d, share: _tail(
                    d,
                    share,
                    lambda d, share: separation.log_series_bound(d, share) - math.log((d + 2) / (d + 2 - share**2 * d)),
                ),
            ),
        ),
    ),
    _ours(
        "fc.lemma2.looseness",
        at="Lemma 2",
        says="the printed bound is loose only by a factor sqrt(pi d) (1 - alpha^2)",
        theory=lambda: _looseness(0.5),
        kind="rate",
        tolerance=0.02,
        formula=r"\frac{(\alpha e^{(1-\alpha^2)/2})^d}{P(\|Z\| \le \alpha \sqrt{d})} \sim \sqrt{\pi d} \, (1-\alpha^2)",
        domain="alpha < 1 fixed, d to infinity; here alpha = 0.9",
        reading="measured: slope of the quotient of both, as it is, between d = 2^14 and 2^16",
        credit="Bahadur and Rao 1960",
        code=separation.log_chernoff_bound,
        note="Judged by the exact law: at sizes where the slope has settled no sample holds a vector so short.",
        decoys=(Decoy("a constant factor", lambda: _looseness(0.0)), Decoy("a factor d", lambda: _looseness(1.0))),
    ),
)
