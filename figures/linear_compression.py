"""Figure 2 of feature compression, what single networks look at, and how the choice of valid ones raises the mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from figures.shared.legends import labelled, legends
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, few, marks, means, of_all, printed
from figures.shared.style import CHANCE, DECOY, GREEN, SIMULATION, THEORY
from figures.shared.tidy import Quantity, tidy
from figures.shared.words import letters
from fragility.engine.study import Point, label
from fragility.judging.estimates import SHARE
from fragility.tables import Table
from theory.products.fraction import fraction_law
from theory.products.selection import By, mean_fraction, selected
from theory.reported import FEATURE, find

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER = int(find(FEATURE, "text", "linear study, dimension").value)
PRINTED = {"fraction": "mean fraction", "cos_1": "mean |cos theta_1|"}
LOOK = {"fraction": ("o", SIMULATION, "fraction, measured"), "cos_1": ("s", GREEN, r"$|\cos\theta_1|$, measured")}
SHIFT = {"fraction": -0.14, "cos_1": 0.14}  # to either side of the dimension
SHARES = np.linspace(0.02, 1, 60)
QUARTILES = (0.25, 0.75)
LEGENDS = 1.05  # inches


@dataclass(frozen=True)
class Networks:
    """Single networks, one entry each: both ratios in [0, 1], and whether the network is valid; and how many of all."""

    fraction: np.ndarray
    cosine: np.ndarray
    valid: np.ndarray
    count: int


@dataclass(frozen=True)
class Course:
    """Along training: the share of networks that are valid, and the mean fraction of these."""

    share: np.ndarray
    fraction: Means


@dataclass(frozen=True)
class Row:
    """At one scale of the columns: dimensions, networks there, those valid, their means; networks at one dimension."""

    scale: float
    dimensions: np.ndarray
    networks: np.ndarray
    valid: np.ndarray
    fraction: Means
    cosine: Means
    single: Networks | None
    course: Course | None


@dataclass(frozen=True)
class Numbers:
    """What is drawn: a row of panels for each scale, and what all networks have in common.

    Parameters
    ----------
    rows : the largest scale first.
    n : dimension of the single networks.
    settings : axes of the point other than n and scale.
    lacking : a line on points without records.
    """

    rows: tuple[Row, ...]
    n: int
    settings: Mapping[str, Any]
    seed: int
    lacking: tuple[str, ...]

    def tidy(self) -> Table:
        """All of it; `network` and `look` count networks and looks at the training in their order."""
        return tidy([quantity for row in self.rows for quantity in self._of(row)], title(self))

    def _of(self, row: Row) -> Iterator[Quantity]:
        at = {"scale": [row.scale], "n": row.dimensions}
        yield from (Quantity(name, getattr(row, name)[None], at) for name in ("networks", "valid"))
        yield from (Quantity(f"mean {name}", getattr(row, name)[None], at) for name in ("fraction", "cosine"))
        one = {"scale": [row.scale], "n": [self.n]}
        if row.single is not None:
            networks = one | {"network": few(row.single.count)}
            for name in ("fraction", "cosine", "valid"):
                yield Quantity(f"{name} of a network", getattr(row.single, name)[None, None], networks)
        if row.course is not None:
            looks = one | {"look": range(len(row.course.share))}
            yield Quantity("valid share along training", row.course.share[None, None], looks)
            yield Quantity("mean fraction along training", row.course.fraction[None, None], looks)


def numbers(run: Path, manifest: Mapping[str, Any], point: Point | None) -> Numbers:
    """Records of all dimensions and scales of the run's last command, at the first of its other settings or `point`'s.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    if not manifest["points"]:
        raise FileNotFoundError(f"no points in {run}: python -m empirical.linear_compression draws some")
    settings = _rest(point or manifest["points"][0])
    alike = [other for other in manifest["points"] if _rest(other) == settings]
    found, empty = [], []
    for other in alike:
        try:
            found.append((other, measured(run, "empirical.linear_compression", other)))
        except FileNotFoundError as none:
            empty.append(other)
            if len(empty) == len(alike):
                raise none from None
    lacking = (f"no records of {len(empty)} of {len(alike)} points, such as {label(empty[0])}",) if empty else ()
    held = sorted({other["n"] for other, _ in found})
    single = point["n"] if point else PAPER
    n = single if single in held else held[len(held) // 2]
    scales = sorted({other["scale"] for other, _ in found}, reverse=True)
    rows = tuple(_row(scale, {o["n"]: columns for o, columns in found if o["scale"] == scale}, n) for scale in scales)
    return Numbers(rows, n, settings, manifest["seed"], lacking)


def _rest(point: Point) -> dict[str, Any]:
    return {axis: value for axis, value in point.items() if axis not in ("n", "scale")}


def _row(scale: float, records: Mapping[int, Mapping[str, np.ndarray]], n: int) -> Row:
    """Of the records by dimension."""
    sizes = sorted(records)
    valid = {size: records[size]["valid"] == 1 for size in sizes}
    kept = {name: means_of([records[size][name][valid[size]] for size in sizes]) for name in ("fraction", "cos_1")}
    return Row(
        float(scale),
        np.array(sizes),
        np.array([len(valid[size]) for size in sizes]),
        np.array([int(valid[size].sum()) for size in sizes]),
        kept["fraction"],
        kept["cos_1"],
        _networks(records[n]) if n in records else None,
        _course(records[n]) if n in records else None,
    )


def means_of(samples: Sequence[np.ndarray]) -> Means:
    """Means of samples of different sizes, one after the other; NaN of an empty one."""
    longest = max((len(sample) for sample in samples), default=0)
    padded = np.full((max(longest, 1), len(samples)), np.nan)
    for column, sample in enumerate(samples):
        padded[: len(sample), column] = sample
    return means(padded, SHARE)


def _networks(values: Mapping[str, np.ndarray]) -> Networks:
    count = len(values["valid"])
    some = few(count)
    return Networks(values["fraction"][some], values["cos_1"][some], values["valid"][some].astype(int), count)


def _course(values: Mapping[str, np.ndarray]) -> Course:
    """At the looks at which two networks are valid, or more."""
    kept = [row for row in values["valid_path"].T == 1 if row.sum() > 1]
    return Course(np.array([row.mean() for row in kept]), means_of([values["fraction"][row] for row in kept]))


def size(drawn: Numbers) -> tuple[float, float]:
    """A row for each scale, and the legends."""
    return 7.2, 0.3 + LEGENDS + 2.0 * len(drawn.rows)


def title(drawn: Numbers) -> str:
    """How many networks there are, and how they were trained."""
    settings = drawn.settings
    how = f"{settings['optimiser']} at rate {settings['rate']:g}, {settings['epochs']} epochs"
    return (
        f"Trained linear networks: {_networks_of(drawn)} a point, {settings['hidden']} hidden units, {how}, "
        f"seed {drawn.seed}"
    )


def caption(drawn: Numbers) -> str:
    """What each panel shows, and how many networks it is of."""
    row = drawn.rows[0]
    singles = [one.single for one in drawn.rows if one.single is not None]
    some = of_all(len(singles[0].fraction), singles[0].count, "networks") if singles else "none"
    return (
        "Linear networks trained on x = Az at all sign vectors z of n entries, A Gaussian n x n with all columns but "
        f"the last times the scale; {_networks_of(drawn)} networks a point, each with its own A. A network is valid if "
        "it classifies all points right. Left, a row of panels for each scale: means over the valid networks of the "
        "fraction |r_nn| / ||a_n||, which Theorem 6 predicts, and of |cos theta_1|, what is measured; bars are "
        f"{LEVEL} intervals over networks (Student). Line: the exact mean of the fraction over all networks, in its "
        "law's quartiles (grey); dashes: the mean if the valid networks are those with the largest |r_nn|, at the "
        f"share that is valid. Open marks: what is printed for n = {PAPER}. Middle: single networks at n = {drawn.n}, "
        f"{some}; on the line both numbers are equal. Right: the mean fraction of the networks that are valid after "
        "some epochs, over their share, beside laws of the largest |r_nn| (solid) and the largest fractions (dotted); "
        "dashed, the printed mean, whose share of valid networks is not known. All numbers are ratios without a unit. "
        f"{len(row.dimensions)} dimensions from {row.dimensions[0]} to {row.dimensions[-1]}."
    )


def _networks_of(drawn: Numbers) -> str:
    counts = sorted({int(count) for row in drawn.rows for count in row.networks})
    return f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])


