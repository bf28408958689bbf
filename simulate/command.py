"""The command of every study: flags from its grid, a verdict table on stdout, progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn

from simulate.engine.study import Point, Study
from simulate.flags import Parser, add_axes, add_run_flags, argument, count, fraction, guarded, seconds, silenced

if TYPE_CHECKING:
    from simulate.backends import Backend
    from simulate.campaign import Campaign
    from simulate.engine.executor import Executor
    from simulate.verdict import Verdict

DEFAULT_BUDGET = 50.0


def main(study: Study, arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a study as `python -m simulate.<name>` and exits."""
    flags = vars(_parser(study).parse_args(arguments))
    sys.exit(guarded(f"simulate.{study.name}", lambda: _run(study, flags)))


def _parser(study: Study) -> Parser:
    parser = Parser(prog=f"python -m simulate.{study.name}", description=study.says, allow_abbrev=False)
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
    """Where the flags say that shards are computed."""
    from contextlib import nullcontext

    from simulate.engine.executor import in_process, on_cluster

    workers, scheduler = flags["workers"], flags["scheduler"]
    return on_cluster(backend, workers, scheduler) if workers or scheduler else nullcontext(in_process(backend))


def campaign(
    study: Study, points: Sequence[Point], backend: Backend, place: Executor, flags: Mapping[str, Any], **other: Any
) -> Campaign:
    """A campaign of the study under the flags, whose store says where its records are from."""
    from simulate.campaign import Campaign
    from simulate.engine.executor import code
    from simulate.engine.provenance import provenance
    from simulate.engine.store import Store

    store = Store(flags["out"] / study.name / f"{backend.name}-seed{flags['seed']}", code(study.name, backend.name))
    store.save_manifest(**provenance(study, points, backend, flags["seed"]))
    return Campaign(study, backend, place, store, flags["seed"], resume=flags["resume"], **other)


def unexpected(verdicts: Sequence[Verdict]) -> bool:
    """Whether a claim disagrees that the table takes for true."""
    from theory.claims import CLAIMS

    failing = {claim.id for claim in CLAIMS if not claim.holds}
    return any(verdict.outcome == "disagrees" and verdict.claim not in failing for verdict in verdicts)


def _run(study: Study, flags: dict[str, Any]) -> int:
    points = study.points(**{axis: flags[axis] for axis in study.grid})

    from dataclasses import replace

    from simulate.engine.backend import choose
    from simulate.engine.progress import Progress
    from simulate.table import document, text
    from theory.claims import CLAIMS

    claims = [claim for claim in CLAIMS if claim.study == study.name]
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
    print(document(verdicts, running.store) if flags["json"] else text(verdicts, study, running.store), flush=True)
    return int(unexpected(verdicts))
