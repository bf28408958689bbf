"""Where shards are computed: threads of this process here; processes of this machine and clusters in files beside.

A generator of results that may be closed at any time: what has not started is then dropped. Shards are taken from their
iterator when there is somebody to compute them, so that it may end a run, or be endless. Whoever computes a shard, the
same table comes back; whatever is lost on the way, an error says in one line how to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa

from fragility.engine.backend import UnavailableError, load
from fragility.engine.context import Context
from fragility.engine.shard import Shard, code, record

if TYPE_CHECKING:
    from fragility.backends import Backend

Results = Generator[tuple[Shard, pa.Table], None, None]
Executor = Callable[[Iterator[Shard]], Results]
AHEAD = 4  # shards drawn and not yet asked for, per thread or worker: none waits while verdicts are computed


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


def on_worker(shard: Shard, backend: str, context: Context, expected: str) -> tuple[str, pa.Table | None]:
    """What a process elsewhere computes: the fingerprint of its code, and the table if it is the one expected."""
    from threadpoolctl import threadpool_limits

    held = code(shard, backend, context)
    if held != expected:
        return held, None
    loaded = load(backend)
    with threadpool_limits(1):
        return held, record(shard, loaded, context)


def checked(result: tuple[str, pa.Table | None], expected: str) -> pa.Table:
    """The table that a process elsewhere has computed.

    Raises
    ------
    UnavailableError : it has other code.
    """
    held, table = result
    if held != expected:
        raise UnavailableError(
            f"all workers must have this code ({expected}), got a worker with other code ({held}): bring its files "
            "up to date, restart it, then run the same command with --resume"
        )
    return table
