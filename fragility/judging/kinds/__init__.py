"""How a claim is judged, by its kind.

Draws of one world decide a law, a moment, a relation, a majority or a printed number; `RULES` says where. A rate takes
a sweep of sizes instead: see `fragility.judging.kinds.rate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from typing import Protocol

from fragility.claim import Claim, Kind
from fragility.engine.study import Point
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import law, majority, moment, relation, reported
from fragility.judging.verdict import Verdict


class Rules(Protocol):
    """What a module says of the kind of claim that it is about."""

    BY_CHANCE: bool  # whether chance may contradict a claim that holds, so that it has a share of the error rate
    TAKES_COUNTS: bool  # whether records may keep counts on a fine grid in place of the single values

    def judge(self, claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float, /) -> Verdict:
        """The verdict on a claim at error rate `alpha`, its decoys left out."""
        ...

    def needed(self, claim: Claim, point: Point, alpha: float, /) -> int:
        """Draws at which the claim agrees, at error rate `alpha`, if it holds."""
        ...

    def decoys(
        self, claim: Claim, point: Point, evidence: Evidence, alpha: float, /
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The decoys that are to be seen at the point, and those of them that the draws reject."""
        ...


RULES: Mapping[Kind, Rules] = {
    "law": law,
    "moment": moment,
    "bound": relation,
    "identity": relation,
    "majority": majority,
    "reported": reported,
}


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, alpha: float) -> Verdict:
    """The verdict on a claim at error rate `alpha`, before its decoys are put to the same draws."""
    seen = conditional(claim, evidence)
    verdict = RULES[claim.kind].judge(claim, point, method, seen, alpha)
    return replace(verdict, fault=_missing(claim, seen)) if verdict.outcome == "faulty" else verdict


def needed(claim: Claim, point: Point, alpha: float) -> int:
    """Draws at which the claim agrees, at error rate `alpha`, if it holds."""
    return RULES[claim.kind].needed(claim, point, alpha)


def reject_decoys(claim: Claim, verdict: Verdict, evidence: Evidence) -> Verdict:
    """The verdict with the claim's decoys put to the same draws at the same error rate; a faulty one as it is."""
    if verdict.outcome == "faulty":
        return verdict
    visible, rejected = RULES[claim.kind].decoys(claim, verdict.point, conditional(claim, evidence), verdict.alpha)
    return replace(verdict, visible=visible, rejected=rejected)


def conditional(claim: Claim, evidence: Evidence) -> Evidence:
    """The draws that the claim speaks of: all of them, or those in which what it is conditional on is the case."""
    return evidence.complete(spoken_of(claim)) if claim.given and not evidence.counted else evidence


def spoken_of(claim: Claim) -> tuple[str, ...]:
    """The columns that its theory takes: of two points that are compared, those of both."""
    return tuple(signature(claim.theory).parameters) if claim.of_records else claim.columns


def _missing(claim: Claim, evidence: Evidence) -> str:
    """Which number a verdict lacks."""
    lacking = evidence.lacking(spoken_of(claim))
    who = f"{lacking:,} of {evidence.samples:,} draws" if lacking else "the theory, put to the draws,"
    return f"{who} {'have' if lacking > 1 else 'has'} no number for {', '.join(spoken_of(claim))}"
