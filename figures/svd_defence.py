"""Figure 7 of latent and SVD defences with its controls: accuracies over the share of singular values, and what stands.

Attacks are the original network's examples, as in the paper, and those made anew for each changed network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.style import CHANCE, DATA_SETS, DECOY, SIMULATION, THEORY, WITNESS
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, Bounds, mean
from theory.claims.latent.trained_settings import CLASSIFIERS, FACTORS, TREATMENTS, TWO

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.2, 6.6)
GREEN = "#009E73"
PANELS = {
    "zeroed": "bottom zeroed",
    "tenth": "bottom / 10",
    "nine_tenths": r"bottom $\times$ 0.9",
    "random": "random zeroed",
    "noise": "noise of the same norm",
}
CURVES = {  # colour, line, and words
    "train_accuracy": ("#56B4E9", ":", "training images"),
    "test_accuracy": (SIMULATION, "-", "test images"),
    "adversarial_accuracy": (DECOY, "-", "the original's adversarial examples"),
    "resisted": (WITNESS, "--", "attempts made anew that fail"),
}
KINDS = {"1l": ("1L", SIMULATION), "2l": ("2L", DECOY), "lrl": ("LRL", GREEN)}
OF_TREATMENTS = dict(zip(TREATMENTS, (THEORY, SIMULATION, "#56B4E9", DECOY, GREEN), strict=True))
LARGE = 40  # per cent: the share of the large gain
POSITIVE: Bounds = (0.0, np.inf)


@dataclass(frozen=True)
class Numbers:
    """What is drawn: all columns of a point, and the point."""

    columns: Mapping[str, np.ndarray]
    point: Point

    @property
    def shares(self) -> np.ndarray:
        """In per cent, (shares,)."""
        return self.columns["shares"][0]


def numbers(run: Path, _manifest: Mapping[str, Any], point: Point) -> Numbers:
    """What is drawn, at one point of a run.

    Raises
    ------
    FileNotFoundError : there are no records of it.
    """
    return Numbers(measured(run, "empirical.svd_defence", point), point)


def draw(figure: Figure, drawn: Numbers) -> None:
    """A panel for each treatment of 2L; new attacks, decisions that stand, and where perturbations lie."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(2, 1.12))
    panels = parts[0].subplots(2, 3, sharex=True, sharey=True).ravel()
    for number, (treatment, words) in enumerate(PANELS.items()):
        _accuracies(panels[number], drawn, treatment)
        panels[number].set_title(f"({'abcde'[number]})  {words}")
        panels[number].label_outer()
    panels[2].tick_params(labelbottom=True)
    for axes in panels[::3]:
        axes.set_ylabel("share, 2L")
    _explained(panels[5])
    below = parts[1].subplots(1, 3, sharex=True)
    for axes, panel in zip(below, (_pixels, _standing, _directions), strict=True):
        panel(axes, drawn)
    for axes in (*panels[2:5], *below):
        axes.set(xlabel="% of singular values", xlim=(0, 100), xticks=range(0, 101, 20))


def caption(drawn: Numbers) -> str:
    """What stands below it."""
    return "Accuracies of classifiers whose singular values are changed."


def title(drawn: Numbers) -> str:
    """What stands above it."""
    seeds, images = len(drawn.columns["seed"]), DATA_SETS[drawn.point["dataset"]]
    return (
        f"Changed singular values of all layers: {images}, {seeds} seed{'s' if seeds > 1 else ''}, "
        "means and 95 % intervals over seeds"
    )


def _accuracies(axes: Axes, drawn: Numbers, treatment: str) -> None:
    """Accuracies of 2L over the share of singular values under one treatment, and failures of attacks on it."""
    columns = dict(drawn.columns) | {"resisted": 1 - drawn.columns["anew_success"]}
    axes.axvline(LARGE, color=CHANCE, lw=0.8, zorder=0)
    for name, (color, line, _) in CURVES.items():
        _curve(axes, drawn.shares, columns[name][:, TWO, TREATMENTS.index(treatment)], color, line)
    axes.set_ylim(0, 1)


