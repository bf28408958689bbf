"""The table of claims with what the draws say of each: one line per claim, however many points it was judged at."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from fragility.book import Book, Paper
from fragility.catalogue.defects import PLURAL, counted, counts
from fragility.claim import Claim
from fragility.engine.context import OWN, called
from fragility.engine.study import label
from fragility.judging.table import decoys_rejected, plain
from fragility.judging.verdict import Outcome, Unit, Verdict
from fragility.tables import Cell, Column, Table, plain_rows

COLUMNS = (
    Column("claim", code=True),
    Column("status"),
    Column("kind"),
    *(Column(name, align="right") for name in ("judged at", "samples", "would see", "decoys")),
    Column("verdict"),
)
VERIFY = "verify"  # the folder of the verdicts on a whole book, beside those of studies
WORST_FIRST: tuple[Outcome, ...] = ("disagrees", "faulty", "blunt", "agrees")


@dataclass(frozen=True)
class Line:
    """A claim and its verdicts at all points where it was judged, at least one."""

    claim: Claim
    verdicts: tuple[Verdict, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of the outcomes."""
        return min((verdict.outcome for verdict in self.verdicts), key=WORST_FIRST.index)

    @property
    def unexpected(self) -> bool:
        """Whether it contradicts the table: what should hold disagrees, or what should fail agrees."""
        if self.outcome == "disagrees":
            return self.claim.must_agree
        return self.outcome == "agrees" and not self.claim.holds

    @property
    def samples(self) -> int:
        return sum(verdict.samples for verdict in self.verdicts)

    @property
    def decoys(self) -> tuple[int, int]:
        """Decoys rejected at every point that shows them, and those that some point shows."""
        visible = {name for verdict in self.verdicts for name in verdict.visible}
        missed = {name for verdict in self.verdicts for name in {*verdict.visible} - {*verdict.rejected}}
        return len(visible - missed), len(visible)

    @property
    def resolution(self) -> str:
        """The coarsest resolution among the points, in the unit of the claim's kind."""
        return max(self.verdicts, key=lambda verdict: verdict.resolution).seen

    @property
    def where(self) -> str:
        """Points, or the sizes of a sweep, or the way it was judged."""
        ways = {verdict.method for verdict in self.verdicts}
        if self.claim.of_worlds or "exact law" in ways:
            return ", ".join(sorted(ways))
        if self.claim.kind == "rate":
            return ", ".join(f"{label(verdict.point)} {verdict.method}" for verdict in self.verdicts)
        return f"{len(self.verdicts)} point{'s' if len(self.verdicts) > 1 else ''}"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """As `COLUMNS` name them."""
        return (
            self.claim.id,
            self.claim.standing,
            self.claim.kind,
            self.where,
            self.samples,
            self.resolution,
            decoys_rejected(*self.decoys),
            self.outcome + (" (!)" if self.unexpected else ""),
        )


def lines(claims: Iterable[Claim], verdicts: Sequence[Verdict]) -> list[Line]:
    """One per claim that was judged, in the order of the claims."""
    by_claim: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_claim.setdefault(verdict.claim, []).append(verdict)
    return [Line(claim, tuple(by_claim[claim.id])) for claim in claims if claim.id in by_claim]


def claim_table(judged: Sequence[Line], notes: Sequence[str] = ()) -> Table:
    """A row per claim; for a machine a row per verdict."""
    return Table(
        COLUMNS,
        [line.cells for line in judged],
        notes=notes,
        facts=lambda: [
            {**plain(verdict), "status": line.claim.standing, "kind": line.claim.kind}
            for line in judged
            for verdict in line.verdicts
        ],
    )


