"""Parsers of the axes of experiments: numbers that networks and their trainings can be made with."""

from __future__ import annotations

from collections.abc import Callable

from fragility.engine.study import UsageError, integers, positive

MOST = 10**9  # of any number of things: what is counted so, takes days, and fits every type of number
SMALL, LARGE = 1e-12, 1e6  # of factors, rates and radii: float32 squares both without losing them


def whole(minimum: int, flag: str, most: int = MOST) -> Callable[[str], list[int]]:
    """A parser of comma-separated integers from `minimum` to `most`."""
    return integers(minimum, flag, most)


def between(flag: str, least: float = SMALL, most: float = LARGE) -> Callable[[str], list[float]]:
    """A parser of comma-separated numbers from `least` to `most`, both above 0."""
    parse = positive(flag)

    def checked(text: str) -> list[float]:
        for number in (found := parse(text)):
            if not least <= number <= most:
                raise UsageError(f"{flag} must be from {least:g} to {most:g}, got {number:g}")
        return found

    return checked
