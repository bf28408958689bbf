"""Two photographs, cosines and gradients on the way from one to the other, and lengths against their predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from empirical.imagenet_compression.tables import EXPERIMENTS, kept
from empirical.measures.path import ends
from figures.shared.legends import labelled, legends
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.reduced import few, of_all, printed
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point
from fragility.tables import Table
from theory.gradients.gradient_plane import median_compression
from theory.reported import FEATURE, find

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

PHOTOGRAPHS, PANELS, LEGENDS = 2.35, 2.5, 0.75  # inches
KEPT_OUT = 0.3  # inches, in place of photographs
NAMES = {160: "Afghan hound", 217: "English springer"}
QUANTILES = (0.05, 0.5, 0.95)  # over pairs
AVERAGES = ("least column average", "largest column average")  # of Table 7
BESIDE = 1.08  # the end of the way, where they are drawn
LOOK = {  # mark, colour and words of the lengths
    "sign": ("s", DECOY, r"paper's attack against $|M|$"),
    "least": ("o", SIMULATION, "least length against first order"),
}


@dataclass(frozen=True)
class First:
    """The first pair: its classes by number, L, the least perturbation and its largest entry; cosines and gradients."""

    clean: int
    partner: int
    length: float
    distance: float
    peak: float
    cosine: np.ndarray
    gradient: np.ndarray


@dataclass(frozen=True)
class Lengths:
    """Lengths over L / 2 of pairs, one entry each: predictions and what attacks find, by the names of `LOOK`."""

    predicted: Mapping[str, np.ndarray]
    found: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Numbers:
    """What is drawn of the pairs that can be compared.

    Parameters
    ----------
    cosine, gradient : quantiles over pairs at the levels of `QUANTILES`, (levels, nodes); NaN of fewer than two pairs.
    pairs, compared : how many there are, and how many of them can be compared.
    lacking : what is not there to be drawn, one line each.
    pictures : (3, side, side, 3) in [0, 1]: both photographs and the perturbation, or None where they are kept out.
    """

    first: First
    cosine: np.ndarray
    gradient: np.ndarray
    lengths: Lengths
    pairs: int
    compared: int
    point: Mapping[str, Any]
    lacking: tuple[str, ...]
    pictures: np.ndarray | None = None

    def tidy(self) -> Table:
        """All but the photographs; `pair` counts the pairs that can be compared."""
        alpha = {"alpha": ends(len(self.first.cosine))}
        pairs = {"pair": few(self.compared)}
        along = ("cosine", "gradient")
        return tidy(
            [
                *(Quantity(f"{name} of the first pair", getattr(self.first, name), alpha) for name in along),
                *(
                    Quantity(f"quantile of {name}", getattr(self, name), {"level": QUANTILES, **alpha})
                    for name in along
                ),
                *(
                    Quantity(f"{name} length over L / 2", found[None], {"attack": [kind], **pairs})
                    for name in ("predicted", "found")
                    for kind, found in getattr(self.lengths, name).items()
                ),
            ],
            title(self),
        )


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """Records of a point.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    columns = measured(run, "empirical.imagenet_compression", point)
    compared = kept(columns)
    left = len(compared) - int(compared.sum())
    lacking = (f"{left} of {len(compared)} pairs cannot be compared and are not drawn",) if left else ()
    held = {name: values[compared] for name, values in columns.items()}
    one = {name: values[0] for name, values in columns.items()}
    classes = int(one["clean"]), int(one["partner"])
    length, distance, peak = (float(one[name]) for name in ("length", "distance", "peak"))
    first = First(*classes, length, distance, peak, one["cosine"], one["gradient"])
    return Numbers(
        first,
        _quantiles(held["cosine"]),
        _quantiles(held["gradient"]),
        _lengths(held),
        len(compared),
        int(compared.sum()),
        point,
        lacking,
        _decoded(one["pictures"]),
    )


def _quantiles(values: np.ndarray) -> np.ndarray:
    nothing = np.full((len(QUANTILES), values.shape[1]), np.nan)
    return np.quantile(values, QUANTILES, axis=0) if len(values) > 1 else nothing