def _curve(axes: Axes, shares: np.ndarray, column: np.ndarray, color: str, line: str, within: Bounds = SHARE) -> None:
    """Means over seeds of a column (seeds, shares), and their intervals; a share without any is left out."""
    found = [mean(values, within=within) for values in column.T]
    low, high = (np.array([getattr(one, end) for one in found]) for end in ("low", "high"))
    known = np.isfinite(low) & np.isfinite(high)
    axes.fill_between(shares, low, high, where=known, color=color, alpha=0.2, lw=0)
    axes.plot(shares, [one.value for one in found], line, color=color)


def _pixels(axes: Axes, drawn: Numbers) -> None:
    """Smallest perturbations that turn decisions of 2L, whatever the scale of its logits: medians over images."""
    for number, treatment in enumerate(TREATMENTS):
        found = drawn.columns["pixels"][:, TWO, number]
        _curve(axes, drawn.shares, found, OF_TREATMENTS[treatment], "-", within=POSITIVE)
    axes.set(title="(f)  2L attacked anew", ylabel=r"smallest $\|\delta\|_2$, median")
    axes.set_ylim(bottom=0)


def _standing(axes: Axes, drawn: Numbers) -> None:
    """Decisions that stand on test images when the bottom is divided by 10, and those that provably do."""
    tenth = FACTORS.index(TREATMENTS.index("tenth"))
    for number, kind in enumerate(CLASSIFIERS):
        _, color = KINDS[kind]
        _curve(axes, drawn.shares, 1 - drawn.columns["changed"][:, number, tenth], color, "-")
        _curve(axes, drawn.shares, drawn.columns["certified"][:, number, tenth], color, ":")
    axes.set(title="(g)  decisions kept, / 10", ylabel="share of test images", ylim=(0, 1))
    axes.legend(handles=_styles("measured", "certified"), fontsize=6, handlelength=1.4)


def _directions(axes: Axes, drawn: Numbers) -> None:
    """Shares of energy along the bottom right singular vectors of the first layer, beside those of a random one."""
    axes.plot([0, 100], [0, 1], color=THEORY, lw=0.9)
    for number, kind in enumerate(CLASSIFIERS):
        _, color = KINDS[kind]
        _curve(axes, drawn.shares, drawn.columns["energy"][:, number], color, "-")
        _curve(axes, drawn.shares, drawn.columns["gradient_energy"][:, number], color, ":")
    axes.set(title="(h)  energy along the bottom", ylabel="share, first layer", ylim=(0, 1))
    chance = _line(THEORY, "-", "a random direction", 0.9)
    axes.legend(handles=[*_styles("perturbation", "gradient"), chance], fontsize=6, handlelength=1.4)


def _explained(axes: Axes) -> None:
    """The legends of all panels, in place of one."""
    from matplotlib.legend import Legend

    axes.axis("off")
    large = _line(CHANCE, "-", f"{LARGE} %, the share of the large gain", 0.8)
    of_panels = {
        "(a) to (e)": ((-0.05, 1.12), [*(_line(*curve) for curve in CURVES.values()), large]),
        "(f)": ((-0.05, 0.46), [_line(color, "-", PANELS[name]) for name, color in OF_TREATMENTS.items()]),
        "(g), (h)": ((0.65, 0.46), [_line(color, "-", name) for name, color in KINDS.values()]),
    }
    for title, (place, lines) in of_panels.items():
        words = [line.get_label() for line in lines]
        legend = Legend(axes, lines, words, title=title, loc="upper left", bbox_to_anchor=place, fontsize=6.5)
        legend.set_alignment("left")
        legend.get_title().set_fontsize(6.5)
        legend.set_in_layout(False)
        axes.add_artist(legend)


def _line(color: str, line: str, words: str, width: float = 1.1) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=color, ls=line, lw=width, label=words)


def _styles(solid: str, dotted: str) -> Sequence[Any]:
    return [_line("0.4", "-", solid), _line("0.4", ":", dotted)]


PICTURE = Picture(
    "empirical.svd_defence", numbers, draw, SIZE, title, caption, shows=("Latent and SVD defences, Figure 7",)
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
