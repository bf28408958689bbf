"""The table of claims with what the draws say of each: one line per claim, however many points it was judged at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulate.engine.study import label
from simulate.table import aligned
from simulate.verdict import Outcome, Verdict
from theory.claim import Claim
from theory.defects import PLURAL, counted, counts

COLUMNS = ("claim", "status", "kind", "judged at", "samples", "would see", "decoys", "verdict")
RIGHT = {"judged at", "samples", "would see", "decoys"}
WORST_FIRST: tuple[Outcome, ...] = ("disagrees", "blunt", "agrees")
PAPERS = {
    "fc": "Feature compression",
    "joint": "Joint margin bounds",
    "cond": "Conditioning",
    "latent": "Latent and SVD defences",
    "norm": "ConvNorm",
    "universality": "Universality",
}


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
        return (self.outcome == "disagrees") == self.claim.holds and self.outcome != "blunt"

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

    def cells(self) -> tuple[str, ...]:
        """As `COLUMNS` name them."""
        rejected, visible = self.decoys
        return (
            self.claim.id,
            self.claim.standing,
            self.claim.kind,
            self.where,
            f"{self.samples:,}",
            self.resolution,
            f"{rejected}/{visible}" if visible else "-",
            self.outcome + (" (!)" if self.unexpected else ""),
        )


def lines(claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Line]:
    """One per claim that was judged, in the order of the claims."""
    by_claim: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_claim.setdefault(verdict.claim, []).append(verdict)
    return [Line(claim, tuple(by_claim[claim.id])) for claim in claims if claim.id in by_claim]


def text(table: Sequence[Line], undecided: Sequence[str]) -> str:
    """The aligned table, and below it how many of each outcome there are."""
    rows = aligned(COLUMNS, [line.cells() for line in table], RIGHT)
    return "\n".join([*rows, "", *totals(table), *(f"not reached within the budget: {name}" for name in undecided)])


def totals(table: Sequence[Line]) -> list[str]:
    """What the table comes to, in a few sentences."""
    outcomes = Counter(line.outcome for line in table)
    known = [line.claim for line in table if line.outcome == "disagrees" and not line.claim.holds]
    tempting = sum(claim.tempting for claim in known)
    rejected, visible = (sum(column) for column in zip(*(line.decoys for line in table), strict=True))
    contradicting = [line.claim.id for line in table if line.unexpected]
    return [
        f"{len(table)} claims: {outcomes['agrees']} agree, {outcomes['blunt']} are blunt, {outcomes['disagrees']} "
        f"disagree, {len(known)} of them as the table says; {rejected} of {visible} decoys rejected.",
        f"Shown of the papers: {counted(known)}; of what one might think: {tempting} false.",
        *(f"(!) {name} contradicts the table" for name in contradicting),
    ]


def markdown(table: Sequence[Line]) -> str:
    """The table, a row per claim."""
    return _markdown(COLUMNS, [(f"`{name}`", *rest) for name, *rest in (line.cells() for line in table)])


def overview(table: Sequence[Line]) -> str:
    """A row per paper, in Markdown."""
    rows = []
    for prefix, paper in PAPERS.items():
        held = [line for line in table if line.claim.id.split(".")[0] == prefix]
        if not held:
            continue
        outcomes = Counter(line.outcome for line in held)
        rejected, visible = (sum(column) for column in zip(*(line.decoys for line in held), strict=True))
        shown = counts([line.claim for line in held if line.outcome == "disagrees"])
        cells = len(held), outcomes["agrees"], outcomes["disagrees"], outcomes["blunt"], *shown.values()
        rows.append((paper, *map(str, cells), f"{rejected}/{visible}", f"{sum(line.samples for line in held):,}"))
    head = ("paper", "claims", "agree", "disagree", "blunt", *PLURAL.values(), "decoys", "samples")
    return _markdown(head, rows)


def document(table: Sequence[Line], undecided: Sequence[str], provenance: Mapping[str, Any]) -> str:
    """All of it as JSON."""
    verdicts = [
        {**asdict(verdict), "point": dict(verdict.point), "status": line.claim.standing, "kind": line.claim.kind}
        for line in table
        for verdict in line.verdicts
    ]
    return json.dumps({"verdicts": verdicts, "not reached": list(undecided), "provenance": provenance}, indent=1)


def read(content: Any, claims: Sequence[Claim]) -> list[Line]:
    """The table that `document` wrote, from what JSON makes of it.

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
    texts, counts = ("claim", "method"), ("samples", "needed")
    numbers = ("gap", "band", "resolution", "tolerance", "alpha")
    return (
        all(isinstance(row[name], str) for name in texts)
        and all(isinstance(row[name], int) and row[name] >= 0 for name in counts)
        and all(isinstance(row[name], int | float) for name in numbers)
        and all(isinstance(row[name], list) and all(map(_is_text, row[name])) for name in ("visible", "rejected"))
        and isinstance(row["point"], dict)
        and row["outcome"] in WORST_FIRST
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    sides = ["---:" if name in RIGHT or (name not in COLUMNS and name != "paper") else "---" for name in head]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, sides, *rows])
