"""Records: what is written comes back bit for bit, is refused when damaged, and counts stand for values."""

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.engine.files import StorageError, clear, write_alone, write_whole
from fragility.engine.records import column, counted_table, counts, drawn, raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import DamagedRecordError, Store, runs, world
from fragility.engine.study import UsageError

POINT = {"n": 3, "rows": (3, 3)}
SHARD = Shard("simulate.qr_product", "qr", tuple(POINT.items()), seed=0, index=0, size=4)
COLUMNS = {
    "last": np.arange(4.0),
    "diagonal": np.arange(12.0).reshape(4, 3),
    "course": np.arange(24.0).reshape(4, 1, 3, 2),
}
TABLE = raw_table(COLUMNS)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "simulate.qr_product" / "numpy-seed0", lambda _: "code")


def test_what_is_written_comes_back(store):
    store.write(SHARD, TABLE)
    table = store.read(SHARD)
    for name, values in COLUMNS.items():
        np.testing.assert_array_equal(column(table, name), values)


def test_a_shard_that_was_never_written_is_none(store):
    assert store.read(SHARD) is None


def test_nothing_but_the_shard_and_the_manifest_is_left(store):
    store.write(SHARD, TABLE)
    files = [str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()]
    assert sorted(files) == ["manifest.json", "qr/n=3 rows=3^2/000000.parquet"]


@given(st.data())
def test_any_damage_is_found(tmp_path_factory, data):
    store = Store(tmp_path_factory.mktemp("records"), lambda _: "code")
    store.write(SHARD, TABLE)
    content = bytearray(store.path(SHARD).read_bytes())
    if data.draw(st.booleans(), label="truncated"):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    store.path(SHARD).write_bytes(content)
    try:
        table = store.read(SHARD)
    except DamagedRecordError as error:
        assert str(store.path(SHARD)) in str(error)
    else:  # a flipped bit that carries no data
        assert table.column_names == TABLE.column_names
        for name in TABLE.column_names:
            np.testing.assert_array_equal(column(table, name), column(TABLE, name))


def test_a_renamed_column_is_damage(store):
    """Page checksums do not see it: names stand in the footer."""
    store.write(SHARD, TABLE)
    content = store.path(SHARD).read_bytes()
    store.path(SHARD).write_bytes(content.replace(b"last", b"mast"))
    with pytest.raises(DamagedRecordError, match="damaged"):
        store.read(SHARD)


def test_counts_come_back_too(store):
    table = counted_table([{"last": np.array([1.0, 2.0, 2.5]), "corner": np.array([0.5, 3.0, 4.0])}])
    store.write(SHARD, table)
    assert store.read(SHARD).to_pydict() == table.to_pydict()


def test_another_shards_file_is_refused(store):
    store.write(SHARD, TABLE)
    other = Shard("simulate.qr_product", "qr", tuple(POINT.items()), seed=0, index=1, size=4)
    store.path(SHARD).rename(store.path(other))
    with pytest.raises(DamagedRecordError, match="does not name the shard"):
        store.read(other)


def test_a_damaged_file_is_kept_aside(store):
    store.write(SHARD, TABLE)
    store.path(SHARD).write_bytes(b"half")
    aside = store.set_aside(SHARD)
    assert aside.read_bytes() == b"half"
    assert store.read(SHARD) is None


def test_records_of_other_code_are_refused(store):
    store.write(SHARD, TABLE)
    with pytest.raises(UsageError, match=r"records of other code \(code\): choose another --out"):
        Store(store.root, lambda _: "edited").read(SHARD)


def test_code_is_of_one_world_and_others_stay(store):
    """A statement that is edited voids its own records, and those of no other."""
    other = replace(SHARD, point=(("n", 5),))
    store.write(SHARD, TABLE)
    store.write(other, TABLE)
    edited = Store(store.root, lambda shard: "edited" if shard == SHARD else "code")
    assert edited.read(other).equals(TABLE)
    with pytest.raises(UsageError, match="records of other code"):
        edited.write(SHARD, TABLE)


def test_a_world_whose_records_are_removed_takes_new_code(store):
    store.write(SHARD, TABLE)
    store.path(SHARD).unlink()
    edited = Store(store.root, lambda _: "edited")
    edited.write(SHARD, TABLE)
    assert Store(store.root, lambda _: "edited").read(SHARD).equals(TABLE)


def test_a_manifest_that_is_none_is_refused(store):
    store.write(SHARD, TABLE)
    (store.root / "manifest.json").write_text("[")
    with pytest.raises(DamagedRecordError, match=r"manifest\.json is damaged \(.*\): .* with --resume, makes it anew"):
        Store(store.root, lambda _: "code")


@pytest.mark.parametrize("damage", ["lost", "empty", "[", "null"])
def test_a_manifest_that_is_lost_or_damaged_is_made_anew_and_no_record_is(store, damage):
    """With --resume, which gives a `note`; records and looks stay what they were."""
    store.write(SHARD, TABLE)
    store.look("claim at a point", 4)
    path, before = store.root / "manifest.json", store.path(SHARD).read_bytes()
    path.unlink() if damage == "lost" else path.write_text("" if damage == "empty" else damage)
    said = []
    again = Store(store.root, lambda _: "code", {"seed": 0}, said.append)
    assert len(said) == (damage != "lost")
    assert again.look("claim at a point", 8) == 2
    assert json.loads(path.read_text()) == {"seed": 0}
    assert again.read(SHARD).equals(TABLE)
    assert again.path(SHARD).read_bytes() == before


