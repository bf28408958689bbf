"""The verdict on a claim at a point, with its resolution.

A verdict is
agrees    : nothing found, and what was wanted to be seen would have been,
blunt     : nothing found, but too few draws to see what was wanted; `needed` says how many would do,
disagrees : the gap lies beyond what chance or rounding may carry; of a rate, by more than the tolerance,
faulty    : a number is missing that would decide, from the draws or from the theory; nothing is said of the claim.

How a claim is judged depends on its kind: see `fragility.judging.kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from fragility.engine.study import Point

Outcome: TypeAlias = Literal["agrees", "blunt", "disagrees", "faulty"]
Unit: TypeAlias = Literal["gap", "worlds", "draws", "witness", "share", "printed"]

BETA = 0.05  # what is as large as the resolution is missed at most this often


@dataclass(frozen=True)
class Verdict:
    """What the draws say of a claim at a point.

    Parameters
    ----------
    gap : the discrepancy found: between distribution functions, in units of the moment, between exponents, by how
        much a relation fails in its worst world or draw, relative to 1 + |right side|, by how much the share of draws
        that comply falls short of one half, or between a printed number and the mean of the draws.
    band : how far chance may carry the gap of a claim that holds, at error rate `alpha`; of a relation, how far
        rounding may.
    tolerance : the claim's.
    resolution : the smallest discrepancy, in its `unit`, that these draws rule out where none was found.
    unit : "gap": the resolution is a gap; "worlds", "draws": the share of them that fail; "witness": the same of
        worlds, but the only one looked at is stored since it fails; "share": by how much the share of draws that comply
        may fall short of one half; "printed": half the width of the interval in which one more draw lies, or the mean
        of as many as were averaged in print.
    wanted : the resolution at which no gap makes "agrees".
    samples : draws looked at; needed : draws at which the resolution reaches what is wanted, 0 where none would do.
    alpha : error rate of the look; 0 where chance cannot contradict the claim.
    fault : of a faulty one: which number is missing.
    visible, rejected : decoys that the tolerance should show at this point, and those that the draws reject.
    """

    claim: str
    point: Point
    method: str
    outcome: Outcome
    gap: float
    band: float
    tolerance: float
    resolution: float
    unit: Unit
    wanted: float
    samples: int
    needed: int
    alpha: float
    visible: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    fault: str = ""

    @property
    def agrees(self) -> bool:
        """Whether nothing was found, and what was wanted to be seen would have been."""
        return self.outcome == "agrees"

    @property
    def of_worlds(self) -> bool:
        """Whether it is on a relation in worlds made for it, whose point is the statement itself."""
        return self.unit in ("worlds", "witness")

    @property
    def seen(self) -> str:
        """The resolution in its unit."""
        if self.unit == "witness":
            return "a witness"
        if self.unit in ("gap", "printed"):
            return f"{self.resolution:.2g}"
        if self.unit == "share":
            return f"{100 * self.resolution:.2g} % below half"
        return f"{100 * self.resolution:.2g} % of {self.unit}"
