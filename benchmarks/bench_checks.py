"""Draws, false alarms and power of `fragility.check`, beside other tools that are asked the same questions.

`python -m benchmarks.bench_checks --repeats 1000`. Each question is asked of a sampler for which it holds and of one
that is off by exactly the tolerance, at error rate 0.05 and power 0.95 where a tool takes them. A false alarm is
whatever does not pass though it holds. Packages that are not installed are left out, with a line that says so.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from benchmarks.check_peers import ALPHA, BETA, TOOLS, USUAL, Question
from benchmarks.command import main as command
from fragility.command.flags import Parser, argument, count
from fragility.engine.study import integer
from fragility.judging.bands import clopper_pearson
from fragility.tables import Column, Interval, Table, document, markdown, text

INSTALLED = "pytest-stochastic==0.1.0 stochtest==0.6.2"
CONFIDENCE = 0.95  # of each interval by itself
COLUMNS = (
    Column("tool"),
    Column("draws", "median", align="right", key="draws"),
    Column("draws", "95 %", align="right", key="most_draws"),
    Column("false alarms", align="right", form=".3f"),
    Column("of them", "interval", key="false_alarms_interval", form=".3f"),
    Column("passes when off", align="right", form=".3f", key="passes"),
    Column("of them", "interval", key="passes_interval", form=".3f"),
    Column("keeps both"),
)
Counts = tuple[list[int], int, int]  # draws where it holds, false alarms, passes where it is off


def poisson_off(tolerance: float, mean: float) -> float:
    """A mean of which the Poisson law is so far from another, in Kolmogorov's distance."""
    places = np.arange(100)
    gap = lambda other: np.max(np.abs(stats.poisson.cdf(places, other) - stats.poisson.cdf(places, mean)))  # noqa: E731
    return float(brentq(lambda other: gap(other) - tolerance, mean, 2 * mean, xtol=1e-13))


