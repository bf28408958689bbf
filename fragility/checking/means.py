"""Whether draws have a mean: bets against it, and against every mean that is off by the tolerance."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fragility.checking.finding import Fault, Finding, Terms
from fragility.checking.looks import Look
from fragility.checking.sequence import Chance, Range, Sequence, Spread, Tuned
from fragility.judging.bands import clopper_pearson
from fragility.judging.verdict import Outcome

FIRST = 16  # draws
GROWTH = 1.1  # of draws from one look to the next: looks cost nothing
ROUNDING = 1e-9  # by which a decoy that is off by the tolerance may come out nearer
LUCK = 3.0  # standard deviations that the most draws leave room for


class HasMean:
    """The question whether draws have a mean.

    Parameters
    ----------
    odds : what is known of the draws besides, for steps as large as the tolerance.
    decoys : other means by their names; those nearer than the tolerance are not looked at.
    """

    def __init__(self, mean: float, odds: Spread | Range | Chance, terms: Terms, decoys: Mapping[str, float]) -> None:
        self._mean, self._odds, self._terms, self.decoys = mean, odds, terms, tuple(decoys)
        least = (1 - ROUNDING) * terms.tolerance
        self._decoys = {says: wrong - mean for says, wrong in decoys.items() if abs(wrong - mean) >= least}
        level = math.log(2 / terms.alpha)
        self._bets = Sequence(self._odds if terms.given is None else Tuned(self._odds, terms.given, level))
        self._won = set[tuple[float, int]]()  # theta and side of the bets that have paid off at some look
        for theta in (0.0, terms.tolerance, -terms.tolerance, *self._decoys.values()):
            self._bets.watch(theta)

    @property
    def needed(self) -> int:
        """See `Question.needed`; unless luck is bad, or the mean lies between the claim and the tolerance."""
        level = max(math.log(2 / self._terms.alpha), math.log(1 / self._terms.beta))
        root = (LUCK + math.sqrt(LUCK**2 + 2 * level)) * self._odds.sd / self._terms.tolerance
        return math.ceil(root**2 + level)

    def looks(self) -> list[Look]:
        """See `Question.looks`; each of them may spend all, for limits hold at all numbers of draws at once."""
        if self._terms.given is not None:
            return [Look(self._terms.given, self._terms.alpha, self._terms.beta)]
        samples, most = [min(FIRST, self.needed)], self.needed
        while samples[-1] < most:
            samples.append(min(most, math.ceil(GROWTH * samples[-1])))
        return [Look(count, self._terms.alpha, self._terms.beta) for count in samples]

    def add(self, new: np.ndarray) -> None:
        """See `Question.add`."""
        moved = self._moved(new)
        while len(moved):  # stakes learn from the draws before, even if all are there at once
            portion = max(FIRST, math.ceil(GROWTH * self._bets.drawn)) - self._bets.drawn
            self._bets.add(moved[:portion])
            moved = moved[portion:]

    def decided(self, at: Look) -> bool:
        """See `Question.decided`."""
        tolerance = self._terms.tolerance
        for theta in (0.0, *self._decoys.values()):
            self._won.update((theta, sign) for sign in (1, -1) if self._pays(theta, sign, at.alpha / 2))
        self._won.update((-sign * tolerance, sign) for sign in (1, -1) if self._pays(-sign * tolerance, sign, at.beta))
        return self._outcome() == "disagrees" or (
            self._outcome() == "agrees" and len(self._rejected()) == len(self._decoys)
        )

    def finding(self, at: Look) -> Finding:
        """See `Question.finding`."""
        estimate, outcome = self._bets.estimate(), self._outcome()
        band = abs(estimate - self._bets.limit(at.alpha / 2, 1 if estimate > 0 else -1))
        resolution = max(self._bets.limit(at.beta, -1), -self._bets.limit(at.beta, 1))
        if outcome == "agrees":  # which it has done at some look, if not at this one
            resolution = min(resolution, self._terms.tolerance)
        return Finding(outcome, abs(estimate), band, resolution, tuple(self._decoys), self._rejected())

    def _outcome(self) -> Outcome:
        tolerance = self._terms.tolerance
        if {(0.0, 1), (0.0, -1)} & self._won:
            return "disagrees"
        return "agrees" if {(tolerance, -1), (-tolerance, 1)} <= self._won else "blunt"

    def _rejected(self) -> tuple[str, ...]:
        return tuple(says for says, theta in self._decoys.items() if {(theta, 1), (theta, -1)} & self._won)

    def _pays(self, theta: float, sign: int, level: float) -> bool:
        """Whether bets have shown that the mean is above theta (sign 1) or below it (sign -1), or it must be."""
        low, high = self._odds.ends
        beyond = theta < low if sign > 0 else theta > high
        return beyond or self._bets.capital(theta, sign) >= math.log(1 / level)

    def _moved(self, new: np.ndarray) -> np.ndarray:
        """Their distances from the mean that is claimed."""
        low, high = self._odds.ends
        moved = new.astype(float) - self._mean
        wrong = ~(np.isfinite(moved) & (moved >= low) & (moved <= high))
        if wrong.any():
            where = "be finite" if math.isinf(low) else f"lie in [{self._mean + low:g}, {self._mean + high:g}]"
            worst = new[np.argmax(wrong)]
            raise Fault(f"every draw must {where}, got {worst:g}, one of {wrong.sum():,} among {len(new):,} draws")
        return moved


class HasProbability(HasMean):
    """The question whether something has a probability, of draws that say whether it was the case.

    Where all draws are there the limits are exact, those of Clopper and Pearson (1934).
    """

    def __init__(self, probability: float, terms: Terms, decoys: Mapping[str, float]) -> None:
        super().__init__(probability, Chance(probability, terms.tolerance), terms, decoys)
        self._probability, self._successes = probability, 0

    def add(self, new: np.ndarray) -> None:
        """See `Question.add`."""
        super().add(new)
        self._successes += int(np.sum(new))

    def finding(self, at: Look) -> Finding:
        """See `Question.finding`."""
        if self._terms.given is None:
            return super().finding(at)
        share = self._successes / at.samples
        low, high = clopper_pearson(self._successes, at.samples, at.alpha)
        least, most = clopper_pearson(self._successes, at.samples, 2 * at.beta)
        gap, band = abs(share - self._probability), share - low if share > self._probability else high - share
        resolution = max(most - self._probability, self._probability - least)
        outcome: Outcome = "agrees" if resolution <= self._terms.tolerance else "blunt"
        visible = {says: self._probability + apart for says, apart in self._decoys.items()}
        rejected = tuple(says for says, wrong in visible.items() if not low <= wrong <= high)
        return Finding("disagrees" if gap > band else outcome, gap, band, resolution, tuple(visible), rejected)

    def _moved(self, new: np.ndarray) -> np.ndarray:
        """See `HasMean._moved`."""
        wrong = (new != 0) & (new != 1)
        if wrong.any():
            raise Fault(
                f"every draw must be True or False, got {new[np.argmax(wrong)]:g}, one of {wrong.sum():,} among"
                f" {len(new):,} draws"
            )
        return super()._moved(new)
