"""How every figure looks: theory black, simulation blue, chance grey, a decoy vermilion, a refutation purple."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Told apart by the colour-blind, too.
THEORY, SIMULATION, CHANCE, DECOY, WITNESS = "black", "#0072B2", "#C9CED6", "#D55E00", "#8E2C78"
GREEN, ORANGE, SKY, ROSE, GREY = "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#7A7A7A"  # beside them (Okabe and Ito)
DATA_SETS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "digits": "digits", "cifar10": "CIFAR-10"}
UNDATED: Any = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
SETTINGS: Any = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "lines.linewidth": 1.1,
    "mathtext.fontset": "dejavusans",
    "svg.hashsalt": "fragility",
    "savefig.dpi": 220,
}


def save(draw: Callable[[Figure], None], size: tuple[float, float], path: Path) -> None:
    """Draws a figure of `size` inches and writes it to `path`, the format by its ending.

    Raises
    ------
    StorageError : the folder cannot be written, or the disk is full.
    """
    from fragility.engine.files import write_alone

    write_alone(path, drawn(draw, size, path.suffix[1:]))


def drawn(draw: Callable[[Figure], None], size: tuple[float, float], form: str, **settings: Any) -> bytes:
    """A figure of `size` inches as a picture: the same bytes for the same figure.

    Parameters
    ----------
    form : "png", "svg" or "pdf".
    settings : of matplotlib's savefig.
    """
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        picture = BytesIO()
        figure.savefig(picture, format=form, metadata=UNDATED.get(form), **settings)
    return picture.getvalue()
