"""Draw until every verdict is decided, or until the samples or the time that were granted are used up.

A claim is looked at once on the way to the draws that its tolerance needs, and again there, each look at its share of
the error rate (`bands.spend`), so that a gross disagreement ends early and stopping never spoils a verdict. Looks are
kept in the manifest: a later run that goes on from the same records goes on spending, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pyarrow as pa
from threadpoolctl import threadpool_limits

from simulate.backends import Backend
from simulate.engine.executor import Executor
from simulate.engine.shard import Shard, shard_size
from simulate.engine.store import DamagedRecordError, Store
from simulate.engine.study import Point, Study, UsageError, label
from simulate.jobs import Job, SweepJob, Trial, WorldJob
from simulate.verdict import Verdict, stated
from theory.claim import Claim

Progress = Callable[[str, int, int], None]  # what runs, draws so far, draws wanted


@dataclass(frozen=True)
class Campaign:
    """How a study is run.

    Parameters
    ----------
    seed : of all streams.
    samples : draws per point, or None for as many as the verdicts need.
    resume : whether damaged records are set aside and drawn again.
    note : takes one line for the user.
    """

    study: Study
    backend: Backend
    executor: Executor
    store: Store
    seed: int = 0
    samples: int | None = None
    resume: bool = False
    progress: Progress = lambda *_: None
    note: Callable[[str], None] = lambda _: None

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
        jobs = self.jobs(claims, points, method)
        if not jobs:
            raise UsageError("no claim speaks of these points: their theory ends before them")
        chances = max(sum(job.chances for job in jobs), 1)
        with threadpool_limits(1):  # two BLAS threads on one matrix are slower than two matrices, and spin when crowded
            for left, job in zip(range(len(jobs), 0, -1), jobs, strict=True):
                now = time.monotonic()
                job.decide(alpha / chances, now + (deadline - now) / left)
        order = {claim.id: position for position, claim in enumerate(claims)}
        verdicts = [verdict for job in jobs for verdict in job.verdicts]
        return sorted(verdicts, key=lambda verdict: (points.index(verdict.point), order[verdict.claim]))

    def jobs(self, claims: Sequence[Claim], points: Sequence[Point], method: str = "auto") -> list[Job]:
        """What there is to decide at the points, and in which worlds.

        The dearest method of a point first: its claims need few draws, and what it leaves of the time is the others'.
        """
        claims = [claim for claim in claims if claim.kind not in ("rate", "reported")]
        return [job for point in points for job in [*self._world_jobs(claims, point, method)][::-1]]

    def sweeps(self, claims: Sequence[Claim]) -> list[Job]:
        """The rates among the claims, each over the sizes it names, by the cheapest method, the lemma's own too."""
        return [self._sweep(claim) for claim in claims if claim.kind == "rate" and claim.theory().sizes]

    def looks(self, claim: Claim, where: str) -> list[int]:
        """Draws at each look so far; kept with the records."""
        return self.store.manifest["looks"].setdefault(f"{claim.id} {where}", [])

    def tables(
        self, method: str, point: Point, count: int, deadline: float = math.inf
    ) -> Generator[pa.Table, None, None]:
        """Tables of the first `count` shards, or of all there are, in order, from the store or drawn and stored.

        A shard is looked for, read or drawn when its turn comes, or a little ahead of it, so that what is planned costs
        nothing. Once the deadline has passed, none is begun but the first, and those that run are all that is waited
        for.
        """
        size = self.shard_size(method, point)
        if units := self.study.methods[method].units:
            count = min(count, -(-units(**point) // size))
        world = self.study.name, method, tuple(point.items()), self.seed

        def shards(first: int) -> Iterator[Shard]:
            for index in range(first, count):
                if index and time.monotonic() > deadline:
                    return
                yield Shard(*world, index, size)

        arrived: dict[int, pa.Table] = {}
        with ExitStack() as stack:
            results = None
            for shard in shards(0):
                if shard.index not in arrived and (table := self._read(shard)) is not None:
                    yield table
                    continue
                if results is None:
                    missing = (other for other in shards(shard.index) if not self.store.holds(other))
                    results = stack.enter_context(closing(self.executor(missing)))
                while shard.index not in arrived:
                    if (result := next(results, None)) is None:  # the deadline has passed
                        return
                    self.store.write(*result)
                    arrived[result[0].index] = result[1]
                yield arrived.pop(shard.index)

    def shard_size(self, method: str, point: Point) -> int:
        """Draws that one shard of a world holds."""
        return shard_size(self.study.methods[method], point, self.backend)

    def _world_jobs(self, claims: Sequence[Claim], point: Point, method: str) -> Iterator[Job]:
        """Per method, the claims whose statistic it is the cheapest to offer."""
        taken: set[str] = set()
        for name in self._methods(point, method):
            offered = set(self.study.methods[name].statistics(**point)) - taken
            taken |= offered
            if self.study.methods[name].counts:  # of which a mean cannot be taken
                claims = [claim for claim in claims if claim.kind == "law"]
            chosen = [claim for claim in claims if offered.issuperset(claim.columns) and self._covers(claim, point)]
            if chosen:
                where = f"{name} {label(point)}"
                yield WorldJob(self, name, point, [Trial(claim, self.looks(claim, where)) for claim in chosen])

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
        return SweepJob(self, name, sweep, Trial(claim, self.looks(claim, f"{name} {rate.along}")))

    def _covers(self, claim: Claim, point: Point) -> bool:
        if claim.of_worlds:
            return point == {"claim": claim.id}
        if not claim.where(**point) or claim.two_sided:
            return claim.where(**point)
        try:
            stated(claim, point)
        except ValueError as limit:
            self.note(f"{claim.id} is not judged at {label(point)}: {limit}")
            return False
        return True

    def _methods(self, point: Point, method: str) -> list[str]:
        chosen = [name for name, way in self.study.methods.items() if way.blind] if method == "auto" else [method]
        obstacles = {name: self.study.methods[name].obstacle(**point) for name in chosen}
        usable = [name for name, obstacle in obstacles.items() if obstacle is None]
        if not usable:
            why = "; ".join(dict.fromkeys(filter(None, obstacles.values())))
            raise UsageError(f"--method {method} cannot be used at {label(point)}: {why}")
        return usable

    def _read(self, shard: Shard) -> pa.Table | None:
        """The table that the store has of it, None if it has none; a damaged one is drawn again at once."""
        try:
            return self.store.read(shard)
        except DamagedRecordError as damage:
            if not self.resume:
                raise DamagedRecordError(f"{damage}: add --resume to set it aside and draw it again") from None
            self.note(f"{damage}: set aside as {self.store.set_aside(shard).name}, drawing it again")
        with closing(self.executor(iter([shard]))) as results:
            ((_, table),) = results
        self.store.write(shard, table)
        return table
