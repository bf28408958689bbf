"""Libraries that only data need, loaded when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fragility.engine.backend import UnavailableError


def package(module: str, distribution: str) -> Any:
    """The imported module.

    Raises
    ------
    UnavailableError : `distribution`, which has it, is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise UnavailableError(f"{distribution} is not installed: pip install {distribution}") from None
