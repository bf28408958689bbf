"""The GPU backend against the CPU backend on all cores of the same machine, random numbers included.

`python -m benchmarks.bench_gpu`: trailing 2 x 2 block of R by the LU chain, then all of R by the QR chain. The
arithmetic rate counts what the algorithm needs at least: 2/3 n^3 a factor for LU; for QR 4/3 n^3, and 2 n^3 for
every product with Q.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.command import main as command
from fragility.backends import cupy_backend, numba_backend
from fragility.engine.backend import UnavailableError

if TYPE_CHECKING:
    from fragility.backends import Backend

CPU = numba_backend.BACKEND
SIZES = (64, 128, 256, 512, 1000, 2000)
LAYERS = (1, 5)
GOAL = 20
ROUNDS = 3


def shard(backend: Backend, chain: str, n: int, layers: int, draws: int, index: int) -> None:
    """Draws and factors one shard; done when the numbers are in host memory."""
    stream = backend.stream(1, index)
    factors = [stream.normal(draws, n, n) for _ in range(layers)]
    block = getattr(backend, chain)(factors)[:, -2:, -2:]
    assert np.isfinite(backend.numpy(block)).all()


def median(job: Callable[[], object]) -> float:
    """Median wall time of ROUNDS runs after one to warm up (CUDA kernels are compiled in it)."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def fitting(backend: Backend, n: int, layers: int) -> int:
    """Draws of a shard, as the engine chooses them: a power of two."""
    return 1 << max((backend.world_bytes // (8 * layers * n * n)).bit_length() - 1, 0)


def compare(chain: str, n: int, layers: int, pool: ThreadPoolExecutor) -> None:
    """One line of the table."""
    gpu, few, many = cupy_backend.BACKEND, fitting(CPU, n, layers), fitting(cupy_backend.BACKEND, n, layers)
    shards = 2 * CPU.concurrency
    slow = median(lambda: list(pool.map(lambda index: shard(CPU, chain, n, layers, few, index), range(shards))))
    fast = median(lambda: shard(gpu, chain, n, layers, many, 0))
    cpu_us, gpu_us = slow / (few * shards) * 1e6, fast / many * 1e6
    flops = (2 / 3 * layers if chain == "lu_chain" else 4 / 3 * layers + 2 * (layers - 1)) * n**3
    print(f"{n:6}{layers:4}{cpu_us:12.3f}{gpu_us:12.4f}{cpu_us / gpu_us:9.1f}{flops / gpu_us / 1e6:10.2f}", flush=True)


def main() -> None:
    """Print both tables.

    Raises
    ------
    UnavailableError : there is no GPU.
    """
    if reason := cupy_backend.unavailable():
        raise UnavailableError(f"a GPU is compared with the CPU: {reason}")
    for chain in ("lu_chain", "qr_chain"):
        print(f"\n{chain}, microseconds per draw; CPU: {CPU.name}, {CPU.concurrency} threads; goal: ratio {GOAL}")
        print(f"{'n':>6}{'L':>4}{'CPU':>12}{'GPU':>12}{'ratio':>9}{'TFLOP/s':>10}")
        with threadpool_limits(1), ThreadPoolExecutor(CPU.concurrency) as pool:
            for layers in LAYERS:
                for n in SIZES:
                    compare(chain, n, layers, pool)


if __name__ == "__main__":
    command("bench_gpu", __doc__, main)
