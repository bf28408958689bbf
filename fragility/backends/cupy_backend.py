"""The GPU backend: NVIDIA devices through CuPy. Importing it is harmless where there is neither."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from fragility.backends import Array, Stream


def unavailable() -> str | None:
    """One line on what is missing and how to get it; None where the backend can be used."""
    if find_spec("cupy") is None:
        return "CuPy is not installed: pip install 'fragility[gpu]'"
    try:
        import cupy

        if not cupy.cuda.is_available():
            return "CuPy finds no CUDA device: it needs an NVIDIA GPU and its driver"
        from cupy.cuda import cublas  # noqa: F401
    except ImportError:
        return "CuPy finds no CUDA libraries: pip install 'cupy-cuda13x[ctk]'"
    return None


class CupyBackend:
    """`Backend` on one GPU: whole batches of matrices take every step together.

    The same world gives the same numbers up to rounding, whatever the memory of the device; its streams are
    independent of the device, up to the last bits of its logarithm.
    """

    name = "cupy"
    concurrency = 1
    world_bytes = 1 << 31  # 256 draws at n = 1000; all their R and what a study makes of them fit into 16 GB

    def __init__(self) -> None:
        import cupy

        self.xp = cupy

    def stream(self, key: int, index: int) -> Stream:
        """The stream of shard `index` (0 <= index < 2^64) under a key (0 <= key < 2^128)."""
        from fragility.backends._cupy_random import CupyStream

        return CupyStream(key, index)

    def qr_chain(self, factors: Sequence[Array]) -> Array:
        """See `Backend.qr_chain`."""
        from fragility.backends._cupy_qr import qr_chain

        return qr_chain(factors)

    def lu_chain(self, factors: Sequence[Array]) -> Array:
        """See `Backend.lu_chain`."""
        from fragility.backends._cupy_lu import lu_chain

        return lu_chain(factors)

    def numpy(self, array: Array) -> np.ndarray:
        """A copy of the array in host memory."""
        return self.xp.asnumpy(array)


@cache
def __getattr__(name: str) -> Any:
    if name == "BACKEND":
        return CupyBackend()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
