"""The page of a summary: every claim of the book with its verdicts, and tables and pictures beside their papers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from figures.panels import verdicts
from figures.report.content import Figure, Origin, Page, Section, Tabled
from figures.report.plain import drawn_from, from_plain
from figures.report.statements import statement
from figures.report.summary import Drawn, Judgement, Run, Summary
from figures.report.svg import inline
from figures.shared.picture import Picture, pictures
from fragility.book import Book, Paper
from fragility.catalogue.defects import PLURAL, counts
from fragility.claim import Claim
from fragility.engine.context import OWN
from fragility.engine.study import UsageError
from fragility.judging.summary import Line, paper_table, totals

TITLE = "Theory of adversarial fragility, put to the test"


def page(summary: Summary, book: Book) -> Page:
    """All that there is to show of a summary of the book.

    Raises
    ------
    UsageError : the summary is of other figures, or of another book.
    """
    judged = summary.verdicts(book)
    lines = [line for line, _ in judged]
    found = list(_figures(summary, book))
    first = _first(lines, book, [_origin_of(summary.judgements[place]) for place in sorted({p for _, p in judged})])
    notes = totals(lines, summary.undecided) if lines else []
    notes += [note for run in summary.runs for note in run.lacking]
    smaller = [run.study for run in summary.runs if run.smaller]
    if smaller:
        notes.append(f"Not of the size of the paper's experiment, each in what its origin says: {', '.join(smaller)}.")
    return Page(
        title=TITLE if summary.claims == OWN else f"Claims of {summary.claims}",
        sentence=sentence(lines, book),
        first=first,
        verdicts=paper_table(lines, book) if lines else None,
        sections=[_section(prefix, paper, summary, book, found) for prefix, paper in _papers(book).items()],
        origins=[*map(_of_judgement, summary.judgements), *map(_of_run, summary.runs)],
        notes=notes,
    )


def sentence(judged: Sequence[Line], book: Book) -> str:
    """What is claimed, what holds, what is refuted and what trained networks do, in one sentence."""
    if not judged:
        return f"{len(book)} claims, none of which has been judged."
    titled = len({paper for paper in map(book.paper, (line.claim for line in judged)) if paper.title})
    papers = f" on {titled} papers" if titled > 1 else ""
    return f"Of {len(judged):,} claims{papers} {_found(judged)}."


def _found(judged: Sequence[Line]) -> str:
    """How many hold, what is refuted, what trained networks do not meet, and what is open."""
    marks = Counter(map(verdicts.mark, judged))
    networks = sum(map(verdicts.of_networks, judged))
    refuted = counts([line.claim for line in judged if line.outcome == "disagrees" and not line.claim.holds])["refuted"]
    parts = [f"{marks['holds']:,} {'holds' if marks['holds'] == 1 else 'hold'}"]
    if refuted:
        parts.append("1 printed statement is refuted" if refuted == 1 else f"{refuted} printed statements are refuted")
    if networks:
        unmet = marks["unmet"]
        failing = f"{unmet} {'is' if unmet == 1 else 'are'} not met" if unmet else "none is unmet"
        parts.append(f"of {networks} on trained networks {failing} by those trained here")
    if marks["open"]:
        parts.append(f"{marks['open']:,} {'is' if marks['open'] == 1 else 'are'} undecided")
    return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else parts[0]


def _papers(book: Book) -> Mapping[str, Paper]:
    """The first part of ids -> the paper, in the order of the book."""
    return {_prefix(claim): book.paper(claim) for claim in book}


def _prefix(claim: Claim) -> str:
    return claim.id.partition(".")[0]


def _section(prefix: str, paper: Paper, summary: Summary, book: Book, figures: Sequence[tuple[str, Figure]]) -> Section:
    claims = [claim for claim in book if _prefix(claim) == prefix]
    judged = {line.claim.id: (line, _origin_of(summary.judgements[place])) for line, place in summary.verdicts(book)}
    held = [judged[claim.id][0] for claim in claims if claim.id in judged]
    outcomes = Counter(line.outcome for line in held)
    shown = counts([line.claim for line in held if line.outcome == "disagrees"])
    return Section(
        id=prefix,
        name=paper.name,
        title=paper.title.replace("*", ""),  # which is Markdown
        summary=sentence(held, book) if held else "None of these claims has been judged.",
        counts={
            "claims": len(claims),
            "agree": outcomes["agrees"],
            "disagree": outcomes["disagrees"],
            "blunt": outcomes["blunt"],
            **{PLURAL[status] if number != 1 else status: number for status, number in shown.items()},
        },
        statements=[statement(claim, book, *judged.get(claim.id, (None, ""))) for claim in claims],
        tables=[
            Tabled(f"{_slug(run.study)}-table-{number}", table, _origin_of(run))
            for run in summary.runs
            if _paper_of(run.study, book) == prefix
            for number, table in enumerate(run.tables, 1)
        ],
        figures=sorted((figure for place, figure in figures if place == prefix), key=_order),
    )


def _order(figure: Figure) -> tuple[bool, Sequence[str]]:
    """The paper's own figures first, as they are numbered."""
    return not figure.shows, figure.shows


