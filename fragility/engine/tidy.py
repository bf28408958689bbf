"""Records as tidy columns with their coordinates: a row per draw, per entry of what one gives, or per cell of counts.

Every shard is read whole, since its checksum is of the whole, and only what is asked for is kept of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fragility.engine.files import DamagedRecordError, reason
from fragility.engine.memory import check_memory
from fragility.engine.records import cell_floor, column, counts, is_counted, shape
from fragility.engine.statistics import Statistic
from fragility.engine.store import UNREADABLE, held_shard, read_manifest, shards
from fragility.engine.study import Point, UsageError, label

RUN = ("method", "seed", "draw")  # coordinates beside the axes of the point
RECORDED, AXIS = "_recorded", "_axis"  # behind the name of a statistic, or an axis, that is called like a coordinate
SHOWN = 5  # names that an error repeats
Columns = dict[str, np.ndarray]
Described = Mapping[str, Statistic]


@dataclass(frozen=True)
class Tidy:
    """Tables of columns, one for each world or each statistic of a world.

    Parameters
    ----------
    rows : what a row is: one of the "draws", one of the "entries" of what draws give, or one of the "cells" of counts.
    statistics : by the name of its column; of cells, by its own.
    """

    rows: str
    tables: Sequence[Columns]
    statistics: Mapping[str, str]


@dataclass(frozen=True)
class World:
    """One world of a run, as its first file tells of it.

    Parameters
    ----------
    study, method, point, seed : coordinates of its shards.
    folder : where their files lie.
    schema : columns of their tables.
    """

    study: str
    method: str
    point: Point
    seed: int
    folder: Path
    schema: pa.Schema

    @property
    def counted(self) -> bool:
        """Whether it holds counts in place of draws."""
        return is_counted(self.schema.empty_table())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of what one draw has, by statistic; of a counted world none."""
        return {} if self.counted else {field.name: shape(field) for field in self.schema}

    @property
    def files(self) -> list[Path]:
        """The files of its shards."""
        return sorted(self.folder.glob("*.parquet"))

    def coordinates(self, **more: Any) -> dict[str, Any]:
        """The axes of its point as a column each may have them, method and seed, and `more`."""
        of_run = {"method": self.method, "seed": self.seed, **more}
        return {free(axis, RUN, AXIS): written(value) for axis, value in self.point.items()} | of_run


def worlds(run: Path, methods: Sequence[str] | None = None, points: Sequence[Point] | None = None) -> list[World]:
    """The worlds of a run, in the order of the points of its last command and then by name.

    Parameters
    ----------
    methods : those to read, or all of them.
    points : values of some axes; a world is read if its point has all that one of these names, or if there are none.

    Raises
    ------
    FileNotFoundError : there are no records in the folder.
    DamagedRecordError : a file, or the manifest, cannot be what was written.
    UsageError : there are records, and none of what is asked for.
    """
    last = [
        label({axis: entries(value) for axis, value in one.items()}) for one in read_manifest(run).get("points", ())
    ]
    held = [_world(path) for path in sorted(run.glob("*/*/000000.parquet"))]
    if not held:
        raise FileNotFoundError(f"no records in {run}")
    held.sort(key=lambda one: last.index(label(one.point)) if label(one.point) in last else len(last))
    chosen = [
        one
        for one in held
        if (methods is None or one.method in methods)
        and (points is None or any(_meets(one.point, some) for some in points))
    ]
    if not chosen:
        names = [f"{one.method} {label(one.point)}" for one in held]
        raise UsageError(f"method and points must be among those of {run} ({_few(names)}), got none of them")
    return chosen


def of_draws(
    chosen: Sequence[World], statistics: Sequence[str] | None, samples: int | None, described: Described
) -> Tidy:
    """A table per world: a row for each draw, or each entry of what it gives, with its coordinates.

    Parameters
    ----------
    statistics : those to keep; by default all that are one number per draw. Those of other shapes share one, and only
        worlds that record one of these are read then.
    samples : draws of each world to read at most.
    described : what is known of the statistics, among it the names of their axes.

    Raises
    ------
    UsageError : some of the worlds hold counts; no world has such statistics, or they differ in shape; or the columns
        would not fit in memory.
    DamagedRecordError : a file cannot be what was written.
    """
    if counted := [f"{one.method} {label(one.point)}" for one in chosen if one.counted]:
        raise UsageError(
            f"records of single draws are needed, got counts of {_few(counted)}: counts=True gives these as cells, and "
            "method= chooses others"
        )
    kept = [(one, names) for one in chosen if (names := _kept(one, statistics))]
    held = ", ".join(dict.fromkeys(name for one in chosen for name in one.shapes))
    found = {name for _, names in kept for name in names}
    if lacking := [name for name in statistics or () if name not in found]:
        raise UsageError(f"statistics must be among {held}, got {', '.join(lacking)}")
    if not kept:
        raise UsageError(f"statistics must be named where none is a single number: {held}")
    if entered := [(one, names) for one, names in kept if _several(one, names)]:
        kept = entered  # a row is an entry then, and what has none has no row
    several = [_several(one, names) for one, names in kept]
    rows = sum(_draws(one, samples) * math.prod(shape) for (one, _), shape in zip(kept, several, strict=True))
    axes = {axis for one, _ in kept for axis in one.point}
    width = len(axes) + len(RUN) + len(found) + max(map(len, several))
    way_out = "choose fewer statistics, points or samples"
    check_memory(f"a frame of {rows:,} rows and {width} columns", rows * width, 8, way_out)
    tables, columns = list[Columns](), dict[str, str]()
    for one, names in kept:
        tables.append(_of_world(one, names, samples, described))
        columns |= zip([*tables[-1]][-len(names) :], names, strict=True)  # statistics come last
    return Tidy("entries" if any(several) else "draws", tables, columns)


