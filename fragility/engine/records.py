"""Records of one shard as an Arrow table: every value, or counts on a grid fine enough for any verdict.

Raw tables have a column per statistic. Counted tables have rows (statistic, edge, count): `count` values lie
below `edge` and not below the edge before it. The grid knows nothing of any theory: it keeps the leading bits
of a double, 4096 cells per octave.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DROPPED_BITS = 40  # of 52 in the mantissa
AXES = b"shape"  # of one draw's statistic, where it has several axes: a key of the column's metadata


def raw_table(values: Mapping[str, np.ndarray]) -> pa.Table:
    """One row per draw; a statistic of shape (size, k, ...) becomes a column of lists that knows its shape."""

    def column(array: np.ndarray) -> pa.Array:
        flat = pa.array(np.ascontiguousarray(array, dtype=np.float64).reshape(-1))
        return flat if array.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, math.prod(array.shape[1:]))

    def field(name: str, array: np.ndarray, kind: pa.DataType) -> pa.Field:
        return pa.field(name, kind, metadata={AXES: ",".join(map(str, array.shape[1:]))} if array.ndim > 2 else None)

    columns = {name: column(array) for name, array in values.items()}
    schema = pa.schema([field(name, values[name], made.type) for name, made in columns.items()])
    return pa.table(columns, schema=schema)


def counted_table(blocks: Iterable[Mapping[str, np.ndarray]]) -> pa.Table:
    """Counts per statistic and cell, over all blocks; statistics are positive and one-dimensional."""
    cells: dict[str, list[np.ndarray]] = {}
    for block in blocks:
        for name, values in block.items():
            bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
            cells.setdefault(name, []).append((bits >> DROPPED_BITS).astype(np.int32))
    tables = [_heights(name, np.concatenate(parts)) for name, parts in cells.items()]
    return pa.concat_tables(tables).unify_dictionaries()


def merged(tables: Sequence[pa.Table]) -> pa.Table:
    """Counted tables as one: the counts of each statistic and cell added up."""
    whole = pa.concat_tables(tables).unify_dictionaries()
    names = list(dict.fromkeys(name for table in tables for name in table["statistic"].unique().to_pylist()))
    parts = []
    for statistic in names:
        grid, below = counts([whole], statistic)
        labels = pa.array([statistic] * len(grid)).dictionary_encode()
        parts.append(pa.table({"statistic": labels, "edge": grid, "count": np.diff(below, prepend=0)}))
    return pa.concat_tables(parts).unify_dictionaries()


def column(table: pa.Table, statistic: str) -> np.ndarray:
    """The values of one statistic of a raw table, (size,) or (size, k, ...)."""
    chunked = table.column(statistic)
    if not pa.types.is_fixed_size_list(chunked.type):
        return chunked.to_numpy()
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in chunked.chunks])
    return flat.reshape(len(table), *shape(table.schema.field(statistic)))


def shape(field: pa.Field) -> tuple[int, ...]:
    """The shape of what one draw has in a column of a raw table: () for a number."""
    if not pa.types.is_fixed_size_list(field.type):
        return ()
    axes = (field.metadata or {}).get(AXES)
    return (field.type.list_size,) if axes is None else tuple(int(length) for length in axes.split(b","))


def joined(table: pa.Table, other: pa.Table, suffix: str) -> pa.Table:
    """Raw tables side by side, draw by draw as far as both have any, the other's names with the suffix."""
    common = min(len(table), len(other))
    table = table.slice(0, common)
    for name, values in zip(other.column_names, other.columns, strict=True):
        table = table.append_column(other.schema.field(name).with_name(name + suffix), values.slice(0, common))
    return table


def counts(tables: Iterable[pa.Table], statistic: str) -> tuple[np.ndarray, np.ndarray]:
    """Edges in increasing order and the number of values below each, over counted tables."""
    edges, heights = [], []
    for table in tables:
        chosen = table.filter(pc.equal(table["statistic"], statistic))
        edges.append(chosen["edge"].to_numpy())
        heights.append(chosen["count"].to_numpy())
    grid, where = np.unique(np.concatenate(edges), return_inverse=True)
    return grid, np.cumsum(np.bincount(where, np.concatenate(heights))).astype(np.int64)


def cell_floor(edge: float | np.ndarray) -> np.ndarray:
    """Lower end of the cell whose upper end is `edge`."""
    bits = np.asarray(edge, dtype=np.float64).view(np.int64)
    return (bits - (1 << DROPPED_BITS)).view(np.float64)


def drawn(tables: Iterable[pa.Table]) -> int:
    """Draws that the tables of one world hold."""
    return sum(_draws(table) for table in tables)


def _draws(table: pa.Table) -> int:
    if not is_counted(table):
        return len(table)
    first = pc.equal(table["statistic"], table["statistic"][0])
    return pc.sum(table["count"].filter(first)).as_py()


def digest(table: pa.Table) -> str:
    """Hash of the columns' names, types and values: page checksums of Parquet leave its footer unguarded."""
    content = hashlib.blake2b(digest_size=16)
    for name, values in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_fixed_size_list(values.type):
            axes = (table.schema.field(name).metadata or {}).get(AXES, b"")
            content.update(str(values.type.list_size).encode() + axes)
            values = pa.chunked_array([chunk.flatten() for chunk in values.chunks])
        if pa.types.is_dictionary(values.type):
            values = values.cast(pa.string())
        content.update(f"{name}|{values.type}|".encode())
        is_text = pa.types.is_string(values.type)
        content.update("|".join(values.to_pylist()).encode() if is_text else values.to_numpy().tobytes())
    return content.hexdigest()


def is_counted(table: pa.Table) -> bool:
    return table.column_names == ["statistic", "edge", "count"]


def _heights(statistic: str, cells: np.ndarray) -> pa.Table:
    first = cells.min()
    heights = np.bincount(cells - first)
    (filled,) = np.nonzero(heights)
    edges = ((filled + np.int64(first) + 1) << DROPPED_BITS).view(np.float64)
    names = pa.array([statistic] * len(filled)).dictionary_encode()
    return pa.table({"statistic": names, "edge": edges, "count": heights[filled]})
