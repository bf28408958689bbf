"""A figure as a table of panels: each shows a claim beside its records, at one point, at several, or over a sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from figures.panels import deviation, law, moment, rate
from figures.panels.shared import TITLE_PAD, decoys, name_decoys, short, subtitle
from figures.shared.picture import Picture
from figures.shared.records import NOT_BLIND, held, swept, wanting
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY
from fragility import book
from fragility.claim import Claim
from fragility.engine.shard import find_study
from fragility.engine.study import Point
from fragility.judging.kinds.law import difference
from fragility.judging.stated import covers, stated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALPHA = 0.05  # of all bands of a figure together
COLUMNS = 3
WIDTH = 7.2  # inches
FINE = 0.08  # largest difference of two distribution functions that are hard to tell apart in print
NOTES = 0.2  # of a law's axis, above 1
Drawn: TypeAlias = law.LawNumbers | deviation.DeviationNumbers | moment.MomentNumbers | rate.RateNumbers


@dataclass(frozen=True)
class Panel:
    """A row of the table.

    Parameters
    ----------
    claim : id of a law, a moment or a rate.
    title : what it is about, a few words.
    axis : what the claim's number is called on its axis, with its symbol.
    at : for a law, what its point has to have: it is shown at the first such point of its study's table that it speaks
        of and that there are records of. A moment is shown at all of them.
    """

    claim: str
    title: str
    axis: str = ""
    at: Point = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A panel with its numbers, and the point or points that its subtitle names."""

    panel: Panel
    numbers: Drawn
    where: str

    @property
    def blind(self) -> bool:
        """Whether the theory had no part in the draws."""
        return NOT_BLIND not in self.numbers.draws


@dataclass(frozen=True)
class Numbers:
    """All that is drawn, and what is not for want of records: one line, or none."""

    shown: Sequence[Shown]
    lacking: Sequence[str]
    seed: int


@dataclass(frozen=True)
class Sheet:
    """The figure of a study.

    Parameters
    ----------
    study : its name, such as "simulate.conditioning".
    title : of the figure; its second half of a line says where the numbers are from.
    panels : from left to right and from top to bottom.
    """

    study: str
    title: str
    panels: tuple[Panel, ...]

    @property
    def picture(self) -> Picture:
        """What its command draws."""
        return Picture(self.study, self.numbers, self.draw, self.size, self.heading, caption, point=None)

    def heading(self, drawn: Numbers) -> str:
        """The title, and whose draws they are."""
        return f"{self.title}, seed {drawn.seed}"

    def size(self, drawn: Numbers) -> tuple[float, float]:
        """Width and height in inches."""
        _, rows = self._shape(len(drawn.shown))
        return WIDTH, 0.55 + 2.1 * rows

    def numbers(self, run: Path, manifest: Mapping[str, Any], point: Point | None) -> Numbers:
        """From the records of a run: laws at their own points or, if one is given, all at that.

        Raises
        ------
        FileNotFoundError : there are none of any panel.
        UsageError : the book of the current context lacks a claim.
        """
        claims, at = book.read(), _Reader(run, self.study)
        shown = [found for panel in self.panels if (found := self._shown(panel, claims[panel.claim], at, point))]
        absent = [panel.claim for panel in self.panels if panel.claim not in {found.panel.claim for found in shown}]
        if not shown:
            raise FileNotFoundError(wanting(absent, run))
        return Numbers(shown, [wanting(absent, run)] if absent and point is None else [], manifest["seed"])

    def draw(self, figure: Figure, drawn: Numbers) -> None:
        """Fills a figure, with one legend for all panels."""
        columns, rows = self._shape(len(drawn.shown))
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for number, (axes, shown) in enumerate(zip(grid, drawn.shown, strict=False)):
            _fill(axes, shown)
            axes.set_title(f"({chr(ord('a') + number)})  {shown.panel.title}", pad=TITLE_PAD)
        for axes in grid[len(drawn.shown) :]:
            axes.remove()
        _legend(figure, all(found.blind for found in drawn.shown))

    def _shown(self, panel: Panel, claim: Claim, at: _Reader, point: Point | None) -> Shown | None:
        alpha = ALPHA / len(self.panels)
        if claim.kind == "rate":
            sweep = swept(at.run, claim)
            return Shown(panel, rate.numbers(claim, sweep, alpha), "") if sweep else None
        points = [point] if point is not None else find_study(self.study).table
        if claim.kind == "moment":
            found = {short(where): (where, at(where)[claim.statistic]) for where in points if at.has(claim, where)}
            several = "one point" if len(found) == 1 else f"{len(found)} points"
            return Shown(panel, moment.numbers(claim, found, alpha), several) if found else None
        if point is None:
            points = [where for where in points if panel.at.items() <= where.items()]
        chosen = next((where for where in points if at.has(claim, where)), None)
        if chosen is None:
            return None
        numbers: Callable[..., Drawn] = deviation.numbers if _is_fine(claim, chosen) else law.numbers
        return Shown(panel, numbers(claim, chosen, at(chosen)[claim.statistic], alpha), short(chosen))

    @staticmethod
    def _shape(panels: int) -> tuple[int, int]:
        columns = panels if panels < COLUMNS else 2 if panels == 4 else COLUMNS
        return columns, math.ceil(panels / columns)


