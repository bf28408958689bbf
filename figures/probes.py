"""Theorem 5 beside its simulation: the shortest change of order of two outputs, and longer ways to it."""

from __future__ import annotations

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet(
    "simulate.probes",
    "Steps to a change of order of two outputs of a random linear network",
    (
        Panel("fc.thm5.flip", "the shortest step", "length", {"classes": 3}),
        Panel("fc.thm5.random", "over one in a random direction", "ratio of lengths", {"classes": 3}),
        Panel("fc.thm5.plane", "over a random one within the plane", "ratio of lengths", {"classes": 3}),
        Panel("fc.thm5.share", "seen of a random vector", "share of its length", {"classes": 3}),
    ),
)

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
