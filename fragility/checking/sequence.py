"""Confidence sequences of a mean: limits that hold at all numbers of draws at once, so that a check may stop early.

Someone bets on each draw that the mean is above a number theta, at odds that are fair if it is theta. If it is no
larger, the capital ever reaches 1 / alpha with probability alpha at most (Ville 1939); so a theta at which it has
reached that lies below the mean. The same the other way round gives upper limits. Stakes are made for the difference
that is to be seen, `step`, which takes about 2 ln(1 / alpha) sd^2 / step^2 draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

BOLDEST = 0.9  # share of the capital that is lost at most on one draw
KEPT = 1 << 20  # draws that are kept as they are; of more, those in one cell are put at their mean
CELLS = 64  # per step
LARGEST = 1e9  # ln of a capital


class Odds(Protocol):
    """What is known of the draws' law besides the mean in question, and so what a bet on it pays."""

    @property
    def sd(self) -> float:
        """An upper bound on the standard deviation of draws whose mean is within a step of the claimed one."""
        ...

    @property
    def step(self) -> float:
        """Difference of means that is to be seen."""
        ...

    @property
    def ends(self) -> tuple[float, float]:
        """Between which the mean lies for certain, as distances from the one that is claimed."""
        ...

    def stake(self, drawn: int, squares: float) -> float:
        """How much to bet on each of the next draws, after so many whose squares have that sum."""
        ...

    def payoff(self, values: np.ndarray, theta: float, sign: int, stake: float) -> np.ndarray:
        """Growth of ln capital with each draw, for a bet that the mean is above theta (sign 1) or below it (-1)."""
        ...


@dataclass(frozen=True)
class Spread:
    """Odds on draws of which only a bound on the standard deviation is known.

    A draw pays exp(phi(stake * (draw - theta))) / (1 + stake^2 sd^2 / 2) with the narrowest influence function of
    Catoni (2012), phi(y) = ln(1 + y + y^2 / 2) for y >= 0, and odd; as odds, Wang and Ramdas (2023).

    Parameters
    ----------
    sd, step : positive.
    """

    sd: float
    step: float
    ends = (-math.inf, math.inf)

    def variance(self, drawn: int, squares: float) -> float:
        """The largest there may be."""
        return self.sd**2

    def stake(self, drawn: int, squares: float) -> float:
        """See `Odds.stake`; the best one for the step is known beforehand."""
        return self.step / self.sd**2

    def payoff(self, values: np.ndarray, theta: float, sign: int, stake: float) -> np.ndarray:
        """See `Odds.payoff`."""
        moved = sign * stake * (values - theta)
        size = np.abs(moved)
        return np.sign(moved) * np.log1p(size + size**2 / 2) - math.log1p((stake * self.sd) ** 2 / 2)


@dataclass(frozen=True)
class Range:
    """Odds on draws between two numbers, which pay 1 + stake * (draw - theta): fair whatever their law.

    The stake is made for the spread of the draws so far (as Waudby-Smith and Ramdas 2024 propose).

    Parameters
    ----------
    ends : distances of the two numbers from the mean that is claimed, the first at most 0, the second at least.
    step : positive.
    """

    ends: tuple[float, float]
    step: float

    @property
    def sd(self) -> float:
        """Of draws at the two ends, the widest law with a mean within a step of the claim (Bhatia and Davis 2000)."""
        low, high = self.ends
        means = (min(max(mean, low), high) for mean in (0.0, self.step, -self.step))
        return math.sqrt(max((mean - low) * (high - mean) for mean in means))

    def variance(self, drawn: int, squares: float) -> float:
        """Of the draws so far, with room for rare ones that are far out and have not come yet."""
        if not drawn:
            return self.sd**2
        low, high = self.ends
        return min((math.sqrt(squares / drawn) + (high - low) / math.sqrt(2 * drawn)) ** 2, self.sd**2)

    def stake(self, drawn: int, squares: float) -> float:
        """See `Odds.stake`."""
        return self.step / (self.variance(drawn, squares) + self.step**2)

    def payoff(self, values: np.ndarray, theta: float, sign: int, stake: float) -> np.ndarray:
        """See `Odds.payoff`."""
        room = theta - self.ends[0] if sign > 0 else self.ends[1] - theta
        if room <= 0:  # all draws are theta if that is the mean
            return np.where(sign * (values - theta) > 0, math.inf, 0.0)
        return np.log1p(sign * min(stake, BOLDEST / room) * (values - theta))


