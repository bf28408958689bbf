"""How often a right claim is called wrong: laws and moments of quick studies, judged again and again with new seeds.

`python -m benchmarks.false_alarms --repeats 200`. One repeat is a run as `simulate.verify` does it, at its own error
rate for all claims together, with tolerances three times as wide: fewer draws, and the same chance of an alarm. Exit
code 1 if the alarms are more than the error rate allows.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks.command import main as command
from fragility.backends.numba_backend import BACKEND
from fragility.command.flags import Parser, argument, count
from fragility.engine.context import Context
from fragility.engine.executor import in_process
from fragility.engine.shard import find_study
from fragility.engine.store import Store
from fragility.engine.study import integer
from fragility.judging.bands import clopper_pearson
from fragility.judging.campaign import Campaign
from fragility.judging.verdict import Verdict
from simulate.verify import decide
from theory.claims import BOOK

STUDIES = tuple(
    f"simulate.{name}" for name in ("gradient_plane", "last_column", "path_length", "separation", "truncation")
)
ALPHA = 0.05  # of one repeat
WIDER = 3.0
CONFIDENCE = 0.01  # chance that right error rates fail this check


def repeat(seed: int, folder: Path) -> list[Verdict]:
    """All laws and moments of the studies, judged once."""
    jobs = []
    for study in map(find_study, STUDIES):
        own = [
            replace(claim, tolerance=WIDER * claim.tolerance, decoys=())
            for claim in BOOK
            if claim.study == study.name and claim.kind in ("law", "moment")
        ]
        store = Store(folder / study.name, lambda _: "code")
        jobs += Campaign(study, BACKEND, in_process(BACKEND, Context()), store, seed).jobs(own, study.table)
    decide(jobs, ALPHA, math.inf, lambda _: None)
    return [verdict for job in jobs for verdict in job.verdicts]


def add_flags(parser: Parser) -> None:
    """How often, and with which seeds."""
    parser.add_argument("--repeats", type=argument(count("--repeats")), default=200, help="runs (default 200)")
    parser.add_argument(
        "--first",
        type=argument(lambda text: integer(text, 0, "--first")),
        default=1000,
        help="first seed (default 1000)",
    )


def main(repeats: int, first: int) -> int:
    """Prints the count, with its exact confidence interval; 1 if the alarms are more than is promised."""
    start, alarmed, verdicts, alarms = time.monotonic(), 0, 0, Counter[str]()
    for number in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            found = repeat(first + number, Path(folder))
        wrong = [verdict.claim for verdict in found if verdict.outcome == "disagrees"]
        alarmed, verdicts = alarmed + bool(wrong), verdicts + len(found)
        alarms.update(wrong)
        print(f"{number + 1} of {repeats}: {alarmed} with an alarm", file=sys.stderr, flush=True)
    low, high = clopper_pearson(alarmed, repeats, 2 * CONFIDENCE)
    print(
        f"{alarmed} of {repeats} repeats raised an alarm (rate {low:.2g} to {high:.2g}, promised at most "
        f"{ALPHA:g}); {verdicts:,} verdicts, {sum(alarms.values())} wrong; seeds {first} to "
        f"{first + repeats - 1}, {time.monotonic() - start:.0f} s"
    )
    for claim, times in alarms.most_common():
        print(f"  {claim}: {times}")
    return int(low > ALPHA)


if __name__ == "__main__":
    command("false_alarms", __doc__, main, add_flags)
