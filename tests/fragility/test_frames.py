"""Data frames say what the records, the verdicts and the tables say that they are made of."""

import json
import math
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from fragility.engine import memory
from fragility.engine.backend import UnavailableError, load
from fragility.engine.context import Context
from fragility.engine.executor import in_process
from fragility.engine.files import DamagedRecordError
from fragility.engine.records import counted_table, raw_table
from fragility.engine.shard import Shard
from fragility.engine.statistics import Statistic, Statistics
from fragility.engine.store import Store
from fragility.engine.study import Axis, Method, Study, UsageError
from fragility.frames import frame
from fragility.judging.campaign import Campaign
from fragility.judging.verdict import Verdict
from fragility.tables import Column, Interval, Table

pandas = pytest.importorskip("pandas")

NAME = "simulate.qr_product"
DESCRIBED = Statistics(
    {
        "last": Statistic("the last entry", "of the diagonal"),
        "seed": Statistic("of something else"),
        "diagonal": Statistic("all of it", "", ("n",)),
    }
)
STUDY = Study(
    NAME,
    "made up",
    {"n": Axis(int, 3, "dimension"), "rows": Axis(int, 3, "heights")},
    lambda **_: [],
    {"qr": Method("", None, None, DESCRIBED, lambda **_: 1)},
)
VERDICT = Verdict("fc.one", {"n": 3, "rows": (3, 3)}, "qr", "agrees", 0.1, 0.2, 0.3, 0.25, "gap", 0.3, 100, 80, 0.05)
OF_WORLDS = replace(
    VERDICT, claim="fc.two", point={"claim": "fc.two"}, unit="worlds", gap=-1.0, visible=("a", "b"), rejected=("a",)
)


def point(n):
    return {"n": n, "rows": (n, n)}


def write(store, method, n, index, values):
    make = counted_table if isinstance(values, list) else raw_table
    store.write(Shard(NAME, method, tuple(point(n).items()), 0, index, 4), make(values))


@pytest.fixture
def out(tmp_path):
    """An --out folder with a run of one study: two shards at n = 3, one at n = 10, all of one method."""
    listed = [json.loads(json.dumps(point(n))) for n in (3, 10)]
    said = {"seed": 0, "backend": "numpy", "points": listed, "pace": {"qr n=3": 0.1}}
    store = Store(tmp_path / NAME / "numpy-seed0", lambda _: "code", said)
    for n, index in ((10, 0), (3, 0), (3, 1)):
        numbers = np.arange(4.0) + 4 * index
        write(store, "qr", n, index, {"last": numbers, "diagonal": np.outer(numbers, np.ones(n)), "seed": 7 + numbers})
    return tmp_path


def stored(out):
    return Store(out / NAME / "numpy-seed0", lambda _: "code")


def test_a_row_is_a_draw_with_its_coordinates(out):
    made = frame(out, study=STUDY)
    assert list(made.columns) == ["n", "rows", "method", "seed", "draw", "last", "seed_recorded"]
    assert made["n"].tolist() == [3] * 8 + [10] * 4  # as the run's last command has them
    assert made["rows"].tolist() == ["3^2"] * 8 + ["10^2"] * 4
    assert made["draw"].tolist() == [*range(8), *range(4)]
    np.testing.assert_array_equal(made["last"], made["draw"])
    np.testing.assert_array_equal(made["seed_recorded"], 7 + made["draw"])
    assert set(made["method"]) == {"qr"}
    assert set(made["seed"]) == {0}


def test_attrs_say_what_it_is(out):
    attrs = frame(out, study=STUDY).attrs
    assert attrs["rows"] == "draws"
    assert attrs["study"] == NAME
    assert attrs["units"] == {"last": "of the diagonal"}
    assert attrs["says"]["n"] == "dimension"
    assert attrs["says"]["seed_recorded"] == "of something else"
    assert attrs["left_out"] == ["diagonal"]
    assert attrs["provenance"] == {"seed": 0, "backend": "numpy"}


