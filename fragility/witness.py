"""Stored counterexamples: worlds of short rationals that meet a statement's hypotheses and contradict it, exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from fragility.claim import Claim, Sides
from fragility.engine.files import DamagedRecordError, reason


class ReplayError(ValueError):
    """A claim has no witness, or its witness does not contradict it."""


class DamagedWitnessError(ReplayError, DamagedRecordError):
    """A file in which a witness is stored holds something else; the text is one line that names it."""


def stored(claim_id: str, folder: Path) -> dict[str, Any]:
    """The world in which a claim fails, as it is stored in a book's folder: rationals are strings such as "-5/4".

    Raises
    ------
    ReplayError : if none is stored; as `DamagedWitnessError` if its file cannot be read or holds no world.
    """
    entry = _file(claim_id, folder)
    try:
        world = json.loads(entry.read_text("utf-8"))
    except FileNotFoundError:
        raise ReplayError(f"only claims that fail have a counterexample, and none is stored for {claim_id}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(entry, error) from None
    if not isinstance(world, dict):
        raise _damaged(entry, TypeError(f"a world must be an object, got {type(world).__name__}"))
    return world


def hypotheses(claim: Claim, folder: Path) -> dict[str, bool]:
    """Each assumption of a statement that fails, and whether its stored world meets it.

    Raises
    ------
    ReplayError : if no world is stored or no assumption is named; as `DamagedWitnessError` if they do not speak of what
        is stored.
    """
    world = _world(claim, folder)
    if claim.hypotheses is None:
        raise ReplayError(f"the hypotheses of {claim.id} are not stated, so that nothing can meet them")
    return {name: bool(met) for name, met in _of(claim, folder, claim.hypotheses, world).items()}


def replay(claim: Claim, folder: Path) -> Sides:
    """Both sides of a statement that fails, in its stored world, as fractions; left > right (or !=, for an identity).

    Raises
    ------
    ReplayError : if no world is stored or it breaks a hypothesis, a side is not exact, or the world does not contradict
        the statement; as `DamagedWitnessError` if the statement does not speak of what is stored.
    """
    broken = [name for name, met in hypotheses(claim, folder).items() if not met]
    if broken:
        raise ReplayError(f"the stored world of {claim.id} must meet its hypotheses, and breaks: {'; '.join(broken)}")
    left, right = _of(claim, folder, claim.replay or claim.theory, _world(claim, folder))
    if not all(isinstance(side, (int, Fraction)) for side in (left, right)):
        raise ReplayError(f"both sides of {claim.id} must be fractions, got {left!r} and {right!r}")
    if not (left != right if claim.kind == "identity" else left > right):
        raise ReplayError(f"the stored world does not contradict {claim.id}: {left} against {right}")
    return Sides(Fraction(left), Fraction(right))


def _world(claim: Claim, folder: Path) -> dict[str, Any]:
    return {name: exact(value) for name, value in stored(claim.id, folder).items()}


def _of(claim: Claim, folder: Path, formula: Callable[..., Any], world: dict[str, Any]) -> Any:
    """What a formula makes of the stored world, which may not be what the formula speaks of."""
    try:
        return formula(**world)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _damaged(_file(claim.id, folder), error) from None


def _file(claim_id: str, folder: Path) -> Path:
    return folder / f"{claim_id}.json"


def _damaged(file: Path, error: Exception) -> DamagedWitnessError:
    """The one line on a file that does not hold what it has to."""
    return DamagedWitnessError(
        f"{file} must hold a world of {file.stem}, got: {reason(error)}: restore it, or install anew"
    )


def exact(value: Any) -> Any:
    """Strings of rationals as fractions; regular lists of them as arrays of dtype object; all else as it is."""
    if isinstance(value, str):
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):
            return value
    if isinstance(value, list):
        entries = [exact(entry) for entry in value]
        shapes = {np.shape(entry) for entry in entries}
        if len(shapes) == 1 and all(isinstance(entry, (Fraction, np.ndarray)) for entry in entries):
            return np.array(entries, dtype=object)
        return entries
    return value