def _lengths(columns: Mapping[str, np.ndarray]) -> Lengths:
    some = few(len(columns["length"]))
    half = columns["length"][some] / 2
    predicted = {"sign": np.abs(columns["signed_length"]), "least": columns["tie"]}
    found = {"sign": columns["sign_attack"], "least": columns["distance"]}
    return Lengths(*({name: values[some] / half for name, values in kind.items()} for kind in (predicted, found)))


def _decoded(pictures: np.ndarray) -> np.ndarray:
    """Images (3, side, side, 3) in [0, 1] of the codes that records hold."""
    codes = pictures.astype(np.int64)
    side = round((len(codes) / 3) ** 0.5)
    channels = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)
    return channels.reshape(3, side, side, 3) / 255


def title(drawn: Numbers) -> str:
    """Whose gradients they are, and of how many pairs."""
    some = f" of {drawn.pairs}" if drawn.compared < drawn.pairs else ""
    return f"{drawn.point['model']}, {drawn.compared} pair{'' if drawn.compared == 1 else 's'}{some}"


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    first, shown = drawn.first, len(drawn.lengths.found["least"])
    left = f" {drawn.pairs - drawn.compared} pairs are left out." if drawn.compared < drawn.pairs else ""
    return (
        f"{drawn.point['model']}, a classifier of ImageNet's photographs at {drawn.point['size']} x "
        f"{drawn.point['size']} pixels in [0, 1]; pairs of a photograph x_2 and the nearest one x_1 of another class, "
        f"both classified right, where attacks succeed: {drawn.compared} of {drawn.pairs}.{left} (a): the first pair, "
        f"{_name(first.clean)} and {_name(first.partner)}, the least perturbation e found that turns the one into the "
        "other class, enlarged, and the photograph with it. (b): cosine of the gradient of f, the logit of the one "
        f"class less that of the other, and x_1 - x_2, at {len(first.cosine)} places from x_2 (0) to x_1 (1): the "
        f"first pair (diamonds), median and 5 to 95 % of {drawn.compared} pairs; grey: where half of all random "
        "directions lie, by their law. Open marks: least and largest of the averages that Table 7 prints, of another "
        "network. (c): the norm of that gradient, logits over unit of a pixel. (d): "
        f"{of_all(shown, drawn.compared, 'pairs')}: lengths of perturbations over L / 2, L = ||x_1 - x_2||, against "
        "their predictions: of the paper's attack by its M (squares), of the least found by f / ||grad f|| at x_2 "
        "(dots); line: both are equal. Open marks: Table 8, Inception-ResNet-v2."
    )


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches; where photographs are kept out a line is left of them."""
    return 7.2, 0.25 + (PHOTOGRAPHS if drawn.pictures is not None else KEPT_OUT) + PANELS + LEGENDS


def draw(figure: Figure, drawn: Numbers) -> None:
    """The first pair of photographs (Figure 5); below, cosines, gradients (Figure 6) and lengths of all pairs."""
    photographs = PHOTOGRAPHS if drawn.pictures is not None else KEPT_OUT
    above, below, strip = cast("Any", figure.subfigures(3, 1, height_ratios=(photographs, PANELS, LEGENDS)))
    first, stay = drawn.first, "(a)  the photographs of the first pair stay with the records"
    if drawn.pictures is not None:
        _photographs(above, first, drawn.pictures)
        stay = "(a)  the first pair"
    above.suptitle(stay, fontsize=8.5, x=0.01, ha="left")
    left, middle, right = below.subplots(1, 3)
    _cosines(left, drawn)
    _gradients(middle, drawn)
    _compared(right, drawn.lengths)
    for axes in (left, middle):
        axes.set(xlabel=r"$\alpha_k$, from $x_2$ to $x_1$", xlim=(-0.03, None))
    several = labelled([left])
    legends(strip, [several[:3], several[3:], labelled([right])], (1.05, 1, 1.1))


def _photographs(figure: SubFigure, first: First, pictures: np.ndarray) -> None:
    row = figure.subplots(1, 4)
    names = [f"$x_2$: {_name(first.clean)}", f"$x_1$: {_name(first.partner)}"]
    if first.peak > 0:
        names += [f"$e$, {1 / (2 * first.peak):.0f} times", f"$x_2 + e$: {_name(first.partner)}"]
    else:
        names += ["no attack succeeds", ""]
    clean, partner, change = pictures
    images = [clean, partner, change, np.clip(clean + (change * 255 - 128) / 127 * first.peak, 0, 1)]
    for axes, image, name in zip(row, images, names, strict=True):
        axes.set_title(name, fontsize=7.5)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.imshow(image, interpolation="lanczos")
    row[0].set_xlabel(rf"$\|x_1 - x_2\| = {first.length:.0f}$", fontsize=7)
    row[2].set_xlabel(rf"$\|e\| = {first.distance:.3g}$", fontsize=7)


def _along(axes: Axes, quantiles: np.ndarray, first: np.ndarray, pairs: int) -> None:
    """What all pairs have along the way, and what the first has."""
    alpha = ends(len(first))
    if np.isfinite(quantiles).all():
        low, middle, high = quantiles
        axes.fill_between(alpha, low, high, color=SIMULATION, alpha=0.25, lw=0, label=f"5 to 95 % of {pairs} pairs")
        axes.plot(alpha, middle, color=SIMULATION, label="median of pairs")
    axes.plot(alpha, first, "D:", color=DECOY, ms=2.8, lw=0.8, label="the first pair")


def _cosines(axes: Axes, drawn: Numbers) -> None:
    chance = median_compression(3 * drawn.point["size"] ** 2, 1)
    axes.axhspan(-chance, chance, color=CHANCE, lw=0, label="half of random directions")
    _along(axes, drawn.cosine, drawn.first.cosine, drawn.compared)
    values = [find(FEATURE, "Table 7", row).value for row in AVERAGES]
    axes.plot([BESIDE, BESIDE], values, color=THEORY, lw=0.6, zorder=3)
    printed(axes, [BESIDE, BESIDE], values, "v", ms=4.5, label="averages, ends of what is printed")
    axes.set(title="(b)  gradient and the way", ylabel=r"$\cos\theta_k$")


def _gradients(axes: Axes, drawn: Numbers) -> None:
    _along(axes, drawn.gradient, drawn.first.gradient, drawn.compared)
    axes.set(title="(c)  norm of the gradient", ylabel=r"$\|\nabla f\|$, logits over unit of a pixel")
    axes.set_ylim(bottom=0)


def _compared(axes: Axes, lengths: Lengths) -> None:
    every = []
    for name, (mark, color, words) in LOOK.items():
        x, y = lengths.predicted[name], lengths.found[name]
        axes.plot(x, y, mark, color=color, ms=3, alpha=0.7, mew=0, label=words)
        every += [x, y]
    x, y = (
        np.array([find(FEATURE, "Table 8", row, experiment).value for experiment in EXPERIMENTS])
        for row in ("|M / (0.5 L)|", "Q / (0.5 L)")
    )
    printed(axes, x, y, "s", ms=4, label="printed, Inception-ResNet-v2")
    whole = np.concatenate([*every, x, y])
    limits = whole[whole > 0].min() / 1.5, whole.max() * 1.5
    axes.plot(limits, limits, color=THEORY, lw=0.8, zorder=0, label="equal")
    axes.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
    axes.set(title="(d)  predicted and found", xlabel="predicted length over $L/2$", ylabel="found length over $L/2$")


def _name(number: int) -> str:
    return NAMES.get(number, f"class {number}")


PICTURE = Picture(
    "empirical.imagenet_compression",
    numbers,
    draw,
    size,
    title,
    caption,
    shows=("Feature compression, Figure 5", "Feature compression, Figure 6"),
    private=("pictures",),  # photographs, which are others'
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
