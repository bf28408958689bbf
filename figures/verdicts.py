"""What holds, what is refuted, what trained networks do: a mark for every claim that was judged, paper by paper."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from figures.panels.verdicts import SIZE, draw, numbers
from figures.report.source import judged, source_parser
from figures.shared.style import save
from figures.shared.target import picture_file
from fragility.command.ending import guarded
from fragility.engine.context import Context, using


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws the picture and prints where it lies; the exit code tells whether there was anything to draw."""
    parser = source_parser("figures.verdicts", "Draws the last verdicts of simulate.verify and of the experiments.")
    parser.add_argument(
        "--to", type=Path, help="picture to write: .png, .svg or .pdf (default OUT/figures/verdicts.png)"
    )
    flags = parser.parse_args(arguments)

    def run() -> int:
        target = picture_file(flags.to or flags.out / "figures" / "verdicts.png", "--to" if flags.to else "--out")
        with using(Context(flags.claims)):
            from fragility.book import read

            book = read()
            drawn = numbers([line for line, _ in judged(flags.out, flags.summary).verdicts(book)], book)
        save(partial(draw, drawn=drawn), SIZE, target)
        print(target, flush=True)
        return 0

    return guarded("figures.verdicts", run, keeps=False)


if __name__ == "__main__":
    sys.exit(main())
