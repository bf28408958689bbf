"""The rungs of the joint margin bounds over the exact optimum, against depth, for every width and budget of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures.shared.picture import Picture
from figures.shared.records import drawn as recorded
from figures.shared.style import CHANCE, DECOY, GREEN, GREY, ROSE, SIMULATION, SKY, THEORY
from figures.shared.words import letters
from fragility.engine.study import Point
from simulate.ladder.study import STUDY
from simulate.ladder.table import Rungs, gathered, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOK = {  # name, colour, marker and line of each rung
    "attack": ("best attack", SIMULATION, "o", "-"),
    "lp": ("LP", GREEN, "^", "-"),
    "crown": ("CROWN", SKY, "v", "-"),
    "interval": ("interval", ROSE, "s", "-"),
    "theorem": (r"$\tau + \zeta$, corrected", THEORY, "D", "-"),
    "clean": ("clean recursion", GREY, "P", ":"),
    "printed": (r"$\tau + \zeta$, as printed", DECOY, "x", "--"),
}
SPREAD = 0.52  # of the unit between two depths that the rungs of one depth take


@dataclass(frozen=True)
class Numbers:
    """What is drawn: the rungs of every point of a run, and its seed."""

    rungs: Sequence[Rungs]
    seed: int


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """Rungs at all points of a run with as many classes as `point`.

    Raises
    ------
    FileNotFoundError : there are no records of them.
    """
    chosen = [other for other in manifest["points"] if other["classes"] == point["classes"]]
    found = [rungs for other in chosen if (rungs := _rungs(run, other))]
    if not found:
        raise FileNotFoundError(f"no records of {point['classes']} classes in {run}")
    return Numbers(found, manifest["seed"])


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches: as two rows and three columns have it, or in proportion for more."""
    widths = {rungs.point["width"] for rungs in drawn.rungs}
    budgets = {(rungs.point["x"], rungs.point["w"]) for rungs in drawn.rungs}
    return max(7.2, 2.4 * len(budgets)), max(5.0, 1.0 + 2.0 * len(widths))


def _rungs(run: Path, point: Point) -> Rungs | None:
    """From the method that measures the most of them."""
    for name, method in STUDY.methods.items():
        if tables := recorded(run, STUDY.name, name, point, method.statistics):
            return summary(point, gathered(tables))
    return None


def draw(figure: Figure, drawn: Numbers) -> None:
    """A panel for every width (rows) and budget (columns)."""
    widths = sorted({rungs.point["width"] for rungs in drawn.rungs})
    budgets = sorted({(rungs.point["x"], rungs.point["w"]) for rungs in drawn.rungs}, key=_order)
    grid = figure.subplots(len(widths), len(budgets), sharex=True, sharey=True, squeeze=False)
    names = letters()
    for row, width in zip(grid, widths, strict=True):
        for axes, (x, w) in zip(row, budgets, strict=True):
            here = [r for r in drawn.rungs if (r.point["width"], r.point["x"], r.point["w"]) == (width, x, w)]
            _panel(axes, here)
            axes.set_title(f"({next(names)})  width {width}, {_budget(x, w)}", loc="left")
    for axes in grid[:, 0]:
        axes.set_ylabel(_reference(drawn))
    for axes in grid[-1]:
        axes.set_xlabel("depth")
    handles = {handle.get_label(): handle for axes in grid.flat[::-1] for handle in axes.get_legend_handles_labels()[0]}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))


def title(drawn: Numbers) -> str:
    """What is compared, over how many networks, and whose draws they are."""
    spread = f"median and quartiles over {_worlds(drawn)} random networks"
    return f"Bounds on the increase of a margin: {spread}, seed {drawn.seed}"


def caption(drawn: Numbers) -> str:
    """What marks mean."""
    return (
        "How far each bound on the increase of a margin under joint perturbations of inputs and weights lies above the "
        "exact optimum (grey line; hollow marks: above the best attack, where the optimum is out of reach): medians "
        f"and quartiles over {_worlds(drawn)} random networks at each depth. A panel for every width and budget; "
        "vertical axes are logarithmic. What lies below the line is no bound."
    )


def _worlds(drawn: Numbers) -> str:
    worlds = sorted({rungs.worlds for rungs in drawn.rungs})
    return f"{worlds[0]} to {worlds[-1]}" if len(worlds) > 1 else str(worlds[0])


def _panel(axes: Axes, rungs: Sequence[Rungs]) -> None:
    axes.axhline(1, color=CHANCE, lw=2.5, zorder=0)
    depths = sorted(row.point["depth"] for row in rungs)
    for position, (rung, (name, color, marker, line)) in enumerate(LOOK.items()):
        held = sorted((row for row in rungs if rung in row.quartiles), key=lambda row: row.point["depth"])
        if not held:
            continue
        shift = SPREAD * (position / (len(LOOK) - 1) - 0.5)
        x = [row.point["depth"] + shift for row in held]
        low, middle, high = zip(*(row.quartiles[rung] for row in held), strict=True)
        axes.vlines(x, low, high, color=color, lw=1, alpha=0.6)
        axes.plot(x, middle, color=color, ls=line, lw=0.7)
        for exact in (True, False):
            shown = [(a, b) for a, b, row in zip(x, middle, held, strict=True) if (row.over == "exact") == exact]
            if shown:
                face = color if exact else "white"
                axes.plot(*zip(*shown, strict=True), marker, color=color, ms=3.6, label=name, markerfacecolor=face)
    axes.set(yscale="log", xticks=depths)
    axes.grid(axis="y", lw=0.3, color=CHANCE)


def _order(budget: tuple[str, str]) -> tuple[bool, float, float]:
    """Input alone, weights alone, both."""
    x, w = map(float, budget)
    return x > 0 and w > 0, w, x


def _budget(x: str, w: str) -> str:
    moved = [f"$\\epsilon_{name} = {value}$" for name, value in (("x", x), ("W", w)) if float(value) > 0]
    return ", ".join(moved)


def _reference(drawn: Numbers) -> str:
    over = {rungs.over for rungs in drawn.rungs}
    if len(over) > 1:
        return "ratio to exact optimum (hollow: best attack)"
    return "ratio to the exact optimum" if over == {"exact"} else "ratio to the best attack"


PICTURE = Picture("simulate.ladder", numbers, draw, size, title, caption)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
