"""Table 1 and Figures 1 to 3 of ConvNorm: accuracies by width and normalisation, on their way, and spectral norms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.convnorm_width.columns import ATTACKS, WORDS, where
from empirical.convnorm_width.study import STUDY
from empirical.convnorm_width.trainings import NORMALISATIONS
from figures.shared.legends import line, open_mark
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, Ranges, few, marks, means, printed, ranges
from figures.shared.style import CHANCE, DATA_SETS, DECOY, GREEN, GREY, ORANGE, SIMULATION, THEORY, WITNESS
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point
from fragility.judging.estimates import ANY, SHARE
from fragility.tables import Table
from theory import reported

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


WIDE = 7.2
TOP, TABLE, COURSE, NORMS = 2.2, 2.2, 1.15, 2.3  # inches: rows of panels, of courses each
LONGEST = 100  # letters of a line of the title
GUESSING = 0.1  # of ten classes
PIXELS = 255  # steps of a pixel's range, in which radii are printed
PER_CENT = 100
BEYOND = 1.4  # times the means of norms, to either side: a wide interval is cut off there
EPOCHS = 25  # of a course that are drawn, at most
OF_NORMALISATION = {  # colour and mark
    "vanilla": (GREY, "o"),
    "bn": (SIMULATION, "s"),
    "convnorm": (DECOY, "^"),
    "bn_convnorm": (GREEN, "D"),
}
KINDS = {"clean": "no attack", **ATTACKS}
OF_KIND = {"clean": (GREY, "^", ":"), "fgsm": (ORANGE, "s", "--"), "pgd": (SIMULATION, "o", "-")}  # colour, mark, line
OF_NORM = {  # colour, mark, line and words
    "vanilla": (GREY, "o", ":", "vanilla network"),
    "before": (WITNESS, "s", "--", "kernels of ConvNorm"),
    "after": (DECOY, "^", "-", "the same, normalised"),
    "bound": (THEORY, "_", "", "Proposition 3.1"),
}


@dataclass(frozen=True)
class Norms:
    """Spectral norms of one kind of network, by the names of `OF_NORM`, at each of its convolutions."""

    network: str
    places: Mapping[str, np.ndarray]
    norms: Mapping[str, Means]


@dataclass(frozen=True)
class Numbers:
    """What is drawn: over seeds, by width and normalisation.

    Parameters
    ----------
    accuracies : without attack and under either, by the names of `KINDS`, each (widths, normalisations).
    curves : of the widest networks under either attack, each (normalisations, radii).
    epochs : of the courses, those that are drawn, from 1.
    courses : accuracies after these, by the names of `KINDS`, each (widths, normalisations, epochs).
    overfitted : how many seeds look catastrophically overfitted then.
    """

    widths: np.ndarray
    normalisations: tuple[str, ...]
    accuracies: Mapping[str, Means]
    radii: np.ndarray
    curves: Mapping[str, Means]
    epochs: np.ndarray
    courses: Mapping[str, Ranges]
    overfitted: np.ndarray
    norms: tuple[Norms, ...]
    seeds: int
    point: Mapping[str, Any]

    def tidy(self) -> Table:
        """All of it."""
        each = {"width": self.widths, "normalisation": self.normalisations}
        widest, along = each | {"width": self.widths[-1:]}, each | {"epoch": self.epochs}
        return tidy(
            [
                *(
                    Quantity("accuracy", found[None], {"attack": [kind], **each})
                    for kind, found in self.accuracies.items()
                ),
                *(
                    Quantity(
                        "accuracy over the radius",
                        found[None, None],
                        {"attack": [kind], **widest, "epsilon": self.radii},
                    )
                    for kind, found in self.curves.items()
                ),
                *(
                    Quantity("accuracy along training", found[None], {"attack": [kind], **along})
                    for kind, found in self.courses.items()
                ),
                Quantity("seeds that look overfitted", self.overfitted, along),
                *(
                    Quantity(
                        "spectral norm",
                        found[None, None],
                        {"network": [of.network], "of": [key], "convolution": of.places[key]},
                    )
                    for of in self.norms
                    for key, found in of.norms.items()
                ),
            ],
            title(self),
        )


def numbers(run: Path, _manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    from theory.claims.norm.trained_settings import flagged  # whose book takes a second to load

    columns = measured(run, "empirical.convnorm_width", point)
    names = tuple(NORMALISATIONS[int(number)] for number in columns["normalisation"][0])
    some = few(columns["course_clean"].shape[-1], EPOCHS)
    courses = {kind: columns[f"course_{kind}"][..., some] for kind in KINDS}
    return Numbers(
        columns["width"][0].astype(int),
        names,
        {kind: means(columns[kind], SHARE) for kind in KINDS},
        columns["radii"][0],
        {attack: means(columns[f"curve_{attack}"][:, -1], SHARE) for attack in ATTACKS},
        1 + some,
        {kind: ranges(course) for kind, course in courses.items()},
        flagged(courses["fgsm"], courses["pgd"]).sum(axis=0),
        tuple(_norms(columns, names)),
        len(columns["seed"]),
        point,
    )


def _norms(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> list[Norms]:
    """Of ResNet18 at the start and trained, and of the widest WideResNets with ConvNorm, as far as there are any."""
    found = []
    for ending, words in (("", "untrained"), ("_trained", "trained")):
        resnet = {key: columns[f"resnet_{key}{ending}"] for key in ("before", "after")}
        if not np.isnan(resnet["before"]).all():
            found.append(_of_layers(f"ResNet18, {words}", resnet))
    if "convnorm" in names:
        place = names.index("convnorm")
        wide = {"before": "norm_weights", "after": "norm_layer", "bound": "bound"}
        norms = {key: columns[name][:, -1, place] for key, name in wide.items()}
        if "vanilla" in names:
            norms["vanilla"] = columns["norm_layer"][:, -1, names.index("vanilla")]
        found.append(_of_layers(f"WideResNet-16-{columns['width'][0, -1]:.0f}, trained", norms))
    return found


def _of_layers(network: str, norms: Mapping[str, np.ndarray]) -> Norms:
    """Means over seeds at the layers that the network has."""
    there = {key: np.flatnonzero(~np.isnan(values).any(axis=0)) for key, values in norms.items()}
    return Norms(
        network,
        {key: 1 + places for key, places in there.items()},
        {key: means(norms[key][:, places], (0.0, ANY[1])) for key, places in there.items()},
    )


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches: a row of courses for every width, and three rows of panels."""
    return WIDE, 0.2 + sum(_heights(drawn))


