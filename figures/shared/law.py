"""A law by itself: density and distribution function, with its quartiles marked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.shared.style import CHANCE, THEORY, save
from figures.shared.target import picture_file
from fragility.law import Law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (6.0, 2.4)  # inches
TAIL = 1e-3  # of probability, left outside the picture on either side


def picture(law: Law, name: str, arguments: Mapping[str, Any], path: Path) -> Path:
    """Draws the law and writes it to `path`; `name` and `arguments` make the title.

    Raises
    ------
    UsageError : it is no file that a picture can be written to.
    StorageError : the folder cannot be written, or the disk is full.
    """
    picture_file(path, "--plot")
    shown = ", ".join(f"{key} = {value}" for key, value in arguments.items() if value != ())
    save(partial(draw, law=law, title=f"{name} ({shown})"), SIZE, path)
    return path


def draw(figure: Figure, law: Law, title: str) -> None:
    """Density on the left, distribution function on the right."""
    low, high = (0.0 if abs(end) < 0.05 * law.isf(TAIL) else end for end in (law.ppf(TAIL), law.isf(TAIL)))
    x = np.linspace(low, high, 801)
    quartiles = np.asarray(law.ppf(np.array([0.25, 0.5, 0.75])))
    density, distribution = figure.subplots(1, 2)
    inside = x[x > law.support()[0]]
    density.plot(inside, law.pdf(inside), color=THEORY)
    middle = np.linspace(quartiles[0], quartiles[-1], 201)
    density.fill_between(middle, law.pdf(middle), color=CHANCE, linewidth=0)
    density.axvline(law.mean(), color=THEORY, linewidth=0.6, linestyle=":")
    density.annotate(
        f"mean {law.mean():.4g}",
        (law.mean(), 1),
        xycoords=("data", "axes fraction"),
        fontsize=6.5,
        xytext=(3, -2),
        textcoords="offset points",
        va="top",
    )
    density.set(title="density; middle half shaded", xlabel="x", xlim=(low, high))
    density.set_ylim(bottom=0)
    distribution.plot(x, law.cdf(x), color=THEORY)
    distribution.vlines(quartiles, 0, [0.25, 0.5, 0.75], color=CHANCE, linewidth=0.8, zorder=0)
    distribution.hlines([0.25, 0.5, 0.75], low, quartiles, color=CHANCE, linewidth=0.8, zorder=0)
    distribution.set(title="distribution function; quartiles", xlabel="x", xlim=(low, high), ylim=(0, 1))
    figure.suptitle(title, fontsize=9, x=0.01, ha="left")
