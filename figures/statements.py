"""All bounds and identities in their random worlds: whether they hold, and how near to equality bounds come.

The first page has a row per mathematical object, the others one per statement of a paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures.panels import tightness
from figures.panels.tightness import StatementNumbers, draw_excess, draw_slack
from figures.shared.picture import Picture
from figures.shared.records import statement, wanting
from figures.shared.style import CHANCE, DECOY, SIMULATION, THEORY, WITNESS
from fragility.book import Book, read
from fragility.catalogue.defects import counted
from fragility.claim import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OVERVIEW = "overview"
LANE = 0.2  # of a row's height, from its middle to the decoyes


@dataclass(frozen=True)
class Row:
    """What stands in one line of the figure; the heading of a paper has no statements."""

    name: str
    statements: Sequence[StatementNumbers]


@dataclass(frozen=True)
class Numbers:
    """What is drawn, and one line on statements without records, or none.

    Parameters
    ----------
    paper : its name, or none for all.
    count : how many statements stand, and which defects the others show, in a sentence.
    """

    paper: str
    rows: Sequence[Row]
    count: str
    lacking: Sequence[str]
    seed: int


def pages() -> list[str]:
    """All papers, or one of those with bounds or identities in the book."""
    return [OVERVIEW, *dict.fromkeys(_paper(claim) for claim in read() if claim.of_worlds)]


def numbers(run: Path, manifest: Mapping[str, Any], page: str) -> Numbers:
    """From the records of a run, of all papers or, by its prefix, of one.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    book = read()
    chosen = [claim for claim in book if claim.of_worlds and page in (OVERVIEW, _paper(claim))]
    evidence = {claim.id: statement(run, claim) for claim in chosen}
    found = [tightness.numbers(claim, seen) for claim in chosen if (seen := evidence[claim.id]) is not None]
    absent = [name for name, seen in evidence.items() if seen is None]
    if not found:
        raise FileNotFoundError(wanting(absent, run))
    rows = _by_object(book, found) if page == OVERVIEW else [Row(_tail(one.id), [one]) for one in found]
    paper = "" if page == OVERVIEW else book.paper(chosen[0]).name
    lacking = [wanting(absent, run)] if absent else []
    return Numbers(paper, rows, _count(book, found), lacking, manifest["seed"])


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches."""
    return 7.2, max(2.0, 0.9 + len(drawn.rows) * (0.105 if drawn.paper else 0.16))


def draw(figure: Figure, drawn: Numbers) -> None:
    """Rows from top to bottom: excess and decoyes on the left, slack of bounds on the right."""
    whole = not drawn.paper
    rows = [row.statements for row in drawn.rows]
    excess, slack = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    draw_excess(excess, rows, LANE if whole else 0.0)
    draw_slack(slack, rows, lines=not whole)
    for axes in (excess, slack):
        axes.set_ylim(len(rows) - 0.3, -0.7)
        axes.set_axisbelow(True)
        axes.grid(axis="y", color="0.93", lw=0.5)
        axes.tick_params(axis="y", length=0)
    excess.set_yticks(range(len(rows)), [row.name for row in drawn.rows], fontsize=7 if whole else 5)
    for name, row in zip(excess.get_yticklabels(), drawn.rows, strict=True):
        name.set_fontweight("normal" if row.statements else "bold")
    _legend(figure, lines=not whole)


def title(drawn: Numbers) -> str:
    """Of which paper, whose draws, and how many statements hold or fail."""
    paper = f" of {drawn.paper}" if drawn.paper else ""
    return f"Bounds and identities{paper}, seed {drawn.seed}\n{drawn.count}"


def caption(drawn: Numbers) -> str:
    """What marks mean."""
    each = "a statement of the paper" if drawn.paper else "a mathematical object, with the number of its statements"
    lines = " Grey lines hold 90 % of the worlds." if drawn.paper else ""
    return (
        f"Each row is {each}. Left: by how much a statement fails in the worst of all its random worlds, over the "
        "rounding that is allowed (black line). Blue: statements that hold; purple diamonds: statements that fail in a "
        "stored world of short rationals; vermilion strokes: wrong statements close to those that hold, which have to "
        "lie beyond the line. Right: how near to equality a bound comes in the same worlds, relative to "
        f"1 + |right side|: near 0 it cannot be improved.{lines}"
    )


def _legend(figure: Figure, lines: bool) -> None:
    from matplotlib.lines import Line2D

    def marks(marker: str, color: str, name: str) -> Line2D:
        return Line2D([], [], ls="", marker=marker, color=color, ms=4, label=name)

    handles = [
        marks("o", SIMULATION, "statement, its worst world"),
        marks("|", DECOY, "decoy, its worst world"),
        marks("D", WITNESS, "fails, its witness"),
        Line2D([], [], color=THEORY, lw=0.9, label="tolerance"),
        *([Line2D([], [], color=CHANCE, lw=3, label="90 % of worlds")] if lines else []),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def _count(book: Book, found: Sequence[StatementNumbers]) -> str:
    """How many statements stand in how many worlds, and the defects that the others show."""
    worlds = [one.worlds for one in found if one.holds]
    standing = f"{len(worlds)} hold in at least {min(worlds)} random worlds each" if worlds else ""
    failing = [book[one.id] for one in found if not one.holds]
    return "; ".join(part for part in (standing, counted(failing) if failing else "") if part)


def _by_object(book: Book, found: Sequence[StatementNumbers]) -> list[Row]:
    """A heading per paper and a row per object, both in the order of the book."""
    papers: dict[str, dict[str, list[StatementNumbers]]] = {}
    for one in found:
        claim = book[one.id]
        papers.setdefault(book.paper(claim).name, {}).setdefault(_object(book, claim), []).append(one)
    rows: list[Row] = []
    for paper, objects in papers.items():
        rows += [Row(paper, ()), *(Row(f"{name} ({len(held)})", held) for name, held in objects.items())]
    return rows


def _object(book: Book, claim: Claim) -> str:
    """The object of a claim: its row stands in the file that bears the object's name."""
    place = book.place(claim.id)
    return place[0].stem.replace("_", " ") if place else claim.id


def _paper(claim: Claim) -> str:
    """The first part of an id."""
    return claim.id.partition(".")[0]


def _tail(name: str) -> str:
    return name.split(".", 1)[1]


PICTURE = Picture("simulate.statements", numbers, draw, size, title, caption, pages=pages)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
