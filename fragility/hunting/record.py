"""Restarts of a hunt as records: each decided by claim, seed and index alone, and written whole or not at all."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from fragility.engine.shard import Shard
from fragility.engine.store import DamagedRecordError, Store
from fragility.hunting.judge import Judge
from fragility.hunting.search import TRIALS, restart
from fragility.hunting.shrink import shrunk
from fragility.hunting.written import contradicts, length, point_of, written
from fragility.space import Point, exact

STUDY = "simulate.hunt"  # the command whose records they are, by name
SEARCH, SHRINK = "search", "shrink"
COLUMNS = {  # of the one row of a record, by stage
    SEARCH: {"trials": int, "first": int, "ratio": float, "gap": float, "sizes": str, "point": str},
    SHRINK: {
        "certain": int,
        "tried": int,
        "numbers": int,
        "characters": int,
        "numbers_found": int,
        "characters_found": int,
        "world": str,
    },
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Hunt:
    """What was found, or how hard was looked.

    Parameters
    ----------
    restarts, trials : of the search, in all.
    ratio : largest left over right; minus infinity where right was never positive, and for identities.
    gap : largest failure, relative to 1 + |right|.
    seconds : of this run.
    world : of the witness, as it can be stored; None if nothing was found.
    certain : whether the stored form of the witness contradicts the claim in exact arithmetic.
    size, size_found : numbers in the witness and the characters that they take, shrunk and as found.
    tried : candidates of shrinking.
    """

    claim: str
    restarts: int = 0
    trials: int = 0
    ratio: float = -math.inf
    gap: float = -math.inf
    seconds: float = 0.0
    world: Row | None = None
    certain: bool = False
    size: tuple[int, int] | None = None
    size_found: tuple[int, int] | None = None
    tried: int = 0


@dataclass(frozen=True)
class Hunter:
    """Goes through the restarts of one claim, in order, until one ends at a certain witness.

    Parameters
    ----------
    resume : whether damaged records are set aside and made again.
    note : takes one line for the user.
    """

    judge: Judge
    store: Store
    seed: int
    resume: bool = False
    note: Callable[[str], None] = lambda _: None

    def run(self, restarts: int | None, budget: float) -> Hunt:
        """Looks in `restarts` restarts or for `budget` seconds; those on record count, but take no time.

        Raises
        ------
        DamagedRecordError : a record cannot be read, and `resume` is off.
        """
        start = time.monotonic()
        hunt = Hunt(self.judge.claim.id)
        with threadpool_limits(1):
            for index in count() if restarts is None else range(restarts):
                row = self._row(SEARCH, index, make=index == 0 or time.monotonic() < start + budget)
                if row is None:
                    break
                hunt = self._after(hunt, row, index)
                if hunt.certain:
                    break
        return replace(hunt, seconds=time.monotonic() - start)

    def _after(self, hunt: Hunt, row: Row, index: int) -> Hunt:
        ratio, gap = max(hunt.ratio, row["ratio"]), max(hunt.gap, row["gap"])
        hunt = replace(hunt, restarts=index + 1, trials=hunt.trials + row["trials"], ratio=ratio, gap=gap)
        if not row["first"]:
            return hunt
        small = self._row(SHRINK, index, make=True)
        assert small is not None
        return replace(
            hunt,
            world=json.loads(small["world"]),
            certain=bool(small["certain"]),
            size=(small["numbers"], small["characters"]),
            size_found=(small["numbers_found"], small["characters_found"]),
            tried=small["tried"],
        )

    def _row(self, stage: str, index: int, make: bool) -> Row | None:
        """One record, from disk or, if `make`, made now."""
        shard = self._shard(stage, index)
        try:
            row = self._read(shard)
        except DamagedRecordError as damage:
            if not self.resume:
                raise DamagedRecordError(f"{damage}: --resume sets it aside and makes it again") from None
            self.note(f"{damage}: set aside as {self.store.set_aside(shard)}")
            row = None
        if row is None and make:
            row = (self._search if stage == SEARCH else self._shrink)(shard)
            self.store.write(shard, pa.table({name: pa.array([value]) for name, value in row.items()}))
        return row

    def _read(self, shard: Shard) -> Row | None:
        table = self.store.read(shard)
        if table is None:
            return None
        rows = table.to_pylist()
        if len(rows) != 1 or {name: type(value) for name, value in rows[0].items()} != COLUMNS[shard.method]:
            raise DamagedRecordError(f"{self.store.path(shard)} is damaged (it holds no row of a {shard.method})")
        return rows[0]

    def _shard(self, stage: str, index: int) -> Shard:
        return Shard(STUDY, stage, (("claim", self.judge.claim.id),), self.seed, index, TRIALS)

    def _search(self, shard: Shard) -> Row:
        """Trials, the first failing one (0: none), best ratio and gap; shape and point where the search was highest."""
        done = restart(self.judge, np.random.default_rng([shard.key, shard.index]))
        point = done.point or Point({}, {})
        return {
            "trials": done.trials,
            "first": done.first,
            "ratio": done.tightest,
            "gap": done.highest.excess,
            "sizes": json.dumps(point.sizes),
            "point": json.dumps(written(dict(exact(point).parts))),
        }

    def _shrink(self, shard: Shard) -> Row:
        """The shrunk witness of a restart that failed."""
        row = self._row(SEARCH, shard.index, make=True)
        assert row is not None
        found = point_of(json.loads(row["sizes"]), json.loads(row["point"]))
        small, certain, tried = shrunk(self.judge, found)
        world = self._written(small)
        numbers, characters = length(world)
        numbers_found, characters_found = length(self._written(found))
        return {
            "certain": int(certain and contradicts(self.judge.claim, world)),
            "tried": tried,
            "numbers": numbers,
            "characters": characters,
            "numbers_found": numbers_found,
            "characters_found": characters_found,
            "world": json.dumps(world),
        }

    def _written(self, point: Point) -> Row:
        return written(self.judge.space.world(point))
