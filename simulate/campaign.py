"""Draw until every verdict is decided, or until the samples or the time that were granted are used up.

A claim is looked at once on the way to the draws that its tolerance needs, and again there, each look at its share of
the error rate (`bands.spend`), so that a gross disagreement ends early and stopping never spoils a verdict. Looks are
kept in the manifest: a later run that goes on from the same records goes on spending, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa
from threadpoolctl import threadpool_limits

from simulate.backends import Backend
from simulate.bands import spend
from simulate.engine.executor import Executor
from simulate.engine.records import drawn
from simulate.engine.shard import Shard, shard_size
from simulate.engine.store import DamagedRecordError, Store
from simulate.engine.study import Point, Study, UsageError, label
from simulate.verify import Evidence, Verdict, judge, needed, reject_decoys
from theory.claim import Claim

EARLY = 1 / 8  # of the draws needed: where a gross disagreement would end the drawing
FEWEST = 128  # draws that an early look is worth its share of the error rate for
Progress = Callable[[str, int, int], None]  # what runs, draws so far, draws wanted


@dataclass
class Trial:
    """One claim at one point, on its way to a verdict."""

    claim: Claim
    point: Point
    method: str
    looks: list[int]  # draws at each look so far
    verdict: Verdict | None = None

    @property
    def decided(self) -> bool:
        return self.verdict is not None and self.verdict.outcome != "blunt"


@dataclass(frozen=True)
class Campaign:
    """How a study is run.

    Parameters
    ----------
    alpha : error rate of the whole run, split evenly over its trials.
    seed : of all streams.
    samples : draws per point, or None for as many as the verdicts need.
    budget : seconds after which no new draws are waited for.
    resume : whether damaged records are set aside and drawn again.
    note : takes one line for the user.
    """

    study: Study
    backend: Backend
    executor: Executor
    store: Store
    alpha: float = 0.05
    seed: int = 0
    samples: int | None = None
    budget: float = math.inf
    resume: bool = False
    progress: Progress = lambda *_: None
    note: Callable[[str], None] = lambda _: None

    def run(self, claims: Sequence[Claim], points: Sequence[Point], method: str) -> list[Verdict]:
        """Verdicts on all `claims` that speak of the study's statistics, at all points where they hold.

        Raises
        ------
        UsageError : the method cannot be used at a point.
        DamagedRecordError : a record cannot be read, and `resume` is off.
        """
        deadline = time.monotonic() + self.budget
        # The dearest method of a point first: its claims need few draws, and what it leaves of the time is the others'.
        groups = [group for point in points for group in [*self._trials(claims, point, method)][::-1]]
        if not groups:
            raise UsageError("no claim speaks of these points: their theory ends before them")
        trials = [trial for group in groups for trial in group]
        with threadpool_limits(1):  # two BLAS threads on one matrix are slower than two matrices, and spin when crowded
            for left, group in zip(range(len(groups), 0, -1), groups, strict=True):
                now = time.monotonic()
                self._decide(group, self.alpha / len(trials), now + (deadline - now) / left)
        order = {claim.id: position for position, claim in enumerate(claims)}
        trials.sort(key=lambda trial: (points.index(trial.point), order[trial.claim.id]))
        return [trial.verdict for trial in trials if trial.verdict is not None]

    def _trials(self, claims: Sequence[Claim], point: Point, method: str) -> Iterator[list[Trial]]:
        """Per method, the claims whose statistic it is the cheapest to offer."""
        looks = self.store.manifest["looks"]
        taken: set[str] = set()
        for name in self._methods(point, method):
            offered = set(self.study.methods[name].statistics(**point)) - taken
            taken |= offered
            if self.study.methods[name].counts:  # of which a mean cannot be taken
                claims = [claim for claim in claims if claim.kind == "law"]
            chosen = [claim for claim in claims if claim.statistic in offered and self._covers(claim, point)]
            if chosen:
                yield [
                    Trial(claim, point, name, looks.setdefault(f"{claim.id} {name} {label(point)}", []))
                    for claim in chosen
                ]

    def _covers(self, claim: Claim, point: Point) -> bool:
        if not claim.where(**point):
            return False
        try:
            claim.theory(**point)
        except ValueError as limit:
            self.note(f"{claim.id} is not judged at {label(point)}: {limit}")
            return False
        return True

    def _methods(self, point: Point, method: str) -> list[str]:
        chosen = [name for name, way in self.study.methods.items() if way.blind] if method == "auto" else [method]
        obstacles = {name: self.study.methods[name].obstacle(**point) for name in chosen}
        usable = [name for name, obstacle in obstacles.items() if obstacle is None]
        if not usable:
            raise UsageError(f"--method {method} cannot be used at {label(point)}: {obstacles[chosen[-1]]}")
        return usable

    def _decide(self, trials: list[Trial], alpha: float, deadline: float) -> None:
        """Draws and looks until the trials, all of one world, are decided or the deadline has passed."""
        point, method = trials[0].point, trials[0].method
        plans = self._plans(trials, alpha)
        target = max(plan[-1] for plan in plans.values())
        count = math.ceil(target / shard_size(self.study.methods[method], point, self.backend))
        tables: list[pa.Table] = []
        evidence: dict[int, Evidence] = {}

        def look(trial: Trial, samples: int) -> None:
            seen = evidence.setdefault(samples, Evidence(tables[:], samples))
            if seen.samples not in trial.looks:
                trial.looks.append(seen.samples)  # the same draws once more are no new look
            number = trial.looks.index(seen.samples) + 1
            trial.verdict = judge(trial.claim, point, method, seen, spend(alpha, number))

        held = 0
        with closing(self._tables(method, point, count)) as arriving:
            for table in arriving:
                tables.append(table)
                held += drawn([table])
                self.progress(f"{label(point)} {method}", min(held, target), target)
                for trial in trials:
                    plan = plans[trial.claim.statistic]
                    before = trial.verdict.samples if trial.verdict else 0
                    for samples in plan:
                        if before < samples <= held and not trial.decided:
                            look(trial, samples)
                if all(trial.decided or plans[trial.claim.statistic][-1] <= held for trial in trials):
                    break
                if time.monotonic() > deadline:
                    break
        for trial in trials:
            if not trial.decided:
                look(trial, min(held, plans[trial.claim.statistic][-1]))
            assert trial.verdict is not None
            last = evidence.setdefault(trial.verdict.samples, Evidence(tables, trial.verdict.samples))
            trial.verdict = reject_decoys(trial.claim, trial.verdict, last)
        self.store.save_manifest()

    def _plans(self, trials: Sequence[Trial], alpha: float) -> dict[str, list[int]]:
        """Numbers of draws at which to look, per statistic: claims about the same values look together."""
        if self.samples is not None:
            return {trial.claim.statistic: [self.samples] for trial in trials}
        plans: dict[str, list[int]] = {}
        for statistic in {trial.claim.statistic for trial in trials}:
            together = [trial for trial in trials if trial.claim.statistic == statistic]
            # Earlier looks are repeated for nothing: what was decided at one of them stays so, without a new draw.
            earlier = {samples for trial in together for samples in trial.looks}

            def enough(look: int, together: Sequence[Trial] = together) -> int:
                return max(needed(trial.claim, trial.point, spend(alpha, look)) for trial in together)

            early = math.ceil(EARLY * enough(len(earlier) + 2))
            looks = {early, enough(len(earlier) + 2)} if early >= FEWEST else {enough(len(earlier) + 1)}
            plans[statistic] = sorted(earlier | looks)
        return plans

    def _tables(self, method: str, point: Point, count: int) -> Generator[pa.Table, None, None]:
        """Tables of the first `count` shards in order, from the store or newly drawn (and then stored)."""
        size = shard_size(self.study.methods[method], point, self.backend)
        wanted = [
            Shard(self.study.name, method, tuple(point.items()), self.seed, index, size) for index in range(count)
        ]
        held = {shard.index: table for shard in wanted if (table := self._read(shard)) is not None}
        missing = [shard for shard in wanted if shard.index not in held]
        with closing(self.executor(iter(missing))) as results:
            for index in range(count):
                while index not in held:
                    shard, table = next(results)
                    self.store.write(shard, table)
                    held[shard.index] = table
                yield held.pop(index)

    def _read(self, shard: Shard) -> pa.Table | None:
        try:
            return self.store.read(shard)
        except DamagedRecordError as damage:
            if not self.resume:
                raise DamagedRecordError(f"{damage}: add --resume to set it aside and draw it again") from None
            self.note(f"{damage}: set aside as {self.store.set_aside(shard).name}, drawing it again")
            return None
