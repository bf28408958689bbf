"""Draw until every verdict is decided, or until the samples or the time that were granted are used up.

A claim is looked at once on the way to the draws that its tolerance needs, and again there, each look at its share of
the error rate (`bands.spend`), so that a gross disagreement ends early and stopping never spoils a verdict. Looks are
kept with the records: whoever goes on from the same ones, later or at once, goes on spending, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product

from threadpoolctl import threadpool_limits

from fragility.claim import Claim
from fragility.engine.memory import DRAWN, lacking
from fragility.engine.study import Point, UsageError, label
from fragility.judging.draws import Draws
from fragility.judging.kinds import RULES
from fragility.judging.stated import covers
from fragility.judging.trials import Job, SweepJob, Trial, WorldJob
from fragility.judging.verdict import Verdict


class Campaign(Draws):
    """Draws of a study, and the claims that they decide."""

    def run(
        self,
        claims: Sequence[Claim],
        points: Sequence[Point],
        method: str = "auto",
        alpha: float = 0.05,
        budget: float = math.inf,
    ) -> list[Verdict]:
        """Verdicts on all `claims` that speak of the study's statistics, at all points where they hold.

        Parameters
        ----------
        alpha : error rate of the whole run, split evenly over what may be decided by chance.
        budget : seconds after which no new draws are waited for.

        Raises
        ------
        UsageError : the method cannot be used at a point.
        DamagedRecordError : a record cannot be read, and `resume` is off.
        """
        deadline = time.monotonic() + budget
        jobs = self.jobs(claims, points, method, self.note)
        if not jobs:
            raise UsageError("no claim speaks of these points: their theory ends before them")
        self.store.begin()
        chances = max(sum(job.chances for job in jobs), 1)
        with threadpool_limits(1):  # two BLAS threads on one matrix are slower than two matrices, and spin when crowded
            for left, job in zip(range(len(jobs), 0, -1), jobs, strict=True):
                now = time.monotonic()
                share = now + (deadline - now) / left
                if foretold := job.foretold(alpha / chances, share):
                    self.note(foretold)
                job.decide(alpha / chances, share)
        order = {claim.id: position for position, claim in enumerate(claims)}
        verdicts = [verdict for job in jobs for verdict in job.verdicts]
        return sorted(verdicts, key=lambda verdict: (points.index(verdict.point), order[verdict.claim]))

    def jobs(
        self,
        claims: Sequence[Claim],
        points: Sequence[Point],
        method: str = "auto",
        note: Callable[[str], None] = lambda _: None,
    ) -> list[Job]:
        """What there is to decide at the points, and in which worlds; `note` takes a line on theory that ends before.

        The dearest method of a point first: its claims need few draws, and what it leaves of the time is the others'.
        What compares two points comes last, when both are drawn.
        """
        claims = [claim for claim in claims if claim.kind in RULES]
        alone = [claim for claim in claims if claim.beside is None]
        jobs: list[Job] = [job for point in points for job in [*self._world_jobs(alone, point, method, note)][::-1]]
        for claim in claims:
            if claim.beside is not None:
                for point, other in product(points, points):
                    if claim.beside(point, other):
                        jobs += self._world_jobs([claim], point, method, note, other)
        return jobs

    def sweeps(self, claims: Sequence[Claim]) -> list[Job]:
        """The rates among the claims, each over the sizes it names, by the cheapest method, the lemma's own too."""
        return [self._sweep(claim) for claim in claims if claim.kind == "rate" and claim.theory().sizes]

    def _world_jobs(
        self,
        claims: Sequence[Claim],
        point: Point,
        method: str,
        note: Callable[[str], None],
        beside: Point | None = None,
    ) -> Iterator[Job]:
        """Per method, the claims whose statistic it is the cheapest to offer."""
        taken: set[str] = set()
        for name in self._methods(point, method):
            offered = set(self.study.methods[name].statistics(**point)) - taken
            taken |= offered
            if self.study.methods[name].counts:  # of which a mean cannot be taken
                claims = [claim for claim in claims if RULES[claim.kind].TAKES_COUNTS]
            chosen = [claim for claim in claims if offered.issuperset(claim.columns) and covers(claim, point, note)]
            if chosen:
                where = f"{name} {label(point)}" + ("" if beside is None else f" beside {label(beside)}")
                trials = [Trial(claim, where, self.store) for claim in chosen]
                yield WorldJob(self, name, point, trials, beside)

    def _sweep(self, claim: Claim) -> Job:
        rate = claim.theory()
        sweep = {size: dict(rate.at(size)) for size in rate.sizes}
        usable = [
            (sum(way.floats(**point) for point in sweep.values()), name)
            for name, way in self.study.methods.items()
            if all(way.obstacle(**point) is None for point in sweep.values())
            and all(claim.statistic in way.statistics(**point) for point in sweep.values())
        ]
        if not usable:
            raise UsageError(f"{claim.id} names sizes at which no method of {self.study.name} gives {claim.statistic}")
        name = min(usable)[1]
        return SweepJob(self, name, sweep, Trial(claim, f"{name} {rate.along}", self.store))

    def _shortage(self, name: str, point: Point) -> str | None:
        """Why one draw of the world is more than the memory holds, if it is."""
        one = f"one draw at {label(point)}"
        return lacking(one, DRAWN * self.study.methods[name].floats(**point)) or None

    def _methods(self, point: Point, method: str) -> list[str]:
        chosen = [name for name, way in self.study.methods.items() if way.blind] if method == "auto" else [method]
        obstacles = {name: self.study.methods[name].obstacle(**point) or self._shortage(name, point) for name in chosen}
        usable = [name for name, obstacle in obstacles.items() if obstacle is None]
        if not usable:
            why = "; ".join(dict.fromkeys(filter(None, obstacles.values())))
            raise UsageError(f"--method {method} cannot be used at {label(point)}: {why}")
        return usable
