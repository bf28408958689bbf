"""Axes of experiments on classifiers that are named: which network, which attacks; and the code behind a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from empirical.attacks.bracket import ATTACKS
from fragility.engine.study import UsageError


def names(flag: str) -> Callable[[str], list[str]]:
    """A parser of comma-separated names, which are parts of a folder's name."""

    def parse(text: str) -> list[str]:
        if "" in text.split(",") or "/" in text:
            raise UsageError(f"{flag} must be names without a slash, separated by commas, got {text!r}")
        return text.split(",")

    return parse


def attacks(text: str) -> list[str]:
    """A parser of comma-separated lists of attacks of minimal norm, joined by +."""
    if unknown := set(text.replace("+", ",").split(",")) - set(ATTACKS):
        raise UsageError(f"--attacks must be among {', '.join(ATTACKS)}, got {', '.join(sorted(unknown))}")
    return text.split(",")


def network_code(model: str, **_: Any) -> tuple[Callable[..., Any], ...]:
    """The user's function that makes the network; that of the default network is found from what measures it."""
    from empirical.models.load import INCEPTION, own

    return () if model == INCEPTION else (own(model),)
