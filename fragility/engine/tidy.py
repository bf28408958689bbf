"""Records as tidy columns with their coordinates: a row per draw, per entry of what one gives, or per cell of counts.

Every shard is read whole, since its checksum is of the whole, and only what is asked for is kept of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fragility.engine.files import DamagedRecordError, reason
from fragility.engine.memory import check_memory
from fragility.engine.records import cell_floor, column, counts, is_counted, shape
from fragility.engine.statistics import Statistic
from fragility.engine.store import UNREADABLE, held_shard, read_manifest, shards
from fragility.engine.store import name as file_name
from fragility.engine.study import Point, UsageError, label

RUN = ("method", "seed", "draw")  # coordinates beside the axes of the point
RECORDED, AXIS = "_recorded", "_axis"  # behind the name of a statistic, or an axis, that is called like a coordinate
CELL = ("low", "high", "count")
SHOWN = 5  # names that an error repeats
Described = Mapping[str, Statistic]


class Labels(NamedTuple):
    """A column of a few different values: the place of each among these."""

    codes: np.ndarray
    values: list[Any]


Column: TypeAlias = np.ndarray | Labels


@dataclass(frozen=True)
class Tidy:
    """Columns of equal length.

    Parameters
    ----------
    rows : what a row is: one of the "draws", one of the "entries" of what draws give, or one of the "cells" of counts.
    statistics : by the name of its column; of cells, by its own.
    """

    rows: str
    columns: Mapping[str, Column]
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
        """The files of its shards, in order, up to the first that is missing."""
        return list(takewhile(Path.exists, (self.folder / file_name(index) for index in count())))

    def coordinates(self, **more: Any) -> dict[str, Any]:
        """The axes of its point as a column each may have them, method and seed, and `more`."""
        of_run = {"method": self.method, "seed": self.seed, **more}
        return {free(axis, RUN, AXIS): written(value) for axis, value in self.point.items()} | of_run


@dataclass(frozen=True)
class Block:
    """What is read of a world.

    Parameters
    ----------
    names : of statistics.
    draws : how many.
    shape : that the statistics share, () where all are single numbers.
    """

    world: World
    names: Sequence[str]
    draws: int
    shape: tuple[int, ...]

    @property
    def rows(self) -> int:
        """A draw has one, or one for each entry."""
        return self.draws * math.prod(self.shape)


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
    """A row for each draw of the worlds, or each entry of what a draw gives, with its coordinates.

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
    blocks = _blocks(chosen, statistics, samples)
    rows = sum(block.rows for block in blocks)
    names = list(dict.fromkeys(own for block in blocks for own in block.names))
    indices = _indices(blocks[0], described)
    axes = {axis for block in blocks for axis in block.world.point}
    wide = len(axes) + len(RUN) + len(indices) + len(names)
    needed = rows * (2 + len(indices) + len(names))  # at least: numbers of the draw and the seed, but no texts
    way_out = "choose fewer statistics, points or samples"
    check_memory(f"a frame of {rows:,} rows and {wide} columns", needed, 8, way_out)
    columns = _coordinates([block.world.coordinates() for block in blocks], [block.rows for block in blocks])
    places = [free(place, columns, "_") for place in ("draw", *indices)]
    recorded = {free(own, (*columns, *places), RECORDED): own for own in names}
    numbers = {place: np.empty(rows, np.int64) for place in places}
    numbers |= {key: np.full(rows, np.nan) for key in recorded}
    start = 0
    for block in blocks:
        into = {key: values[start : start + block.rows] for key, values in numbers.items()}
        _fill(block, places, {key: own for key, own in recorded.items() if own in block.names}, into)
        start += block.rows
    return Tidy("entries" if indices else "draws", columns | numbers, recorded)


def of_cells(chosen: Sequence[World], statistics: Sequence[str] | None) -> Tidy:
    """A row for each cell [low, high) of each statistic of the counted worlds, with the number of draws in it.

    Raises
    ------
    UsageError : no world holds counts, or none of these statistics.
    DamagedRecordError : a file cannot be what was written.
    """
    counted = [one for one in chosen if one.counted]
    if not counted:
        raise UsageError(f"counts=True needs records of counts, got draws of {_few([one.method for one in chosen])}")
    where, cells, held = list[dict[str, Any]](), list[tuple[np.ndarray, ...]](), dict[str, None]()
    for one in counted:
        tables = list(shards(one.folder.parent.parent, one.study, one.method, one.point))
        own = dict.fromkeys(said for table in tables for said in pc.unique(table["statistic"]).to_pylist())
        held |= own
        for statistic in own if statistics is None else [said for said in statistics if said in own]:
            edges, below = counts(tables, statistic)
            where.append(one.coordinates(statistic=statistic))
            cells.append((cell_floor(edges), edges, np.diff(below, prepend=0)))
    if lacking := [said for said in statistics or () if said not in held]:
        raise UsageError(f"statistics must be among {', '.join(held)}, got {', '.join(lacking)}")
    columns = _coordinates(where, [len(edges) for _, edges, _ in cells])
    columns |= {end: np.concatenate(parts) for end, parts in zip(CELL, zip(*cells, strict=True), strict=True)}
    return Tidy("cells", columns, {said: said for said in held if statistics is None or said in statistics})


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


