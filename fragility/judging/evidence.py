"""The first draws of one world, as far as a verdict needs them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from fragility.engine.records import cell_floor, column, counts, drawn, is_counted
from fragility.judging.bands import quantile_ranks
from fragility.law import Law


class Evidence:
    """The first draws of one world.

    Parameters
    ----------
    tables : shard tables in order of their index, without a hole.
    samples : draws to look at, all of them if None; counted tables can only be looked at whole.
    """

    def __init__(self, tables: Sequence[pa.Table], samples: int | None = None) -> None:
        self.tables = tables
        self.counted = is_counted(tables[0])
        held = drawn(tables)
        self.samples = held if self.counted or samples is None else min(samples, held)
        self._counts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._uniform: dict[tuple[str, int], tuple[object, np.ndarray]] = {}

    @property
    def statistics(self) -> set[str]:
        """Names of what was recorded."""
        return set(self.tables[0]["statistic"].to_pylist() if self.counted else self.tables[0].column_names)

    def values(self, statistic: str) -> np.ndarray:
        """(samples,) or (samples, k, ...)."""
        return np.concatenate([column(table, statistic) for table in self.tables])[: self.samples]

    def uniform(self, statistic: str, theory: Law | Sequence[Law]) -> np.ndarray:
        """Probability integral transform of the values, kept for the next claim about them: thousands of laws cost."""
        key = statistic, id(theory)
        if key not in self._uniform:
            self._uniform[key] = theory, transform(theory, self.values(statistic))
        return self._uniform[key][1]

    def ecdf(self, statistic: str) -> tuple[np.ndarray, np.ndarray]:
        """Increasing values and the share of draws below or at each, of a statistic of shape (samples,)."""
        if self.counted:
            if statistic not in self._counts:
                self._counts[statistic] = counts(self.tables, statistic)
            edges, below = self._counts[statistic]
            return edges, below / self.samples
        return np.sort(self.values(statistic)), np.arange(1, self.samples + 1) / self.samples

    def quantile(self, statistic: str, level: float, alpha: float) -> tuple[float, float, float]:
        """Lower end, estimate and upper end of the `level` quantile; the ends miss it with probability <= alpha.

        From order statistics, so exact for every continuous law; infinite where the draws are too few for an end.
        """
        points, share = self.ecdf(statistic)
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
    """Probability integral transform: (size,) or, column by column, (size, k) -> uniform if the laws are right."""
    if isinstance(theory, Sequence):
        return np.stack([law.cdf(values[:, k]) for k, law in enumerate(theory)], axis=1)
    return theory.cdf(values)


def sup_distance(uniform: np.ndarray) -> float:
    """Kolmogorov's distance between the empirical distribution of values in [0, 1] and the uniform law."""
    ordered = np.sort(uniform)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))
