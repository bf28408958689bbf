"""Workers of this machine: whatever becomes of one, the same bytes come, and nothing is left of them in the end."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from multiprocessing import active_children
from pathlib import Path

import pytest

from fragility.backends.numpy_backend import BACKEND
from fragility.engine import workers
from fragility.engine.backend import UnavailableError
from fragility.engine.context import Context
from fragility.engine.executor import in_process
from fragility.engine.shard import Shard
from fragility.engine.study import UsageError

ROOT = Path(__file__).parents[3]
SHARDS = [Shard("simulate.qr_product", "lu", (("n", 4), ("rows", (4, 4))), 0, index, 16) for index in range(24)]


@pytest.fixture(scope="module")
def whole():
    """Tables of all shards, drawn by threads."""
    return dict(in_process(BACKEND, Context())(iter(SHARDS)))


@pytest.fixture
def crew():
    """The processes that the test has started."""
    before = set(active_children())
    yield lambda: set(active_children()) - before
    assert set(active_children()) <= before


def draw(meanwhile=lambda done: None, shards=SHARDS):
    """Tables that two workers make of the shards; calls `meanwhile` after each."""
    made = {}
    with workers.on_workers(BACKEND, Context(), 2) as place, closing(place(iter(shards))) as results:
        for shard, table in results:
            made[shard] = table
            meanwhile(len(made))
    return made


def test_workers_killed_in_the_middle_change_no_table(whole, crew):
    def kill(done):
        if done in (3, 7):
            for child in crew():
                os.kill(child.pid, signal.SIGKILL)

    made = draw(kill)
    assert made.keys() == whole.keys()
    assert all(made[shard].equals(whole[shard]) for shard in SHARDS)


MUTE = """
import gc, os, signal, struct
from multiprocessing.queues import SimpleQueue

from fragility.engine.executor import on_worker


def half(shard, *call):
    if shard.index == 5 and not os.path.exists(MARK):
        open(MARK, "w").close()
        results = next(found for found in gc.get_objects() if isinstance(found, SimpleQueue))
        with results._wlock:
            os.write(results._writer.fileno(), struct.pack("!i", 1_000_000) + bytes(1000))
            os.kill(os.getpid(), signal.SIGKILL)
    return on_worker(shard, *call)
"""


def test_a_worker_killed_while_it_hands_over_a_result_changes_no_table(whole, tmp_path, monkeypatch, crew):
    """What waits for the rest of the result would wait for ever."""
    (tmp_path / "mute.py").write_text(MUTE.replace("MARK", repr(str(tmp_path / "once"))))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(workers, "on_worker", import_module("mute").half)
    made = draw()
    assert (tmp_path / "once").exists()
    assert made.keys() == whole.keys()
    assert all(made[shard].equals(whole[shard]) for shard in SHARDS)


def test_workers_that_die_again_and_again_end_the_run(tmp_path, monkeypatch, crew):
    (tmp_path / "deadly.py").write_text("import os\n\n\ndef die(*_):\n    os._exit(1)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(workers, "on_worker", import_module("deadly").die)
    with pytest.raises(UnavailableError, match=r"got 3 killed at shard 0 of simulate.qr_product at n=4 rows=4\^2"):
        draw()


def test_what_a_study_refuses_is_refused_here(crew):
    with pytest.raises(UsageError, match="no claim of that name"):
        draw(shards=[Shard("simulate.statements", "worlds", (("claim", "no claim of that name"),), 0, 0, 1)])


def listening(pids):
    """Ports on which one of the processes takes connections."""
    shown = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[3] for line in shown if any(f"pid={pid}," in line for pid in pids)}


def test_they_listen_on_no_port(crew):
    before, during = listening([os.getpid()]), set()

    def look(done):
        if done == 3:
            during.update(listening([os.getpid(), *(child.pid for child in crew())]))

    draw(look)
    assert during <= before


def test_a_signal_to_all_processes_is_seen_by_the_first_one_only(crew):
    """As from the keyboard, or from what manages a cluster."""

    def interrupt(done):
        if done == 3:
            for child in crew():
                os.kill(child.pid, signal.SIGINT)
                os.kill(child.pid, signal.SIGTERM)

    assert len(draw(interrupt)) == len(SHARDS)


SCRIPT = """
from fragility.backends.numpy_backend import BACKEND
from fragility.engine.context import Context
from fragility.engine.shard import Shard
from fragility.engine.workers import on_workers

print("once")
shards = [Shard("simulate.qr_product", "lu", (("n", 4), ("rows", (4, 4))), 0, index, 16) for index in range(8)]
with on_workers(BACKEND, Context(), 2) as place:
    print(len([*place(iter(shards))]))
"""


@pytest.mark.parametrize("of_a_file", [True, False])
def test_a_script_is_not_run_again_by_its_workers(tmp_path, of_a_file):
    """Even one without a main block, or one that is no file."""
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, *([str(tmp_path / "script.py")] if of_a_file else ["-"])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, input=SCRIPT, capture_output=True, text=True, env=environment, check=False)
    assert (ran.stdout, ran.stderr) == ("once\n8\n", "")
