"""A user's network: norms and conditions of its layers, its gradients, the smallest perturbations, and their masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from empirical.examine.parsed import entries
from empirical.examine.tables import SINGLE, signs
from empirical.measures.path import ends
from figures.shared.legends import labelled, legends
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, few, of_all
from figures.shared.style import CHANCE, DECOY, GREEN, GREY, SIMULATION, SKY, THEORY
from fragility.engine.study import Point
from fragility.judging.estimates import share
from theory.gradients.gradient_plane import median_compression

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHTS = (2.3, 0.85, 2.3, 0.6)  # inches: panels and their legends, above and below
SIZE = (7.2, 0.2 + sum(HEIGHTS))
QUANTILES = (0.05, 0.5, 0.95)  # over images
KINDS = (("dense", "s"), ("convolution", "o"), ("transposed convolution", "D"))  # words and mark, in the study's order
SHARES = (SKY, SIMULATION, GREEN, DECOY, GREY)  # of singular values left out, one colour each


@dataclass(frozen=True)
class Layers:
    """Of the layers that an image meets, in their order, one entry each.

    Parameters
    ----------
    kind : place in `KINDS`.
    norm, at_most, folded : spectral norm, its upper end, and the same with batch normalisation folded in.
    weights, map : condition numbers of the weights' matrix and of the map, the latter a lower bound unless `exact`.
    """

    kind: np.ndarray
    norm: np.ndarray
    at_most: np.ndarray
    folded: np.ndarray
    weights: np.ndarray
    map: np.ndarray
    exact: np.ndarray


@dataclass(frozen=True)
class Numbers:
    """What is drawn, of the images that are classified right.

    Parameters
    ----------
    cosine : quantiles over images at the levels of `QUANTILES`, (levels, nodes); NaN where there is no way.
    predicted, found, certified : lengths of some images, (images,).
    kept : margin without the bottom singular values over the margin, (images, shares).
    signs : of masked gradients, in words, with the share of images, and the interval of that.
    images, right : how many there are, and how many of them are classified right.
    inputs : numbers of an image.
    """

    layers: Layers
    cosine: np.ndarray
    predicted: np.ndarray
    found: np.ndarray
    certified: np.ndarray
    kept: np.ndarray
    signs: Mapping[str, tuple[float, float, float]]
    images: int
    right: int
    inputs: int
    point: Mapping[str, Any]
    lacking: tuple[str, ...]


def numbers(run: Path, _manifest: Mapping[str, Any], point: Point) -> Numbers:
    """Records of a point.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    columns = measured(run, "empirical.examine", point)
    right = columns["label"] == columns["said"]
    held = {name: values[right] for name, values in columns.items()}
    cosine = held["cosine"][np.isfinite(held["cosine"]).all(axis=1)]
    nothing = np.full((len(QUANTILES), held["cosine"].shape[1]), np.nan)
    lacking = [] if len(cosine) > 1 else ["no ways to images of another class are drawn: there are fewer than two"]
    some = few(len(held["upper"]))
    found = {words: share(flags) for words, (flags, _) in signs(held).items()}
    return Numbers(
        _layers(columns),
        np.quantile(cosine, QUANTILES, axis=0) if len(cosine) > 1 else nothing,
        held["first_order"][some],
        held["upper"][some],
        held["lower"][some],
        held["shrunk_margin"] / np.where(held["margin"] > 0, held["margin"], np.nan)[:, None],
        {words: (one.value, one.low, one.high) for words, one in found.items()},
        len(right),
        int(right.sum()),
        int(columns["numbers"][0]),
        point,
        tuple(lacking),
    )


def _layers(columns: Mapping[str, np.ndarray]) -> Layers:
    first = {name.removeprefix("layer_"): values[0] for name, values in columns.items() if name.startswith("layer_")}
    with np.errstate(divide="ignore", invalid="ignore"):
        condition = first["norm"] / first["smallest"]
    return Layers(
        first["kind"],
        first["norm"],
        first["norm_at_most"],
        first["folded_norm"],
        first["kernel_condition"],
        condition,
        first["smallest_exact"],
    )


