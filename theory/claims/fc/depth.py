"""Rows on products of many factors: their normal limit, and the depth at which rounding takes over."""

from __future__ import annotations

import numpy as np

from fragility.claim import Claim, Decoy, Rate, Sides, rows
from theory.laws.chi_product import chi_product
from theory.products import depth
from theory.worlds import depth as worlds


def _distance(factors: tuple[int, ...]) -> float:
    """The largest |P(r <= x) - limit| over 400 points where either law lives."""
    law, limit = chi_product(factors), depth.normal_limit(factors)
    x = np.exp(np.linspace(np.log(limit.ppf(1e-6)), np.log(limit.isf(1e-6)), 400))
    return float(np.max(np.abs(law.cdf(x) - limit.cdf(x))))


def _normal(factors: tuple[int, ...]) -> Sides:
    """The distance of the product's law from its normal limit, against the bound of it."""
    return Sides(_distance(factors), depth.normal_limit_error(factors))


def _rate(exponent: float) -> Rate:
    """Growth of that distance with the number of square factors."""
    return Rate("layers", exponent, lambda layers: _distance((1,) * layers), between=(64, 256))


def _sum_of_exponents(n: int, rows: tuple[int, ...]) -> Sides:
    """The mean of ln |det|, to which each column adds the logarithm of a chi, against the sum of the exponents."""
    determinant = chi_product(tuple(height - k for height in rows for k in range(n))).log_mean()
    return Sides(determinant, len(rows) * depth.lyapunov_exponents(n, rows).sum())


_deep = rows("Feature compression, beside Lemma 3: many layers", status="extension")

CLAIMS: tuple[Claim, ...] = (
    _deep(
        "fc.depth.normal",
        says="ln r_kk is normal up to a distance that the Berry-Esseen theorem bounds",
        formula=r"\sup_x \left| P(r \le x) - \Phi\left( \frac{\ln x - \mu}{\sigma} \right) \right|"
        r" \le C\, \frac{\sum_i \mathbb{E} |\ln \chi_{\nu_i} - \mu_i|^3}{(\sum_i \sigma_i^2)^{3/2}}",
        domain="any degrees of freedom",
        kind="bound",
        theory=_normal,
        world=worlds.degrees_of_freedom,
        code=depth.normal_limit_error,
        tolerance=1e-9,
        credit="Berry 1941; Esseen 1942",
        note="About ten times the true distance for half-normals.",
        decoys=(
            Decoy(
                "a twentieth of the bound", lambda factors: Sides(_normal(factors).left, _normal(factors).right / 20)
            ),
        ),
    ),
    _deep(
        "fc.depth.rate",
        says="the distance of ln r_nn from normality falls like one over the square root of the depth",
        formula=r"\sup_x |F_L(x) - \Phi(x)| \simeq \frac{|\mathrm{skew}|}{6 \sqrt{2 \pi L}} = \frac{0.1021}{\sqrt{L}}",
        domain="square factors",
        kind="rate",
        theory=lambda: _rate(-0.5),
        code=depth.skewness,
        tolerance=0.02,
        credit="Esseen 1945",
        note="Asymptotic; at L = 64 the constant is right to 0.2 %. Judged by the exact law: it speaks of a"
        " distance between laws, of which no quantile of a sample tells.",
        decoys=(Decoy("one over the depth", lambda: _rate(-1.0)), Decoy("no fall at all", lambda: _rate(0.0))),
    ),
    _deep(
        "fc.depth.lyapunov",
        says="the Lyapunov exponents sum to the growth of the determinant",
        formula=r"\lambda_k = \frac{1}{2L} \sum_i \left( \ln 2 + \psi\left( \frac{n_i-k+1}{2} \right) \right), \quad"
        r" L \sum_k \lambda_k = \mathbb{E} \ln |\det R|",
        domain="every n_i >= n",
        kind="identity",
        theory=_sum_of_exponents,
        world=worlds.heights,
        code=depth.lyapunov_exponents,
        tolerance=1e-10,
        credit="Newman 1986",
        note="Exact at every depth, not only in the limit (Newman 1986); fluctuations are independent over k.",
        decoys=(
            Decoy(
                "degrees of freedom counted from the width",
                lambda n, rows: Sides(
                    _sum_of_exponents(n, rows).left, len(rows) * depth.lyapunov_exponents(n, (n,) * len(rows)).sum()
                ),
            ),
        ),
    ),
)
