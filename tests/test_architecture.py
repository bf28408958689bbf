"""Who may look at whom: fragility <- theory <- simulate | empirical <- figures; no study sees an answer of theory."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from fragility.engine.room import studies

ROOT = Path(__file__).parent.parent
ROOMS = ("fragility", "theory", "simulate", "empirical", "figures")
LEFT = {room: ROOMS[:position] for position, room in enumerate(ROOMS)} | {"empirical": ("fragility", "theory")}
DOORS = {"theory.__main__"}  # the command of the room: it prints
KNOWING = {"simulate.statements", "simulate.ladder"}  # they set both sides beside each other; their worlds are blind
SEEN_BY_STUDIES = ("theory.things", "theory.numerics")  # what statements speak of; no answers
SEEN_BY_WORLDS = (*SEEN_BY_STUDIES, "theory.reported", "theory.worlds")
CERTIFICATES = "empirical.certificates"  # a certificate is theory's own bound, evaluated on a trained network
MOST_LINES = 400  # a file with one idea rarely needs more; none is split to meet a number


def modules():
    """Every module of the rooms, with its file."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


FILES = dict(modules())
STUDIES = [*studies("simulate"), *studies("empirical")]


@cache
def tree(module):
    return ast.parse(FILES[module].read_text())


@cache
def imported(module):
    """Everything that the import statements of a module name, wherever they stand: modules of the rooms in full."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & set(FILES)
            found |= inner if len(inner) == len(node.names) else inner | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def rooms(module):
    """Top-level packages that a module imports from."""
    return {name.partition(".")[0] for name in imported(module)}


def reached(module, certifying=False):
    """The module, and all modules of the rooms that it imports, directly or not.

    Of what certificates import, theory is left out for those that are `certifying`.
    """
    pending, found = [module], set()
    while pending:
        name = pending.pop()
        if name in FILES and name not in found:
            found.add(name)
            bounds = certifying and beneath(name, CERTIFICATES)
            pending += [other for other in imported(name) if not (bounds and beneath(other, "theory"))]
    return found


def beneath(module, *places):
    return any(module == place or module.startswith(f"{place}.") for place in places)


def home(study):
    """The module in which a study stands."""
    return f"{study}.study" if f"{study}.study" in FILES else study


def circle(graph):
    """A circle of arrows, or none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_a_room_looks_left_only():
    for module in FILES:
        room = module.partition(".")[0]
        assert rooms(module) & set(ROOMS) <= {room, *LEFT[room]}, module


def test_no_circle_of_imports():
    assert circle({module: imported(module) & set(FILES) - {module} for module in FILES}) is None


def test_no_arrow_runs_back_between_drawers():
    """A drawer of a room imports no drawer that imports it."""

    def drawer(module):
        return ".".join(module.split(".")[:2])

    graph = {}
    for module in set(FILES) - {*ROOMS}:
        named = {drawer(name) for name in imported(module) if name in FILES and name not in ROOMS}
        graph.setdefault(drawer(module), set()).update(named - {drawer(module)})
    assert circle(graph) is None


def test_a_file_has_a_docstring_and_fits_on_a_few_screens():
    for module, path in FILES.items():
        assert ast.get_docstring(tree(module)), module
        assert path.read_text().count("\n") <= MOST_LINES, module


def test_no_private_name_is_imported():
    for module in FILES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in ROOMS:
                kernels = beneath(module, "fragility.backends") and node.module == "fragility.backends"
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
                assert kernels or not private, f"{module} imports {', '.join(private)}"


def test_theory_is_pure():
    for module in FILES:
        if beneath(module, "theory") and module not in DOORS:
            called = {node.func.id for node in ast.walk(tree(module)) if _is_plain_call(node)}
            assert not called & {"print", "open"}, module
            assert not rooms(module) & {"torch", "matplotlib", "os"}, module


def _is_plain_call(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def test_formulas_and_worlds_know_of_the_instrument_only_what_a_law_and_a_world_is():
    for module in FILES:
        if beneath(module, "theory") and not beneath(module, "theory.claims", "theory.spaces", *DOORS):
            allowed = {"fragility.space"} if beneath(module, "theory.worlds") else {"fragility.law"}
            allowed |= {"fragility.command.ending"} if module == "theory" else set()  # a command begins with the room
            assert {name for name in imported(module) if beneath(name, "fragility")} <= allowed, module


def test_nothing_goes_through_a_door():
    assert not [module for module in FILES if any(name.endswith("__main__") for name in imported(module))]


def test_there_are_studies():
    assert {"simulate.qr_product", "empirical.linear_compression"} <= {*STUDIES}


@pytest.mark.parametrize("study", [study for study in STUDIES if study not in KNOWING])
def test_a_study_is_blind(study):
    """Of theory, nothing that a study imports, however indirectly, has anything but things, unless by a certificate.

    A certified share is an answer of theory's, recorded as such beside what attacks leave.
    """
    seen = reached(home(study), certifying=True)
    assert not [name for name in seen if beneath(name, "theory") and not _is_blind(name)]


@pytest.mark.parametrize("drawer", ["attacks", "measures", "models", "training", "data"])
def test_what_experiments_share_is_blind_but_for_certificates(drawer):
    """What attacks find, and what is trained, comes from no bound, not even from one that certifies."""
    for module in FILES:
        if beneath(module, f"empirical.{drawer}"):
            assert all(_is_blind(name) for name in reached(module) if beneath(name, "theory")), module


def _is_blind(module):
    return module == "theory" or beneath(module, *SEEN_BY_STUDIES)


def test_things_hold_no_answers():
    for module in FILES:
        if beneath(module, *SEEN_BY_STUDIES):
            assert all(_is_blind(name) for name in reached(module) if beneath(name, "theory")), module


def test_of_an_experiment_only_its_tables_and_certificates_know_theory():
    for module in FILES:
        if beneath(module, "empirical") and not module.endswith(".tables") and not beneath(module, CERTIFICATES):
            assert all(_is_blind(name) for name in imported(module) if beneath(name, "theory")), module


def test_worlds_are_blind():
    """They may name the things that a statement speaks of, and printed numbers, but no formula."""
    for module in FILES:
        if beneath(module, "theory.worlds"):
            named = {name for name in reached(module) if beneath(name, "theory") and name != "theory"}
            assert all(beneath(name, *SEEN_BY_WORLDS) for name in named), module


def test_the_check_of_blindness_can_fail():
    assert not all(_is_blind(name) for name in reached("theory.claims.fc.qr_product") if beneath(name, "theory"))


def test_only_the_theory_of_a_certificate_is_excepted():
    certificate = f"{CERTIFICATES}.joint"
    assert "theory.joint.margins" in reached(certificate)
    kept = reached(certificate, certifying=True)
    assert "fragility.engine.study" in kept
    assert not any(beneath(name, "theory") for name in kept)
