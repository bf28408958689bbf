"""Attacked digits, condition numbers along training and accuracy over epsilon: Figures 1 to 5 of conditioning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.conditioning.columns import (
    CONV,
    EUCLIDEAN,
    NAMES,
    PLAIN,
    SIMPLE,
    after,
    layers,
    models,
    setting,
    shapes,
)
from empirical.conditioning.measure import ATTACKS, LAYERS, MODELS, RADII, SHOWN, TABLE_RADII
from empirical.measures.condition import NORMS
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DATA_SETS, DECOY, SIMULATION, THEORY
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, mean
from theory import reported
from theory.conditioning.gaussian_condition import tall_condition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

INK = "gray_r"
GREEN = "#009E73"
COLOURS = {SIMPLE: SIMULATION, CONV: GREEN}
OF_NORMS = {"1": "#E69F00", "2": SIMULATION, "inf": "#56B4E9", "fro": "#7A7A7A"}
SUBSCRIPTS = {"1": "1", "2": "2", "inf": r"\infty", "fro": "F"}
PRINTED_MARKS = {SIMPLE: "x", CONV: "+"}
WITHIN = 1.96  # standard deviations of ln kappa_2, to either side
ROW, PANELS, ACCURACIES = 0.62, 1.9, 2.5  # inches: of pictures, of courses, of accuracies
WIDE = 7.2
PER_ROW = 3  # courses
MANY = 50  # times the least value, beyond which whole decades are enough


@dataclass(frozen=True)
class Numbers:
    """What is drawn: the columns of a point, and the point."""

    columns: Mapping[str, np.ndarray]
    point: Point

    @property
    def models(self) -> range:
        """Positions of the models."""
        return models(self.columns)


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """The networks of a point.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    return Numbers(measured(run, "empirical.conditioning", point), point)


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches: pictures for every model, a panel of its course for every layer, accuracies."""
    return WIDE, sum(_heights(drawn))


def draw(figure: Figure, drawn: Numbers) -> None:
    """One digit over epsilon (Figures 1 and 2), one of each class (3), courses (4 and 5), accuracies (Tables I, II)."""
    parts: Any = figure.subfigures(4, 1, height_ratios=_heights(drawn))
    _one_digit(parts[0], drawn)
    _all_classes(parts[1], drawn)
    _courses(parts[2], drawn)
    _accuracies(parts[3], drawn)


def title(drawn: Numbers) -> str:
    """What stands above it."""
    point, networks = drawn.point, len(drawn.columns["seed"])
    both = f", CNN epochs: {point['epochs']}" if CONV in drawn.models else ""
    return (
        f"{networks} seeds on {DATA_SETS[point['dataset']]}, {point['steps']} steps of the attacks{both}\n"
        f"simple model: {setting(point)}"
    )


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    networks = len(drawn.columns["seed"])
    return f"Condition numbers and accuracies of {networks} networks; bands of accuracies are 95 % intervals."


def _heights(drawn: Numbers) -> tuple[float, float, float, float]:
    count = len(drawn.models)
    rows = -(-len(layers(drawn.columns)) // PER_ROW)
    return 2 * count * ROW + 0.7, (1 + count) * ROW + 0.5, rows * PANELS + 0.4, ACCURACIES


def _one_digit(figure: SubFigure, drawn: Numbers) -> None:
    """A row for each attack and model, from epsilon = 0 on: of the first network of the run."""
    columns, rows = drawn.columns, [(attack, model) for attack in ATTACKS for model in drawn.models]
    panels = figure.subplots(len(rows), 1 + len(TABLE_RADII), squeeze=False)
    for row, (attack, model) in enumerate(rows):
        pictures = [columns["digit"][0], *columns[f"digit_{attack}"][0, model]]
        for column, picture in enumerate(pictures):
            _picture(panels[row, column], picture)
            if row == 0:
                radius = f"{TABLE_RADII[column - 1]:g}" if column else "0"
                panels[row, column].set_title(rf"$\epsilon = {radius}$" if column == 0 else radius, fontsize=7)
        _named(panels[row, 0], f"{attack.upper()}\n{MODELS[model]}")
    figure.suptitle("(a)  one digit under FGSM and FGMT, first network", fontsize=8.5, x=0.01, ha="left")


def _all_classes(figure: SubFigure, drawn: Numbers) -> None:
    """A digit of each class before, and after FGSM for each model, with the most common wrong label."""
    columns = drawn.columns
    clean, attacked, taken_for = columns["ones_clean"][0], columns["ones"][0], columns["ones_as"][0]
    panels = figure.subplots(1 + len(drawn.models), len(clean), squeeze=False)
    for label, picture in enumerate(clean):
        _picture(panels[0, label], picture)
        panels[0, label].set_title(str(label), fontsize=7)
        for row, model in enumerate(drawn.models, 1):
            _picture(panels[row, label], attacked[model, label])
            known = np.isfinite(taken_for[model, label])
            panels[row, label].set_xlabel(f"{taken_for[model, label]:.0f}" if known else "-", fontsize=7, labelpad=1)
    _named(panels[0, 0], "clean")
    for row, model in enumerate(drawn.models, 1):
        _named(panels[row, 0], MODELS[model])
    figure.suptitle(
        rf"(b)  one digit of each class under FGSM, $\epsilon = {SHOWN:g}$, and what its class is mostly taken for",
        fontsize=8.5,
        x=0.01,
        ha="left",
    )


def _courses(figure: SubFigure, drawn: Numbers) -> None:
    """Condition numbers over steps: medians in four norms, the range of kappa_2, and where it begins by its law."""
    count = len(layers(drawn.columns))
    panels = figure.subplots(-(-count // PER_ROW), PER_ROW, squeeze=False).ravel()
    for layer in layers(drawn.columns):
        _course(panels[layer], drawn, layer)
    handles, words = panels[0].get_legend_handles_labels()
    for spare in panels[count:]:
        spare.axis("off")
    panels[-1].legend(handles, words, loc="center left")
    figure.suptitle(
        "(c)  condition numbers along training: medians, and the range of the Euclidean one",
        fontsize=8.5,
        x=0.01,
        ha="left",
    )


def _course(axes: Axes, drawn: Numbers, layer: int) -> None:
    looks = drawn.columns["looks"][0, layer]
    known = np.isfinite(looks)
    steps = looks[known]
    course = drawn.columns["course"][:, layer, known]
    positive = np.where(course > 0, course, np.nan)
    low, high = (_over(positive[..., EUCLIDEAN], end) for end in (np.nanmin, np.nanmax))
    axes.fill_between(steps, low, high, color=OF_NORMS["2"], alpha=0.2, lw=0)
    for number, norm in enumerate(NORMS):
        axes.plot(
            steps,
            _over(positive[..., number], np.nanmedian),
            color=OF_NORMS[norm],
            label=rf"$\kappa_{{{SUBSCRIPTS[norm]}}}$",
        )
    strict = drawn.columns["course_strict"][:, layer, known, EUCLIDEAN]
    _marked(axes, steps[np.isinf(strict).any(axis=0)], 1.0, "^", r"$\sigma_n = 0$ in a network")
    _marked(axes, steps[(course[..., EUCLIDEAN] == 0).any(axis=0)], 0.0, "v", r"$W = 0$ in a network")
    if layer != SIMPLE or drawn.point["initial"] != "0":
        centre, sd = tall_condition(*shapes(drawn.point)[layer])
        ends = centre * np.exp(WITHIN * sd * np.array([-1, 1]))
        axes.plot([0, 0], ends, color=THEORY, lw=3, solid_capstyle="butt", label="Gaussian law, 95 %")
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_yscale("log")
    _labelled(axes)
    axes.set(xlim=(-0.3, max(steps.max(), 1)), title=LAYERS[layer], xlabel="step")


def _labelled(axes: Axes) -> None:
    """Plain numbers along a logarithmic axis, three to a decade where there are few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < MANY * low else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _marked(axes: Axes, steps: np.ndarray, height: float, marker: str, text: str) -> None:
    """Marks at some steps, at a height of the panel from 0 to 1."""
    if len(steps):
        placed: Any = axes.get_xaxis_transform()
        axes.plot(steps, np.full(len(steps), height), marker, color=DECOY, ms=3, mew=0, transform=placed, clip_on=False)
    axes.plot([], [], marker, color=DECOY, ms=3, mew=0, label=text)