def caption(drawn: Numbers) -> str:
    """What the panels have in common; each says its own claim, point and number of draws."""
    own = "" if all(shown.blind for shown in drawn.shown) else f" {NOT_BLIND}: drawn by the theorem's own sampler."
    ids = ", ".join(shown.panel.claim for shown in drawn.shown)
    return (
        "Black: exact theory; blue: simulated worlds, drawn without knowing the theory; grey: the band that all panels "
        "together leave with probability 5 % at most if the theory holds; vermilion, dashed: a wrong statement close "
        f"to it, which the draws reject. Claims, in order of the panels: {ids}.{own}"
    )


class _Reader:
    """What a run holds, each point read once."""

    def __init__(self, run: Path, study: str) -> None:
        self.run, self._study = run, study
        self._held: list[tuple[Point, dict[str, Any]]] = []

    def __call__(self, point: Point) -> dict[str, Any]:
        for known, found in self._held:
            if known == point:
                return found
        self._held.append((point, held(self.run, self._study, point)))
        return self._held[-1][1]

    def has(self, claim: Claim, point: Point) -> bool:
        """Whether the claim speaks of the point, and there are records of its statistic."""
        return claim.statistic in self(point) and covers(claim, point)


def _is_fine(claim: Claim, point: Point) -> bool:
    """Whether the difference to the theory has to be drawn: of pooled columns, and where a decoy is near."""
    exact, near = stated(claim, point), next(iter(decoys(claim, point, difference).values()), None)
    return isinstance(exact, Sequence) or (near is not None and difference(exact, near) < FINE)


def _fill(axes: Axes, shown: Shown) -> None:
    drawn, panel = shown.numbers, shown.panel
    if isinstance(drawn, law.LawNumbers):
        law.draw(axes, drawn)
        axes.set_xlabel(panel.axis)
        axes.set(ylim=(0, 1 + NOTES), yticks=(0, 0.5, 1))
        name_decoys(axes, [drawn.decoy])
    elif isinstance(drawn, deviation.DeviationNumbers):
        deviation.draw(axes, drawn)
        axes.set_xlabel(f"$u = F$ ({panel.axis})")
        name_decoys(axes, [drawn.decoy])
    elif isinstance(drawn, moment.MomentNumbers):
        moment.draw(axes, drawn)
    else:
        rate.draw(axes, drawn)
        axes.set_ylabel(panel.axis)
    subtitle(axes, *(rate.summary(drawn) if isinstance(drawn, rate.RateNumbers) else (shown.where, drawn.draws)))


def _legend(figure: Figure, blind: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=THEORY, label="theory"),
        Line2D([], [], color=SIMULATION, label="simulation"),
        Patch(color=CHANCE, lw=0, label="95 % band of all panels together"),
        Line2D([], [], color=DECOY, ls="--", label="decoy"),
    ]
    if not blind:
        handles.append(Line2D([], [], ls="", label=f"{NOT_BLIND} by the theorem's own sampler"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=1.2)
