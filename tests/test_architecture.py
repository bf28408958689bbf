"""Who may look at whom: theory <- simulate <- empirical <- figures, and no study sees the theory's answer."""

import ast
from pathlib import Path

import pytest

from simulate.engine.fingerprint import closure
from simulate.engine.room import studies
from simulate.engine.shard import home

ROOT = Path(__file__).parent.parent
ROOMS = ("theory", "simulate", "empirical", "figures")
DOORS = {"__main__.py"}  # the command of a room: prints, and may open a picture drawn further right
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
STUDIES = [*studies(), *studies("empirical")]
KNOWING = {"statements", "ladder"}  # they set both sides of a statement beside each other; their worlds are blind
EXPERIMENTS = [path for path in FILES if "empirical" in path.relative_to(ROOT).parts]
WORLDS = [path for path in sorted((ROOT / "simulate" / "worlds").glob("*.py")) if path.stem != "__init__"]
THINGS = {"theory.layers", "theory.network", "theory.reported"}
MOST_LINES = 400  # a file with one idea rarely needs more; none is split to meet a number


def imported(tree):
    """Top-level package of every import statement in a syntax tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_looks_left_only(path):
    if path.name in DOORS:
        pytest.skip("a door")
    room = path.relative_to(ROOT).parts[0]
    right = ROOMS[ROOMS.index(room) + 1 :]
    assert not set(imported(ast.parse(path.read_text()))) & set(right)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_a_docstring_and_fits_on_a_few_screens(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= MOST_LINES


THEORY = [path for path in sorted((ROOT / "theory").rglob("*.py")) if path.name not in DOORS]


@pytest.mark.parametrize("path", THEORY, ids=lambda path: str(path.relative_to(ROOT)))
def test_theory_is_pure(path):
    tree = ast.parse(path.read_text())
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"print", "open"}
    assert not set(imported(tree)) & {"torch", "matplotlib", "os", "pathlib"}


def test_nothing_goes_through_a_door():
    assert not [path for path in FILES if "import __main__" in path.read_text() or ".__main__" in path.read_text()]


def test_there_are_studies():
    assert {"qr_product", "linear_compression"} <= {*STUDIES}


@pytest.mark.parametrize("study", [study for study in STUDIES if study not in KNOWING])
def test_a_study_is_blind(study):
    """Nothing that a study imports, however indirectly, imports theory."""
    seen = {module: set(imported(tree)) for module, tree in closure(home(study)).items()}
    assert not {module for module, packages in seen.items() if "theory" in packages}


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_of_the_experiments_only_tables_and_their_command_know_theory(path):
    knows = "theory" in imported(ast.parse(path.read_text()))
    assert not knows or path.parent.name == "tables" or path.name == "command.py"


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_worlds_are_blind(path):
    """They may name the things that a statement speaks of, and printed numbers, but no formula."""
    nodes = ast.walk(ast.parse(path.read_text()))
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    assert {module for module in modules if module.startswith("theory")} <= THINGS


def test_all_worlds_are_drawn_from():
    assert {f"simulate.worlds.{path.stem}" for path in WORLDS} <= set(closure("simulate.statements"))


def test_the_check_of_blindness_can_fail():
    seen = closure("simulate.verdict")
    assert "theory" in set(imported(seen["simulate.verdict"]))
