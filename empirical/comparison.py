"""What a paper prints, what theory predicts and what was measured, side by side, and how sure the measurement is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from simulate.bands import clopper_pearson, quantile_ranks
from simulate.table import aligned

CONFIDENCE = 0.95  # of each interval by itself
HEAD = ("quantity", "printed", "predicted", "measured", "95 % interval", "n", "note")


@dataclass(frozen=True)
class Estimate:
    """A measured number, the interval that holds what it estimates with probability `CONFIDENCE`, and its n."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Row:
    """One quantity; None where a paper prints nothing, theory predicts nothing or nothing was measured."""

    quantity: str
    measured: Estimate | None
    printed: float | None = None
    predicted: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """A table of a paper with a prediction and a measurement beside each number.

    Parameters
    ----------
    unit : what is independent of each other and counted by n: networks, images, pairs.
    """

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    unit: str = "networks"


@dataclass(frozen=True)
class Listing:
    """A table with a row per run or image."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | float | int]]
    notes: Sequence[str] = ()


Table: TypeAlias = Comparison | Listing


def mean(values: Any, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of independent values (n,) with Student's interval; NaN values are left out, one value has no interval."""
    from scipy.stats import t

    kept = _kept(values)
    n = len(kept)
    if n < 2:
        return Estimate(float(kept[0]) if n else math.nan, -math.inf, math.inf, n)
    centre = float(np.mean(kept))
    half = float(t.ppf((1 + confidence) / 2, n - 1) * np.std(kept, ddof=1) / math.sqrt(n))
    return Estimate(centre, centre - half, centre + half, n)


def quantile(values: Any, level: float, confidence: float = CONFIDENCE) -> Estimate:
    """A quantile of independent values (n,), its interval from order statistics: exact for every continuous law."""
    kept = np.sort(_kept(values))
    n = len(kept)
    if not n:
        return Estimate(math.nan, -math.inf, math.inf, 0)
    low, high = quantile_ranks(level, n, 1 - confidence)
    return Estimate(
        float(np.quantile(kept, level)),
        float(kept[low - 1]) if low >= 1 else -math.inf,
        float(kept[high - 1]) if high <= n else math.inf,
        n,
    )


def median(values: Any, confidence: float = CONFIDENCE) -> Estimate:
    """`quantile` at 1/2."""
    return quantile(values, 0.5, confidence)


def share(flags: Any, confidence: float = CONFIDENCE) -> Estimate:
    """Share of flags (n,) that are set, with the interval of Clopper and Pearson."""
    kept = _kept(flags)
    hits, n = int(np.count_nonzero(kept)), len(kept)
    low, high = clopper_pearson(hits, n, 1 - confidence) if n else (0.0, 1.0)
    return Estimate(hits / n if n else math.nan, low, high, n)


def text(table: Table) -> str:
    """The table for a terminal: columns without a number are left out."""
    if isinstance(table, Listing):
        head, rows = list(table.head), [[_cell(entry) for entry in row] for row in table.rows]
        left = {name for k, name in enumerate(head) if any(isinstance(row[k], str) for row in table.rows)}
    else:
        head, rows, left = list(HEAD), [_cells(row) for row in table.rows], {"quantity", "note"}
        head[head.index("n")] = table.unit
        used = [any(row[k] for row in rows) for k in range(len(head))]
        head = [name for name, keep in zip(head, used, strict=True) if keep]
        rows = [[cell for cell, keep in zip(row, used, strict=True) if keep] for row in rows]
    return "\n".join([table.title, "", *aligned(head, rows, set(head) - left), *_notes(table.notes)])


def document(table: Table) -> dict[str, Any]:
    """The table for a machine."""
    if isinstance(table, Listing):
        rows: list[Any] = [dict(zip(table.head, row, strict=True)) for row in table.rows]
        return {"title": table.title, "rows": rows, "notes": list(table.notes)}
    rows = [
        {
            "quantity": row.quantity,
            "printed": row.printed,
            "predicted": row.predicted,
            "measured": row.measured and row.measured.value,
            "interval": row.measured and [row.measured.low, row.measured.high],
            table.unit: row.measured and row.measured.n,
            "note": row.note,
        }
        for row in table.rows
    ]
    return {"title": table.title, "confidence": CONFIDENCE, "rows": rows, "notes": list(table.notes)}


def _kept(values: Any) -> np.ndarray:
    flat = np.asarray(values, dtype=float).ravel()
    return flat[~np.isnan(flat)]


def _cells(row: Row) -> list[str]:
    measured = row.measured
    if measured is None:
        found = ["", "", ""]
    else:
        known = math.isfinite(measured.low) and math.isfinite(measured.high)
        interval = f"{_cell(measured.low)} to {_cell(measured.high)}" if known else "too few" if measured.n else ""
        found = [_cell(measured.value), interval, f"{measured.n:,}"]
    return [row.quantity, _cell(row.printed), _cell(row.predicted), *found, row.note]


def _cell(entry: str | float | None) -> str:
    if entry is None or isinstance(entry, str):
        return entry or ""
    if isinstance(entry, int):
        return f"{entry:,}"
    if math.isnan(entry):
        return "-"
    return f"{entry:.4f}" if 1e-3 <= abs(entry) < 100 else f"{entry:.4g}"


def _notes(notes: Sequence[str]) -> list[str]:
    return ["", *notes] if notes else []
