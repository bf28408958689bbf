"""The first draws of one world, as far as a verdict needs them.

What is small is kept as it is; what is large is gone through piece by piece: memory doesn't grow with the draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from fragility.engine.records import cell_floor, column, counts, drawn, is_counted
from fragility.judging.bands import quantile_ranks
from fragility.judging.shelf import Shelf
from fragility.law import Law

FEW = 1 << 18  # values that are kept as they are; of more, about as many are gone through at once
ROWS = 1 << 12  # draws at least: a law puts so many into its tables as fast as it computes one
REMEMBERED = 2  # transforms
CELLS = 1 << 18  # of [0, 1], in which others are counted
FINE = 38  # of the 52 bits in the mantissa of a number, left out where numbers of one cell are added up
Columns = Mapping[str, np.ndarray]


class Evidence:
    """The first draws of one world.

    Parameters
    ----------
    tables : shard tables in order of their index, without a hole; they may be gone through many times.
    samples : draws to look at, all of them if None; counted tables can only be looked at whole.
    complete : statistics; draws that lack a number in one of them are left out, and count for none of the samples.
    """

    def __init__(self, tables: Iterable[pa.Table], samples: int | None = None, complete: tuple[str, ...] = ()) -> None:
        self._tables, self._complete = tables, complete
        self._first = next(iter(tables))
        self.counted = is_counted(self._first)
        held = tables.draws if isinstance(tables, Shelf) else drawn(tables)
        held = held if self.counted or samples is None else min(samples, held)
        self._looked_at = held
        self.samples = sum(len(piece[complete[0]]) for piece in self.pieces(complete[0])) if complete else held
        self._counts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._uniform: dict[tuple[str, int], tuple[object, np.ndarray]] = {}

    @property
    def statistics(self) -> set[str]:
        """Names of what was recorded."""
        if not self.counted:
            return set(self._first.column_names)
        return {name for table in self._tables for name in table["statistic"].unique().to_pylist()}

    def complete(self, statistics: Sequence[str]) -> Evidence:
        """The same, without the draws that lack a number in one of the statistics."""
        return Evidence(self._tables, self._looked_at, tuple(statistics))

    def pieces(self, *statistics: str) -> Iterator[Columns]:
        """The statistics of some draws after others, each (size,) or (size, k, ...)."""
        left = self._looked_at
        for table in self._tables:
            if left <= 0:
                return
            table = table.slice(0, left)
            left -= len(table)
            found = {name: column(table, name) for name in dict.fromkeys((*statistics, *self._complete))}
            if self._complete:
                whole = np.all([is_whole(found[name]) for name in self._complete], axis=0)
                found = {name: values[whole] for name, values in found.items()}
            yield {name: found[name] for name in statistics}

    def values(self, statistic: str) -> np.ndarray:
        """(samples,) or (samples, k, ...), in memory."""
        none = column(self._first.slice(0, 0), statistic)  # of which the shape is known
        return np.concatenate([none, *self.columns(statistic)])

    def columns(self, statistic: str) -> Iterator[np.ndarray]:
        """The values of one statistic, of many draws after others."""
        held, size = list[np.ndarray](), 0
        for piece in self.pieces(statistic):
            held.append(piece[statistic])
            size += held[-1].size
            if size >= FEW and sum(map(len, held)) >= ROWS:
                yield np.concatenate(held)
                held, size = [], 0
        if held:
            yield np.concatenate(held)

    def is_few(self, statistic: str) -> bool:
        """Whether the values of the statistic are kept as they are, and not in cells."""
        return not self.counted and self.samples * column(self._first.slice(0, 1), statistic).size <= FEW

    def lacking(self, statistics: Sequence[str]) -> int:
        """Draws that lack a number in one of the statistics."""
        if self.counted:
            return max(self._uncounted(name) for name in statistics)
        return sum(
            int(np.sum(~np.all([is_whole(values) for values in piece.values()], axis=0)))
            for piece in self.pieces(*statistics)
        )

    def uniform(self, statistic: str, theory: Law | Sequence[Law]) -> np.ndarray:
        """Probability integral transform of the values, kept for the next claim about them: thousands of laws cost."""
        key = statistic, id(theory)
        if key not in self._uniform:
            self._uniform[key] = theory, transform(theory, self.values(statistic))
            for oldest in [*self._uniform][:-REMEMBERED]:
                del self._uniform[oldest]
        return self._uniform[key][1]

    def uniforms(self, statistic: str, theory: Law | Sequence[Law]) -> Iterator[np.ndarray]:
        """The same, of some draws after others."""
        if self.is_few(statistic):
            yield self.uniform(statistic, theory)
            return
        for values in self.columns(statistic):
            yield transform(theory, values)

    def ecdf(self, statistic: str) -> tuple[np.ndarray, np.ndarray]:
        """Increasing values and the share of draws below or at each, of a statistic of shape (samples,)."""
        if not self.counted:
            return np.sort(self.values(statistic)), np.arange(1, self.samples + 1) / self.samples
        if statistic not in self._counts:
            self._counts[statistic] = counts(self._tables, statistic)
        edges, below = self._counts[statistic]
        return edges, below / self.samples

    def _uncounted(self, statistic: str) -> int:
        """Draws whose cell has no upper end."""
        edges, share = self.ecdf(statistic)
        return self.samples - round(self.samples * float(np.max(share, where=~np.isnan(edges), initial=0.0)))

    def quantile(self, statistic: str, level: float, alpha: float) -> tuple[float, float, float]:
        """Lower end, estimate and upper end of the `level` quantile; the ends miss it with probability <= alpha.

        From order statistics, so exact for every continuous law; infinite where the draws are too few for an end, and
        NaN where one of them has no number.
        """
        points, share = self.ecdf(statistic)
        if np.isnan(points[-1:]).any():  # where NaN is sorted to
            return np.nan, np.nan, np.nan
        low, high = quantile_ranks(level, self.samples, alpha)

        def ordered(rank: int) -> float:
            """The value of that rank, counted from 1; of a cell its upper end."""
            if not 1 <= rank <= self.samples:
                return np.inf * (1 if rank else -1)
            position = int(np.searchsorted(share, (rank - 0.5) / self.samples))
            return float(points[min(position, len(points) - 1)])

        lower = ordered(low)
        if self.counted and np.isfinite(lower):
            lower = float(cell_floor(lower))
        return lower, ordered(max(1, round(level * self.samples))), ordered(high)


def transform(theory: Law | Sequence[Law], values: np.ndarray) -> np.ndarray:
    """Probability integral transform: (size,) or, column by column, (size, k) -> uniform if the laws are right.

    NaN stays NaN, whatever a law makes of it.
    """
    if isinstance(theory, Sequence):
        uniform = np.stack([law.cdf(values[:, k]) for k, law in enumerate(theory)], axis=1)
    else:
        uniform = np.asarray(theory.cdf(values), dtype=float)
    return np.where(np.isnan(values), np.nan, uniform)


def sup_distance(uniform: np.ndarray) -> float:
    """Kolmogorov's distance between the empirical distribution of values in [0, 1] and the uniform law."""
    ordered = np.sort(uniform)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


