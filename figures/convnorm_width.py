"""Table 1 and Figures 1 to 3 of ConvNorm: accuracies by width and normalisation, on their way, and spectral norms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.convnorm_width.columns import ATTACKS, WORDS, Cell, cells, seeds, where
from empirical.convnorm_width.study import STUDY
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY, WITNESS
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, mean
from theory import reported
from theory.claims.norm.trained_settings import PER_CENT, flagged, on_cifar

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

WIDE = 7.2
TOP, TABLE, COURSE, NORMS = 2.1, 2.0, 1.15, 2.1  # inches: rows of panels, of courses each
LONGEST = 100  # letters of a line of the title
GUESSING = 0.1  # of ten classes
PIXELS = 255  # steps of a pixel's range, in which radii are printed
ORANGE, GREEN, GREY = "#E69F00", "#009E73", "#7A7A7A"
OF_NORMALISATION = {  # colour and mark
    "vanilla": (GREY, "o"),
    "bn": (SIMULATION, "s"),
    "convnorm": (DECOY, "^"),
    "bn_convnorm": (GREEN, "D"),
}
OF_ATTACK = {"clean": THEORY, "fgsm": ORANGE, "pgd": SIMULATION}
KINDS = {"clean": "no attack", **ATTACKS}
LINES = {"fgsm": "--", "pgd": "-"}
OF_NORM = {  # colour, mark, line and words
    "vanilla": (GREY, "o", "-", "vanilla network"),
    "before": (WITNESS, "s", "-", "kernels of ConvNorm"),
    "after": (DECOY, "^", "-", "the same, normalised"),
    "bound": (THEORY, "_", "none", "Proposition 3.1"),
}
CROSS: Mapping[str, Any] = {"marker": "x", "ms": 4, "mec": THEORY, "mew": 0.8, "zorder": 3}  # of printed numbers


@dataclass(frozen=True)
class Numbers:
    """What is drawn: all columns of a point, and the point."""

    columns: Mapping[str, np.ndarray]
    point: Point

    @property
    def cells(self) -> list[list[Cell]]:
        """Networks, a list for each width."""
        found = cells(self.columns)
        return [[cell for cell in found if cell.place[0] == row] for row in range(self.columns["clean"].shape[1])]


def numbers(run: Path, _manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    return Numbers(measured(run, "empirical.convnorm_width", point), point)


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches: a row of courses for every width, and three rows of panels."""
    return WIDE, sum(_heights(drawn))


def draw(figure: Figure, drawn: Numbers) -> None:
    """Natural accuracy (Figure 3) and accuracy over the radius, Table 1, courses (Figure 2), norms (Figure 1)."""
    parts: Any = figure.subfigures(4, 1, height_ratios=_heights(drawn))
    _accuracies(parts[0], drawn)
    _table(parts[1], drawn)
    _courses(parts[2], drawn)
    _norms(parts[3], drawn)


def title(drawn: Numbers) -> str:
    """What stands above it."""
    return fill(f"WideResNet-16-k, {seeds(drawn.columns)}: {where(drawn.point, STUDY.grid)}", LONGEST)


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return f"Accuracies and spectral norms of WideResNets, {seeds(drawn.columns)}; bars are 95 % intervals over seeds."


def _heights(drawn: Numbers) -> tuple[float, float, float, float]:
    return TOP + 0.3, TABLE, COURSE * len(drawn.cells) + 0.4, NORMS


def _accuracies(figure: SubFigure, drawn: Numbers) -> None:
    """Natural accuracy over the width, and what attacks leave of the widest networks over the radius."""
    columns, widest = drawn.columns, drawn.cells[-1]
    natural, curves = figure.subplots(1, 2, width_ratios=(1, 1.35))
    for cell in widest:
        color, mark = OF_NORMALISATION[cell.normalisation]
        _with_intervals(natural, columns["width"][0], columns["clean"][:, :, cell.place[1]], mark, color)
        for attack, line in LINES.items():
            curve = cell.of(columns[f"curve_{attack}"]).mean(axis=0)
            curves.plot(columns["radii"][0] * PIXELS, curve, line, marker=mark, ms=3, color=color, clip_on=False)
    natural.set(title="(a)  accuracy without attack", xlabel="widening factor k", ylabel="share of images")
    natural.set_xticks(columns["width"][0])
    natural.margins(x=0.08)
    curves.axhline(GUESSING, color=CHANCE, lw=0.8, zorder=0)
    curves.set(
        title=f"(b)  accuracy under attack, k = {widest[0].width}", xlabel=r"radius, $255\,\epsilon$", ylim=(0, 1)
    )
    curves.set_xlim(left=0)
    curves.set_xticks(columns["radii"][0] * PIXELS)
    names = [(*OF_NORMALISATION[cell.normalisation], "-", WORDS[cell.normalisation]) for cell in widest]
    lines = [("0.3", "", line, ATTACKS[attack]) for attack, line in LINES.items()]
    figure.legend(handles=_handles([*names, *lines]), loc="outside lower center", ncols=6)


