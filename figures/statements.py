"""All bounds and identities in their random worlds: whether they hold, and how near to equality bounds come.

The first page has a row per mathematical object, the others one per statement of a paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import theory.claims
from figures.panels import tightness
from figures.panels.tightness import StatementNumbers, draw_excess, draw_slack
from figures.records import statement, wanting
from figures.style import CHANCE, DECOY, SIMULATION, THEORY, WITNESS
from simulate.summary import PAPERS
from theory.claims import CLAIMS
from theory.defects import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OVERVIEW = "overview"
STATEMENTS = [claim for claim in CLAIMS if claim.of_worlds]
PAGES = (OVERVIEW, *(prefix for prefix in PAPERS if any(claim.id.startswith(prefix + ".") for claim in STATEMENTS)))
LANE = 0.2  # of a row's height, from its middle to the near-misses


@dataclass(frozen=True)
class Row:
    """What stands in one line of the figure; the heading of a paper has no statements."""

    name: str
    statements: Sequence[StatementNumbers]


@dataclass(frozen=True)
class Numbers:
    """What is drawn, and one line on statements without records, or none."""

    page: str
    rows: Sequence[Row]
    lacking: Sequence[str]
    seed: int


def numbers(run: Path, manifest: Mapping[str, Any], page: str) -> Numbers:
    """From the records of a run, of all papers or, by its prefix, of one.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    chosen = [claim for claim in STATEMENTS if page in (OVERVIEW, claim.id.split(".")[0])]
    evidence = {claim.id: statement(run, claim) for claim in chosen}
    found = [tightness.numbers(claim, seen) for claim in chosen if (seen := evidence[claim.id]) is not None]
    absent = [name for name, seen in evidence.items() if seen is None]
    if not found:
        raise FileNotFoundError(wanting(absent, run))
    rows = _by_object(found) if page == OVERVIEW else [Row(_tail(one.claim.id), [one]) for one in found]
    return Numbers(page, rows, [wanting(absent, run)] if absent else [], manifest["seed"])


def size(drawn: Numbers) -> tuple[float, float]:
    """In inches."""
    return 7.2, max(2.0, 0.9 + len(drawn.rows) * (0.16 if drawn.page == OVERVIEW else 0.105))


def draw(figure: Figure, drawn: Numbers) -> None:
    """Rows from top to bottom: excess and near-misses on the left, slack of bounds on the right."""
    whole = drawn.page == OVERVIEW
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
    paper = "" if whole else f" of {PAPERS[drawn.page]}"
    figure.suptitle(f"Bounds and identities{paper}, seed {drawn.seed}\n{_count(drawn)}", fontsize=9, x=0.01, ha="left")
    _legend(figure, lines=not whole)


def _legend(figure: Figure, lines: bool) -> None:
    from matplotlib.lines import Line2D

    def marks(marker: str, color: str, name: str) -> Line2D:
        return Line2D([], [], ls="", marker=marker, color=color, ms=4, label=name)

    handles = [
        marks("o", SIMULATION, "statement, its worst world"),
        marks("|", DECOY, "near-miss, its worst world"),
        marks("D", WITNESS, "fails, its witness"),
        Line2D([], [], color=THEORY, lw=0.9, label="tolerance"),
        *([Line2D([], [], color=CHANCE, lw=3, label="90 % of worlds")] if lines else []),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def _count(drawn: Numbers) -> str:
    """How many statements stand in how many worlds, and the defects that the others show."""
    statements = [one for row in drawn.rows for one in row.statements]
    worlds = [one.worlds for one in statements if one.claim.holds]
    standing = f"{len(worlds)} hold in at least {min(worlds)} random worlds each" if worlds else ""
    failing = [one.claim for one in statements if not one.claim.holds]
    return "; ".join(part for part in (standing, counted(failing) if failing else "") if part)


def _by_object(found: Sequence[StatementNumbers]) -> list[Row]:
    """A heading per paper and a row per object, both in the order of the table."""
    rows: list[Row] = []
    for prefix, paper in PAPERS.items():
        objects: dict[str, list[StatementNumbers]] = {}
        for one in found:
            if one.claim.id.split(".")[0] == prefix:
                objects.setdefault(_object(one.claim.id), []).append(one)
        if objects:
            rows += [Row(paper, ()), *(Row(f"{name} ({len(held)})", held) for name, held in objects.items())]
    return rows


def _object(name: str) -> str:
    """The object of a claim: its rows stand in the file that bears the object's name."""
    files = [file for file in vars(theory.claims).values() if isinstance(file, ModuleType) and hasattr(file, "CLAIMS")]
    home = next(file for file in files if any(row.id == name for row in file.CLAIMS))
    return home.__name__.rsplit(".", 1)[-1].replace("_", " ")


def _tail(name: str) -> str:
    return name.split(".", 1)[1]


if __name__ == "__main__":
    from figures.command import main

    main("statements", draw, numbers, size, pages=PAGES)
