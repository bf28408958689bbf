"""Compression of trained ReLU networks along the segment of Table 3, and the perturbations of Table 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from figures.shared.legends import labelled, legends
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, few, marks, means, of_all, printed
from figures.shared.style import CHANCE, GREEN, GREY, SIMULATION, SKY, THEORY
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point, label
from fragility.judging.estimates import SHARE
from fragility.tables import Table
from theory.gradients.gradient_plane import mean_compression, span_law
from theory.reported import ALPHAS, FEATURE, find

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS, LEGENDS = 2.9, 0.6  # inches
LAWS = {2: ("-", "two gradients"), 1: (":", "one gradient")}  # by the number of gradients
SERIES = {  # colour, mark, words, and how far to the side it is drawn
    "compression": (SIMULATION, "o", "trained, both gradients", 0.014),
    "cosine": (SKY, "s", "trained, their difference", -0.014),
    "untrained_compression": (GREY, "^", "before training, both", 0.0),
}
PERTURBATIONS = ("predicted", "found", "lower", "optimum")
QUARTILES = (0.25, 0.75)
BESIDE = (1.07, 1.1)  # places along the segment at which the laws' quartiles are drawn


@dataclass(frozen=True)
class Inputs:
    """Single inputs of the accurate networks, one entry each, and how many there are; unit of the inputs.

    Parameters
    ----------
    predicted : |cos theta| ||a_n||.
    found, lower : the shortest perturbation found, and the certified lower bound.
    optimum : half the distance of the nearest input with the other label.
    """

    predicted: np.ndarray
    found: np.ndarray
    lower: np.ndarray
    optimum: np.ndarray
    count: int


@dataclass(frozen=True)
class Numbers:
    """What is drawn of a point: means over its accurate networks along the segment, and single inputs of these.

    Parameters
    ----------
    series : by the names of `SERIES`, at each of the paper's places on the segment.
    networks, accurate : how many networks there are, and how many of them have accuracy 1.
    """

    series: Mapping[str, Means]
    inputs: Inputs
    networks: int
    accurate: int
    point: Mapping[str, Any]
    seed: int

    def tidy(self) -> Table:
        """All of it; `input` counts inputs of the accurate networks in their order."""
        alpha = {"alpha": np.arange(len(ALPHAS)) / (len(ALPHAS) - 1)}
        inputs = {"input": few(self.inputs.count)}
        return tidy(
            [
                *(Quantity(name, found, alpha) for name, found in self.series.items()),
                *(Quantity(name, getattr(self.inputs, name), inputs) for name in PERTURBATIONS),
            ],
            title(self),
        )


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
    columns = {name: values[valid] for name, values in found.items()}
    series = {name: means(columns[name], SHARE) for name in SERIES}
    return Numbers(series, _inputs(columns), len(valid), int(valid.sum()), point, manifest["seed"])


def _inputs(columns: Mapping[str, np.ndarray]) -> Inputs:
    predicted = columns["perturbation_cosine"] * columns["column"][:, None]
    shown = np.isfinite(columns["distance"]) & np.isfinite(predicted)
    some = few(int(shown.sum()))
    found, lower, optimum = (columns[name][shown][some] for name in ("distance", "lower", "optimum"))
    return Inputs(predicted[shown][some], found, lower, optimum, int(shown.sum()))


def title(drawn: Numbers) -> str:
    """How many networks there are, and of which kind."""
    point, layers = drawn.point, drawn.point["layers"]
    return (
        f"{drawn.accurate} of {drawn.networks} ReLU networks with accuracy 1: {layers} hidden "
        f"layer{'s' if layers > 1 else ''} of {point['width']}, n = {point['n']}, scale {point['scale']:g}, seed "
        f"{drawn.seed}"
    )


def caption(drawn: Numbers) -> str:
    """What both panels show."""
    point, inputs = drawn.point, drawn.inputs
    beside = " Open diamonds: the means of Table 3." if _as_printed(point) else ""
    return (
        f"ReLU networks trained for {point['epochs']} epochs on x = Az at all sign vectors z of {point['n']} entries, "
        f"A Gaussian with all columns but the last times {point['scale']:g}; those {drawn.accurate} of "
        f"{drawn.networks} that classify all points right. Left: the compression ||P(x_2 - x_1)|| / ||x_2 - x_1|| at "
        "places alpha on the way from x_1 to x_2, which differ in the last sign alone; P projects on the plane of the "
        "gradients of both outputs (circles; triangles: of the same networks before training) or on the gradient of "
        f"their difference (squares). Means over networks with {LEVEL} intervals (Student). Lines: means by Theorem "
        "7's law for random gradients, two (solid) and one (dotted), and at the right the quartiles of both "
        f"laws.{beside} Right: {of_all(len(inputs.found), inputs.count, 'inputs')}, {point['inputs']} a network: the "
        "shortest perturbation found that changes the decision (dots), in the unit of the inputs, with a line down to "
        "the certified lower bound, over its prediction |cos theta| ||a_n||; line: both are equal. Triangles: half "
        "the distance of the nearest input with the other label, the best that any classifier could have."
    )


def _as_printed(point: Mapping[str, Any]) -> bool:
    """Whether Table 3 is of such networks."""
    return point["n"] == 12 and point["layers"] == 1


def draw(figure: Figure, drawn: Numbers) -> None:
    """Table 3 on the left, Table 4 on the right."""
    above, below = cast("Any", figure.subfigures(2, 1, height_ratios=(PANELS, LEGENDS)))
    left, right = above.subplots(1, 2, width_ratios=(1.25, 1))
    _along(left, drawn)
    _perturbations(right, drawn.inputs)
    handles = labelled([left])
    legends(below, [handles[:3], handles[3:], labelled([right])], (0.9, 0.9, 1.2))


def _along(axes: Axes, drawn: Numbers) -> None:
    alphas, n = np.arange(len(ALPHAS)) / (len(ALPHAS) - 1), drawn.point["n"]
    for place, (gradients, (style, words)) in zip(BESIDE, LAWS.items(), strict=True):
        axes.axhline(mean_compression(n, gradients), color=THEORY, ls=style, lw=0.9, label=f"mean of the law, {words}")
        low, high = span_law(n, gradients).ppf(QUARTILES)
        axes.plot([place, place], [low, high], "_", ls=style, color=THEORY, lw=0.9, ms=3)
    if _as_printed(drawn.point):
        values = [find(FEATURE, "Table 3", "mean", alpha).value for alpha in ALPHAS]
        printed(axes, alphas + 0.034, values, "D", ms=4.2, label="printed means")
    for name, found in drawn.series.items():
        color, mark, words, shift = SERIES[name]
        marks(axes, alphas + shift, found, mark, color, label=words)
    axes.set(xlabel=r"$\alpha$ on the segment from $x_1$ to $x_2$", ylabel=r"$\|P(x_2 - x_1)\| / \|x_2 - x_1\|$")
    axes.set_ylim(0, None)
    axes.set_title("(a)  compression along the segment")


def _perturbations(axes: Axes, inputs: Inputs) -> None:
    x = inputs.predicted
    axes.vlines(x, inputs.lower, inputs.found, color=SIMULATION, lw=0.5, alpha=0.35)
    axes.plot(
        x,
        inputs.optimum,
        "^",
        color=GREEN,
        ms=2.2,
        mew=0,
        alpha=0.6,
        label="half the distance of the nearest other label",
    )
    axes.plot(
        x,
        inputs.found,
        "o",
        color=SIMULATION,
        ms=2.2,
        mew=0,
        alpha=0.7,
        label="shortest found, down to the certified bound",
    )
    ends = np.array([0.0, x.max() if len(x) else 1.0])
    axes.plot(ends, ends, color=THEORY, lw=0.9, label="equal, as predicted")
    axes.set(
        xlabel=r"predicted, $|\cos\theta|\ \|a_n\|$",
        ylabel="length, unit of the inputs",
        xlim=(0, None),
        ylim=(0, None),
    )
    axes.grid(lw=0.3, color=CHANCE)
    axes.set_title(f"(b)  smallest perturbations of {len(x)} inputs")


PICTURE = Picture("empirical.relu_compression", numbers, draw, (7.2, 0.3 + PANELS + LEGENDS), title, caption)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