def of_cells(chosen: Sequence[World], statistics: Sequence[str] | None) -> Tidy:
    """A table per statistic of a counted world: a row for each cell [low, high), with the number of draws in it.

    Raises
    ------
    UsageError : no world holds counts, or none of these statistics.
    DamagedRecordError : a file cannot be what was written.
    """
    counted = [one for one in chosen if one.counted]
    if not counted:
        raise UsageError(f"counts=True needs records of counts, got draws of {_few([one.method for one in chosen])}")
    found, held = [], dict[str, None]()
    for one in counted:
        tables = list(shards(one.folder.parent.parent, one.study, one.method, one.point))
        names = dict.fromkeys(name for table in tables for name in pc.unique(table["statistic"]).to_pylist())
        held |= names
        for name in names if statistics is None else [name for name in statistics if name in names]:
            edges, below = counts(tables, name)
            inside = {"low": cell_floor(edges), "high": edges, "count": np.diff(below, prepend=0)}
            found.append(_filled(one.coordinates(statistic=name), len(edges)) | inside)
    if lacking := [name for name in statistics or () if name not in held]:
        raise UsageError(f"statistics must be among {', '.join(held)}, got {', '.join(lacking)}")
    return Tidy("cells", found, {name: name for name in held if statistics is None or name in statistics})


def free(name: str, taken: Iterable[str], suffix: str) -> str:
    """The name, with the suffix as often as it takes to be none of those that are taken."""
    return name if name not in taken else free(name + suffix, taken, suffix)


def written(value: Any) -> Any:
    """A value of an axis that a cell can hold: a number or a text as it is, several as a point's name has them."""
    value = entries(value)
    return label({"": value}).removeprefix("=") if isinstance(value, tuple) else value


def entries(value: Any) -> Any:
    """Several values as a point has them."""
    return tuple(value) if isinstance(value, list) else value


def _world(path: Path) -> World:
    said, schema = held_shard(path)
    return World(said["study"], said["method"], dict(said["point"]), said["seed"], path.parent, schema)


def _meets(point: Point, some: Point) -> bool:
    return all(axis in point and point[axis] == entries(value) for axis, value in some.items())


def _kept(one: World, statistics: Sequence[str] | None) -> list[str]:
    """Names of the statistics to keep of a world."""
    if statistics is None:
        return [name for name, shape in one.shapes.items() if not shape]
    return [name for name in dict.fromkeys(statistics) if name in one.shapes]


def _several(one: World, names: Sequence[str]) -> tuple[int, ...]:
    """The shape that the statistics share, () where all are single numbers.

    Raises
    ------
    UsageError : they differ in shape.
    """
    shapes = {name: one.shapes[name] for name in names if one.shapes[name]}
    if len({*shapes.values()}) > 1:
        said = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise UsageError(
            f"statistics of one frame must be numbers or share a shape, got {said} at {label(one.point)}: ask for each "
            "by itself"
        )
    return next(iter(shapes.values()), ())


def _draws(one: World, samples: int | None) -> int:
    """Draws of a world to be read, as its files announce them."""
    try:
        held = sum(pq.read_metadata(path).num_rows for path in one.files)
    except UNREADABLE as error:
        raise DamagedRecordError(f"a file of {one.folder} is damaged ({reason(error)})") from None
    return held if samples is None else min(samples, held)


def _of_world(one: World, names: Sequence[str], samples: int | None, described: Described) -> Columns:
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    left = math.inf if samples is None else samples
    drawn = 0
    for table in shards(one.folder.parent.parent, one.study, one.method, one.point):
        table = table.slice(0, int(min(left - drawn, len(table))))
        drawn += len(table)
        for name in names:
            parts[name].append(column(table, name))
        if drawn >= left:
            break
    several = _several(one, names)
    each = math.prod(several)
    found = _filled(one.coordinates(), drawn * each) | {"draw": np.repeat(np.arange(drawn), each)}
    places = np.indices(several).reshape(len(several), each)
    for name, place in zip(_indices(one, names, described), places, strict=True):
        found[free(name, found, "_")] = np.tile(place, drawn)
    taken = tuple(found)
    for name in names:
        values = np.concatenate(parts.pop(name))
        found[free(name, taken, RECORDED)] = values.reshape(-1) if one.shapes[name] else np.repeat(values, each)
    return found


def _indices(one: World, names: Sequence[str], described: Described) -> list[str]:
    """Names of the columns that number the entries of a statistic: after its axes, where these are described."""
    several = next((name for name in names if one.shapes[name]), None)
    if several is None:
        return []
    axes = described[several].shape if several in described else ()
    axes = axes if len(axes) == len(one.shapes[several]) else one.shapes[several]
    return [f"{axis}_index" if isinstance(axis, str) else f"index_{place}" for place, axis in enumerate(axes)]


def _filled(values: Mapping[str, Any], rows: int) -> Columns:
    """A column of equal values for each."""
    return {name: np.full(rows, value, dtype=None if _is_number(value) else object) for name, value in values.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float) and not (isinstance(value, int) and abs(value) >> 63)


def _few(names: Sequence[str]) -> str:
    """The first of some names, once each."""
    once = list(dict.fromkeys(names))
    return ", ".join(once[:SHOWN]) + (f" and {len(once) - SHOWN} more" if len(once) > SHOWN else "")
