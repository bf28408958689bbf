"""The default backend: numpy's streams in compiled loops, small matrices many at once, large ones in blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fragility.backends import Stream, _block_lu, _elimination, _fill, _householder, _lapack, _philox, numpy_backend

# Largest n at which each way is the quickest, on a core with AVX-512 and 1 MiB of level 2 cache.
TINY = 16  # 64 matrices at once, all of R
SMALL = 40  # the same, where R is wanted and LU does not do
MEDIUM = 120  # elimination in compiled loops
LARGE = 1200  # elimination by blocks and products


class NumbaStream:
    """The numpy stream, bit for bit, made by compiled loops that hold no lock."""

    def __init__(self, key: int, index: int) -> None:
        self._state, self._words = _philox.start(key, index)

    def normal(self, *shape: int) -> np.ndarray:
        """Independent N(0, 1), float64."""
        out = np.empty(shape)
        _fill.normal(self._state, self._words, out.reshape(-1))
        return out

    def uniform(self, *shape: int) -> np.ndarray:
        """Independent, uniform on the multiples of 2^-53 in [0, 1), float64."""
        out = np.empty(shape)
        _fill.uniform(self._state, self._words, out.reshape(-1))
        return out

    def chi(self, degrees: int, *shape: int) -> np.ndarray:
        """Independent chi variables with `degrees` >= 0 degrees of freedom."""
        out = np.empty(shape)
        _fill.chi(self._state, self._words, degrees, out.reshape(-1))
        return out


class NumbaBackend(numpy_backend.NumpyBackend):
    """`Backend` whose loops are compiled by numba, the numpy backend where LAPACK is as quick."""

    name = "numba"

    def stream(self, key: int, index: int) -> Stream:
        """The stream of shard `index` (0 <= index < 2^64) under a key (0 <= key < 2^128)."""
        return NumbaStream(key, index)

    def qr_chain(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """See `Backend.qr_chain`."""
        if max(factor.shape[1] for factor in factors) <= SMALL:
            return _householder.qr_chain(factors, factors[0].shape[2])
        return _lapack.qr_chain(factors)

    def lu_chain(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """See `Backend.lu_chain`."""
        n = factors[0].shape[2]
        if n <= TINY:
            return _householder.qr_chain(factors, 2)
        if n <= MEDIUM:
            return _lapack.lu_chain(factors, _elimination.solve)
        return _lapack.lu_chain(factors, _block_lu.solve if n <= LARGE else None)


BACKEND = NumbaBackend()


def compile_kernels() -> None:
    """Fills numba's cache on disk, which the first runs would otherwise spend up to half a minute on."""
    stream = BACKEND.stream(0, 0)
    stream.uniform(2)
    for degrees in range(4):
        stream.chi(degrees, 2)
    for n in (TINY, MEDIUM, MEDIUM + 1):
        BACKEND.lu_chain([stream.normal(1, n, n)])
    BACKEND.qr_chain([stream.normal(1, 3, 3)])


if __name__ == "__main__":
    compile_kernels()
