"""Shrunk singular values beside their simulation: what of an input they carry, and what is left changed."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.truncation",
    "A Gaussian layer whose bottom singular values are shrunk",
    (
        Panel("latent.svd.bottom_share", "input along them", r"share of $\Vert x\Vert^2$", {"k": 4}),
        Panel("latent.svd.smallest_error", "error of the weights", r"$\sqrt{n}\,\Vert W - W_s\Vert_2\,/\,(1 - s)$"),
        Panel("latent.linear.change.typical", "square change of a margin"),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
