"""What is wrong in the papers, by cause: rows that fail for one reason are one defect, and what nobody says is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fragility.claim import FAULTS, Claim, Status

MEANING: dict[Status, str] = {
    "refuted": "false as printed, within the paper's own hypotheses",
    "gap": "a step of a proof fails; the theorem stands",
    "slip": "a misprint, a lost condition or an inconsistency",
    "reading": "false in one reading of the words; another, which is named, holds",
}
PLURAL: dict[Status, str] = {"refuted": "refuted", "gap": "gaps", "slip": "slips", "reading": "readings"}


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong, and the rows that show it; the first has the gravest status and the sentence on it."""

    rows: tuple[Claim, ...]

    @property
    def id(self) -> str:
        return self.rows[0].id

    @property
    def status(self) -> Status:
        return self.rows[0].status

    @property
    def says(self) -> str:
        """What is wrong, in one sentence without its full stop."""
        return self.rows[0].defect


def defects(claims: Iterable[Claim]) -> tuple[Defect, ...]:
    """Every defect among some rows, the gravest first, each status in the order of the rows."""
    causes: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.status in FAULTS:
            causes.setdefault(claim.cause or claim.id, []).append(claim)
    found = [Defect(tuple(sorted(rows, key=lambda row: (bool(row.cause), row.id)))) for rows in causes.values()]
    return tuple(sorted(found, key=lambda defect: FAULTS.index(defect.status)))


def counts(claims: Iterable[Claim]) -> dict[Status, int]:
    """How many defects there are of each status, 0 included."""
    found = [defect.status for defect in defects(claims)]
    return {status: found.count(status) for status in FAULTS}


def counted(claims: Iterable[Claim]) -> str:
    """The same in words: "6 defects refuted, 1 gap, 9 slips, 20 readings"."""
    refuted, *others = counts(claims).items()
    named = [f"{number} {status if number == 1 else PLURAL[status]}" for status, number in others]
    return ", ".join([f"{refuted[1]} {'defect' if refuted[1] == 1 else 'defects'} refuted", *named])
