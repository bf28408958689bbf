"""Decoys of a relation: its own left side beside another right side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fragility.claim import Sides


def with_right(theory: Callable[..., Sides], right: Callable[..., Any]) -> Callable[..., Sides]:
    """The relation with the right side that another formula gives in the same world."""
    return lambda **world: Sides(theory(**world).left, right(**world))


def with_right_times(theory: Callable[..., Sides], factor: float) -> Callable[..., Sides]:
    """The relation with its right side times a factor."""
    return lambda **world: Sides(theory(**world).left, factor * theory(**world).right)
