"""How long things are called in a picture, so that its titles stay readable."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product
from string import ascii_lowercase
from typing import Any

MOST_ENTRIES = 6  # of a tuple, that are written one by one
LONGEST = 60  # letters of a word, or a number


def written(value: Any) -> str:
    """A value of a parameter or an axis: "6", "7, 8"; of many entries their number and range, "90 from 5 to 11"."""
    if not isinstance(value, tuple):
        return cut(str(value))
    if len(value) > MOST_ENTRIES:
        least, most = min(value), max(value)
        return f"{len(value)} times {least}" if least == most else f"{len(value)} from {least} to {most}"
    return f"({', '.join(map(str, value))})" if len(value) > 1 else str(*value)


def cut(text: str, most: int = LONGEST) -> str:
    """The text, its middle left out where it is long."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def letters() -> Iterator[str]:
    """Names of panels: a to z, and on with aa."""
    return ("".join(name) for length in count(1) for name in product(ascii_lowercase, repeat=length))
