"""All that the page shows, as numbers: verdicts, tables, what pictures are drawn from, and where all of it is from.

A summary is what records come to. It is small enough to be kept where records are not, and the page of records is
drawn from it, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from figures.report.plain import from_plain, to_plain
from fragility.book import Book
from fragility.judging.summary import Line, lines
from fragility.judging.verdict import Verdict
from fragility.tables import Table


@dataclass(frozen=True)
class Made:
    """What made numbers: a command, and all that one needs to make them again.

    Parameters
    ----------
    study : the command's room and name; command : as one types it.
    time : in UTC, as ISO 8601 has it.
    git : the commit of the code, marked where the tree differed from it; empty outside a checkout.
    alpha : error rate of the verdicts, 0 of records.
    """

    study: str
    command: str
    time: str
    seed: int
    backend: str
    versions: Mapping[str, str]
    git: str
    hardware: str
    alpha: float = 0.0


@dataclass(frozen=True)
class Judgement:
    """The verdicts that one command gave.

    Parameters
    ----------
    undecided : ids of claims that no draw has reached.
    """

    origin: Made
    verdicts: Sequence[Verdict]
    undecided: Sequence[str]


@dataclass(frozen=True)
class Drawn:
    """What a picture of the room is drawn from, as plain values; `page` is empty but for one of several pages."""

    picture: str
    page: str
    numbers: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """What the newest records of a study come to.

    Parameters
    ----------
    study : its room and name; name : of the run, such as "cpu-seed0".
    samples : how many draws there are, and at how many points.
    smaller : in what it is not the size of the paper's experiment; else empty.
    lacking : lines on what could not be drawn for want of records.
    """

    study: str
    name: str
    origin: Made
    samples: str
    smaller: str
    tables: Sequence[Table]
    drawn: Sequence[Drawn]
    lacking: Sequence[str]


@dataclass(frozen=True)
class Summary:
    """Verdicts and runs of a book of claims; `claims` names it as the flag does."""

    claims: str
    judgements: Sequence[Judgement]
    runs: Sequence[Run]

    def verdicts(self, book: Book) -> list[tuple[Line, int]]:
        """A line per claim of the book that was judged, by the latest command that did, and that command's place."""
        latest: dict[str, tuple[Line, int]] = {}
        for place in sorted(range(len(self.judgements)), key=lambda place: self.judgements[place].origin.time):
            for line in lines(book, self.judgements[place].verdicts):
                latest[line.claim.id] = line, place
        return [latest[claim.id] for claim in book if claim.id in latest]

    @property
    def undecided(self) -> list[str]:
        """Ids of claims that some command has not reached, and no other has judged."""
        judged = {verdict.claim for judgement in self.judgements for verdict in judgement.verdicts}
        missed = [name for judgement in self.judgements for name in judgement.undecided]
        return [name for name in dict.fromkeys(missed) if name not in judged]


def document(summary: Summary) -> str:
    """The summary as JSON, a line for each judgement and each run, which `read` reads."""
    plain = to_plain(summary, Summary)

    def dense(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    def listed(name: str) -> str:
        return "[\n" + ",\n".join(map(dense, plain[name])) + "\n]"

    return f'{{"claims":{dense(summary.claims)},\n"judgements":{listed("judgements")},\n"runs":{listed("runs")}}}\n'


def read(content: Any) -> Summary:
    """The summary of which `document` wrote this, from what JSON makes of it.

    Raises
    ------
    ValueError : it is something else.
    """
    return from_plain(content, Summary)
