"""The default backend: numpy's streams drawn in compiled loops, small matrices many at a time, large ones by LAPACK."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulate.backends import _fill, numpy_backend


class Stream(numpy_backend.Stream):
    """The numpy stream, bit for bit, filled by compiled loops that hold no lock."""

    def normal(self, *shape: int) -> np.ndarray:
        """Independent N(0, 1), float64."""
        out = np.empty(shape)
        _fill.normal(self.generator, out.ravel())
        return out

    def chi(self, degrees: int, *shape: int) -> np.ndarray:
        """Independent chi variables with `degrees` >= 0 degrees of freedom."""
        out = np.empty(shape)
        _fill.chi(self.generator, degrees, out.ravel())
        return out


class NumbaBackend(numpy_backend.NumpyBackend):
    """`Backend` whose loops are compiled by numba, beyond small n the numpy backend."""

    name = "numba"

    def stream(self, key: int, index: int) -> Stream:
        """The stream of shard `index` (0 <= index < 2^64) under a key (0 <= key < 2^128)."""
        return Stream(key, index)


BACKEND = NumbaBackend()
