"""R of products of Gaussian matrices: our chains against what a user would otherwise run.

`python -m benchmarks.bench_qr_product --seconds 2`: each row is measured in one interleaved run, about `seconds` (2)
long, and compares medians. Absolute times belong to the machine; ratios travel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from mpmath import mp, mpf  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits

from benchmarks.command import add_seconds
from benchmarks.command import main as command
from fragility.backends import numba_backend

SECONDS = 2.0  # a row
BACKEND = numba_backend.BACKEND
THREADS = BACKEND.concurrency
BRUTE_FORCE: dict[int, float] = {8: 40, 16: 15, 32: 6, 64: 4, 128: 6, 256: 5, 512: 8, 1000: 3}  # n: goal
LU: dict[tuple[int, int], float] = {
    (64, 2): 4,
    (64, 5): 4,
    (128, 2): 6,
    (128, 5): 6,
    (256, 5): 6,
    (512, 5): 6,
}  # (n, L): goal
QR = {8: 1.8, 16: 1.8, 32: 1.8, 64: 1.8, 128: 1.8, 256: 1.8, 512: 1.8}
ACCURACY = {(8, 5): 1e-10, (8, 20): 1e-10, (50, 20): 1e-10}


class Cost(NamedTuple):
    """Median seconds of a job."""

    wall: float
    cpu: float  # of all threads together: what remains comparable while others use the machine


def costs(jobs: Sequence[Callable[[], object]], seconds: float) -> list[Cost]:
    """Each job's cost, run in turn after one round to warm up, for about `seconds`."""
    clocks = time.perf_counter, time.process_time
    taken: list[list[tuple[float, ...]]] = [[] for _ in jobs]
    for job in jobs:
        job()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken[-1]) < 3:
        for job, times in zip(jobs, taken, strict=True):
            start = [clock() for clock in clocks]
            job()
            times.append(tuple(clock() - begun for clock, begun in zip(clocks, start, strict=True)))
    return [Cost(*map(float, np.median(times, axis=0))) for times in taken]


def header(user: str, ours: str) -> None:
    """Heads the lines of `report`."""
    print(f"\nuser: {user}\nours: {ours}")
    print(f"{'job':34}{'user us':>12}{'ours us':>12}{'ratio':>8}{'cpu ratio':>11}{'goal':>7}")


def report(job: str, user: Cost, user_draws: int, ours: Cost, draws: int, goal: float) -> None:
    """One line: wall microseconds per draw, ratio of wall times, ratio of CPU times, and the wall ratio aimed at."""
    slow, fast = user.wall / user_draws * 1e6, ours.wall / draws * 1e6
    cpu = user.cpu / user_draws / (ours.cpu / draws)
    print(f"{job:34}{slow:12.2f}{fast:12.3f}{slow / fast:8.1f}{cpu:11.1f}{goal:7g}", flush=True)


def brute_force(n: int, goal: float, seconds: float, pool: ThreadPoolExecutor) -> None:
    """Trailing block of one Gaussian matrix, random numbers included; the user's BLAS may have one thread or all."""
    block = max(1, min(2048, (1 << 18) // n**2))
    blocks = THREADS * max(4, int(4e6 / (n**2 * block)))  # a few milliseconds would not reach the second core
    generator = np.random.default_rng(1)
    count = max(2, blocks * block // 32)

    def user() -> None:
        for _ in range(count):
            np.linalg.qr(generator.standard_normal((n, n)), mode="r")

    def user_with_one_blas_thread() -> None:
        with threadpool_limits(1):
            user()

    def shard(index: int) -> np.ndarray:
        return BACKEND.lu_chain([BACKEND.stream(1, index).normal(block, n, n)])

    def ours() -> None:
        with threadpool_limits(1):
            list(pool.map(shard, range(blocks)))

    *slow, fast = costs([user, user_with_one_blas_thread, ours], seconds)
    report(f"trailing block, n = {n}, L = 1", min(slow), count, fast, blocks * block, goal)


def numpy_chain(factors: Sequence[np.ndarray]) -> None:
    """Draw by draw, Q and R of each layer, R multiplied up."""
    for draw in range(len(factors[0])):
        Q, R = np.linalg.qr(factors[0][draw])
        for factor in factors[1:]:
            Q, layer = np.linalg.qr(factor[draw] @ Q)
            R = layer @ R


def chain(
    name: str, ours: Callable[[Sequence[np.ndarray]], np.ndarray], n: int, layers: int, goal: float, seconds: float
) -> None:
    """One thread each, no random numbers."""
    count = max(1, min(256, 40000 // n**2))
    factors = [BACKEND.stream(1, layer).normal(count, n, n) for layer in range(layers)]
    with threadpool_limits(1):
        slow, fast = costs([lambda: numpy_chain(factors), lambda: ours(factors)], seconds)
    report(f"{name}, n = {n}, L = {layers}", slow, count, fast, count, goal)


def accuracy(n: int, layers: int, goal: float) -> None:
    """Median relative error of r_nn against Gram-Schmidt of the product with 600 bits."""
    factors = [BACKEND.stream(2, layer).normal(5, n, n) for layer in range(layers)]
    exact = []
    with mp.workprec(600):
        for draw in range(5):
            H = np.vectorize(mpf, otypes=[object])(factors[0][draw])
            for factor in factors[1:]:
                H = np.vectorize(mpf, otypes=[object])(factor[draw]) @ H
            for k in range(n):
                norm = mp.sqrt(H[:, k] @ H[:, k])
                q = H[:, k] / norm
                H[:, k + 1 :] -= np.outer(q, q @ H[:, k + 1 :])
            exact.append(float(norm))
    errors = [
        np.median(np.abs(R[:, -1, -1] / exact - 1)) for R in (BACKEND.qr_chain(factors), BACKEND.lu_chain(factors))
    ]
    print(f"r_nn, n = {n}, L = {layers:<18}{errors[0]:16.1e}{errors[1]:12.1e}{goal:13.0e}", flush=True)


def main(seconds: float) -> None:
    """Print all tables."""
    header(
        "numpy.linalg.qr(mode='r') of drawn matrices, the better of one and all BLAS threads",
        f"lu_chain, {THREADS} threads",
    )
    with ThreadPoolExecutor(THREADS) as pool:
        for n, goal in BRUTE_FORCE.items():
            brute_force(n, goal, seconds, pool)
    header("numpy QR chain, one thread", "lu_chain, one thread")
    for (n, layers), goal in LU.items():
        chain("trailing block", BACKEND.lu_chain, n, layers, goal, seconds)
    header("numpy QR chain, one thread", "qr_chain, one thread")
    for n, goal in QR.items():
        chain("all of R", BACKEND.qr_chain, n, 3, goal, seconds)
    print("\nmedian relative error            qr_chain    lu_chain         goal")
    for (n, layers), goal in ACCURACY.items():
        accuracy(n, layers, goal)


if __name__ == "__main__":
    command("bench_qr_product", __doc__, main, add_seconds(SECONDS))
