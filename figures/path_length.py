"""Section 5 beside its simulation: compression along the segment between two points."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.path_length",
    "Compression along the segment between two points of a random network",
    (
        Panel("fc.sec5.start", "at the start, ReLU units", r"$|\cos\theta|$", {"model": "relu", "n": 12}),
        Panel("fc.sec5.midpoint", "halfway, tanh units", r"$|\cos\theta|$", {"model": "features"}),
        Panel("fc.sec5.mean", "on average over the segment"),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
