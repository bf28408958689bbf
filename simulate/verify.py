"""The whole table of claims, judged within a time.

Every claim is judged at the points that its study names for the table, every bound and identity in random worlds, and
every rate over its sweep or by the exact law behind it. What decides the most claims in the least time comes first; run
again, it goes on from the records that are there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from fragility.command.ending import guarded
from fragility.command.flags import Parser, add_run_flags, argument, seconds, silenced
from fragility.command.study import campaign, executor, exit_code
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fragility.backends import Backend
    from fragility.book import Book
    from fragility.claim import Claim
    from fragility.engine.executor import Executor
    from fragility.engine.progress import Progress
    from fragility.judging.trials import Job

DEFAULT_BUDGET = 600.0
TIGHTEST = 1e6
EXPERIMENTS = "empirical."  # start of the names of studies that train networks, and judge by these themselves


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Judges the table, prints it, and exits with 1 only where a claim disagrees that the table takes for true."""
    flags = vars(_parser().parse_args(arguments))
    sys.exit(guarded("simulate.verify", lambda: _run(flags)))


def decide(
    jobs: Sequence[Job],
    alpha: float,
    deadline: float,
    decided: Callable[[int], None],
    note: Callable[[str], None] = lambda _: None,
) -> list[Job]:
    """Decides the jobs in the order of time per verdict, as far as the first shard of each tells; returns the others.

    Parameters
    ----------
    alpha : error rate of all jobs together, split evenly over what may be decided by chance.
    decided : takes the number of jobs that were decided so far.
    note : takes one line on what cannot be decided by the deadline.
    """
    from fragility.engine.progress import duration

    share = alpha / max(sum(job.chances for job in jobs), 1)
    costs: dict[int, float] = {}
    for number, job in enumerate(jobs):
        if time.monotonic() > deadline:
            break
        costs[number] = job.remaining(share) / len(job.names)
    order = sorted(costs, key=costs.__getitem__)
    longest = {number: cost * len(jobs[number].names) for number, cost in costs.items()}
    hopeless = [seconds for seconds in longest.values() if seconds > max(deadline - time.monotonic(), 0.0)]
    if hopeless:
        note(
            f"{len(hopeless)} of {len(jobs)} worlds take longer than there is time for, the longest about "
            f"{duration(max(hopeless))}: what needs all of their draws stays blunt"
        )
    for done, number in enumerate(order):
        decided(done)
        jobs[number].decide(share, deadline)
    return [job for number, job in enumerate(jobs) if number not in costs or not job.verdicts]


def _parser() -> Parser:
    parser = Parser(
        prog="python -m simulate.verify",
        description="Judges the whole table of claims within a time.",
        allow_abbrev=False,
    )
    parser.add_argument("--claim", action="append", metavar="ID", help="only claims whose id starts so; repeatable")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--budget",
        type=argument(seconds),
        default=DEFAULT_BUDGET,
        help=f"time after which to stop, 60s or 5m (default {DEFAULT_BUDGET / 60:.0f}m)",
    )
    how.add_argument(
        "--tighter",
        type=argument(_factor),
        default=1.0,
        metavar="FACTOR",
        help="judge all but bounds and identities with tolerances this many times smaller (default 1)",
    )
    add_run_flags(parser, how)
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    return parser


