"""The command of the ladder: rungs measured and checked, their table on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from fragility.engine.study import Point, integer, label
from fragility.tables import finite, text
from simulate.ladder.order import InversionError, check
from simulate.ladder.study import STUDY
from simulate.ladder.table import gathered, ladder_table, summary

SAMPLES = 64
FLAGS = {"x": "epsilon-x", "w": "epsilon-w"}  # of the axes whose name is not their flag's


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs `python -m simulate.ladder` and exits: 1 where two rungs are in the wrong order, else as every study."""
    from fragility.command.ending import guarded

    flags = vars(_parser().parse_args(arguments))
    sys.exit(guarded(STUDY.name, lambda: _run(flags)))


def _parser() -> Any:
    from fragility.command.flags import Parser, argument, count

    parser = Parser(prog=f"python -m {STUDY.name}", description=STUDY.says, allow_abbrev=False)
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

    from fragility.command.flags import silenced
    from fragility.command.study import campaign
    from fragility.engine.backend import load
    from fragility.engine.context import current
    from fragility.engine.executor import in_process
    from fragility.engine.memory import DRAWN, check_memory
    from fragility.engine.progress import Progress
    from fragility.judging.table import sourced

    backend, rows = load("numpy"), []
    with silenced(), Progress() as progress, threadpool_limits(1):
        running = campaign(STUDY, points, backend, in_process(backend, current()), flags, progress.note)
        for point in points:
            floats = STUDY.methods[_chosen(point)].floats(**point)
            check_memory(f"one world at {label(point)}", floats, DRAWN, "choose smaller sizes")
        running.store.begin()
        progress.note(f"records in {running.store.root}")
        for point in points:
            method = _chosen(point)
            size = running.shard_size(method, point)
            tables = []
            for index, shard in enumerate(running.tables(method, point, -(-flags["samples"] // size))):
                try:
                    check(gathered([shard]), f"shard {index} of {label(point)}, seed {flags['seed']}")
                except InversionError as inversion:
                    print(f"{STUDY.name}: {inversion}", file=sys.stderr)
                    return 1
                tables.append(shard)
                progress.update(label(point), min(len(tables) * size, flags["samples"]), flags["samples"])
            rows.append(summary(point, gathered(tables, flags["samples"])))
    table = ladder_table(rows, flags["seed"])
    whole = finite(sourced("ladder", table, running.store))
    print(json.dumps(whole, indent=1) if flags["json"] else text(table), flush=True)
    return 0


def _chosen(point: Point) -> str:
    """The method that measures the most rungs there."""
    return next(name for name, method in STUDY.methods.items() if method.obstacle(**point) is None)
