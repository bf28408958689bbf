"""Figures 1 and 4 to 6 of latent and SVD defences, each space in its own units, and all of them in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.latent_defence.setting import GRADIENTS, PICTURED, SPACES
from empirical.latent_defence.setting import KINDS as CLASSIFIERS
from figures.panels.shared import tick_plainly
from figures.shared.classifiers import DESCRIBED, KINDS
from figures.shared.legends import line
from figures.shared.picture import Picture
from figures.shared.pixels import CHANGE, Pixels, named, packed, show
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, Ranges, means, ranges
from figures.shared.style import CHANCE, DATA_SETS, GREY, ORANGE, ROSE, SKY, THEORY, WITNESS
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, Bounds
from fragility.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

HEIGHTS = 1.85, 2.5, 2.8  # inches: of pictures, of spaces in their own units, of pixels
SIZE = (7.2, sum(HEIGHTS) + 0.4)
NAMES = {
    "image": "image",
    "ae_encoding": "AE encoding",
    "ae_projection": "AE projection",
    "vae_encoding": "VAE encoding",
    "vae_projection": "VAE projection",
}
WAYS = {  # colour, mark, and words
    "transfer": (GREY, "x", "along the image classifier's examples"),
    "exact": (ORANGE, "o", "gradient"),
    "implicit": (SKY, "s", "implicit gradient"),
    "steps": (WITNESS, "^", "gradient through the steps"),
    "expected": (ROSE, "D", "expected gradient"),
}
PIXEL = "pixels of [0, 1], Euclidean"
POSITIVE: Bounds = (0.0, np.inf)
APART = 0.24  # of the three classifiers of a space, and of the ways of attack
REACHED = 0.95  # of attempts: below it a mean speaks of too few of them


@dataclass(frozen=True)
class Attacked:
    """One image and the nearest that a classifier of each space takes for another class.

    Parameters
    ----------
    pictures : the image, and one for each space.
    changes : what was added for each space.
    label : of the image.
    taken_for, lengths : of each space; NaN, and infinite, where nothing was found.
    """

    pictures: Pixels
    changes: Pixels
    label: int
    taken_for: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class Numbers:
    """What is drawn: of classifiers (spaces, classifiers) each.

    Parameters
    ----------
    reached : share of attempts that reached their goal.
    adversarial : accuracy on examples made for image classifiers: of the other two, and of their codes.
    coded : accuracy on the codes of the same images unperturbed, (codes, classifiers).
    ways, best : smallest perturbations in pixels by way of attack (spaces, classifiers, ways), and of all ways.
    certified : medians of lower bounds.
    """

    attacked: Attacked
    accuracy: Means
    robustness: Means
    reached: np.ndarray
    adversarial: Means
    coded: np.ndarray
    ways: Ranges
    best: np.ndarray
    certified: np.ndarray
    seeds: int
    point: Mapping[str, Any]

    def tidy(self) -> Table:
        """All but the pictures; of these, the lengths of what was added."""
        cells = {"space": SPACES, "classifier": CLASSIFIERS}
        named = ("accuracy", "robustness", "reached", "adversarial")
        pixels = {"smallest of all ways": self.best, "certified": self.certified}
        picture = {"space": SPACES, "classifier": [PICTURED]}
        return tidy(
            [
                *(Quantity(name, getattr(self, name), cells) for name in named),
                Quantity("accuracy on unperturbed codes", self.coded, cells | {"space": SPACES[1:]}),
                Quantity("smallest perturbation", self.ways, cells | {"way": GRADIENTS}, PIXEL),
                *(Quantity(name, found, cells, PIXEL) for name, found in pixels.items()),
                Quantity("perturbation of the picture", self.attacked.lengths[:, None], picture, PIXEL),
            ],
            title(self),
        )


def numbers(run: Path, _manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    return reduced(measured(run, "empirical.latent_defence", point), point)


def reduced(columns: Mapping[str, np.ndarray], point: Point) -> Numbers:
    """What is drawn of all columns of a point."""
    adversarial = np.concatenate((_others(columns["transfer"]), columns["adversarial_accuracy"]), axis=1)
    return Numbers(
        _attacked(columns),
        means(columns["test_accuracy"], SHARE),
        means(columns["robustness"], POSITIVE),
        columns["success"].mean(axis=0),
        means(adversarial, SHARE),
        columns["coded_accuracy"].mean(axis=0),
        ranges(columns["pixels_by"]),
        np.median(columns["pixels"], axis=0),
        np.median(columns["pixels_lower"], axis=0),
        len(columns["seed"]),
        point,
    )


def _attacked(columns: Mapping[str, np.ndarray]) -> Attacked:
    """Of the first seed."""
    clean, moved = columns["picture"][0], columns["picture_attacked"][0]
    delta = moved - clean
    most = float(np.nanmax(np.abs(delta), initial=0.0)) or 1.0
    return Attacked(
        packed(np.concatenate((clean[None], moved))),
        packed(delta, -most, most),
        int(columns["picture_label"][0]),
        columns["picture_as"][0],
        columns["picture_length"][0],
    )


def _others(transfer: np.ndarray) -> np.ndarray:
    """Accuracy of each classifier of images on what was made for the other two, (seeds, 1, classifiers)."""
    own = np.eye(transfer.shape[-1], dtype=bool)
    return np.where(own, 0.0, transfer).sum(axis=1, keepdims=True) / (len(own) - 1)


def title(drawn: Numbers) -> str:
    """Whose classifiers they are, and of how many seeds."""
    images, seeds = DATA_SETS[drawn.point["dataset"]], drawn.seeds
    return f"Classifiers of images and of codes of an autoencoder: {images}, {seeds} seed{'s' if seeds > 1 else ''}"


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    point, kind = drawn.point, KINDS[PICTURED][0]
    return (
        f"Classifiers ({DESCRIBED}) of {DATA_SETS[point['dataset']]} and of four kinds of codes of 32 numbers: by the "
        "encoder of an autoencoder (AE) or a variational one (VAE), or by projection on what its decoder gives; "
        f"{drawn.seeds} seeds, {point['training']} training images. (a): one image and the nearest found, in pixels of "
        f"[0, 1], that {kind} of each space takes for another class, which is named; below, what was added. At the far "
        "right the classifier of images, which no code protects. (b): accuracy on test images. (c): the perturbations "
        "of the paper's attack, each in the space and the units of its classifier, relative to the length of image or "
        "code. (d): accuracy on adversarial examples of images, given to the other two classifiers of images, and by "
        "their codes to those of codes; small bars: on the codes of the same images unperturbed. (b) to (d) are means "
        f"over seeds with {LEVEL} intervals (Student). (e) to (g): the smallest perturbation that turns the decision "
        "on an image through the whole pipeline, Euclidean, in pixels of [0, 1]: medians over at most "
        f"{point['images']} images, of these the median over seeds (mark) and the range (line), by way of attack; "
        "black: the smallest of all ways; grey bars: what is certified, none of projections and sampled codes. A mark "
        "at the left edge is 0: more than half of the images are wrong already."
    )


def draw(figure: Figure, drawn: Numbers) -> None:
    """One image attacked; accuracy, robustness and adversarial accuracy by space; perturbations of pixels by kind."""
    pictures, spaces, pixels = _parts(figure)
    _pictures(pictures, drawn.attacked)
    accuracy, robustness, adversarial = spaces.subplots(1, 3, sharey=True)
    _by_space(accuracy, drawn.accuracy, "(b)  accuracy", "share of test images")
    accuracy.set_xlim(right=1)
    own = "(c)  robustness, in own units", r"$\|\delta\|\,/\,\|x\|$"
    _by_space(robustness, drawn.robustness, *own, reached=drawn.reached)
    robustness.set_xlim(left=0)
    _by_space(adversarial, drawn.adversarial, "(d)  accuracy on image examples", "share of examples")
    _ticks(adversarial, drawn.coded)
    adversarial.set_xlim(0, 1)
    _rows(accuracy)
    spaces.legend(handles=_kinds(), loc="outside lower center", ncols=6, columnspacing=1.0, handletextpad=0.3)
    panels = pixels.subplots(1, len(CLASSIFIERS), sharex=True, sharey=True)
    for number, (axes, kind) in enumerate(zip(panels, CLASSIFIERS, strict=True)):
        _pixels(axes, drawn, number)
        axes.set_title(f"({'efg'[number]})  {KINDS[kind][0]}, in pixels")
        axes.set_xlabel(r"smallest $\|\delta\|_2$, pixels of [0, 1]")
    _rows(panels[0])
    pixels.legend(handles=_ways(drawn), loc="outside lower center", ncols=4, columnspacing=1.2, handletextpad=0.3)


def _parts(figure: Figure) -> Any:
    return figure.subfigures(len(HEIGHTS), 1, height_ratios=HEIGHTS)


def _pictures(figure: SubFigure, found: Attacked) -> None:
    """The image at the left, then what flips a classifier of each space, the one of images last; below, the changes."""
    clean, *moved = found.pictures.values
    order = [*range(1, len(SPACES)), 0]
    grid = figure.subplots(2, 1 + len(SPACES))
    show(grid[0, 0], clean)
    grid[0, 0].set_title(f"clean\nclass {found.label}", loc="center", fontsize=7)
    grid[1, 0].axis("off")
    for (above, below), space in zip(grid.T[1:], order, strict=True):
        length, other = found.lengths[space], f"{found.taken_for[space]:.0f}"
        said = "none found" if np.isinf(length) else f"taken for {other}" if length else f"wrong already: {other}"
        show(above, moved[space])
        above.set_title(f"{NAMES[SPACES[space]]}\n{said}", loc="center", fontsize=7)
        shade = show(below, found.changes.values[space], found.changes.low, found.changes.high, CHANGE)
        below.set_xlabel(rf"$\|\delta\|_2 = {length:.2f}$" if shade else "", fontsize=7, labelpad=2)
    named(grid[1, 1], r"$\delta$")
    shades = [image for axes in grid[1, 1:] for image in axes.get_images()]
    if shades:
        bar = figure.colorbar(shades[0], ax=list(grid.flat), shrink=0.7, aspect=14, pad=0.01)
        bar.ax.tick_params(labelsize=6)
        bar.set_label("pixel", fontsize=6.5)
    figure.suptitle(
        f"(a)  one image, attacked in pixels: {KINDS[PICTURED][0]} of each space", fontsize=8.5, x=0.01, ha="left"
    )


def _rows(axes: Axes) -> None:
    """A row for each space, the image on top."""
    axes.set_yticks(range(len(SPACES)), [NAMES[space] for space in SPACES])
    axes.set_ylim(len(SPACES) - 0.5, -0.5)


def _banded(axes: Axes) -> None:
    """Every second row is shaded, so that its marks are read together."""
    for row in range(0, len(SPACES), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="0.96", lw=0, zorder=0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _by_space(axes: Axes, found: Means, heading: str, text: str, reached: np.ndarray | None = None) -> None:
    """Means over seeds and their intervals; a mark is hollow where too few attempts reached their goal."""
    _banded(axes)
    for place, number in np.ndindex(found.value.shape):
        _, color, mark = KINDS[CLASSIFIERS[number]]
        row, one = place + APART * (number - 1), found[place, number]
        if np.isfinite(one.low):
            axes.plot([one.low, one.high], [row, row], color=color, lw=1.4, alpha=0.5, solid_capstyle="butt")
        few = reached is not None and not reached[place, number] >= REACHED
        axes.plot(one.value, row, mark, color=color, mfc="white" if few else color, ms=4, mew=0.9)
    axes.set(title=heading, xlabel=text)
    axes.locator_params(axis="x", nbins=5)


def _ticks(axes: Axes, coded: np.ndarray) -> None:
    """What the classifiers make of the same images unperturbed."""
    first = len(SPACES) - len(coded)
    for number, kind in enumerate(CLASSIFIERS):
        rows = np.arange(len(coded)) + first + APART * (number - 1)
        axes.plot(coded[:, number], rows, "|", color=KINDS[kind][1], ms=6, mew=1.1)


def _pixels(axes: Axes, drawn: Numbers, kind: int) -> None:
    """For each space the smallest perturbation by way of attack, the smallest of all, and what is certified."""
    _banded(axes)
    ends = _ends(drawn)
    axes.set_xscale("log")
    axes.set_xlim(ends[0], 1.1 * ends[1])
    for row in range(len(SPACES)):
        bound, best = drawn.certified[row, kind], drawn.best[row, kind]
        axes.barh(row, max(bound - ends[0], 0.0), left=ends[0], height=0.9, color=CHANCE, lw=0)
        low, middle, high = (end[row, kind] for end in (drawn.ways.low, drawn.ways.middle, drawn.ways.high))
        ways = np.flatnonzero(~np.isnan(middle))
        for place, way in enumerate(ways):
            color, mark, _ = WAYS[GRADIENTS[way]]
            at = row + APART * (place - (len(ways) - 1) / 2)
            _spread(axes, np.clip([low[way], middle[way], high[way]], *ends), at, color, mark, ends[1])
        if np.isfinite(best):
            axes.plot([best, best], [row - 0.45, row + 0.45], color=THEORY, lw=1.3, zorder=1.5)
    tick_plainly(axes.xaxis)


def _spread(axes: Axes, found: np.ndarray, row: float, color: str, mark: str, end: float) -> None:
    """The median over seeds and the range; what is infinite is an arrow at the edge, and 0 a mark at the other."""
    low, middle, high = found
    axes.plot([low, high], [row, row], color=color, lw=1.4, alpha=0.5, solid_capstyle="butt")
    axes.plot(middle, row, mark if middle < end else ">", color=color, ms=4, mew=0.9, clip_on=False)


def _ends(drawn: Numbers) -> tuple[float, float]:
    """Somewhat below and beyond all perturbations: where those of 0, and infinite ones, are drawn."""
    ways = drawn.ways
    every = np.concatenate([np.ravel(one) for one in (ways.low, ways.middle, ways.high, drawn.best, drawn.certified)])
    sizes = every[np.isfinite(every) & (every > 0)]
    return (sizes.min() / 1.5, 1.5 * sizes.max()) if sizes.size else (0.1, 1.0)


def _kinds() -> Sequence[Any]:
    kinds = [line(color, "", words, mark) for words, color, mark in KINDS.values()]
    hollow = line("0.4", "", "(c): fewer than 95 % reached", "o", mfc="white")
    clean = line("0.4", "", "(d): the same, unperturbed", "|", ms=6, mew=1.1)
    return [*kinds, hollow, clean, line("0.4", "", "(d), image: made for the other two")]


def _ways(drawn: Numbers) -> Sequence[Any]:
    from matplotlib.patches import Patch

    tried = {GRADIENTS[way] for way in np.flatnonzero(~np.isnan(drawn.ways.middle).all(axis=(0, 1)))}
    ways = [line(color, "", words, mark) for way, (color, mark, words) in WAYS.items() if way in tried]
    none = line("0.4", "", "none found", ">")
    every = line(THEORY, "-", "all ways together", lw=1.3)
    return [*ways, none, every, Patch(color=CHANCE, lw=0, label="certified")]


PICTURE = Picture(
    "empirical.latent_defence",
    numbers,
    draw,
    SIZE,
    title,
    caption,
    shows=tuple(f"Latent and SVD defences, Figure {number}" for number in (1, 4, 5, 6)),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
