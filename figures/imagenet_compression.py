"""Two photographs, the perturbation between their classes, cosines along the way, and lengths against predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.imagenet_compression.tables import EXPERIMENTS, kept
from empirical.measures.path import ends
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from fragility.engine.study import Point
from theory.gradients.gradient_plane import median_compression
from theory.reported import FEATURE, find

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = {160: "Afghan hound", 217: "English springer"}
BAND = (0.05, 0.95)  # quantiles over pairs


@dataclass(frozen=True)
class Numbers:
    """What is drawn: columns of all pairs that a run holds of a point, the pairs that can be compared, whose they are.

    Parameters
    ----------
    lacking : what is not there to be drawn, one line each.
    """

    columns: Mapping[str, np.ndarray]
    compared: np.ndarray
    point: Point
    manifest: Mapping[str, Any]
    lacking: tuple[str, ...]


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
    return Numbers(columns, compared, point, manifest, lacking)


def draw(figure: Figure, drawn: Numbers) -> None:
    """Pictures of the first pair above; cosines and lengths of all pairs below."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.7))
    above, below = parts
    _photographs(above.subplots(1, 4), drawn)
    left, right = below.subplots(1, 2)
    _cosines(left, drawn)
    _lengths(right, drawn)


def title(drawn: Numbers) -> str:
    """What stands above it."""
    pairs, count = int(drawn.compared.sum()), len(drawn.compared)
    return f"{drawn.point['model']}, {_pairs(pairs)}" + (f" of {count}" if pairs < count else "")


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return f"Photographs of two classes and what {drawn.point['model']} looks at on the way between them."


def _photographs(row: Any, drawn: Numbers) -> None:
    first = {name: values[0] for name, values in drawn.columns.items()}
    clean, partner, change = _decoded(first["pictures"])
    delta = (change * 255 - 128) / 127 * first["peak"]
    titles = (
        f"(a)  $x_2$: {_name(first['clean'])}",
        f"(b)  $x_1$: {_name(first['partner'])}",
        f"(c)  $e$, {1 / (2 * first['peak']):.0f} times" if first["peak"] else "(c)  no attack succeeds",
        f"(d)  $x_2 + e$: {_name(first['partner'])}" if first["peak"] else "(d)",
    )
    for axes, image, title in zip(row, (clean, partner, change, np.clip(clean + delta, 0, 1)), titles, strict=True):
        axes.imshow(image, interpolation="lanczos")
        axes.set_title(title, loc="left")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    row[0].set_xlabel(rf"$\|x_1 - x_2\| = {first['length']:.0f}$", fontsize=7)
    row[2].set_xlabel(rf"$\|e\| = {first['distance']:.3g}$", fontsize=7)


def _cosines(axes: Axes, drawn: Numbers) -> None:
    cosines = drawn.columns["cosine"]
    alpha = ends(cosines.shape[1])
    chance = median_compression(3 * drawn.point["size"] ** 2, 1)
    axes.axhspan(-chance, chance, color=CHANCE, lw=0, label="half of all random directions")
    compared = cosines[drawn.compared]
    if len(compared) > 1:
        low, high = np.quantile(compared, BAND, axis=0)
        axes.fill_between(alpha, low, high, color=SIMULATION, alpha=0.2, lw=0, label=f"90 % of {len(compared)} pairs")
        axes.plot(alpha, np.median(compared, axis=0), color=SIMULATION, label="median of pairs")
    axes.plot(alpha, cosines[0], "o-", color=THEORY, ms=3, lw=0.8, label="pair (a), (b)")
    axes.set(xlabel=r"$\alpha_k$, from $x_2$ to $x_1$", ylabel=r"$\cos\theta_k$", xlim=(0, 1))
    axes.set_title("(e)  gradient against the way to the other class", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


def _lengths(axes: Axes, drawn: Numbers) -> None:
    held = {name: values[drawn.compared] for name, values in drawn.columns.items()}
    half = held["length"] / 2
    series: Sequence[tuple[np.ndarray, np.ndarray, str, str, str]] = (
        (np.abs(held["signed_length"]) / half, held["sign_attack"] / half, "o", DECOY, r"paper's attack against $|M|$"),
        (
            held["tie"] / half,
            held["distance"] / half,
            "o",
            SIMULATION,
            "least length found against first order",
        ),
        (_printed("|M / (0.5 L)|"), _printed("Q / (0.5 L)"), "x", THEORY, "printed, Inception-ResNet-v2"),
    )
    for x, y, marker, color, name in series:
        axes.plot(x, y, marker, color=color, ms=3.5, alpha=0.7, mew=1.2 if marker == "x" else 0, label=name)
    every = np.concatenate([np.concatenate((x, y)) for x, y, *_ in series])
    ends_of = np.array([every[every > 0].min() / 1.5, every.max() * 1.5])
    axes.plot(ends_of, ends_of, color=THEORY, lw=0.7, zorder=0)
    axes.set(xscale="log", yscale="log", xlim=ends_of, ylim=ends_of)
    axes.set(xlabel="predicted length over $L/2$", ylabel="found length over $L/2$")
    axes.set_title("(f)  predicted and found perturbations", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))


def _printed(row: str) -> np.ndarray:
    return np.array([find(FEATURE, "Table 8", row, experiment).value for experiment in EXPERIMENTS])


def _decoded(pictures: np.ndarray) -> np.ndarray:
    """Images (3, side, side, 3) in [0, 1] of the codes that records hold."""
    codes = pictures.astype(np.int64)
    side = round((len(codes) / 3) ** 0.5)
    channels = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)
    return channels.reshape(3, side, side, 3) / 255


def _name(number: float) -> str:
    return NAMES.get(int(number), f"class {int(number)}")


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count} pairs"


PICTURE = Picture(
    "empirical.imagenet_compression",
    numbers,
    draw,
    (7.2, 5.6),
    title,
    caption,
    shows=("Feature compression, Figure 5", "Feature compression, Figure 6"),
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