def _table(figure: SubFigure, drawn: Numbers) -> None:
    """Accuracies under attack over the width, a panel for each normalisation, beside those that are printed."""
    columns, printed = drawn.columns, on_cifar(**drawn.point)
    widths = columns["width"][0].astype(int)
    panels = figure.subplots(1, len(drawn.cells[0]), sharey=True, squeeze=False)[0]
    for axes, cell in zip(panels, drawn.cells[0], strict=True):
        for attack in ATTACKS:
            color = OF_ATTACK[attack]
            _with_intervals(axes, widths, columns[attack][:, :, cell.place[1]], "o", color)
            if printed:
                axes.plot(reported.WIDTHS, _printed(attack, cell.normalisation), ":", color=color, lw=0.8, **CROSS)
        axes.axhline(GUESSING, color=CHANCE, lw=0.8, zorder=0)
        axes.set(title=WORDS[cell.normalisation], xlabel="k", ylim=(-0.03, 1.0))
        axes.set_xticks(sorted({*(reported.WIDTHS if printed else ()), *widths}))
    panels[0].set_ylabel("share of images")
    marks = [(OF_ATTACK[attack], "o", "-", words) for attack, words in ATTACKS.items()]
    figure.legend(
        handles=_handles([*marks, *([("0.3", "x", ":", "printed")] if printed else [])]), loc="upper right", ncols=3
    )
    figure.suptitle(r"(c)  accuracy under attack, $\epsilon = 8/255$ (Table 1)", fontsize=8.5, x=0.01, ha="left")


def _printed(attack: str, normalisation: str) -> list[float]:
    """A column of Table 1 as shares, width by width."""
    name = normalisation.replace("_", "+")
    return [reported.robust_accuracy(ATTACKS[attack], width, name).value / PER_CENT for width in reported.WIDTHS]


def _courses(figure: SubFigure, drawn: Numbers) -> None:
    """Accuracies over epochs of every seed, a panel for each network; epochs that look overfitted are marked."""
    rows, columns = drawn.cells, drawn.columns
    panels = figure.subplots(len(rows), len(rows[0]), sharex=True, sharey=True, squeeze=False)
    epochs = 1 + np.arange(columns["course_clean"].shape[-1])
    for row, networks in zip(panels, rows, strict=True):
        for axes, cell in zip(row, networks, strict=True):
            found = {kind: cell.of(columns[f"course_{kind}"]) for kind in KINDS}
            for kind, course in found.items():
                axes.plot(epochs, course.T, "-", color=OF_ATTACK[kind], lw=0.8, alpha=0.8)
            for course, marked in zip(found["pgd"], flagged(found["fgsm"], found["pgd"]), strict=True):
                axes.plot(epochs[marked], course[marked], "v", color=DECOY, ms=4, mew=0)
            axes.axhline(GUESSING, color=CHANCE, lw=0.8, zorder=0)
            axes.set_ylim(-0.02, 1.0)
        row[0].set_ylabel(f"k = {networks[0].width}")
    for axes, cell in zip(panels[0], rows[0], strict=True):
        axes.set_title(WORDS[cell.normalisation])
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    marks = [(OF_ATTACK[kind], "", "-", words) for kind, words in KINDS.items()]
    figure.legend(handles=_handles([*marks, (DECOY, "v", "none", "looks overfitted")]), loc="upper right", ncols=4)
    figure.suptitle("(d)  accuracy along training, each seed (Figure 2)", fontsize=8.5, x=0.01, ha="left")


def _norms(figure: SubFigure, drawn: Numbers) -> None:
    """Spectral norms layer by layer: of ResNet18 at the start and trained, of the widest WideResNets."""
    columns = drawn.columns
    wide = {cell.normalisation: cell for cell in drawn.cells[-1]}
    shown: dict[str, dict[str, np.ndarray]] = {
        f"ResNet18, {words}": {key: columns[f"resnet_{key}{ending}"] for key in ("before", "after")}
        for ending, words in (("", "untrained"), ("_trained", "trained"))
        if not np.isnan(columns[f"resnet_before{ending}"]).all()
    }
    if "convnorm" in wide:
        cell = wide["convnorm"]
        found = {"before": "norm_weights", "after": "norm_layer", "bound": "bound"}
        norms = {key: cell.of(columns[name]) for key, name in found.items()}
        if "vanilla" in wide:
            norms["vanilla"] = wide["vanilla"].of(columns["norm_layer"])
        shown[f"WideResNet-16-{cell.width}, trained"] = norms
    for axes, (title, norms) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
        for key, values in norms.items():
            color, mark, line, _ = OF_NORM[key]
            there = ~np.isnan(values).any(axis=0)
            place, means = 1 + np.flatnonzero(there), values[:, there].mean(axis=0)
            axes.plot(place, means, ls=line, marker=mark, ms=3, lw=0.8, color=color)
        axes.set(title=title, xlabel="convolution", yscale="log")
        axes.xaxis.get_major_locator().set_params(integer=True)
        _plain(axes)
    figure.axes[0].set_ylabel("spectral norm")
    keys = [key for key in OF_NORM if any(key in norms for norms in shown.values())]
    figure.legend(handles=_handles([OF_NORM[key] for key in keys]), loc="upper right", ncols=4)
    figure.suptitle("(e)  spectral norms (Figure 1)", fontsize=8.5, x=0.01, ha="left")


def _plain(axes: Axes) -> None:
    """Plain numbers along a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _with_intervals(axes: Axes, x: np.ndarray, values: np.ndarray, mark: str, color: str) -> None:
    """Means over seeds of shares (seeds, places) with their intervals, where there are several seeds."""
    found = [mean(column, within=SHARE) for column in values.T]
    middle = np.array([estimate.value for estimate in found])
    ends = np.array([[one.value - one.low, one.high - one.value] for one in found]).T
    axes.errorbar(
        x, middle, ends if np.isfinite(ends).all() else None, fmt=f"-{mark}", ms=3.5, capsize=1.5, lw=1.0, color=color
    )


def _handles(entries: Sequence[tuple[str, str, str, str]]) -> list[Any]:
    """Of a legend: colours, marks, lines and words."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=color, marker=mark, ls=line, ms=4, lw=1.0, label=words)
        for color, mark, line, words in entries
    ]


PICTURE = Picture(
    "empirical.convnorm_width",
    numbers,
    draw,
    size,
    title,
    caption,
    shows=("ConvNorm, Figure 1", "ConvNorm, Figure 2", "ConvNorm, Figure 3"),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
