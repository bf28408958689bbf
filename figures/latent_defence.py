"""Figures 4 to 6 of latent and SVD defences, each space in its own units, and all of them in pixels, way by way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DATA_SETS, DECOY, SIMULATION, THEORY, WITNESS
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, Bounds, mean
from theory.claims.latent.trained_settings import AE_ENCODING, CLASSIFIERS, GRADIENTS, SPACES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.2, 5.6)
GREEN = "#009E73"
NAMES = {
    "image": "image",
    "ae_encoding": "AE encoding",
    "ae_projection": "AE projection",
    "vae_encoding": "VAE encoding",
    "vae_projection": "VAE projection",
}
KINDS = {"1l": ("1L", SIMULATION, "o"), "2l": ("2L", DECOY, "s"), "lrl": ("LRL", GREEN, "^")}
WAYS = {  # colour, mark, and words
    "transfer": ("#7A7A7A", "x", "along the image classifier's examples"),
    "exact": ("#E69F00", "o", "gradient"),
    "implicit": ("#56B4E9", "s", "implicit gradient"),
    "steps": (WITNESS, "^", "gradient through the steps"),
    "expected": ("#CC79A7", "D", "expected gradient"),
}
POSITIVE: Bounds = (0.0, np.inf)
APART = 0.24  # of the three classifiers of a space, and of the ways of attack
REACHED = 0.95  # of attempts: below it a mean speaks of too few of them


@dataclass(frozen=True)
class Numbers:
    """What is drawn: all columns of a point, and the point."""

    columns: Mapping[str, np.ndarray]
    point: Point


def numbers(run: Path, _manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    return Numbers(measured(run, "empirical.latent_defence", point), point)


def draw(figure: Figure, drawn: Numbers) -> None:
    """Accuracy, robustness and adversarial accuracy by space; below, perturbations of pixels by kind of classifier."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.12))
    columns = drawn.columns
    accuracy, robustness, adversarial = parts[0].subplots(1, 3, sharey=True)
    _by_space(accuracy, columns["test_accuracy"], "(a)  accuracy", "share of test images")
    accuracy.set_xlim(right=1)
    relative = columns["robustness"], "(b)  robustness, in own units", r"$\|\delta\|\,/\,\|x\|$"
    _by_space(robustness, *relative, within=POSITIVE, success=columns["success"])
    robustness.set_xlim(left=0)
    right = np.concatenate((_others(columns["transfer"]), columns["adversarial_accuracy"]), axis=1)
    _by_space(adversarial, right, "(c)  accuracy on image examples", "share of examples")
    _ticks(adversarial, columns["coded_accuracy"])
    adversarial.set_xlim(0, 1)
    _rows(accuracy)
    parts[0].legend(handles=_kinds(), loc="outside lower center", ncols=6, columnspacing=1.0, handletextpad=0.3)
    panels = parts[1].subplots(1, len(CLASSIFIERS), sharex=True, sharey=True)
    for number, (axes, kind) in enumerate(zip(panels, CLASSIFIERS, strict=True)):
        _pixels(axes, columns, number)
        axes.set_title(f"({'def'[number]})  {KINDS[kind][0]}, in pixels")
        axes.set_xlabel(r"smallest $\|\delta\|_2$ of pixels")
    _rows(panels[0])
    parts[1].legend(handles=_ways(columns), loc="outside lower center", ncols=4, columnspacing=1.2, handletextpad=0.3)


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return "Classifiers of images and of latent codes under attack."


def title(drawn: Numbers) -> str:
    """What stands above it."""
    seeds, images = len(drawn.columns["seed"]), DATA_SETS[drawn.point["dataset"]]
    return (
        f"Classifiers of images and of codes: {images}, {seeds} seed{'s' if seeds > 1 else ''}\n"
        "(a) to (c): means over seeds, 95 % intervals; (d) to (f): medians over images, then over seeds, and ranges"
    )


def _rows(axes: Axes) -> None:
    """A row for each space, the image on top."""
    axes.set_yticks(range(len(SPACES)), [NAMES[space] for space in SPACES])
    axes.set_ylim(len(SPACES) - 0.5, -0.5)


