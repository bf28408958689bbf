"""What a claim states at a point of its study, and its decoys beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fragility.claim import Claim
from fragility.engine.study import Point, label


def covers(claim: Claim, point: Point, note: Callable[[str], None] = lambda _: None) -> bool:
    """Whether the claim speaks of one point of its study: it lies in its domain, and its theory reaches so far.

    Parameters
    ----------
    note : takes one line on a theory that ends before the point.
    """
    if claim.of_worlds:
        return point == {"claim": claim.id}
    if claim.kind == "rate" or not claim.study:  # of many points, or of none
        return False
    if claim.of_records or not claim.where(**point):
        return claim.where(**point)
    try:
        stated(claim, point)
    except ValueError as limit:
        note(f"{claim.id} is not judged at {label(point)}: {limit}")
        return False
    return True


def stated(claim: Claim, point: Point) -> Any:
    """The law, the laws of the columns, the moment or the printed number that the claim states at a point.

    It is kept, since laws make tables of themselves when they are first asked.
    """
    return _stated(claim.theory, tuple(point.items()))


def stated_by_decoys(claim: Claim, point: Point) -> dict[str, Any]:
    """The same of every decoy that states something at a point, under the decoy's words."""
    wrong = {}
    for decoy in claim.decoys:
        if not decoy.where(**point):
            continue
        try:
            wrong[decoy.says] = decoy.theory(**point)
        except ValueError:  # what the decoy speaks of does not exist here
            continue
    return wrong


@lru_cache(maxsize=512)
def _stated(theory: Callable[..., Any], point: tuple[tuple[str, object], ...]) -> Any:
    return theory(**dict(point))
