"""The page on theorems of one's own, typed as it stands there, and what its three examples state."""

import doctest
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from fragility.backends.numpy_backend import BACKEND

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PARTS = re.split(r"^(?=### )", (DOCS / "theorem.md").read_text("utf-8"), flags=re.MULTILINE)
STEPS = {part.partition("\n")[0]: BLOCK.findall(part) for part in PARTS}  # the first is of a file of one's own


@pytest.fixture
def folder(tmp_path):
    """A folder with the examples in it."""
    shutil.copytree(DOCS / "examples", tmp_path, dirs_exist_ok=True)
    return tmp_path


def change(folder, line):
    """Puts a line of `mine.py` in place of the one that its comment names."""
    text = (folder / "mine.py").read_text()
    after, _, before = line.rstrip().partition("  # in place of ")
    assert text.count(f"    {before}\n") == 1
    (folder / "mine.py").write_text(text.replace(f"    {before}\n", f"{after}\n"))


TRAINED = next(title for title in STEPS if "trained" in title)
TITLES = [pytest.param(title, marks=pytest.mark.slow if title == TRAINED else ()) for title in STEPS]


@pytest.mark.parametrize("title", TITLES)
def test_the_page_shows_what_comes(title, folder):
    for kind, text in STEPS[title]:
        if kind == "python":
            change(folder, text)
            continue
        for typed in text.removeprefix("$ python ").split("\n$ python "):
            command, _, shown = typed.partition("\n")
            done = subprocess.run(
                [sys.executable, *command.split()], cwd=folder, capture_output=True, text=True, timeout=200, check=False
            )
            came = done.stdout or done.stderr
            match = doctest.OutputChecker().check_output(shown.rstrip("\n"), came.rstrip("\n"), doctest.ELLIPSIS)
            assert match, f"$ python {command}\n{came}\n{done.stderr}"


def test_every_example_is_run():
    shown = " ".join(text for found in STEPS.values() for _, text in found)
    for path in (DOCS / "examples").glob("*.py"):
        assert f"simulate.verify --claims {path.name}" in shown


def test_trained_networks_comply_and_decoys_do_not(monkeypatch):
    """The example on trained networks, on fewer images than where the page judges it."""
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(DOCS / "examples")
    subspace = import_module("subspace")
    method, point = subspace.STUDY.methods["trained"], {"width": 32, "images": 30, "epochs": 10}
    found = method.measure(BACKEND, method.draw(BACKEND.stream(0, 0), method.block, **point), **point)
    assert found["accuracy"].min() > 0.75

    def comply(theory):
        left, right = theory(found["log_distance"])
        return np.mean(np.all((left <= right).reshape(len(left), -1), axis=1))

    for row in subspace.BOOK:
        assert comply(row.theory) > 0.75, row.id
        assert not any(comply(decoy.theory) for decoy in row.decoys)
