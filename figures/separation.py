"""Distances of Gaussian data beside their simulation: of pairs, of the nearest point, of opposite labels."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.separation",
    "Distances of Gaussian data",
    (
        Panel("fc.thm4.distance", "of two points, two layers", r"$\Vert x_n - x_{n-1}\Vert$", {"rows": (8, 8)}),
        Panel("fc.thm1.nearest.law", "of a point to its nearest", r"$\min_k \Vert x_n - x_k\Vert$", {"n": 16}),
        Panel("fc.thm1.separation.pairs", "share of close pairs"),
        Panel("fc.thm6.separation.count", "short differences of labels"),
        Panel(
            "fc.thm1.remark2.optimal.average.corrected",
            "tolerance in a direction",
            r"tolerance $\times \sqrt{2 \ln d}$",
        ),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
