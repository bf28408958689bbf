"""Every file that a command reads, damaged in every way: one line that names it, an exit code, never a traceback.

Code 2 where the file is the user's own, 3 where a command of this project wrote it.
"""

import json
import pickle
import runpy
import shutil
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from empirical.data import idx, read_photograph
from empirical.data.cifar import read as read_batches
from empirical.imagenet_compression.pairs import gallery
from figures import table
from fragility import witness
from fragility.backends.numpy_backend import BACKEND
from fragility.command.study import main as study
from fragility.engine.backend import UnavailableError
from fragility.engine.context import Context
from fragility.engine.files import DamagedRecordError
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard, code, record
from fragility.engine.store import Store, read_manifest, world
from fragility.engine.study import UsageError
from fragility.hunting.search import TRIALS
from fragility.judging.summary import document, lines
from fragility.judging.verdict import Verdict
from simulate import hunt, qr_product
from theory.__main__ import main as theory
from theory.claims import BOOK

ROOT = Path(__file__).parent.parent
POINT = {"n": 2, "rows": (2, 2)}
SHARD = Shard("simulate.qr_product", "lu", tuple(POINT.items()), 0, 0, 4)
HUNTED = "cond.relative_error.printed"


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def folder(path):
    path.unlink()
    path.mkdir()


def cycle(path):
    path.unlink()
    path.symlink_to(path)


ANY = {  # what may happen to any file
    "empty": lambda path: path.write_bytes(b""),
    "half": half,
    "not UTF-8": lambda path: path.write_bytes(b"\xff\xfe\x00{}"),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 8),
    "folder": folder,
}
JSON = ANY | {
    name: lambda path, text=text: path.write_text(text)
    for name, text in {
        "list": "[]",
        "null": "null",
        "object": "{}",
        "number": "7",
        "text": '"x"',
        "deep": "[" * 100_000,
        "long": "1" * 5000,
    }.items()
}


def changed(**fields):
    """A damage: fields of a JSON object set, or left out for `...`."""

    def damage(path):
        held = {**json.loads(path.read_text()), **fields}
        path.write_text(json.dumps({name: value for name, value in held.items() if value is not ...}))

    return damage


OBJECT = {"object": JSON["object"]}  # which is a manifest, of which a figure cannot be drawn
MANIFEST = {name: damage for name, damage in JSON.items() if name not in OBJECT} | {
    f"{name} {str(value)[:24]}": changed(**{name: value})
    for name, values in {
        "pace": (7, {"a": "1"}, {"a": -1}, {"a": None}),
        "seed": ("0", -1, 1.5, None, True),
        "points": (7, None, {}, [7], [None], [{"n": {"a": 1}}], [{"n": [[1]]}]),
        "backend": (7,),
    }.items()
    for value in values
}
DRAWN = OBJECT | {  # what a figure cannot do without, and a study's command writes anew
    "no seed": changed(seed=...),
    "no points": changed(points=...),
    "points of another study": changed(points=[{"depth": 2}]),
    "points without axes": changed(points=[{}]),
}


def parquet(**columns):
    """A damage: another table, without the names that the store gives."""
    return lambda path: pq.write_table(pa.table(columns), path)


def rewritten(**metadata):
    """A damage: the same table under other names."""

    def damage(path):
        held = pq.read_table(path)
        names = {**held.schema.metadata, **{name.encode(): value.encode() for name, value in metadata.items()}}
        pq.write_table(held.replace_schema_metadata(names), path)

    return damage


RECORD = ANY | {
    "another table": parquet(last=[1.0]),
    "no digest": rewritten(digest=""),
    "another seed": rewritten(shard=repr(SHARD).replace("seed=0", "seed=1")),
    "another index": rewritten(shard=repr(SHARD).replace("index=0", "index=1")),
    "another world": rewritten(shard=repr(SHARD).replace("'lu'", "'qr'")),
    "another study": rewritten(shard=repr(SHARD).replace("qr_product", "truncation")),
    "no size": rewritten(shard=repr(SHARD).replace("size=4", "size=four")),
    "no name": rewritten(shard=""),
    "other code": rewritten(fingerprint="0123456789ab"),
}


@pytest.fixture
def run(tmp_path):
    """A run of one shard."""
    store = Store(tmp_path / "simulate.qr_product" / "numpy-seed0", lambda shard: code(shard, "numpy", Context()))
    store.write(SHARD, record(SHARD, BACKEND, Context()))
    store.save_manifest(study="simulate.qr_product", backend="numpy", seed=0, points=[POINT], pace={"a": 0.1})
    return store.root


