"""The lemma's own sampler against numpy's chi-square variables, vectorised.

`python -m benchmarks.bench_direct --seconds 3`. The trailing block is the case n = 2 (no entry above it); with n = 1000
the last column's norm and the fraction follow jointly, from three more variables a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from benchmarks.bench_qr_product import costs, header, report
from benchmarks.command import add_seconds
from benchmarks.command import main as command
from fragility.backends import Backend, numba_backend, numpy_backend
from simulate.samplers import triangular

GOAL = 11
SECONDS = 3.0  # a row
BLOCK, BLOCKS = 1 << 13, 64  # arrays of 64 KiB: a layer and its temporaries fit the level 2 cache


def user(generator: np.random.Generator, size: int, n: int, layers: int) -> list[np.ndarray]:
    """Lemma 3 as it stands, square layers: trailing block and, for n > 2, the length of what lies above it."""
    upper, corner, last, above = np.ones(size), np.zeros(size), np.ones(size), np.zeros(size)
    for _ in range(layers):
        if n > 2:
            tail = np.hypot(corner, last)
            along = above * np.sqrt(generator.chisquare(n, size)) + tail * generator.standard_normal(size)
            above = np.hypot(along, tail * np.sqrt(generator.chisquare(n - 3, size)))
        a, c = np.sqrt(generator.chisquare(2, size)), np.sqrt(generator.chisquare(1, size))
        upper, corner, last = a * upper, a * corner + generator.standard_normal(size) * last, c * last
    return [upper, corner, last, above]


def direct(backend: Backend, n: int, layers: int, pool: ThreadPoolExecutor) -> Callable[[], object]:
    """All statistics of BLOCKS blocks, drawn and measured on the threads of the pool."""
    rows = (n,) * layers

    def shard(index: int) -> dict[str, np.ndarray]:
        return triangular.measure(backend, triangular.draw(backend.stream(1, index), BLOCK, n, rows), n, rows)

    return lambda: list(pool.map(shard, range(BLOCKS)))


def main(seconds: float) -> None:
    """Print the table."""
    generator = np.random.default_rng(1)
    threads = numba_backend.BACKEND.concurrency
    backends: list[Backend] = [numpy_backend.BACKEND, numba_backend.BACKEND]
    with ThreadPoolExecutor(threads) as pool:
        for backend in backends:
            header("numpy default_rng, chisquare, vectorised", f"draw and measure, {backend.name}, {threads} threads")
            for n in (2, 1000):
                for layers in (1, 2, 5):
                    by_user = partial(user, generator, BLOCK, n, layers)
                    slow, fast = costs([by_user, direct(backend, n, layers, pool)], seconds)
                    name = "trailing block" if n == 2 else f"block and column, n = {n}"
                    report(f"{name}, L = {layers}", slow, BLOCK, fast, BLOCK * BLOCKS, GOAL)


if __name__ == "__main__":
    command("bench_direct", __doc__, main, add_seconds(SECONDS))
