"""The command of every study: flags from its grid, a verdict table on stdout, progress on stderr, exit codes.

0: agrees or blunt; 1: a claim disagrees that the table does not already mark as refuted; 2: usage; 3: something is not
available; 130: interrupted.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from simulate.engine.study import Point, Study, UsageError, integer

if TYPE_CHECKING:
    from simulate.backends import Backend
    from simulate.campaign import Campaign
    from simulate.engine.executor import Executor
    from simulate.verdict import Verdict

USAGE, UNAVAILABLE, INTERRUPTED = 2, 3, 130
DEFAULT_BUDGET = 50.0
UNITS = {"s": 1, "m": 60, "h": 3600}


class Parser(argparse.ArgumentParser):
    """One line per usage error."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(study: Study, arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a study as `python -m simulate.<name>` and exits."""
    flags = vars(_parser(study).parse_args(arguments))
    sys.exit(guarded(f"simulate.{study.name}", lambda: _run(study, flags)))


def guarded(name: str, run: Callable[[], int]) -> int:
    """What `run` returns; every foreseeable failure as one line on stderr and an exit code."""
    from simulate.engine.backend import UnavailableError
    from simulate.engine.files import StorageError
    from simulate.engine.store import DamagedRecordError

    def fail(message: object, code: int) -> int:
        print(f"{name}: {message}", file=sys.stderr)
        return code

    try:
        return run()
    except UsageError as error:
        return fail(error, USAGE)
    except (UnavailableError, StorageError, DamagedRecordError) as error:
        return fail(error, UNAVAILABLE)
    except KeyboardInterrupt:
        again = shlex.join([arg for arg in sys.argv[1:] if arg != "--resume"])
        return fail(
            f"interrupted; what was drawn is kept: python -m {name} {again} --resume goes on from there",
            INTERRUPTED,
        )
    except BrokenPipeError:  # whoever read the table has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser(study: Study) -> Parser:
    parser = Parser(prog=f"python -m simulate.{study.name}", description=study.says, allow_abbrev=False)
    axes = parser.add_argument_group("where")
    for name, axis in study.grid.items():
        axes.add_argument(
            f"--{name}",
            type=argument(axis.parse),
            default=axis.default,
            action="extend" if axis.repeat else "store",
            help=axis.help + (f" (default {','.join(map(str, axis.default))})" if axis.default else ""),
        )
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


def add_run_flags(parser: Parser, how: argparse._ArgumentGroup) -> None:
    """The flags of every command that draws: error rate, seed, backend, workers, records, output."""
    how.add_argument(
        "--alpha",
        type=argument(fraction("--alpha")),
        default=0.05,
        help="error rate of the whole run (default 0.05)",
    )
    how.add_argument(
        "--seed",
        type=argument(lambda text: integer(text, 0, "--seed")),
        default=0,
        help="of all random streams (default 0)",
    )
    how.add_argument("--backend", default="auto", help="numpy, numba, cupy or auto (default)")
    where = how.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=argument(count("--workers")),
        metavar="K",
        help="draw on K processes of this machine",
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="draw on the Dask cluster at this address, tcp://...")
    records = parser.add_argument_group("records")
    records.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    records.add_argument(
        "--resume",
        action="store_true",
        help="go on after an interruption; damaged records are set aside and drawn again",
    )
    records.add_argument("--json", action="store_true", help="one JSON document on stdout in place of the table")


def argument(parse: Any) -> Any:
    def checked(text: str) -> Any:
        try:
            return parse(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def count(flag: str) -> Any:
    return lambda text: integer(text, 1, flag)


def fraction(flag: str) -> Any:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < 1:
            raise UsageError(f"{flag} must be a number between 0 and 1, got {text}")
        return value

    return parse


def seconds(text: str) -> float:
    unit = UNITS.get(text[-1:])
    try:
        value = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"--budget must be a time such as 60s, 5m or 2h, got {text}")
    return value


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
    """Whether a claim disagrees that the table does not already mark as refuted."""
    from theory.claims import CLAIMS

    refuted = {claim.id for claim in CLAIMS if claim.refuted}
    return any(verdict.outcome == "disagrees" and verdict.claim not in refuted for verdict in verdicts)


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
    with executor(backend, flags) as place, Progress() as progress:
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