def _blocks(chosen: Sequence[World], statistics: Sequence[str] | None, samples: int | None) -> list[Block]:
    """What is to be read of each world.

    Raises
    ------
    UsageError : no world has such statistics, or they differ in shape.
    DamagedRecordError : a file cannot be read.
    """
    kept = [(one, own) for one in chosen if (own := _kept(one, statistics))]
    found = {own for _, several in kept for own in several}
    held = ", ".join(dict.fromkeys(own for one in chosen for own in one.shapes))
    if lacking := [own for own in statistics or () if own not in found]:
        raise UsageError(f"statistics must be among {held}, got {', '.join(lacking)}")
    if not kept:
        raise UsageError(f"statistics must be named where none is a single number: {held}")
    shapes = [_several(one, own) for one, own in kept]
    if len({len(several) for several in shapes if several}) > 1:
        raise UsageError("statistics of one frame must have as many axes at every point: choose points and method")
    return [
        Block(one, own, _draws(one, samples), several)
        for (one, own), several in zip(kept, shapes, strict=True)
        if several or not any(shapes)  # where a row is an entry, what has none has no row
    ]


def _kept(one: World, statistics: Sequence[str] | None) -> list[str]:
    """Names of the statistics to keep of a world."""
    if statistics is None:
        return [own for own, several in one.shapes.items() if not several]
    return [own for own in dict.fromkeys(statistics) if own in one.shapes]


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


def _fill(block: Block, places: Sequence[str], statistics: Mapping[str, str], into: Mapping[str, np.ndarray]) -> None:
    """Writes a block's rows, shard after shard: the number of the draw, those of the entries, and the statistics.

    Parameters
    ----------
    places : columns of these numbers; statistics : names by column.
    """
    one, each, drawn = block.world, math.prod(block.shape), 0
    entry = np.indices(block.shape).reshape(len(block.shape), each)
    for table in shards(one.folder.parent.parent, one.study, one.method, one.point):
        table = table.slice(0, block.draws - drawn)
        rows = slice(drawn * each, (drawn + len(table)) * each)
        into[places[0]][rows] = np.repeat(np.arange(drawn, drawn + len(table)), each)
        for key, number in zip(places[1:], entry, strict=True):
            into[key][rows] = np.tile(number, len(table))
        for key, own in statistics.items():
            values = column(table, own)
            into[key][rows] = values.reshape(-1) if one.shapes[own] else np.repeat(values, each)
        drawn += len(table)
        if drawn == block.draws:
            return


def _indices(block: Block, described: Described) -> list[str]:
    """Names of the columns that number the entries of a statistic: after its axes, where these are described."""
    several = next((own for own in block.names if block.world.shapes[own]), None)
    if several is None:
        return []
    axes = described[several].shape if several in described else ()
    axes = axes if len(axes) == len(block.shape) else block.shape
    return [f"{axis}_index" if isinstance(axis, str) else f"index_{place}" for place, axis in enumerate(axes)]


def _coordinates(where: Sequence[Mapping[str, Any]], rows: Sequence[int]) -> dict[str, Column]:
    """A column for each coordinate, of so many equal values for each of the places."""
    columns: dict[str, Column] = {}
    for key in dict.fromkeys(key for one in where for key in one):
        values = [one.get(key) for one in where]
        if all(map(_is_number, values)):
            columns[key] = np.repeat(np.array(values), rows)
        else:
            different = list(dict.fromkeys(str(value) for value in values if value is not None))
            codes = [-1 if value is None else different.index(str(value)) for value in values]
            columns[key] = Labels(np.repeat(np.array(codes, np.int32), rows), different)
    return columns


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 1 << 63)


def _few(names: Sequence[str]) -> str:
    """The first of some names, once each."""
    once = list(dict.fromkeys(names))
    return ", ".join(once[:SHOWN]) + (f" and {len(once) - SHOWN} more" if len(once) > SHOWN else "")