def draw(figure: Figure, drawn: Numbers) -> None:
    """A row of three panels for each scale."""
    above, below = cast("Any", figure.subfigures(2, 1, height_ratios=(2.0 * len(drawn.rows), LEGENDS)))
    grid = above.subplots(len(drawn.rows), 3, squeeze=False, sharex="col", sharey="col")
    names = letters()
    for (left, middle, right), row in zip(grid, drawn.rows, strict=True):
        _dimensions(left, row)
        if row.single is not None:
            _single(middle, row.single)
        if row.course is not None:
            _selection(right, drawn.n, row.course)
        left.set(title=f"({next(names)})  valid networks, scale {row.scale:g}", ylabel="mean over networks")
        middle.set(title=f"({next(names)})  n = {drawn.n}, scale {row.scale:g}", ylabel=r"$|\cos\theta_1|$")
        right.set(title=f"({next(names)})  along training, scale {row.scale:g}", ylabel="mean fraction, valid")
    labels = "input dimension n", r"fraction $|r_{nn}|/\|a_n\|$", "share of networks that are valid"
    for axes, text in zip(grid[-1], labels, strict=True):
        axes.set_xlabel(text)
    legends(below, [labelled(panels) for panels in grid.T])
    grid[0, 0].set_ylim(bottom=0)


