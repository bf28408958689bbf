"""What is built and installed is all that is needed: commands run where there is no checkout, and nothing else."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("fragility", "theory", "simulate", "empirical", "figures")
NEEDED = ("pyproject.toml", "README.md")  # to build
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")
PROBE = "array-api-compat"  # small, and needed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def python(*arguments, interpreter=sys.executable, cwd=None, check=True):
    """A process of its own, which sees no checkout by its environment."""
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([interpreter, *map(str, arguments)], cwd=cwd, env=outside, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built of a copy, so that no leftover of another build gets in."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    if python(*PIP, "download", "--no-deps", "--dest", made, PROBE, check=False).returncode:
        pytest.skip("no package index is reached")
    for name in NEEDED:
        copy(ROOT / name, source)
    for room in ROOMS:
        copytree(ROOT / room, source / room, ignore=ignore_patterns("__pycache__"))
    python(*PIP, "wheel", "--no-deps", "--wheel-dir", made, source)
    (built,) = made.glob("fragility-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Runs Python where the wheel is installed, with what it depends on and no more, outside of the checkout.

    A summary lies there: that of the full run, without pictures, which take a minute.
    """
    folder = tmp_path_factory.mktemp("empty")
    whole = json.loads((ROOT / "docs" / "full_run.json").read_text("utf-8"))
    (folder / "summary.json").write_text(json.dumps(whole | {"runs": []}), "utf-8")
    venv.create(folder / "env", with_pip=True)
    interpreter = folder / "env" / "bin" / "python"
    python(*PIP, "install", "--constraint", ROOT / "constraints.txt", wheel, interpreter=interpreter)
    return lambda *arguments, **how: python(*arguments, interpreter=interpreter, cwd=folder, **how)


def test_every_file_of_the_rooms_is_in_the_wheel(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()]
    assert held == {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}


def test_it_is_imported_from_where_it_is_installed(installed):
    files = installed("-c", f"import {', '.join(ROOMS)}; print(*(m.__file__ for m in ({', '.join(ROOMS)})))").stdout
    assert all("site-packages" in file for file in files.split())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("theory", "fc.lemma3.last"),
        ("theory --replay joint.thm1.printed", "543/1250"),
        ("theory fraction --n 12 --at 0.148", "0.37"),
        ("simulate", "python -m simulate.verify"),
        ("simulate.verify --claim fc.lemma2 --budget 20s", "fc.lemma2"),
        ("figures.verdicts --summary summary.json --to verdicts.png", "verdicts.png"),
        ("figures.report --summary summary.json --to page.html", "page.html"),
    ],
)
def test_commands_run(installed, command, said):
    assert said in installed("-m", *command.split()).stdout


def test_what_was_drawn_is_shown(installed):
    drawn = installed("-m", "simulate.qr_product", "--n", 8, "--samples", 50, "--backend", "numpy")
    assert "fc.lemma3.last" in drawn.stdout
    assert "figures/qr_product.png" in installed("-m", "figures.qr_product").stdout


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("-m", "empirical.linear_compression"), "empirical"),
        (("-m", "simulate.qr_product", "--scheduler", "tcp://127.0.0.1:1"), "cluster"),
        (("-c", "import fragility; fragility.frame('.')"), "notebook"),
    ],
)
def test_what_is_not_installed_is_named_in_one_line(installed, arguments, extra):
    done = installed(*arguments, check=False)
    assert done.returncode != 0
    assert f"pip install 'fragility[{extra}]'" in done.stderr.splitlines()[-1]
