"""Bounds and identities: the worst of many worlds made for the statement, or of all draws of a study's records.

A failure in one world or draw is a failure; without one, enough of them must have been tried. No chance is in that, so
no error is spent. One that fails is looked at in its stored witness.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature

import numpy as np

from fragility.claim import Claim, Sides, excess
from fragility.engine.study import Point
from fragility.judging.bands import Unseen
from fragility.judging.evidence import Evidence
from fragility.judging.verdict import BETA, Unit, Verdict

BY_CHANCE = False
TAKES_COUNTS = False
RARE = 0.01  # share of failing worlds, or draws, that must have been met
WITNESS = "witness"  # the method of the study of relations that looks at a stored counterexample


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, _alpha: float) -> Verdict:
    """The verdict, decoys left out; the error rate is not used."""
    unit: Unit = "draws" if not claim.of_worlds else "witness" if method == WITNESS else "worlds"
    if claim.of_worlds:
        worst, samples = float(np.max(evidence.values(claim.statistic))), evidence.samples
    else:
        both = sides(claim.theory, evidence)
        worst, samples = excess(claim.kind, both), len(np.broadcast_arrays(*both)[0])
    resolution = Unseen().resolution(samples, BETA) if samples else 1.0
    return Verdict(
        claim=claim.id,
        point=point,
        method=method,
        outcome="disagrees" if not worst <= claim.tolerance else "agrees" if resolution <= RARE else "blunt",
        gap=worst,
        band=claim.tolerance,
        tolerance=claim.tolerance,
        resolution=resolution,
        unit=unit,
        wanted=RARE,
        samples=samples,
        needed=needed(claim, point, 0.0),
        alpha=0.0,
    )


def needed(claim: Claim, _point: Point, _alpha: float) -> int:
    """Worlds or draws of which one fails, with probability 1 - BETA, if a share of RARE does; of a witness, one."""
    return Unseen().needed(RARE, BETA) if claim.holds else 1


def decoys(claim: Claim, point: Point, evidence: Evidence, _alpha: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The decoys that speak here, and those of them that fail.

    They were put to every world when it was drawn, or are put to the records of all draws.
    """
    chosen = [decoy for decoy in claim.decoys if claim.of_worlds or decoy.where(**point)]
    says = tuple(decoy.says for decoy in chosen)
    if claim.of_worlds:
        worst = evidence.values("decoys").max(axis=0) if says else ()
    else:
        worst = [excess(claim.kind, sides(decoy.theory, evidence)) for decoy in chosen]
    return says, tuple(name for name, found in zip(says, worst, strict=True) if not found <= claim.tolerance)


def sides(theory: Callable[..., Sides], evidence: Evidence) -> Sides:
    """What a statement says of the records: both sides for each of the draws that it speaks of."""
    return theory(**{name: evidence.values(name) for name in signature(theory).parameters})
