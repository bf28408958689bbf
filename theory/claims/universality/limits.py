"""Rows on entries that are not Gaussian: laws that hold in the limit, how fast, and with which 1/n term."""

from __future__ import annotations

import numpy as np
from scipy import stats

from fragility.claim import Claim, Decoy, Rate, rows
from fragility.law import Law
from theory.claims.universality.moments import Rows, foreign
from theory.conditioning import universality
from theory.conditioning.gaussian_spectrum import ScaledSmallestLimit
from theory.products.fraction import fraction_law

SETTLED = 8  # columns from which the asymptotic laws hold to their tolerance
SIGNS_SETTLED = 24  # of signs: singular matrices are then rare
SEEN = 32  # columns up to which their 1/n terms are seen; beyond, the limits say as much
LIMIT = 18  # columns from which the limits do, for normal entries
OTHER = {"gaussian": "student", "signs": "student", "uniform": "student", "student": "uniform"}


def _limit(n: int, rows: Rows, entries: str) -> Law:
    """The law of r_nn in the limit."""
    return universality.last_limit(n, rows[0])


def _distance(n: int, expanded: bool) -> float:
    """Largest distance of the law of r_nn, for signs, from |N| or from |N| with its 1/n term."""
    x = np.linspace(0, 6, 1201)
    law, limit = universality.last_law(n, n, "signs"), universality.last_limit(n, n)
    other = universality.last_expansion(n, n, "signs", x) if expanded else limit.cdf(x)
    return float(np.max(np.abs(law.cdf(x) - other)))


def _fall(exponent: float, expanded: bool = False) -> Rate:
    """How fast the distance of the law from its limit falls."""
    return Rate("n", exponent, lambda n: _distance(n, expanded), between=(128, 512))


def _settled(n: int, rows: Rows, entries: str) -> bool:
    """Where the asymptotic laws hold to their tolerance, and their 1/n terms are seen."""
    return (SIGNS_SETTLED if entries == "signs" else SETTLED) <= n <= SEEN


def _near(n: int, rows: Rows, entries: str) -> bool:
    """Where the limits are within 0.015: their first corrections fall like 1/n and |kappa| / n."""
    return n >= LIMIT * (1 + abs(universality.kurtosis(entries)))