def figure(out, name, monkeypatch):
    monkeypatch.setattr(sys, "argv", [f"figures.{name}", "--out", str(out)])
    runpy.run_path(str(ROOT / "figures" / f"{name}.py"), run_name="__main__")


def refused(capsys, exit_code, path, command):
    """The one line on stderr of a command that stops, which names the file or its folder."""
    with pytest.raises(SystemExit) as end:
        command()
    shown = capsys.readouterr()
    (line,) = [line for line in shown.err.splitlines() if not line.startswith(("backend ", "records in "))]
    assert (end.value.code, shown.out) == (exit_code, ""), line
    assert str(path) in line
    return line


@pytest.mark.parametrize("damage", MANIFEST.values(), ids=MANIFEST)
def test_a_manifest(run, capsys, monkeypatch, damage):
    path = run / "manifest.json"
    damage(path)
    out = run.parent.parent
    flags = ["--n", "2", "--samples", "4", "--backend", "numpy", "--out", str(out)]
    for command in (lambda: study(qr_product.STUDY, flags), lambda: figure(out, "qr_product", monkeypatch)):
        line = refused(capsys, 3, path, command)
        assert "is damaged (" in line
        assert line.endswith("the command that drew the records, with --resume, makes it anew from what they say")
    with pytest.raises(DamagedRecordError):
        world(run, "simulate.qr_product", "lu", POINT)


@pytest.mark.parametrize("damage", DRAWN.values(), ids=DRAWN)
def test_a_manifest_that_a_figure_is_drawn_from(run, capsys, monkeypatch, damage):
    damage(run / "manifest.json")
    read_manifest(run)
    refused(capsys, 3, run, lambda: figure(run.parent.parent, "qr_product", monkeypatch))


def test_a_manifest_of_a_run_that_is_not_drawn_is_not_read(run, capsys, monkeypatch):
    other = run.with_name("numpy-seed1")
    other.mkdir()
    (other / "manifest.json").write_text("[")
    monkeypatch.setattr(sys, "argv", ["figures.qr_product", "--out", str(run.parent.parent), "--run", run.name])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "figures" / "qr_product.py"), run_name="__main__")
    assert end.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize("damage", RECORD.values(), ids=RECORD)
def test_a_record(run, capsys, monkeypatch, damage):
    """Refused by a study's command and by a figure alike, and set aside with --resume."""
    store = Store(run, lambda shard: code(shard, "numpy", Context()))
    path = store.path(SHARD)
    before = store.read(SHARD)
    damage(path)
    with pytest.raises(DamagedRecordError, match="is damaged"):
        store.read(SHARD)
    assert "with --resume, repairs it" in refused(
        capsys, 3, path, lambda: figure(run.parent.parent, "qr_product", monkeypatch)
    )
    store.set_aside(SHARD)
    store.write(SHARD, before)
    assert store.read(SHARD).equals(before)


def test_records_of_different_sizes_are_no_world(run):
    store = Store(run, lambda shard: code(shard, "numpy", Context()))
    second = Shard("simulate.qr_product", "lu", tuple(POINT.items()), 0, 1, 8)
    store.write(second, record(second, BACKEND, Context()))
    with pytest.raises(DamagedRecordError, match=r"000001\.parquet is damaged \(it does not name the shard"):
        world(run, "simulate.qr_product", "lu", POINT)


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """A folder in which a counterexample was found."""
    out = tmp_path_factory.mktemp("hunt")
    with pytest.raises(SystemExit):
        hunt.main([HUNTED, "--out", str(out)])
    return out


def other_row(path):
    """A damage: a table that has the right digest and name, and no row of a hunt."""
    run, stage = path.parents[2], path.parents[1].name
    shard = Shard("simulate.hunt", stage, (("claim", HUNTED),), 0, int(path.stem), TRIALS)
    held = pq.read_schema(path).metadata[b"fingerprint"].decode()
    Store(run, lambda _: held).write(shard, raw_table({"trials": np.arange(2.0)}))


@pytest.mark.parametrize("stage", ["search", "shrink"])
@pytest.mark.parametrize("damage", (ANY | {"other row": other_row}).values(), ids=[*ANY, "other row"])
def test_a_record_of_a_hunt(hunted, tmp_path, capsys, stage, damage):
    shutil.copytree(hunted, tmp_path / "out")
    path = sorted((tmp_path / "out").rglob(f"{stage}/**/*.parquet"))[-1]
    whole = path.read_bytes()
    damage(path)
    flags = [HUNTED, "--out", str(tmp_path / "out")]
    assert "--resume sets it aside" in refused(capsys, 3, path, lambda: hunt.main(flags))
    with pytest.raises(SystemExit) as end:
        hunt.main([*flags, "--resume"])
    assert (end.value.code, path.read_bytes()) == (0, whole)