def _banded(axes: Axes) -> None:
    """Every second row is shaded, so that its marks are read together."""
    for row in range(0, len(SPACES), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="0.96", lw=0, zorder=0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _by_space(
    axes: Axes,
    column: np.ndarray,
    title: str,
    label: str,
    within: Bounds = SHARE,
    success: np.ndarray | None = None,
) -> None:
    """Means over seeds of a column (seeds, spaces, classifiers) and their intervals.

    Where too few attempts, (seeds, spaces, classifiers), reached their goal, a mark is hollow.
    """
    _banded(axes)
    for place, number in np.ndindex(column.shape[1:]):
        _, color, mark = KINDS[CLASSIFIERS[number]]
        row = place + APART * (number - 1)
        found = mean(column[:, place, number], within=within)
        if np.isfinite([found.low, found.high]).all():
            axes.plot([found.low, found.high], [row, row], color=color, lw=1.4, alpha=0.5, solid_capstyle="butt")
        few = success is not None and not np.mean(success[:, place, number]) >= REACHED
        axes.plot(found.value, row, mark, color=color, mfc="white" if few else color, ms=4, mew=0.9)
    axes.set(title=title, xlabel=label)
    axes.locator_params(axis="x", nbins=5)


def _others(transfer: np.ndarray) -> np.ndarray:
    """Accuracy of each classifier of images on what was made for the other two, (seeds, 1, classifiers)."""
    own = np.eye(transfer.shape[-1], dtype=bool)
    return np.where(own, 0.0, transfer).sum(axis=1, keepdims=True) / (len(own) - 1)


def _ticks(axes: Axes, coded: np.ndarray) -> None:
    """What the classifiers make of the same images unperturbed."""
    for number, kind in enumerate(CLASSIFIERS):
        rows = np.arange(coded.shape[1]) + AE_ENCODING + APART * (number - 1)
        axes.plot(coded[:, :, number].mean(axis=0), rows, "|", color=KINDS[kind][1], ms=6, mew=1.1)


def _pixels(axes: Axes, columns: Mapping[str, np.ndarray], kind: int) -> None:
    """For each space the smallest perturbation by way of attack, the smallest of all, and what is certified."""
    _banded(axes)
    by_way, lower = columns["pixels_by"][:, :, kind], np.median(columns["pixels_lower"][:, :, kind], axis=0)
    ends = _ends(columns)
    axes.set_xscale("log")
    axes.set_xlim(ends[0], 1.1 * ends[1])
    for row, space in enumerate(by_way.transpose(1, 2, 0)):
        axes.barh(row, max(lower[row] - ends[0], 0.0), left=ends[0], height=0.9, color=CHANCE, lw=0)
        ways = [way for way, values in enumerate(space) if not np.isnan(values).all()]
        for place, way in enumerate(ways):
            color, mark, _ = WAYS[GRADIENTS[way]]
            _spread(axes, space[way], row + APART * (place - (len(ways) - 1) / 2), color, mark, ends)
        best = np.median(columns["pixels"][:, row, kind])
        if np.isfinite(best):
            axes.plot([best, best], [row - 0.45, row + 0.45], color=THEORY, lw=1.3, zorder=1.5)
    axes.xaxis.set_major_formatter("{x:g}")


def _spread(axes: Axes, values: np.ndarray, row: float, color: str, mark: str, ends: tuple[float, float]) -> None:
    """The median over seeds and the range; what is infinite is an arrow at the edge, and 0 a mark at the other."""
    known = values[~np.isnan(values)]
    low, middle, high = (float(np.clip(reduce(known), *ends)) for reduce in (np.min, np.median, np.max))
    axes.plot([low, high], [row, row], color=color, lw=1.4, alpha=0.5, solid_capstyle="butt")
    axes.plot(middle, row, mark if middle < ends[1] else ">", color=color, ms=4, mew=0.9, clip_on=False)


def _ends(columns: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Somewhat below and beyond all perturbations: where those of 0, and infinite ones, are drawn."""
    every = np.concatenate([np.ravel(columns[name]) for name in ("pixels_by", "pixels", "pixels_lower")])
    sizes = every[np.isfinite(every) & (every > 0)]
    return (sizes.min() / 1.5, 1.5 * sizes.max()) if sizes.size else (0.1, 1.0)


def _kinds() -> Sequence[Any]:
    from matplotlib.lines import Line2D

    kinds = [Line2D([], [], color=color, marker=mark, ms=4, ls="", label=name) for name, color, mark in KINDS.values()]
    hollow = Line2D([], [], color="0.4", marker="o", mfc="white", ms=4, ls="", label="(b): fewer than 95 % reached")
    clean = Line2D([], [], color="0.4", marker="|", ms=6, mew=1.1, ls="", label="(c): the same, unperturbed")
    others = Line2D([], [], ls="", label="(c), image: made for the other two")
    return [*kinds, hollow, clean, others]


def _ways(columns: Mapping[str, np.ndarray]) -> Sequence[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    tried = {GRADIENTS[way] for way in np.flatnonzero(~np.isnan(columns["pixels_by"]).all(axis=(0, 1, 2)))}
    ways = [
        Line2D([], [], color=color, marker=mark, ms=4, ls="", label=words)
        for way, (color, mark, words) in WAYS.items()
        if way in tried
    ]
    none = Line2D([], [], color="0.4", marker=">", ms=4, ls="", label="none found")
    every = Line2D([], [], color=THEORY, lw=1.3, label="all ways together")
    return [*ways, none, every, Patch(color=CHANCE, lw=0, label="certified")]


PICTURE = Picture(
    "empirical.latent_defence",
    numbers,
    draw,
    SIZE,
    title,
    caption,
    shows=tuple(f"Latent and SVD defences, Figure {number}" for number in (4, 5, 6)),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
