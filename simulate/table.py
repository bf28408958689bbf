"""Verdicts as a reader sees them: an aligned table, or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import asdict

from simulate.engine.store import Store
from simulate.engine.study import Study, label
from simulate.verdict import Verdict

COLUMNS = ("claim", "point", "gap", "band", "would see", "samples", "decoys", "verdict")
OF_DRAWS = (
    "gap: distance from the theory, to be expected within the band by chance alone.",
    "would see: the smallest true gap that these draws show with 95 % probability.",
)
OF_WORLDS = (
    "gap: by how much the worst world fails, relative to 1 + |right side|; the band is the rounding allowed.",
    "would see: the smallest share of failing worlds of which one is met with 95 % probability.",
)
OF_RECORDS = "gap of a bound or an identity: by how much the worst draw fails, relative to 1 + |right side|."
RIGHT = {"gap", "band", "would see", "samples", "decoys"}


def text(verdicts: Sequence[Verdict], study: Study, store: Store) -> str:
    """One line per claim and point, and below it how they were drawn and how to read the columns."""
    rows = [_row(verdict) for verdict in verdicts]
    return "\n".join([*aligned(COLUMNS, rows, RIGHT), "", *_notes(verdicts, study, store)])


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]], right: Container[str]) -> list[str]:
    """Lines of a table whose columns named in `right` are flush right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, width, name in zip(row, widths, head, strict=True)
        ).rstrip()
        for row in [head, *rows]
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def document(verdicts: Sequence[Verdict], store: Store) -> str:
    """All that is known of the verdicts, with where their records are from."""
    provenance = {key: value for key, value in store.manifest.items() if key not in ("looks", "pace")}
    rows = [{**asdict(verdict), "point": dict(verdict.point)} for verdict in verdicts]
    return json.dumps({"verdicts": rows, "records": str(store.root), "provenance": provenance}, indent=1)


def _row(verdict: Verdict) -> tuple[str, ...]:
    ending = f" (needs {verdict.needed:,})" if verdict.outcome == "blunt" else ""
    return (
        verdict.claim,
        verdict.method if verdict.of_worlds else label(verdict.point),
        f"{verdict.gap:.2g}",
        f"{verdict.band:.2g}",
        verdict.seen,
        f"{verdict.samples:,}",
        f"{len(verdict.rejected)}/{len(verdict.visible)}" if verdict.visible else "-",
        verdict.outcome + ending,
    )


def _notes(verdicts: Sequence[Verdict], study: Study, store: Store) -> list[str]:
    notes = [
        f"drawn with seed {store.manifest['seed']} by backend {store.manifest['backend']}.",
        *(OF_WORLDS if all(verdict.of_worlds for verdict in verdicts) else OF_DRAWS),
        *([OF_RECORDS] if any(not (verdict.alpha or verdict.of_worlds) for verdict in verdicts) else ()),
        "decoys: near-misses of the claim rejected by the same draws, of those large enough to be seen.",
    ]
    if any(not study.methods[verdict.method].blind for verdict in verdicts):
        notes.append("direct: drawn by the theorem's own sampler, so this tests the sampler, not the theorem.")
    missed = [
        f"{verdict.claim} at {label(verdict.point)} does not reject: {decoy}"
        for verdict in verdicts
        if verdict.outcome != "blunt"
        for decoy in verdict.visible
        if decoy not in verdict.rejected
    ]
    return notes + missed
