"""`python -m figures`: the figures, what of the papers each shows, and the command that makes its records."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fragility.command.ending import guarded
from fragility.command.flags import Parser

if TYPE_CHECKING:
    from figures.shared.picture import Picture

OF_ALL = {  # commands of this room that are of no single study
    "figures.report": "the page of everything, of whatever records there are",
    "figures.table": "the verdicts as a table",
    "figures.verdicts": "the verdicts as a picture",
}


def main() -> int:
    """Prints a line per figure."""
    Parser(
        prog="python -m figures", description="Lists the figures and what they need.", allow_abbrev=False
    ).parse_args()
    return guarded("figures", _listed, keeps=False)


def _listed() -> int:
    from figures.shared.picture import pictures
    from fragility.tables import Column, Table, text

    rows = [
        (f"python -m {picture.module}", f"python -m {picture.study}", _shown(picture))
        for picture in pictures().values()
    ]
    columns = (Column("figure"), Column("its records are made by"), Column("shows", prose=True))
    more = [f"python -m {name}: {says}." for name, says in OF_ALL.items()]
    print(text(Table(columns, rows, notes=more)), flush=True)
    return 0


def _shown(picture: Picture) -> str:
    """Figures of papers, each paper named once; of others what is set beside theory."""
    papers: dict[str, list[str]] = {}
    for place in picture.shows:
        paper, _, figure = place.rpartition(", ")
        papers.setdefault(paper, []).append(figure.removeprefix("Figure "))
    if not papers:
        from figures.shared.runs import EXPERIMENTS

        return f"theory beside {'trained networks' if picture.study.startswith(EXPERIMENTS) else 'simulation'}"
    return "; ".join(f"{paper}, Figure{'s' if len(n) > 1 else ''} {', '.join(n)}" for paper, n in papers.items())


if __name__ == "__main__":
    sys.exit(main())