def row(**fields):
    """A damage: fields of the only verdict set, or left out for `...`."""

    def damage(path):
        held = json.loads(path.read_text())
        given = {**held["verdicts"][0], **fields}
        held["verdicts"] = [{name: value for name, value in given.items() if value is not ...}]
        path.write_text(json.dumps(held))

    return damage


VERDICTS = (
    JSON
    | {f"verdicts {value}": changed(verdicts=value) for value in (..., 7, None, {}, [7], [None], [{}], [])}
    | {
        f"{name} {value}": row(**{name: value})
        for name, values in {
            "claim": (..., 7, ["a"]),
            "outcome": (..., "maybe", 7, None),
            "point": (7, None, [1]),
            "samples": ("many", -1, 1.5, None),
            "resolution": (..., "x", None),
            "unit": (..., "metres", 7),
            "wanted": (..., None),
            "visible": (7, [7], "a", None),
            "rejected": (..., {"a": 1}),
        }.items()
        for value in values
    }
)


@pytest.mark.parametrize("damage", VERDICTS.values(), ids=VERDICTS)
def test_a_table_of_verdicts(tmp_path, capsys, damage):
    claim = BOOK.claims[0]
    verdict = Verdict(claim.id, POINT, "qr", "agrees", 0.0, 0.1, 0.3, 0.2, "gap", 0.3, 4, 4, 0.05, ("a",), ("a",))
    path = tmp_path / "verify" / "verdicts.json"
    path.parent.mkdir()
    path.write_text(document(lines(BOOK, [verdict]), [], {}))
    damage(path)
    for flags in ([], ["--claim"]):
        line = refused(capsys, 3, path, lambda flags=flags: sys.exit(table.main(["--out", str(tmp_path), *flags])))
        assert line.endswith(f"python -m simulate.verify --out {tmp_path} makes it anew")


WORLDS = JSON | {
    "other names": changed(V="1"),
    "a name left out": changed(W=...),
    "words": changed(W="some"),
    "no number": changed(W="1/0"),
    "other shape": changed(x=["1"]),
}


@pytest.mark.parametrize("damage", WORLDS.values(), ids=WORLDS)
def test_a_witness(tmp_path, capsys, monkeypatch, damage):
    path = tmp_path / f"{HUNTED}.json"
    path.write_text(json.dumps(witness.stored(HUNTED, BOOK.witnesses)))
    monkeypatch.setitem(vars(BOOK), "witnesses", tmp_path)
    monkeypatch.setattr(sys, "argv", ["theory", "--replay", HUNTED])
    theory()
    capsys.readouterr()
    damage(path)
    assert refused(capsys, 3, path, theory).endswith("install anew")


def stored(**fields):
    """A damage: what torch wrote, with fields of it changed."""

    def damage(path):
        torch = pytest.importorskip("torch")
        held = {**torch.load(path, weights_only=True), **fields}
        torch.save({name: value for name, value in held.items() if value is not ...}, path)

    return damage


TRAINED = ANY | {
    f"{name} {str(value)[:20]}": stored(**{name: value})
    for name, values in {
        "format": (..., 7, "other"),
        "identity": (..., 7),
        "history": (..., 7, [7], [{"loss": "low"}], [{}], {}),
        "state": (..., 7, None, []),
    }.items()
    for value in values
}


@pytest.mark.parametrize("damage", TRAINED.values(), ids=TRAINED)
def test_a_checkpoint(tmp_path, damage):
    torch = pytest.importorskip("torch")
    from empirical.training.checkpoint import read, save

    path = tmp_path / "network.pt"
    save(path, "this", [{"loss": 1.0, "accuracy": 0.5}], {"model": torch.zeros(2)})
    assert read(path, "this")[0] == [{"loss": 1.0, "accuracy": 0.5}]
    damage(path)
    with pytest.raises(DamagedRecordError, match=r"network\.pt must be .*: move it away or delete it") as refusal:
        read(path, "this")
    assert "\n" not in str(refusal.value)


def images(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 1, 28, 28) + bytes(784))
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 1) + b"\1")
    (folder / "test_batch").write_bytes(
        pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [1]}, protocol=2)
    )


