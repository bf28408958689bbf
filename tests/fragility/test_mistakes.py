"""What a row of a user's book may lack: one line says what must hold, and what came."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import norm

from fragility import Decoy, Moment, Rate, Sides
from fragility.book import load
from fragility.engine.shard import find_study
from fragility.mistakes import mistakes
from theory.claims import BOOK as PAPERS

BOOK = load(str(Path(__file__).parent.parent / "outside" / "walk.py"))
LAW, BOUND = BOOK["walk.end"], BOOK["walk.triangle"]


def far(n):
    raise ValueError("theory ends before")


def broken(**_):
    return {}["a key"]


def broken_draw(stream, size, n):
    return broken()


def ways(parts):
    return {"ways": parts["steps"]}


SPACE = BOUND.space
MOMENT = dict(kind="moment", decoys=(Decoy("1", lambda n: Moment(abs, 1.0, 1.0)),))
RATE = dict(kind="rate", decoys=(Decoy("1", lambda: Rate("n", 1.0)),))
MAJORITY = dict(kind="majority", study="walk", statistic="end", decoys=(Decoy("x", lambda end: Sides(end, end)),))
ROWS = [
    (LAW, dict(id="walk end"), "id must be words joined by full stops, such as walk.end"),
    (LAW, dict(id="../walk"), "id must be words joined by full stops, such as walk.end"),
    (LAW, dict(kind="lwa"), "kind must be among law, moment, identity, bound, rate, majority, reported, got 'lwa'"),
    (LAW, dict(status="true"), "status must be among printed, unmet, refuted, gap, slip, reading, corrected"),
    (LAW, dict(tolerance=0), "tolerance must be a positive number, the smallest gap worth seeing, got 0"),
    (LAW, dict(tolerance=-0.1), "tolerance must be a positive number, the smallest gap worth seeing, got -0.1"),
    (LAW, dict(tolerance=float("nan")), "tolerance must be a positive number, the smallest gap worth seeing, got nan"),
    (LAW, dict(tolerance="0.1"), "tolerance must be a positive number, the smallest gap worth seeing, got '0.1'"),
    (LAW, dict(theory=norm()), "theory must be a function, got rv_continuous_frozen"),
    (LAW, dict(decoys=()), "decoys must hold a wrong statement close to it, which the check has to reject, got none"),
    (LAW, dict(decoys=(far,)), "decoys must be a tuple of Decoy(says, theory), got <function far"),
    (LAW, dict(decoys=(Decoy("same", LAW.theory),)), "decoy 'same' must be wrong, got the theory of the row itself"),
    (
        LAW,
        dict(decoys=(Decoy("equal", lambda n: norm(scale=n**0.5)),)),
        "decoy 'equal' must be wrong, got what the row",
    ),
    (LAW, dict(decoys=(Decoy("broken", broken),)), "decoy 'broken' must have a value, got KeyError: 'a key' at n=16"),
    (LAW, dict(decoys=(Decoy("float", lambda n: n),)), "decoy 'float' must return a law, such as a frozen"),
    (LAW, dict(study=""), "a law must have a study and a statistic, the recorded number that it speaks of"),
    (LAW, dict(study="wlak"), "study must be a module that states STUDY, got 'wlak': no study wlak"),
    (LAW, dict(study="steps"), "study must be a module that states STUDY, got 'steps': no study steps"),
    (LAW, dict(statistic="edn"), "statistic must be of what walk records, end, got 'edn'"),
    (
        LAW,
        dict(theory=lambda m: norm()),
        "theory must take n, which the points of walk have, got (m)",
    ),
    (LAW, dict(where=lambda m: True), "where must take n, which the points of walk have, got (m)"),
    (LAW, dict(theory=lambda n: n), "theory must return a law, such as a frozen distribution of scipy.stats, got int"),
    (LAW, dict(theory=broken), "theory must have a value, got KeyError: 'a key' at n=16"),
    (LAW, dict(theory=far), "theory must reach a point of walk, got ValueError: theory ends before at n=16"),
    (LAW, dict(MOMENT, theory=lambda n: norm()), "theory must return a Moment, got rv_continuous_frozen"),
    (LAW, dict(RATE, theory=lambda: 0.5), "theory of a rate must return a Rate, got float"),
    (LAW, dict(RATE, theory=lambda: Rate("n", 0.5)), "a rate with a study must have two sizes or more, and `at`"),
    (LAW, dict(MAJORITY, theory=lambda ends: Sides(ends, 0)), "theory must be of what walk records, end, got 'ends'"),
    (BOUND, dict(world=None, space=None), "a relation must have a world, which draws what theory takes, or a space"),
    (BOUND, dict(world=lambda: 7), "world must draw a world from a NumPy generator, got TypeError"),
    (BOUND, dict(world=lambda rng: rng), "world must return what theory takes by name, got Generator"),
    (
        BOUND,
        dict(theory=lambda ways: ways),
        "theory must take steps, which its world draws, got (ways)",
    ),
    (BOUND, dict(theory=broken), "theory must have a value, got KeyError: 'a key' in a random world"),
    (BOUND, dict(theory=lambda steps: True), "theory must return Sides(left, right), got bool"),
    (BOUND, dict(space=replace(SPACE, axes={})), "space must build a world, got KeyError: 'steps'"),
    (BOUND, dict(space=replace(SPACE, build=ways)), "theory must take ways, which its space builds, got (steps)"),
    (BOUND, dict(decoys=(Decoy("one", lambda steps: 1),)), "decoy 'one' must return Sides(left, right), got int"),
]


@pytest.mark.parametrize(("row", "changes", "says"), ROWS, ids=[says[:60] for _, _, says in ROWS])
def test_a_mistake_is_one_line_that_names_the_row(row, changes, says):
    changed = replace(row, **changes)
    ((claim, lacking),) = mistakes([changed])
    assert claim == changed.id
    assert lacking.startswith(says)
    assert "\n" not in lacking


def test_rows_without_mistakes_have_none():
    assert not list(mistakes(BOOK))
    assert not list(mistakes(PAPERS.claims[::20]))


def test_each_row_is_named_with_its_first_mistake():
    found = dict(mistakes([replace(LAW, tolerance=0, decoys=()), BOUND, replace(BOUND, id="walk.other", decoys=())]))
    assert list(found) == ["walk.end", "walk.other"]
    assert found["walk.end"].startswith("tolerance")


STUDIES = [
    (dict(points=lambda m: []), "`points` of walk must take n, which its grid has, got (m)"),
    (
        dict(draw=lambda stream, size: 0),
        "`draw` of method steps must take n, which the points of walk have, got (stream,",
    ),
    (dict(measure=lambda world, n: {}), "`measure` of method steps must take n, which the points of walk have, got"),
    (dict(statistics=lambda: ("end",)), "`statistics` of method steps must take n, which the points of walk have, got"),
    (dict(statistics=("end",)), "`statistics` of method steps must be a function, got tuple"),
    (dict(draw=broken_draw), "method steps must draw and measure, got KeyError: 'a key' at n=16"),
    (
        dict(measure=lambda _, world, n: {"edn": world[:, 0]}),
        "`measure` of method steps must return end by name, got edn",
    ),
    (dict(measure=lambda _, world, n: world[:, 0]), "`measure` of method steps must return end by name, got ndarray"),
    (
        dict(measure=lambda _, world, n: {"end": world.sum()}),
        "end must have an entry per draw, got shape () of 7 draws",
    ),
    (dict(name="walks"), "study must be called by its module, got 'walk' whose name is 'walks'"),
]


@pytest.mark.parametrize(("changes", "says"), STUDIES, ids=[says[:40] for _, says in STUDIES])
def test_a_mistake_in_its_study_is_one_as_well(changes, says, monkeypatch):
    study = find_study("walk")
    own = {name: changes[name] for name in changes if name in ("name", "points")}
    steps = replace(study.methods["steps"], **{name: changes[name] for name in changes if name not in own})
    monkeypatch.setattr(sys.modules["walk"], "STUDY", replace(study, methods={"steps": steps}, **own))
    ((_, lacking),) = mistakes([LAW])
    assert lacking.startswith(says)


def test_a_theory_may_end_before_some_points(monkeypatch):
    """Nor need a decoy differ from it everywhere."""
    study = replace(find_study("walk"), table=({"n": 16}, {"n": 4}))
    monkeypatch.setattr(sys.modules["walk"], "STUDY", study)

    def short(n):
        return norm(scale=2.0) if n < 16 else far(n)

    row = replace(LAW, theory=short, decoys=(Decoy("n = 4 only", lambda n: norm(scale=3.0 if n == 4 else 4.0)),))
    assert not list(mistakes([row]))