def totals(judged: Sequence[Line], undecided: Sequence[str] = ()) -> list[str]:
    """What the lines come to, in a few sentences, and the claims that no draw has reached."""
    outcomes = Counter(line.outcome for line in judged)
    known = [line.claim for line in judged if line.outcome == "disagrees" and not line.claim.holds]
    tempting = sum(claim.tempting for claim in known)
    rejected, visible = (sum(column) for column in zip(*(line.decoys for line in judged), strict=True))
    contradicting = [line.claim.id for line in judged if line.unexpected]
    unmet = [line.claim.id for line in judged if line.outcome == "disagrees" and line.claim.kind == "reported"]
    return [
        f"{len(judged)} claims: {outcomes['agrees']} agree, {outcomes['blunt']} are blunt, {outcomes['disagrees']} "
        f"disagree, {len(known)} of them as the table says; {rejected} of {visible} decoys rejected.",
        *(
            f"{verdict.claim} cannot be judged: {verdict.fault}"
            for line in judged
            for verdict in line.verdicts
            if verdict.fault
        ),
        f"Shown of the papers: {counted(known)}; of what one might think: {tempting} false.",
        *(f"(!) {name} contradicts the table" for name in contradicting),
        *(f"printed, and not met by these draws: {name}" for name in unmet),
        *(f"not reached within the budget: {name}" for name in undecided),
    ]


def paper_table(judged: Sequence[Line], book: Book, notes: Sequence[str] = ()) -> Table:
    """A row per paper of the book."""
    papers: dict[Paper, list[Line]] = {}
    for line in judged:
        papers.setdefault(book.paper(line.claim), []).append(line)
    rows: list[tuple[Cell, ...]] = []
    for paper, held in papers.items():
        outcomes = Counter(line.outcome for line in held)
        rejected, visible = (sum(column) for column in zip(*(line.decoys for line in held), strict=True))
        shown = counts([line.claim for line in held if line.outcome == "disagrees"])
        cells = len(held), outcomes["agrees"], outcomes["disagrees"], outcomes["blunt"], *shown.values()
        samples = sum(line.samples for line in held)
        rows.append((paper.name, *cells, f"{rejected}/{visible}", samples))
    numbers = ("claims", "agree", "disagree", "blunt", *PLURAL.values(), "decoys", "samples")
    return Table([Column("paper"), *(Column(name, align="right") for name in numbers)], rows, notes=notes)


def document(judged: Sequence[Line], undecided: Sequence[str], provenance: Mapping[str, Any]) -> str:
    """All of it as JSON, which `read` reads."""
    verdicts = plain_rows(claim_table(judged))
    return json.dumps({"verdicts": verdicts, "not reached": list(undecided), "provenance": provenance}, indent=1)


def kept(folder: Path, claims: str) -> Path:
    """The file of a command's last verdicts on a book, in the command's folder; a book of a user's has its own."""
    return folder / ("verdicts.json" if claims == OWN else f"verdicts-{called(claims)}.json")


def read(content: Any, claims: Iterable[Claim]) -> list[Line]:
    """The lines that `document` wrote, from what JSON makes of them.

    Raises
    ------
    ValueError : for anything else.
    """
    rows = content.get("verdicts") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(map(_is_verdict, rows)):
        raise ValueError("not a table of verdicts")
    verdicts = [Verdict(**{name: _tuple(row[name]) for name in Verdict.__dataclass_fields__}) for row in rows]
    return lines(claims, verdicts)


def _is_verdict(row: Any) -> bool:
    """Whether it has the fields of a verdict, each of its type: `document` wrote them."""
    if not isinstance(row, dict) or not row.keys() >= Verdict.__dataclass_fields__.keys():
        return False
    texts, counts = ("claim", "method", "fault"), ("samples", "needed")
    numbers = ("gap", "band", "tolerance", "resolution", "wanted", "alpha")
    return (
        all(isinstance(row[name], str) for name in texts)
        and all(_is_number(row[name], int) and row[name] >= 0 for name in counts)
        and all(_is_number(row[name], int | float) for name in numbers)
        and (bool(row["fault"]) or not any(math.isnan(row[name]) for name in numbers if name != "gap"))
        and (bool(row["fault"]) or not math.isnan(row["gap"]) or math.isinf(row["resolution"]))  # of too few draws
        and all(isinstance(row[name], list) and all(map(_is_text, row[name])) for name in ("visible", "rejected"))
        and isinstance(row["point"], dict)
        and row["outcome"] in WORST_FIRST
        and row["unit"] in get_args(Unit)
    )


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
