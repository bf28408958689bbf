"""Sevens with the ones made of them and what a network needs to confuse them; that need against its prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.measures.path import ends
from empirical.mnist_compression.tables import ILLUSTRATED, compression, kept, predicted, ratio
from figures.shared.picture import Picture
from figures.shared.pixels import CHANGE, Pixels, named, packed, show
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, few, marks, means, of_all
from figures.shared.style import CHANCE, DATA_SETS, DECOY, SIMULATION, THEORY
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point
from fragility.judging.estimates import COSINE
from fragility.tables import Table
from theory.gradients.gradient_plane import median_compression

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

SIZE = (7.2, 6.6)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # over images
CONSTRUCTIONS = {
    "enough": "pixels of its upper stroke are blocked from the free end on until the network says 1",
    "halfway": "the same after the 7 was moved half the way to where its stem is in the middle",
    "whole": "all of its upper stroke is blocked",
}


@dataclass(frozen=True)
class Pairs:
    """The first pairs: pictures of the 7, the artificial 1 and the perturbation; the image's number, L and |e|."""

    seven: Pixels
    artificial: Pixels
    change: Pixels
    image: np.ndarray
    length: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class Ratios:
    """Single images, one entry each, and how many there are of all.

    Parameters
    ----------
    cosine : |cos theta| at the 7.
    found, lower : |e| over L / 2, and the certified lower bound of it, 0 where there is none.
    tie : the same, predicted; NaN where the network denies the artificial 1.
    """

    cosine: np.ndarray
    found: np.ndarray
    lower: np.ndarray
    tie: np.ndarray
    count: int


@dataclass(frozen=True)
class Numbers:
    """What is drawn of the images for which the construction works.

    Parameters
    ----------
    quantiles : of cos theta_k over images, at the levels of `QUANTILES`, (levels, nodes).
    average : mean of cos theta_k, (nodes,).
    tried : sevens, for all of which the construction was tried.
    pixels : of an image.
    """

    pairs: Pairs
    ratios: Ratios
    quantiles: np.ndarray
    average: Means
    tried: int
    pixels: int
    point: Mapping[str, Any]

    def tidy(self) -> Table:
        """All but the pictures; `place` counts the images for which the construction works."""
        pairs, places = {"image": self.pairs.image}, {"place": few(self.ratios.count)}
        alpha = {"alpha": ends(self.quantiles.shape[1])}
        single = [Quantity(name, getattr(self.ratios, name), places) for name in ("cosine", "found", "lower", "tie")]
        return tidy(
            [
                *(Quantity(name, getattr(self.pairs, name), pairs) for name in ("length", "distance")),
                *single,
                Quantity("quantile of cos theta_k", self.quantiles, {"level": QUANTILES, **alpha}),
                Quantity("mean of cos theta_k", self.average, alpha),
            ],
            title(self),
        )


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it, or the construction works for no image.
    """
    read = measured(run, "empirical.mnist_compression", point)
    chosen = kept(read)
    if not len(chosen["works"]):
        raise FileNotFoundError(f"the construction works for none of {len(read['works'])} images of {run}")
    cosines = -chosen["cosines"]
    return Numbers(
        _pairs({name: values[:ILLUSTRATED] for name, values in chosen.items()}),
        _ratios(chosen),
        np.quantile(cosines, QUANTILES, axis=0),
        means(cosines, COSINE),
        len(read["works"]),
        chosen["clean"].shape[1],
        point,
    )


def _pairs(columns: Mapping[str, np.ndarray]) -> Pairs:
    change = columns["perturbed"] - columns["clean"]
    most = float(np.abs(change).max()) or 1.0
    return Pairs(
        packed(columns["clean"]),
        packed(columns["artificial"]),
        packed(change, -most, most),
        columns["image"].astype(int),
        columns["length"],
        columns["distance"],
    )


def _ratios(columns: Mapping[str, np.ndarray]) -> Ratios:
    count = len(columns["works"])
    lower = columns["lower"] / (columns["length"] / 2)
    shown = [values[few(count)] for values in (compression(columns), ratio(columns), lower, predicted(columns))]
    cosine, found, bound, tie = shown
    return Ratios(cosine, found, bound, tie, count)


def title(drawn: Numbers) -> str:
    """For how many sevens the construction works, and of which network."""
    point = drawn.point
    epochs = f"{point['epochs']} epoch{'s' if point['epochs'] > 1 else ''}"
    return (
        f"{drawn.ratios.count} of {drawn.tried} sevens of {DATA_SETS[point['dataset']]}, construction "
        f"'{point['construction']}'; network {point['network']} after {epochs}"
    )


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    point, count = drawn.point, drawn.ratios.count
    certified = " Grey lines reach down to the certified lower bound." if (drawn.ratios.lower > 0).any() else ""
    return (
        f"One convolutional network (number {point['network']}) trained on {DATA_SETS[point['dataset']]}, and "
        f"{drawn.tried} sevens of its test set. Of a 7, x_2, an artificial 1, x_1, is made: "
        f"{CONSTRUCTIONS[point['construction']]}; this works for {count}. (a): the first pairs, their distance L = "
        "||x_1 - x_2||, and the smallest perturbation e found that makes the network call the 7 a 1; Euclidean, "
        f"pixels in [0, 1]. (b): its length over its prediction, {of_all(len(drawn.ratios.found), count, 'images')}: "
        "crosses, |e| / L against |cos theta|, theta the angle of x_1 - x_2 and the gradient of f = f_7 - f_1 at the "
        "7; dots, |e| over L / 2 against its first-order length to the tie; line: both are equal, as for linear "
        f"f.{certified} (c): cos theta_k at {drawn.quantiles.shape[1]} places from the 7 (0) to the artificial 1 (1): "
        f"median, quartiles and 5 to 95 % of the images, and their mean with {LEVEL} intervals over images (Student). "
        f"Grey: where half of all random directions in {drawn.pixels} dimensions lie, by their law."
    )


def draw(figure: Figure, drawn: Numbers) -> None:
    """Five pairs of pictures (Figures 3 and 4), |e| against its prediction, and cos theta_k along the way."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.4, 1))
    _pictures(parts[0], drawn.pairs)
    left, right = parts[1].subplots(1, 2)
    _scatter(left, drawn.ratios)
    _way(right, drawn)


