"""Panel of verdicts: a mark for every claim that was judged, paper by paper, of theorems and of trained networks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from figures.shared.runs import EXPERIMENTS
from figures.shared.style import DECOY, SIMULATION, THEORY, WITNESS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fragility.book import Book
    from fragility.judging.summary import Line

SIZE = (7.2, 2.9)  # inches
DEEP = {"worlds": 10, "networks": 4}  # marks in a column
GAP = 1.4  # columns between two papers
LETTERS = 2.4  # of a paper's name, that are as wide as a column
LONGEST_WORD = 8  # letters
QUIET = "#6B7280"


class Mark(NamedTuple):
    """How a claim is drawn, and what that says of it."""

    marker: str
    color: str
    filled: bool
    says: str


MARKS: Mapping[str, Mark] = {
    "holds": Mark("o", SIMULATION, True, "holds"),
    "refuted": Mark("D", WITNESS, True, "refuted, as printed"),
    "faulty": Mark("D", WITNESS, False, "a slip, a gap, or false in one reading"),
    "tempting": Mark("x", QUIET, True, "what one might think, false"),
    "unmet": Mark("^", DECOY, True, "not met by the networks trained here"),
    "open": Mark("o", QUIET, False, "undecided: too few draws"),
    "contradicts": Mark("X", THEORY, True, "contradicts the table of claims"),
}


@dataclass(frozen=True)
class Group:
    """A paper, and how many of its claims have which mark: on random worlds, and on what was trained or printed."""

    paper: str
    worlds: Mapping[str, int]
    networks: Mapping[str, int]


@dataclass(frozen=True)
class Numbers:
    """What is drawn, in the order of the book."""

    groups: Sequence[Group]

    def total(self, mark: str) -> int:
        """Claims with that mark, of all papers."""
        return sum(group.worlds.get(mark, 0) + group.networks.get(mark, 0) for group in self.groups)


def numbers(lines: Sequence[Line], book: Book) -> Numbers:
    """The claims that were judged, by paper and by what was found."""
    groups = []
    for paper in dict.fromkeys(book.paper(line.claim) for line in lines):
        held = [line for line in lines if book.paper(line.claim) == paper]
        of_worlds = Counter(mark(line) for line in held if not of_networks(line))
        groups.append(Group(paper.name, of_worlds, Counter(mark(line) for line in held if of_networks(line))))
    return Numbers(groups)


def of_networks(line: Line) -> bool:
    """Whether a claim speaks of what was trained, and not of the random worlds of a theorem."""
    return line.claim.study.startswith(EXPERIMENTS)


def mark(line: Line) -> str:
    """The key in `MARKS` of what was found of a claim."""
    claim = line.claim
    if line.unexpected:
        return "contradicts"
    if line.outcome == "disagrees":
        return "unmet" if claim.holds else "tempting" if claim.tempting else _defect(claim.status)
    return "holds" if line.outcome == "agrees" else "open"


def _defect(status: str) -> str:
    return "refuted" if status == "refuted" else "faulty"


def title(drawn: Numbers) -> str:
    """How many claims there are."""
    return f"{sum(map(drawn.total, MARKS)):,} claims, each with its verdict"


def caption(drawn: Numbers) -> str:
    """What a mark is, and what each says."""
    each = "; ".join(f"{mark.says} ({drawn.total(name)})" for name, mark in MARKS.items() if drawn.total(name))
    return (
        "Every mark is a claim with its verdict, paper by paper: above, theorems and what follows from them, judged in "
        "random worlds or, if they fail, by a stored counterexample that replays in exact arithmetic; below, sentences "
        f"and printed numbers on trained networks, judged by networks trained here. {each}. Claims that fail for one "
        "reason are counted one by one."
    )


def draw(figure: Figure, drawn: Numbers) -> None:
    """Two strips of marks, papers side by side, and what the marks say."""
    rows = {"worlds": "theorems, in random worlds", "networks": "trained networks"}
    shown = [name for name in rows if any(getattr(group, name) for group in drawn.groups)]
    panels = figure.subplots(len(shown), 1, squeeze=False, height_ratios=[DEEP[name] + 1.5 for name in shown]).ravel()
    places = _places(drawn)
    width = max(places) + _columns(drawn.groups[-1])
    for axes, name in zip(panels, shown, strict=True):
        for group, place in zip(drawn.groups, places, strict=True):
            _marks(axes, getattr(group, name), place, DEEP[name])
        axes.set(xlim=(-1, width), ylim=(DEEP[name] - 0.3, -0.9), xticks=[], yticks=[])
        axes.set_title(rows[name], loc="left", fontsize=7.5, color="0.35", pad=2)
        axes.spines[:].set_visible(False)
    for group, place in zip(drawn.groups, places, strict=True):
        words = fill(group.paper, int(max(LETTERS * _columns(group), LONGEST_WORD)), break_long_words=False)
        panels[-1].text(place - 0.5, DEEP[shown[-1]] - 0.1, words, va="top", fontsize=7.5, linespacing=1.1)
    panels[-1].text(0, DEEP[shown[-1]] + 2.0, " ", fontsize=7)  # room for names of two lines
    found = {name: look for name, look in MARKS.items() if drawn.total(name)}
    figure.legend(
        [_handle(look) for look in found.values()],
        [f"{look.says}: {drawn.total(name)}" for name, look in found.items()],
        loc="outside lower center",
        ncols=3,
        columnspacing=1.4,
        handletextpad=0.3,
    )


def _columns(group: Group) -> int:
    """Columns that a paper takes, of its wider strip."""
    return max(-(-sum(getattr(group, name).values()) // deep) for name, deep in DEEP.items())


def _places(drawn: Numbers) -> list[float]:
    """The first column of every paper."""
    found, here = [], 0.0
    for group in drawn.groups:
        found.append(here)
        here += _columns(group) + GAP
    return found


def _marks(axes: Axes, counts: Mapping[str, int], place: float, deep: int) -> None:
    """Marks in columns from top to bottom, all of a kind one after the other."""
    begun = 0
    for name, look in MARKS.items():
        spots = range(begun, begun + counts.get(name, 0))
        begun += counts.get(name, 0)
        x, y = [place + spot // deep for spot in spots], [spot % deep for spot in spots]
        face = look.color if look.filled else "none"
        axes.plot(x, y, look.marker, color=look.color, mfc=face, ms=3.6 if look.marker != "D" else 3.2, mew=0.9)


def _handle(look: Mark) -> Artist:
    from matplotlib.lines import Line2D

    face = look.color if look.filled else "none"
    return Line2D([], [], ls="", marker=look.marker, color=look.color, mfc=face, ms=4, mew=0.9)