def title(drawn: Numbers) -> str:
    """Whose numbers they are."""
    right = "" if drawn.point["labels"] == "said" else f", {drawn.right} of them classified right"
    return f"{drawn.point['model']}, {drawn.images} images{right}"


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    shares = " and ".join(f"{percent:g} %" for percent in entries(drawn.point["shrunk"]))
    return (
        f"{drawn.point['model']} on images of {drawn.inputs:,} numbers in [0, 1]: {drawn.right} of {drawn.images} that "
        "it gives their label. (a): spectral norm of each linear layer as the map of the images that it gets, with its "
        "stride and padding, in the order in which an image meets them; bars reach to what the norm exceeds with a "
        "chance of 1e-6 at most; open marks: with the batch normalisation behind it. (b): condition numbers, of the "
        "layer's weights as a matrix (grey) and of the map (blue; triangles are lower bounds, of maps too large to be "
        "written down); crosses: above 1.7e7, which single precision cannot tell from infinity. (c): cosine of the "
        "gradient of f, the difference of the logits of an image's class and of that of the nearest image that the "
        "network puts elsewhere, with the way to that image, at "
        f"{drawn.cosine.shape[1]} places on it: median and 5 to 95 % of images; grey: where half of all random "
        f"directions lie, by their law. (d): {of_all(len(drawn.found), drawn.right, 'images')}: length of the shortest "
        "perturbation found that turns the decision, in l2 and within [0, 1], against the first-order prediction; "
        "triangles: certified, where the architecture allows; line: both are equal. (e): share of images whose margin "
        f"is left with no more than this part of itself when {shares} of each layer's singular values are left out, "
        "from the bottom; below 0 the decision is lost. (f): share of images with a sign of masked gradients, with "
        f"{LEVEL} intervals by Clopper and Pearson; where there are many, the lengths in (d) say little."
    )


def draw(figure: Figure, drawn: Numbers) -> None:
    """Layers above, with their gradients; perturbations, truncation and signs of masking below."""
    above, first, below, second = cast("Any", figure.subfigures(4, 1, height_ratios=HEIGHTS))
    norms, conditions, cosines = above.subplots(1, 3)
    lengths, kept, masked = below.subplots(1, 3)
    _norms(norms, drawn.layers)
    _conditions(conditions, drawn.layers)
    _cosines(cosines, drawn)
    _lengths(lengths, drawn)
    _kept(kept, drawn)
    _signs(masked, drawn)
    legends(first, [labelled([panel]) for panel in (norms, conditions, cosines)])
    legends(second, [labelled([panel]) for panel in (lengths, kept, masked)])


def _places(layers: Layers) -> np.ndarray:
    return np.arange(1, len(layers.norm) + 1)


def _norms(axes: Axes, layers: Layers) -> None:
    places = _places(layers)
    for kind, (words, mark) in enumerate(KINDS):
        some = layers.kind == kind
        if some.any():
            reach = [np.zeros(some.sum()), layers.at_most[some] - layers.norm[some]]
            axes.errorbar(
                places[some], layers.norm[some], reach, fmt=mark, color=SIMULATION, ms=3, elinewidth=0.8, label=words
            )
    folded = layers.folded != layers.norm
    if folded.any():
        axes.plot(
            places[folded],
            layers.folded[folded],
            "o",
            mfc="none",
            color=DECOY,
            ms=3.6,
            mew=0.8,
            label="with batch norm.",
        )
    axes.axhline(1, color=CHANCE, lw=0.8, zorder=0)
    axes.set(title="(a)  spectral norm", xlabel="layer", yscale="log" if axes.containers else "linear")