def sup_distance_in_cells(pieces: Iterable[np.ndarray]) -> float:
    """The same of any number of values, at the ends of `CELLS` cells: short of the whole by 1 / CELLS at most."""
    counted = np.zeros(CELLS, dtype=np.int64)
    for uniform in pieces:
        if np.isnan(uniform).any():
            return np.nan
        cells = np.ceil(uniform.ravel() * CELLS).astype(np.int64) - 1
        counted += np.bincount(np.clip(cells, 0, CELLS - 1), minlength=CELLS)
    share = np.cumsum(counted) / counted.sum()
    return float(np.max(np.abs(share - np.arange(1, CELLS + 1) / CELLS)))


def in_cells(pieces: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Means and counts of numbers that differ by less than 2^-14 of themselves, however many there are."""
    keys, numbers = np.empty(0, np.int64), np.empty(0, np.int64)
    totals: np.ndarray = np.empty(0)
    for values in pieces:
        cells = np.ascontiguousarray(values, dtype=np.float64).view(np.int64) >> FINE
        keys, place = np.unique(np.concatenate([keys, cells]), return_inverse=True)
        totals = np.bincount(place, np.concatenate([totals, values]))
        numbers = np.bincount(place, np.concatenate([numbers, np.ones(len(values))])).astype(np.int64)
    return totals / numbers, numbers


def is_whole(values: np.ndarray) -> np.ndarray:
    """Which draws have all their numbers, (size,)."""
    return ~np.isnan(values).any(axis=tuple(range(1, values.ndim)))
