"""The command of every experiment: networks or images measured, the paper's tables on stdout, verdicts below them."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from empirical import places
from simulate.engine.study import Point, Study, label
from simulate.flags import INTERRUPTED, Parser, add_axes, add_run_flags, argument, count, guarded, silenced

if TYPE_CHECKING:
    import numpy as np

    from empirical.comparison import Table
    from simulate.campaign import Campaign
    from simulate.verdict import Verdict


def main(
    study: Study, samples: int | None, full: Mapping[str, Any], arguments: Sequence[str] | None = None
) -> NoReturn:
    """Runs an experiment as `python -m empirical.<name>` and exits.

    Parameters
    ----------
    samples : networks or images per point by default; None for all there are of a finite population.
    full : values of flags that `--full` sets where they are not given, by name.
    """
    given = sys.argv[1:] if arguments is None else arguments
    parser = _parser(study, samples)
    if "--full" in given:
        parser.set_defaults(**full)
    flags = vars(parser.parse_args(given))
    code = guarded(f"empirical.{study.name}", lambda: _run(study, flags))
    if code == INTERRUPTED:  # threads that train would be waited for; what they saved so far is whole
        os._exit(code)
    sys.exit(code)


def _parser(study: Study, samples: int | None) -> Parser:
    parser = Parser(prog=f"python -m empirical.{study.name}", description=study.says, allow_abbrev=False)
    add_axes(parser, study)
    how = parser.add_argument_group("how")
    how.add_argument("--full", action="store_true", help="the size of the paper's experiment: minutes to hours")
    how.add_argument(
        "--samples",
        type=argument(count("--samples")),
        default=samples,
        help=f"networks or images per point (default {samples or 'all'})",
    )
    if any(method.units for method in study.methods.values()):
        how.add_argument(
            "--data-dir",
            type=Path,
            help=f"folder of data sets (default: the environment variable {places.DATA}, the cache, or a download)",
        )
    add_run_flags(parser, how, devices=True)
    return parser


def _run(study: Study, flags: dict[str, Any]) -> int:
    if flags.get("data_dir"):
        os.environ[places.DATA] = str(flags["data_dir"])
    os.environ.setdefault(places.CHECKPOINTS, str(flags["out"] / "checkpoints"))
    points = study.points(**{axis: flags[axis] for axis in study.grid})

    from threadpoolctl import threadpool_limits

    from simulate.command import campaign, executor, unexpected
    from simulate.engine.backend import choose_device
    from simulate.engine.progress import Progress
    from simulate.table import text
    from theory.claims import CLAIMS

    backend, why = choose_device(flags["device"])
    samples = flags["samples"] or max(_population(study, point) for point in points)
    claims = [claim for claim in CLAIMS if claim.study == study.name]
    with silenced(), executor(backend, flags) as place, Progress() as progress, threadpool_limits(1):
        running = campaign(
            study, points, backend, place, flags, samples=samples, progress=progress.update, note=progress.note
        )
        progress.note(f"device {backend.name} ({why}); records in {running.store.root}")
        records = [(point, _measured(running, point, samples)) for point in points]
        spoken = [claim for claim in claims if any(claim.where(**point) for point in points)]
        verdicts = running.run(spoken, points, alpha=flags["alpha"]) if spoken else []
    tables = import_module(f"empirical.tables.{study.name}").tables(records)
    if flags["json"]:
        print(_document(tables, verdicts, running), flush=True)
    else:
        from empirical.comparison import text as written

        parts = [written(table) for table in tables]
        print("\n\n".join([*parts, text(verdicts, study, running.store)] if verdicts else parts), flush=True)
    return int(unexpected(verdicts))


def _population(study: Study, point: Point) -> int:
    (method,) = study.methods.values()
    assert method.units is not None, "an experiment without end has a default of --samples"
    return method.units(**point)


def _measured(running: Campaign, point: Point, samples: int) -> dict[str, np.ndarray]:
    """The first `samples` rows recorded at a point, newly measured where they are missing."""
    from simulate.evidence import Evidence

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


def _document(tables: Sequence[Table], verdicts: Sequence[Verdict], running: Campaign) -> str:
    from empirical.comparison import document
    from simulate.table import document as judged

    whole = {"tables": [document(table) for table in tables], **json.loads(judged(verdicts, running.store))}
    return json.dumps(_finite(whole), indent=1)


def _finite(value: Any) -> Any:
    """The same with null for numbers that JSON has no word for."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
