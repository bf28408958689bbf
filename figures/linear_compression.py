"""Figure 2 of feature compression, what single networks look at, and how the choice of valid ones raises the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from figures.shared.words import letters
from fragility.engine.study import Point, label
from fragility.judging.estimates import Estimate, mean
from theory.products.selection import mean_fraction, selected
from theory.reported import FEATURE, find

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COSINE = "#009E73"
PAPER = int(find(FEATURE, "text", "linear study, dimension").value)
PRINTED = {"fraction": "mean fraction", "cos_1": "mean |cos theta_1|"}
SHARES = np.linspace(0.02, 1, 60)


@dataclass(frozen=True)
class Numbers:
    """What is drawn: records of each point, the dimension of single networks, and a line on points without any."""

    records: Sequence[tuple[Point, Mapping[str, np.ndarray]]]
    n: int
    manifest: Mapping[str, Any]
    lacking: Sequence[str]

    @property
    def scales(self) -> list[float]:
        """A row of panels each, the largest first."""
        return sorted({point["scale"] for point, _ in self.records}, reverse=True)

    def of(self, scale: float) -> list[tuple[Point, Mapping[str, np.ndarray]]]:
        """Records at one scale, by dimension."""
        return sorted((record for record in self.records if record[0]["scale"] == scale), key=lambda r: r[0]["n"])


def numbers(run: Path, manifest: Mapping[str, Any], point: Point | None) -> Numbers:
    """Records of all dimensions and scales of the run's last command, at the first of its other settings or `point`'s.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    if not manifest["points"]:
        raise FileNotFoundError(f"no points in {run}: python -m empirical.linear_compression draws some")
    chosen = point or manifest["points"][0]
    alike = [other for other in manifest["points"] if _rest(other) == _rest(chosen)]
    found, empty = [], []
    for other in alike:
        try:
            found.append((other, measured(run, "empirical.linear_compression", other)))
        except FileNotFoundError as none:
            empty.append(other)
            if len(empty) == len(alike):
                raise none from None
    lacking = [f"no records of {len(empty)} of {len(alike)} points, such as {label(empty[0])}"] if empty else []
    held = sorted({other["n"] for other, _ in found})
    single = point["n"] if point else PAPER
    return Numbers(found, single if single in held else held[len(held) // 2], manifest, lacking)


def _rest(point: Point) -> dict[str, Any]:
    return {axis: value for axis, value in point.items() if axis not in ("n", "scale")}


def size(drawn: Numbers) -> tuple[float, float]:
    """A row for each scale."""
    return 7.2, 0.7 + 2.25 * len(drawn.scales)


def draw(figure: Figure, drawn: Numbers) -> None:
    """A row of three panels for each scale."""
    grid = figure.subplots(len(drawn.scales), 3, squeeze=False, sharex="col", sharey="col")
    names = letters()
    for row, scale in zip(grid, drawn.scales, strict=True):
        records = drawn.of(scale)
        _dimensions(row[0], records)
        row[0].set_title(f"({next(names)})  valid networks, scale {scale:g}")
        for point, values in records:
            if point["n"] == drawn.n:
                _networks(row[1], values)
                _selection(row[2], point, values)
        row[1].set_title(f"({next(names)})  n = {drawn.n}, scale {scale:g}")
        row[2].set_title(f"({next(names)})  along training, scale {scale:g}")
    for axes, name in zip(grid[-1], ("input dimension n", r"fraction $|r_{nn}|/\|a_n\|$", "share valid"), strict=True):
        axes.set_xlabel(name)
    for axes in grid[:, 0]:
        axes.set_ylabel("mean")
    grid[0, 0].set_ylim(bottom=0)
    for axes in grid[:, 1]:
        axes.set_ylabel(r"$|\cos\theta_1|$")
    for axes in grid[:, 2]:
        axes.set_ylabel("mean fraction, valid")
    for axes in grid[0]:
        axes.legend()


def title(drawn: Numbers) -> str:
    """What stands above it."""
    counts = sorted({len(values["valid"]) for _, values in drawn.records})
    several = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    settings = _rest(drawn.records[0][0])
    how = f"{settings['optimiser']} at rate {settings['rate']:g}, {settings['epochs']} epochs"
    return (
        f"Trained linear networks: {several} a point, {settings['hidden']} hidden units, {how}, "
        f"seed {drawn.manifest['seed']}"
    )


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return "What trained linear networks look at, beside the law of a random one."


def _dimensions(axes: Axes, records: Sequence[tuple[Point, Mapping[str, np.ndarray]]]) -> None:
    sizes = [point["n"] for point, _ in records]
    smooth = range(min(sizes), max(sizes) + 1)
    axes.plot(smooth, [mean_fraction(n) for n in smooth], color=THEORY, label="E fraction, all networks")
    shares = [values["valid"].mean() for _, values in records]
    means = [selected(n, share, "last").mean() if share else np.nan for n, share in zip(sizes, shares, strict=True)]
    axes.plot(sizes, means, "_", color=THEORY, ms=7, label="its law at the share valid")
    for name, color, marker, text in (
        ("fraction", SIMULATION, "o", "fraction"),
        ("cos_1", COSINE, "s", r"$|\cos\theta_1|$"),
    ):
        shift = 0.12 if name == "cos_1" else -0.12
        estimates = [mean(values[name][values["valid"] == 1]) for _, values in records]
        _points(axes, np.array(sizes) + shift, estimates, color, marker, text)
        if PAPER in sizes:
            axes.plot(
                PAPER + shift, find(FEATURE, "Table 2", PRINTED[name]).value, "*", color=color, mec="black", mew=0.4
            )
    if PAPER in sizes:
        axes.plot([], [], "*", color="white", mec="black", mew=0.5, label="as printed")
    ticks = sizes if len(sizes) < 7 else sizes[::2]
    axes.set(xlim=(min(sizes) - 0.7, max(sizes) + 0.7), xticks=ticks)


def _networks(axes: Axes, values: Mapping[str, np.ndarray]) -> None:
    axes.plot([0, 1], [0, 1], color=THEORY, lw=0.8, label="Theorem 6")
    valid = values["valid"] == 1
    for kept, color, face, text in ((valid, SIMULATION, SIMULATION, "valid"), (~valid, DECOY, "none", "not valid")):
        some = values["fraction"][kept], values["cos_1"][kept]
        axes.plot(*some, "o", color=color, mfc=face, ms=2.6, mew=0.6, alpha=0.7, label=text)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))


