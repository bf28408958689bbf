"""The reference backend: numpy's generators and LAPACK, nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from fragility.backends import Stream, _lapack


def usable_cores() -> int:
    """Cores this process may run on (its affinity where the system tells, else all)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class NumpyStream:
    """Philox4x64 with the shard's index in the top word of its counter: 2^192 blocks lie between two shards."""

    def __init__(self, key: int, index: int) -> None:
        self.generator = np.random.Generator(np.random.Philox(key=key, counter=index << 192))

    def normal(self, *shape: int) -> np.ndarray:
        """Independent N(0, 1), float64."""
        return self.generator.standard_normal(shape)

    def uniform(self, *shape: int) -> np.ndarray:
        """Independent, uniform on the multiples of 2^-53 in [0, 1), float64."""
        return self.generator.random(shape)

    def chi(self, degrees: int, *shape: int) -> np.ndarray:
        """Independent chi variables with `degrees` >= 0 degrees of freedom; one and two have quick ways."""
        if degrees == 0:
            return np.zeros(shape)
        if degrees == 1:
            return np.abs(self.generator.standard_normal(shape))
        if degrees == 2:
            return np.sqrt(2.0 * self.generator.standard_exponential(shape))
        return np.sqrt(2.0 * self.generator.standard_gamma(0.5 * degrees, shape))


class NumpyBackend:
    """`Backend` on numpy and LAPACK; shards run in threads, with BLAS on one thread each."""

    name = "numpy"
    xp: ModuleType = np
    concurrency = usable_cores()
    world_bytes = 1 << 25

    def stream(self, key: int, index: int) -> Stream:
        """The stream of shard `index` (0 <= index < 2^64) under a key (0 <= key < 2^128)."""
        return NumpyStream(key, index)

    def qr_chain(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """See `Backend.qr_chain`."""
        return _lapack.qr_chain(factors)

    def lu_chain(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """See `Backend.lu_chain`."""
        return _lapack.lu_chain(factors)

    def numpy(self, array: np.ndarray) -> np.ndarray:
        """The array itself: it is in host memory."""
        return np.asarray(array)


BACKEND = NumpyBackend()
