"""The rungs of the joint margin bounds' ladder: their order, checked in every world, and the table of their ratios."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from simulate.engine.store import Store
from simulate.engine.study import Point, integer, label
from simulate.ladder import STUDY

ROUNDING, SOLVER = 1e-9, 1e-6  # relative to 1 + |the larger side|
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
ORDER = (
    ("attack", "exact", SOLVER),
    ("attained", "exact", SOLVER),
    ("exact", "attained", SOLVER),
    ("attack", "lp", SOLVER),
    ("exact", "lp", SOLVER),
    ("attack", "crown", ROUNDING),
    ("exact", "crown", SOLVER),
    ("attack", "interval", ROUNDING),
    ("lp", "interval", SOLVER),
    ("interval", "theorem", ROUNDING),
    ("theorem", "clean", ROUNDING),
)
SAMPLES = 64
FLAGS = {"x": "epsilon-x", "w": "epsilon-w"}  # of the axes whose name is not their flag's


class InversionError(Exception):
    """Two rungs in the wrong order in one world."""


def check(values: Mapping[str, np.ndarray], where: str) -> None:
    """Refuses a block of worlds in one of which a rung lies above one that bounds it.

    Raises
    ------
    InversionError : names the world, the rungs and their values.
    """
    for low, high, tolerance in ORDER:
        if low in values and high in values:
            for row, (lower, upper) in enumerate(zip(values[low], values[high], strict=True)):
                if not lower - upper <= tolerance * (1 + abs(upper)):
                    raise InversionError(
                        f"inverted in world {row} of {where}: {low} {float(lower)!r} > {high} {float(upper)!r}"
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


def text(rows: Sequence[Rungs], seed: int) -> str:
    """A line per point: median (quartiles) of every rung over the exact optimum, or over the best attack."""
    from simulate.table import aligned

    head = [*STUDY.grid, "n", *NAMES.values(), "attained", "contradicts printed"]
    lines = aligned(head, [_cells(row) for row in rows], {*STUDY.grid, "n"})
    return "\n".join(
        [
            *lines,
            "",
            "median (lower-upper quartile) over n worlds of each rung divided by the exact optimum;",
            "*: by the best attack, where the exact optimum is out of reach.",
            "attained: worlds in which the attack attains the exact optimum.",
            "contradicts printed: worlds in which something attained lies above the printed tau + zeta.",
            f"seed {seed}; in no world are two rungs in the wrong order.",
        ]
    )


def _cells(row: Rungs) -> list[str]:
    star = "" if row.over == "exact" else "*"

    def cell(rung: str) -> str:
        if rung not in row.quartiles:
            return "-"
        low, middle, high = row.quartiles[rung]
        return f"{middle:.3g}{star} ({low:.3g}-{high:.3g})"

    return [
        *(str(value) for value in row.point.values()),
        str(row.worlds),
        *(cell(rung) for rung in NAMES),
        "-" if row.reached is None else f"{row.reached:.0%}",
        "-" if row.contradicted is None else f"{row.contradicted} of {row.samples}",
    ]


def document(rows: Sequence[Rungs], store: Store) -> str:
    """The same as one JSON document, with where the records are from."""
    provenance = {key: value for key, value in store.manifest.items() if key not in ("looks", "pace")}
    table = [{**asdict(row), "point": dict(row.point)} for row in rows]
    return json.dumps({"ladder": table, "records": str(store.root), "provenance": provenance}, indent=1)


def chosen(point: Point) -> str:
    """The method that measures the most rungs there."""
    return next(name for name, method in STUDY.methods.items() if method.obstacle(**point) is None)


def gathered(tables: Sequence[Any], samples: int | None = None) -> dict[str, np.ndarray]:
    """Values of every statistic in the first worlds of raw tables, (samples,) each."""
    from simulate.engine.records import column

    names = tables[0].column_names
    return {name: np.concatenate([column(table, name) for table in tables])[:samples] for name in names}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs `python -m simulate.ladder` and exits: 1 where two rungs are in the wrong order, else as every study."""
    from simulate.flags import guarded

    flags = vars(_parser().parse_args(arguments))
    sys.exit(guarded(f"simulate.{STUDY.name}", lambda: _run(flags)))


def _parser() -> Any:
    from simulate.flags import Parser, argument, count

    parser = Parser(prog=f"python -m simulate.{STUDY.name}", description=STUDY.says, allow_abbrev=False)
    for name, axis in STUDY.grid.items():
        default = ",".join(map(str, axis.default))
        parser.add_argument(
            f"--{FLAGS.get(name, name)}",
            dest=name,
            type=argument(axis.parse),
            default=axis.default,
            help=f"{axis.help}; a list sweeps (default {default})",
        )
    parser.add_argument(
        "--samples", type=argument(count("--samples")), default=SAMPLES, help=f"worlds per point (default {SAMPLES})"
    )
    parser.add_argument(
        "--seed",
        type=argument(lambda given: integer(given, 0, "--seed")),
        default=0,
        help="of all random streams (default 0)",
    )
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument("--resume", action="store_true", help="damaged records are set aside and drawn again")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout in place of the table")
    return parser


def _run(flags: Mapping[str, Any]) -> int:
    points = STUDY.points(**{axis: flags[axis] for axis in STUDY.grid})

    from threadpoolctl import threadpool_limits

    from simulate.command import campaign
    from simulate.engine.backend import load
    from simulate.engine.executor import in_process
    from simulate.engine.progress import Progress
    from simulate.flags import silenced

    backend, rows = load("numpy"), []
    running = campaign(STUDY, points, backend, in_process(backend), flags)
    with silenced(), Progress() as progress, threadpool_limits(1):
        progress.note(f"records in {running.store.root}")
        for point in points:
            method = chosen(point)
            size = running.shard_size(method, point)
            tables = []
            for index, table in enumerate(running.tables(method, point, -(-flags["samples"] // size))):
                try:
                    check(gathered([table]), f"shard {index} of {label(point)}, seed {flags['seed']}")
                except InversionError as inversion:
                    print(f"simulate.{STUDY.name}: {inversion}", file=sys.stderr)
                    return 1
                tables.append(table)
                progress.update(label(point), min(len(tables) * size, flags["samples"]), flags["samples"])
            rows.append(summary(point, gathered(tables, flags["samples"])))
    print(document(rows, running.store) if flags["json"] else text(rows, flags["seed"]), flush=True)
    return 0