def test_without_its_manifest_a_folder_admits_no_records_of_other_code(store):
    store.write(SHARD, TABLE)
    (store.root / "manifest.json").unlink()
    for touch in (lambda edited: edited.read(SHARD), lambda edited: edited.write(replace(SHARD, index=1), TABLE)):
        with pytest.raises(UsageError, match="records of other code"):
            touch(Store(store.root, lambda _: "edited"))


def test_a_record_of_other_code_among_a_worlds_is_refused(store, tmp_path):
    other = Store(tmp_path / "other", lambda _: "edited")
    second = replace(SHARD, index=1)
    store.write(SHARD, TABLE)
    other.write(second, TABLE)
    shutil.copy(other.path(second), store.path(second))
    store.save_manifest(seed=0)
    with pytest.raises(UsageError, match=r"000001\.parquet must hold records of this code"):
        store.read(second)
    with pytest.raises(DamagedRecordError, match=r"000001\.parquet is damaged \(it was drawn by other code"):
        world(store.root, "simulate.qr_product", "qr", POINT)


def test_nothing_is_written_before_there_is_something_to_keep(tmp_path):
    store = Store(tmp_path / "run", lambda _: "code", {"seed": 0})
    assert store.read(SHARD) is None
    assert not store.root.exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="must be writable, got: Not a directory"):
        Store(tmp_path / "file" / "run", lambda _: "code").begin()


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(store, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    store.save_manifest()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left on device: free some space"):
        store.write(SHARD, TABLE)
    assert [path.name for path in store.root.rglob("*") if path.is_file()] == ["manifest.json"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_while_a_record_is_written_leaves_nothing_half_written(store, monkeypatch, ending):
    def interrupted(_):
        raise ending

    store.save_manifest()
    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(ending):
        store.write(SHARD, TABLE)
    assert [path.name for path in store.root.rglob("*") if path.is_file()] == ["manifest.json"]


def test_what_a_killed_process_left_half_written_is_cleared_by_the_next_run(store):
    """But not what another process, or one on another machine, may be writing now.

    The number of the killed process may be that of a living one by then, as here.
    """
    store.save_manifest()
    left = store.root / f".{os.getpid()}-1@{platform.node()}.tmp"
    elsewhere = store.root / f".{os.getpid()}-1@elsewhere.tmp"
    for path in (left, elsewhere):
        path.write_bytes(b"half")
    write = "import sys, time; from fragility.engine import files; files.os.fsync = lambda _: time.sleep(60)"
    write += f"; files.write_whole(files.Path({str(store.root / 'other')!r}), b'half')"
    with subprocess.Popen([sys.executable, "-c", write]) as writer:
        begun = f".{writer.pid}-*.tmp"
        while not (now := [path for path in store.root.glob(begun) if path.stat().st_size]):
            time.sleep(0.01)
        store.begin()
        assert [path.exists() for path in (left, elsewhere, *now)] == [False, True, True]
        writer.kill()
    write_alone(store.root / "picture.svg", b"whole")
    assert [path.exists() for path in (elsewhere, *now)] == [True, False]


def test_what_a_writer_has_begun_anew_under_the_same_name_is_not_cleared(store, monkeypatch):
    store.save_manifest()
    temporary = store.root / f".{os.getpid()}-1@{platform.node()}.tmp"
    temporary.write_bytes(b"first")

    def begun_anew(*_):
        temporary.unlink()
        temporary.write_bytes(b"second")

    monkeypatch.setattr("fcntl.flock", begun_anew)
    clear(store.root)
    assert temporary.read_bytes() == b"second"


def test_a_file_that_is_cleared_before_its_writer_has_locked_it_is_made_again(store, monkeypatch):
    lock, locked = fcntl.flock, list[int]()

    def late(file, operation):
        locked.append(operation)
        if len(locked) == 1:
            clear(store.root)
        lock(file, operation)

    store.save_manifest()
    monkeypatch.setattr("fcntl.flock", late)
    write_whole(store.root / "whole", b"whole")
    assert (store.root / "whole").read_bytes() == b"whole"
    assert len(locked) == 3  # the writer's, that of `clear`, and the writer's again


def test_runs_and_worlds_are_found_again(store, tmp_path):
    store.write(SHARD, TABLE)
    store.save_manifest(seed=0)
    (run,) = runs(tmp_path, "simulate.qr_product")
    assert [table.equals(TABLE) for table in world(run, "simulate.qr_product", "qr", POINT)] == [True]
    assert world(run, "simulate.qr_product", "lu", POINT) == []


POSITIVE = st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=200).map(np.array)


@given(POSITIVE, POSITIVE)
def test_counts_are_those_of_the_values(first, second):
    """Over blocks and tables: below each edge lie as many values as counted, and edges are within 1/4096."""
    tables = [counted_table([{"last": first}, {"last": second}]), counted_table([{"last": second}])]
    values = np.concatenate([first, second, second])
    edges, below = counts(tables, "last")
    np.testing.assert_array_equal(below, [np.sum(values < edge) for edge in edges])
    assert below[-1] == drawn(tables) == len(values)
    assert edges[-1] <= values.max() * (1 + 1 / 4096)


def test_points_too_long_for_a_name_have_folders_of_their_own(tmp_path):
    store = Store(tmp_path / "simulate.qr_product" / "numpy-seed0", lambda _: "code")
    points = [{"rows": tuple(range(k, 120))} for k in (0, 1)]
    for k, point in enumerate(points):
        store.write(replace(SHARD, point=tuple(point.items())), raw_table({"last": np.full(4, float(k))}))
    for k, point in enumerate(points):
        shard = replace(SHARD, point=tuple(point.items()))
        assert len(store.path(shard).parent.name.encode()) <= 255
        np.testing.assert_array_equal(column(store.read(shard), "last"), np.full(4, float(k)))
