"""The claims of a book as pages in Markdown: an entry per claim, and a page on what is wrong in the papers."""

from __future__ import annotations

import json
from collections.abc import Callable

from fragility.book import Book, Paper
from fragility.catalogue.defects import MEANING, PLURAL, Defect, counts, defects
from fragility.catalogue.places import implementation
from fragility.catalogue.rows import LOST, put_right, words
from fragility.claim import Claim
from fragility.witness import hypotheses, replay, stored

LONGEST_WORLD = 300  # characters of a counterexample that is shown in place
INTRODUCTION = """\
Defects of the papers below, one entry per cause, the gravest first: the paper's words, what is read into them, a
counterexample that meets the paper's hypotheses and replays in exact arithmetic (`python -m theory --replay ID`), and
what holds instead. `[..]` stands for a formula or for words left out. Rows that only show what one might think, and
that nobody states, are in the table of claims and not here. This page is `python -m theory --defects --markdown`.

| here | the paper |
|---|---|
"""
TITLE = {"refuted": "Refuted", "gap": "Gaps in proofs", "slip": "Slips", "reading": "Readings"}


def claims_page(book: Book, link: Callable[[str, str], str]) -> str:
    """A section per paper, an entry per claim, formulas between dollars; `link(module, function)` is its code's URL."""
    lines: list[str] = []
    for paper in dict.fromkeys(map(book.paper, book)):
        lines += [f"## {paper.name}", "", *([f"{paper.title}.", ""] if paper.title else [])]
        for claim in (claim for claim in book if book.paper(claim) == paper):
            lines += _entry(claim, paper, book, link)
    return "\n".join(lines)


def defects_page(book: Book) -> str:
    """A section per status, an entry per defect: the quoted words, what is read into them, and why they fail."""
    found = defects(book)
    titles = [f"| {paper.name} | {paper.title} |" for paper in book.papers.values() if paper.title]
    lines = ["# What is wrong in the papers", "", *INTRODUCTION.splitlines(), *titles, ""]
    for status, says in MEANING.items():
        lines += [f"## {TITLE[status]}", "", f"{says[0].upper()}{says[1:]}.", ""]
        for defect in (defect for defect in found if defect.status == status):
            lines += _defect(defect, book)
    return "\n".join(lines).rstrip()


def defects_list(book: Book, page: str) -> str:
    """What is false, what is a gap, what is a slip: a line each, and a sentence per defect that leads to `page`."""
    found, number = defects(book), counts(book)
    lines = []
    for status in ("refuted", "gap", "slip"):
        name = status if number[status] == 1 else PLURAL[status]
        lines += [f"**{number[status]} {name}**: {MEANING[status]}.", ""]
        lines += [
            f"- [{defect.rows[0].source}]({page}#{_slug(defect.id)}): {defect.says}."
            for defect in found
            if defect.status == status
        ]
        lines += [""]
    return "\n".join(
        [*lines, f"[{number['reading']} more sentences]({page}#readings) are false in one reading and hold in another."]
    )


def _defect(defect: Defect, book: Book) -> list[str]:
    head = defect.rows[0]
    says = f"{defect.says[0].upper()}{defect.says[1:]}."
    lines = [f"### `{head.id}`", "", f"**{head.source}**", "", says, "", *_quoted(head, book)]
    lines += _failing(head, book)
    if head.note:
        lines += [f"{head.note.rstrip('.')}.", ""]
    lines += [f"- *What holds:* `{name}`, {book[name].says}." for name in head.instead if name in book] + [""]
    for row in defect.rows[1:]:
        lines += [f"*The same cause:* `{row.id}`, {row.says}.", "", *_quoted(row, book), *_failing(row, book)]
    return lines


def _entry(claim: Claim, paper: Paper, book: Book, link: Callable[[str, str], str]) -> list[str]:
    module, function, _ = implementation(claim)
    place = claim.source.removeprefix(paper.name).removeprefix(",").strip()
    if claim.status == "extension" and place:  # what the paper does not state stands beside something in it, or nowhere
        place = f"beside {place}" if claim.source.startswith(paper.name) else ""
    facts = [
        f'<span class="status status-{claim.standing}">{claim.standing}</span>',
        claim.credit,
        place,
        claim.kind,
        f"tolerance {claim.tolerance:g}",
        f'<a href="{link(module, function)}">code</a>',
    ]
    below = [
        f"*Domain:* {claim.domain}.",
        f"*Given that* {claim.given}; draws without are left out." if claim.given else "",
        claim.note,
        f"*Decoys:* {'; '.join(decoy.says for decoy in claim.decoys)}." if claim.decoys else "",
    ]
    beside = {"*What holds:*": claim.instead, "*In place of*": [row.id for row in put_right(claim, book)]}
    return [
        f"({anchor(claim.id)})=",
        f"### `{claim.id}`",
        "",
        f'<p class="facts">{" · ".join(fact for fact in facts if fact)}</p>',
        "",
        f"{claim.says}.",
        "",
        *_quoted(claim, book),
        *(_failing(claim, book) if not claim.holds else [f"$$\n{claim.formula}\n$$", ""]),
        " ".join(line for line in below if line),
        "",
        *(
            f"{says} {', '.join(f'[`{name}`](#{anchor(name)})' for name in ids)}." if ids else ""
            for says, ids in beside.items()
        ),
        "",
    ]


def _quoted(claim: Claim, book: Book) -> list[str]:
    """The paper's words, and what the row reads into them."""
    lines = [f"> {quote.words} ({quote.place})\n" for quote in words(claim, book)]
    reading = claim.reading.rstrip(".") + (f" ({LOST})" if claim.reconstructed else "")
    return [*lines, f"*Read:* {reading}.", ""] if reading else lines


def _failing(claim: Claim, book: Book) -> list[str]:
    """The formula of what fails, its hypotheses, and the world that meets them and contradicts it."""
    met = "; ".join(hypotheses(claim, book.witnesses))
    lines = [f"$$\n{claim.formula}\n$$", "", f"*Counterexample:* {_written(claim, book)} It meets: {met}.", ""]
    return [*lines, f"*For every constant:* {claim.argument}", ""] if claim.argument else lines


def counterexample(claim: Claim, book: Book) -> tuple[str, str]:
    """The stored world in which a claim fails, empty if it does not fit on a few lines; and both sides in it."""
    left, right = replay(claim, book.witnesses)
    relation = "≠" if claim.kind == "identity" else ">"
    world = ", ".join(
        f"{name} = {json.dumps(value)}" for name, value in stored(claim.id, book.witnesses).items()
    ).replace('"', "")
    return world if len(world) <= LONGEST_WORLD else "", f"left {left} {relation} right {right}"


def _written(claim: Claim, book: Book) -> str:
    world, sides = counterexample(claim, book)
    return f"`{world}` gives {sides}." if world else f"{sides}."


def anchor(claim_id: str) -> str:
    return "claim-" + claim_id.replace(".", "-").replace("_", "-")


def _slug(claim_id: str) -> str:
    """What GitHub and the pages make of a heading that is an id."""
    return claim_id.replace(".", "")
