"""Figure 1: accuracy over input and weight radii, a panel for each training; what is certified, along both edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.joint_robustness.tables import INDEX
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import DATA_SETS, DECOY, SIMULATION, THEORY, WITNESS
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.2, 6.8)
PANELS = (  # as the paper has them, rows of three, and beside them what it does not have
    (
        ("standard", "(a)  standard"),
        ("weight", "(b)  weight perturb."),
        ("adversarial", "(c)  AT"),
        ("awp", "(g)  AWP"),
    ),
    (("adversarial_beta_half", r"(d)  AT$+\beta/2$"), ("adversarial_beta", r"(e)  AT$+\beta$"), ("jiwp", "(f)  JIWP")),
)
LEVELS = np.linspace(0, 1, 11)
HALF = 0.5  # the level that is drawn thick
SHADES = "cividis"  # rises in lightness: it reads alike in grey and to the colour-blind
EDGES = {  # colour and mark
    "standard": (THEORY, "o"),
    "weight": (DECOY, "s"),
    "adversarial": (SIMULATION, "^"),
    "adversarial_beta": (WITNESS, "D"),
}
TITLES = dict(panel for row in PANELS for panel in row)
LINES = {"accuracy": ("-", "under attack"), "certified_crown": (":", "certified by linear bounds")}


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
    return Numbers(measured(run, "empirical.joint_robustness", point), point)


def draw(figure: Figure, drawn: Numbers) -> None:
    """Surfaces of accuracy under the joint attack, and below them their edges with what is certified there."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.75, 1))
    grid = parts[0].subplots(len(PANELS), 4, sharex=True, sharey=True)
    spare = grid[1, 3]
    for axes, panels in zip(grid, PANELS, strict=True):
        axes[0].set_ylabel(r"weights, $\epsilon_w$")
        for place, (training, _) in zip(axes, panels, strict=False):
            shades = _surface(place, drawn.columns, training)
            place.label_outer()
    for place in (*grid[1, :3], grid[0, 3]):
        place.set_xlabel(r"inputs, $\epsilon_x$")
        place.tick_params(labelbottom=True)
    spare.axis("off")
    bar = figure.colorbar(shades, cax=spare.inset_axes((0.0, 0.62, 1.0, 0.12)), orientation="horizontal")
    bar.set_ticks([LEVELS[0], HALF, LEVELS[-1]])
    bar.ax.axvline(HALF, color="white", lw=1.3)
    bar.ax.set_title("accuracy under attack", fontsize=7, pad=3)
    left, right = parts[1].subplots(1, 2, sharey=True)
    _edge(left, drawn.columns, "(h)  inputs alone", r"inputs, $\epsilon_x$; $\epsilon_w = 0$", weights=False)
    _edge(right, drawn.columns, "(i)  weights alone", r"weights, $\epsilon_w$; $\epsilon_x = 0$", weights=True)
    left.set_ylabel("share of images")
    _explained(spare)


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return "Accuracies under joint attacks on inputs and weights, means over seeds."


def title(drawn: Numbers) -> str:
    """What stands above it."""
    point, seeds = drawn.point, len(drawn.columns["auc"])
    of = "batch" if point["weights"] == "batch" else "image"
    return (
        f"Joint attacks of {point['attack_steps']} steps, weights moved per {of}: {DATA_SETS[point['dataset']]}, "
        f"{point['architecture']}, mean over {seeds} seed{'s' if seeds > 1 else ''}"
    )


def _surface(axes: Axes, columns: Mapping[str, np.ndarray], training: str) -> Any:
    """Contours of the mean accuracy of a training; the area and its interval over seeds in the title."""
    x, w = columns["radii_x"][0], columns["radii_w"][0]
    surface = columns["accuracy"][:, INDEX[training]].mean(axis=0).T
    shades = axes.contourf(x, w, surface, LEVELS, cmap=SHADES)
    axes.contour(x, w, surface, LEVELS[1:-1], colors="white", linewidths=0.3)
    axes.contour(x, w, surface, [HALF], colors="white", linewidths=1.3)
    area = mean(columns["auc"][:, INDEX[training]], within=SHARE)
    half = (area.high - area.low) / 2
    spread = rf" $\pm$ {half:.3f}" if np.isfinite(half) else ""
    axes.set_title(f"{TITLES[training]}\nAUC {area.value:.3f}{spread}", fontsize=7.5)
    axes.locator_params(nbins=4)
    return shades


def _edge(axes: Axes, columns: Mapping[str, np.ndarray], title: str, label: str, weights: bool) -> None:
    """What attacks leave and what is certified along an edge of the surfaces, means over seeds."""
    radii = columns["radii_w" if weights else "radii_x"][0]
    for training, (color, mark) in EDGES.items():
        for statistic, (line, _) in LINES.items():
            surface = columns[statistic][:, INDEX[training]].mean(axis=0)
            along = surface[0] if weights else surface[:, 0]
            axes.plot(radii, along, line, marker=mark, ms=3, color=color, lw=1.0)
    axes.set(title=title, xlabel=label, xlim=(0, radii[-1]), ylim=(0, 1))
    axes.locator_params(axis="x", nbins=5)


def _explained(axes: Axes) -> None:
    """The legend of the edges, below the colour bar."""
    from matplotlib.lines import Line2D

    trainings = [
        Line2D([], [], color=color, marker=mark, ms=3, lw=1.0, label=TITLES[training])
        for training, (color, mark) in EDGES.items()
    ]
    lines = [Line2D([], [], color="0.4", ls=line, lw=1.0, label=text) for line, text in LINES.values()]
    axes.legend(handles=[*trainings, *lines], loc="upper left", bbox_to_anchor=(-0.05, 0.45), fontsize=6.5)


PICTURE = Picture(
    "empirical.joint_robustness", numbers, draw, SIZE, title, caption, shows=("Joint margin bounds, Figure 1",)
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
