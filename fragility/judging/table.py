"""Verdicts of a study as a reader sees them: a row per claim and point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import nan
from typing import Any

import numpy as np

from fragility.claim import Claim
from fragility.engine.store import Store
from fragility.engine.study import Point, Study, label
from fragility.judging.evidence import Columns, is_whole
from fragility.judging.stated import stated
from fragility.judging.verdict import Verdict
from fragility.tables import Cell, Column, Table, plain_rows

COLUMNS = (
    Column("claim", code=True),
    Column("point"),
    *(Column(name, align="right", form=".2g") for name in ("gap", "band")),
    *(Column(name, align="right") for name in ("would see", "samples", "decoys")),
    Column("verdict"),
)
LONG = 60  # characters of a point
OF_DRAWS = (
    "gap: distance from the theory, to be expected within the band by chance alone.",
    "would see: the smallest true gap that these draws show with 95 % probability.",
)
OF_WORLDS = (
    "gap: by how much the worst world fails, relative to 1 + |right side|; the band is the rounding allowed.",
    "would see: the smallest share of failing worlds of which one is met with 95 % probability.",
)
OF_RECORDS = {
    "draws": "gap of a bound or an identity: by how much the worst draw fails, relative to 1 + |right side|.",
    "share": "gap of a majority: by how much the share of draws that comply falls short of one half.",
    "printed": "gap of a printed number: to the mean of the draws; the band is how far one more draw may lie from"
    " it, or the mean of as many more as the printed one is a mean of.",
}


def verdict_table(verdicts: Sequence[Verdict], study: Study, store: Store, more: Sequence[str] = ()) -> Table:
    """A row per claim and point, and below them how they were drawn, how to read the columns, and what `more` says."""
    shared = _shared(verdicts)
    return Table(
        COLUMNS,
        [_cells(verdict, shared) for verdict in verdicts],
        notes=[*([f"all at {shared}."] if shared else []), *_notes(verdicts, study, store), *more],
        facts=lambda: [plain(verdict) for verdict in verdicts],
    )


def conditions(
    verdicts: Sequence[Verdict], claims: Sequence[Claim], records: Sequence[tuple[Point, Columns]] = ()
) -> list[str]:
    """A line for each condition of claims that were judged: on what they are, how many draws were left out, and which.

    Parameters
    ----------
    records : all columns of the draws that were looked at, by point; where there are none, the line gives no number.
    """
    lines: dict[str, list[str]] = {}
    for claim in claims:
        points = [verdict.point for verdict in verdicts if verdict.claim == claim.id]
        if not claim.given or not points:
            continue
        held = [] if claim.beside else [(point, columns) for point, columns in records if point in points]
        counted = [left_out(claim, point, columns) for point, columns in held]
        drawn = sum(len(columns[claim.columns[0]]) for _, columns in held)
        number = f" ({sum(counted):,} of {drawn:,} draws left out)" if held else ""
        lines.setdefault(f"given that {claim.given}{number}", []).append(claim.id)
    return [f"{condition}: {', '.join(names)}." for condition, names in lines.items()]


def left_out(claim: Claim, point: Point, columns: Columns) -> int:
    """Draws of which a conditional claim does not speak, since they lack a number."""
    whole = np.all([is_whole(columns[name]) for name in claim.columns], axis=0)
    kept = {name: columns[name][whole] for name in claim.columns}
    lacking = np.zeros(0, dtype=bool)
    if claim.kind == "majority":  # whose sides may lack one, too
        left, right = np.broadcast_arrays(*(np.asarray(side, dtype=float) for side in claim.theory(**kept)))
        lacking = ~(is_whole(left) & is_whole(right))
    elif claim.kind == "reported":
        per_draw = np.asarray(stated(claim, point).per_draw(*kept.values()), dtype=float)
        lacking = np.isnan(per_draw).reshape(len(per_draw), -1).all(axis=1)
    return int(np.count_nonzero(~whole) + np.count_nonzero(lacking))


def plain(verdict: Verdict) -> dict[str, Any]:
    """All that is known of a verdict, as plain values."""
    return {**asdict(verdict), "point": dict(verdict.point)}


def sourced(name: str, table: Table, store: Store) -> dict[str, Any]:
    """The rows of a table as plain values under `name`, with where the records behind them are from."""
    provenance = {key: value for key, value in store.manifest.items() if key != "pace"}
    return {name: plain_rows(table), "records": str(store.root), "provenance": provenance}


def decoys_rejected(rejected: int, visible: int) -> str:
    """How many of the decoys that can be seen were rejected."""
    return f"{rejected}/{visible}" if visible else "-"


def _shared(verdicts: Sequence[Verdict]) -> str:
    """The one point of all verdicts, where it is too long to stand in every row; else nothing."""
    points = {label(verdict.point) for verdict in verdicts if not verdict.of_worlds}
    alike = len(points) == 1 and not any(verdict.of_worlds for verdict in verdicts)
    (point,) = points if alike else ("",)
    return point if len(point) > LONG else ""


def _cells(verdict: Verdict, shared: str) -> tuple[Cell, ...]:
    ending = f": {verdict.fault}" if verdict.outcome == "faulty" else ""
    ending += f" (needs {verdict.needed:,})" if verdict.outcome == "blunt" and verdict.needed else ""
    return (
        verdict.claim,
        "" if shared else verdict.method if verdict.of_worlds else label(verdict.point),
        verdict.gap if verdict.samples else nan,  # which in no draw at all does not exist
        verdict.band,
        verdict.seen,
        verdict.samples,
        decoys_rejected(len(verdict.rejected), len(verdict.visible)),
        verdict.outcome + ending,
    )


def _notes(verdicts: Sequence[Verdict], study: Study, store: Store) -> list[str]:
    notes = [
        f"drawn with seed {store.manifest['seed']} by backend {store.manifest['backend']}.",
        *(OF_WORLDS if all(verdict.of_worlds for verdict in verdicts) else OF_DRAWS),
        *(says for unit, says in OF_RECORDS.items() if any(verdict.unit == unit for verdict in verdicts)),
        "decoys: wrong statements close to the claim that the same draws reject, of those large enough to be seen.",
    ]
    if any(not study.methods[verdict.method].blind for verdict in verdicts):
        notes.append("direct: drawn by the theorem's own sampler, so this tests the sampler, not the theorem.")
    missed = [
        f"{verdict.claim}{'' if _shared(verdicts) else ' at ' + label(verdict.point)} does not reject: {decoy}"
        for verdict in verdicts
        if verdict.outcome != "blunt"
        for decoy in verdict.visible
        if decoy not in verdict.rejected
    ]
    return notes + missed
