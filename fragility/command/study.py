"""The command of every study: flags from its grid, a verdict table on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn

from fragility.command.ending import FAULT, guarded
from fragility.command.flags import (
    Parser,
    add_axes,
    add_run_flags,
    argument,
    count,
    fraction,
    seconds,
    silenced,
)
from fragility.engine.context import OWN
from fragility.engine.study import Point, Study

if TYPE_CHECKING:
    from fragility.backends import Backend
    from fragility.book import Book
    from fragility.engine.executor import Executor
    from fragility.judging.campaign import Campaign
    from fragility.judging.verdict import Verdict

DEFAULT_BUDGET = 50.0


def main(study: Study, arguments: Sequence[str] | None = None, claims: str = OWN) -> NoReturn:
    """Runs a study as `python -m` with its name, and exits.

    Parameters
    ----------
    claims : the book that its draws are judged by where no flag names another; `__file__` for that of the same file.
    """
    parser = _parser(study)
    parser.set_defaults(claims=claims)
    flags = vars(parser.parse_args(arguments))
    sys.exit(guarded(study.name, lambda: _run(study, flags)))


def _parser(study: Study) -> Parser:
    parser = Parser(prog=f"python -m {study.name}", description=study.says, allow_abbrev=False)
    add_axes(parser, study)
    ways = "; ".join(f"{name}: {method.says}" for name, method in study.methods.items())
    how = parser.add_argument_group("how")
    how.add_argument(
        "--method",
        choices=("auto", *study.methods),
        default="auto",
        help=f"auto: the cheapest per statistic; {ways}",
    )
    how.add_argument(
        "--samples",
        type=argument(count("--samples")),
        help="draws per point (default: as many as the verdicts need)",
    )
    how.add_argument(
        "--budget",
        type=argument(seconds),
        help=f"time after which to stop, 60s or 5m (default {DEFAULT_BUDGET:.0f}s, none with --samples)",
    )
    how.add_argument(
        "--tolerance",
        type=argument(fraction("--tolerance")),
        help="smallest gap worth seeing between distribution functions (default: each claim's own)",
    )
    add_run_flags(parser, how)
    return parser


def executor(backend: Backend, flags: Mapping[str, Any]) -> AbstractContextManager[Executor]:
    """Where the flags say that shards are computed, in the current context."""
    from contextlib import nullcontext

    from fragility.engine.context import current

    if flags["workers"]:
        from fragility.engine.workers import on_workers

        return on_workers(backend, current(), flags["workers"])
    if flags["scheduler"]:
        from fragility.engine.cluster import on_cluster

        return on_cluster(backend, current(), flags["scheduler"])

    from fragility.engine.executor import in_process

    return nullcontext(in_process(backend, current()))


def campaign(
    study: Study,
    points: Sequence[Point],
    backend: Backend,
    place: Executor,
    flags: Mapping[str, Any],
    note: Callable[[str], None],
    **other: Any,
) -> Campaign:
    """A campaign of the study under the flags and in the current context; its store says where its records are from."""
    from fragility.engine.context import current
    from fragility.engine.provenance import provenance
    from fragility.engine.shard import code
    from fragility.engine.store import Store
    from fragility.judging.campaign import Campaign

    context = current()
    root = flags["out"] / study.name / f"{backend.name}-seed{flags['seed']}"
    store = Store(
        root,
        lambda shard: code(shard, backend.name, context),
        provenance(study, points, backend, flags["seed"]),
        note if flags["resume"] else None,
    )
    return Campaign(study, backend, place, store, flags["seed"], resume=flags["resume"], note=note, **other)


def exit_code(verdicts: Sequence[Verdict], book: Book) -> int:
    """1 if a claim disagrees that the book takes for true, else `FAULT` if one cannot be judged, else 0.

    A printed number that is not met is no error of a run.
    """
    if any(verdict.outcome == "disagrees" and book[verdict.claim].must_agree for verdict in verdicts):
        return 1
    return FAULT if any(verdict.outcome == "faulty" for verdict in verdicts) else 0


def keep(running: Campaign, verdicts: Sequence[Verdict], book: Book, flags: Mapping[str, Any]) -> None:
    """Writes the verdicts of a run beside its records, in place of those of the command before.

    Raises
    ------
    StorageError : the folder cannot be written.
    """
    from fragility.engine.files import write_alone
    from fragility.judging.summary import document, kept, lines

    provenance = {name: value for name, value in running.store.manifest.items() if name not in ("pace", "points")}
    written = document(lines(book, verdicts), (), {**provenance, "alpha": flags["alpha"]})
    write_alone(kept(running.store.root, flags["claims"]), written.encode())


def _run(study: Study, flags: dict[str, Any]) -> int:
    from fragility.engine.context import Context, data_named, using

    with using(Context(flags["claims"], data_named())):
        return _judged(study, flags)


def _judged(study: Study, flags: dict[str, Any]) -> int:
    points = study.points(**{axis: flags[axis] for axis in study.grid})

    from dataclasses import replace

    from fragility.book import read
    from fragility.engine.backend import choose
    from fragility.engine.progress import Progress
    from fragility.judging.table import conditions, sourced, verdict_table
    from fragility.tables import finite, text

    book = read()
    claims = book.about(study.name)
    if flags["tolerance"]:
        claims = [replace(claim, tolerance=flags["tolerance"]) if claim.kind == "law" else claim for claim in claims]
    backend, why = choose(flags["backend"])
    budget = flags["budget"] or (float("inf") if flags["samples"] else DEFAULT_BUDGET)
    with silenced(), executor(backend, flags) as place, Progress() as progress:
        running = campaign(
            study,
            points,
            backend,
            place,
            flags,
            samples=flags["samples"],
            progress=progress.update,
            note=progress.note,
        )
        progress.note(f"backend {backend.name} ({why}); records in {running.store.root}")
        verdicts = running.run(claims, points, flags["method"], flags["alpha"], budget)
    keep(running, verdicts, book, flags)
    table = verdict_table(verdicts, study, running.store, conditions(verdicts, claims))
    whole = finite(sourced("verdicts", table, running.store))
    shown = json.dumps(whole, indent=1) if flags["json"] else text(table)
    print(shown, flush=True)
    return exit_code(verdicts, book)
