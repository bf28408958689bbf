"""The table of claims as a reader sees it: one line per row, one page per claim, JSON, or Markdown for the docs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any

from theory.claim import Claim
from theory.witness import replay, stored

LONGEST_WORLD = 300  # characters of a counterexample that is shown in place
COLUMNS = ("claim", "kind", "status", "tolerance", "says")


def paper(claim: Claim) -> str:
    """The paper that a claim is of: the first part of its source."""
    return claim.source.split(",")[0]


def implementation(claim: Claim) -> tuple[str, str, int]:
    """Module, qualified name and line of the function that holds the claim's formula."""
    function = inspect.unwrap(claim.code or claim.theory)
    return function.__module__, function.__qualname__, inspect.getsourcelines(function)[1]


def text(claims: Sequence[Claim]) -> str:
    """The whole table, paper by paper, and below it how to go on."""
    rows = [_row(claim) for claim in claims]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = [_aligned(COLUMNS, widths), "  ".join("-" * width for width in widths[:-1]) + "  ----"]
    for name in dict.fromkeys(map(paper, claims)):
        of_paper = [_aligned(_row(claim), widths) for claim in claims if paper(claim) == name]
        lines += ["", f"{name} ({len(of_paper)} rows)", *of_paper]
    refuted = sum(claim.refuted for claim in claims)
    return "\n".join(
        [
            *lines,
            "",
            f"{len(claims)} rows; {refuted} hold a statement that is false as printed, with a counterexample.",
            "python -m theory --claim ID shows one; --replay ID replays a counterexample in exact arithmetic.",
        ]
    )


def page(claim: Claim) -> str:
    """All that the table knows of one claim."""
    module, name, line = implementation(claim)
    fields = {
        "says": claim.says,
        "source": claim.source,
        "formula": claim.formula,
        "domain": claim.domain,
        "kind": claim.kind,
        "status": claim.status,
        "tolerance": f"{claim.tolerance:g}",
        "note": claim.note,
        "decoys": "; ".join(decoy.says for decoy in claim.decoys),
        "code": f"{module.replace('.', '/')}.py:{line} {name}",
        "study": f"python -m {claim.room}.{claim.study} (statistic {claim.statistic})" if claim.study else "",
        "figure": f"python -m figures.{claim.study}" if claim.study else "",
        "witness": f"python -m theory --replay {claim.id}" if claim.refuted else "",
    }
    return "\n".join([claim.id, *(f"  {key.ljust(9)}  {value}" for key, value in fields.items() if value)])


def document(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """The rows as plain values, for JSON."""
    return [
        {
            **{
                name: getattr(claim, name)
                for name in ("id", "source", "says", "formula", "domain", "kind", "status", "tolerance", "note")
            },
            **dict(zip(("module", "function", "line"), implementation(claim), strict=True)),
            "decoys": [decoy.says for decoy in claim.decoys],
            **{name: getattr(claim, name) or None for name in ("study", "statistic")},
        }
        for claim in claims
    ]


def markdown(claims: Sequence[Claim], link: Callable[[str, str], str]) -> str:
    """A section per paper, an entry per claim, formulas between dollars; `link(module, function)` is its code's URL."""
    lines = ["## What does not hold", ""]
    lines += [f"- [`{claim.id}`](#{_anchor(claim)}) {claim.says}" for claim in claims if claim.refuted] + [""]
    for name in dict.fromkeys(map(paper, claims)):
        lines += [f"## {name}", ""]
        for claim in (claim for claim in claims if paper(claim) == name):
            lines += _entry(claim, name, link)
    return "\n".join(lines)


def _entry(claim: Claim, of_paper: str, link: Callable[[str, str], str]) -> list[str]:
    module, function, _ = implementation(claim)
    facts = [
        f'<span class="status status-{claim.status}">{claim.status}</span>',
        claim.source.removeprefix(of_paper).removeprefix(",").strip(),
        claim.kind,
        f"tolerance {claim.tolerance:g}",
        f'<a href="{link(module, function)}">code</a>',
    ]
    below = [
        f"*Domain:* {claim.domain}.",
        claim.note,
        f"*Decoys:* {'; '.join(decoy.says for decoy in claim.decoys)}." if claim.decoys else "",
    ]
    witness = ["", f"*Counterexample:* {_counterexample(claim)}"] if claim.refuted else []
    return [
        f"({_anchor(claim)})=",
        f"### `{claim.id}`",
        "",
        f'<p class="facts">{" · ".join(fact for fact in facts if fact)}</p>',
        "",
        f"{claim.says}.",
        "",
        f"$$\n{claim.formula}\n$$",
        "",
        " ".join(line for line in below if line),
        *witness,
        "",
    ]


def _anchor(claim: Claim) -> str:
    return "claim-" + claim.id.replace(".", "-").replace("_", "-")


def _counterexample(claim: Claim) -> str:
    """The stored world, if it fits on a few lines, and both sides in it."""
    left, right = replay(claim)
    relation = "≠" if claim.kind == "identity" else ">"
    world = ", ".join(f"{name} = {json.dumps(value)}" for name, value in stored(claim.id).items()).replace('"', "")
    sides = f"left {left} {relation} right {right}"
    return f"`{world}` gives {sides}." if len(world) <= LONGEST_WORLD else f"{sides}."


def _row(claim: Claim) -> tuple[str, ...]:
    return claim.id, claim.kind, claim.status, f"{claim.tolerance:g}", claim.says


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
