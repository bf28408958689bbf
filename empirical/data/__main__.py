"""The data sets: where each of them lies, and how to fetch those that lie nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

from empirical.data.catalogue import CLASSES, PHOTOGRAPHS, PUBLISHED, SPLITS
from fragility.command.ending import INTERRUPTED, guarded
from fragility.command.flags import Parser
from fragility.engine.context import DATA, data_named
from fragility.engine.study import UsageError

NAMES = (*CLASSES, PHOTOGRAPHS)
WIDTH = max(map(len, NAMES)) + 2


def main(names: list[str], data_dir: Path | None) -> int:
    """Lists all sets if none is named; else fetches those named where they are missing, and reads them through."""
    for name in names:
        if name not in NAMES:
            raise UsageError(f"a data set must be one of {', '.join(NAMES)}, got {name!r}")
    for name in names or NAMES:
        try:
            print(name.ljust(WIDTH) + (_fetched(name, data_dir) if names else _place(name, data_dir)), flush=True)
        except KeyboardInterrupt:
            print("empirical.data: interrupted; what was whole is kept, the same command goes on", file=sys.stderr)
            return INTERRUPTED
    return 0


def _place(name: str, data_dir: Path | None) -> str:
    from empirical.data.folders import find, remedy, root

    if name == "digits":
        return "comes with scikit-learn"
    folder, named = root(data_dir)
    found = find(name, folder)
    return str(found) if found else f"not here: {remedy(name, folder, named)}"


def _fetched(name: str, data_dir: Path | None) -> str:
    from empirical.data import load, photographs
    from empirical.data.download import fetch
    from empirical.data.folders import find, root

    if name == PHOTOGRAPHS:
        found = photographs(data_dir)
        return f"{len(found)} photographs of {len({wnid for wnid, _ in found})} classes"
    folder, _ = root(data_dir)
    if name in PUBLISHED and not find(name, folder):
        fetch(name, folder)
    parts = [load(name, split, data_dir) for split in SPLITS]
    counts = ", ".join(f"{len(part)} {split} ({part.digest})" for split, part in zip(SPLITS, parts, strict=True))
    return f"{_place(name, data_dir)}: {counts}"


if __name__ == "__main__":
    parser = Parser(
        prog="python -m empirical.data",
        description="Lists the data sets and where each lies; fetches those that are named.",
        allow_abbrev=False,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=data_named(),
        help=f"folder of data sets (default: the environment variable {DATA}, else the cache)",
    )
    flags = parser.parse_args()
    sys.exit(guarded("empirical.data", lambda: main(flags.names, flags.data_dir)))