def _pictures(figure: SubFigure, pairs: Pairs) -> None:
    """A column for each pair; the last columns stay empty where there are fewer."""
    seven, artificial, change = (one.values for one in (pairs.seven, pairs.artificial, pairs.change))
    titles = ("7", "artificial 1", r"$7 + e$, called 1", r"$e$")
    grid = figure.subplots(len(titles), ILLUSTRATED, squeeze=False)
    for axes, text in zip(grid[:, 0], titles, strict=True):
        named(axes, text)
    for axes in grid[:, len(seven) :].flat:
        axes.axis("off")
    for number, column in enumerate(grid.T[: len(seven)]):
        for axes, picture in zip(column, (seven, artificial, seven + change), strict=False):
            show(axes, picture[number])
        shade = show(column[-1], change[number], pairs.change.low, pairs.change.high, CHANGE)
        for axes in column:
            axes.spines[:].set(visible=True, color=CHANCE)
        column[0].set_title(f"no. {pairs.image[number]}", loc="center")
        column[1].set_xlabel(f"$L = {pairs.length[number]:.2f}$", labelpad=2)
        column[3].set_xlabel(f"$|e| = {pairs.distance[number]:.2f}$", labelpad=2)
    bar = figure.colorbar(shade, ax=list(grid.flat), shrink=0.22, aspect=8, pad=0.01, anchor=(0, 0.02))
    bar.set_label("pixel", fontsize=7)
    figure.suptitle("(a)  the first pairs, and the smallest perturbation found", fontsize=8.5, x=0.01, ha="left")


def _scatter(axes: Axes, ratios: Ratios) -> None:
    known = np.isfinite(ratios.tie)
    certified = known & (ratios.lower > 0)
    axes.vlines(ratios.tie[certified], ratios.lower[certified], ratios.found[certified], color=CHANCE, lw=0.8, zorder=1)
    axes.plot(
        ratios.cosine, ratios.found / 2, "x", color=DECOY, ms=3.2, mew=0.7, label=r"$|e|/L$ against $|\cos\theta|$"
    )
    tie = r"$|e|/(L/2)$ against first order, to the tie"
    axes.plot(ratios.tie[known], ratios.found[known], "o", color=SIMULATION, ms=3.2, mew=0, alpha=0.75, label=tie)
    right = 1.1 * float(np.nanmax([*ratios.tie[known], *ratios.cosine]))
    top = 1.5 * float(ratios.found[known].max() if known.any() else ratios.found.max() / 2)
    axes.plot([0, right], [0, right], color=THEORY, lw=0.9, zorder=0, label="equal, as predicted for linear $f$")
    axes.set(
        xlim=(0, right),
        ylim=(0, top),
        xlabel="predicted ratio of lengths",
        ylabel="smallest perturbation found, ratio",
        title="(b)  perturbation and compression",
    )
    axes.legend(loc="upper left")


def _way(axes: Axes, drawn: Numbers) -> None:
    low, first, middle, third, high = drawn.quantiles
    alpha = ends(len(middle))
    chance = median_compression(drawn.pixels, 1)
    axes.axhspan(-chance, chance, color=CHANCE, lw=0, zorder=0, label="half of random directions")
    axes.fill_between(alpha, low, high, color=SIMULATION, alpha=0.15, lw=0, label="5 to 95 % of images")
    axes.fill_between(alpha, first, third, color=SIMULATION, alpha=0.3, lw=0, label="quartiles")
    axes.plot(alpha, middle, "-", color=SIMULATION, label="median")
    marks(axes, alpha, drawn.average, "D", DECOY, ms=2.8, label="mean (Table 6)")
    least, most = min(float(low.min()), 0.0), float(high.max())
    axes.set(
        xlim=(-0.02, 1.02),
        ylim=(least - 0.05 * (most - least), most + 0.45 * (most - least)),
        xlabel=r"$\alpha$: from the 7 (0) to the artificial 1 (1)",
        ylabel=r"$\cos\theta_k$",
        title="(c)  compression along the way",
    )
    axes.legend(loc="upper left", ncols=2)


PICTURE = Picture(
    "empirical.mnist_compression",
    numbers,
    draw,
    SIZE,
    title,
    caption,
    shows=("Feature compression, Figure 3", "Feature compression, Figure 4"),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
