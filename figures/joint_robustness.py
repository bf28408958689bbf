"""Figure 1: accuracy over input and weight radii, a panel for each training; what is certified, along both edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.joint_robustness.trainings import TRAININGS
from figures.shared.legends import line
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, marks, means
from figures.shared.style import DATA_SETS, DECOY, GREY, SIMULATION, WITNESS
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE
from fragility.tables import Table

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
    "standard": (GREY, "o"),
    "weight": (DECOY, "s"),
    "adversarial": (SIMULATION, "^"),
    "adversarial_beta": (WITNESS, "D"),
}
INDEX = {training: number for number, training in enumerate(TRAININGS)}  # in the columns
TITLES = dict(panel for row in PANELS for panel in row)
CERTIFIED = ":"
APART = 0.009  # of the largest radius, from one training to the next


@dataclass(frozen=True)
class Edge:
    """One training where one kind of perturbation is left out: what attacks leave, and what linear bounds certify."""

    attacked: Means
    certified: np.ndarray


@dataclass(frozen=True)
class Numbers:
    """What is drawn: means over seeds.

    Parameters
    ----------
    surfaces : accuracies under the joint attack by training, each (input radii, weight radii).
    areas : under these surfaces, after a running minimum, in the order of `TITLES`.
    inputs, weights : along the edges of inputs and of weights alone, by the trainings of `EDGES`.
    """

    radii_x: np.ndarray
    radii_w: np.ndarray
    surfaces: Mapping[str, np.ndarray]
    areas: Means
    inputs: Mapping[str, Edge]
    weights: Mapping[str, Edge]
    seeds: int
    point: Mapping[str, Any]

    def tidy(self) -> Table:
        """All of it."""
        inputs, weights = {"epsilon_x": self.radii_x}, {"epsilon_w": self.radii_w}
        surfaces = [
            Quantity("accuracy", surface[None], {"training": [training], **inputs, **weights})
            for training, surface in self.surfaces.items()
        ]
        edges = [
            Quantity(name, found[None, :, None], {"training": [training], **radii, other: [0.0]})
            for alone, radii, other, of in (
                ("inputs alone", inputs, "epsilon_w", self.inputs),
                ("weights alone", weights, "epsilon_x", self.weights),
            )
            for training, edge in of.items()
            for name, found in ((f"accuracy, {alone}", edge.attacked), (f"certified, {alone}", edge.certified))
        ]
        return tidy([*surfaces, Quantity("area", self.areas, {"training": [*TITLES]}), *edges], title(self))


def numbers(run: Path, _manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    columns = measured(run, "empirical.joint_robustness", point)
    attacked, certified = columns["accuracy"], columns["certified_crown"]

    def edge(training: str, *place: Any) -> Edge:
        at = (slice(None), INDEX[training], *place)
        return Edge(means(attacked[at], SHARE), certified[at].mean(axis=0))

    return Numbers(
        columns["radii_x"][0],
        columns["radii_w"][0],
        {training: attacked[:, INDEX[training]].mean(axis=0) for training in TITLES},
        means(columns["auc"][:, [INDEX[training] for training in TITLES]], SHARE),
        {training: edge(training, slice(None), 0) for training in EDGES},
        {training: edge(training, 0) for training in EDGES},
        len(columns["auc"]),
        point,
    )


def title(drawn: Numbers) -> str:
    """Which attack it is, on which networks."""
    point = drawn.point
    of = "batch" if point["weights"] == "batch" else "image"
    return (
        f"Joint attacks of {point['attack_steps']} steps, weights moved per {of}: {DATA_SETS[point['dataset']]}, "
        f"{point['architecture']}, mean over {_seeds(drawn)}"
    )


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    point = drawn.point
    return (
        f"Networks ({point['architecture']}) trained in seven ways on {point['training']:,} images of "
        f"{DATA_SETS[point['dataset']]}, from {_seeds(drawn)}: as usual; with zeta, the paper's penalty on weight "
        "perturbations; on attacked inputs (AT); on these with half the penalty and with all of it (AT + beta); with "
        "penalties on both (JIWP); and with weights attacked, too (AWP), which the paper does not have. (a) to (g): "
        f"accuracy on {point['images']} images under {point['attack_steps']} steps of attack on inputs, of [0, 1], and "
        "on all weights at once, l_inf radii epsilon_x and epsilon_w, mean over seeds, in steps of 0.1; thick: half. "
        f"AUC: its mean over the rectangle of radii, after a running minimum, with its {LEVEL} interval over seeds "
        "(Student). (h), (i): the edges of the surfaces, with the same intervals; dotted: what linear bounds certify, "
        "which no attack can go below."
    )


def _seeds(drawn: Numbers) -> str:
    return f"{drawn.seeds} seed{'s' if drawn.seeds > 1 else ''}"


def draw(figure: Figure, drawn: Numbers) -> None:
    """Surfaces of accuracy under the joint attack, and below them their edges with what is certified there."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.75, 1))
    grid = parts[0].subplots(len(PANELS), 4, sharex=True, sharey=True)
    spare = grid[1, 3]
    for axes, panels in zip(grid, PANELS, strict=True):
        axes[0].set_ylabel(r"weights, $\epsilon_w$")
        for place, (training, _) in zip(axes, panels, strict=False):
            shades = _surface(place, drawn, training)
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
    _edges(left, drawn.radii_x, drawn.inputs)
    _edges(right, drawn.radii_w, drawn.weights)
    left.set(title="(h)  inputs alone", xlabel=r"inputs, $\epsilon_x$; $\epsilon_w = 0$", ylabel="share of images")
    right.set(title="(i)  weights alone", xlabel=r"weights, $\epsilon_w$; $\epsilon_x = 0$")
    _explained(spare)