def _conditions(axes: Axes, layers: Layers) -> None:
    places = _places(layers)
    for values, some, mark, color, words in (
        (layers.weights, ~np.isnan(layers.weights), "s", GREY, "weights as a matrix"),
        (layers.map, layers.exact == 1, "o", SIMULATION, "map of images"),
        (layers.map, layers.exact == 0, "^", SIMULATION, "map of images, at least"),
    ):
        told = some & (values < SINGLE)
        if told.any():
            axes.plot(places[told], values[told], mark, color=color, ms=3, mew=0, label=words)
    lost = (np.nan_to_num(layers.weights) >= SINGLE) | (np.nan_to_num(layers.map) >= SINGLE)
    if lost.any():
        axes.plot(
            places[lost], np.full(lost.sum(), SINGLE), "x", color=DECOY, ms=3.5, mew=0.9, label="lacks rank in float32"
        )
    axes.set(title="(b)  condition number", xlabel="layer", yscale="log" if axes.lines else "linear")


def _cosines(axes: Axes, drawn: Numbers) -> None:
    chance = median_compression(drawn.inputs, 1)
    axes.axhspan(-chance, chance, color=CHANCE, lw=0, label="half of random directions")
    if np.isfinite(drawn.cosine).all():
        low, middle, high = drawn.cosine
        alpha = ends(len(middle))
        axes.fill_between(alpha, low, high, color=SIMULATION, alpha=0.25, lw=0, label="5 to 95 % of images")
        axes.plot(alpha, middle, color=SIMULATION, label="median of images")
    axes.set(title="(c)  gradient and the way", ylabel=r"$\cos\theta$", xlabel="part of the way to another class")


def _lengths(axes: Axes, drawn: Numbers) -> None:
    whole = np.isfinite(drawn.predicted) & np.isfinite(drawn.found) & (drawn.predicted > 0) & (drawn.found > 0)
    x, y, certified = drawn.predicted[whole], drawn.found[whole], drawn.certified[whole]
    axes.plot(x, y, "o", color=SIMULATION, ms=3, mew=0, alpha=0.7, label="found")
    if (certified > 0).any():
        axes.plot(x, np.where(certified > 0, certified, np.nan), "^", color=GREEN, ms=3, mew=0, label="certified")
    every = np.concatenate([x, y, certified[certified > 0]])
    if len(every):
        limits = every.min() / 1.3, every.max() * 1.3
        axes.plot(limits, limits, color=THEORY, lw=0.8, zorder=0, label="equal")
        axes.set(xlim=limits, ylim=limits, xscale="log", yscale="log")
    axes.set(title="(d)  smallest perturbation", xlabel="predicted to first order", ylabel="length")


def _kept(axes: Axes, drawn: Numbers) -> None:
    percents = entries(drawn.point["shrunk"])
    for column, percent in enumerate(percents):
        values = np.sort(drawn.kept[:, column][np.isfinite(drawn.kept[:, column])])
        heights = np.arange(1, len(values) + 1) / max(len(values), 1)
        axes.step(
            [*values[:1], *values],
            [*heights[:1] * 0, *heights],
            where="post",
            color=SHARES[column % len(SHARES)],
            label=f"without {percent:g} %",
        )
    axes.axvline(0, color=THEORY, lw=0.8, zorder=0)
    axes.axvline(1, color=CHANCE, lw=0.8, zorder=0)
    axes.set(title="(e)  truncated layers", xlabel="margin over what it was", ylabel="share of images")
    axes.set_ylim(0, 1.02)


def _signs(axes: Axes, drawn: Numbers) -> None:
    for place, (words, (value, low, high)) in enumerate(drawn.signs.items()):
        axes.text(0.0, place - 0.25, words, fontsize=6.5, va="bottom")
        if np.isfinite(value):
            axes.errorbar(
                value, place, xerr=[[value - low], [high - value]], fmt="o", color=DECOY, ms=3, elinewidth=0.8
            )
    axes.set(title="(f)  signs of masked gradients", xlabel="share of images", xlim=(-0.03, 1.03), yticks=[])
    axes.set_ylim(len(drawn.signs) - 0.5, -0.9)


PICTURE = Picture("empirical.examine", numbers, draw, SIZE, title, caption)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
