"""The order of the rungs, which is proved and checked in every world."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

ROUNDING, SOLVER = 1e-9, 1e-6  # relative to 1 + |the larger side|
ORDER = (
    ("attack", "exact", SOLVER),
    ("attained", "exact", SOLVER),
    ("exact", "attained", SOLVER),
    ("attack", "lp", SOLVER),
    ("exact", "lp", SOLVER),
    ("attack", "crown", ROUNDING),
    ("exact", "crown", SOLVER),
    ("attack", "interval", ROUNDING),
    ("lp", "interval", SOLVER),
    ("interval", "theorem", ROUNDING),
    ("theorem", "clean", ROUNDING),
)


class InversionError(Exception):
    """Two rungs in the wrong order in one world."""


def check(values: Mapping[str, np.ndarray], where: str) -> None:
    """Refuses a block of worlds in one of which a rung lies above one that bounds it.

    Raises
    ------
    InversionError : names the world, the rungs and their values.
    """
    for low, high, tolerance in ORDER:
        if low in values and high in values:
            for row, (lower, upper) in enumerate(zip(values[low], values[high], strict=True)):
                if not lower - upper <= tolerance * (1 + abs(upper)):
                    raise InversionError(
                        f"inverted in world {row} of {where}: {low} {float(lower)!r} > {high} {float(upper)!r}"
                    )
