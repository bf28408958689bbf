"""Faults of real processes: whatever dies or is missing, one line says so and the same bytes come in the end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import dask
import distributed
import pytest

from fragility.backends.numpy_backend import BACKEND
from fragility.command.ending import guarded
from fragility.engine import cluster, executor
from fragility.engine.backend import UnavailableError
from fragility.engine.context import Context
from fragility.engine.shard import Shard, code
from fragility.engine.store import Store

ROOT = Path(__file__).parents[3]
SHARDS = [Shard("simulate.qr_product", "lu", (("n", 4), ("rows", (4, 4))), 0, index, 16) for index in range(24)]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def draw(place, folder, meanwhile=lambda done: None):
    """Draws what the folder lacks of SHARDS, as a campaign does; calls `meanwhile` after each."""
    store = Store(folder, lambda _: "code")
    missing = [shard for shard in SHARDS if store.read(shard) is None]
    with closing(place(iter(missing))) as results:
        for done, (shard, table) in enumerate(results, 1):
            store.write(shard, table)
            meanwhile(done)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Files of a run to which nothing happened."""
    folder = tmp_path_factory.mktemp("whole")
    draw(executor.in_process(BACKEND, Context()), folder)
    return files(folder)


@pytest.fixture(scope="module")
def crew():
    """Two worker processes with nannies that start them anew."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture
def scheduler():
    """Address of a scheduler that has no workers and takes one death of a shard's worker for enough."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster,
    ):
        yield cluster.scheduler_address


@contextmanager
def process(*command, pipe=subprocess.DEVNULL, **options):
    """A process that does not outlive the block."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, **options)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def coordinator(folder, address, victim):
    """This file run as a script: see `main`."""
    return process(
        sys.executable, __file__, str(folder), address, str(victim), pipe=subprocess.PIPE, cwd=ROOT, text=True
    )


def worker(address, folder, *arguments, cwd=ROOT):
    """A worker process without a nanny: what dies stays dead."""
    options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
    return process(sys.executable, "-m", "distributed.cli.dask_worker", address, *options, *arguments, cwd=cwd)


def refusal(address, folder, meanwhile=lambda done: None):
    """The line that ends a run on the cluster."""
    with cluster.on_cluster(BACKEND, Context(), address) as place, pytest.raises(UnavailableError) as caught:
        draw(place, folder, meanwhile)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def wait_for(something, seconds=120):
    end = time.monotonic() + seconds
    while not something():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_workers_killed_in_the_middle_change_no_byte(crew, whole, tmp_path):
    def kill(done):
        if done == 3:
            for nanny in crew.workers.values():
                os.kill(nanny.pid, signal.SIGKILL)

    with cluster.on_cluster(BACKEND, Context(), crew.scheduler_address) as place:
        draw(place, tmp_path, kill)
    assert files(tmp_path) == whole


def test_a_scheduler_without_workers_is_not_waited_for(scheduler, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.3)
    line = refusal(scheduler, tmp_path)
    assert f"no worker has been at the scheduler for 0.3 s: start some with `dask worker {scheduler}`" in line
    assert not files(tmp_path)


def test_when_the_last_worker_is_gone_the_run_goes_on_elsewhere(scheduler, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "RECOUNT", 0.2)
    folder = tmp_path / "run"
    with worker(scheduler, tmp_path) as only:

        def kill(done):
            if done == 3:
                only.kill()
                monkeypatch.setattr(cluster, "PATIENCE", 0.5)

        line = refusal(scheduler, folder, kill)
    # Under this scheduler the shard that the worker died of may be told before the want of workers is.
    assert "killed by shard" in line or "no worker has been" in line
    assert 3 <= len(files(folder)) < len(whole)
    assert files(folder).items() < whole.items()
    draw(executor.in_process(BACKEND, Context()), folder)
    assert files(folder) == whole


def test_a_shard_that_kills_its_worker_is_named(scheduler, tmp_path):
    deadly = tmp_path / "deadly.py"
    deadly.write_text("import os\nfrom fragility.engine import executor\nexecutor.record = lambda *_: os._exit(1)\n")
    with worker(scheduler, tmp_path, "--preload", str(deadly)):
        line = refusal(scheduler, tmp_path / "run")
    assert re.search(
        r"got 1 killed by shard \d of simulate.qr_product at n=4 rows=4\^2: most often they lack memory", line
    )
    assert not files(tmp_path / "run")


def test_a_worker_with_other_code_is_refused(scheduler, tmp_path):
    other = tmp_path / "simulate"
    other.mkdir()
    for path in (ROOT / "simulate").iterdir():
        (other / path.name).symlink_to(path)
    study = other / "qr_product.py"
    changed = study.read_text().replace("/ 2**0.5", "/ 2**0.51")
    assert changed != study.read_text()
    study.unlink()
    study.write_text(changed)
    with worker(scheduler, tmp_path, cwd=tmp_path):
        line = refusal(scheduler, tmp_path / "run")
    ours = code(SHARDS[0], "numpy", Context())
    assert line.startswith(f"all workers must have this code ({ours}), got a worker with other code (")
    assert not files(tmp_path / "run")


def test_a_lost_scheduler_ends_the_run_with_one_line(whole, tmp_path):
    where, run = tmp_path / "scheduler.json", tmp_path / "run"
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--scheduler-file", str(where)]
    with process(*start, "--port", "0", "--no-dashboard") as lost:
        wait_for(where.exists)
        address = json.loads(where.read_text())["address"]
        with worker(address, tmp_path), coordinator(run, address, lost.pid) as killed:
            out, err = killed.communicate(timeout=120)
    assert killed.returncode == 3, err
    assert out == ""
    (line,) = err.splitlines()
    assert f"the cluster at {address} is lost (" in line
    assert line.endswith("--resume goes on from there, with another --scheduler or without one")
    assert files(run).items() < whole.items()
    assert not list(run.rglob("*.tmp"))
    draw(executor.in_process(BACKEND, Context()), run)
    assert files(run) == whole


@pytest.mark.parametrize("place", ["threads", "cluster"])
def test_a_coordinator_killed_while_it_writes_goes_on_to_the_same_bytes(place, crew, whole, tmp_path):
    address = crew.scheduler_address if place == "cluster" else "-"
    with coordinator(tmp_path, address, "self") as killed:
        killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert len(files(tmp_path)) == 3
    with cluster.on_cluster(BACKEND, Context(), crew.scheduler_address) as where:
        draw(where, tmp_path)
    assert files(tmp_path) == whole


def main(folder, address, victim):
    """A coordinator that kills the process `victim` after three shards, or itself while it writes the fourth."""

    def kill(done):
        if done == 3 and victim == "self":
            os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        elif done == 3:
            os.kill(int(victim), signal.SIGKILL)

    def run():
        place = nullcontext(executor.in_process(BACKEND, Context()))
        with place if address == "-" else cluster.on_cluster(BACKEND, Context(), address) as where:
            draw(where, Path(folder), kill)
        return 0

    return guarded("faults", run)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
