"""A shard: a block of draws that can be computed anywhere, twice alike, from its coordinates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from simulate.engine.records import counted_table, raw_table
from simulate.engine.study import Method, Point, Study, label

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from simulate.backends import Backend

COUNTED_DRAWS = 1 << 20
ROOMS = ("simulate", "empirical")  # where studies live


@dataclass(frozen=True)
class Shard:
    """Coordinates of a block of draws. Its numbers depend on nothing else.

    Parameters
    ----------
    study : name of the study, a module of one of the `ROOMS`.
    method, point : which world; the point as ((axis, value), ...).
    seed : of the run.
    index : position of the block among the draws of this world.
    size : draws in a block, the same for all blocks of a world but the last of a finite population.
    """

    study: str
    method: str
    point: tuple[tuple[str, object], ...]
    seed: int
    index: int
    size: int

    @property
    def key(self) -> int:
        """128-bit key of the shard's stream; `index` is its counter."""
        world = f"{self.study}|{self.method}|{label(dict(self.point))}|{self.seed}"
        return int.from_bytes(hashlib.blake2b(world.encode(), digest_size=16).digest(), "little")


def shard_size(method: Method, point: Point, backend: Backend) -> int:
    """Draws per shard: a power of two, decided by point and backend so that no run setting can change a number."""
    if method.block is not None:
        return method.block
    if method.counts:
        return COUNTED_DRAWS
    fitting = backend.world_bytes // (8 * method.floats(**point))
    return 1 << max(min(fitting, backend.world_bytes >> 11).bit_length() - 1, 0)


def home(study: str) -> str:
    """The module that defines the study of that name.

    Raises
    ------
    LookupError : no room has one.
    """
    for room in ROOMS:
        if find_spec(room) and find_spec(f"{room}.{study}"):
            return f"{room}.{study}"
    raise LookupError(f"no study {study} in {' or '.join(ROOMS)}")


def find_study(name: str) -> Study:
    """The study of that name."""
    return import_module(home(name)).STUDY


def compute(shard: Shard, backend: Backend) -> Iterator[Mapping[str, np.ndarray]]:
    """Draws and measures a shard, block by block: {statistic: (block, ...)} in host memory."""
    method = find_study(shard.study).methods[shard.method]
    point = dict(shard.point)
    stream = backend.stream(shard.key, shard.index)
    if method.units:
        first = shard.index * shard.size
        units = range(first, min(first + shard.size, method.units(**point)))
        yield _measured(method, backend, method.draw(stream, units, **point), point)
        return
    # Counted worlds are a handful of scalars a draw: blocks that stay in a CPU's cache, or fill a GPU.
    block = min(shard.size, backend.world_bytes >> 12) if method.counts else shard.size
    for _ in range(shard.size // block):
        yield _measured(method, backend, method.draw(stream, block, **point), point)


def _measured(method: Method, backend: Backend, world: Any, point: Point) -> Mapping[str, np.ndarray]:
    return {name: backend.numpy(value) for name, value in method.measure(backend, world, **point).items()}


def record(shard: Shard, backend: Backend) -> pa.Table:
    """The shard's table, drawn and measured."""
    blocks = compute(shard, backend)
    return counted_table(blocks) if find_study(shard.study).methods[shard.method].counts else raw_table(next(blocks))
