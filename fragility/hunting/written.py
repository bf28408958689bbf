"""Worlds of fractions as JSON, in the form of theory/witnesses: rationals are strings such as "-5/4"."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from fragility.claim import Claim
from fragility.hunting.judge import refutes
from fragility.space import Point, World
from fragility.witness import exact


def written(value: Any) -> Any:
    """A world, an array or a number in the stored form."""
    if isinstance(value, dict):
        return {name: written(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return written(value.tolist())
    return str(value) if isinstance(value, Fraction) else value


def point_of(sizes: Mapping[str, int], parts: Mapping[str, Any]) -> Point:
    """The point of fractions whose parts were written."""
    return Point(sizes, {name: np.array(exact(value), dtype=object) for name, value in parts.items()})


def contradicts(claim: Claim, stored: World) -> bool:
    """Whether a world, read from its stored form, contradicts the claim in exact arithmetic."""
    return refutes(claim, {name: exact(value) for name, value in stored.items()})


def length(stored: Any) -> tuple[int, int]:
    """Numbers in a stored world, and the characters that they take."""
    if isinstance(stored, dict):
        stored = list(stored.values())
    if isinstance(stored, list):
        lengths = [length(entry) for entry in stored]
        return sum(numbers for numbers, _ in lengths), sum(characters for _, characters in lengths)
    return 1, len(str(stored))
