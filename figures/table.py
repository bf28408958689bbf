"""The verdict table as Markdown, of the last run of `python -m simulate.verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fragility.command.ending import guarded
from fragility.command.flags import Parser, add_claims_flag
from fragility.engine.backend import UnavailableError
from fragility.engine.context import OWN
from fragility.engine.files import DamagedRecordError, read_json
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from fragility.judging.summary import Line


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; the exit code tells whether there was one."""
    parser = Parser(
        prog="python -m figures.table",
        description="Prints the verdicts of the last run of simulate.verify.",
        allow_abbrev=False,
    )
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    add_claims_flag(parser)
    parser.add_argument(
        "--claim",
        nargs="*",
        metavar="ID",
        help="a row per claim, of those whose id starts so (default: a row per paper)",
    )
    flags = parser.parse_args(arguments)

    def run() -> int:
        print(written(flags.out, flags.claims, flags.claim), flush=True)
        return 0

    return guarded("figures.table", run, keeps=False)


def written(out: Path, claims: str, starts: Sequence[str] | None) -> str:
    """The table of verdicts under `out`: a row per paper or, of the claims whose id starts so, a row per claim.

    Parameters
    ----------
    claims : the book that was judged, see `fragility.book.load`.
    starts : of ids; an empty sequence means all claims, None a row per paper.

    Raises
    ------
    UnavailableError : there is no such table under `out`.
    DamagedRecordError : what is there is no such table.
    UsageError : it holds no such claim, or there is no such book.
    """
    from fragility.book import load
    from fragility.judging.summary import claim_table, paper_table, totals
    from fragility.tables import markdown

    judged, book = _judged(out, claims), load(claims)
    if starts is None:
        return markdown(paper_table(judged, book, totals(judged)))
    chosen = [line for line in judged if not starts or line.claim.id.startswith(tuple(starts))]
    if not chosen:
        raise UsageError(
            f"--claim must be starts of ids that were judged, got {', '.join(starts)}: without any they are all listed"
        )
    return markdown(claim_table(chosen, totals(chosen)))


def _judged(out: Path, claims: str) -> list[Line]:
    from fragility.book import load
    from fragility.judging.summary import VERIFY, kept, read

    if claims != OWN:  # which takes a second, where there may be nothing to show
        load(claims)
    path = kept(out / VERIFY, claims)
    flags = [f" --out {out}" if out != Path("results") else "", f" --claims {claims}" if claims != OWN else ""]
    again = "python -m simulate.verify" + "".join(flags)
    try:
        judged = read(read_json(path), load(claims))
    except FileNotFoundError:
        raise UnavailableError(f"no verdicts in {path}: {again} makes them") from None
    except DamagedRecordError as damage:
        raise DamagedRecordError(f"{damage}, and must be a table of verdicts: {again} makes it anew") from None
    except ValueError:
        judged = []
    if not judged:
        raise DamagedRecordError(f"{path} must be a table of verdicts, got something else: {again} makes it anew")
    return judged


if __name__ == "__main__":
    sys.exit(main())
