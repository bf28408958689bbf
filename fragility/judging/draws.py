"""The draws of a study's worlds: from the store as far as it has them, and else drawn and stored."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pyarrow as pa

from fragility.backends import Backend
from fragility.engine.executor import Executor
from fragility.engine.shard import Shard, shard_size
from fragility.engine.store import DamagedRecordError, Store
from fragility.engine.study import Point, Study, label

Progress = Callable[[str, int, int], None]  # what runs, draws so far, draws wanted


@dataclass(frozen=True)
class Draws:
    """How a study is drawn.

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
                    # This one in any case: another run in the same folder may have written it since it was looked for.
                    missing = (other for other in shards(shard.index) if other == shard or not self.store.holds(other))
                    results = stack.enter_context(closing(self.executor(missing)))
                while shard.index not in arrived:
                    if (result := next(results, None)) is None:  # the deadline has passed
                        return
                    self.store.write(*result)
                    arrived[result[0].index] = result[1]
                yield arrived.pop(shard.index)

    def again(self, method: str, point: Point, index: int) -> pa.Table:
        """The table of a shard that `tables` has given before."""
        size = self.shard_size(method, point)
        table = self._read(Shard(self.study.name, method, tuple(point.items()), self.seed, index, size))
        assert table is not None, "a record does not go away"
        return table

    def shard_size(self, method: str, point: Point) -> int:
        """Draws that one shard of a world holds."""
        return shard_size(self.study.methods[method], point, self.backend)

    def pace(self, method: str, point: Point) -> float:
        """Seconds that a shard of a world takes, from drawing its first one; kept with the records."""
        paces = self.store.manifest.setdefault("pace", {})
        world = f"{method} {label(point)}"
        if world not in paces:
            start = time.monotonic()
            for _ in self.tables(method, point, 1):
                paces[world] = round(time.monotonic() - start, 6)
        return paces[world]

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