def _factor(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < float("inf"):
        raise UsageError(f"--tighter must be a number of at least 1, got {text}")
    if value > TIGHTEST:
        raise UsageError(f"--tighter must be at most {TIGHTEST:g}, got {text}: no number of draws would do")
    return value


def _run(flags: dict[str, Any]) -> int:
    from fragility.engine.context import Context, data_named, using

    with using(Context(flags["claims"], data_named())):
        return _judged(flags)


def _judged(flags: dict[str, Any]) -> int:
    from threadpoolctl import threadpool_limits

    from fragility.book import read
    from fragility.engine.backend import choose
    from fragility.engine.progress import Progress
    from fragility.judging.kinds.rate import judge_exact
    from fragility.judging.summary import claim_table, document, lines, totals
    from fragility.tables import finite, markdown, text

    if flags["json"] and flags["markdown"]:
        raise UsageError("--json and --markdown are two ways to print one table: leave one out")
    book = read()
    claims = _chosen(book, flags["claim"], flags["tighter"])
    deadline = time.monotonic() + flags["budget"]
    backend, why = choose(flags["backend"])
    with silenced(), executor(backend, flags) as place, Progress() as progress, threadpool_limits(1):
        progress.note(f"backend {backend.name} ({why}); records in {flags['out']}")
        counter = _Counter(progress)
        jobs = _jobs(claims, backend, place, flags, counter)
        counter.total = len(jobs)
        left = decide(jobs, flags["alpha"], deadline, counter.decided, progress.note)
    exact = [judge_exact(claim) for claim in claims if claim.kind == "rate" and not claim.theory().sizes]
    if not (jobs or exact):
        raise UsageError(_elsewhere(claims))
    verdicts = [*(verdict for job in jobs for verdict in job.verdicts), *exact]
    undecided = [name for job in left for name in job.names]
    judged = lines(claims, verdicts)
    if not judged:
        raise UsageError(f"--budget must allow the first draws of one claim, got {flags['budget']:g} s")
    written = document(judged, undecided, _provenance(backend, flags))
    _keep(written, flags)
    if flags["json"]:
        print(json.dumps(finite(json.loads(written)), indent=1), flush=True)
    elif flags["markdown"]:
        print(markdown(claim_table(judged)), flush=True)
    else:
        print(text(claim_table(judged, totals(judged, undecided))), flush=True)
    return exit_code(verdicts, book)


def _chosen(book: Book, starts: Sequence[str] | None, tighter: float) -> list[Claim]:
    chosen = [claim for claim in book if not starts or claim.id.startswith(tuple(starts))]
    if not chosen:
        raise UsageError(
            f"--claim must be the start of an id, got {', '.join(starts or ())}: python -m theory lists them"
        )
    return [claim if claim.is_relation else replace(claim, tolerance=claim.tolerance / tighter) for claim in chosen]


def _jobs(
    claims: Sequence[Claim], backend: Backend, place: Executor, flags: dict[str, Any], counter: _Counter
) -> list[Job]:
    from fragility.engine.shard import find_study
    from fragility.judging.stated import covers

    jobs: list[Job] = []
    drawn = {claim.study for claim in claims if claim.study and not claim.study.startswith(EXPERIMENTS)}
    for study in map(find_study, sorted(drawn)):
        own = [claim for claim in claims if claim.study == study.name]
        points = [point for point in study.table if any(covers(claim, point) for claim in own)]
        points += [{"claim": claim.id} for claim in own if claim.of_worlds]
        if own:
            running = campaign(study, points, backend, place, flags, progress=counter.progress, note=counter.note)
            jobs += [*running.jobs(own, points), *running.sweeps(own)]
    return jobs


def _elsewhere(claims: Sequence[Claim]) -> str:
    """Where claims are judged that are not judged here."""
    named = sorted({claim.study for claim in claims if claim.study})
    ways = ", ".join(f"python -m {study}" for study in named) or "no study"
    return f"rows must have points in the table of their study to be judged here, got none: {ways} judges them"


class _Counter:
    """Progress of the whole table before that of the job at hand."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._done, self.total = progress, 0, 0

    def decided(self, jobs: int) -> None:
        self._done = jobs

    def progress(self, what: str, done: int, target: int) -> None:
        self._progress.update(f"{self._done} of {self.total}: {what}", done, target)

    def note(self, line: str) -> None:
        self._progress.note(line)


def _provenance(backend: Backend, flags: dict[str, Any]) -> dict[str, Any]:
    from fragility.engine.provenance import origin

    return {**origin(backend, flags["seed"]), "alpha": flags["alpha"], "tighter": flags["tighter"]}


def _keep(content: str, flags: dict[str, Any]) -> None:
    from fragility.engine.files import write_alone
    from fragility.judging.summary import VERIFY, kept

    write_alone(kept(flags["out"] / VERIFY, flags["claims"]), content.encode())


if __name__ == "__main__":
    main()
