"""Samplers of scipy, numpy, torch and scikit-learn, each checked against its law: `python -m benchmarks.survey`.

One error rate for all checks of all families, whichever are run: each gets its part of `--alpha`. What is there is
written to `--out` check by check, and not made again by a later run.
"""

from __future__ import annotations

import json
import math
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.command import main as command
from benchmarks.surveyed.row import FINE, Row
from fragility.command.flags import Parser, argument, fraction, seconds
from fragility.engine.files import write_whole
from fragility.engine.study import UsageError, among, integer
from fragility.tables import Column, Table, document, finite, listing, text

FAMILIES = ("scipy", "numpy", "torch", "matrices")
OUTCOMES = ("agrees", "blunt", "disagrees", "faulty", "raises")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")
Facts = dict[str, Any]  # what is known of one check, as JSON has it


def surveyed(row: Row, alpha: float, seed: int, tolerance: float, budget: float) -> Facts:
    """What a check says of a row, or what the library raised; and what was warned of on the way."""
    from fragility import check

    start, tolerance = time.monotonic(), max(row.tolerance, tolerance)
    facts: Facts = {
        "of": row.of,
        "at": row.at,
        "seed": seed,
        "tolerance": tolerance,
        "alpha": alpha,
        "versions": versions(),
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            draw, claimed = row.make()
            verdict = check(draw, tolerance=tolerance, alpha=alpha, seed=seed, budget=budget, **claimed)
        except Exception as error:
            facts |= {"outcome": "raises", "samples": 0, "said": f"{type(error).__name__}: {error}"}
        else:
            facts |= {key: getattr(verdict, key) for key in ("outcome", "gap", "band", "resolution", "samples")}
            facts["said"] = verdict.fault
    facts["warned"] = sorted({str(each.message).splitlines()[0] for each in caught})
    return finite({**facts, "seconds": round(time.monotonic() - start, 2)})


def versions() -> str:
    """Of the libraries that are surveyed."""
    return ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def every() -> dict[str, list[Row]]:
    """All checks of the survey by their families."""
    return {family: import_module(f"benchmarks.surveyed.of_{family}").rows() for family in FAMILIES}


def run(
    family: list[str], only: str, tolerance: float, alpha: float, seed: int, budget: float, out: str, json_: bool
) -> int:
    """Surveys, and prints what was found; 1 if something disagrees or is faulty."""
    rows = every()
    part = alpha / sum(map(len, rows.values()))
    chosen = [(name, row) for name in family for row in rows[name] if only in row.name]
    if not chosen:
        raise UsageError(f"--only must be part of the name of a check, got {only}")
    path = Path(out) if out else None
    known = _known(path)
    found: dict[tuple[str, str], Facts] = {}
    for number, (name, row) in enumerate(chosen, start=1):
        key = _key({"of": row.of, "at": row.at, "seed": seed, "alpha": part, "versions": versions()}, row, tolerance)
        if key not in known:
            known[key] = {"family": name, **surveyed(row, part, seed, tolerance, budget)}
            if path:
                lines = (json.dumps(facts) for facts in known.values())
                write_whole(path, "".join(f"{line}\n" for line in lines).encode())
        facts = found[row.of, row.at] = known[key]
        print(f"{number} of {len(chosen)}: {row.name} {facts['outcome']}, {facts['seconds']:g} s", file=sys.stderr)
    tables = [*_counted(list(found.values()), part), *_listed(list(found.values()))]
    print(json.dumps([document(table) for table in tables]) if json_ else "\n\n".join(map(text, tables)))
    return int(any(facts["outcome"] in ("disagrees", "faulty") for facts in found.values()))


def _key(facts: Mapping[str, Any], row: Row, tolerance: float) -> tuple[Any, ...]:
    """What makes a check the same as one that is there already."""
    return (*(facts[name] for name in ("of", "at", "seed", "alpha", "versions")), max(row.tolerance, tolerance))


def _known(path: Path | None) -> dict[tuple[Any, ...], Facts]:
    """Checks that an earlier run has written."""
    if path is None or not path.exists():
        return {}
    lines = map(json.loads, path.read_text().splitlines())
    names = ("of", "at", "seed", "alpha", "versions", "tolerance")
    return {tuple(facts[name] for name in names): facts for facts in lines}


def _counted(found: Sequence[Facts], part: float) -> Iterator[Table]:
    """Checks by family and outcome, with what they would have seen."""
    rows = []
    for family in dict.fromkeys(facts["family"] for facts in found):
        own = [facts for facts in found if facts["family"] == family]
        seen = sorted(facts["resolution"] for facts in own if facts["outcome"] in ("agrees", "blunt"))
        rows.append(
            [
                family,
                len({facts["of"] for facts in own}),
                len(own),
                *(sum(facts["outcome"] == outcome for facts in own) for outcome in OUTCOMES),
                *((seen[len(seen) // 2], seen[-1]) if seen else (math.nan, math.nan)),
                sum(facts["samples"] for facts in own),
                round(sum(facts["seconds"] for facts in own)),
            ]
        )
    head = ["family", "samplers", "checks", *OUTCOMES, "would see, median", "at most", "draws", "seconds"]
    yield listing("Samplers against their laws", head, rows, [f"error rate of each check {part:.2g}; {versions()}"])


def _listed(found: Sequence[Facts]) -> Iterator[Table]:
    """Every check that does not agree."""
    others = [facts for facts in found if facts["outcome"] != "agrees"]
    columns = [Column("sampler"), Column("verdict"), Column("gap", align="right", form=".2g")]
    columns += [
        Column("would see", align="right", form=".2g"),
        Column("draws", align="right"),
        Column("said", prose=True),
    ]
    cells = [
        [
            f"{facts['of']}({facts['at']})",
            facts["outcome"],
            facts.get("gap"),
            facts.get("resolution") if facts["outcome"] == "blunt" else None,
            facts["samples"],
            facts["said"],
        ]
        for facts in others
    ]
    if cells:
        yield Table(columns, cells, "What does not agree")


def add_flags(parser: Parser) -> None:
    """What is surveyed, how finely, and where it is kept."""
    parser.add_argument(
        "--family",
        type=argument(among([*FAMILIES], "--family")),
        default=[*FAMILIES],
        help=f"among {', '.join(FAMILIES)} (default all)",
    )
    parser.add_argument("--only", default="", metavar="NAME", help="checks in whose name this stands")
    parser.add_argument(
        "--tolerance",
        type=argument(fraction("--tolerance")),
        default=FINE,
        help=f"gap between probabilities that is to be seen; slow samplers have a larger one (default {FINE:g})",
    )
    parser.add_argument(
        "--alpha",
        type=argument(fraction("--alpha")),
        default=0.05,
        help="error rate of the whole survey (default 0.05)",
    )
    parser.add_argument(
        "--seed", type=argument(lambda text: integer(text, 0, "--seed")), default=0, help="of all draws (default 0)"
    )
    parser.add_argument("--budget", type=argument(seconds), default=30.0, help="time for each check (default 30s)")
    parser.add_argument("--out", default="", metavar="FILE", help="a line of JSON per check, which a later run reads")
    parser.add_argument("--json", dest="json_", action="store_true", help="one JSON document")


if __name__ == "__main__":
    command("survey", __doc__, run, add_flags)
