"""The table of claims in a terminal and as JSON: one line per row, one page per claim, and the list of defects."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from theory.claim import Claim, Quote
from theory.defects import MEANING, counted, defects
from theory.witness import hypotheses

TITLES = {
    "Feature compression": "*Feature compression is the root cause of adversarial fragility in neural network"
    " classifiers*",
    "Joint margin bounds": "*Non-singular adversarial robustness of neural networks*",
    "Conditioning": "A. Bajwa, Z. Choudhury, S. Srivastava, *Investigating the impact of conditioning on neural network"
    " adversarial robustness*, 2018",
    "Latent and SVD defences": "J. Cocola, V. S. Rabindranath, *Making neural nets robust again*",
    "ConvNorm": "F. O'Hanlon, *Adversarial robustness of convolutional networks*",
}  # by what the first part of a source calls them
COLUMNS = ("claim", "kind", "status", "tolerance", "says")
LOST = "a reconstruction: the paper's formulas are lost in the text that was read"
HOLDING = {
    "printed": "the paper says it, and it holds",
    "corrected": "what holds instead",
    "extension": "no statement of the paper",
    "tempting": "what one might think, and nobody says: it is false",
}


def paper(claim: Claim) -> str:
    """The paper that a claim is of: the first part of its source."""
    return claim.source.split(",")[0]


def implementation(claim: Claim) -> tuple[str, str, int]:
    """Module, qualified name and line of the function that holds the claim's formula."""
    function = inspect.unwrap(claim.code or claim.theory)
    return function.__module__, function.__qualname__, inspect.getsourcelines(function)[1]


def meaning(claim: Claim) -> str:
    """Its status, in words that need no legend."""
    return HOLDING.get(claim.standing) or MEANING[claim.status]


def put_right(claim: Claim, claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The rows that fail, and in place of which it holds."""
    return tuple(other for other in claims if claim.id in other.instead)


def words(claim: Claim, claims: Sequence[Claim]) -> tuple[Quote, ...]:
    """What it quotes; of a correction, what the row that it puts right quotes."""
    corrected = put_right(claim, claims) if claim.status == "corrected" else ()
    return tuple(dict.fromkeys(quote for row in (claim, *corrected) for quote in row.quotes))


def text(claims: Sequence[Claim]) -> str:
    """The whole table, paper by paper, and below it how to go on."""
    rows = [_row(claim) for claim in claims]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = [_aligned(COLUMNS, widths), "  ".join("-" * width for width in widths[:-1]) + "  ----"]
    for name in dict.fromkeys(map(paper, claims)):
        of_paper = [_aligned(_row(claim), widths) for claim in claims if paper(claim) == name]
        lines += ["", f"{name} ({len(of_paper)} rows)", *of_paper]
    return "\n".join(
        [
            *lines,
            "",
            f"{len(claims)} rows; of the papers' statements {counted(claims)}: python -m theory --defects lists them.",
            "python -m theory --claim ID shows one row; --replay ID replays a counterexample in exact arithmetic.",
        ]
    )


def page(claim: Claim, claims: Sequence[Claim]) -> str:
    """All that the table knows of one claim, and where it stands among the others."""
    module, name, line = implementation(claim)
    by_id = {row.id: row for row in claims}
    fields = {
        "says": claim.says,
        "source": claim.source,
        "status": f"{claim.standing}: {meaning(claim)}",
        "whose": claim.credit,
        **{f"quote{mark}": f'"{quote.words}" ({quote.place})' for mark, quote in _numbered(words(claim, claims))},
        "reading": claim.reading,
        "formula": claim.formula,
        "": f"({LOST})" if claim.reconstructed else "",
        "domain": claim.domain,
        "hypotheses": "" if claim.holds else "; ".join(hypotheses(claim)) + " (the witness meets them)",
        "wrong": claim.defect or (f"for the same reason as {claim.cause}" if claim.cause else ""),
        "argument": claim.argument,
        "instead": "; ".join(f"{name}: {by_id[name].says}" for name in claim.instead if name in by_id),
        "in place of": ", ".join(row.id for row in put_right(claim, claims)),
        "kind": claim.kind,
        "tolerance": f"{claim.tolerance:g}",
        "note": claim.note,
        "decoys": "; ".join(decoy.says for decoy in claim.decoys),
        "code": f"{module.replace('.', '/')}.py:{line} {name}",
        "study": f"python -m {claim.room}.{claim.study} (statistic {claim.statistic})" if claim.study else "",
        "figure": f"python -m figures.{claim.study}" if claim.study else "",
        "witness": "" if claim.holds else f"python -m theory --replay {claim.id}",
    }
    return "\n".join([claim.id, *(f"  {key.ljust(11)}  {value}" for key, value in fields.items() if value)])


def document(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """The rows as plain values, for JSON."""
    plain = ("id", "source", "says", "formula", "domain", "kind", "reading", "reconstructed", "credit", "tolerance")
    return [
        {
            **{name: getattr(claim, name) for name in plain},
            "status": claim.standing,
            "holds": claim.holds,
            "quotes": [quote._asdict() for quote in claim.quotes],
            **{name: getattr(claim, name) for name in ("defect", "cause", "argument", "note")},
            "instead": list(claim.instead),
            "hypotheses": [] if claim.holds else list(hypotheses(claim)),
            **dict(zip(("module", "function", "line"), implementation(claim), strict=True)),
            "decoys": [decoy.says for decoy in claim.decoys],
            **{name: getattr(claim, name) or None for name in ("study", "statistic")},
        }
        for claim in claims
    ]


def faults(claims: Sequence[Claim]) -> str:
    """Every defect of the papers in one sentence, by status, with the rows that show it."""
    lines = []
    for status, says in MEANING.items():
        found = [defect for defect in defects(claims) if defect.status == status]
        lines += [f"{status} ({len(found)}): {says}", ""]
        for defect in found:
            lines += [f"  {', '.join(row.id for row in defect.rows)}", f"      {defect.says}.", ""]
    return "\n".join([*lines, f"In all: {counted(claims)}. python -m theory --replay ID shows why, exactly."])


def _numbered(quotes: Sequence[Quote]) -> list[tuple[str, Quote]]:
    return [("" if number == 1 else f" {number}", quote) for number, quote in enumerate(quotes, 1)]


def _row(claim: Claim) -> tuple[str, ...]:
    return claim.id, claim.kind, claim.standing, f"{claim.tolerance:g}", claim.says


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
