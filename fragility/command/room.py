"""The command of every room, `python -m ROOM`: what can be run in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

from fragility.command.ending import guarded
from fragility.command.flags import Parser


def main(room: str, folder: Path) -> NoReturn:
    """Prints a line per command of the room in `folder`, and exits."""
    Parser(prog=f"python -m {room}", description="Lists what can be run in this room.", allow_abbrev=False).parse_args()
    sys.exit(guarded(room, lambda: _listed(room, folder), keeps=False))


def _listed(room: str, folder: Path) -> int:
    from fragility.engine.room import listing

    print(listing(room, folder), flush=True)
    return 0