def test_a_frame_can_be_written_and_read_again(out, tmp_path):
    made = frame(out, study=STUDY)
    made.to_parquet(tmp_path / "made.parquet")
    again = pandas.read_parquet(tmp_path / "made.parquet")
    assert again.equals(made)
    assert again.attrs == made.attrs


def test_a_statistic_of_several_numbers_has_a_row_for_each(out):
    made = frame(out, study=STUDY, statistics=["last", "diagonal"])
    assert made.attrs["rows"] == "entries"
    assert made.attrs["left_out"] == ["seed"]
    assert list(made.columns) == ["n", "rows", "method", "seed", "draw", "n_index", "last", "diagonal"]
    assert len(made) == 8 * 3 + 4 * 10
    assert made["n_index"].tolist() == [0, 1, 2] * 8 + [*range(10)] * 4
    np.testing.assert_array_equal(made["diagonal"], made["draw"])
    np.testing.assert_array_equal(made["last"], made["draw"])


def test_two_axes_are_numbered_by_two_columns(out):
    values = np.arange(4 * 2 * 3.0).reshape(4, 2, 3)
    write(stored(out), "own", 3, 0, {"surface": values})
    made = frame(out, statistics="surface")
    place = tuple(made[name] for name in ("draw", "index_0", "index_1"))
    np.testing.assert_array_equal(made["surface"], values[place])
    assert len(made) == values.size


def test_statistics_of_different_shapes_are_asked_for_one_by_one(out):
    write(stored(out), "own", 3, 0, {"some": np.zeros((4, 2)), "more": np.zeros((4, 3))})
    with pytest.raises(UsageError, match=r"got some \(2,\), more \(3,\) at n=3 rows=3\^2: ask for each by itself"):
        frame(out, statistics=["some", "more"])


def test_only_what_is_asked_for_is_read(out):
    stored(out).path(Shard(NAME, "qr", tuple(point(3).items()), 0, 1, 4)).write_bytes(b"half")
    assert frame(out, points={"n": 10}, statistics="last")["last"].tolist() == [0, 1, 2, 3]
    assert frame(out, points=[{"n": 10, "rows": [10, 10]}, {"n": 4}])["n"].tolist() == [10] * 4
    assert len(frame(stored(out).root, points={"rows": (10, 10)}, method=["qr", "lu"], samples=2)) == 2
    with pytest.raises(DamagedRecordError, match="is damaged"):
        frame(out)


def test_samples_are_the_first_draws_of_each_world(out):
    made = frame(out, samples=5)
    assert made["draw"].tolist() == [*range(5), *range(4)]
    with pytest.raises(UsageError, match="samples must be at least 1, and is of records of single draws alone, got 0"):
        frame(out, samples=0)


def test_what_a_world_does_not_record_is_not_a_number(out):
    write(stored(out), "lu", 3, 0, {"last": np.arange(4.0), "corner": np.arange(4.0)})
    made = frame(out)
    assert np.isnan(made["corner"][made["method"] == "qr"]).all()
    assert made["corner"][made["method"] == "lu"].tolist() == [0, 1, 2, 3]
    assert set(frame(out, statistics=["last", "diagonal"])["method"]) == {"qr"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"statistics": "first"}, "statistics must be among last, diagonal, seed, got first"),
        ({"points": {"n": 4}}, r"must be among those of .* \(qr n=3 rows=3\^2, qr n=10 rows=10\^2\), got none of them"),
        ({"method": "lu"}, "method and points must be among"),
        ({"counts": True}, "counts=True needs records of counts, got draws of qr"),
        ({"counts": True, "samples": 3}, "samples must be at least 1, and is of records of single draws alone"),
    ],
)
def test_what_is_not_there_is_named(out, asked, said):
    with pytest.raises(UsageError, match=said):
        frame(out, **asked)


def test_where_no_statistic_is_a_number_they_have_to_be_named(out):
    write(stored(out), "own", 3, 0, {"surface": np.zeros((4, 2))})
    with pytest.raises(UsageError, match="must be named where none is a single number: surface"):
        frame(out, method="own")


