"""Ratios of the rungs to the exact optimum: medians and quartiles over the worlds of a point, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fragility.engine.study import Point
from fragility.tables import Cell, Column, Table
from simulate.ladder.order import SOLVER
from simulate.ladder.study import STUDY

NAMES = {
    "attack": "attack",
    "exact": "exact",
    "lp": "LP",
    "crown": "CROWN",
    "interval": "interval",
    "theorem": "tau + zeta",
    "clean": "clean",
    "printed": "printed",
}
COLUMNS = (
    *(Column(name, align="right", form="d") for name in (*STUDY.grid, "n")),
    *map(Column, (*NAMES.values(), "attained", "contradicts printed")),
)


@dataclass(frozen=True)
class Rungs:
    """What the worlds of one point say.

    Parameters
    ----------
    over : what the rungs are divided by: "exact", or "attack" where the exact optimum is out of reach.
    samples, worlds : worlds drawn, and those in which the reference is positive.
    quartiles : per rung, lower quartile, median and upper quartile of its ratio to the reference.
    reached : share of worlds in which the attack attains the exact optimum; None without it.
    contradicted : worlds in which the printed tau + zeta lies below something attained; None where it is not defined.
    """

    point: Point
    over: str
    samples: int
    worlds: int
    quartiles: Mapping[str, tuple[float, float, float]]
    reached: float | None
    contradicted: int | None


def summary(point: Point, values: Mapping[str, np.ndarray]) -> Rungs:
    """Medians and quartiles of the rungs over the reference."""
    over = "exact" if "exact" in values else "attack"
    reference, held = values[over], values[over] > SOLVER
    found = np.maximum(values["attack"], values.get("attained", -np.inf))
    quartiles = {
        rung: tuple(np.quantile(values[rung][held] / reference[held], [0.25, 0.5, 0.75]).tolist())
        for rung in NAMES
        if rung in values and held.any()
    }
    gap = reference - values["attack"]
    return Rungs(
        point=point,
        over=over,
        samples=len(reference),
        worlds=int(held.sum()),
        quartiles=quartiles,
        reached=float(np.mean(gap[held] <= SOLVER * (1 + reference[held]))) if over == "exact" and held.any() else None,
        contradicted=int(np.sum(found - values["printed"] > SOLVER * (1 + np.abs(values["printed"]))))
        if "printed" in values
        else None,
    )


def ladder_table(rungs: Sequence[Rungs], seed: int) -> Table:
    """A row per point: median (quartiles) of every rung over the exact optimum, or over the best attack."""
    return Table(
        COLUMNS,
        [_cells(row) for row in rungs],
        notes=[
            "median (lower-upper quartile) over n worlds of each rung divided by the exact optimum;",
            "*: by the best attack, where the exact optimum is out of reach.",
            "attained: worlds in which the attack attains the exact optimum.",
            "contradicts printed: worlds in which something attained lies above the printed tau + zeta.",
            f"seed {seed}; in no world are two rungs in the wrong order.",
        ],
        facts=lambda: [{**asdict(row), "point": dict(row.point)} for row in rungs],
    )


def gathered(tables: Sequence[Any], samples: int | None = None) -> dict[str, np.ndarray]:
    """Values of every statistic in the first worlds of raw tables, (samples,) each."""
    from fragility.engine.records import column

    names = tables[0].column_names
    return {name: np.concatenate([column(table, name) for table in tables])[:samples] for name in names}


def _cells(row: Rungs) -> list[Cell]:
    star = "" if row.over == "exact" else "*"

    def cell(rung: str) -> str:
        if rung not in row.quartiles:
            return "-"
        low, middle, high = row.quartiles[rung]
        return f"{middle:.3g}{star} ({low:.3g}-{high:.3g})"

    return [
        *row.point.values(),
        row.worlds,
        *(cell(rung) for rung in NAMES),
        "-" if row.reached is None else f"{row.reached:.0%}",
        "-" if row.contradicted is None else f"{row.contradicted} of {row.samples}",
    ]
