"""The command of every experiment: networks or images measured, the paper's tables on stdout, verdicts below them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fragility.command.ending import INTERRUPTED, guarded
from fragility.command.flags import Parser, add_axes, add_run_flags, argument, count, silenced
from fragility.engine.context import DATA, OWN, Context, data_named, using
from fragility.engine.stop import stop
from fragility.engine.study import Point, Study, label

if TYPE_CHECKING:
    import numpy as np

    from fragility.judging.campaign import Campaign
    from fragility.tables import Table

Flags = Mapping[str, Any]


def read(
    study: Study,
    samples: int | None,
    full: Flags,
    checkpoint: bool = False,
    arguments: Sequence[str] | None = None,
    claims: str = OWN,
    data: Callable[[argparse._ArgumentGroup], None] | None = None,
) -> Flags:
    """The flags of `python -m empirical.<name>`; it exits on `--help` and on usage errors, before theory is loaded.

    Parameters
    ----------
    samples : networks or images per point by default; None for all there are of a finite population.
    full : values of flags that `--full` sets where they are not given, by name.
    checkpoint : whether the weights of a network may be given by a file.
    claims : the book by which it is judged where no flag names another; `__file__` for that of the same file.
    data : adds flags that say where images are, in place of a folder of data sets.
    """
    parser = _parser(study, samples, checkpoint, data)
    parser.set_defaults(claims=claims)
    if parser.parse_args(arguments).full:
        parser.set_defaults(**full)
    return vars(parser.parse_args(arguments))


def main(
    study: Study,
    flags: Flags,
    tables: Callable[[Sequence[tuple[Point, Any]]], Sequence[Table]],
    context: Callable[[Flags], Context] | None = None,
) -> NoReturn:
    """Runs an experiment under its flags and exits.

    Parameters
    ----------
    tables : the paper's tables, of (point, {statistic: values}) at all points.
    context : what flags say of things outside; by default of a folder of data sets, and a file of weights.
    """
    code = guarded(study.name, lambda: _run(study, flags, tables, context or _context))
    if code == INTERRUPTED:
        stop()  # threads that train are waited for, and end at their next step; what they saved so far is whole
    sys.exit(code)


def _parser(
    study: Study, samples: int | None, checkpoint: bool, data: Callable[[argparse._ArgumentGroup], None] | None
) -> Parser:
    parser = Parser(prog=f"python -m {study.name}", description=study.says, allow_abbrev=False)
    add_axes(parser, study)
    how = parser.add_argument_group("how")
    how.add_argument("--full", action="store_true", help="the size of the paper's experiment: minutes to hours")
    how.add_argument(
        "--samples",
        type=argument(count("--samples")),
        default=samples,
        help=f"networks or images per point (default {samples or 'all'})",
    )
    if data is not None:
        data(how)
    elif "dataset" in study.grid or any(method.units for method in study.methods.values()):
        how.add_argument(
            "--data-dir",
            type=Path,
            default=data_named(),
            help=f"folder of data sets (default: the environment variable {DATA}, the cache, or a download)",
        )
    if checkpoint:
        how.add_argument(
            "--checkpoint",
            type=Path,
            metavar="FILE",
            help="file of the network's weights, a state_dict of torch (default: those that the network comes with)",
        )
    add_run_flags(parser, how, devices=True)
    return parser


def _context(flags: Flags) -> Context:
    folder, data, weights = flags["out"] / "checkpoints", flags.get("data_dir"), flags.get("checkpoint")
    return Context(flags["claims"], data, folder, weights)


def _run(
    study: Study, flags: Flags, tables: Callable[..., Sequence[Table]], context: Callable[[Flags], Context]
) -> int:
    with using(context(flags)):
        return _judged(study, flags, tables)


def _judged(study: Study, flags: Flags, tables: Callable[..., Sequence[Table]]) -> int:
    points = study.points(**{axis: flags[axis] for axis in study.grid})

    from threadpoolctl import threadpool_limits

    from fragility.book import read as read_book
    from fragility.command.study import campaign, executor, exit_code, keep
    from fragility.engine.backend import choose_device
    from fragility.engine.context import current
    from fragility.engine.files import clear
    from fragility.engine.progress import Progress
    from fragility.judging.table import conditions, sourced, verdict_table
    from fragility.tables import document, finite, text

    book = read_book()
    backend, why = choose_device(flags["device"])
    samples = flags["samples"] or max(_population(study, point) for point in points)
    with silenced(), executor(backend, flags) as place, Progress() as progress, threadpool_limits(1):
        running = campaign(
            study, points, backend, place, flags, samples=samples, progress=progress.update, note=progress.note
        )
        running.store.begin()
        clear(current().checkpoints)
        progress.note(f"device {backend.name} ({why}); records in {running.store.root}")
        records = [(point, _measured(running, point, samples)) for point in points]
        spoken = [claim for claim in book.about(study.name) if any(claim.where(**point) for point in points)]
        verdicts = running.run(spoken, points, alpha=flags["alpha"]) if spoken else []
    keep(running, verdicts, book, flags)
    conditional = conditions(verdicts, spoken, records)
    made, judged = tables(records), verdict_table(verdicts, study, running.store, conditional)
    if flags["json"]:
        whole = {"tables": [document(table) for table in made], **sourced("verdicts", judged, running.store)}
        print(json.dumps(finite(whole), indent=1), flush=True)
    else:
        print("\n\n".join(text(table) for table in [*made, *([judged] if verdicts else [])]), flush=True)
    return exit_code(verdicts, book)


def _population(study: Study, point: Point) -> int:
    (method,) = study.methods.values()
    assert method.units is not None, "an experiment without end has a default of --samples"
    return method.units(**point)


def _measured(running: Campaign, point: Point, samples: int) -> dict[str, np.ndarray]:
    """The first `samples` rows recorded at a point, newly measured where they are missing."""
    from fragility.judging.evidence import Evidence

    (name,) = running.study.methods
    shards = -(-samples // running.shard_size(name, point))
    tables, held = [], 0
    units = running.study.methods[name].units
    target = min(samples, units(**point)) if units else samples
    for table in running.tables(name, point, shards):
        tables.append(table)
        held += len(table)
        running.progress(label(point), min(held, target), target)
    evidence = Evidence(tables, samples)
    return {name: evidence.values(name) for name in tables[0].column_names}
