"""The three ways to compute: `numpy` (reference), `numba` (fused CPU loops), `cupy` (NVIDIA GPU).

Each module of this package offers one `Backend`. The same world gives the same measurement on all of
them up to rounding; the same stream gives the same draws, bit for bit, on `numpy` and `numba`, and draws
of the same law on `cupy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

Array = Any  # numpy.ndarray or cupy.ndarray: a backend never mixes them


class Stream(Protocol):
    """Random numbers of one shard, decided by the shard's coordinates alone."""

    def normal(self, *shape: int) -> Array:
        """Independent N(0, 1), float64."""
        ...

    def uniform(self, *shape: int) -> Array:
        """Independent, uniform on the multiples of 2^-53 in [0, 1), float64."""
        ...

    def chi(self, degrees: int, *shape: int) -> Array:
        """Independent chi variables: the norm of a Gaussian vector of R^degrees; degrees 0 gives zeros."""
        ...


class Backend(Protocol):
    """Where the arrays live and how the linear algebra of a study is done there."""

    name: str
    xp: ModuleType
    concurrency: int  # shards that may run at once in this process
    world_bytes: int  # size of a shard's world: enough to amortise a call, little enough to fit beside others

    def stream(self, key: int, index: int) -> Stream:
        """The stream of shard `index` under a 128-bit `key`: counter-based, so any shard is reached at once."""
        ...

    def qr_chain(self, factors: Sequence[Array]) -> Array:
        """R, (size, n, n), upper triangular with positive diagonal, of H_L ... H_1 without forming the product.

        `factors` = (H_1, ..., H_L), H_i of shape (size, n_i, n_{i-1}), n_0 = n, every n_i >= n.
        """
        ...

    def lu_chain(self, factors: Sequence[Array]) -> Array:
        """Trailing 2 x 2 block, (size, 2, 2), of that same R, for square factors (size, n, n) with n >= 2."""
        ...

    def numpy(self, array: Array) -> np.ndarray:
        """The array in host memory."""
        ...
