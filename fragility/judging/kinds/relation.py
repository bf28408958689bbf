"""Bounds and identities: the worst of many worlds made for the statement, or of all draws of a study's records.

A failure in one world or draw is a failure; without one, enough of them must have been tried. No chance is in that, so
no error is spent. One that fails is looked at in its stored witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from inspect import signature

import numpy as np

from fragility.claim import Claim, Sides, excess
from fragility.engine.study import Point
from fragility.judging.bands import Unseen
from fragility.judging.evidence import Evidence, is_whole
from fragility.judging.verdict import BETA, Outcome, Unit, Verdict

BY_CHANCE = False
TAKES_COUNTS = False
RARE = 0.01  # share of failing worlds, or draws, that must have been met
WITNESS = "witness"  # the method of the study of relations that looks at a stored counterexample


def judge(claim: Claim, point: Point, method: str, evidence: Evidence, _alpha: float) -> Verdict:
    """The verdict, decoys left out; the error rate is not used."""
    unit: Unit = "draws" if not claim.of_worlds else "witness" if method == WITNESS else "worlds"
    found: Iterable[np.ndarray]
    if claim.of_worlds:
        found, samples = evidence.columns(claim.statistic), evidence.samples
    else:
        found, samples = _of_records(claim, claim.theory, evidence)
    worst = _worst(found, claim.tolerance)
    resolution = Unseen().resolution(samples, BETA) if samples else 1.0
    return Verdict(
        claim=claim.id,
        point=point,
        method=method,
        outcome=_outcome(worst, resolution, claim.tolerance),
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


def _outcome(worst: float, resolution: float, tolerance: float) -> Outcome:
    if np.isnan(worst):
        return "faulty"
    return "disagrees" if worst > tolerance else "agrees" if resolution <= RARE else "blunt"


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
        pieces = [*evidence.columns("decoys")] if says else []
        failures = [[piece[:, k] for piece in pieces] for k in range(len(says))]
    else:
        failures = [_of_records(claim, decoy.theory, evidence)[0] for decoy in chosen]
    worst = [_worst(found, claim.tolerance) for found in failures]
    return says, tuple(name for name, found in zip(says, worst, strict=True) if found > claim.tolerance)


def sides(theory: Callable[..., Sides], evidence: Evidence) -> Iterator[Sides]:
    """What a statement says of the records: both sides for the draws that it speaks of; of many, piece by piece."""
    names = tuple(signature(theory).parameters)
    if all(evidence.is_few(name) for name in names):
        yield theory(**{name: evidence.values(name) for name in names})
    else:
        yield from (theory(**piece) for piece in evidence.pieces(*names))


def _of_records(claim: Claim, theory: Callable[..., Sides], evidence: Evidence) -> tuple[list[np.ndarray], int]:
    """By how much a statement fails in the draws that have both sides, NaN for others; and of how many it speaks."""
    worst, samples = [], 0
    for found in sides(theory, evidence):
        left, right = np.broadcast_arrays(*(np.asarray(side, dtype=float) for side in found))
        lacking = ~(is_whole(left) & is_whole(right))
        worst.append(
            np.array([excess(claim.kind, Sides(left[~lacking], right[~lacking])), *([np.nan] if lacking.any() else [])])
        )
        samples += len(left)
    return worst, samples


def _worst(found: Iterable[np.ndarray], tolerance: float) -> float:
    """The largest number; NaN if one is missing and no other says that the statement fails."""
    known, lacking = -np.inf, False
    for values in found:
        absent = np.isnan(values)
        known, lacking = max(known, float(np.max(values, where=~absent, initial=-np.inf))), lacking or absent.any()
    return np.nan if lacking and known <= tolerance else known
