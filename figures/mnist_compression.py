"""Sevens with the ones made of them and what a network needs to confuse them; that need against its prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.measures.path import ends
from empirical.mnist_compression.tables import ILLUSTRATED, compression, kept, predicted, ratio
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DATA_SETS, DECOY, SIMULATION, THEORY
from fragility.engine.study import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

SIZE = (7.2, 6.6)
SHOWN = ("clean", "artificial", "perturbed")
INK, CHANGE = "gray_r", "PuOr"


@dataclass(frozen=True)
class Numbers:
    """Columns of the images for which the construction works, the point, and how many images were tried."""

    columns: Mapping[str, np.ndarray]
    point: Point
    tried: int


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it, or the construction works for no image.
    """
    read = measured(run, "empirical.mnist_compression", point)
    chosen = kept(read)
    if not len(chosen["works"]):
        raise FileNotFoundError(f"the construction works for none of {len(read['works'])} images of {run}")
    return Numbers(chosen, point, len(read["works"]))


def draw(figure: Figure, drawn: Numbers) -> None:
    """Five pairs of pictures (Figures 3 and 4), |e| against its prediction, and cos theta_k along the way."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.4, 1))
    _pictures(parts[0], drawn)
    left, right = parts[1].subplots(1, 2)
    _scatter(left, drawn.columns)
    _way(right, drawn.columns)


def title(drawn: Numbers) -> str:
    """What stands above it."""
    point = drawn.point
    return (
        f"{len(drawn.columns['works'])} of {drawn.tried} sevens of {DATA_SETS[point['dataset']]}, construction "
        f"{point['construction']}; network {point['network']} after {point['epochs']} epochs"
    )


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return "Sevens, ones made of them, and what a network needs to confuse them."


def _pictures(figure: SubFigure, drawn: Numbers) -> None:
    columns = {name: values[:ILLUSTRATED] for name, values in drawn.columns.items()}
    side = int(columns["clean"].shape[1] ** 0.5)
    change = columns["perturbed"] - columns["clean"]
    strongest = abs(change).max()
    titles = ("7", "artificial 1", r"$7 + e$, called 1", r"$e$")
    grid = figure.subplots(len(titles), ILLUSTRATED, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=CHANCE)
    for row, title in zip(grid, titles, strict=True):
        row[0].set_ylabel(title, rotation=0, ha="right", va="center")
    for number in range(len(columns["works"])):
        for axes, name in zip(grid[:-1, number], SHOWN, strict=True):
            axes.imshow(columns[name][number].reshape(side, side), cmap=INK, vmin=0, vmax=1)
        shade = grid[-1, number].imshow(
            change[number].reshape(side, side), cmap=CHANGE, vmin=-strongest, vmax=strongest
        )
        grid[0, number].set_title(f"no. {int(columns['image'][number])}", loc="center")
        grid[1, number].set_xlabel(f"$L = {columns['length'][number]:.2f}$", labelpad=2)
        grid[3, number].set_xlabel(f"$|e| = {columns['distance'][number]:.2f}$", labelpad=2)
    figure.colorbar(shade, ax=list(grid.flat), shrink=0.22, aspect=8, pad=0.01, anchor=(0, 0.02))
    figure.suptitle("(a)  the first pairs, and the smallest perturbation found", fontsize=8.5, x=0.01, ha="left")


def _scatter(axes: Axes, columns: Mapping[str, np.ndarray]) -> None:
    measured, tie = ratio(columns), predicted(columns)
    known = np.isfinite(tie)
    certified = known & (columns["lower"] > 0)
    low = columns["lower"] / (columns["length"] / 2)
    axes.vlines(tie[certified], low[certified], measured[certified], color=CHANCE, lw=0.8, zorder=1)
    axes.plot(
        compression(columns), measured / 2, "x", color=DECOY, ms=3.2, mew=0.7, label=r"$|e|/L$ against $|\cos\theta|$"
    )
    axes.plot(
        tie[known], measured[known], "o", color=SIMULATION, ms=3.2, mew=0, alpha=0.75, label=r"$|e|/(L/2)$, to the tie"
    )
    right = 1.1 * float(np.nanmax([*tie[known], *compression(columns)]))
    top = 1.3 * float(measured[known].max() if known.any() else measured.max() / 2)
    axes.plot([0, right], [0, right], color=THEORY, lw=0.9, zorder=0, label="as predicted for linear $f$")
    axes.set(
        xlim=(0, right),
        ylim=(0, top),
        xlabel="predicted",
        ylabel="smallest perturbation found",
        title="(b)  perturbation and compression",
    )
    axes.legend(loc="upper left")


def _way(axes: Axes, columns: Mapping[str, np.ndarray]) -> None:
    cosines = -columns["cosines"]
    alpha = ends(cosines.shape[1])
    low, first, middle, third, high = np.quantile(cosines, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    axes.fill_between(alpha, low, high, color=SIMULATION, alpha=0.15, lw=0, label="5 to 95 % of images")
    axes.fill_between(alpha, first, third, color=SIMULATION, alpha=0.3, lw=0, label="quartiles")
    axes.plot(alpha, middle, "o-", color=SIMULATION, ms=3, label="median")
    axes.plot(alpha, cosines.mean(axis=0), "--", color=THEORY, lw=0.9, label="mean (Table 6)")
    axes.axhline(0, color=CHANCE, lw=0.8, zorder=0)
    least, most = min(float(low.min()), 0.0), float(high.max())
    axes.set(
        xlim=(0, 1),
        ylim=(least - 0.05 * (most - least), most + 0.35 * (most - least)),
        xlabel=r"$\alpha$: from the 7 (0) to the artificial 1 (1)",
        ylabel=r"$\cos\theta_k$",
        title="(c)  compression along the way",
    )
    axes.legend(loc="upper left", ncols=2)


PICTURE = Picture(
    "empirical.mnist_compression",
    numbers,
    draw,
    SIZE,
    title,
    caption,
    shows=("Feature compression, Figure 3", "Feature compression, Figure 4"),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
