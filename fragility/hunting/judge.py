"""Whether a statement fails at a point: in floats, quickly, and in fractions, for certain."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from fragility.claim import Claim, Sides, excess
from fragility.space import Point, Space, World, approximate

CLEAR = 10  # a failure counts from this many times the claim's tolerance
FLOOR = 1e-6  # sides below it are rounding to the search


class Score(NamedTuple):
    """What the search sees of a world.

    Parameters
    ----------
    height : what it climbs: (left - right) / (|left| + |right|), the largest over all entries; absolute for identities.
    ratio : left over right, the largest over all entries where right is positive; minus infinity without one, and for
        identities.
    excess : by how much the statement fails, as `fragility.claim.excess`.
    """

    height: float
    ratio: float
    excess: float


NOTHING = Score(-np.inf, -np.inf, -np.inf)


def score(claim: Claim, sides: Sides) -> Score:
    """Height, ratio and excess of two sides; `NOTHING` where a side is no number."""
    left, right = np.broadcast_arrays(*(np.asarray(side, dtype=float) for side in sides))
    if not np.all(np.isfinite(left)) or np.any(np.isnan(right)):
        return NOTHING
    seen = np.isfinite(right) & (np.abs(left) + np.abs(right) > FLOOR)
    left, right = left[seen], right[seen]
    gap = np.abs(left - right) if claim.kind == "identity" else left - right
    height = np.max(gap / (np.abs(left) + np.abs(right) + FLOOR), initial=-1.0)
    positive = right > FLOOR if claim.kind == "bound" else np.zeros_like(seen, shape=right.shape)
    ratio = np.max(left[positive] / right[positive], initial=-np.inf)
    return Score(float(height), float(ratio), excess(claim.kind, sides))


@dataclass(frozen=True)
class Judge:
    """Both sides of one statement at points of its space."""

    claim: Claim
    space: Space

    def score(self, point: Point) -> Score:
        """In floats; `NOTHING` outside the domain, and where the statement is undefined."""
        try:
            world = self.space.world(point)
            if world is None:
                return NOTHING
            if self.space.entries is None:
                return score(self.claim, self._sides(world))
            seen = score(self.claim, self.space.entries(**world))
            return seen._replace(excess=excess(self.claim.kind, self._sides(world)) if seen.height > 0 else seen.excess)
        except (ValueError, ArithmeticError):
            return NOTHING

    def fails(self, found: Score) -> bool:
        """Whether the statement fails by a clear margin."""
        return found.excess > CLEAR * self.claim.tolerance

    def fails_at(self, point: Point) -> bool:
        """Whether it clearly fails at a point of fractions, in floats."""
        return self.fails(self.score(approximate(point)))

    def refuted_by(self, point: Point) -> bool:
        """Whether a point of fractions clearly contradicts it in exact arithmetic; False without exact sides."""
        try:
            world = self.space.world(point)
        except (ValueError, ArithmeticError):
            return False
        return world is not None and refutes(self.claim, world)

    def _sides(self, world: World) -> Sides:
        formula: Any = self.claim.replay if self.space.exact_world else self.claim.theory
        return formula(**world)


def refutes(claim: Claim, world: World) -> bool:
    """Whether a world of fractions contradicts a claim in exact arithmetic, clearly, and meets its hypotheses.

    False if a side is not exact.
    """
    try:
        if claim.hypotheses and not all(claim.hypotheses(**world).values()):
            return False
        left, right = (claim.replay or claim.theory)(**world)
    except (ValueError, ArithmeticError, TypeError, AttributeError):  # no exact sides of such a world
        return False
    left, right = np.broadcast_arrays(*(np.asarray(side, dtype=object) for side in (left, right)))
    if not all(isinstance(entry, (int, Fraction)) for side in (left, right) for entry in side.flat):
        return False
    contradicted = any(
        a != b if claim.kind == "identity" else a > b for a, b in zip(left.flat, right.flat, strict=True)
    )
    return contradicted and excess(claim.kind, Sides(left, right)) > CLEAR * claim.tolerance