_row = rows("Beyond the papers", kind="law", status="extension", study="simulate.universality")
_rate = rows("Beyond the papers", kind="rate", status="extension", credit="ours")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "universality.last.limit",
        says="r_nn tends to |N| for square matrices, to a chi variable for tall ones, whatever the entries",
        theory=_limit,
        credit="Tao and Vu 2010; Nguyen and Vu 2018",
        formula=r"r_{nn} \to \chi_{m-n+1}",
        domain="n large, m - n fixed; used from n = 18 (1 + |kappa|) on",
        tolerance=0.05,
        code=universality.last_limit,
        statistic="last",
        where=_near,
        decoys=(
            Decoy("one row more", lambda n, rows, entries: universality.last_limit(n, rows[0] + 1)),
            Decoy("exponential", lambda n, rows, entries: stats.expon()),
        ),
    ),
    _row(
        "universality.last",
        says="r_nn is nearly the norm of a column times an independent root of a Beta variable",
        theory=lambda n, rows, entries: universality.last_law(n, rows[0], entries),
        credit="ours, a heuristic",
        formula=r"r_{nn}^2 \approx \|a_n\|^2 \, \mathrm{Beta}\left( \frac{k}{2}, \frac{m-k}{2} \right),"
        r" \quad k = m-n+1",
        domain=f"asymptotic, used from n = {SETTLED} columns to {SEEN}, from {SIGNS_SETTLED} for signs",
        tolerance=0.015,
        code=universality.last_law,
        statistic="last",
        where=_settled,
        note="Right to the order 1/m, by a heuristic: the space orthogonal to the others taken as uniform. For t(5) the"
        " 1/m term alone is further off than the limit as long as n is below some hundreds.",
        decoys=(
            Decoy("the limit", _limit),
            Decoy(
                "another law of the entries",
                lambda n, rows, entries: universality.last_law(n, rows[0], OTHER[entries]),
            ),
        ),
    ),
    _rate(
        "universality.last.rate",
        says="the law of r_nn nears its limit like 1/n, not like 1/sqrt(n): its third cumulant is 0",
        theory=lambda: _fall(-1.0),
        tolerance=0.02,
        formula=r"\sup_x |P(r_{nn} \le x) - P(|N| \le x)| \asymp \frac{|\kappa|}{n}",
        domain="square, signs; n large",
        code=universality.last_law,
        note="Judged by the law: at the sizes where the distance falls like that no sample shows it.",
        decoys=(Decoy("1/sqrt(n)", lambda: _fall(-0.5)), Decoy("1/n^2", lambda: _fall(-2.0))),
    ),
    _rate(
        "universality.last.term",
        says="the 1/n term is a second difference in degrees of freedom: with it the limit is right to 1/n^2",
        theory=lambda: _fall(-2.0, expanded=True),
        tolerance=0.03,
        formula=r"P(r_{nn}^2 \le s) = F_k + \frac{\kappa\, k (k+2)}{8 (m+2)} (F_k - 2 F_{k+2} + F_{k+4}) + O(m^{-2}),"
        r" \quad F_j(s) = P(\chi_j^2 \le s)",
        domain="square, signs; n large",
        code=universality.last_expansion,
        note="Judged by the law.",
        decoys=(Decoy("no better than the limit", lambda: _fall(-1.0, expanded=True)),),
    ),
    _row(
        "universality.fraction",
        says="r_nn over the norm of the column has the law of normal entries long before r_nn has its own",
        theory=lambda n, rows, entries: fraction_law(n, rows),
        credit="ours, a heuristic",
        formula=r"\left( \frac{r_{nn}}{\|a_n\|} \right)^2 \approx \mathrm{Beta}\left( \frac{m-n+1}{2}, \frac{n-1}{2}"
        r" \right), \quad \sqrt{m}\, \frac{r_{nn}}{\|a_n\|} \to \chi_{m-n+1}",
        domain=f"asymptotic, used from n = {SETTLED} columns to {SEEN}, from {SIGNS_SETTLED} for signs",
        tolerance=0.015,
        code=fraction_law,
        statistic="fraction",
        where=_settled,
        note="Exact for normal entries. The norm carries the 1/m term of r_nn away.",
        decoys=(
            Decoy("the limit over sqrt(m)", lambda n, rows, entries: stats.chi(rows[0] - n + 1, scale=rows[0] ** -0.5)),
            Decoy("one row more", lambda n, rows, entries: fraction_law(n, (rows[0] + 1,))),
        ),
    ),
    _row(
        "universality.smallest.limit",
        says="sqrt(n) times the least singular value tends to Edelman's limit, whatever the entries",
        theory=lambda n, rows, entries: ScaledSmallestLimit(),
        credit="Edelman 1988; Tao and Vu 2010",
        formula=r"P(\sqrt{n}\, \sigma_{min} > t) \to e^{-t - t^2/2}",
        domain="square, n large; used from n = 18 (1 + |kappa|) on",
        tolerance=0.05,
        code=ScaledSmallestLimit,
        statistic="smallest",
        where=lambda n, rows, entries: _near(n, rows, entries) and rows == (n,),
        decoys=(
            Decoy("exponential", lambda n, rows, entries: stats.expon()),
            Decoy("|N|, as r_nn", lambda n, rows, entries: stats.halfnorm()),
        ),
    ),
    _row(
        "universality.smallest",
        says="a fourth cumulant moves the least singular value by -kappa / (2n) of itself",
        theory=lambda n, rows, entries: universality.smallest_law(n, entries),
        credit="ours, a heuristic; for complex entries Edelman, Guionnet and Peche 2016",
        formula=r"\sqrt{n}\, \sigma_{min} \approx \left( 1 - \frac{\kappa}{2n} \right) \sqrt{n}\, \sigma_{min}^{"
        r"\mathrm{normal}}",
        domain=f"square; bounded entries, used from n = {SETTLED} columns to {SEEN}, from {SIGNS_SETTLED} for signs",
        tolerance=0.015,
        code=universality.smallest_law,
        statistic="smallest",
        where=lambda n, rows, entries: _settled(n, rows, entries) and rows == (n,) and entries != "student",
        note="To the order 1/n, by a heuristic. For t(5), whose sixth moment is infinite, it is too much below some"
        " hundreds of columns.",
        decoys=(
            Decoy(
                "as for normal entries",
                lambda n, rows, entries: universality.smallest_law(n, "gaussian"),
                where=foreign,
            ),
            Decoy(
                "another law of the entries",
                lambda n, rows, entries: universality.smallest_law(n, OTHER[entries]),
            ),
        ),
    ),
)