DATA = {
    "train-images-idx3-ubyte": lambda folder: idx.read(folder, "train"),
    "train-labels-idx1-ubyte": lambda folder: idx.read(folder, "train"),
    "test_batch": lambda folder: read_batches(folder, "test"),
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("damage", ANY.values(), ids=ANY)
def test_a_file_of_a_data_set(tmp_path, name, damage):
    images(tmp_path)
    DATA[name](tmp_path)
    damage(tmp_path / name)
    with pytest.raises(UnavailableError, match=name) as refusal:
        DATA[name](tmp_path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("damage", ANY.values(), ids=ANY)
def test_an_archive(tmp_path, damage):
    images(tmp_path)
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "test_batch", "cifar-10-batches-py/test_batch")
    assert len(read_batches(path, "test")[0]) == 1
    damage(path)
    with pytest.raises(UnavailableError, match=r"cifar-10-python\.tar\.gz") as refusal:
        read_batches(path, "test")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("damage", ANY.values(), ids=ANY)
@pytest.mark.parametrize("suffix", [".JPEG", ".png"])
def test_a_photograph(tmp_path, suffix, damage):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / f"one{suffix}"
    image.effect_noise((64, 64), 50).convert("RGB").save(path)
    read_photograph(path, 28, 32)
    damage(path)
    with pytest.raises(UnavailableError, match=f"one{suffix} cannot be read") as refusal:
        read_photograph(path, 28, 32)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("damage", ["not UTF-8", "noise", "folder", "cycle"])
def test_a_list_of_classes(tmp_path, damage):
    shown = tmp_path / "n00000001" / "one.JPEG"
    path = tmp_path / "classes.txt"
    path.write_text("n00000001\n")
    assert gallery([("n00000001", shown)]).output("n00000001") == 0
    (ANY | {"cycle": cycle})[damage](path)
    with pytest.raises(UsageError, match=r"classes\.txt must"):
        gallery([("n00000001", shown)]).output("n00000001")


@pytest.mark.parametrize("suffix", ["npz", "npy"])
@pytest.mark.parametrize("damage", ANY.values(), ids=ANY)
def test_a_network_of_the_user(tmp_path, capsys, monkeypatch, suffix, damage):
    path = tmp_path / f"network.{suffix}"
    np.savez(path, W1=np.eye(2), W2=np.eye(2), x=np.ones(2)) if suffix == "npz" else np.save(path, np.eye(2))
    damage(path)
    flags = ["theory", "joint-margin", "--network", str(path), "--epsilon-x", "0.1", "--epsilon-w", "0.1"]
    monkeypatch.setattr(sys, "argv", flags)
    refused(capsys, 2, path, theory)


def test_a_photograph_that_pairs_are_named_by(tmp_path):
    files = {wnid: (tmp_path / wnid / "one.JPEG",) for wnid in ("n02088094", "n02102040")}
    for (path,) in files.values():
        path.parent.mkdir()
        path.write_bytes(b"x")
    shown = gallery([(wnid, path) for wnid, (path,) in files.items()])
    pairs = shown.pairs("all", "all")
    assert len(shown.digest(pairs)) == 12
    folder(path)
    with pytest.raises(UnavailableError, match=r"one\.JPEG cannot be read: Is a directory"):
        shown.digest(pairs)


def denied(*_arguments, **_options):
    raise PermissionError(13, "Permission denied")


def test_what_may_not_be_read_is_said(run, monkeypatch):
    """Root may read everything, so that the refusal is made up."""
    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(DamagedRecordError, match=r"manifest\.json is damaged \(Permission denied\)"):
        read_manifest(run)
    monkeypatch.undo()
    monkeypatch.setattr(pq, "ParquetFile", denied)
    with pytest.raises(DamagedRecordError, match=r"000000\.parquet is damaged \(Permission denied\)"):
        world(run, "simulate.qr_product", "lu", POINT)


COMMANDS = {
    "figures.qr_product": ("simulate.qr_product/numpy-seed0/manifest.json", 3, ()),
    "simulate.qr_product": ("simulate.qr_product/numpy-seed0/manifest.json", 3, ("--n", "2", "--backend", "numpy")),
    "figures.table": ("verify/verdicts.json", 3, ()),
}


@pytest.mark.parametrize("module", COMMANDS)
def test_as_a_user_runs_it(run, module):
    name, exit_code, flags = COMMANDS[module]
    path = run.parent.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"code": {"lu')
    command = [sys.executable, "-m", module, *flags, "--out", str(run.parent.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("backend ")]
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert line.startswith(f"{module}: {path} is damaged (")
