"""Laws and bounds that `python -m theory NAME` evaluates: plain functions of numbers, each flag a parameter.

A function returns a law, a number, or several numbers by name. Heights are the rows n_1, ..., n_L of the factors; left
out, they are `layers` square factors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theory import depth, qr_product
from theory.fraction import fraction_law
from theory.laws import Law

Heights = tuple[int, ...]


def fraction(n: int, layers: int = 1, rows: Heights = ()) -> Law:
    """|r_nn| / ||a_n||, the part of the last column that only it has"""
    return fraction_law(n, _heights(n, layers, rows))


def diagonal(n: int, k: int, layers: int = 1, rows: Heights = ()) -> Law:
    """r_kk of R of a product of Gaussian matrices"""
    heights = _heights(n, layers, rows)
    return qr_product.chi_product(qr_product.degrees(n, heights, k))


def _heights(n: int, layers: int, rows: Heights) -> Heights:
    if layers < 1:
        raise ValueError(f"--layers must be at least 1, got {layers}")
    return rows or (n,) * layers


def lyapunov(n: int, layers: int = 1, rows: Heights = ()) -> dict[str, float]:
    """exponents lambda_1 and lambda_n of a product, and the depth at which rounding hides r_nn"""
    exponents = depth.lyapunov_exponents(n, _heights(n, layers, rows))
    return {
        "lambda_1": float(exponents[0]),
        "lambda_n": float(exponents[-1]),
        "breakdown depth, double precision": depth.breakdown_depth(n),
        "breakdown depth, single precision": depth.breakdown_depth(n, 2**-24),
    }


EVALUATIONS: dict[str, Callable[..., Any]] = {
    "fraction": fraction,
    "diagonal": diagonal,
    "lyapunov": lyapunov,
}
