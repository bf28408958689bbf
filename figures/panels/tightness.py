"""Panels of bounds and identities: by how much each fails in its worst world, and how near to equality it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY, WITNESS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fragility.claim import Claim
    from fragility.judging.evidence import Evidence

SHOWN = 1e-8, 1e13  # worst excess over tolerance; what lies beyond is drawn at the edge
SLACK = 1e-16, 10.0  # of bounds
MIDDLE = 0.05, 0.95  # quantiles of the worlds' slack between which a line is drawn


@dataclass(frozen=True)
class StatementNumbers:
    """One statement in all its worlds.

    Parameters
    ----------
    id : of its row of the table.
    holds : whether the table says so.
    worst : largest excess over the worlds, over the claim's tolerance; at most 1 if it holds.
    decoys : the same of each decoy, (k,).
    slack : of a bound that stands, minus the excess: in the world nearest to equality, and between which values most
        worlds lie; None of any other statement.
    worlds : how many.
    """

    id: str
    holds: bool
    worst: float
    decoys: np.ndarray
    slack: tuple[float, float, float] | None
    worlds: int


def numbers(claim: Claim, evidence: Evidence) -> StatementNumbers:
    """Of a bound or an identity from its worlds; of one that fails from its witness."""
    excess = evidence.values("excess")
    some = claim.decoys and "decoys" in evidence.statistics
    slack = None
    if claim.kind == "bound" and claim.holds:
        low, high = np.quantile(-excess, MIDDLE, method="nearest")
        slack = -float(excess.max()), float(low), float(high)
    return StatementNumbers(
        id=claim.id,
        holds=claim.holds,
        worst=float(excess.max()) / claim.tolerance,
        decoys=evidence.values("decoys").max(axis=0) / claim.tolerance if some else np.empty(0),
        slack=slack,
        worlds=evidence.samples,
    )


def draw_excess(axes: Axes, rows: Sequence[Sequence[StatementNumbers]], lane: float) -> None:
    """Worst excess over tolerance of the statements of each row, and of the decoys in a lane below them.

    Parameters
    ----------
    lane : distance from the row's middle to either lane, 0 for one lane.
    """
    axes.axvline(1, color=THEORY, lw=0.9)
    for y, statements in enumerate(rows):
        for statement in statements:
            marker, color = ("o", SIMULATION) if statement.holds else ("D", WITNESS)
            _dots(axes, [statement.worst], y - lane, SHOWN, marker, color)
            _dots(axes, statement.decoys, y + lane, SHOWN, marker="|", color=DECOY)
    axes.set(xscale="log", xlim=(SHOWN[0] / 3, SHOWN[1] * 3), xlabel="worst excess over all worlds / tolerance")
    axes.set_xticks(10.0 ** np.arange(-8, 13, 4), ["≤ $10^{-8}$", "$10^{-4}$", "1", "$10^4$", "$10^8$", "$10^{12}$"])
    axes.minorticks_off()


def draw_slack(axes: Axes, rows: Sequence[Sequence[StatementNumbers]], lines: bool) -> None:
    """How near to equality the bounds of each row come, relative to 1 + |right side|; with lines over most worlds."""
    for y, statements in enumerate(rows):
        for statement in statements:
            if statement.slack is None:
                continue
            nearest, *middle = np.clip(statement.slack, *SLACK)
            if lines:
                axes.hlines(y, *middle, color=CHANCE, lw=3)
            _dots(axes, [nearest], y, SLACK, marker="o", color=SIMULATION)
    axes.set(xscale="log", xlim=(SLACK[0] / 5, SLACK[1] * 3), xlabel="slack of a bound, relative")
    axes.set_xticks([1e-16, 1e-8, 1], ["≤ $10^{-16}$", "$10^{-8}$", "1"])
    axes.minorticks_off()


def _dots(
    axes: Axes, values: Sequence[float] | np.ndarray, y: float, ends: tuple[float, float], marker: str, color: str
) -> None:
    shown = np.clip(values, *ends)
    size, width = (4.5, 0.9) if marker == "|" else (2.6, 0.0)
    axes.plot(shown, np.full(len(shown), y), ls="", marker=marker, color=color, ms=size, mew=width, alpha=0.75)