def _surface(axes: Axes, drawn: Numbers, training: str) -> Any:
    """Contours of the mean accuracy of a training; the area and its interval over seeds in the title."""
    x, w, surface = drawn.radii_x, drawn.radii_w, drawn.surfaces[training].T
    shades = axes.contourf(x, w, surface, LEVELS, cmap=SHADES)
    axes.contour(x, w, surface, LEVELS[1:-1], colors="white", linewidths=0.3)
    axes.contour(x, w, surface, [HALF], colors="white", linewidths=1.3)
    area = drawn.areas[list(TITLES).index(training)]
    spread = f" [{area.low:.3f}, {area.high:.3f}]" if np.isfinite(area.low) else ""
    axes.set_title(f"{TITLES[training]}\nAUC {area.value:.3f}{spread}", fontsize=7.5)
    axes.locator_params(nbins=4)
    return shades


def _edges(axes: Axes, radii: np.ndarray, edges: Mapping[str, Edge]) -> None:
    """What attacks leave and what is certified along an edge of the surfaces, means over seeds."""
    for number, (training, edge) in enumerate(edges.items()):
        color, mark = EDGES[training]
        aside = radii + APART * radii[-1] * (number - (len(edges) - 1) / 2)
        marks(axes, aside, edge.attacked, mark, color, "-", ms=3)
        axes.plot(aside, edge.certified, CERTIFIED, color=color, lw=1.0, marker=mark, ms=1.8)
    axes.set(xlim=(-0.03 * radii[-1], 1.03 * radii[-1]), ylim=(0, 1))
    axes.locator_params(axis="x", nbins=5)


def _explained(axes: Axes) -> None:
    """The legend of the edges, below the colour bar."""
    trainings = [line(color, "-", TITLES[training], mark, ms=3) for training, (color, mark) in EDGES.items()]
    styles = [line("0.4", "-", "under attack"), line("0.4", CERTIFIED, "certified by linear bounds")]
    axes.legend(handles=[*trainings, *styles], loc="upper left", bbox_to_anchor=(-0.05, 0.45), fontsize=6.5)


PICTURE = Picture(
    "empirical.joint_robustness", numbers, draw, SIZE, title, caption, shows=("Joint margin bounds, Figure 1",)
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