def _dimensions(axes: Axes, row: Row) -> None:
    sizes = row.dimensions
    smooth = np.arange(sizes[0], sizes[-1] + 1) if len(sizes) > 1 else np.array([sizes[0] - 0.5, sizes[0] + 0.5])
    whole = [round(n) if len(sizes) > 1 else int(sizes[0]) for n in smooth]
    low, high = np.array([fraction_law(n, (n,)).ppf(QUARTILES) for n in whole]).T
    axes.plot(smooth, [mean_fraction(n) for n in whole], color=THEORY, label="mean fraction, all networks")
    axes.fill_between(smooth, low, high, color=CHANCE, alpha=0.6, lw=0, label="quartiles of its law")
    shares = row.valid / row.networks
    kept = [selected(n, share, "last").mean() if share else np.nan for n, share in zip(sizes, shares, strict=True)]
    axes.plot(sizes, kept, "_", color=THEORY, ms=9, mew=1.3, label="the same at the share valid")
    for name, found in (("fraction", row.fraction), ("cos_1", row.cosine)):
        mark, color, words = LOOK[name]
        marks(axes, sizes + SHIFT[name], found, mark, color, label=words)
        if PAPER in sizes:
            value = find(FEATURE, "Table 2", PRINTED[name]).value
            printed(axes, PAPER + SHIFT[name], value, mark, label="printed" if name == "fraction" else None)
    axes.set(xlim=(sizes[0] - 0.7, sizes[-1] + 0.7), xticks=sizes if len(sizes) < 7 else sizes[::2])


def _single(axes: Axes, found: Networks) -> None:
    axes.plot([0, 1], [0, 1], color=THEORY, lw=0.9, label="equal, as in Theorem 6")
    valid = found.valid == 1
    for kept, mark, color, face, words in (
        (~valid, "^", DECOY, "none", "not valid"),
        (valid, "o", SIMULATION, SIMULATION, "valid networks"),
    ):
        axes.plot(
            found.fraction[kept],
            found.cosine[kept],
            mark,
            color=color,
            mfc=face,
            ms=2.4,
            mew=0.5,
            alpha=0.75,
            label=words,
        )
    axes.set(xlim=(0, 1), ylim=(0, 1.02))


def _selection(axes: Axes, n: int, course: Course) -> None:
    selections: Sequence[tuple[By, str, str]] = (
        ("last", "-", r"largest $|r_{nn}|$ kept"),
        ("fraction", ":", "largest fraction kept"),
    )
    for by, line, words in selections:
        axes.plot(SHARES, [selected(n, p, by).mean() for p in SHARES], line, color=THEORY, label=words)
    if n == PAPER:
        value = find(FEATURE, "Table 2", PRINTED["fraction"]).value
        axes.axhline(value, color=THEORY, lw=0.8, ls=(0, (5, 3)), zorder=0, label="printed, its share not known")
    marks(axes, course.share, course.fraction, "o", SIMULATION, label="measured")
    axes.set(xlim=(0, 1.03), ylim=(0, 0.85))


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