def _paper_of(study: str, book: Book) -> str:
    """The first part of the ids of most claims on a study; empty where there are none."""
    of = Counter(map(_prefix, book.about(study)))
    return of.most_common(1)[0][0] if of else ""


def _figures(summary: Summary, book: Book) -> Iterator[tuple[str, Figure]]:
    """Every picture of the runs, and the first part of ids of the paper beside which it stands."""
    known = pictures()
    number = 0
    for run in summary.runs:
        for drawn in run.drawn:
            if drawn.picture not in known:
                raise UsageError(f"a summary must be of figures of this package, got {drawn.picture}")
            number += 1
            place = drawn.page or _paper_of(run.study, book)
            yield place, _figure(known[drawn.picture], drawn, f"f{number}", _origin_of(run))


def _figure(picture: Picture, drawn: Drawn, name: str, origin: str) -> Figure:
    try:
        numbers = from_plain(drawn.numbers, drawn_from(picture.numbers))
    except ValueError as wrong:
        raise UsageError(
            f"a summary must hold what its pictures are drawn from, got for {drawn.picture}: {wrong}"
        ) from None
    title = " ".join(picture.title(numbers).split())
    return Figure(
        id=f"figure-{_slug(drawn.picture)}{'-' + drawn.page if drawn.page else ''}",
        title=title,
        caption=picture.caption(numbers),
        svg=inline(partial(picture.draw, drawn=numbers), picture.inches(numbers), name, title),
        shows=[place.rpartition(", ")[2] for place in picture.shows],
        origins=[origin],
    )


def _first(judged: Sequence[Line], book: Book, origins: Sequence[str]) -> Figure | None:
    if not judged:
        return None
    numbers = verdicts.numbers(judged, book)
    title = verdicts.title(numbers)
    svg = inline(partial(verdicts.draw, drawn=numbers), verdicts.SIZE, "f0", title)
    return Figure("figure-verdicts", title, verdicts.caption(numbers), svg, (), origins)


def _origin_of(made: Run | Judgement) -> str:
    kind = "records" if isinstance(made, Run) else "verdicts"
    return f"{kind}-{_slug(made.origin.study)}"


def _slug(name: str) -> str:
    return name.replace(".", "-").replace("_", "-")


def _of_judgement(made: Judgement) -> Origin:
    several = f"{len(made.verdicts):,} verdicts at error rate {made.origin.alpha:g}"
    return _origin(made, several)


def _of_run(made: Run) -> Origin:
    smaller = f"Not the size of the paper's experiment: {made.smaller}." if made.smaller else ""
    return _origin(made, made.samples, smaller)


def _origin(made: Run | Judgement, samples: str, note: str = "") -> Origin:
    said = made.origin
    return Origin(
        id=_origin_of(made),
        study=said.study,
        command=said.command,
        seed=said.seed,
        samples=samples,
        backend=said.backend,
        versions=said.versions,
        git=said.git,
        hardware=said.hardware,
        time=_hour(said.time),
        note=note,
    )


def _hour(time: str) -> str:
    """A time in UTC to the minute, as "2026-12-01 10:32 UTC"; as it is where it is written otherwise."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\+00:00", time)
    return f"{found[1]} {found[2]} UTC" if found else time
