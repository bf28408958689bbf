"""What a shard costs: seconds, bytes in memory, bytes on disk; and what it costs to hand it out and to store it.

`python -m benchmarks.bench_shards [study ...]` prints three Markdown tables (seed 0, one BLAS thread, numba backend):
shards of every study at the points of its table, and of `qr_product` at larger n, in CPU time, which other processes
on the machine do not stretch; a coordinator's writes and reads; the round trip of shards whose draws cost next to
nothing to worker processes, and through Dask, with scheduler and client in one process.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow as pa
from threadpoolctl import threadpool_limits

from benchmarks.command import main as command
from fragility.backends.numba_backend import BACKEND
from fragility.command.flags import Parser
from fragility.engine.cluster import on_cluster
from fragility.engine.context import Context
from fragility.engine.executor import Executor
from fragility.engine.room import studies as studies_of
from fragility.engine.shard import Shard, find_study, record, shard_size
from fragility.engine.store import Store
from fragility.engine.study import Point, UsageError, label
from fragility.engine.workers import on_workers

STUDIES = studies_of("simulate")
LARGER = [(method, {"n": n, "rows": (n, n)}) for n in (64, 256, 1000) for method in ("lu", "qr")]
DIRECT = ("direct", {"n": 1 << 20, "rows": (1 << 20, 1 << 20)})
ROUNDS = 5
LONG = 2.0  # seconds after which a shard is not repeated ROUNDS times, but once more
TINY, LARGE = 1, 1 << 14  # draws of the shards that travel
POINT = {"n": 4, "rows": (4, 4)}


def cases(name: str) -> Iterator[tuple[str, Point]]:
    """Methods and points at which a study's shards are measured."""
    study = find_study(name)
    for point in study.table:
        yield from ((key, point) for key, way in study.methods.items() if way.blind and way.obstacle(**point) is None)
    if name == "simulate.qr_product":
        yield from (*LARGER, DIRECT)


def first(name: str, method: str, point: Point, size: int | None = None, index: int = 0) -> Shard:
    """A shard of the world, of the size that the engine gives it."""
    size = size or shard_size(find_study(name).methods[method], point, BACKEND)
    return Shard(name, method, tuple(point.items()), 0, index, size)


def timed(job: Callable[[int], object], clock: Callable[[], float]) -> list[float]:
    """Seconds of `job(1)`, `job(2)`, ... on the clock, after `job(0)` to warm up."""
    taken: list[float] = []
    for index in range(ROUNDS + 1):
        start = clock()
        job(index)
        taken.append(clock() - start)
        if index and taken[-1] > LONG:
            break
    return taken[1:]


def peak(shard: Shard) -> int:
    """Most bytes that Python and NumPy hold at once while the shard is computed."""
    tracemalloc.start()
    record(shard, BACKEND, Context())
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


def spread(values: list[float], unit: float = 1e-3) -> str:
    """Median and range, in units."""
    return f"{median(values) / unit:.3g} ({min(values) / unit:.3g}-{max(values) / unit:.3g})"


def costs(name: str, method: str, point: Point, folder: Path) -> str:
    """A row of the first table."""
    shard = first(name, method, point)
    taken = timed(lambda index: record(first(name, method, point, index=index), BACKEND, Context()), time.process_time)
    table = record(shard, BACKEND, Context())
    store = Store(folder / name, lambda _: "benchmark")
    store.write(shard, table)
    on_disk = store.path(shard).stat().st_size
    return (
        f"| {name} {method} | {label(point)} | {shard.size:,} | {spread(taken)} | "
        f"{median(taken) / shard.size * 1e6:.3g} | {peak(shard) / 1e6:.3g} | {table.nbytes / 1e3:.4g} | "
        f"{on_disk / 1e3:.4g} | {len(taken)} |"
    )


def storage(draws: int, folder: Path) -> str:
    """A row of the second table."""
    store = Store(folder / f"storage{draws}", lambda _: "benchmark")
    shards = [first("simulate.qr_product", "lu", POINT, draws, index) for index in range(8 * ROUNDS)]
    table = record(shards[0], BACKEND, Context())
    writing, reading = [], []
    for shard in shards:
        start = time.perf_counter()
        store.write(shard, table)
        middle = time.perf_counter()
        held = store.read(shard)
        assert held is not None
        writing.append(middle - start)
        reading.append(time.perf_counter() - middle)
    return f"| {draws:,} | {table.nbytes / 1e3:.4g} | {spread(writing)} | {spread(reading)} | {len(shards)} |"


@contextmanager
def dask_workers(workers: int) -> Iterator[Executor]:
    """Workers of Dask on this machine, their scheduler in this process."""
    import distributed

    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": "CRITICAL"}
    with (
        distributed.LocalCluster(n_workers=workers, **options) as cluster,
        on_cluster(BACKEND, Context(), cluster.scheduler_address) as place,
    ):
        yield place


PLACES = {"processes": partial(on_workers, BACKEND, Context()), "Dask": dask_workers}


def travel(how: str, workers: int, draws: int, count: int) -> str:
    """A row of the third table."""
    bytes_each = 0

    def run(index: int) -> None:
        nonlocal bytes_each
        shards = (first("simulate.qr_product", "lu", POINT, draws, index * count + number) for number in range(count))
        for _, table in place(shards):
            bytes_each = table.nbytes

    with PLACES[how](workers) as place:
        wall, busy = (
            [seconds / count for seconds in timed(run, clock)] for clock in (time.perf_counter, time.process_time)
        )
    most = 1 / median(busy)
    return (
        f"| {how} | {workers} | {bytes_each / 1e3:.4g} | {spread(wall)} | {spread(busy)} | {most:.3g} | {len(busy)} |"
    )


def add_studies(parser: Parser) -> None:
    """Which studies are measured."""
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"among {', '.join(STUDIES)} (default all)")


def main(studies: Sequence[str]) -> None:
    """Print the tables.

    Raises
    ------
    UsageError : there is no such study.
    """
    if foreign := [name for name in studies if name not in STUDIES]:
        raise UsageError(f"STUDY must be among {', '.join(STUDIES)}, got {foreign[0]}")
    print(f"{os.cpu_count()} cores; pyarrow {pa.__version__}; medians, with the range in brackets\n")
    print("| study, method | point | draws | CPU ms a shard | CPU us a draw | peak MB | table kB | file kB | runs |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|")
    with TemporaryDirectory() as name, threadpool_limits(1):
        folder = Path(name)
        for study in studies or STUDIES:
            for method, point in cases(study):
                print(costs(study, method, point, folder), flush=True)
        print("\n| draws | table kB | ms to write | ms to read | runs |\n|--:|--:|--:|--:|--:|")
        for draws in (TINY, 1 << 10, LARGE, 1 << 18):
            print(storage(draws, folder), flush=True)
    print("\n| workers | how many | table kB | wall ms a shard | CPU ms of the coordinator | shards/s at most | runs |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for how, workers in product(PLACES, (1, 2)):
        for draws, count in ((TINY, 200), (LARGE, 50)):
            print(travel(how, workers, draws, count), flush=True)


if __name__ == "__main__":
    command("bench_shards", __doc__, main, add_studies)