def normal(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.standard_normal(size)


def gathered(tolerance: float, rng: np.random.Generator, size: int) -> np.ndarray:
    """A normal law of which what lies just above the median was moved there: off at one place and nowhere else."""
    uniform = rng.random(size)
    return stats.norm.ppf(np.where((uniform > 0.5) & (uniform < 0.5 + tolerance), 0.5, uniform))


OFF = poisson_off(0.05, 3.0)
QUESTIONS = (
    Question(
        says="a law: normal, tolerance 0.05",
        tolerance=0.05,
        asked={"against": stats.norm()},
        right=normal,
        off=lambda rng, size: gathered(0.05, rng, size),
    ),
    Question(
        says="a law with atoms: Poisson of mean 3, tolerance 0.05",
        tolerance=0.05,
        asked={"against": stats.poisson(3.0)},
        right=lambda rng, size: rng.poisson(3.0, size),
        off=lambda rng, size: rng.poisson(OFF, size),
    ),
    Question(
        says="a mean: exponential draws, standard deviation 1, tolerance 0.1",
        tolerance=0.1,
        asked={"mean": 1.0, "sd": 1.0},
        right=lambda rng, size: rng.exponential(size=size),
        off=lambda rng, size: rng.exponential(size=size) + 0.1,
        variance=1.0,
    ),
    Question(
        says="a mean: Beta(2, 2) draws between 0 and 1, tolerance 0.05",
        tolerance=0.05,
        asked={"mean": 0.5, "bounds": (0.0, 1.0)},
        right=lambda rng, size: rng.beta(2.0, 2.0, size),
        off=lambda rng, size: rng.beta(2.2, 1.8, size),
    ),
    Question(
        says="a probability: 0.3, tolerance 0.05",
        tolerance=0.05,
        asked={"probability": 0.3},
        right=lambda rng, size: rng.random(size) < 0.3,
        off=lambda rng, size: rng.random(size) < 0.35,
    ),
    Question(
        says="a rare event: probability 0.01, tolerance 0.01",
        tolerance=0.01,
        asked={"probability": 0.01},
        right=lambda rng, size: rng.random(size) < 0.01,
        off=lambda rng, size: rng.random(size) < 0.02,
    ),
    Question(
        says="two samplers: normal, tolerance 0.1 (draws of each)",
        tolerance=0.1,
        asked={"against": normal},
        right=normal,
        off=lambda rng, size: gathered(0.1, rng, size),
    ),
)


def counted(place: int, tool: str, repeats: int, seed: int) -> Counts | str | None:
    """What a tool answers to a question, again and again; None where it cannot be asked, a line where it is missing."""
    question, ask = QUESTIONS[place], TOOLS[tool]
    draws, alarms, passes = list[int](), 0, 0
    try:
        for k in range(repeats):
            right = ask(question, question.right, seed + 2 * k)
            wrong = ask(question, question.off, seed + 2 * k + 1)
            if right is None or wrong is None:
                return None
            draws.append(right.draws)
            alarms, passes = alarms + (not right.passes), passes + wrong.passes
    except ImportError as missing:
        return f"Left out, for want of {missing.name}: pip install {INSTALLED}"
    return draws, alarms, passes


def row(tool: str, found: Counts) -> list[str | int | float | Interval]:
    """Both rates with intervals, and whether both may be what `check` promises."""
    draws, alarms, passes = found
    repeats = len(draws)
    rates, kept = list[float | Interval](), True
    for number, promised in ((alarms, ALPHA), (passes, BETA)):
        low, high = clopper_pearson(number, repeats, 1 - CONFIDENCE)
        rates += [number / repeats, Interval(low, high, repeats)]
        kept &= low <= promised
    return [tool, int(np.median(draws)), int(np.quantile(draws, 0.95)), *rates, "yes" if kept else "no"]


def table(found: Iterable[tuple[int, str, Counts | str | None]], repeats: int, seed: int) -> Table:
    """The tools, question by question."""
    rows, headings, missing = list[list[str | int | float | Interval]](), dict[int, str](), dict[str, None]()
    asked = dict[int, None]()
    for place, tool, counts in found:
        if isinstance(counts, str):
            missing[counts] = None
        elif counts is not None:
            if place not in asked:
                asked[place], headings[len(rows)] = None, QUESTIONS[place].says
            rows.append(row(tool, counts))

    def facts() -> list[Mapping[str, object]]:
        keys = [column.key or column.name for column in COLUMNS]
        starts = sorted(headings)
        return [
            {
                "question": headings[max(start for start in starts if start <= number)],
                **{
                    key: [cell.low, cell.high] if isinstance(cell, Interval) else cell
                    for key, cell in zip(keys, cells, strict=True)
                },
            }
            for number, cells in enumerate(rows)
        ]

    notes = [
        f"{repeats:,} repeats of each, seeds from {seed} on; intervals of Clopper and Pearson, {CONFIDENCE:.0%} each.",
        f"Tools that leave the number of draws to their user have {USUAL:,}.",
        "Keeps both: neither rate lies above 0.05 by more than chance allows.",
        *missing,
    ]
    return Table(COLUMNS, rows, notes=notes, headings=headings, confidence=CONFIDENCE, facts=facts)


def add_flags(parser: Parser) -> None:
    """How often, with which seeds, and in which form."""
    parser.add_argument("--repeats", type=argument(count("--repeats")), default=1000, help="of each (default 1000)")
    parser.add_argument(
        "--seed", type=argument(lambda given: integer(given, 0, "--seed")), default=0, help="the first (default 0)"
    )
    parser.add_argument("--workers", type=argument(count("--workers")), default=1, help="processes (default 1)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument("--markdown", action="store_true", help="the table in Markdown")


def main(repeats: int, seed: int, workers: int, json: bool, markdown: bool) -> None:
    """Prints the table."""
    cells, start = [(place, tool) for place in range(len(QUESTIONS)) for tool in TOOLS], time.monotonic()
    found = list[tuple[int, str, Counts | str | None]]()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        jobs = [(place, tool, pool.submit(counted, place, tool, repeats, seed)) for place, tool in cells]
        for place, tool, job in jobs:
            found.append((place, tool, job.result()))
            spent = time.monotonic() - start
            print(f"{len(found)} of {len(cells)}: {tool}, {spent:.0f} s", file=sys.stderr, flush=True)
    print(_written(table(found, repeats, seed), json, markdown))


def _written(measured: Table, as_json: bool, as_markdown: bool) -> str:
    if as_json:
        return json.dumps(document(measured), indent=1)
    return markdown(measured) if as_markdown else text(measured)


if __name__ == "__main__":
    command("bench_checks", __doc__, main, add_flags)