@dataclass(frozen=True)
class Chance:
    """Odds on booleans, which are those of a probability against one that is a step away: nothing decides sooner.

    The sequential probability ratio test of Wald (1945), as distances from the probability that is claimed.

    Parameters
    ----------
    probability : what is claimed, in [0, 1].
    step : positive.
    """

    probability: float
    step: float

    @property
    def ends(self) -> tuple[float, float]:
        """See `Odds.ends`."""
        return -self.probability, 1 - self.probability

    @property
    def sd(self) -> float:
        """See `Odds.sd`."""
        return Range(self.ends, self.step).sd

    def variance(self, drawn: int, squares: float) -> float:
        """The largest there may be."""
        return self.sd**2

    def stake(self, drawn: int, squares: float) -> float:
        """See `Odds.stake`; it follows from theta alone."""
        return self.step

    def payoff(self, values: np.ndarray, theta: float, sign: int, stake: float) -> np.ndarray:
        """See `Odds.payoff`."""
        fair = min(max(self.probability + theta, 0.0), 1.0)
        other = min(max(fair + sign * self.step, 0.0), 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rises, falls = np.log(np.divide([other, 1 - other], [fair, 1 - fair]))
        return np.where(values > sum(self.ends) / 2, rises, falls)


@dataclass(frozen=True)
class Tuned:
    """Odds whose stakes are made for a number of draws that is known beforehand, where nothing is to be stopped.

    Parameters
    ----------
    odds : what draws pay.
    samples, level : number of draws, and ln of the capital that is to be reached with them.
    """

    odds: Spread | Range | Chance
    samples: int
    level: float

    @property
    def sd(self) -> float:
        """See `Odds.sd`."""
        return self.odds.sd

    @property
    def step(self) -> float:
        """See `Odds.step`."""
        return self.odds.step

    @property
    def ends(self) -> tuple[float, float]:
        """See `Odds.ends`."""
        return self.odds.ends

    def stake(self, drawn: int, squares: float) -> float:
        """See `Odds.stake`: the one with which the limits are nearest to each other after all draws."""
        return math.sqrt(2 * self.level / (self.samples * self.odds.variance(drawn, squares)))

    def payoff(self, values: np.ndarray, theta: float, sign: int, stake: float) -> np.ndarray:
        """See `Odds.payoff`."""
        return self.odds.payoff(values, theta, sign, stake)


class Sequence:
    """The bets on all draws so far.

    Draws, theta and limits are distances from the mean that is claimed.
    """

    def __init__(self, odds: Odds) -> None:
        self.odds, self.drawn = odds, 0
        self._squares, self._most = 0.0, KEPT
        self._bets: list[tuple[float, np.ndarray, np.ndarray]] = []  # stake, values, how many draws each of them is
        self._capital: dict[tuple[float, int], float] = {}

    def watch(self, theta: float) -> None:
        """Has the capital at theta kept exactly, from the first draw on."""
        self._capital.update({(theta, 1): 0.0, (theta, -1): 0.0})

    def add(self, values: np.ndarray) -> None:
        """Takes further draws, (size,)."""
        stake = self.odds.stake(self.drawn, self._squares)
        for theta, sign in self._capital:
            self._capital[theta, sign] += float(np.sum(self.odds.payoff(values, theta, sign, stake)))
        self.drawn += len(values)
        self._squares += float(np.sum(values**2))
        self._hold(stake, values)
        if sum(len(held) for _, held, _ in self._bets) > self._most:
            self._bets = [(stake, *self._in_cells(stake)) for stake in dict.fromkeys(bet[0] for bet in self._bets)]
            self._most = max(KEPT, 2 * sum(len(held) for _, held, _ in self._bets))

    def _hold(self, stake: float, values: np.ndarray) -> None:
        counts = np.ones(len(values))
        if self._bets and self._bets[-1][0] == stake:  # few long arrays are faster than many short ones
            _, held, numbers = self._bets.pop()
            values, counts = np.concatenate([held, values]), np.concatenate([numbers, counts])
        self._bets.append((stake, values, counts))

    def capital(self, theta: float, sign: int) -> float:
        """ln of what the bets that the mean is above theta (sign 1) or below it (sign -1) have become."""
        if (theta, sign) in self._capital:
            return self._capital[theta, sign]
        bets = self._bets
        return sum(float(counts @ self.odds.payoff(values, theta, sign, stake)) for stake, values, counts in bets)

    def estimate(self) -> float:
        """Where bets on either side have come to the same: what the mean may be."""
        return self._falling(lambda theta: self.capital(theta, 1) - self.capital(theta, -1))

    def limit(self, level: float, sign: int) -> float:
        """The lower (sign 1) or upper (sign -1) limit, which misses the mean with probability `level` at most."""
        goal = math.log(1 / level)
        return self._falling(lambda theta: sign * (self.capital(theta, sign) - goal))

    def _falling(self, function: Callable[[float], float]) -> float:
        """Where a function of theta falls through 0; an end if it does so nowhere before."""
        from scipy.optimize import brentq

        def finite(theta: float) -> float:
            return min(max(function(theta), -LARGEST), LARGEST)

        reach, (low, high) = self.odds.step, self.odds.ends
        centre = sum(float(values @ counts) for _, values, counts in self._bets) / self.drawn
        near = min(max(centre, low), high)
        side = 1 if finite(near) > 0 else -1
        while (far := min(max(near + side * reach, low), high)) != near and math.isfinite(far):
            if finite(far) * side <= 0:
                return float(brentq(finite, near, far, xtol=1e-9 * self.odds.step))
            near, reach = far, 2 * reach
        return near if math.isfinite(far) else far

    def _in_cells(self, stake: float) -> tuple[np.ndarray, np.ndarray]:
        """Values and counts of all bets with a stake, those in one cell at their mean: nothing else of them matters."""
        values = np.concatenate([held for other, held, _ in self._bets if other == stake])
        counts = np.concatenate([held for other, _, held in self._bets if other == stake])
        _, cell = np.unique(np.floor(values * CELLS / self.odds.step), return_inverse=True)
        number = np.bincount(cell, counts)
        return np.bincount(cell, counts * values) / number, number
