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
DATA_SETS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "digits": "digits"}
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
    import matplotlib as mpl

    from fragility.engine.files import write_whole

    with mpl.rc_context(SETTINGS):
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        dated = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else {}
        picture = BytesIO()
        figure.savefig(picture, format=path.suffix[1:], metadata=dated)
    write_whole(path, picture.getbuffer())
