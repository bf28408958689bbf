"""Search for a counterexample of a bound or an identity, shrink it and replay it in exact arithmetic.

    python -m simulate.hunt cond.relative_error.printed

0: nothing found, or the table already says that the claim fails; 1: a counterexample of a claim that the table takes
for true; 2: usage; 3: a record is damaged or cannot be written; 130: interrupted.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fragility.command.ending import guarded
from fragility.command.flags import Parser, add_claims_flag, argument, count, seconds, silenced
from fragility.engine.study import UsageError, integer

if TYPE_CHECKING:
    from fragility.book import Book
    from fragility.claim import Claim
    from fragility.hunting.judge import Judge
    from fragility.hunting.record import Hunt

BUDGET = 60.0
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
    add_claims_flag(parser)
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument("--resume", action="store_true", help="set damaged records aside and make them again")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout in place of the text")
    return parser


def _run(flags: Any) -> int:
    from fragility.book import load as book_of

    judge = _judge(book_of(flags.claims), flags.claim)

    from fragility.engine.backend import load
    from fragility.engine.fingerprint import fingerprint
    from fragility.engine.provenance import origin
    from fragility.engine.store import Store
    from fragility.hunting.record import STUDY, Hunter

    claim = judge.claim
    code = fingerprint(Hunter, claim.kind, claim.tolerance, claim.theory, claim.replay, claim.hypotheses, claim.space)

    def note(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    provenance = {"claim": claim.id, **origin(load("numpy"), flags.seed)}
    root = flags.out / STUDY / f"{claim.id}-seed{flags.seed}"
    store = Store(root, lambda _: code, provenance, note if flags.resume else None)
    store.begin()
    note(f"records in {root}")
    hunter = Hunter(judge, store, flags.seed, flags.resume, note)
    with silenced():
        hunt = hunter.run(flags.restarts, flags.budget or (math.inf if flags.restarts else BUDGET))
    print(json.dumps(document(hunt, claim, flags.seed), indent=1) if flags.json else text(hunt, claim, flags.seed))
    return int(hunt.certain and claim.holds)


def _judge(book: Book, name: str) -> Judge:
    """The claim in the space where its failures are looked for.

    Raises
    ------
    UsageError : no such claim, or nothing to search.
    """
    from fragility.hunting.judge import Judge

    if name not in book:
        near = ", ".join(get_close_matches(name, (claim.id for claim in book), 3, 0.4)) or "no such name"
        raise UsageError(f"CLAIM must be an id of python -m theory, got {name!r}: near it is {near}")
    claim = book[name]
    if not claim.is_relation:
        raise UsageError(f"CLAIM must be a bound or an identity, got {name}, a {claim.kind}: see simulate.verify")
    if claim.space is None:
        near = ", ".join(get_close_matches(name, (claim.id for claim in book if claim.space), 3, 0.0))
        raise UsageError(
            f"CLAIM must have a space of worlds to search, got {name}, whose row names none: near it are {near}"
        )
    return Judge(claim, claim.space)


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
