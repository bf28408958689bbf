"""How much memory what is asked for takes, and whether this machine has it: said before anything is drawn."""

from __future__ import annotations

import os
from decimal import Decimal
from functools import cache
from pathlib import Path

from fragility.engine.study import UsageError

TRAINED = 16  # bytes of a weight that is trained: itself, its gradient and two moments of Adam, in float32
DRAWN = 8  # bytes of a number as it is drawn, in float64
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, which may have less than its machine
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def check_memory(what: str, numbers: int, bytes_each: int, way_out: str) -> None:
    """Sees whether `numbers` numbers can be held at once; an estimate from below, so that what fits is never refused.

    Parameters
    ----------
    what : of which they are, such as "a network of these sizes".
    bytes_each : of a number with all that is kept beside it.
    way_out : what the user can do, such as "choose a smaller --width".

    Raises
    ------
    UsageError : this machine has less memory.
    """
    if shortage := lacking(what, numbers * bytes_each):
        raise UsageError(f"{shortage}: {way_out}")


def lacking(what: str, needed: int) -> str:
    """What to say of something that takes more bytes than there is memory; nothing if it fits."""
    held = memory()
    if needed <= held:
        return ""
    return f"{what} must fit into the {sized(held)} of memory that this machine has, got about {sized(needed)}"


@cache
def memory() -> int:
    """Bytes of memory that this machine has, or allows."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(installed, int(LIMIT.read_text()))
    except (OSError, ValueError):  # there is none, or it is "max"
        return installed


def sized(count: int) -> str:
    """Two digits and a unit; of what no unit is large enough for, a power of ten."""
    place = min(max(len(str(count)) - 1, 0) // 3, len(UNITS) - 1)
    amount = Decimal(count) / 1000**place
    return f"{amount:.0f} {UNITS[place]}" if 10 <= amount < 1000 else f"{amount:.2g} {UNITS[place]}"
