"""What is asked of draws, on which terms, and what they say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fragility.checking.looks import Look, planned
from fragility.judging.verdict import Outcome


class Fault(Exception):  # noqa: N818 - it makes a verdict, "faulty"
    """Nothing can be said of a claim; the text says which number is missing or impossible."""


@dataclass(frozen=True)
class Terms:
    """What a question promises.

    Parameters
    ----------
    tolerance : the gap that is to be seen.
    alpha : how often what holds may disagree.
    beta : how often what is off by the tolerance may agree.
    given : number of the draws, where they are all there; None where as many are drawn as the question needs.
    """

    tolerance: float
    alpha: float
    beta: float
    given: int | None = None


@dataclass(frozen=True)
class Finding:
    """How far draws are from what is claimed, how far chance may carry them, and which gap they rule out."""

    outcome: Outcome
    gap: float
    band: float
    resolution: float
    visible: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """Whether more draws have nothing to add: the claim disagrees, or agrees and all its decoys are rejected."""
        return self.outcome == "disagrees" or (self.outcome == "agrees" and self.visible == self.rejected)


class Question(Protocol):
    """What is asked of draws."""

    decoys: tuple[str, ...]  # names of all, whether they are looked at or not

    @property
    def needed(self) -> int:
        """Draws that decide."""
        ...

    def looks(self) -> list[Look]:
        """When to look at the draws."""
        ...

    def add(self, new: np.ndarray) -> None:
        """Takes further draws, (k,) or (k, samplers).

        Raises
        ------
        Fault : a draw or a number of the theory is missing or impossible.
        """
        ...

    def decided(self, at: Look) -> bool:
        """Looks at all draws so far: whether more have nothing to add."""
        ...

    def finding(self, at: Look) -> Finding:
        """What all draws say at the look that was the last."""
        ...


class OfDistance(ABC):
    """A question on a distance between distribution functions, which is looked at as planned beforehand."""

    def __init__(self, terms: Terms, decoys: Iterable[str]) -> None:
        self._terms, self.decoys = terms, tuple(decoys)

    @property
    def needed(self) -> int:
        """See `Question.needed`; of each sampler, where there are two."""
        return planned(self._fewest, self._terms.alpha, self._terms.beta)[-1].samples

    def looks(self) -> list[Look]:
        """See `Question.looks`."""
        terms = self._terms
        if terms.given is not None:
            return [Look(terms.given, terms.alpha, terms.beta)]
        return planned(self._fewest, terms.alpha, terms.beta)

    @abstractmethod
    def _fewest(self, alpha: float, beta: float) -> int:
        """Draws that decide at one look with these errors."""
