"""Whether draws have a law: Kolmogorov's distance between their distribution function and that of the law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from fragility.checking.finding import Fault, Finding, OfDistance, Terms
from fragility.checking.kolmogorov import band, hidden
from fragility.checking.looks import Look, fewest
from fragility.engine.study import UsageError
from fragility.judging.verdict import Outcome

CELLS = 1 << 18  # of [0, 1], in which draws are counted, so that memory does not grow with them
ROUNDING = 1e-9  # by which a distribution function may leave [0, 1] or decrease
GRID = 257  # places between and around the draws at which a decoy is compared with the law


class HasCdf(Protocol):
    """All that is asked of a law here."""

    def cdf(self, x: Any, /) -> Any:
        """Probability of x or less, of an array of numbers, (k,) -> (k,)."""
        ...


class Cdf:
    """A law's distribution function, which says what is wrong with it."""

    def __init__(self, law: HasCdf, name: str) -> None:
        self._law, self._name = law, name
        self.has_atoms = hasattr(law, "pmf")  # at whole numbers, and nowhere between them

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Its values at increasing numbers, (k,).

        Raises
        ------
        UsageError : it does not take arrays, or raises.
        Fault : a value is no probability, or lower than one before.
        """
        try:
            values = np.asarray(self._law.cdf(x), dtype=float)
        except Exception as error:
            raise UsageError(
                f"the cdf of {self._name} must take an array of numbers, got {type(error).__name__}: {error}"
            ) from error
        if values.shape != x.shape:
            raise UsageError(
                f"the cdf of {self._name} must give a probability for each of {len(x)} numbers, got {values.shape}"
            )
        wrong = ~((values >= -ROUNDING) & (values <= 1 + ROUNDING))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise Fault(f"the cdf of {self._name} must lie in [0, 1], got {values[at]:.6g} at {x[at]:.6g}")
        falls = np.diff(values) < -ROUNDING
        if falls.any():
            at = int(np.argmax(falls))
            raise Fault(
                f"the cdf of {self._name} must not decrease, got {values[at]:.6g} at {x[at]:.6g} and"
                f" {values[at + 1]:.6g} at {x[at + 1]:.6g}"
            )
        return np.clip(values, 0.0, 1.0)


class Distance:
    """Kolmogorov's distance of any number of draws from a law, atoms and rounded draws included.

    It is short of the whole by 1 / CELLS at most.
    """

    def __init__(self, cdf: Cdf) -> None:
        self._cdf = cdf
        self._counted = np.zeros(CELLS, dtype=np.int64)
        self._top, self._low = np.zeros(CELLS), np.ones(CELLS)  # of each cell that is not empty

    def add(self, values: np.ndarray, counts: np.ndarray, whole: bool = False) -> np.ndarray:
        """Takes increasing draws and how often each came, (k,); returns the law's probabilities of each or less.

        A draw stands for the numbers between its neighbours in its own precision: to these it may have been rounded.
        A whole number is exact: of a law of whole numbers nothing lies between it and the one before, where the cdf
        of such a law need not be right.
        """
        above, below = (np.nextafter(values, values.dtype.type(end)).astype(float) for end in (np.inf, -np.inf))
        if whole and self._cdf.has_atoms:
            above, below = values, np.minimum(values - 1, below)
        upper, lower = self._cdf(above), self._cdf(below)
        cells = np.clip(np.ceil(upper * CELLS).astype(np.int64) - 1, 0, CELLS - 1)
        np.add.at(self._counted, cells, counts)
        occupied, first = np.unique(cells, return_index=True)
        last = np.append(first[1:], len(cells)) - 1
        self._top[occupied] = np.maximum(self._top[occupied], upper[last])
        self._low[occupied] = np.minimum(self._low[occupied], lower[first])
        return upper

    @property
    def gap(self) -> float:
        """Of all draws so far."""
        occupied = np.flatnonzero(self._counted)
        counted = self._counted[occupied]
        reached = np.cumsum(counted)
        share, before = reached / reached[-1], (reached - counted) / reached[-1]
        return float(max(np.max(share - self._top[occupied]), np.max(self._low[occupied] - before), 0.0))


class HasLaw(OfDistance):
    """The question whether draws have a law.

    Parameters
    ----------
    decoys : other laws by their names.
    """

    def __init__(self, law: HasCdf, name: str, terms: Terms, decoys: Mapping[str, HasCdf]) -> None:
        super().__init__(terms, decoys)
        self._cdfs = {name: Cdf(law, name), **{says: Cdf(decoy, says) for says, decoy in decoys.items()}}
        self._name, self._samples = name, 0
        self._distances = {says: Distance(cdf) for says, cdf in self._cdfs.items()}
        self._apart = dict.fromkeys(decoys, 0.0)

    def decided(self, at: Look) -> bool:
        """See `Question.decided`."""
        return self.finding(at).final

    def finding(self, at: Look) -> Finding:
        """See `Question.finding`."""
        gap, limit = self._distances[self._name].gap, band(at.samples, at.alpha)
        resolution = gap + hidden(at.samples, at.beta) + 1 / CELLS if at.beta else 1.0
        outcome: Outcome = "agrees" if resolution <= self._terms.tolerance else "blunt"
        visible = tuple(says for says, apart in self._apart.items() if apart >= self._terms.tolerance)
        rejected = tuple(says for says in visible if self._distances[says].gap > limit)
        return Finding("disagrees" if gap > limit else outcome, gap, limit, resolution, visible, rejected)

    def _fewest(self, alpha: float, beta: float) -> int:
        return fewest(lambda n: band(n, alpha) + hidden(n, beta) + 1 / CELLS <= self._terms.tolerance)

    def add(self, new: np.ndarray) -> None:
        """See `Question.add`."""
        if np.isnan(new).any():
            raise Fault(f"every draw must be a number, got NaN in {np.isnan(new).sum():,} of {len(new):,}")
        whole = new.dtype.kind != "f"
        values, counts = np.unique(new.astype(float) if whole else new, return_counts=True)
        right = self._distances[self._name].add(values, counts, whole)
        for says in self._apart:
            wrong = self._distances[says].add(values, counts, whole)
            self._apart[says] = max(self._apart[says], float(np.max(np.abs(wrong - right))))
            if not self._samples and not self._apart[says]:
                self._tell_apart(says, values.astype(float))
        self._samples += len(new)

    def _tell_apart(self, says: str, values: np.ndarray) -> None:
        """Raises unless the decoy differs from the law somewhere around the draws."""
        reach = float(np.ptp(values)) or 1.0
        grid = np.linspace(values[0] - reach, values[-1] + reach, GRID)
        if np.array_equal(self._cdfs[self._name](grid), self._cdfs[says](grid)):
            raise UsageError(
                f"a decoy must differ from what is claimed, got {says}, which is the same law as {self._name}"
            )
