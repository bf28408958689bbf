"""Theorem 7 beside its simulation: what the gradients of random outputs see of a random difference."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.gradient_plane",
    "Projection on the span of the gradients of random outputs",
    (
        Panel(
            "fc.thm7.law",
            "compression, tanh units",
            r"$\Vert P \Delta\Vert\,/\,\Vert\Delta\Vert$",
            {"model": "features"},
        ),
        Panel(
            "fc.thm7.chi_square.corrected", "size of the projection", r"$\Vert P \Delta\Vert$", {"model": "isotropic"}
        ),
        Panel("fc.thm7.relu.law", "gradient and input, ReLU", r"$|\cos\angle(\nabla f, x)|$", {"model": "relu"}),
        Panel("fc.thm7.relu.open", "share of open networks"),
        Panel("fc.thm7.relu.norm", r"gradient, $\Vert\nabla f\Vert$"),
        Panel("fc.thm7.mean.rate", "compression over $n$", "compression"),
        Panel("fc.thm7.difficulty.rate", "difficulty over $n$", r"$\Vert\Delta\Vert^2 / \Vert P \Delta\Vert^2$"),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