def test_counts_are_cells_and_no_draws(out):
    write(stored(out), "direct", 3, 0, [{"last": np.array([1.0, 1.0, 2.0, 5.0]), "corner": np.arange(1.0, 5)}])
    write(stored(out), "direct", 3, 1, [{"last": np.array([1.0, 3.0, 3.0, 3.0]), "corner": np.arange(1.0, 5)}])
    with pytest.raises(UsageError, match=r"got counts of direct n=3 rows=3\^2: counts=True gives these as cells"):
        frame(out)
    assert len(frame(out, method="qr")) == 12
    made = frame(out, counts=True, statistics="last")
    assert made.attrs["rows"] == "cells"
    assert list(made.columns) == ["n", "rows", "method", "seed", "statistic", "low", "high", "count"]
    assert made["low"].tolist() == [1, 2, 3, 5]
    assert made["count"].tolist() == [3, 1, 3, 1]
    assert (made["high"] > made["low"]).all()
    assert set(frame(out, counts=True)["statistic"]) == {"last", "corner"}
    with pytest.raises(UsageError, match="statistics must be among last, corner, got first"):
        frame(out, counts=True, statistics="first")


def test_a_frame_that_does_not_fit_is_refused_before_it_is_read(out, monkeypatch):
    monkeypatch.setattr(memory, "memory", lambda: 100)
    with pytest.raises(UsageError, match=r"a frame of 12 rows and 7 columns must fit .*: choose fewer statistics"):
        frame(out)


def test_a_folder_of_several_studies_needs_the_name_of_one(out):
    other = Store(out / "walk" / "numpy-seed1", lambda _: "code", {"seed": 1, "points": []})
    other.write(Shard("walk", "steps", (("n", 2),), 1, 0, 2), raw_table({"end": np.zeros(2)}))
    with pytest.raises(UsageError, match=f"holds records of {NAME}, walk: name one, such as study='{NAME}'"):
        frame(out)
    assert frame(out, study="walk").attrs["source"] == str(other.root)
    assert frame(str(out / "walk"))["seed"].tolist() == [1, 1]
    assert len(frame(out / NAME, run="numpy-seed0")) == 12
    with pytest.raises(FileNotFoundError, match=r"no records of ladder in .* \(held: simulate.qr_product, walk\)"):
        frame(out, study="ladder")
    with pytest.raises(FileNotFoundError, match=r"no run cupy-seed0 in .* \(held: numpy-seed1\)"):
        frame(out, study="walk", run="cupy-seed0")


