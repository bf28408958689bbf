"""Stored counterexamples: worlds of short rationals in which a printed statement fails, in exact arithmetic."""

from __future__ import annotations

import json
from fractions import Fraction
from importlib import resources
from typing import Any

import numpy as np

from theory.claim import Claim, Sides


class ReplayError(ValueError):
    """A claim has no witness, or its witness does not contradict it."""


def stored(claim_id: str) -> dict[str, Any]:
    """The world in which a refuted claim fails, as it is stored: rationals are strings such as "-5/4".

    Raises
    ------
    ReplayError : if none is stored.
    """
    entry = resources.files("theory") / "witnesses" / f"{claim_id}.json"
    if not entry.is_file():
        raise ReplayError(f"only refuted claims have a counterexample, and none is stored for {claim_id}")
    return json.loads(entry.read_text("utf-8"))


def replay(claim: Claim) -> Sides:
    """Both sides of a refuted statement in its stored world, as fractions; left > right (or !=, for an identity).

    Raises
    ------
    ReplayError : if no world is stored, a side is not exact, or the world does not contradict the statement.
    """
    left, right = (claim.replay or claim.theory)(**{name: exact(value) for name, value in stored(claim.id).items()})
    if not all(isinstance(side, (int, Fraction)) for side in (left, right)):
        raise ReplayError(f"both sides of {claim.id} must be fractions, got {left!r} and {right!r}")
    if not (left != right if claim.kind == "identity" else left > right):
        raise ReplayError(f"the stored world does not contradict {claim.id}: {left} against {right}")
    return Sides(Fraction(left), Fraction(right))


def exact(value: Any) -> Any:
    """Strings of rationals as fractions; regular lists of them as arrays of dtype object; all else as it is."""
    if isinstance(value, str):
        try:
            return Fraction(value)
        except ValueError:
            return value
    if isinstance(value, list):
        entries = [exact(entry) for entry in value]
        shapes = {np.shape(entry) for entry in entries}
        if len(shapes) == 1 and all(isinstance(entry, (Fraction, np.ndarray)) for entry in entries):
            return np.array(entries, dtype=object)
        return entries
    return value
