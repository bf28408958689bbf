"""What every figure makes of records that are not what was written in their place: one line, code 3, and no picture."""

import random
import runpy
import shutil
import sys
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from fragility.catalogue.places import figure
from fragility.engine.files import DamagedRecordError
from fragility.engine.records import raw_table
from fragility.engine.room import GUARD, studies
from fragility.engine.shard import Shard, find_study
from fragility.engine.store import Store, world
from theory.claims import BOOK

ROOM = Path(__file__).parent.parent.parent / "figures"
FIGURES = {figure(name).removeprefix("figures."): name for room in ("simulate", "empirical") for name in studies(room)}
RELATION = next(claim.id for claim in BOOK if claim.of_worlds and claim.holds)
SIZE, FLIPS = 4, 60


def point(study):
    """Some point that the study can be drawn at, or could be."""
    if study.table:
        return dict(study.table[-1])
    method = next(iter(study.methods.values()))
    given = {"claim": (RELATION,)} | {name: axis.default for name, axis in study.grid.items() if axis.default}
    named = [*signature(method.draw).parameters.values()][2:] + [*signature(method.measure).parameters.values()][2:]
    axes = {name.name: None for name in named if name.kind != name.VAR_KEYWORD}
    return {name: given.get(name, ("0" * 12,))[0] for name in axes or {**study.grid, "data": None}}


def columns(seed):
    return raw_table({name: np.random.default_rng(seed).random(SIZE) for name in ("first", "second")})


def written(store, shard):
    store.write(shard, columns(shard.index))
    return store.path(shard)


class Run:
    """A run of two shards of a study, with the shards of other places beside it."""

    def __init__(self, folder, name):
        study = find_study(name)
        self.study, self.method, self.point = name, list(study.methods)[-1], point(study)
        self.store = Store(folder / name / "numpy-seed0", lambda _: "0" * 12)
        self.shards = [self.shard(index=index) for index in range(2)]
        self.paths = [written(self.store, shard) for shard in self.shards]
        self.store.save_manifest(study=name, points=[self.point], seed=0, backend="numpy")
        elsewhere = Store(folder.parent / "elsewhere", lambda _: "0" * 12)
        axis, value = next(reversed(self.point.items()))
        others = {
            "another point": self.shard(point=self.point | {axis: f"{value}0" if isinstance(value, str) else 77}),
            "another study": self.shard(study="simulate.another"),
            "another seed": self.shard(seed=1),
            "another index": self.shard(index=1),
            "another method": self.shard(method="another"),
            "another size": self.shard(size=8),
        }
        self.others = {}
        for what, shard in others.items():
            self.others[what] = shutil.copy(written(elsewhere, shard), folder.parent / f"{what}.parquet")

    def shard(self, **other):
        named = {"study": self.study, "method": self.method, "point": self.point, "seed": 0, "index": 0, "size": SIZE}
        named |= other
        return Shard(**(named | {"point": tuple(named["point"].items())}))


@pytest.fixture(scope="module", params=FIGURES)
def run(request, tmp_path_factory):
    made = Run(tmp_path_factory.mktemp("records") / "out", FIGURES[request.param])
    made.figure = request.param
    return made


@pytest.fixture
def drawn(run, monkeypatch, capsys):
    """Exit code and lines on stderr of the figure's command; no picture may be left by one that fails."""
    out = run.store.root.parent.parent

    def draw():
        monkeypatch.setattr(sys, "argv", [f"figures.{run.figure}", "--out", str(out)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOM / f"{run.figure}.py"), run_name="__main__")
        shown = capsys.readouterr()
        assert shown.out == ""
        assert not (out / "figures").exists()
        return ended.value.code, shown.err.splitlines()

    return draw


@pytest.fixture
def whole(run):
    """The bytes of the first shard, which stand there again in the end."""
    content = run.paths[0].read_bytes()
    yield content
    run.paths[0].write_bytes(content)


def test_all_figures_are_tried():
    drawing = {path.stem for path in ROOM.glob("[!_]*.py") if GUARD in path.read_text()} - {"table", "verdicts"}
    assert drawing == {*FIGURES}


def test_the_shard_of_another_place_is_not_drawn(run, drawn, whole):
    for what, other in run.others.items():
        damaged = run.paths[1] if what == "another size" else run.paths[0]
        kept = damaged.read_bytes()
        shutil.copy(other, damaged)
        code, lines = drawn()
        damaged.write_bytes(kept)
        assert (code, len(lines)) == (3, 1), (what, lines)
        assert f"{damaged} is damaged (" in lines[0], what


def test_a_flipped_bit_is_not_drawn(run, drawn, whole):
    """Those that change what is read; a file has room for a few that change nothing, such as who wrote it."""
    rng, refused = random.Random(run.figure), 0
    for _ in range(FLIPS):
        bit, content = rng.randrange(8 * len(whole)), bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        run.paths[0].write_bytes(content)
        try:
            assert world(run.store.root, run.study, run.method, run.point)[0].equals(columns(0))
        except DamagedRecordError:
            code, lines = drawn()
            assert (code, len(lines)) == (3, 1), (bit, lines)
            assert f"{run.paths[0]} is damaged (" in lines[0], bit
            refused += 1
    assert refused > FLIPS / 3
