"""Whether two samplers have the same law: Kolmogorov's distance between the distribution functions of their draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fragility.checking.finding import Fault, Finding, OfDistance, Terms
from fragility.checking.kolmogorov import band_of_two, hidden_of_two
from fragility.checking.looks import Look, fewest
from fragility.judging.verdict import Outcome


class SameLaw(OfDistance):
    """The question whether two samplers have one law, of draws side by side, (k, 2 + decoys).

    Parameters
    ----------
    decoys : names of further samplers, which have another law than the first.
    """

    def __init__(self, terms: Terms, decoys: Sequence[str]) -> None:
        super().__init__(terms, decoys)
        self._draws: list[np.ndarray] = []
        self._gaps = [0.0]  # between the first column and each of the others

    def add(self, new: np.ndarray) -> None:
        """See `Question.add`."""
        if np.isnan(new).any():
            raise Fault(f"every draw must be a number, got NaN in {np.isnan(new).any(axis=1).sum():,} of {len(new):,}")
        self._draws.append(new)

    def decided(self, at: Look) -> bool:
        """See `Question.decided`."""
        first, *others = np.sort(np.concatenate(self._draws), axis=0).T
        self._gaps = [_distance(first, other) for other in others]
        return self.finding(at).final

    def finding(self, at: Look) -> Finding:
        """See `Question.finding`."""
        band = band_of_two(at.samples, at.alpha)
        gap, *wrong = self._gaps
        resolution = gap + hidden_of_two(at.samples, self._terms.tolerance, at.beta) if at.beta else 1.0
        outcome: Outcome = "agrees" if resolution <= self._terms.tolerance else "blunt"
        rejected = tuple(says for says, apart in zip(self.decoys, wrong, strict=True) if apart > band)
        return Finding("disagrees" if gap > band else outcome, gap, band, resolution, self.decoys, rejected)

    def _fewest(self, alpha: float, beta: float) -> int:
        tolerance = self._terms.tolerance
        return fewest(lambda n: band_of_two(n, alpha) + hidden_of_two(n, tolerance, beta) <= tolerance)


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """Kolmogorov's distance between the distribution functions of increasing draws, (k,) each."""
    places = np.concatenate([first, second])
    below = (np.searchsorted(draws, places, side="right") for draws in (first, second))
    return float(np.max(np.abs(np.subtract(*below)))) / len(first)
