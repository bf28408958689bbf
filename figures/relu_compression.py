"""Compression of trained ReLU networks along the segment of Table 3, and the perturbations of Table 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from fragility.engine.study import Point, label
from fragility.judging.estimates import mean
from theory.gradients.gradient_plane import mean_compression
from theory.reported import ALPHAS, FEATURE, find

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRAWN = (
    *("compression", "cosine", "untrained_compression", "fraction", "column"),
    *("perturbation_cosine", "distance", "lower", "optimum"),
)


@dataclass(frozen=True)
class Numbers:
    """What is drawn: columns of the accurate networks of a point, and how many there are of all."""

    columns: Mapping[str, np.ndarray]
    networks: int
    point: Point
    manifest: Mapping[str, Any]


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """The accurate networks of a point.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    found = measured(run, "empirical.relu_compression", point)
    valid = found["valid"] == 1
    if not valid.any():
        raise FileNotFoundError(f"no network of {label(point)} in {run} has accuracy 1: more --epochs")
    columns = {name: found[name][valid] for name in DRAWN}
    return Numbers(columns, len(valid), point, manifest)


def draw(figure: Figure, drawn: Numbers) -> None:
    """Table 3 on the left, Table 4 on the right."""
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _along(left, drawn)
    _perturbations(right, drawn)


def title(drawn: Numbers) -> str:
    """What stands above it."""
    layers, point = drawn.point["layers"], drawn.point
    return (
        f"{len(drawn.columns['column'])} of {drawn.networks} ReLU networks with accuracy 1: "
        f"{layers} hidden layer{'s' if layers > 1 else ''} of {point['width']}, n = {point['n']}, "
        f"scale {point['scale']:g}, seed {drawn.manifest['seed']}"
    )


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return "Compression of trained ReLU networks along a segment, and their smallest perturbations."


def _along(axes: Axes, drawn: Numbers) -> None:
    alphas, n = np.arange(len(ALPHAS)) / (len(ALPHAS) - 1), drawn.point["n"]
    for gradients, style in ((2, "-"), (1, ":")):
        axes.axhline(mean_compression(n, gradients), color=THEORY, ls=style, lw=0.9)
    series = (
        ("compression", SIMULATION, "o", "trained, both gradients", 0.014),
        ("cosine", "#56B4E9", "s", "trained, their difference", -0.014),
        ("untrained_compression", "#7A7A7A", "^", "before training, both", 0.0),
    )
    for name, color, marker, text, shift in series:
        found = [mean(drawn.columns[name][:, k]) for k in range(len(alphas))]
        middle = np.array([estimate.value for estimate in found])
        bars = [middle - [estimate.low for estimate in found], [estimate.high for estimate in found] - middle]
        axes.errorbar(
            alphas + shift,
            middle,
            np.where(np.isfinite(bars), bars, 0.0),
            color=color,
            fmt=marker,
            ms=3.2,
            lw=0.8,
            label=text,
        )
    if n == 12 and drawn.point["layers"] == 1:
        printed = [find(FEATURE, "Table 3", "mean", alpha).value for alpha in ALPHAS]
        axes.plot(alphas, printed, "x", color=DECOY, ms=4.5, label="printed means")
    axes.plot([], [], color=THEORY, lw=0.9, label=r"law of two gradients, mean")
    axes.plot([], [], color=THEORY, lw=0.9, ls=":", label=r"law of one gradient, mean")
    axes.set(xlabel=r"$\alpha$ on the segment from $x_1$ to $x_2$", ylabel=r"$\|P(x_2 - x_1)\| / \|x_2 - x_1\|$")
    axes.set_ylim(0, None)
    axes.set_title("(a)  compression, mean and 95 % interval", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


def _perturbations(axes: Axes, drawn: Numbers) -> None:
    c = drawn.columns
    predicted = c["perturbation_cosine"] * c["column"][:, None]
    shown = np.isfinite(c["distance"]) & np.isfinite(predicted)
    x, high, low, best = predicted[shown], c["distance"][shown], c["lower"][shown], c["optimum"][shown]
    axes.vlines(x, low, high, color=SIMULATION, lw=0.4, alpha=0.25)
    axes.plot(x, best, ".", color="#009E73", ms=1.6, alpha=0.5, label="half distance of nearest other label")
    axes.plot(x, high, ".", color=SIMULATION, ms=2.2, alpha=0.6, label="found, down to the certified bound")
    ends = np.array([x.min(), x.max()]) if len(x) else np.array([0.0, 1.0])
    axes.plot(ends, ends, color=THEORY, lw=0.9, label="equal")
    axes.set(
        xlabel=r"$|\cos\theta|\ \|a_n\|$", ylabel="smallest perturbation of an input", xlim=(0, None), ylim=(0, None)
    )
    axes.grid(lw=0.3, color=CHANCE)
    axes.set_title(f"(b)  {shown.sum()} inputs", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))


PICTURE = Picture("empirical.relu_compression", numbers, draw, (7.2, 3.6), title, caption)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
