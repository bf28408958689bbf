"""Shards on the workers of a Dask cluster, which somebody has started: see docs/scale.md."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fragility.engine.backend import UnavailableError
from fragility.engine.context import Context
from fragility.engine.executor import AHEAD, Executor, Results, checked, on_worker
from fragility.engine.shard import Shard, code
from fragility.engine.study import label

if TYPE_CHECKING:
    from fragility.backends import Backend

ANSWER = 10.0  # seconds in which a scheduler has to answer
PATIENCE = 60.0  # seconds without any worker after which none is waited for
RECOUNT = 5.0  # seconds after which the workers of a cluster are counted again: they come and go


@contextmanager
def on_cluster(backend: Backend, context: Context, scheduler: str) -> Iterator[Executor]:
    """Shards on the workers of the cluster whose scheduler is there; tls://... where it asks for certificates.

    What a dying worker held is computed by another. The failures below end a run, and its records are whole.

    Raises
    ------
    UnavailableError : dask.distributed is not installed; nothing answers at the address, or no longer; no worker is
        there for PATIENCE seconds; a worker has other code; one shard took several workers with it.
    """
    try:
        import distributed
    except ImportError:
        raise UnavailableError("--scheduler needs dask.distributed: pip install 'fragility[cluster]'") from None
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)  # what fails is said once, in a line of ours
    try:
        client = distributed.Client(scheduler, timeout=ANSWER)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UnavailableError(
            f"--scheduler must be the address of a running Dask scheduler, got {scheduler} ({_why(error)})"
        ) from None
    with client:
        yield lambda shards: _run(client, shards, backend, context)


def _why(error: Exception) -> str:
    """Why nothing can be had of a cluster: the first line of what an error says."""
    return (str(error) or type(error).__name__).splitlines()[0]


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
                future = client.submit(on_worker, shard, backend.name, context, expected, pure=False, retries=3)
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
            yield shard, checked(result, code(shard, backend.name, context))
    except (distributed.client.FutureCancelledError, OSError) as loss:
        raise UnavailableError(
            f"the cluster at {address} is lost ({_why(loss)}); what was drawn "
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
