"""Rows on the law of the compression of Theorem 7 of feature compression, and what follows from it."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from typing import Any

from scipy.integrate import quad
from scipy.special import betaln
from scipy.stats import beta

from theory import gradient_plane as plane
from theory.claim import Claim, Decoy, Rate, Sides
from theory.claims import relu_networks
from theory.laws import chi_product

THEOREM = "Feature compression, Theorem 7"


def _law(n: int, gradients: int, **_: Any) -> Any:
    return plane.span_law(n, gradients)


def _several(gradients: int, **_: Any) -> bool:
    return gradients > 1


def _room(n: int, gradients: int, **_: Any) -> bool:
    return n > gradients + 1


def _average(value: Any, n: int, gradients: int, largest: float = 1.0) -> float:
    """E value(rho^2) over rho <= largest, by quadrature in the angle phi with rho = sin phi."""

    def weighted(phi: float) -> float:
        sine = math.sin(phi)
        return value(sine**2) * sine ** (gradients - 1) * math.cos(phi) ** (n - gradients - 1)

    area = quad(weighted, 0, math.asin(largest), epsabs=0, epsrel=1e-11, limit=200)[0]
    return 2 * area * math.exp(-betaln(gradients / 2, (n - gradients) / 2))


def _inverse_square_mean(n: int, gradients: int) -> Sides:
    """1 / E rho^2."""
    return Sides(1 / _average(lambda u: u, n, gradients), plane.difficulty_of_means(n, gradients))


def _truncated(n: Any, floor: Any) -> Sides:
    """E rho^-2 over rho^2 >= floor, below the mean difficulty, for two gradients."""
    law = beta(1, (n - 2) / 2)
    return Sides(law.expect(lambda u: 1 / u, lb=float(floor)), n / 2)


def _truncated_below(n: Any, floor: Any) -> Sides:
    """The same for even n: the density (n - 2) / 2 (1 - u)^((n - 4) / 2) / u falls, so that rectangles lie below it."""
    left, below = Fraction(floor), Fraction(0)
    while left < 1:
        right = min(2 * left, Fraction(1))
        below += (right - left) * (n - 2) / 2 * (1 - right) ** ((int(n) - 4) // 2) / right
        left = right
    return Sides(below, n / 2)


def _median(n: int, gradients: int, median: Any = plane.median_difficulty) -> Sides:
    """How often the ratio is above its median."""
    largest = min(median(n, gradients) ** -0.5, 1.0)
    return Sides(_average(lambda _: 1.0, n, gradients, largest), 0.5)


def _mean(n: int, gradients: int) -> Sides:
    return Sides(_average(lambda u: 1 / u, n, gradients), plane.mean_difficulty(n, gradients))


def _rate(exponent: float, value: Any, quantile: float) -> Rate:
    sizes = tuple(2**power for power in range(8, 21, 2))
    return Rate("n", exponent, value, sizes=sizes, at=_two_gradients, quantile=quantile)


def _two_gradients(n: int) -> dict[str, Any]:
    return {"n": n, "gradients": 2, "model": "isotropic"}


def _growth(exponent: float) -> Rate:
    return _rate(exponent, plane.median_difficulty, 0.5)


def _fall(exponent: float) -> Rate:
    """Read where the mean lies in the limit, in which n rho^2 / 2 has the law of a standard exponential variable."""
    return _rate(exponent, plane.mean_compression, -math.expm1(-math.pi / 4))


def _theorem_7(part: str, says: str, formula: str, **other: Any) -> Claim:
    return Claim(id=f"fc.thm7.{part}", source=THEOREM, says=says, formula=formula, **other)


CLAIMS: tuple[Claim, ...] = (
    _theorem_7(
        "law",
        "the squared compression of an independent Gaussian difference on k gradients is Beta(k/2, (n - k)/2)",
        r"\frac{\|P (x_2 - x_1)\|^2}{\|x_2 - x_1\|^2} \sim \mathrm{Beta}\left(\frac{k}{2}, \frac{n-k}{2}\right)",
        domain="k < n independent gradients of any law, difference isotropic and independent of them",
        kind="law",
        theory=_law,
        code=plane.span_law,
        tolerance=0.1,
        statistic="compression",
        study="gradient_plane",
        where=relu_networks.spanning,
        note="Exact for every n; Beta(1, (n - 2)/2) for the theorem's two gradients. They may be correlated, such as"
        " those of one network's outputs, but trained gradients are not independent of the data.",
        decoys=(
            Decoy("one gradient less", lambda n, gradients, **_: plane.span_law(n, gradients - 1), where=_several),
            Decoy("one gradient more", lambda n, gradients, **_: plane.span_law(n, gradients + 1), where=_room),
            Decoy("one dimension more", lambda n, gradients, **_: plane.span_law(n + 1, gradients)),
        ),
    ),
    _theorem_7(
        "size.law",
        "the squared projection of a difference of Gaussian points on k gradients is twice chi-square of degree k",
        r"\|P (x_2 - x_1)\| \overset{d}{=} \sqrt{2}\, \chi_k, \quad \|x_2 - x_1\| \overset{d}{=} \sqrt{2}\, \chi_n",
        domain="k <= n independent gradients of any law, points Gaussian and independent of them",
        kind="law",
        theory=lambda gradients, **_: plane.size_law(gradients),
        code=plane.size_law,
        tolerance=0.1,
        statistic="size",
        study="gradient_plane",
        where=relu_networks.spanning,
        note="Only the whole difference concentrates as n grows; its projection stays random, whatever n.",
        decoys=(
            Decoy("variance 1 in place of 2", lambda gradients, **_: chi_product((gradients,))),
            Decoy("one gradient less", lambda gradients, **_: plane.size_law(gradients - 1), where=_several),
            Decoy("grows with the dimension", lambda n, **_: plane.size_law(n)),
        ),
    ),
    _theorem_7(
        "mean.rate",
        "the mean compression falls like one over the square root of the dimension",
        r"\mathbb{E} \rho = \frac{\sqrt{\pi}}{2} \frac{\Gamma(n/2)}{\Gamma((n+1)/2)} \simeq \sqrt{\frac{\pi}{2n}}",
        domain="two gradients",
        kind="rate",
        theory=partial(_fall, -0.5),
        code=plane.mean_compression,
        tolerance=0.02,
        statistic="compression",
        study="gradient_plane",
        status="extension",
        note="Simulated at the quantile 1 - exp(-pi/4), where the mean lies in the limit of large n.",
        decoys=(Decoy("one over the dimension", partial(_fall, -1.0)), Decoy("no fall", partial(_fall, 0.0))),
    ),
    _theorem_7(
        "difficulty.means",
        "the squared whole step is on average n / 2 times the squared projected one, as a ratio of means",
        r"\frac{\mathbb{E} \|\Delta\|^2}{\mathbb{E} \|P \Delta\|^2} = \frac{1}{\mathbb{E} \rho^2} = \frac{n}{k}",
        domain="k < n gradients, independent of an isotropic difference",
        kind="identity",
        theory=_inverse_square_mean,
        code=plane.difficulty_of_means,
        tolerance=1e-8,
        decoys=(
            Decoy(
                "one gradient less",
                lambda n, gradients: Sides(_inverse_square_mean(n, gradients).left, n / max(gradients - 1, 0.5)),
            ),
            Decoy(
                "the median of the ratio",
                lambda n, gradients: Sides(
                    _inverse_square_mean(n, gradients).left, plane.median_difficulty(n, gradients)
                ),
            ),
        ),
    ),
    _theorem_7(
        "difficulty.printed",
        "the whole step is n / 2 times more difficult than the projected one, as the mean of the ratio of squares",
        r"\mathbb{E} \frac{\|\Delta\|^2}{\|P \Delta\|^2} \le \frac{n}{2}",
        domain="two gradients; left side: the mean over rho^2 >= floor only",
        kind="bound",
        theory=_truncated,
        replay=_truncated_below,
        code=plane.mean_difficulty,
        tolerance=1e-9,
        status="refuted",
        note="The mean is infinite for one and two gradients; (n - 2) / (k - 2) beyond.",
    ),
    _theorem_7(
        "difficulty.corrected",
        "the median of the ratio of squares is 1 / (1 - 2^(-2/(n - 2))) for two gradients",
        r"\mathrm{median} \frac{\|\Delta\|^2}{\|P \Delta\|^2} = \frac{1}{I^{-1}_{1/2}(k/2, (n-k)/2)},"
        r" \quad k = 2: \frac{1}{1 - 2^{-2/(n-2)}}",
        domain="k < n gradients",
        kind="identity",
        theory=_median,
        code=plane.median_difficulty,
        tolerance=1e-8,
        status="corrected",
        note="About 0.72 (n - 2) for two gradients: more than n / 2.",
        decoys=(
            Decoy("the ratio of means", partial(_median, median=plane.difficulty_of_means)),
            Decoy("one dimension more", partial(_median, median=lambda n, k: plane.median_difficulty(n + 1, k))),
        ),
    ),
    _theorem_7(
        "difficulty.moment",
        "from three gradients on the mean of the ratio of squares is (n - 2) / (k - 2)",
        r"\mathbb{E} \frac{\|\Delta\|^2}{\|P \Delta\|^2} = \frac{n-2}{k-2}, \quad k \ge 3",
        domain="3 <= k < n",
        kind="identity",
        theory=_mean,
        code=plane.mean_difficulty,
        tolerance=1e-6,
        status="extension",
        decoys=(Decoy("the ratio of means", lambda n, gradients: Sides(_mean(n, gradients).left, n / gradients)),),
    ),
    _theorem_7(
        "difficulty.rate",
        "the median difficulty grows in proportion to the dimension",
        r"\mathrm{median} \frac{\|\Delta\|^2}{\|P \Delta\|^2} \simeq \frac{n-2}{2 \ln 2}",
        domain="two gradients",
        kind="rate",
        theory=partial(_growth, 1.0),
        code=plane.median_difficulty,
        tolerance=0.02,
        statistic="difficulty",
        study="gradient_plane",
        decoys=(Decoy("its square root", partial(_growth, 0.5)), Decoy("its square", partial(_growth, 2.0))),
    ),
    *relu_networks.CLAIMS,
)
