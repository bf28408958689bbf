"""A claim as it stands on the page: its words, its formula, what contradicts it, and its verdicts."""

from __future__ import annotations

import math

from figures.report.content import Judged, Statement
from fragility.book import Book
from fragility.catalogue.pages import counterexample
from fragility.catalogue.rows import LOST, meaning, put_right, words
from fragility.claim import Claim
from fragility.engine.study import label
from fragility.judging.summary import Line
from fragility.judging.table import decoys_rejected
from fragility.judging.verdict import Verdict
from fragility.witness import ReplayError, hypotheses

NOT_JUDGED = "not judged"


def statement(claim: Claim, book: Book, line: Line | None, origin: str) -> Statement:
    """All that the book knows of a claim, with what the draws say of it; `origin` is where its verdicts are from."""
    return Statement(
        id=claim.id,
        source=claim.source,
        says=claim.says,
        formula=claim.formula,
        domain=claim.domain,
        kind=claim.kind,
        status=claim.standing,
        meaning=meaning(claim),
        verdict=line.outcome if line else NOT_JUDGED,
        unexpected=bool(line and line.unexpected),
        quotes=[(quote.words, quote.place) for quote in words(claim, book)],
        counterexample="" if claim.holds else _counterexample(claim, book),
        hypotheses=() if claim.holds else tuple(_hypotheses(claim, book)),
        more=_more(claim),
        links=_links(claim, book),
        judged=[_judged(verdict, origin) for verdict in line.verdicts] if line else (),
    )


def _counterexample(claim: Claim, book: Book) -> str:
    try:
        world, sides = counterexample(claim, book)
    except ReplayError as none:
        return f"{none}."
    return f"{world} gives {sides}." if world else f"{sides}; python -m theory --replay {claim.id} shows the world."


def _hypotheses(claim: Claim, book: Book) -> list[str]:
    try:
        return list(hypotheses(claim, book.witnesses))
    except ReplayError:
        return []


def _more(claim: Claim) -> dict[str, str]:
    reading = "; ".join(part for part in (claim.reading.rstrip("."), LOST if claim.reconstructed else "") if part)
    found = {
        "What is wrong": claim.defect,
        "For every constant": claim.argument,
        "Read": reading,
        "Given that": claim.given and f"{claim.given}; draws without are left out",
        "Note": claim.note,
        "Whose": claim.credit,
        "Tolerance": f"{claim.tolerance:g}, the smallest error worth seeing",
        "Decoys": "; ".join(decoy.says for decoy in claim.decoys),
        "Measured by": f"{', '.join(claim.columns)} of {claim.study}" if claim.study and not claim.of_worlds else "",
    }
    return {name: says for name, says in found.items() if says}


def _links(claim: Claim, book: Book) -> dict[str, list[str]]:
    found = {
        "What holds": [name for name in claim.instead if name in book],
        "In place of": [row.id for row in put_right(claim, book)],
        "Fails for the same reason as": [claim.cause] if claim.cause in book else [],
    }
    return {name: ids for name, ids in found.items() if ids}


def _judged(verdict: Verdict, origin: str) -> Judged:
    return Judged(
        point=verdict.method if verdict.of_worlds else label(verdict.point),
        outcome=verdict.outcome,
        gap=_number(verdict.gap) if verdict.samples or verdict.method == "exact law" else "",
        band=_number(verdict.band),
        would_see=verdict.seen,
        samples=verdict.samples,
        decoys=decoys_rejected(len(verdict.rejected), len(verdict.visible)),
        origin=origin,
        fault=verdict.fault,
    )


def _number(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "-"
