"""Theorems 1, 4 and 6 beside their simulation: what attacks on the interpolating network take."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

ONE, TWO = {"rows": (8,)}, {"rows": (8, 8)}

SHEET = Sheet(
    "simulate.last_column",
    "Attacks on the network that interpolates Gaussian data",
    (
        Panel("fc.thm1.size.law", "the swap, one layer", r"length $\Vert e\Vert$", ONE),
        Panel("fc.thm4.size", "the swap, two layers", r"length $\Vert e\Vert$", TWO),
        Panel("fc.thm6.size.law", "flip of $2^n$ points", r"length $2 r_{nn}$", TWO),
        Panel("fc.thm1.margin.law", "tie with one class", r"distance $m_{n,n-1}$", TWO),
        Panel("fc.thm1.column.law", "tie along last column", r"distance $U$", ONE),
        Panel("fc.thm1.compression", "compression", r"$\Vert e\Vert\,/\,\Vert x_n - x_{n-1}\Vert$", TWO),
        Panel("fc.thm1.ratio", "over half the distance", r"$2 m_{n,n-1}\,/\,\Vert x_n - x_{n-1}\Vert$", TWO),
        Panel("fc.thm6.linear.probability", "network best of all linear"),
        Panel("fc.thm1.exists.rate", "last column, rate", r"$U \sqrt{2 \ln n}$"),
        Panel("fc.thm1.ratio.order", "ratio, one layer, rate", "ratio"),
        Panel("fc.thm1.ratio.fewer", "ratio, half as many points", "ratio"),
        Panel("fc.thm4.ratio", "compression, two layers", "compression"),
        Panel("fc.thm4.size.normalised", "swap, normalised, rate", r"$\Vert e\Vert$, normalised"),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
