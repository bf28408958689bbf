"""Attacked digits, condition numbers along training and accuracy over epsilon: Figures 1 to 5 of conditioning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    layers,
    setting,
    shapes,
)
from empirical.conditioning.measure import ATTACKS, LAYERS, MODELS, RADII, SHOWN, TABLE_RADII
from empirical.measures.condition import NORMS
from figures.shared.legends import labelled
from figures.shared.picture import Picture
from figures.shared.pixels import Pixels, named, packed, show
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, Ranges, marks, means, printed
from figures.shared.style import CHANCE, DATA_SETS, DECOY, GREEN, GREY, ORANGE, SIMULATION, SKY, THEORY
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE
from fragility.tables import Table
from theory import reported
from theory.conditioning.gaussian_condition import tall_condition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

COLOURS = {SIMPLE: SIMULATION, CONV: GREEN}
MARKS = {SIMPLE: "o", CONV: "s"}
WORDS = {SIMPLE: "simple", CONV: "CNN"}
STYLES = {"first": "--", "last": "-"}
OF_NORMS = {"1": (ORANGE, "--"), "2": (SIMULATION, "-"), "inf": (SKY, "-."), "fro": (GREY, ":")}  # colour and line
SUBSCRIPTS = {"1": "1", "2": "2", "inf": r"\infty", "fro": "F"}
WITHIN = 1.96  # standard deviations of ln kappa_2, to either side
ROW, PANELS, ACCURACIES = 0.62, 1.9, 2.9  # inches: of pictures, of courses, of accuracies
WIDE = 7.2
PER_ROW = 3  # courses
MANY = 50  # times the least value, beyond which whole decades are enough
GUESSING = 0.1  # of ten classes


@dataclass(frozen=True)
class Course:
    """Condition numbers of a layer over the steps of its training.

    Parameters
    ----------
    layer : its position in LAYERS.
    medians : over networks, (norms, steps); NaN where every network has a layer of zeros.
    low, high : ends of the Euclidean one over networks.
    singular, zero : steps after which a network's layer has lost rank, and is 0.
    """

    layer: int
    steps: np.ndarray
    medians: np.ndarray
    low: np.ndarray
    high: np.ndarray
    singular: np.ndarray
    zero: np.ndarray

    def quantities(self) -> Iterator[Quantity]:
        """Of each norm, with the ends of the Euclidean one."""
        for number, norm in enumerate(NORMS):
            middle = self.medians[number]
            found = Ranges(middle, self.low, self.high) if number == EUCLIDEAN else middle
            at = {"layer": [LAYERS[self.layer]], "norm": [norm], "training step": self.steps}
            yield Quantity("median condition number", found[None, None], at)


@dataclass(frozen=True)
class Numbers:
    """What is drawn of a point.

    Parameters
    ----------
    digit : the first image of the first network, clean, then by attack, model and radius.
    classes : an image of each class, clean, then under FGSM by model; of the first network.
    taken_for : what images of a class are mostly taken for, (models, classes); NaN where all are right.
    accuracies : by attack and step, "first" or "last", each (models, radii).
    """

    digit: Pixels
    classes: Pixels
    taken_for: np.ndarray
    courses: tuple[Course, ...]
    accuracies: Mapping[str, Mapping[str, Means]]
    networks: int
    point: Mapping[str, Any]

    @property
    def models(self) -> range:
        """Positions of the models."""
        return range(len(self.taken_for))

    def tidy(self) -> Table:
        """All but the pictures; of these, what images of a class are mostly taken for."""
        models = {"model": [MODELS[model] for model in self.models]}
        accuracies = [
            Quantity("accuracy", found[None, None], {"attack": [attack], "step": [step], **models, "epsilon": RADII})
            for attack, steps in self.accuracies.items()
            for step, found in steps.items()
        ]
        classes = models | {"class": range(self.taken_for.shape[1])}
        courses = [quantity for course in self.courses for quantity in course.quantities()]
        return tidy([*accuracies, *courses, Quantity("taken for", self.taken_for, classes)], title(self))


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """The networks of a point.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    columns = measured(run, "empirical.conditioning", point)
    digit = [columns["digit"][:1], *(_flat(columns[f"digit_{attack}"][0]) for attack in ATTACKS)]
    steps = {"last": -1} if point["steps"] == 1 else {"first": 0, "last": -1}
    return Numbers(
        packed(np.concatenate(digit)),
        packed(np.concatenate([columns["ones_clean"][0], _flat(columns["ones"][0])])),
        columns["ones_as"][0],
        tuple(_course(columns, layer) for layer in layers(columns)),
        {
            attack: {name: means(columns[attack][:, PLAIN, ..., step], SHARE) for name, step in steps.items()}
            for attack in ATTACKS
        },
        len(columns["seed"]),
        point,
    )


