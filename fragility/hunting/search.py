"""One restart of a search: random points, then corners, gradients and random changes, uphill only.

It knows nothing of the statement but its two sides, and depends on its stream alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from fragility.hunting.judge import NOTHING, Judge, Score
from fragility.hunting.moves import changed, corners, mutation, places, shifted
from fragility.space import ATTEMPTS, Point

TRIALS = 500  # evaluations of both sides in a restart
DRAWS = 3  # random points, of which the highest is where a climb starts
WANDERERS = 0.5  # share of climbs that go on by gradients and random changes once corners are tried
CHANGES = 30  # random changes between two gradients
STEPS = (1.0, 0.1, 0.01)  # lengths that are tried along a gradient, relative to the largest entry
DIFFERENCE = 1e-4
MOST_SLOPES = 60  # entries up to which a gradient is worth its evaluations


class Spent(Exception):  # noqa: N818 - the end of a restart, no error
    """All evaluations of a restart are used."""


@dataclass
class Restart:
    """Short climbs from random points, one after the other; how high the highest came, and what they took.

    Short ones, for a climb ends on a plateau where the statement holds with equality.
    """

    judge: Judge
    rng: np.random.Generator
    most: int = TRIALS
    trials: int = 0
    first: int = 0  # the first failing trial, 0 for none
    highest: Score = NOTHING
    point: Point | None = None  # where it was highest
    tightest: float = -np.inf  # largest ratio seen
    _here: Point = field(init=False)
    _height: float = field(init=False, default=-np.inf)

    def run(self) -> Restart:
        """Uses up the evaluations, or ends at the first failure."""
        try:
            while self._drawn():
                self._corners()
                if self.rng.random() < WANDERERS:
                    self._wander()
        except Spent:
            pass
        return self

    def _score(self, point: Point) -> Score:
        if self.trials == self.most:
            raise Spent
        self.trials += 1
        score = self.judge.score(point)
        self.tightest = max(self.tightest, score.ratio)
        failed = self.judge.fails(score)
        if failed or score.height > self.highest.height:
            self.highest, self.point = score, point
        if failed:
            self.first = self.trials
            raise Spent
        return score

    def _offer(self, point: Point) -> None:
        """Goes to the point if it is no lower."""
        height = self._score(point).height
        if height >= self._height:
            self._here, self._height = point, height

    def _drawn(self) -> bool:
        """Goes to the highest of some random points; False if the statement speaks of none."""
        self._height, speaks = -np.inf, False
        for _ in range(DRAWS):
            for _ in range(ATTEMPTS):
                point = self.judge.space.draw(self.rng)
                if self.judge.space.world(point) is not None:
                    self._offer(point)
                    speaks = True
                    break
        return speaks

    def _corners(self) -> None:
        for place, end, part in corners(self.rng, self.judge.space, self._here):
            if self._here.parts[place[0]][place[1]] != end:
                self._offer(changed(self._here, place, end, part))

    def _wander(self) -> None:
        """Gradients and random changes for as long as they lead up."""
        before = -np.inf
        while self._height > before:
            before = self._height
            self._gradient()
            for _ in range(CHANGES):
                self._offer(mutation(self.rng, self.judge.space, self._here))
            self._corners()

    def _gradient(self) -> None:
        here, height, space = self._here, self._height, self.judge.space
        entries = places(space, here)
        if len(entries) > MOST_SLOPES:
            return
        slope = np.zeros(len(entries))
        for k, ((name, index), part) in enumerate(entries):
            if not part.whole:
                array = here.parts[name].copy()
                array[index] += DIFFERENCE
                rise = self._score(here.replaced(name, array)).height - height
                slope[k] = rise if np.isfinite(rise) else 0.0
        if np.any(slope):
            largest = max(np.max(np.abs(array), initial=0.0) for array in here.parts.values())
            for step in STEPS:
                self._offer(shifted(space, here, slope, step * largest))


def restart(judge: Judge, rng: np.random.Generator, most: int = TRIALS) -> Restart:
    """One restart of the search, of `most` evaluations."""
    with quiet():
        return Restart(judge, rng, most).run()


@contextmanager
def quiet() -> Iterator[None]:
    """Divisions by zero and quadrature at the end of its range are no news to a search."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
