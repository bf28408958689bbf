"""One choice among the backends, made aloud."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from fragility.backends import Backend

NAMES = ("numpy", "numba", "cupy")
DEVICES = ("cpu", "cuda")  # where networks are trained, on worlds of the numpy backend


class UnavailableError(RuntimeError):
    """Something this machine lacks; the text is one line with what would get it."""


def load(name: str) -> Backend:
    """The backend of that name.

    Raises
    ------
    UsageError : no such backend.
    UnavailableError : it cannot run here.
    """
    if name in DEVICES:
        return _on(name)
    if name not in NAMES:
        raise UsageError(f"--backend must be auto or one of {', '.join(NAMES)}, got {name!r}")
    reason = _unavailable(name)
    if reason:
        raise UnavailableError(f"--backend {name} cannot run here: {reason}")
    return import_module(module(name)).BACKEND


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


def choose_device(name: str) -> tuple[Backend, str]:
    """The backend that trains networks, and one line on why; "auto" takes a GPU if there is one.

    Raises
    ------
    UsageError : no such device.
    UnavailableError : torch is not installed, or there is no such device here.
    """
    if name == "auto":
        missing = _torch().unavailable("cuda")
        return (_on("cpu"), f"auto: {missing}") if missing else (_on("cuda"), "auto: there is a CUDA device")
    if name not in DEVICES:
        raise UsageError(f"--device must be auto or one of {', '.join(DEVICES)}, got {name!r}")
    return _on(name), "as asked"


def module(backend: str) -> str:
    """The module that defines a backend."""
    return f"fragility.backends.{'torch' if backend in DEVICES else backend}_backend"


def _torch() -> Any:
    try:
        return import_module(module("cpu"))
    except ImportError:
        raise UnavailableError("networks need torch: pip install 'fragility[empirical]'") from None


def _on(device: str) -> Backend:
    reason = _torch().unavailable(device)
    if reason:
        raise UnavailableError(f"--device {device} cannot be used here: {reason}")
    return _torch().on(device)


def _unavailable(name: str) -> str | None:
    if name == "cupy":
        return import_module(module("cupy")).unavailable()
    try:
        import_module(module(name))
    except ImportError as error:
        return f"{error.name} is not installed: pip install {error.name}"
    return None
