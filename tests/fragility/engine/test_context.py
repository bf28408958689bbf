"""What shards need from outside goes with them: to threads, and to workers whose environment is bare."""

import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import distributed
import pytest

from fragility.backends.numpy_backend import BACKEND
from fragility.engine import context
from fragility.engine.cluster import on_cluster
from fragility.engine.context import Context, current, using
from fragility.engine.executor import in_process
from fragility.engine.records import column
from fragility.engine.shard import Shard, code

STUDY = '''
"""A study whose worlds need a file of data, and which stands in no room."""

import numpy as np

from fragility import Method, Study
from fragility.engine.context import current


def draw(stream, size):
    return stream.normal(size)


def measure(backend, world):
    held = current()
    factor = float((held.data / "factor.txt").read_text())
    here = "FRAGILITY_DATA" in __import__("os").environ
    return {"product": factor * np.ones(len(world)), "environment": np.full(len(world), float(here))}


STUDY = Study("needy", "a study of data", {}, lambda: [{}], {
    "all": Method("all", draw, measure, lambda **_: ("product", "environment"), lambda **_: 1, block=4)
})
'''


@pytest.fixture
def needs(tmp_path, monkeypatch):
    """A context whose book, study and data lie where nobody looks by himself."""
    book, data = tmp_path / "books", tmp_path / "data"
    book.mkdir()
    data.mkdir()
    (book / "needy.py").write_text(STUDY)
    (data / "factor.txt").write_text("2.5")
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield Context(str(book / "needy.py"), data)
    sys.modules.pop("needy", None)


@contextmanager
def bare_worker(address, folder):
    """A worker that inherits nothing of this process's environment."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    started = subprocess.Popen(
        command, cwd=folder, env={"PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        started.kill()
        started.wait()


def products(place):
    shards = [Shard("needy", "all", (), 0, index, 4) for index in range(3)]
    with closing(place(iter(shards))) as results:
        tables = [table for _, table in results]
    return [[*column(table, "product")] for table in tables], {*column(tables[0], "environment")}


def test_threads_get_it(needs):
    assert products(in_process(BACKEND, needs))[0] == [[2.5] * 4] * 3


def test_a_worker_with_a_bare_environment_gets_it(needs, tmp_path):
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster,
        bare_worker(cluster.scheduler_address, tmp_path),
        on_cluster(BACKEND, needs, cluster.scheduler_address) as place,
    ):
        assert products(place) == ([[2.5] * 4] * 3, {0.0})


def test_it_changes_no_fingerprint(needs, tmp_path):
    shard = Shard("needy", "all", (), 0, 0, 4)
    assert code(shard, "numpy", needs) == code(shard, "numpy", Context(needs.claims, tmp_path))


def test_outside_of_all_contexts_the_environment_of_this_machine_counts(monkeypatch, tmp_path):
    monkeypatch.setenv(context.DATA, str(tmp_path))
    assert current().data == tmp_path
    with using(Context(data=tmp_path / "other")):
        assert current().data == tmp_path / "other"
    assert current().data == tmp_path


def test_paths_are_absolute_since_a_worker_has_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    held = Context("book.py", Path("data"), Path("checkpoints"), Path("weights.pt"))
    assert held.claims == str(tmp_path / "book.py")
    assert (held.data, held.checkpoints, held.weights) == tuple(
        tmp_path / name for name in ("data", "checkpoints", "weights.pt")
    )