def _heights(drawn: Numbers) -> tuple[float, float, float, float]:
    return TOP, TABLE, COURSE * len(drawn.widths) + 0.7, NORMS


def title(drawn: Numbers) -> str:
    """Which networks they are, and how they were trained."""
    others = where(drawn.point, STUDY.grid).removeprefix(f"dataset {drawn.point['dataset']}, ")
    return fill(f"WideResNet-16-k, {_seeds(drawn)}: {DATA_SETS[drawn.point['dataset']]}, {others}", LONGEST)


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    point = drawn.point
    beside = " Open marks, dotted: Table 1." if _on_cifar(drawn) else ""
    return (
        "WideResNets of 16 layers and width k, with no normalisation (vanilla), BatchNorm (BN), ConvNorm and both, "
        f"trained adversarially on {point['training']} images of {DATA_SETS[point['dataset']]} for {point['epochs']} "
        f"epochs from {_seeds(drawn)}; accuracies are on {point['images']} images or fewer, means over seeds with "
        f"{LEVEL} intervals (Student), attacks FGSM and PGD within l_inf radii epsilon of pixels in [0, 1]. (a): "
        "without attack, over the width. (b): of the widest networks over the radius, PGD solid and FGSM dashed. (c): "
        f"at epsilon = 8/255 over the width.{beside} (d): along training, at {len(drawn.epochs)} epochs of "
        f"{point['epochs']}; lines are medians over seeds, bands their range; triangles: a seed or more looks "
        "catastrophically overfitted, much better under FGSM than under PGD. (e): spectral norms of the convolutions, "
        "of the kernels under ConvNorm and as it normalises them; dashes: the bound of Proposition 3.1. Grey lines: "
        "guessing."
    )


