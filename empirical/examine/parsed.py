"""Values of flags that are lists of their own, joined by +: a comma sweeps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from fragility.engine.study import UsageError


def entries(text: str) -> list[float]:
    """The numbers of such a list."""
    return [float(part) for part in text.split("+")]


def lists(flag: str, least: float, most: float) -> Callable[[str], list[str]]:
    """A parser of comma-separated lists of numbers from `least` to `most`, increasing, joined by +; they stay texts."""

    def parse(text: str) -> list[str]:
        for part in text.split(","):
            try:
                numbers = entries(part)
            except ValueError:
                numbers = []
            ordered = all(first < second for first, second in pairwise(numbers))
            if not numbers or not all(least <= number <= most for number in numbers) or not ordered:
                wanted = f"numbers from {least:g} to {most:g} in increasing order, joined by +"
                raise UsageError(f"{flag} must be {wanted}, got {part[:60]!r}")
        return text.split(",")

    return parse
