"""Legends in a strip of their own below the panels, so that none lies on what is drawn and panels stay aligned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure


def legends(strip: SubFigure, columns: Sequence[Sequence[Any]], widths: Sequence[float] | None = None) -> None:
    """A legend for each column of handles, side by side from the top of the strip."""
    row = strip.subplots(1, len(columns), width_ratios=widths, squeeze=False)[0]
    for axes, handles in zip(row, columns, strict=True):
        axes.axis("off")
        axes.legend(handles=handles, loc="upper left", borderaxespad=0, handlelength=1.9, bbox_to_anchor=(0.0, 1.0))


def labelled(panels: Sequence[Axes]) -> list[Any]:
    """What is named in some panels, each name once."""
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, words in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(words, handle)
    return list(found.values())


def line(color: str, style: str, words: str, mark: str = "", **look: Any) -> Any:
    """An entry of a legend: a line, a mark or both."""
    from matplotlib.lines import Line2D

    whole: dict[str, Any] = {"color": color, "ls": style, "marker": mark, "label": words, "ms": 4, "lw": 1.1}
    return Line2D([], [], **(whole | look))


def open_mark(mark: str, words: str) -> Any:
    """The entry of what a paper prints."""
    return line("black", "", words, mark, mfc="none", ms=5, mew=0.8)