def _seeds(drawn: Numbers) -> str:
    return f"{drawn.seeds} seed{'s' if drawn.seeds > 1 else ''}"


def _on_cifar(drawn: Numbers) -> bool:
    """Whether Table 1 is of such images."""
    return bool(drawn.point["dataset"] == "cifar10")


def draw(figure: Figure, drawn: Numbers) -> None:
    """Natural accuracy (Figure 3) and accuracy over the radius, Table 1, courses (Figure 2), norms (Figure 1)."""
    parts: Any = figure.subfigures(4, 1, height_ratios=_heights(drawn))
    _accuracies(parts[0], drawn)
    _table(parts[1], drawn)
    _courses(parts[2], drawn)
    _norm_panels(parts[3], drawn)


def _accuracies(figure: SubFigure, drawn: Numbers) -> None:
    """Natural accuracy over the width, and what attacks leave of the widest networks over the radius."""
    natural, curves = figure.subplots(1, 2, width_ratios=(1, 1.35))
    radii = drawn.radii * PIXELS
    for place, name in enumerate(drawn.normalisations):
        color, mark = OF_NORMALISATION[name]
        marks(natural, drawn.widths, drawn.accuracies["clean"][:, place], mark, color, "-")
        for attack in ATTACKS:
            marks(curves, radii, drawn.curves[attack][place], mark, color, OF_KIND[attack][2], ms=3)
    natural.set(title="(a)  accuracy without attack (Figure 3)", xlabel="widening factor k", ylabel="share of images")
    natural.set_xticks(drawn.widths)
    natural.margins(x=0.08)
    curves.axhline(GUESSING, color=CHANCE, lw=0.8, zorder=0)
    curves.set(
        title=f"(b)  accuracy under attack, k = {drawn.widths[-1]}", xlabel=r"radius, $255\,\epsilon$", ylim=(0, 1)
    )
    curves.set_xticks(radii)
    networks = [line(color, "-", WORDS[name], mark) for name, (color, mark) in OF_NORMALISATION.items()]
    shown = [entry for entry, name in zip(networks, OF_NORMALISATION, strict=True) if name in drawn.normalisations]
    styles = [line("0.3", OF_KIND[attack][2], words) for attack, words in ATTACKS.items()]
    figure.legend(handles=[*shown, *styles], loc="outside lower center", ncols=6)


