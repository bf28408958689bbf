"""The claims of a book for a terminal and as plain values: a row per claim, a page of one, and the list of defects."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from fragility.book import Book, Paper
from fragility.catalogue.defects import MEANING, counted, defects
from fragility.catalogue.places import figure, function_place, implementation, located, variable_place
from fragility.claim import Claim, Quote
from fragility.tables import Column, Table
from fragility.witness import hypotheses

COLUMNS = (*map(Column, ("claim", "kind", "status")), Column("tolerance", form="g"), Column("says", prose=True))
LOST = "a reconstruction: the paper's formulas are lost in the text that was read"
HOLDING = {
    "printed": "the paper says it, and it holds",
    "unmet": "the paper says it of its networks, and those that were trained for it here do not bear it out",
    "corrected": "what holds instead",
    "extension": "no statement of the paper",
    "tempting": "what one might think, and nobody says: it is false",
}


def meaning(claim: Claim) -> str:
    """Its status, in words that need no legend."""
    return HOLDING.get(claim.standing) or MEANING[claim.status]


def put_right(claim: Claim, book: Book) -> tuple[Claim, ...]:
    """The rows that fail, and in place of which it holds."""
    return tuple(other for other in book if claim.id in other.instead)


def words(claim: Claim, book: Book) -> tuple[Quote, ...]:
    """What it quotes; of a correction, what the row that it puts right quotes."""
    corrected = put_right(claim, book) if claim.status == "corrected" else ()
    return tuple(dict.fromkeys(quote for row in (claim, *corrected) for quote in row.quotes))


def table(claims: Sequence[Claim], book: Book) -> Table:
    """Some claims of a book, paper by paper, and below them how to go on."""
    papers: dict[Paper, list[Claim]] = {}
    for claim in claims:
        papers.setdefault(book.paper(claim), []).append(claim)
    headings: dict[int, str] = {}
    ordered: list[Claim] = []
    for paper, held in papers.items():
        headings[len(ordered)] = f"{paper.name} ({len(held)} rows)"
        ordered += held
    return Table(
        COLUMNS,
        [(claim.id, claim.kind, claim.standing, claim.tolerance, claim.says) for claim in ordered],
        notes=[
            f"{len(claims)} rows; of the papers' statements {counted(claims)}: python -m theory --defects lists them.",
            "python -m theory --claim ID shows one row; --replay ID replays a counterexample in exact arithmetic.",
        ],
        headings=headings,
        facts=lambda: [plain(claim, book) for claim in claims],
    )


def page(claim: Claim, book: Book) -> str:
    """All that a book knows of one claim, and where it stands among the others."""
    row, shown = book.place(claim.id), figure(claim.study) if claim.study else ""
    names = ("statistics " if len(claim.columns) > 1 else "statistic ") + ", ".join(claim.columns)
    fields = {
        "says": claim.says,
        "source": claim.source,
        "status": f"{claim.standing}: {meaning(claim)}",
        "whose": claim.credit,
        **{f"quote{mark}": f'"{quote.words}" ({quote.place})' for mark, quote in _numbered(words(claim, book))},
        "reading": claim.reading,
        "formula": claim.formula,
        "": f"({LOST})" if claim.reconstructed else "",
        "domain": claim.domain,
        "given": f"{claim.given}; draws without are left out" if claim.given else "",
        "hypotheses": "" if claim.holds else "; ".join(hypotheses(claim, book.witnesses)) + " (the witness meets them)",
        "wrong": claim.defect or (f"for the same reason as {claim.cause}" if claim.cause else ""),
        "argument": claim.argument,
        "instead": "; ".join(f"{name}: {book[name].says}" for name in claim.instead if name in book),
        "in place of": ", ".join(row.id for row in put_right(claim, book)),
        "kind": claim.kind,
        "tolerance": f"{claim.tolerance:g}",
        "note": claim.note,
        "decoys": "; ".join(decoy.says for decoy in claim.decoys),
        "row": located(*row) if row else "",
        "code": function_place(claim.code or claim.theory),
        "world": function_place(claim.world) if claim.world else "",
        "space": variable_place(claim.space) or function_place(claim.space.build) if claim.space else "",
        "study": f"python -m {claim.study} ({names})" if claim.study else "",
        "figure": f"python -m {shown}" if shown and find_spec(shown) else "",
        "witness": "" if claim.holds else f"python -m theory --replay {claim.id}",
    }
    return "\n".join([claim.id, *(f"  {key.ljust(11)}  {value}" for key, value in fields.items() if value)])


def plain(claim: Claim, book: Book) -> dict[str, Any]:
    """All that a book knows of one claim, as plain values."""
    names = (
        "id",
        "source",
        "says",
        "formula",
        "domain",
        "given",
        "kind",
        "reading",
        "reconstructed",
        "credit",
        "tolerance",
    )
    return {
        **{name: getattr(claim, name) for name in names},
        "status": claim.standing,
        "holds": claim.holds,
        "quotes": [quote._asdict() for quote in claim.quotes],
        **{name: getattr(claim, name) for name in ("defect", "cause", "argument", "note")},
        "instead": list(claim.instead),
        "hypotheses": [] if claim.holds else list(hypotheses(claim, book.witnesses)),
        **dict(zip(("module", "function", "line"), implementation(claim), strict=True)),
        "decoys": [decoy.says for decoy in claim.decoys],
        **{name: getattr(claim, name) or None for name in ("study", "statistic")},
    }


def faults(book: Book) -> str:
    """Every defect of the book's papers in one sentence, by status, with the rows that show it."""
    lines = []
    for status, says in MEANING.items():
        found = [defect for defect in defects(book) if defect.status == status]
        lines += [f"{status} ({len(found)}): {says}", ""]
        for defect in found:
            lines += [f"  {', '.join(row.id for row in defect.rows)}", f"      {defect.says}.", ""]
    return "\n".join([*lines, f"In all: {counted(book)}. python -m theory --replay ID shows why, exactly."])


def _numbered(quotes: Sequence[Quote]) -> list[tuple[str, Quote]]:
    return [("" if number == 1 else f" {number}", quote) for number, quote in enumerate(quotes, 1)]
