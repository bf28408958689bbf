"""One choice among the backends, made aloud."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from simulate.engine.study import UsageError

if TYPE_CHECKING:
    from simulate.backends import Backend

NAMES = ("numpy", "numba", "cupy")


class UnavailableError(RuntimeError):
    """Something this machine lacks; the text is one line with what would get it."""


def load(name: str) -> Backend:
    """The backend of that name.

    Raises
    ------
    UsageError : no such backend.
    UnavailableError : it cannot run here.
    """
    if name not in NAMES:
        raise UsageError(f"--backend must be auto or one of {', '.join(NAMES)}, got {name!r}")
    reason = _unavailable(name)
    if reason:
        raise UnavailableError(f"--backend {name} cannot run here: {reason}")
    return import_module(f"simulate.backends.{name}_backend").BACKEND


def choose(name: str) -> tuple[Backend, str]:
    """The backend to use and one line on why; "auto" takes a GPU if there is one, else numba."""
    if name != "auto":
        return load(name), "as asked"
    missing = _unavailable("cupy")
    if missing is None:
        return load("cupy"), "auto: there is a CUDA device"
    if _unavailable("numba") is None:
        return load("numba"), f"auto: fused loops on the CPU, since {missing}"
    return load("numpy"), f"auto: {_unavailable('numba')}, and {missing}"


def _unavailable(name: str) -> str | None:
    if name == "cupy":
        return import_module("simulate.backends.cupy_backend").unavailable()
    try:
        import_module(f"simulate.backends.{name}_backend")
    except ImportError as error:
        return f"{error.name} is not installed: pip install {error.name}"
    return None
