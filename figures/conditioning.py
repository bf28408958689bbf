"""Condition numbers beside their simulation: singular values of a Gaussian layer and the growth of errors."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.conditioning",
    "Singular values of a Gaussian layer, and the growth of relative errors",
    (
        Panel("cond.growth.random", "growth of a random error", "squared growth", {"rows": (10,)}),
        Panel("cond.growth.row_space", "growth in the row space", "squared growth", {"rows": (10,)}),
        Panel("cond.row_space", "input in the row space", r"share of $\Vert x\Vert^2$", {"rows": (10,)}),
        Panel("cond.gaussian.two_columns", "condition, two columns", r"$\kappa_2$"),
        Panel("cond.gaussian.two_columns.frobenius", "the same, Frobenius", r"$\kappa_F$"),
        Panel("cond.gaussian.three_columns", "condition, three columns", r"$\kappa_2$"),
        Panel("cond.gaussian.square", "condition, square", r"$\kappa_2 / n$"),
        Panel("cond.gaussian.smallest", "least singular value", r"$\sqrt{n}\,\sigma_{\min}$", {"n": 8}),
        Panel("cond.gaussian.smallest.limit", "the same, its limit", r"$\sqrt{n}\,\sigma_{\min}$"),
        Panel("cond.gaussian.tall", "mean condition, tall"),
        Panel("cond.gaussian.smallest.rate", "least singular value over $n$", r"$\sigma_{\min}$"),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
