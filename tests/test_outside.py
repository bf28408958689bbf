"""A book, a study, a world, a hunt and a figure from outside the rooms, run as their author would run them."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fragility.engine.context import Context

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder that knows nothing of this one, with the book in it and what was drawn and judged."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(HERE / "outside", folder, dirs_exist_ok=True)
    done = run(folder, "-m", "simulate.verify", "--claims", "walk.py", "--backend", "numpy")
    assert done.returncode == 0, done.stderr
    return folder


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_whole_book_is_judged(desk):
    verdicts = json.loads((desk / "results/verify/verdicts-walk.json").read_text())["verdicts"]
    outcomes = {verdict["claim"]: verdict["outcome"] for verdict in verdicts}
    assert outcomes == {"walk.end": "agrees", "walk.triangle": "agrees", "walk.triangle.tempting": "disagrees"}
    assert all(verdict["rejected"] == verdict["visible"] for verdict in verdicts)


def test_its_page_says_what_was_found(desk):
    done = run(desk, "-m", "figures.report", "--claims", "walk.py")
    assert (done.returncode, done.stdout) == (0, "results/report.html\n"), done.stderr
    page = (desk / "results/report.html").read_text()
    assert "Of 3 claims 2 hold" in page
    assert "left 1 &gt; right 1/2" in page
    assert "Where the numbers are from" in page


def test_its_rows_are_listed_and_shown_with_their_place(desk):
    listed = run(desk, "-m", "theory", "--claims", "walk.py").stdout
    assert "walk.end" in listed
    assert "Random walks (3 rows)" in listed
    shown = run(desk, "-m", "theory", "--claims", "walk.py", "--claim", "walk.end").stdout
    line = 1 + (desk / "walk.py").read_text().splitlines().index('            id="walk.end",')
    assert f"walk.py:{line}" in shown
    assert "python -m walk (statistic end)" in shown


def test_its_witness_is_replayed(desk):
    done = run(desk, "-m", "theory", "--claims", "walk.py", "--replay", "walk.triangle.tempting")
    assert (done.returncode, done.stderr) == (0, "")
    assert "exactly   1 > 1/2" in done.stdout


def test_a_study_of_its_own_is_a_command(desk):
    done = run(desk, "walk.py", "--n", "4,16", "--backend", "numpy")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("walk.end") == 2
    asked = run(desk, "walk.py", "--n", "4000")
    assert (asked.returncode, asked.stderr) == (2, "walk: --n must be at most 1000, got 4000\n")


def test_a_study_of_its_own_is_drawn_by_workers(desk, tmp_path):
    command = ("walk.py", "--n", "16", "--backend", "numpy", "--workers", "2")
    done = run(desk, *command, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "walk.end" in done.stdout


def test_its_statements_are_tried_alone(desk, tmp_path):
    done = run(desk, "-m", "simulate.statements", "--claims", "walk.py", "--claim", "walk.triangle", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "walk.triangle.tempting" in done.stdout


def test_a_book_may_be_named_as_a_module(desk, tmp_path):
    """It is looked for in the folder of the command, by its workers, too."""
    judge = ("-m", "simulate.statements", "--claims", "walk:BOOK", "--claim", "walk.triangle", "--workers", "1")
    done = run(desk, *judge, "--backend", "numpy", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [kept.name for kept in tmp_path.rglob("verdicts*.json")] == ["verdicts-walk-BOOK.json"]


def test_a_module_is_found_by_a_worker_elsewhere(desk, tmp_path, monkeypatch):
    """What names it travels with its folder."""
    monkeypatch.chdir(desk)
    context = pickle.dumps(Context("walk:BOOK"))
    monkeypatch.undo()
    ask = (
        f"import pickle; from fragility.engine.context import using; from fragility.book import read\n"
        f"with using(pickle.loads({context!r})): print(len(read()))"
    )
    done = run(tmp_path, "-c", ask)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_its_false_statement_is_hunted(desk, tmp_path):
    hunt = ("-m", "simulate.hunt", "walk.triangle.tempting", "--claims", "walk.py", "--json", "--out", tmp_path)
    found = json.loads(run(desk, *hunt).stdout)
    assert (found["outcome"], found["witness"]) == ("found", {"steps": ["1"]})
    held = run(
        desk, "-m", "simulate.hunt", "walk.triangle", "--claims", "walk.py", "--restarts", "2", "--out", tmp_path
    )
    assert "no counterexample" in held.stdout


def test_its_figures_are_drawn(desk):
    for command in (("ends.py",), ("-m", "figures.statements")):
        done = run(desk, *command, "--claims", "walk.py")
        assert done.returncode == 0, done.stderr
        assert (desk / done.stdout.strip()).stat().st_size > 10_000


def test_its_verdicts_are_a_table(desk):
    done = run(desk, "-m", "figures.table", "--claims", "walk.py", "--markdown", "--claim")
    assert done.returncode == 0, done.stderr
    assert "| `walk.triangle` |" in done.stdout


def test_what_it_imports_is_part_of_its_records(desk, tmp_path):
    """A change in a file beside the book voids the records of what uses it, and of nothing else."""
    folder = tmp_path / "changed"
    shutil.copytree(desk, folder)
    text = (folder / "steps.py").read_text()
    (folder / "steps.py").write_text(text.replace("size=rng.integers(1, 6)", "size=rng.integers(1, 7)"))
    judge = ("-m", "simulate.verify", "--claims", "walk.py", "--backend", "numpy")
    kept = run(folder, *judge, "--claim", "walk.end")
    assert kept.returncode == 0, kept.stderr
    refused = run(folder, *judge, "--claim", "walk.triangle")
    assert refused.returncode == 2
    assert "must hold records of this code" in refused.stderr
    assert refused.stderr.strip().count("\n") <= 1


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "--claims must be a file of Python that states a book, got {file}: there is none"),
        ("BOOK = 1 / 0", "--claims must be a file that can be imported, got {file}: ZeroDivisionError"),
        ("BOOK = [", "--claims must be a file that can be imported, got {file}: SyntaxError"),
        ("BOOK = []", "--claims must state BOOK = Book(claims, __file__), got {file} with list"),
        ("", "--claims must state BOOK = Book(claims, __file__), got {file} with NoneType"),
    ],
)
def test_a_file_that_is_no_book_is_one_line(tmp_path, content, line):
    if content is not None:
        (tmp_path / "broken.py").write_text(content)
    for command in ("theory", "simulate.verify", "simulate.statements"):
        done = run(tmp_path, "-m", command, "--claims", "broken.py")
        assert (done.returncode, done.stdout) == (2, "")
        assert line.format(file=tmp_path / "broken.py") in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["numpy.py", "theory.py", "random-walk.py"])
def test_a_name_that_cannot_be_imported_is_one_line(tmp_path, name):
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / name).write_text("")
    done = run(tmp_path, "-m", "simulate.verify", "--claims", f"books/{name}")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        f"--claims must have a name of its own that Python can import, got {tmp_path / 'books' / name}" in done.stderr
    )
    assert done.stderr.count("\n") == 1
