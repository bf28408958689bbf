"""Where shards are computed: threads of this process, or the workers of a Dask cluster.

A generator of results that may be closed at any time: what has not started is then dropped. Shards are taken from their
iterator when there is somebody to compute them, so that it may end a run, or be endless. Whoever computes a shard, the
same table comes back; whatever is lost on the way, an error says in one line how to go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fragility.engine.backend import UnavailableError, load
from fragility.engine.context import Context
from fragility.engine.shard import Shard, code, record
from fragility.engine.study import label

if TYPE_CHECKING:
    from fragility.backends import Backend

Results = Generator[tuple[Shard, pa.Table], None, None]
AHEAD = 4  # shards drawn and not yet asked for, per thread or worker: none waits while verdicts are computed
ANSWER = 10.0  # seconds in which a scheduler has to answer
PATIENCE = 60.0  # seconds without any worker after which none is waited for
RECOUNT = 5.0  # seconds after which the workers of a cluster are counted again: they come and go
Executor = Callable[[Iterator[Shard]], Results]


def in_process(backend: Backend, context: Context) -> Executor:
    """Shards on threads of this process."""

    def run(shards: Iterator[Shard]) -> Results:
        pool, interrupted, alone = ThreadPoolExecutor(backend.concurrency), False, Lock()

        def following() -> tuple[Shard, pa.Table] | None:
            """The next shard and its table; a thread that is free takes it, so that none is begun too late."""
            with alone:
                shard = next(shards, None)
            return None if shard is None else (shard, record(shard, backend, context))

        try:
            pending = {pool.submit(following) for _ in range(AHEAD * backend.concurrency)}
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    if (result := future.result()) is not None:
                        yield result
                        pending.add(pool.submit(following))
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            pool.shutdown(wait=not interrupted, cancel_futures=True)

    return run


@contextmanager
def on_cluster(backend: Backend, context: Context, workers: int | None, scheduler: str | None) -> Iterator[Executor]:
    """Shards on Dask workers: `workers` processes on this machine, or the cluster at address `scheduler`.

    What a dying worker held is computed by another. The failures below end a run, and its records are whole.

    Raises
    ------
    UnavailableError : dask.distributed is not installed; nothing answers at the address, or no longer; no worker is
        there for PATIENCE seconds; a worker has other code; one shard took several workers with it.
    """
    try:
        import distributed
    except ImportError:
        raise UnavailableError(
            "--workers and --scheduler need dask.distributed: pip install 'fragility[cluster]'"
        ) from None
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)  # what fails is said once, in a line of ours
    with ExitStack() as stack:
        if workers:
            options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": "CRITICAL"}
            cluster = stack.enter_context(distributed.LocalCluster(n_workers=workers, **options))
        try:
            client = stack.enter_context(distributed.Client(cluster if workers else scheduler, timeout=ANSWER))
        except (OSError, ValueError):
            raise UnavailableError(
                f"--scheduler must be the address of a running Dask scheduler, got {scheduler}"
            ) from None
        yield lambda shards: _run(client, shards, backend, context)


def _run(client: Any, shards: Iterator[Shard], backend: Backend, context: Context) -> Results:
    import distributed

    address = client.scheduler.address
    pending: dict[Any, Shard] = {}
    finished: SimpleQueue[Any] = SimpleQueue()
    recount = 0.0
    try:
        while True:
            if time.monotonic() >= recount:
                wanted, recount = AHEAD * _threads(client, address), time.monotonic() + RECOUNT
            for shard in islice(shards, max(wanted - len(pending), 0)):
                expected = code(shard, backend.name, context)
                future = client.submit(_on_worker, shard, backend.name, context, expected, pure=False, retries=3)
                pending[future] = shard
                future.add_done_callback(finished.put)
            if not pending:
                return
            try:
                future = finished.get(timeout=RECOUNT)
            except Empty:
                continue
            shard = pending.pop(future)
            while (result := _result(future, shard)) is None:
                _threads(client, address)  # the worker that held it is dead: is there one to compute it again?
            yield shard, _checked(result, code(shard, backend.name, context))
    except (distributed.client.FutureCancelledError, OSError) as loss:
        raise UnavailableError(
            f"the cluster at {address} is lost ({(str(loss) or type(loss).__name__).splitlines()[0]}); what was drawn "
            "is kept: the same command with --resume goes on from there, with another --scheduler or without one"
        ) from None
    finally:
        if client.status == "running":
            client.cancel(list(pending))


def _threads(client: Any, address: str) -> int:
    """Threads of all workers, of which there is one at last."""
    import distributed

    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except distributed.TimeoutError:
        raise UnavailableError(
            f"no worker has been at the scheduler for {PATIENCE:g} s: start some with `dask worker {address}`, "
            "then run the same command with --resume"
        ) from None
    return sum(client.nthreads().values())


def _result(future: Any, shard: Shard) -> tuple[str, pa.Table | None] | None:
    """What the worker returned, None if it cannot be had now."""
    import distributed

    try:
        return future.result(timeout=PATIENCE)
    except distributed.TimeoutError:
        if future.status == "error":
            raise
        return None
    except distributed.KilledWorker as death:
        raise UnavailableError(
            f"workers must survive a shard, got {death.allowed_failures + 1} killed by shard {shard.index} of "
            f"{shard.study} at {label(dict(shard.point))}: most often they lack memory, so start fewer on a machine, "
            "then run the same command with --resume"
        ) from None


def _checked(result: tuple[str, pa.Table | None], expected: str) -> pa.Table:
    held, table = result
    if held != expected:
        raise UnavailableError(
            f"all workers must have this code ({expected}), got a worker with other code ({held}): bring its files "
            "up to date, restart it, then run the same command with --resume"
        )
    return table


def _on_worker(shard: Shard, backend: str, context: Context, expected: str) -> tuple[str, pa.Table | None]:
    """The worker's code, and the table if it is the code expected."""
    from threadpoolctl import threadpool_limits

    held = code(shard, backend, context)
    if held != expected:
        return held, None
    loaded = load(backend)
    with threadpool_limits(1):
        return held, record(shard, loaded, context)
