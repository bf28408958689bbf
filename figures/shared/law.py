"""A law by itself: density and distribution function, with its quartiles marked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.shared.style import CHANCE, THEORY, save
from figures.shared.target import picture_file
from figures.shared.words import written
from fragility.law import Law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (6.0, 2.4)  # inches
TAIL = 1e-3  # of probability, left outside the picture on either side
HEAVY = 50  # medians that the picture would reach, beyond which its axis is logarithmic
ORDINARY = 1e-100, 1e100  # medians between which axes need no unit
POINTS = 801  # of a curve


def picture(law: Law, name: str, arguments: Mapping[str, Any], path: Path) -> Path:
    """Draws the law and writes it to `path`; `name` and `arguments` make the title.

    Raises
    ------
    UsageError : it is no file that a picture can be written to.
    StorageError : the folder cannot be written, or the disk is full.
    """
    picture_file(path, "--plot")
    shown = ", ".join(f"{key} = {written(value)}" for key, value in arguments.items() if value != ())
    save(partial(draw, law=law, title=f"{name} ({shown})"), SIZE, path)
    return path


def draw(figure: Figure, law: Law, title: str) -> None:
    """Density on the left, distribution function on the right; along a logarithm where one tail is very long."""
    low, high = float(law.ppf(TAIL)), float(law.isf(TAIL))
    quartiles = np.asarray(law.ppf(np.array([0.25, 0.5, 0.75])))
    median, mean = float(quartiles[1]), float(law.mean())
    heavy = low > 0 and high > HEAVY * median
    if not heavy:
        low, high = (0.0 if abs(end) < 0.05 * float(law.isf(TAIL)) else end for end in (low, high))
    x = np.geomspace(low, high, POINTS) if heavy else np.linspace(low, high, POINTS)
    unit = 1.0 if ORDINARY[0] < abs(median) < ORDINARY[1] else 10.0 ** np.floor(np.log10(abs(median)))

    def curve(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return points / unit, law.pdf(points) * (points if heavy else unit)

    density, distribution = figure.subplots(1, 2)
    density.plot(*curve(x[x > law.support()[0]]), color=THEORY)
    middle = np.linspace(quartiles[0], quartiles[-1], 201)
    density.fill_between(*curve(middle), color=CHANCE, linewidth=0)
    if low < mean < high:
        density.axvline(mean / unit, color=THEORY, linewidth=0.6, linestyle=":")
        density.annotate(
            f"mean {mean:.4g}",
            (mean / unit, 1),
            xycoords=("data", "axes fraction"),
            fontsize=6.5,
            xytext=(-3 if mean > (low + high) / 2 else 3, -2),
            textcoords="offset points",
            va="top",
            ha="right" if mean > (low + high) / 2 else "left",
        )
    of = "density of ln x" if heavy else "density"
    xlim = (low / unit, high / unit)
    axis = "x" if unit == 1 else f"x / {unit:.0e}"
    density.set(title=f"{of}; middle half shaded", xlabel=axis, xlim=xlim)
    density.set_ylim(bottom=0)
    distribution.plot(x / unit, law.cdf(x), color=THEORY)
    distribution.vlines(quartiles / unit, 0, [0.25, 0.5, 0.75], color=CHANCE, linewidth=0.8, zorder=0)
    distribution.hlines([0.25, 0.5, 0.75], xlim[0], quartiles / unit, color=CHANCE, linewidth=0.8, zorder=0)
    distribution.set(title="distribution function; quartiles", xlabel=axis, xlim=xlim, ylim=(0, 1))
    if heavy:
        for axes in (density, distribution):
            axes.set_xscale("log")
    figure.suptitle(title, fontsize=9, x=0.01, ha="left")
