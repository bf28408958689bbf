"""The command of a figure, whatever its flags and its manifest say: a picture, or one line; and pictures stay whole."""

import itertools
import json
import os
import resource
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures.ladder import Numbers, draw, size
from figures.panels.shared import short
from figures.shared import law, style, words
from figures.shared.target import FORMATS
from fragility.backends.numpy_backend import BACKEND
from fragility.engine.context import Context
from fragility.engine.files import StorageError
from fragility.engine.shard import Shard, record
from fragility.engine.store import Store
from simulate.ladder.table import Rungs
from tests.figures.test_trust import FIGURES, Run
from theory.evaluations import EVALUATIONS

ROOM = Path(__file__).parent.parent.parent / "figures"
POINT = {"n": 4, "rows": tuple(range(4, 94))}  # ninety heights


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A folder with a run of one shard at ninety heights."""
    folder = tmp_path_factory.mktemp("out")
    store = Store(folder / "simulate.qr_product" / "numpy-seed0", lambda _: "code")
    shard = Shard("simulate.qr_product", "qr", tuple(POINT.items()), 0, 0, 64)
    store.write(shard, record(shard, BACKEND, Context()))
    store.save_manifest(study="simulate.qr_product", backend="numpy", seed=0, points=[POINT])
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of what flags may name: the names of books are taken once in a process."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("folder.png", "folder.py"):
        (folder / name).mkdir()
    os.mkfifo(folder / "pipe.png")
    (folder / "file.txt").write_text("text")
    (folder / "raising.py").write_text("raise RuntimeError('no\\nbook')")
    (folder / "leaving.py").write_text("import sys\nsys.exit(3)")
    (folder / "binary.py").write_bytes(bytes(range(256)))
    return folder


@pytest.fixture
def command(monkeypatch, capsys):
    """Exit code of a figure, and what it says on both streams."""

    def run(name, *flags):
        monkeypatch.setattr(sys, "argv", [f"figures.{name}", *map(str, flags)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOM / f"{name}.py"), run_name="__main__")
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return run


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--to", "/dev/null"), "--to must end in .png, .svg, .pdf, got /dev/null"),
        (("--to", "no ending"), "--to must end in"),
        (("--to", "a.PNG"), "--to must end in"),
        (("--to", ""), "--to must end in"),
        (("--to", ".png"), "--to must have a name before its ending, got .png"),
        (("--to", "folder.png"), "--to must name a file, got folder.png: a folder"),
        (("--to", "pipe.png"), "--to must name a file, got pipe.png: a device"),
        (("--to", 300 * "x" + ".png"), "File name too long"),
        (("--to", 3000 * "x/" + "a.png"), "File name too long"),
        (("--out", 300 * "x"), "--out must lead to a file"),
        (("--point", "0"), "--point must be an integer of at least 1, got 0"),
        (("--point", "-1"), "--point must be an integer of at least 1, got -1"),
        (("--point", "1e9"), "--point must be at most 1, the points of that run, got 1000000000"),
        (("--point", "nan"), "--point must be an integer of at least 1, got 'nan'"),
        (("--point", ""), "--point must be an integer of at least 1, got ''"),
        (("--page", "fc"), "unrecognized arguments: --page fc"),
        (("--poi", "1"), "unrecognized arguments: --poi 1"),
        (("more",), "unrecognized arguments: more"),
        (("--out",), "argument --out: expected one argument"),
        (("--claims", "raising.py"), "raising.py: RuntimeError: no"),
        (("--claims", "leaving.py"), "leaving.py: SystemExit: 3"),
        (("--claims", "binary.py"), "--claims must be a file that can be imported"),
        (("--claims", "folder.py"), "--claims must be a file of Python that states a book"),
        (("--claims", "nothing.py"), "--claims must be a file of Python that states a book"),
        (("--claims", "nothing"), "--claims must be a module that can be imported, got nothing: ModuleNotFoundError"),
        (("--claims", "json"), "--claims must state BOOK = Book(claims, __file__), got json"),
        (("--claims", ""), "--claims must be a file that can be imported"),
        (("--run", "numpy-seed1"), "no records of numpy-seed1 in"),
        (("--run", "../simulate.qr_product/numpy-seed0"), "no records of ../simulate.qr_product/numpy-seed0 in"),
        (("--run", "numpy-seed0/"), "no records of numpy-seed0/ in"),
        (("--out", "file.txt"), "no records of any run in file.txt"),
        (("--to", "file.txt/a.png"), "file.txt must be writable"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(flags, says, out, files, command, monkeypatch):
    monkeypatch.chdir(files)
    before = sorted(files.iterdir())
    code, shown, error = command("qr_product", *([] if "--out" in flags else ["--out", out]), *flags)
    assert code == (3 if "records" in says or "writable" in says else 2)
    assert (shown, error.count("\n")) == ("", 1)
    assert says in error
    assert sorted(path for path in files.iterdir() if path.name != "__pycache__") == before


def test_a_page_that_there_is_not(command):
    for page in ("x", "", "../fc"):
        code, shown, error = command("statements", "--page", page)
        assert (code, shown) == (2, "")
        assert error.startswith("figures.statements: --page must be among overview, fc,")


FEWER = 5  # of all odd values at all axes, every so many are tried
ODD = (None, True, -1, 1.5, float("nan"), 10**30, "", "../..", "nul\0", [], [1, None], 90 * ["x"], 5000 * "y")


@pytest.mark.parametrize("name", FIGURES)
def test_a_manifest_of_odd_points(name, tmp_path, command):
    """Points that nothing was drawn at, of any type: the figure has no records of them, or the manifest is damaged."""
    run = Run(tmp_path / "out", FIGURES[name])
    path = run.store.root / "manifest.json"
    held = json.loads(path.read_text())
    for turn, (axis, value) in enumerate(itertools.product(held["points"][0], ODD)):
        if turn % FEWER:
            continue
        point = {**held["points"][0], axis: value}
        for points in ([point], [point, held["points"][0]]):
            path.write_text(json.dumps({**held, "points": points}))
            code, shown, error = command(
                name, "--out", tmp_path / "out", *([] if name == "statements" else ["--point", "1"])
            )
            assert code == 3, (axis, value, error)
            assert (shown, error.count("\n")) == ("", 1), (axis, value)


def test_ninety_heights_are_a_title(out, command, tmp_path):
    picture = tmp_path / "picture.svg"
    code, shown, error = command("qr_product", "--out", out, "--to", picture)
    assert (code, shown, error) == (0, f"{picture}\n", "")
    assert "90 Gaussian factors, 4 columns, rows 90 from 4 to 93, seed 0" in picture.read_text()
    assert short(POINT).replace("\N{NO-BREAK SPACE}", " ") == "n = 4, rows = 90 from 4 to 93"
    assert len(short({"model": 500 * "m"})) == words.LONGEST + 1


def test_values_are_written_shortly():
    assert [words.written(value) for value in (6, (7,), (7, 8), 90 * (5,), "a")] == [
        "6",
        "7",
        "(7, 8)",
        "90 times 5",
        "a",
    ]
    assert list(itertools.islice(words.letters(), 28))[-3:] == ["z", "aa", "ab"]


def test_a_ladder_of_many_widths_is_drawn():
    quartiles = dict.fromkeys(("attack", "lp"), (1.0, 1.5, 2.0))
    point = {"depth": 1, "classes": 3, "x": "0", "w": "0.05"}
    rungs = [Rungs({**point, "width": width}, "exact", 4, 4, quartiles, None, None) for width in range(1, 31)]
    drawn = Numbers(rungs, {"seed": 0})
    figure = Figure(size(drawn), layout="constrained")
    draw(figure, drawn)
    assert figure.axes[-1].get_title(loc="left").startswith("(ad)  width 30")
    assert figure.get_figheight() > 60


HEAVY = {"flip": dict(n=6, layers=60), "untargeted": dict(n=2, d=7), "swap": dict(n=6, rows=tuple(range(6, 66)))}
FAR = {"swap": dict(n=3, scale=1e307), "distance": dict(n=6, scale=1e-300), "flip": dict(n=6, layers=9, scale=1e200)}


@pytest.mark.parametrize(("name", "given"), [*HEAVY.items(), *FAR.items()])
def test_a_law_with_a_long_tail_or_far_from_one_is_seen(name, given):
    figure = Figure(law.SIZE, layout="constrained")
    law.draw(figure, EVALUATIONS[name](**given), name)
    density, distribution = figure.axes
    x, y = density.lines[0].get_data()
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    assert np.mean(y > 0.05 * y.max()) > 0.2  # of the width
    assert distribution.lines[0].get_ydata()[[0, -1]] == pytest.approx([0, 1], abs=2 * law.TAIL)
    assert (density.get_xscale() == "log") == (given in HEAVY.values() or "layers" in given)
    figure.draw_without_rendering()


@pytest.mark.parametrize("ending", FORMATS)
def test_a_picture_that_cannot_be_written_whole_leaves_the_one_before(ending, tmp_path, monkeypatch):
    picture = tmp_path / f"picture{ending}"
    style.save(lambda figure: figure.suptitle("one"), (2, 1), picture)
    before = picture.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, call, full)
            with pytest.raises(StorageError, match="No space left on device"):
                style.save(lambda figure: figure.suptitle("two"), (2, 1), picture)
    assert picture.read_bytes() == before
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [("figures.qr_product", "--to", "picture.png"), ("theory", "fraction", "--n", "5", "--plot", "picture.png")],
)
def test_a_full_disk_leaves_the_picture_before(command, out, tmp_path):
    picture = tmp_path / "picture.png"
    module, *flags = command
    flags += ["--out", str(out)] if module != "theory" else []
    picture.write_bytes(b"a picture")
    done = subprocess.run(
        [sys.executable, "-m", module, *flags],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOM.parent)},
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1), done.stderr
    assert picture.read_bytes() == b"a picture"
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.parametrize("module", ["theory", "figures", "figures.table"])
def test_a_result_that_cannot_be_written_is_one_line(module, tmp_path):
    """A table of verdicts that is not there is said first."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", module], stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOM.parent
        )
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith(f"{module}: ")
