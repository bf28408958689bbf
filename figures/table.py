"""The verdict table: a row per paper or, of some claims, a row each, as text or as Markdown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from figures.report.source import judged, source_parser
from fragility.command.ending import guarded
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from figures.report.summary import Summary
    from fragility.tables import Table


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; the exit code tells whether there was one."""
    parser = source_parser("figures.table", "Prints the last verdicts of simulate.verify and of the experiments.")
    parser.add_argument(
        "--claim",
        nargs="*",
        metavar="ID",
        help="a row per claim, of those whose id starts so (default: a row per paper)",
    )
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    flags = parser.parse_args(arguments)

    def run() -> int:
        from fragility.tables import markdown, text

        with using(Context(flags.claims)):
            table = verdicts(judged(flags.out, flags.summary), flags.claim)
        print(markdown(table) if flags.markdown else text(table), flush=True)
        return 0

    return guarded("figures.table", run, keeps=False)


def verdicts(summary: Summary, starts: Sequence[str] | None = None) -> Table:
    """A row per paper or, of the claims whose id starts so, a row per claim.

    Parameters
    ----------
    starts : of ids; an empty sequence means all claims, None a row per paper.

    Raises
    ------
    UsageError : no such claim was judged.
    """
    from fragility.book import read
    from fragility.judging.summary import claim_table, paper_table, totals

    book = read()
    lines = [line for line, _ in summary.verdicts(book)]
    if starts is None:
        return paper_table(lines, book, totals(lines, summary.undecided))
    chosen = [line for line in lines if not starts or line.claim.id.startswith(tuple(starts))]
    if not chosen:
        raise UsageError(
            f"--claim must be starts of ids that were judged, got {', '.join(starts)}: without any they are all listed"
        )
    return claim_table(chosen, totals(chosen))


if __name__ == "__main__":
    sys.exit(main())
