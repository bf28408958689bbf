"""Where shards are computed: threads of this process, or the workers of a Dask cluster.

A generator of results that may be closed at any time: what has not started is then dropped. Whoever computes
a shard, the same table comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulate.engine.backend import UnavailableError, load
from simulate.engine.shard import Shard, record

if TYPE_CHECKING:
    from simulate.backends import Backend

Results = Generator[tuple[Shard, pa.Table], None, None]
AHEAD = 4  # shards submitted per thread or worker: none waits while verdicts are computed
Executor = Callable[[Iterator[Shard]], Results]


def in_process(backend: Backend) -> Executor:
    """Shards on threads of this process."""

    def run(shards: Iterator[Shard]) -> Results:
        with ThreadPoolExecutor(backend.concurrency) as pool:
            pending = {
                pool.submit(record, shard, backend): shard for shard in islice(shards, AHEAD * backend.concurrency)
            }
            try:
                while pending:
                    done, _ = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield pending.pop(future), future.result()
                        pending |= {pool.submit(record, shard, backend): shard for shard in islice(shards, 1)}
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    return run


@contextmanager
def on_cluster(backend: Backend, workers: int | None, scheduler: str | None) -> Iterator[Executor]:
    """Shards on Dask workers: `workers` processes on this machine, or the cluster at address `scheduler`.

    Raises
    ------
    UnavailableError : dask.distributed is not installed, or nothing answers at the address.
    """
    try:
        import distributed
    except ImportError:
        raise UnavailableError(
            "--workers and --scheduler need dask.distributed: pip install 'fragility[cluster]'"
        ) from None
    with ExitStack() as stack:
        if workers:
            options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": "ERROR"}
            cluster = stack.enter_context(distributed.LocalCluster(n_workers=workers, **options))
        try:
            client = stack.enter_context(distributed.Client(cluster if workers else scheduler, timeout="10s"))
        except (OSError, ValueError):
            raise UnavailableError(
                f"--scheduler must be the address of a running Dask scheduler, got {scheduler}"
            ) from None

        def run(shards: Iterator[Shard]) -> Results:
            here = max(len(client.scheduler_info()["workers"]), 1)
            pending = {_submit(client, shard, backend): shard for shard in islice(shards, AHEAD * here)}
            results = distributed.as_completed(list(pending))
            try:
                for future in results:
                    yield pending.pop(future), future.result()
                    for shard in islice(shards, 1):
                        following = _submit(client, shard, backend)
                        pending[following] = shard
                        results.add(following)
            finally:
                client.cancel(list(pending))

        yield run


def _submit(client: Any, shard: Shard, backend: Backend) -> Any:
    return client.submit(_on_worker, shard, backend.name, pure=False, retries=3)


def _on_worker(shard: Shard, backend: str) -> pa.Table:
    from threadpoolctl import threadpool_limits

    loaded = load(backend)
    with threadpool_limits(1):
        return record(shard, loaded)