def _over(values: np.ndarray, reduce: Callable[..., np.ndarray]) -> np.ndarray:
    """Over networks, of values (networks, looks): NaN where none has any."""
    known = ~np.isnan(values).all(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[known] = reduce(values[:, known], axis=0)
    return found


def _accuracies(figure: SubFigure, drawn: Numbers) -> None:
    """Accuracy over epsilon under either attack, after one step and after all, beside the printed numbers."""
    for axes, (table, attack) in zip(figure.subplots(1, 2, sharey=True), enumerate(ATTACKS, 1), strict=True):
        for model in drawn.models:
            for (text, step), style in zip(after(drawn.columns).items(), ("--", "-"), strict=False):
                _accuracy(axes, drawn.columns[attack][:, PLAIN, model, :, step], model, style, text)
            if drawn.point["dataset"] == "mnist":
                printed = [reported.attacked_accuracy(table, MODELS[model], radius).value for radius in reported.RADII]
                axes.plot(
                    list(map(float, reported.RADII)),
                    printed,
                    PRINTED_MARKS[model],
                    color=THEORY,
                    ms=5,
                    label=f"printed, {MODELS[model]}",
                )
        axes.axhline(0.1, color=CHANCE, lw=0.8, zorder=0)
        axes.set(xscale="log", ylim=(-0.02, 1.02), xlabel=r"$\epsilon$", title=f"({'de'[table - 1]})  {attack.upper()}")
        if table == 1:
            axes.set_ylabel("accuracy")
            axes.legend(loc="lower left", frameon=True, framealpha=0.8, edgecolor="none")


def _accuracy(axes: Axes, values: np.ndarray, model: int, style: str, text: str) -> None:
    """The mean over networks, (networks, radii), with its interval."""
    found = [mean(column, within=SHARE) for column in values.T]
    middle = [estimate.value for estimate in found]
    low, high = (np.array([getattr(estimate, end) for estimate in found]) for end in ("low", "high"))
    if np.isfinite(high).all():
        axes.fill_between(RADII, low, high, color=COLOURS[model], alpha=0.2, lw=0)
    axes.plot(RADII, middle, style, color=COLOURS[model], label=f"{NAMES[model]}, {text}")


def _picture(axes: Axes, pixels: np.ndarray) -> None:
    side = round(len(pixels) ** 0.5)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if np.isfinite(pixels).all():
        axes.imshow(pixels.reshape(side, side), cmap=INK, vmin=0, vmax=1, interpolation="nearest")


def _named(axes: Axes, text: str) -> None:
    axes.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=7)


PICTURE = Picture(
    "empirical.conditioning",
    numbers,
    draw,
    size,
    title,
    caption,
    shows=tuple(f"Conditioning, Figure {number}" for number in range(1, 6)),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