def _table(figure: SubFigure, drawn: Numbers) -> None:
    """Accuracies under attack over the width, a panel for each normalisation, beside those that are printed."""
    beside = _on_cifar(drawn)
    panels = figure.subplots(1, len(drawn.normalisations), sharey=True, squeeze=False)[0]
    for place, (axes, name) in enumerate(zip(panels, drawn.normalisations, strict=True)):
        for attack in ATTACKS:
            color, mark, style = OF_KIND[attack]
            marks(axes, drawn.widths, drawn.accuracies[attack][:, place], mark, color, style)
            if beside:
                values = _printed(attack, name)
                axes.plot(reported.WIDTHS, values, ":", color=THEORY, lw=0.6)
                printed(axes, reported.WIDTHS, values, mark, ms=4.5)
        axes.axhline(GUESSING, color=CHANCE, lw=0.8, zorder=0)
        axes.set(title=WORDS[name], xlabel="k", ylim=(-0.03, 1.0))
        axes.set_xticks(sorted({*(reported.WIDTHS if beside else ()), *drawn.widths.tolist()}))
    panels[0].set_ylabel("share of images")
    handles = [line(*_colour_and_line(attack), words, OF_KIND[attack][1]) for attack, words in ATTACKS.items()]
    if beside:
        handles += [open_mark(OF_KIND[attack][1], f"{words}, printed") for attack, words in ATTACKS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    _headed(figure, r"(c)  accuracy under attack, $\epsilon = 8/255$ (Table 1)")


def _colour_and_line(kind: str) -> tuple[str, str]:
    color, _, style = OF_KIND[kind]
    return color, style


def _headed(figure: SubFigure, text: str) -> None:
    figure.suptitle(text, fontsize=8.5, x=0.01, ha="left")


def _printed(attack: str, normalisation: str) -> list[float]:
    """A column of Table 1 as shares, width by width."""
    name = normalisation.replace("_", "+")
    return [reported.robust_accuracy(ATTACKS[attack], width, name).value / PER_CENT for width in reported.WIDTHS]


def _courses(figure: SubFigure, drawn: Numbers) -> None:
    """Accuracies over epochs, a panel for each network; epochs after which a seed looks overfitted are marked."""
    shape = len(drawn.widths), len(drawn.normalisations)
    panels: Any = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
    for place in np.ndindex(shape):
        axes = panels[place]
        for kind, course in drawn.courses.items():
            color, style = _colour_and_line(kind)
            found = course[place]
            axes.fill_between(drawn.epochs, found.low, found.high, color=color, alpha=0.25, lw=0)
            axes.plot(drawn.epochs, found.middle, style, color=color, lw=0.9)
        marked = drawn.overfitted[place] > 0
        values = drawn.courses["pgd"].middle[place]
        axes.plot(drawn.epochs[marked], values[marked], "v", color=DECOY, ms=4, mew=0)
        axes.axhline(GUESSING, color=CHANCE, lw=0.8, zorder=0)
        axes.set_ylim(-0.02, 1.0)
    for axes, width in zip(panels[:, 0], drawn.widths, strict=True):
        axes.set_ylabel(f"k = {width}")
    for axes, name in zip(panels[0], drawn.normalisations, strict=True):
        axes.set_title(WORDS[name])
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    handles = [line(*_colour_and_line(kind), words) for kind, words in KINDS.items()]
    handles.append(line(DECOY, "", "a seed looks overfitted", "v", mew=0))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    _headed(figure, "(d)  accuracy along training, share of images (Figure 2)")


def _norm_panels(figure: SubFigure, drawn: Numbers) -> None:
    """Spectral norms layer by layer: of ResNet18 at the start and trained, of the widest WideResNets."""
    for axes, shown in zip(figure.subplots(1, len(drawn.norms), squeeze=False)[0], drawn.norms, strict=True):
        for key, found in shown.norms.items():
            color, mark, style, _ = OF_NORM[key]
            if key == "bound":
                axes.plot(shown.places[key], found.value, mark, color=color, ms=5)
            else:
                marks(axes, shown.places[key], found, mark, color, style, ms=2.6, lw=0.8)
        middle = np.concatenate([found.value for found in shown.norms.values()])
        axes.set(title=shown.network, xlabel="convolution", yscale="log")
        axes.set_ylim(middle.min() / BEYOND, middle.max() * BEYOND)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _plain(axes)
    figure.axes[0].set_ylabel("spectral norm")
    keys = [key for key in OF_NORM if any(key in shown.norms for shown in drawn.norms)]
    looks = {key: OF_NORM[key] for key in keys}
    handles = [line(color, style, words, mark) for color, mark, style, words in looks.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    _headed(figure, "(e)  spectral norms (Figure 1)")


def _plain(axes: Axes) -> None:
    """Plain numbers along a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


PICTURE = Picture(
    "empirical.convnorm_width",
    numbers,
    draw,
    size,
    title,
    caption,
    shows=tuple(f"ConvNorm, Figure {number}" for number in (1, 2, 3)),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