def _selection(axes: Axes, point: Point, values: Mapping[str, np.ndarray]) -> None:
    n = point["n"]
    axes.plot(SHARES, [selected(n, p, "last").mean() for p in SHARES], color=THEORY, label=r"largest $|r_{nn}|$ kept")
    by_fraction = [selected(n, p, "fraction").mean() for p in SHARES]
    axes.plot(SHARES, by_fraction, color=THEORY, ls=":", label="largest fraction kept")
    if n == PAPER:
        axes.axhline(find(FEATURE, "Table 2", PRINTED["fraction"]).value, color=CHANCE, lw=2, zorder=0, label="printed")
    kept = [row for row in values["valid_path"].T == 1 if row.sum() > 1]
    estimates = [mean(values["fraction"][row]) for row in kept]
    _points(axes, np.array([row.mean() for row in kept]), estimates, SIMULATION, "o", "measured")
    axes.set(xlim=(0, 1.03), ylim=(0, 0.85))


def _points(axes: Axes, x: np.ndarray, estimates: Sequence[Estimate], color: str, marker: str, text: str) -> None:
    y = np.array([estimate.value for estimate in estimates])
    reach = [y - [estimate.low for estimate in estimates], [estimate.high for estimate in estimates] - y]
    axes.errorbar(x, y, reach, fmt=marker, color=color, ms=3.2, lw=0.9, label=text)


PICTURE = Picture(
    "empirical.linear_compression",
    numbers,
    draw,
    size,
    title,
    caption,
    shows=("Feature compression, Figure 2",),
    point=None,
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
