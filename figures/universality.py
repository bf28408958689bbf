"""Entries that are not Gaussian: what stays exact at every size, and what nears its limit."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.universality",
    "One matrix with independent entries of mean 0 and variance 1",
    (
        Panel("universality.last.power", r"$\mathrm{E}\, r_{nn}^2$"),
        Panel("universality.span", "distance to the span"),
        Panel("universality.column_norm.power", r"$\mathrm{E}\, \Vert a_n\Vert^2 / m$"),
        Panel("universality.column_norm.spread", r"$\mathrm{Var}\, \Vert a_n\Vert^2 / m$"),
        Panel("universality.determinant", r"$\mathrm{E}\, \det(A)^2 / n!$"),
        Panel("universality.singular", r"$P(\det A = 0)$"),
        Panel("universality.column_norm", "norm of a column", r"$\Vert a_n\Vert$", {"entries": "student"}),
        Panel("universality.last", "last entry of R", "$r_{nn}$", {"entries": "signs"}),
        Panel("universality.last.limit", "last entry, its limit", "$r_{nn}$"),
        Panel("universality.fraction", "fraction", r"$r_{nn}\,/\,\Vert a_n\Vert$", {"entries": "student"}),
        Panel("universality.smallest", "least singular value", r"$\sqrt{n}\,\sigma_{\min}$", {"entries": "signs"}),
        Panel("universality.smallest.limit", "the same, its limit", r"$\sqrt{n}\,\sigma_{\min}$"),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
