"""A shard: a block of draws that can be computed anywhere, twice alike, from its coordinates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fragility.engine.backend import module
from fragility.engine.context import Context, using
from fragility.engine.fingerprint import fingerprint
from fragility.engine.records import counted_table, raw_table
from fragility.engine.study import Method, Point, Study, label

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fragility.backends import Backend

COUNTED_DRAWS = 1 << 20
STUDY = "STUDY"  # what a module calls its study


@dataclass(frozen=True)
class Shard:
    """Coordinates of a block of draws. Its numbers depend on nothing else.

    Parameters
    ----------
    study : name of the study: the module that defines it, such as "simulate.qr_product".
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
        within = self.study.rpartition(".")[2]  # its name in its room: a stream outlives a move to another room
        world = f"{within}|{self.method}|{label(dict(self.point))}|{self.seed}"
        return int.from_bytes(hashlib.blake2b(world.encode(), digest_size=16).digest(), "little")


def shard_size(method: Method, point: Point, backend: Backend) -> int:
    """Draws per shard: a power of two, decided by point and backend so that no run setting can change a number."""
    if method.block is not None:
        return method.block
    if method.counts:
        return COUNTED_DRAWS
    fitting = backend.world_bytes // (8 * method.floats(**point))
    return 1 << max(min(fitting, backend.world_bytes >> 11).bit_length() - 1, 0)


def find_study(name: str) -> Study:
    """The study of that name: `STUDY` of the module so called or, if that is a package, of its module `study`.

    Raises
    ------
    LookupError : there is none.
    """
    for home in (name, f"{name}.study"):
        try:
            study = getattr(import_module(home), STUDY, None)
        except ModuleNotFoundError as missing:
            if missing.name is None or not f"{home}.".startswith(f"{missing.name}."):
                raise
            study = None
        if isinstance(study, Study):
            return study
    raise LookupError(f"no study {name}: a module of that name, or its module study, must define {STUDY}")


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


def record(shard: Shard, backend: Backend, context: Context) -> pa.Table:
    """The shard's table, drawn and measured with what the context says of things outside."""
    with using(context):
        blocks = compute(shard, backend)
        counts = find_study(shard.study).methods[shard.method].counts
        return counted_table(blocks) if counts else raw_table(next(blocks))


def code(shard: Shard, backend: str, context: Context) -> str:
    """Fingerprint of the code that makes the shard's numbers, as it was when this process first asked."""
    with using(context):
        return _code(shard.study, shard.method, shard.point, backend, context.claims)


@cache
def _code(study: str, method: str, point: tuple[tuple[str, object], ...], backend: str, _claims: str) -> str:
    way = find_study(study).methods[method]
    drawn = (way.draw, way.measure, way.units, *way.uses(**dict(point)))
    return fingerprint(Shard, record, import_module(module(backend)), *drawn)
