"""Figure 7 of latent and SVD defences with its controls: accuracies over the share of singular values, and what stands.

Attacks are the original network's examples, as in the paper, and those made anew for each changed network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.svd_defence.trainings import CLASSIFIERS
from empirical.svd_defence.treatments import TREATMENTS
from figures.shared.classifiers import DESCRIBED, KINDS
from figures.shared.legends import line
from figures.shared.picture import Picture
from figures.shared.records import measured
from figures.shared.reduced import LEVEL, Means, means
from figures.shared.style import CHANCE, DATA_SETS, DECOY, GREEN, SIMULATION, SKY, THEORY, WITNESS
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, Bounds
from fragility.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.2, 6.6)
PANELS = {
    "zeroed": "bottom zeroed",
    "tenth": "bottom / 10",
    "nine_tenths": r"bottom $\times$ 0.9",
    "random": "random zeroed",
    "noise": "noise of the same norm",
}
CURVES = {  # colour, line, mark, and words
    "train_accuracy": (SKY, ":", "", "training images"),
    "test_accuracy": (SIMULATION, "-", "o", "test images"),
    "adversarial_accuracy": (DECOY, "-", "s", "the original's adversarial examples"),
    "resisted": (WITNESS, "--", "^", "attempts made anew that fail"),
}
OF_TREATMENTS = dict(  # colour, line and mark
    zip(
        TREATMENTS,
        ((THEORY, "-", "v"), (SIMULATION, "--", "o"), (SKY, ":", "D"), (DECOY, "-.", "s"), (GREEN, "-", "^")),
        strict=True,
    )
)
TWO = CLASSIFIERS.index("2l")
LARGE = 40  # per cent: the share of the large gain
POSITIVE: Bounds = (0.0, np.inf)
EVERY = 4  # of the shares that are measured, with a mark


@dataclass(frozen=True)
class Numbers:
    """What is drawn: means over seeds at every share.

    Parameters
    ----------
    shares : of the singular values, in per cent.
    curves : of 2L by the names of `CURVES`, each (treatments, shares).
    pixels : the smallest perturbation that turns a decision of 2L, its median over images, (treatments, shares).
    kept, certified : decisions that stand where the bottom is divided by 10, and that provably do, (classifiers,
        shares).
    perturbation, gradient : shares of their energy along the bottom of the first layer, (classifiers, shares).
    """

    shares: np.ndarray
    curves: Mapping[str, Means]
    pixels: Means
    kept: Means
    certified: Means
    perturbation: Means
    gradient: Means
    seeds: int
    point: Mapping[str, Any]

    def tidy(self) -> Table:
        """All of it; shares of the singular values in per cent."""
        changed = {"treatment": TREATMENTS, "share": self.shares}
        two = {"classifier": [CLASSIFIERS[TWO]], **changed}
        tenth = {"classifier": CLASSIFIERS, "treatment": ["tenth"], "share": self.shares}
        bottom = {"classifier": CLASSIFIERS, "share": self.shares}
        return tidy(
            [
                *(Quantity(name, found[None], two) for name, found in self.curves.items()),
                Quantity("smallest perturbation", self.pixels[None], two, "pixels of [0, 1]"),
                *(Quantity(name, getattr(self, name)[:, None], tenth) for name in ("kept", "certified")),
                *(
                    Quantity(f"energy of the {name}", getattr(self, name), bottom)
                    for name in ("perturbation", "gradient")
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
    columns = dict(measured(run, "empirical.svd_defence", point))
    columns["resisted"] = 1 - columns["anew_success"]
    tenth = TREATMENTS.index("tenth")  # among the treatments that multiply, too: they are the first
    return Numbers(
        columns["shares"][0],
        {name: means(columns[name][:, TWO], SHARE) for name in CURVES},
        means(columns["pixels"][:, TWO], POSITIVE),
        means(1 - columns["changed"][:, :, tenth], SHARE),
        means(columns["certified"][:, :, tenth], SHARE),
        means(columns["energy"], SHARE),
        means(columns["gradient_energy"], SHARE),
        len(columns["seed"]),
        point,
    )


def title(drawn: Numbers) -> str:
    """Whose singular values are changed, and what is averaged."""
    images, seeds = DATA_SETS[drawn.point["dataset"]], drawn.seeds
    over = f", means and {LEVEL} intervals over seeds" if seeds > 1 else ""
    return f"Changed singular values of all layers: {images}, {seeds} seed{'s' if seeds > 1 else ''}{over}"


def caption(drawn: Numbers) -> str:
    """What the panels show."""
    return (
        f"Classifiers of {DATA_SETS[drawn.point['dataset']]} ({DESCRIBED}), trained from {drawn.seeds} seeds, whose "
        "singular values are then changed in all layers, over the share that is changed, in per cent; lines are means "
        f"over seeds, bands {LEVEL} intervals (Student), marks stand at every {EVERY}th share that is measured. (a) to "
        "(e): 2L with its smallest singular values set to 0, divided by 10 or times 0.9, and as controls random ones "
        "set to 0, and noise of the same norm added to the weights: accuracy on training and test images and on "
        "adversarial examples that were made for the unchanged network, as in the paper's Figure 7, and the share of "
        f"attempts to make new ones for the changed network that fail. Grey: {LARGE} %, where the paper has its large "
        "gain. (f): the smallest perturbation that turns a decision of the changed 2L, median over images, in pixels "
        "of [0, 1]; 0 where the image is wrong already. (g): share of decisions on test images that stand when the "
        "smallest singular values are divided by 10, measured (solid) and certified (dotted). (h): share of the "
        "energy of perturbations (solid) and gradients (dotted) along the smallest right singular vectors of the "
        "first layer; black: of a random direction."
    )


def draw(figure: Figure, drawn: Numbers) -> None:
    """A panel for each treatment of 2L; new attacks, decisions that stand, and where perturbations lie."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(2, 1.12))
    panels = parts[0].subplots(2, 3, sharex=True, sharey=True).ravel()
    for number, (treatment, words) in enumerate(PANELS.items()):
        _accuracies(panels[number], drawn, TREATMENTS.index(treatment))
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


