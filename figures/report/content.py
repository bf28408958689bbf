"""What stands on the page, as plain values: it is made of records by others, and drawn as HTML by `page`.

All texts are plain text, whoever wrote them: nothing in them is markup. Formulas are LaTeX without dollar signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fragility.tables import Table


@dataclass(frozen=True)
class Origin:
    """Where numbers are from: the command that made them, and all that one needs to make them again.

    Parameters
    ----------
    id : of its place on the page.
    study : room and name, such as "empirical.conditioning".
    command : as it was typed.
    seed, samples, backend : of the draws; `samples` says how many there are of what, at which points.
    versions : package -> version.
    git : the commit of the code, marked where the tree differed from it; empty outside a checkout.
    hardware, time : what it ran on, and when it began, in UTC.
    note : which part of the paper's experiment it is, where it is not all of it; else empty.
    """

    id: str
    study: str
    command: str
    seed: int
    samples: str
    backend: str
    versions: Mapping[str, str]
    git: str
    hardware: str
    time: str
    note: str = ""


@dataclass(frozen=True)
class Judged:
    """What the draws say of a claim at one point: a row of a small table.

    Parameters
    ----------
    outcome : "agrees", "blunt", "disagrees" or "faulty".
    gap, band : as a reader sees them.
    would_see : the smallest error that these draws would have shown, in its unit.
    decoys : "2/2": wrong statements that were rejected, of those that can be seen.
    origin : id of an `Origin`, or empty.
    """

    point: str
    outcome: str
    gap: str
    band: str
    would_see: str
    samples: int
    decoys: str
    origin: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Statement:
    """A claim with all that is known of it.

    Parameters
    ----------
    id : "fc.lemma3.last"; it is the anchor of its place, too.
    source, says, formula, domain : where it stands, what it says in a sentence, in LaTeX, and for which worlds.
    kind : "law", "moment", "identity", "bound", "rate", "majority" or "reported".
    status, meaning : "printed", "refuted", ..., and the same in words that need no legend.
    verdict : "agrees", "blunt", "disagrees", "faulty" or "not judged": the worst over all points.
    unexpected : whether that contradicts the table of claims.
    quotes : the paper's words, each with its place.
    counterexample : what fails is contradicted by this world: sentences, the values written out, empty where it holds.
    hypotheses : the assumptions of the statement that this world meets.
    more : a name -> a sentence, such as "Read" -> what the row adds to the words; in the order in which they are shown.
    links : a name -> ids of other claims, such as "What holds" -> (...).
    judged : a row per point.
    """

    id: str
    source: str
    says: str
    formula: str
    domain: str
    kind: str
    status: str
    meaning: str
    verdict: str
    unexpected: bool = False
    quotes: Sequence[tuple[str, str]] = ()
    counterexample: str = ""
    hypotheses: Sequence[str] = ()
    more: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    judged: Sequence[Judged] = ()


@dataclass(frozen=True)
class Figure:
    """A picture with its caption.

    Parameters
    ----------
    id : of its place, such as "figure-linear-compression".
    title : a few words; shows : what of the papers it shows, such as "Figure 2".
    caption : sentences with n, units and what marks mean.
    svg : an `<svg>` element made by this package, its ids unlike those of any other.
    origins : ids of `Origin`s.
    """

    id: str
    title: str
    caption: str
    svg: str
    shows: Sequence[str] = ()
    origins: Sequence[str] = ()


@dataclass(frozen=True)
class Tabled:
    """A table of an experiment, printed, predicted and measured; `origin` is the id of an `Origin`."""

    id: str
    table: Table
    origin: str


@dataclass(frozen=True)
class Section:
    """A paper: its claims, its tables, its figures.

    Parameters
    ----------
    id : the first part of its claims' ids, such as "fc".
    name, title : short, and as the paper has it.
    summary : sentences: how many claims hold, what is refuted, what networks do.
    counts : what -> how many, for the line below its heading, such as "agree" -> 129.
    """

    id: str
    name: str
    title: str
    summary: str
    counts: Mapping[str, int]
    statements: Sequence[Statement]
    tables: Sequence[Tabled]
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Page:
    """All of the page.

    Parameters
    ----------
    title, sentence : the first screen: one sentence on what is claimed, what holds, what is refuted, what networks do.
    first : its picture, None where there are no verdicts.
    verdicts : the table of verdicts by paper, None where there are none.
    notes : sentences on the whole: which parts were run where and when, what is missing, error rate.
    """

    title: str
    sentence: str
    first: Figure | None
    verdicts: Table | None
    sections: Sequence[Section]
    origins: Sequence[Origin]
    notes: Sequence[str] = ()
