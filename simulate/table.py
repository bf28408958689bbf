"""Verdicts as a reader sees them: an aligned table, or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from simulate.engine.store import Store
from simulate.engine.study import Study, label
from simulate.verify import Verdict

COLUMNS = ("claim", "point", "gap", "band", "would see", "samples", "decoys", "verdict")
RIGHT = {"gap", "band", "would see", "samples", "decoys"}


def text(verdicts: Sequence[Verdict], study: Study, store: Store) -> str:
    """One line per claim and point, and below it how they were drawn and how to read the columns."""
    rows = [COLUMNS, *(_row(verdict) for verdict in verdicts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if name in RIGHT else cell.ljust(width)
            for cell, width, name in zip(row, widths, COLUMNS, strict=True)
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines += ["", *_notes(verdicts, study, store)]
    return "\n".join(lines)


def document(verdicts: Sequence[Verdict], store: Store) -> str:
    """All that is known of the verdicts, with where their records are from."""
    provenance = {key: value for key, value in store.manifest.items() if key != "looks"}
    rows = [{**asdict(verdict), "point": dict(verdict.point)} for verdict in verdicts]
    return json.dumps({"verdicts": rows, "records": str(store.root), "provenance": provenance}, indent=1)


def _row(verdict: Verdict) -> tuple[str, ...]:
    ending = f" (needs {verdict.needed:,})" if verdict.outcome == "blunt" else ""
    return (
        verdict.claim,
        label(verdict.point),
        f"{verdict.gap:.2g}",
        f"{verdict.band:.2g}",
        f"{verdict.resolution:.2g}",
        f"{verdict.samples:,}",
        f"{len(verdict.rejected)}/{len(verdict.visible)}" if verdict.visible else "-",
        verdict.outcome + ending,
    )


def _notes(verdicts: Sequence[Verdict], study: Study, store: Store) -> list[str]:
    notes = [
        f"drawn with seed {store.manifest['seed']} by backend {store.manifest['backend']}.",
        "gap: distance from the theory, to be expected within the band by chance alone.",
        "would see: the smallest true gap that these draws show with 95 % probability.",
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
