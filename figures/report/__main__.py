"""One page of everything: claims with their verdicts, tables and pictures beside their papers, and their origins."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from figures.report.source import source_parser, summarised
from fragility.command.ending import guarded
from fragility.engine.context import Context, using
from fragility.engine.files import write_alone
from fragility.engine.study import UsageError

NAME = "report.html"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page and prints where it lies; the exit code tells whether there was anything to show."""
    parser = source_parser(
        "figures.report", "Makes one page of records, or of a summary of them. It asks for nothing outside of its file."
    )
    parser.add_argument("--to", type=Path, help=f"page to write, .html (default OUT/{NAME})")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="file to write what the records come to, in place of the page: .json"
    )
    flags = parser.parse_args(arguments)

    def run() -> int:
        to = flags.to or flags.out / NAME
        for flag, path, ending in (("--to", to, ".html"), ("--save", flags.save, ".json")):
            if path and (path.suffix != ending or path.is_dir()):
                raise UsageError(f"{flag} must name a file that ends in {ending}, got {path}")
        with using(Context(flags.claims)):
            print(_saved(flags.out, flags.summary, flags.save) if flags.save else _made(flags.out, flags.summary, to))
        return 0

    return guarded("figures.report", run, keeps=False)


def _saved(out: Path, file: Path | None, to: Path) -> Path:
    from figures.report.summary import document

    write_alone(to, document(summarised(out, file)).encode())
    return to


def _made(out: Path, file: Path | None, to: Path) -> Path:
    from figures.report.page import rendered
    from figures.report.sections import page
    from fragility.book import read

    write_alone(to, rendered(page(summarised(out, file), read())).encode())
    return to


if __name__ == "__main__":
    sys.exit(main())
