"""Tables of the shards of one world, as many as there may be in as little memory as there is.

The first ones stay in memory; those beyond are read again from the store whenever they are gone through. Tables of
counts are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from fragility.engine.records import drawn, is_counted, merged

MOST_BYTES = 1 << 25  # of tables in memory: a pass over those on disk costs less than it took to draw them
MOST_COUNTED = 2  # tables of counts that wait to be added up


class Shelf:
    """Tables in the order of their shards, without a hole.

    Parameters
    ----------
    again : the table of the shard of that index, as it was added.
    """

    def __init__(self, again: Callable[[int], pa.Table]) -> None:
        self._again = again
        self._near: list[pa.Table] = []
        self._bytes, self._count, self.draws = 0, 0, 0

    def add(self, table: pa.Table) -> None:
        """Puts the next table there."""
        self._count += 1
        self.draws += drawn([table])
        if is_counted(table):
            self._near.append(table)
            if len(self._near) > MOST_COUNTED:
                self._near = [merged(self._near)]
        elif self._bytes <= MOST_BYTES and len(self._near) == self._count - 1:
            self._near.append(table)
            self._bytes += table.nbytes

    def __iter__(self) -> Iterator[pa.Table]:
        near = self._near[:]
        yield from near
        if not is_counted(near[0]):
            for index in range(len(near), self._count):
                yield self._again(index)

    def now(self) -> Shelf | list[pa.Table]:
        """What stands there now, to be gone through whatever is added later."""
        return self._near[:] if self._near and is_counted(self._near[0]) else self
