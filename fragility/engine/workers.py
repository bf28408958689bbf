"""Shards on processes of this machine, which talk to this one through pipes: nothing listens on any port.

A signal that asks a command to end is for its first process: the others do not see it, and end with that one, however
it ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fragility.engine.backend import UnavailableError
from fragility.engine.context import Context
from fragility.engine.executor import AHEAD, Executor, Results, checked, on_worker
from fragility.engine.shard import Shard, code
from fragility.engine.study import label

if TYPE_CHECKING:
    from fragility.backends import Backend

PATIENCE = 2.0  # seconds without a result after which the processes are looked at
DEATHS = 3  # of workers in a row, without a shard between them, after which no others are started
SIGNALS = {signal.SIGINT, signal.SIGTERM}
SILENT = "ignore::UserWarning:multiprocessing.resource_tracker"  # it removes what a killed process leaves, and says so


@contextmanager
def on_workers(backend: Backend, context: Context, workers: int) -> Iterator[Executor]:
    """Shards on so many processes; what a dying one held is computed by another.

    Raises
    ------
    UnavailableError : workers die again and again.
    """
    crew = _Crew(workers)
    try:
        yield lambda shards: _run(crew, shards, backend, context)
    finally:
        crew.dismiss()


class _Crew:
    """A pool of processes that is made anew when one of them dies, and that does not outlive this one."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._others = set(active_children())
        self._own: set[BaseProcess] = set()
        with _quietly():
            resource_tracker.ensure_running()
        self._pool = self._started()

    def submit(self, *call: Any) -> Future[Any]:
        """The result to be of a call on one of the processes."""
        with _unseen(), _alone():  # a process is started when there is something to do
            future = self._pool.submit(*call)
        self._own |= set(active_children()) - self._others
        return future

    def look(self) -> None:
        """Breaks the pool if one of its processes is dead, for the pool may never see that.

        It waits for the rest of a result as long as anyone could write it, and so in vain where the process that has
        begun to was killed.
        """
        if not all(process.is_alive() for process in self._own):
            self._kill()
            self._pool._result_queue._writer.close()  # type: ignore[attr-defined]  # ours, the last one that is open

    def renew(self) -> None:
        """Starts others in place of all processes, of which one has died."""
        self.dismiss()
        self._pool = self._started()

    def dismiss(self) -> None:
        """Ends all processes, whatever they are at."""
        self._kill()
        self._pool.shutdown(cancel_futures=True)

    def _kill(self) -> None:
        for child in set(active_children()) - self._others:
            child.kill()

    def _started(self) -> ProcessPoolExecutor:
        self._own.clear()
        return ProcessPoolExecutor(self.workers, get_context("spawn"), _begin)


def _run(crew: _Crew, shards: Iterator[Shard], backend: Backend, context: Context) -> Results:
    pending: dict[Future[Any], Shard] = {}
    deaths = 0

    def send(shard: Shard) -> None:
        call = on_worker, shard, backend.name, context, code(shard, backend.name, context)
        try:
            pending[crew.submit(*call)] = shard
        except BrokenProcessPool:  # as a worker has died since
            failed: Future[Any] = Future()
            failed.set_exception(BrokenProcessPool())
            pending[failed] = shard

    try:
        while True:
            for shard in islice(shards, max(AHEAD * crew.workers - len(pending), 0)):
                send(shard)
            if not pending:
                return
            done, _ = wait(pending, PATIENCE, return_when=FIRST_COMPLETED)
            if not done:
                crew.look()
            lost: list[Shard] = []
            for future in done:
                shard = pending.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    lost.append(shard)
                    continue
                deaths = 0
                yield shard, checked(result, code(shard, backend.name, context))
            if lost:
                lost += pending.values()
                pending.clear()
                deaths += 1
                if deaths == DEATHS:
                    raise UnavailableError(_killed(lost))
                crew.renew()
                for shard in lost:
                    send(shard)
    finally:
        for future in pending:
            future.cancel()


def _killed(lost: list[Shard]) -> str:
    first = min(lost, key=lambda shard: shard.index)
    return (
        f"workers must survive a shard, got {DEATHS} killed at shard {first.index} of {first.study} at "
        f"{label(dict(first.point))} or soon after: most often they lack memory, so choose fewer --workers, then run "
        "the same command with --resume"
    )


def _begin() -> None:
    """Makes a worker end when the process that has started it is gone."""
    Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    first = parent_process()
    assert first is not None, "a worker is started by another process"
    first.join()
    os._exit(1)


@contextmanager
def _unseen() -> Iterator[None]:
    """Within the block no signal that asks to end reaches this thread, nor ever a process that is started in it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _alone() -> Iterator[None]:
    """Within the block a process that is started does not begin by running the script of this one again.

    It needs nothing of it, and that may be no file, as standard input is none, or do its work anew.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextmanager
def _quietly() -> Iterator[None]:
    """Within the block a Python that is started says nothing of what it finds left over."""
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before, SILENT)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before