def test_folders_without_records_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match="no records of a study in"):
        frame(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no .*nowhere"):
        frame(tmp_path / "nowhere")
    empty = Store(tmp_path / "walk" / "numpy-seed0", lambda _: "code", {"seed": 0})
    empty.save_manifest()
    with pytest.raises(FileNotFoundError, match="no records in"):
        frame(tmp_path)


def test_a_file_that_names_no_shard_is_damaged(out):
    folder = stored(out).root / "qr" / "n=4 rows=4^2"
    folder.mkdir()
    pandas.DataFrame({"last": [1.0]}).to_parquet(folder / "000000.parquet")
    with pytest.raises(DamagedRecordError, match=r"000000\.parquet is damaged"):
        frame(out)


def test_a_record_chooses_no_module_to_import(tmp_path, monkeypatch):
    (tmp_path / "chosen_by_a_file.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    store = Store(tmp_path / "records" / "numpy-seed0", lambda _: "code", {"seed": 0})
    store.write(Shard("chosen_by_a_file", "steps", (("n", 2),), 0, 0, 2), raw_table({"end": np.zeros(2)}))
    assert frame(store.root)["end"].tolist() == [0, 0]
    assert "chosen_by_a_file" not in sys.modules


def test_a_campaign_in_memory_gives_its_draws(tmp_path):
    from simulate.qr_product import STUDY as OF_PRODUCTS

    backend = load("numpy")
    store = Store(tmp_path / "anywhere", lambda _: "code", {"seed": 3})
    running = Campaign(OF_PRODUCTS, backend, in_process(backend, Context()), store, 3)
    tables = list(running.tables("lu", point(3), 1))
    made = frame(running, statistics="last", samples=50)
    np.testing.assert_array_equal(made["last"], tables[0]["last"].to_numpy()[:50])
    assert made.attrs["study"] == NAME
    assert made.attrs["says"]["n"].startswith("input dimension")
    assert frame(store, statistics="last", samples=50).equals(made)


def test_a_row_is_a_verdict_with_the_axes_of_its_point():
    made = frame([VERDICT, OF_WORLDS])
    assert made.attrs["rows"] == "verdicts"
    assert list(made.columns[:4]) == ["claim", "point", "method", "outcome"]
    assert list(made.columns[-2:]) == ["n", "rows"]
    assert made["point"].tolist() == ["n=3 rows=3^2", ""]
    assert made["rows"][0] == "3^2"
    assert math.isnan(made["n"][1])
    assert made["gap"].tolist() == [0.1, -1.0]
    assert made["rejected"].tolist() == [(), ("a",)]
    assert set(made.attrs["says"]) <= set(made.columns)
    assert len(frame(VERDICT)) == 1
    assert frame([]).columns.tolist()[:2] == ["claim", "point"]


def test_a_file_of_verdicts_has_a_row_for_each(tmp_path):
    file = tmp_path / "verdicts.json"
    plain = [asdict(VERDICT) | {"status": "printed", "kind": "law", "resolution": None}, asdict(OF_WORLDS)]
    provenance = {"study": NAME, "seed": 5}
    file.write_text(json.dumps({"verdicts": plain, "not reached": ["fc.three"], "provenance": provenance}))
    made = frame(file)
    assert made["claim"].tolist() == ["fc.one", "fc.two"]
    assert set(made["study"]) == {NAME}
    assert made["kind"][0] == "law"
    assert made["rows"][0] == "3^2"
    assert math.isnan(made["resolution"][0])
    assert made.attrs["not_reached"] == ["fc.three"]
    assert made.attrs["provenance"]["seed"] == 5


def test_a_summary_has_the_verdicts_of_all_its_commands(request):
    file = request.config.rootpath / "docs" / "full_run.json"
    content = json.loads(file.read_text("utf-8"))
    made = frame(file)
    assert len(made) == sum(len(one["verdicts"]) for one in content["judgements"])
    assert set(made["study"]) == {one["origin"]["study"] for one in content["judgements"]}
    assert made["gap"].dtype == float
    assert set(made["outcome"]) == {"agrees", "blunt", "disagrees"}


@pytest.mark.parametrize("content", ['{"rows": []}', "[1]", '{"verdicts": [{"claim": "fc.one"}]}', "no JSON"])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "some.json").write_text(content)
    with pytest.raises(DamagedRecordError, match=r"some\.json"):
        frame(tmp_path / "some.json")


def test_a_table_has_its_rows_with_units_and_both_ends_of_intervals():
    columns = [Column("quantity"), Column("95 % interval", "m", key="interval"), Column("mean", "m")]
    rows = [["a", Interval(1.0, 2.0, 9), 1.5], ["b", None, 2.0], ["c", Interval(0.0, 4.0, 9), 3.0]]
    made = frame(Table(columns, rows, "of lengths", ["a note"], 0.95, {1: "the others"}))
    assert list(made.columns) == ["group", "quantity", "interval_low", "interval_high", "mean"]
    assert made["group"].tolist() == ["", "the others", "the others"]
    assert made["interval_high"].tolist()[::2] == [2.0, 4.0]
    assert math.isnan(made["interval_low"][1])
    assert made.attrs["units"] == {"interval_low": "m", "interval_high": "m", "mean": "m"}
    assert made.attrs["title"] == "of lengths"
    assert made.attrs["confidence"] == 0.95


def test_of_anything_else_there_is_no_frame():
    with pytest.raises(UsageError, match=r"a frame is made of .*, got int"):
        frame(3)
    with pytest.raises(UsageError, match="samples chooses among records, and list holds none: leave it out"):
        frame([VERDICT], samples=3)


def test_without_pandas_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UnavailableError, match=r"^frame needs pandas: pip install 'fragility\[notebook\]'$"):
        frame("anywhere")
