"""Search for a counterexample of a bound or an identity, shrink it and replay it in exact arithmetic.

    python -m simulate.hunt cond.relative_error.printed

0: nothing found, or the table already says that the claim fails; 1: a counterexample of a claim that the table takes
for true; 2: usage; 3: a record is damaged or cannot be written; 130: interrupted.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from simulate.engine.study import UsageError, integer
from simulate.flags import Parser, argument, count, guarded, seconds, silenced

if TYPE_CHECKING:
    from simulate.hunting.judge import Judge
    from simulate.hunting.record import Hunt
    from theory.claim import Claim

BUDGET = 60.0
NUMBERS = (
    "cond.conclusion.", "cond.tables.", "cond.attack.", "norm.conclusion.", "norm.table1.", "fc.table8.close",
    "latent.svd.factor",
)  # fmt: skip
SAYS = "Searches for a world in which a bound or an identity fails."


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs `python -m simulate.hunt` and exits."""
    flags = _parser().parse_args(arguments)
    sys.exit(guarded("simulate.hunt", lambda: _run(flags)))


def _parser() -> Parser:
    parser = Parser(prog="python -m simulate.hunt", description=SAYS, allow_abbrev=False)
    parser.add_argument("claim", metavar="CLAIM", help="id of a bound or an identity, as python -m theory lists them")
    parser.add_argument(
        "--budget", type=argument(seconds), help=f"time after which to stop, 60s or 5m (default {BUDGET:.0f}s)"
    )
    parser.add_argument(
        "--restarts",
        type=argument(count("--restarts")),
        metavar="K",
        help="stop after so many, those on record included",
    )
    parser.add_argument(
        "--seed", type=argument(lambda text: integer(text, 0, "--seed")), default=0, help="of all restarts (default 0)"
    )
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument("--resume", action="store_true", help="set damaged records aside and make them again")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout in place of the text")
    return parser


def _run(flags: Any) -> int:
    judge = _judge(flags.claim)

    from simulate.engine.backend import load
    from simulate.engine.fingerprint import fingerprint
    from simulate.engine.provenance import origin
    from simulate.engine.store import Store
    from simulate.hunting.record import Hunter

    code = fingerprint("simulate.hunting.record", "simulate.hunting.spaces", *sorted(set(_sources(judge))))
    store = Store(flags.out / "hunt" / f"{flags.claim}-seed{flags.seed}", code)
    store.save_manifest(claim=flags.claim, **origin(load("numpy"), flags.seed))
    print(f"records in {store.root}", file=sys.stderr)
    hunter = Hunter(judge, store, flags.seed, flags.resume, lambda line: print(line, file=sys.stderr))
    with silenced():
        hunt = hunter.run(flags.restarts, flags.budget or (math.inf if flags.restarts else BUDGET))
    print(
        json.dumps(document(hunt, judge.claim, flags.seed), indent=1)
        if flags.json
        else text(hunt, judge.claim, flags.seed)
    )
    return int(hunt.certain and judge.claim.holds)


def _judge(name: str) -> Judge:
    """The claim in the space where its failures are looked for.

    Raises
    ------
    UsageError : no such claim, or nothing to search.
    """
    from simulate.hunting.judge import Judge
    from simulate.hunting.spaces import SPACES
    from theory.claims import CLAIMS

    claims = {claim.id: claim for claim in CLAIMS}
    if name not in claims:
        near = ", ".join(get_close_matches(name, claims, 3, 0.4)) or "no such name"
        raise UsageError(f"CLAIM must be an id of python -m theory, got {name}: near it is {near}")
    if name.startswith(NUMBERS):
        raise UsageError(f"{name} compares printed numbers: there are no worlds to search; see python -m theory")
    if claims[name].kind not in ("bound", "identity"):
        raise UsageError(
            f"CLAIM must be a bound or an identity, got {name}, a {claims[name].kind}: see simulate.verify"
        )
    if name not in SPACES:
        near = ", ".join(get_close_matches(name, SPACES, 3, 0.0))
        raise UsageError(f"CLAIM must have a space in simulate/hunting/spaces, got {name}: near it are {near}")
    return Judge(claims[name], SPACES[name])


def _sources(judge: Judge) -> Iterator[str]:
    """Modules of theory that the sides are computed by, as far as they refer to one another by name."""
    functions = (judge.claim.theory, judge.claim.replay, judge.claim.code)
    pending = [function.__module__ for function in functions if function is not None]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name.startswith("theory") and name not in seen:
            seen.add(name)
            yield name
            for value in vars(sys.modules[name]).values():
                origin = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
                pending += [origin] if isinstance(origin, str) else []


def document(hunt: Hunt, claim: Claim, seed: int) -> dict[str, Any]:
    """The result as one JSON document."""
    finite = {
        name: value if math.isfinite(value) else None for name, value in (("ratio", hunt.ratio), ("gap", hunt.gap))
    }
    return {
        "claim": hunt.claim,
        "status": claim.standing,
        "outcome": outcome(hunt),
        "trials": hunt.trials,
        "restarts": hunt.restarts,
        "seed": seed,
        "seconds": round(hunt.seconds, 3),
        **finite,
        "witness": hunt.world,
        "size": hunt.size,
        "size_found": hunt.size_found,
        "shrinking_tried": hunt.tried,
    }


def outcome(hunt: Hunt) -> str:
    """`found`: fails in exact arithmetic; `unconfirmed`: in floating point only; `none`."""
    return "found" if hunt.certain else "unconfirmed" if hunt.world else "none"


def text(hunt: Hunt, claim: Claim, seed: int) -> str:
    """The result in a few lines."""
    effort = f"{hunt.trials:,} trials in {hunt.restarts} restarts, seed {seed}, {hunt.seconds:.1f} s"
    if claim.kind == "identity":
        best = f"largest gap {hunt.gap:.2g} of 1 + |right|, tolerance {claim.tolerance:g}"
    else:
        best = "right side never positive" if not math.isfinite(hunt.ratio) else f"left/right at most {hunt.ratio:.6g}"
    if hunt.world is None:
        tight = f": tight to {hunt.ratio:.4g}" if claim.kind == "bound" and math.isfinite(hunt.ratio) else ""
        return f"{claim.id} ({claim.standing}): no counterexample{tight}\n{effort}; {best}"
    how = "in exact arithmetic"
    if not hunt.certain:
        how = "in floating point only: no exact sides within the hypotheses, so it does not count"
    marked = claim.standing if claim.holds else f"already known to fail, {claim.standing}"
    return "\n".join(
        (
            f"{claim.id} ({marked}): fails {how}",
            json.dumps(hunt.world),
            f"{effort}; {best}",
            "shrunk from {} numbers of {} characters to {} of {}, {} candidates".format(
                *(hunt.size_found or ()), *(hunt.size or ()), hunt.tried
            ),
        )
    )


if __name__ == "__main__":
    main()