def _flat(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(-1, pictures.shape[-1])


def _course(columns: Mapping[str, np.ndarray], layer: int) -> Course:
    looks = columns["looks"][0, layer]
    known = np.isfinite(looks)
    steps, course = looks[known], columns["course"][:, layer, known]
    positive = np.where(course > 0, course, np.nan)
    low, high = (_over(positive[..., EUCLIDEAN], end) for end in (np.nanmin, np.nanmax))
    strict = columns["course_strict"][:, layer, known, EUCLIDEAN]
    return Course(
        layer,
        steps,
        np.stack([_over(positive[..., number], np.nanmedian) for number in range(len(NORMS))]),
        low,
        high,
        steps[np.isinf(strict).any(axis=0)],
        steps[(course[..., EUCLIDEAN] == 0).any(axis=0)],
    )


def _over(values: np.ndarray, reduce: Callable[..., np.ndarray]) -> np.ndarray:
    """Over networks, of values (networks, looks): NaN where none has any."""
    known = ~np.isnan(values).all(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[known] = reduce(values[:, known], axis=0)
    return found


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches: pictures for every model, a panel of its course for every layer, accuracies."""
    return WIDE, sum(_heights(drawn))


def title(drawn: Numbers) -> str:
    """How many networks there are, and how they were trained and attacked."""
    point = drawn.point
    both = f", CNN epochs: {point['epochs']}" if CONV in drawn.models else ""
    return (
        f"{_seeds(drawn)} on {DATA_SETS[point['dataset']]}, {point['steps']} steps of the attacks{both}\n"
        f"simple model: {setting(point)}"
    )


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    point, images = drawn.point, DATA_SETS[drawn.point["dataset"]]
    both = (
        "A softmax regression (the simple model) and a convolutional network"
        if CONV in drawn.models
        else ("A softmax regression (the simple model)")
    )
    beside = " Open marks: Tables I and II." if point["dataset"] == "mnist" else ""
    return (
        f"{both} on {images}, trained from {_seeds(drawn)}. (a): a test image under FGSM, which follows the sign of "
        f"the gradient, and FGMT, which goes towards the least likely class, after {point['steps']} steps of epsilon "
        "each, pixels in [0, 1]; first network. (b): an image of each class, clean and under FGSM with epsilon "
        f"{SHOWN:g}; below, what images of its class are mostly taken for then. (c): condition numbers ||W|| ||W^+|| "
        "of every layer over the steps of training in the norms 1, 2, infinity and Frobenius's: medians over "
        "networks, and the range of the Euclidean one (band). Black bar: where 95 % of Gaussian matrices of that "
        "shape begin. Triangles: the layer has lost rank, or is 0, in a network. (d), (e): accuracy on "
        f"{point['images']} test images over epsilon, after the first step (dashed) and the last (solid), means over "
        f"networks with {LEVEL} intervals (Student); grey: guessing.{beside}"
    )


def _seeds(drawn: Numbers) -> str:
    return f"{drawn.networks} seed{'s' if drawn.networks > 1 else ''}"


def draw(figure: Figure, drawn: Numbers) -> None:
    """One digit over epsilon (Figures 1 and 2), one of each class (3), courses (4 and 5), accuracies (Tables I, II)."""
    parts: Any = figure.subfigures(4, 1, height_ratios=_heights(drawn))
    _one_digit(parts[0], drawn)
    _all_classes(parts[1], drawn)
    _courses(parts[2], drawn)
    _accuracies(parts[3], drawn)


def _heights(drawn: Numbers) -> tuple[float, float, float, float]:
    count = len(drawn.models)
    rows = -(-len(drawn.courses) // PER_ROW)
    return 2 * count * ROW + 0.7, (1 + count) * ROW + 0.5, rows * PANELS + 0.4, ACCURACIES


def _headed(figure: SubFigure, text: str) -> None:
    figure.suptitle(text, fontsize=8.5, x=0.01, ha="left")


def _one_digit(figure: SubFigure, drawn: Numbers) -> None:
    """A row for each attack and model, from epsilon = 0 on: of the first network of the run."""
    clean, *moved = drawn.digit.values
    rows = [(attack, model) for attack in ATTACKS for model in drawn.models]
    panels = figure.subplots(len(rows), 1 + len(TABLE_RADII), squeeze=False)
    for row, (attack, model) in enumerate(rows):
        first = row * len(TABLE_RADII)
        for axes, picture in zip(panels[row], [clean, *moved[first : first + len(TABLE_RADII)]], strict=True):
            show(axes, picture)
        named(panels[row, 0], f"{attack.upper()}\n{WORDS[model]}")
    panels[0, 0].set_title(r"$\epsilon = 0$", fontsize=7, loc="center")
    for axes, radius in zip(panels[0, 1:], TABLE_RADII, strict=True):
        axes.set_title(f"{radius:g}", fontsize=7, loc="center")
    _headed(figure, "(a)  one image under FGSM and FGMT, first network")


def _all_classes(figure: SubFigure, drawn: Numbers) -> None:
    """An image of each class before, and after FGSM for each model, with the most common wrong label."""
    pictures = drawn.classes.values.reshape(1 + len(drawn.models), drawn.taken_for.shape[1], -1)
    panels = figure.subplots(*pictures.shape[:2], squeeze=False)
    for (row, label), axes in np.ndenumerate(panels):
        show(axes, pictures[row, label])
        if row:
            taken_for = drawn.taken_for[row - 1, label]
            axes.set_xlabel(f"{taken_for:.0f}" if np.isfinite(taken_for) else "-", fontsize=7, labelpad=1)
        else:
            axes.set_title(str(label), fontsize=7, loc="center")
    named(panels[0, 0], "clean")
    for row, model in enumerate(drawn.models, 1):
        named(panels[row, 0], WORDS[model])
    _headed(
        figure,
        rf"(b)  an image of each class under FGSM, $\epsilon = {SHOWN:g}$; below, what its class is mostly taken for",
    )


def _courses(figure: SubFigure, drawn: Numbers) -> None:
    """Condition numbers over steps: medians in four norms, the range of kappa_2, and where it begins by its law."""
    count = len(drawn.courses)
    panels = figure.subplots(-(-count // PER_ROW), PER_ROW, squeeze=False).ravel()
    for axes, course in zip(panels, drawn.courses, strict=False):
        _condition(axes, drawn, course)
    for axes in panels[:count:PER_ROW]:
        axes.set_ylabel(r"$\|W\|\ \|W^+\|$")
    for spare in panels[count:]:
        spare.axis("off")
    panels[-1].legend(handles=labelled([panels[0]]), loc="center left")
    _headed(figure, "(c)  condition numbers along training: medians over networks, and the range of the Euclidean one")


def _condition(axes: Axes, drawn: Numbers, course: Course) -> None:
    steps = course.steps
    axes.fill_between(steps, course.low, course.high, color=OF_NORMS["2"][0], alpha=0.2, lw=0)
    for norm, medians in zip(NORMS, course.medians, strict=True):
        color, style = OF_NORMS[norm]
        axes.plot(steps, medians, style, color=color, label=rf"$\kappa_{{{SUBSCRIPTS[norm]}}}$")
    _marked(axes, course.singular, 1.0, "^", r"$\sigma_n = 0$ in a network")
    _marked(axes, course.zero, 0.0, "v", r"$W = 0$ in a network")
    if course.layer != SIMPLE or drawn.point["initial"] != "0":
        centre, sd = tall_condition(*shapes(drawn.point)[course.layer])
        ends = centre * np.exp(WITHIN * sd * np.array([-1, 1]))
        axes.plot([0, 0], ends, color=THEORY, lw=3, solid_capstyle="butt", label="Gaussian law, 95 %")
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_yscale("log")
    _labelled(axes)
    axes.set(xlim=(-0.3, max(steps.max(), 1)), title=LAYERS[course.layer], xlabel="step")


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


def _accuracies(figure: SubFigure, drawn: Numbers) -> None:
    """Accuracy over epsilon under either attack, after one step and after all, beside the printed numbers."""
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (table, attack) in zip(panels, enumerate(ATTACKS, 1), strict=True):
        for model in drawn.models:
            for name, found in drawn.accuracies[attack].items():
                words = f"{NAMES[model]}, {_after(drawn, name)}"
                look = MARKS[model], COLOURS[model], STYLES[name]
                marks(axes, RADII, found[model], *look, label=words, ms=2.6)
            if drawn.point["dataset"] == "mnist":
                values = [reported.attacked_accuracy(table, MODELS[model], radius).value for radius in reported.RADII]
                radii = list(map(float, reported.RADII))
                printed(axes, radii, values, MARKS[model], label=f"printed, {WORDS[model]}")
        axes.axhline(GUESSING, color=CHANCE, lw=0.8, zorder=0)
        axes.set(
            xscale="log",
            ylim=(-0.02, 1.02),
            xlabel=r"$\epsilon$, pixels in $[0, 1]$",
            title=f"({'de'[table - 1]})  {attack.upper()}",
        )
    panels[0].set_ylabel("share of images")
    figure.legend(handles=labelled([panels[0]]), loc="outside lower center", ncols=3)


def _after(drawn: Numbers, name: str) -> str:
    """The words for the first or the last step of the attacks."""
    steps = drawn.point["steps"] if name == "last" else 1
    return f"{steps} step{'s' if steps > 1 else ''}"


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
