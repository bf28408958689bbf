"""From what a command of this room draws: records under a folder, or a summary that was kept in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fragility.command.flags import Parser, add_claims_flag

if TYPE_CHECKING:
    from figures.report.summary import Summary


def source_parser(command: str, description: str) -> Parser:
    """A parser of the flags --out, --summary and --claims, for `python -m COMMAND`."""
    parser = Parser(prog=f"python -m {command}", description=description, allow_abbrev=False)
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="a summary in place of records")
    add_claims_flag(parser)
    return parser


def summarised(out: Path, file: Path | None) -> Summary:
    """Everything, of the records under `out` or, if a file is given, of the summary in it; on the book of the context.

    Raises
    ------
    UnavailableError : there is none of it.
    DamagedRecordError : what is there is something else.
    UsageError : the summary is of another book.
    """
    from figures.report import gathered

    return kept(file) if file else gathered.summary(out)


def judged(out: Path, file: Path | None) -> Summary:
    """The same without runs: verdicts alone.

    Raises
    ------
    UnavailableError : there are no verdicts.
    DamagedRecordError, UsageError : as above.
    """
    from figures.report.gathered import flags, judgements, rounded
    from figures.report.summary import Summary
    from fragility.engine.backend import UnavailableError
    from fragility.engine.context import current

    if file:
        return kept(file)
    found = judgements(out)
    if not found:
        raise UnavailableError(f"no verdicts in {out}: python -m simulate.verify{flags(out)} makes them")
    return rounded(Summary(current().claims, found, ()))


def kept(file: Path) -> Summary:
    """The summary in a file.

    Raises
    ------
    UnavailableError : there is no such file.
    DamagedRecordError : it holds something else.
    UsageError : it is of another book than that of the context.
    """
    from figures.report.summary import read
    from fragility.engine.backend import UnavailableError
    from fragility.engine.context import current
    from fragility.engine.files import DamagedRecordError, read_json
    from fragility.engine.study import UsageError

    again = f"python -m figures.report --save {file} makes it of records"
    try:
        summary = read(read_json(file))
    except FileNotFoundError:
        raise UnavailableError(f"no summary {file}: {again}") from None
    except DamagedRecordError as damage:
        raise DamagedRecordError(f"{damage}, and must be a summary: {again}") from None
    except ValueError:
        raise DamagedRecordError(f"{file} must be a summary, got something else: {again}") from None
    if summary.claims != current().claims:
        raise UsageError(f"--claims must be the book of the summary, {summary.claims}, got {current().claims}")
    return summary
