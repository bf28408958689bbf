"""Every bad command, as a user types it: an exit code, nothing on stdout, one line on stderr, and nothing left behind.

The rows stand in `tests/commands/`, a file per room. `...` in the words of a row is anything. Each runs in a folder of
the files that `tests/commands/files.py` makes; what runs before it fails writes into `kept` there.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import benchmarks, empirical, figures, fragility, simulate, theory
from tests.commands.files import prepare

ROOT = Path(__file__).parent.parent
ROOMS = {
    "fragility": fragility,
    "theory": theory,
    "simulate": simulate,
    "empirical": empirical,
    "figures": figures,
    "benchmarks": benchmarks,
}
ROWS = [row for room in ROOMS.values() for row in room.ROWS]
PREAMBLE = ("backend ", "device ", "records in ")  # of a command that has begun


def entries():
    """What can be typed after `python -m`."""
    yield from ("theory", "simulate", "empirical", "figures")
    for room in ("fragility", "theory", "simulate", "empirical", "figures"):
        yield from (f"{room}.{path.parent.name}" for path in (ROOT / room).glob("*/__main__.py"))
    for room in ("simulate", "figures", "benchmarks"):
        files = (ROOT / room).glob("[!_]*.py")
        yield from (f"{room}.{path.stem}" for path in files if "__main__" in path.read_text())


ENTRIES = sorted(entries())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder that every command runs in."""
    made = tmp_path_factory.mktemp("commands")
    prepare(made)
    return made


def run(command, folder):
    """The command as a shell runs it in the folder, without a data set of the user's."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment.pop("FRAGILITY_DATA", None)
    shell = ["sh", "-c", f"exec {sys.executable} -m {command}"]
    return subprocess.run(
        shell, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def held(folder):
    """Each file and folder, and when it was changed; not what Python compiles, nor what was meant to be kept."""
    paths = (path for path in folder.rglob("*") if not {"kept", "__pycache__"} & {*path.parts})
    return {str(path): path.lstat().st_mtime_ns for path in paths}


@pytest.mark.parametrize(("command", "code", "words"), ROWS, ids=[command[:80] for command, _, _ in ROWS])
def test_a_bad_command_is_refused_in_a_line(folder, command, code, words):
    if "cupy" in command:
        from fragility.backends.cupy_backend import unavailable

        if unavailable() is None:
            pytest.skip("there is a GPU")
    before = held(folder)
    done = run(command, folder)
    lines = [line for line in done.stderr.splitlines() if not line.startswith(PREAMBLE)]
    assert (done.returncode, done.stdout, len(lines)) == (code, "", 1), done.stderr
    module = command.split()[0]
    assert lines[0].removeprefix("python -m ").startswith((f"{module}:", f"{module} ")), lines
    rest = lines[0]
    for part in words.split("..."):
        assert part.strip() in rest, lines
        rest = rest.partition(part.strip())[2]
    assert held(folder) == before


LIGHT = [module for module in ENTRIES if not module.startswith(("benchmarks.", "figures."))]  # the others load much


@pytest.mark.parametrize("module", LIGHT)
def test_help_is_on_stdout(tmp_path, module):
    done = run(f"{module} --help", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: python -m {module} ")
    assert not list(tmp_path.iterdir())


def test_every_command_has_a_row():
    assert set(ENTRIES) <= {command.split()[0] for command, _, _ in ROWS}
