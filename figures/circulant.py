"""Random convolution layers beside their simulation: rows of the transfer function."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.circulant",
    "Transfer function of a random circular convolution",
    (
        Panel("norm.initial.row_power", "a row, before normalisation", "squared norm", {"frequency": (1, 0)}),
        Panel("norm.initial.overlap", "two rows, after it", "squared overlap", {"frequency": (0, 2)}),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
