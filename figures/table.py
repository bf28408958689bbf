"""The verdict table as Markdown, of the last run of `python -m simulate.verify`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.engine.files import DamagedRecordError, read_json
from simulate.engine.study import UsageError
from simulate.flags import UNAVAILABLE, USAGE

if TYPE_CHECKING:
    from simulate.summary import Line


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; the exit code tells whether there was one."""
    parser = argparse.ArgumentParser(
        prog="python -m figures.table", description="Prints the verdicts of the last run of simulate.verify."
    )
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument(
        "--claims",
        nargs="*",
        metavar="ID",
        help="a row per claim, of those whose id starts so (default: a row per paper)",
    )
    flags = parser.parse_args(arguments)
    try:
        print(document(flags.out, flags.claims))
    except UsageError as error:
        print(f"figures.table: {error}", file=sys.stderr)
        return USAGE
    except (FileNotFoundError, DamagedRecordError) as error:
        print(f"figures.table: {error}", file=sys.stderr)
        return UNAVAILABLE
    return 0


def document(out: Path, starts: Sequence[str] | None) -> str:
    """The table of verdicts under `out`: a row per paper or, of the claims whose id starts so, a row per claim.

    Parameters
    ----------
    starts : of ids; an empty sequence means all claims, None a row per paper.

    Raises
    ------
    FileNotFoundError : there is no such table under `out`.
    DamagedRecordError : what is there is no such table.
    UsageError : it holds no such claim.
    """
    from simulate.summary import markdown, overview, totals

    table = _table(out)
    if starts is None:
        return "\n".join([overview(table), "", *totals(table)])
    chosen = [line for line in table if not starts or line.claim.id.startswith(tuple(starts))]
    if not chosen:
        raise UsageError(
            f"--claims must be starts of ids that were judged, got {', '.join(starts)}: without any they are all listed"
        )
    return "\n".join([markdown(chosen), "", *totals(chosen)])


def _table(out: Path) -> list[Line]:
    from simulate.summary import read
    from theory.claims import CLAIMS

    path = out / "verify" / "verdicts.json"
    again = "python -m simulate.verify" + (f" --out {out}" if out != Path("results") else "")
    try:
        table = read(read_json(path), CLAIMS)
    except FileNotFoundError:
        raise FileNotFoundError(f"no verdicts in {path}: {again} makes them") from None
    except DamagedRecordError as damage:
        raise DamagedRecordError(f"{damage}, and must be a table of verdicts: {again} makes it anew") from None
    except ValueError:
        table = []
    if not table:
        raise DamagedRecordError(f"{path} must be a table of verdicts, got something else: {again} makes it anew")
    return table


if __name__ == "__main__":
    sys.exit(main())
