"""The units of a campaign: claims that the draws of one world decide together, and rates that those of a sweep do."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Protocol

import pyarrow as pa

from fragility.claim import BESIDE, Claim
from fragility.engine.progress import duration
from fragility.engine.records import joined
from fragility.engine.store import Store
from fragility.engine.study import Point, label
from fragility.judging.bands import spend
from fragility.judging.draws import Draws
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import RULES, judge, needed, rate, reject_decoys
from fragility.judging.shelf import Shelf
from fragility.judging.verdict import Verdict

EARLY = 1 / 8  # of the draws needed: where a gross disagreement would end the drawing
FEWEST = 128  # draws that an early look is worth its share of the error rate for
HOPELESS = 4  # times what is left of the time
LONG = 3600.0  # seconds
SWEPT = 1024  # draws per size at the first look at a rate; four times as many at each further one


class Job(Protocol):
    """Something to decide."""

    chances: int  # verdicts that share the error rate

    @property
    def names(self) -> list[str]:
        """Of its claims."""
        ...

    @property
    def verdicts(self) -> list[Verdict]:
        """What was decided, or is blunt so far; empty before `decide`."""
        ...

    def remaining(self, alpha: float) -> float:
        """Draws the first shard if there is none; seconds that the others may take."""
        ...

    def foretold(self, alpha: float, deadline: float) -> str:
        """A line for the user if there is no hope to draw by the deadline all that is wanted, or it takes very long."""
        ...

    def decide(self, alpha: float, deadline: float) -> None:
        """Draws and looks until each verdict, at error rate `alpha`, is decided or the deadline has passed."""
        ...


@dataclass
class Trial:
    """One claim at one point, on its way to a verdict."""

    claim: Claim
    where: str  # which draws it is judged by, in words
    store: Store  # that keeps them, and count of the looks
    verdict: Verdict | None = None
    seen: Evidence | None = None  # what the verdict is on

    @property
    def decided(self) -> bool:
        return self.verdict is not None and self.verdict.outcome != "blunt"

    @property
    def looks(self) -> list[int]:
        """Draws at each look so far."""
        return self.store.looks.of(self._what)

    def look(self, samples: int) -> int:
        """Number of the look at so many draws; the same draws once more are no new look."""
        return self.store.look(self._what, samples)

    @property
    def _what(self) -> str:
        return f"{self.claim.id} {self.where}"


class WorldJob:
    """Claims whose statistics one method measures at one point, or at one beside another."""

    def __init__(
        self, draws: Draws, method: str, point: Point, trials: Sequence[Trial], beside: Point | None = None
    ) -> None:
        self.draws, self.method, self.point, self.trials, self.beside = draws, method, point, trials, beside
        self.chances = sum(RULES[trial.claim.kind].BY_CHANCE for trial in trials)

    @property
    def names(self) -> list[str]:
        return [trial.claim.id for trial in self.trials]

    @property
    def verdicts(self) -> list[Verdict]:
        return [trial.verdict for trial in self.trials if trial.verdict is not None]

    def remaining(self, alpha: float) -> float:
        """See `Job.remaining`."""
        shards = self._shards(self._plans(alpha)) - 1
        return shards * self.draws.pace(self.method, self.point) / self.draws.backend.concurrency

    def foretold(self, alpha: float, deadline: float) -> str:
        """See `Job.foretold`."""
        target = max(plan[-1] for plan in self._plans(alpha).values())
        return _foretold(f"{label(self.point)} {self.method}", target, self.remaining(alpha), deadline)

    def decide(self, alpha: float, deadline: float) -> None:
        """See `Job.decide`."""
        plans = self._plans(alpha)
        target = max(plan[-1] for plan in plans.values())
        shelf = Shelf(self._again)
        evidence: dict[int, Evidence] = {}

        def look(trial: Trial, samples: int) -> None:
            if samples not in evidence:
                evidence[samples] = Evidence(shelf.now(), samples)
            trial.seen = evidence[samples]
            error = spend(alpha, trial.look(trial.seen.samples))
            trial.verdict = judge(trial.claim, self.point, self.method, trial.seen, error)

        with closing(self._tables(self._shards(plans), deadline)) as arriving:
            for table in arriving:
                shelf.add(table)
                held = shelf.draws
                self.draws.progress(f"{label(self.point)} {self.method}", min(held, target), target)
                for trial in self.trials:
                    before = trial.seen.samples if trial.seen else 0
                    for samples in plans[trial.claim.statistic]:
                        if before < samples <= held and not trial.decided:
                            look(trial, samples)
                if all(trial.decided or plans[trial.claim.statistic][-1] <= held for trial in self.trials):
                    break
                if time.monotonic() > deadline:
                    break
        for trial in self.trials:
            if not trial.decided:
                look(trial, min(shelf.draws, plans[trial.claim.statistic][-1]))
            assert trial.verdict is not None
            assert trial.seen is not None
            trial.verdict = reject_decoys(trial.claim, trial.verdict, trial.seen)
        self.draws.store.save_manifest()

    def _tables(self, count: int, deadline: float) -> Generator[pa.Table, None, None]:
        """The shards of the point, with those of the other one beside them if there is one."""
        if self.beside is None:
            yield from self.draws.tables(self.method, self.point, count, deadline)
            return
        with ExitStack() as stack:
            both = [
                stack.enter_context(closing(self.draws.tables(self.method, point, count, deadline)))
                for point in (self.point, self.beside)
            ]
            for table, other in zip(*both, strict=False):  # the deadline may end one of them first
                yield joined(table, other, BESIDE)

    def _again(self, index: int) -> pa.Table:
        """The table of a shard that was there before."""
        table = self.draws.again(self.method, self.point, index)
        return (
            table if self.beside is None else joined(table, self.draws.again(self.method, self.beside, index), BESIDE)
        )

    def _needed(self, claim: Claim, alpha: float) -> int:
        """Draws that the claim needs; worlds are all looked at that a shard holds, since none can be a false alarm."""
        fewest = needed(claim, self.point, alpha)
        whole = self.draws.shard_size(self.method, self.point)
        return -(-fewest // whole) * whole if claim.of_worlds else fewest

    def _shards(self, plans: Mapping[str, list[int]]) -> int:
        target = max(plan[-1] for plan in plans.values())
        return -(-target // self.draws.shard_size(self.method, self.point))

    def _plans(self, alpha: float) -> dict[str, list[int]]:
        """Numbers of draws at which to look, per statistic: claims about the same values look together."""
        if self.draws.samples is not None:
            return {trial.claim.statistic: [self.draws.samples] for trial in self.trials}
        plans: dict[str, list[int]] = {}
        for statistic in {trial.claim.statistic for trial in self.trials}:
            together = [trial for trial in self.trials if trial.claim.statistic == statistic]
            # Earlier looks are repeated for nothing: what was decided at one of them stays so, without a new draw.
            earlier = {samples for trial in together for samples in trial.looks}

            def enough(look: int, together: Sequence[Trial] = together) -> int:
                return max(self._needed(trial.claim, spend(alpha, look)) for trial in together)

            last, taken = max(earlier, default=0), len(earlier)
            if last == math.ceil(EARLY * enough(taken + 1)):  # killed between two looks: the second comes as planned
                taken -= 1
            early = math.ceil(EARLY * enough(taken + 2))
            looks = {early, enough(taken + 2)} if early >= FEWEST else {enough(taken + 1)}
            plans[statistic] = sorted(earlier | {samples for samples in looks if samples > last})
        return plans


class SweepJob:
    """A rate, whose slope the draws at all its sizes decide."""

    chances = 1

    def __init__(self, draws: Draws, method: str, sweep: Mapping[int, Point], trial: Trial) -> None:
        self.draws, self.method, self.sweep, self.trial = draws, method, sweep, trial

    @property
    def names(self) -> list[str]:
        return [self.trial.claim.id]

    @property
    def verdicts(self) -> list[Verdict]:
        return [self.trial.verdict] if self.trial.verdict is not None else []

    def remaining(self, alpha: float) -> float:
        """See `Job.remaining`; the largest size stands for all."""
        largest = self.sweep[max(self.sweep)]
        shards = math.ceil(SWEPT / self.draws.shard_size(self.method, largest))
        pace = self.draws.pace(self.method, largest)
        return (len(self.sweep) * shards - 1) * pace / self.draws.backend.concurrency

    def foretold(self, alpha: float, deadline: float) -> str:
        """See `Job.foretold`; of the first look."""
        return _foretold(self.trial.claim.id, self.draws.samples or SWEPT, self.remaining(alpha), deadline)

    def decide(self, alpha: float, deadline: float) -> None:
        """See `Job.decide`."""
        for step in count():
            samples = self.draws.samples or SWEPT * 4**step
            evidence = {}
            for size, point in self.sweep.items():
                shelf = Shelf(partial(self.draws.again, self.method, point))
                for table in self._tables(point, samples, deadline):
                    shelf.add(table)
                    self.draws.progress(f"{self.trial.claim.id} at {label(point)}", min(shelf.draws, samples), samples)
                if shelf.draws < samples:  # the deadline has passed: the last look stands, if there was one
                    return
                evidence[size] = Evidence(shelf.now(), samples)
            fewest = min(seen.samples for seen in evidence.values())
            error = spend(alpha, self.trial.look(fewest))
            self.trial.verdict = rate.judge(self.trial.claim, self.method, evidence, error)
            self.draws.store.save_manifest()
            if self.trial.decided or self.draws.samples or time.monotonic() > deadline:
                return

    def _tables(self, point: Point, samples: int, deadline: float) -> Iterator[pa.Table]:
        shards = -(-samples // self.draws.shard_size(self.method, point))
        return self.draws.tables(self.method, point, shards, deadline)


def _foretold(what: str, target: int, seconds: float, deadline: float) -> str:
    left = deadline - time.monotonic()
    takes = f"{what} needs {target:,} draws, about {duration(seconds)}"
    if seconds > HOPELESS * max(left, 1.0):
        return f"{takes}: there is time for {duration(max(left, 0.0))} of it, after which some verdicts stay blunt"
    return f"{takes}; what is drawn is kept" if seconds > LONG else ""