def _accuracies(axes: Axes, drawn: Numbers, treatment: int) -> None:
    """Accuracies of 2L over the share of singular values under one treatment, and failures of attacks on it."""
    axes.axvline(LARGE, color=CHANCE, lw=0.8, zorder=0)
    for start, (name, (color, style, mark, _)) in enumerate(CURVES.items()):
        _curve(axes, drawn.shares, drawn.curves[name][treatment], color, style, mark, start)
    axes.set_ylim(0, 1)


def _curve(
    axes: Axes, shares: np.ndarray, found: Means, color: str, style: str, mark: str = "", start: int = 0
) -> None:
    """Means and their intervals; a share without any is left out."""
    known = np.isfinite(found.low)
    axes.fill_between(shares, found.low, found.high, where=known, color=color, alpha=0.2, lw=0)
    axes.plot(shares, found.value, style, color=color, marker=mark, ms=2.8, mew=0, markevery=(start % EVERY, EVERY))


def _pixels(axes: Axes, drawn: Numbers) -> None:
    """Smallest perturbations that turn decisions of 2L, whatever the scale of its logits: medians over images."""
    for number, look in enumerate(OF_TREATMENTS.values()):
        _curve(axes, drawn.shares, drawn.pixels[number], *look, start=number)
    axes.set(title="(f)  2L attacked anew", ylabel=r"smallest $\|\delta\|_2$, pixels of [0, 1]")
    axes.set_ylim(bottom=0)


def _standing(axes: Axes, drawn: Numbers) -> None:
    """Decisions that stand on test images when the bottom is divided by 10, and those that provably do."""
    _by_classifier(axes, drawn.shares, drawn.kept, drawn.certified)
    axes.set(title="(g)  decisions kept, / 10", ylabel="share of test images", ylim=(0, 1))
    axes.legend(handles=_styles("measured", "certified"), fontsize=6, handlelength=1.4, loc="upper right")


def _directions(axes: Axes, drawn: Numbers) -> None:
    """Shares of energy along the bottom right singular vectors of the first layer, beside those of a random one."""
    axes.plot([0, 100], [0, 1], color=THEORY, lw=0.9)
    _by_classifier(axes, drawn.shares, drawn.perturbation, drawn.gradient)
    axes.set(title="(h)  energy along the bottom", ylabel="share, first layer", ylim=(0, 1))
    chance = line(THEORY, "-", "a random direction", lw=0.9)
    axes.legend(handles=[*_styles("perturbation", "gradient"), chance], fontsize=6, handlelength=1.4, loc="upper left")


def _by_classifier(axes: Axes, shares: np.ndarray, solid: Means, dotted: Means) -> None:
    for number, kind in enumerate(CLASSIFIERS):
        _, color, mark = KINDS[kind]
        for style, found in (("-", solid), (":", dotted)):
            _curve(axes, shares, found[number], color, style, mark, number)


def _styles(solid: str, dotted: str) -> Sequence[Any]:
    return [line("0.4", "-", solid), line("0.4", ":", dotted)]


def _explained(axes: Axes) -> None:
    """The legends of all panels, in place of one."""
    from matplotlib.legend import Legend

    axes.axis("off")
    curves = [line(color, style, words, mark, ms=3) for color, style, mark, words in CURVES.values()]
    large = line(CHANCE, "-", f"{LARGE} %, the share of the large gain", lw=0.8)
    treated = [line(color, style, PANELS[name], mark, ms=3) for name, (color, style, mark) in OF_TREATMENTS.items()]
    kinds = [line(color, "-", words, mark, ms=3) for words, color, mark in KINDS.values()]
    of_panels: Mapping[str, tuple[tuple[float, float], Sequence[Any]]] = {
        "(a) to (e)": ((-0.05, 1.14), [*curves, large]),
        "(f)": ((-0.05, 0.5), treated),
        "(g), (h)": ((0.66, 0.5), kinds),
    }
    for heading, (place, lines) in of_panels.items():
        words = [str(one.get_label()) for one in lines]
        legend = Legend(axes, list(lines), words, title=heading, loc="upper left", bbox_to_anchor=place, fontsize=6.2)
        legend.set_alignment("left")
        legend.get_title().set_fontsize(6.5)
        legend.set_in_layout(False)
        axes.add_artist(legend)


PICTURE = Picture(
    "empirical.svd_defence", numbers, draw, SIZE, title, caption, shows=("Latent and SVD defences, Figure 7",)
)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
