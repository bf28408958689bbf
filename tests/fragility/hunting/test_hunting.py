"""The hunt finds the failures that the table knows, none of what it takes for true, and shrinks what it finds."""

import json
from dataclasses import replace
from fractions import Fraction
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.claim import Sides
from fragility.engine.store import DamagedRecordError, Store
from fragility.hunting.judge import Judge, refutes, score
from fragility.hunting.record import Hunter
from fragility.hunting.search import restart
from fragility.hunting.shrink import shrunk, size
from fragility.hunting.written import contradicts, length, written
from fragility.space import Part, approximate, exact, short
from theory.claims import BOOK

CLAIM = {claim.id: claim for claim in BOOK}
SPACES = {claim.id: claim.space for claim in BOOK if claim.space}
MUST = (
    "cond.relative_error.printed",
    "joint.thm1.printed",
    "joint.eq3.printed",
    "joint.reach.tempting",
    "fc.thm1.size.bounded.printed",
    "fc.thm6.size.bounded.printed",
)
# thousands of trials, or dear
SLOW = {"joint.monotone.tempting", "joint.corners.three_layers.tempting", "fc.thm4.ratio.tempting"}
FAILING = [name for name in SPACES if not CLAIM[name].holds and name not in SLOW | set(MUST)]
TRUE = [name for name in SPACES if CLAIM[name].holds]


def hunter(name, folder, seed=0, **options):
    return Hunter(Judge(CLAIM[name], SPACES[name]), Store(folder, lambda _: "code"), seed, **options)


def found(name):
    """A failing point, and its judge."""
    judge = Judge(CLAIM[name], SPACES[name])
    done = next(done for k in range(20) if (done := restart(judge, np.random.default_rng([7, k]))).first)
    return judge, exact(done.point)


def test_spaces_are_of_bounds_and_identities():
    assert all(CLAIM[name].kind in ("bound", "identity") for name in SPACES)
    assert len(FAILING) + len(MUST) >= 35


@pytest.mark.parametrize("name", MUST)
def test_it_finds_unaided(name, tmp_path):
    hunt = hunter(name, tmp_path).run(restarts=6, budget=np.inf)
    assert hunt.certain
    assert contradicts(CLAIM[name], json.loads(json.dumps(hunt.world)))
    stored = json.loads((resources.files("theory") / "witnesses" / f"{name}.json").read_text())
    assert length(hunt.world)[0] <= length(stored)[0] + 3
    assert hunt.size <= hunt.size_found


@pytest.mark.parametrize("name", FAILING)
def test_it_finds_the_other_failures_too(name, tmp_path):
    hunt = hunter(name, tmp_path).run(restarts=4, budget=np.inf)
    assert hunt.certain
    assert contradicts(CLAIM[name], hunt.world)


@pytest.mark.parametrize("name", TRUE)
def test_it_finds_nothing_against_what_is_true(name):
    judge = Judge(CLAIM[name], SPACES[name])
    done = restart(judge, np.random.default_rng(3), most=25)
    assert done.trials == 25
    assert not done.first
    assert done.highest.excess <= CLAIM[name].tolerance


def test_a_bound_that_is_attained_is_tight_to_one():
    judge = Judge(CLAIM["joint.ball.corrected"], SPACES["joint.ball.corrected"])
    assert restart(judge, np.random.default_rng(0), most=100).tightest == pytest.approx(1)


def test_a_claim_made_false_is_caught():
    """The corrected bound with its right side halved."""
    true = CLAIM["joint.ball.corrected"]
    false = replace(true, theory=lambda **world: Sides(true.theory(**world).left, true.theory(**world).right / 2))
    judge = Judge(false, SPACES[true.id])
    done = restart(judge, np.random.default_rng(0))
    assert done.first
    assert shrunk(judge, exact(done.point))[1]


@pytest.mark.parametrize("name", ["cond.relative_error.printed", "fc.thm5.target.tempting", "fc.thm6.scaling.tempting"])
def test_shrinking_is_idempotent_and_keeps_the_failure(name):
    judge, point = found(name)
    small, certain, _ = shrunk(judge, point)
    assert certain
    assert judge.fails_at(small)
    assert judge.refuted_by(small)
    assert size(small) <= size(point)
    again, certain, _ = shrunk(judge, small)
    assert certain
    assert written(dict(again.parts)) == written(dict(small.parts))


@pytest.mark.parametrize("name", sorted(SPACES))
def test_worlds_are_the_same_in_floats_and_in_fractions(name):
    space, rng = SPACES[name], np.random.default_rng(5)
    point = next(point for _ in range(500) if space.world(point := space.draw(rng)) is not None)
    layout = space.layout(point.sizes)
    for part, array in point.parts.items():
        assert np.array_equal(array, short(array, layout[part]))
    fractions = exact(point)
    assert all(isinstance(entry, Fraction) for array in fractions.parts.values() for entry in array.flat)
    assert all(np.array_equal(array, point.parts[part]) for part, array in approximate(fractions).parts.items())
    floats, exactly = space.world(point), space.world(fractions)
    assert floats.keys() == exactly.keys()
    for key in floats:
        for one, other in zip(leaves(floats[key]), leaves(exactly[key]), strict=True):
            assert float(one) == pytest.approx(float(other), abs=1e-12)


def leaves(value):
    if isinstance(value, (list, tuple)):
        return [leaf for entry in value for leaf in leaves(entry)]
    if isinstance(value, str):
        return []
    return list(np.asarray(value).flat)


@given(st.floats(-1e6, 1e6))
def test_short_numbers_are_near_and_in_range(value):
    rounded = float(short(np.asarray(value), Part()))
    assert abs(rounded) <= 2**10
    assert Fraction(rounded).numerator.bit_length() <= 11
    if 2**-9 < abs(value) < 2**10:
        assert rounded == pytest.approx(value, rel=2**-10)


def test_no_number_on_a_side_is_no_failure():
    bound = CLAIM["joint.ball.corrected"]
    assert score(bound, Sides(np.nan, 1.0)).excess == -np.inf
    assert score(bound, Sides(np.inf, 1.0)).excess == -np.inf
    assert score(bound, Sides(1.0, np.inf)).excess <= 0


def test_floats_are_no_exact_refutation():
    claim = CLAIM["joint.ball.printed"]
    world = {"weight": np.array([[0.0]]), "moved": np.array([[1.0]]), "radius": 0.0}
    assert not refutes(claim, world)


def test_records_are_read_and_not_made_again_even_without_time(tmp_path):
    name = "cond.relative_error.printed"
    first = hunter(name, tmp_path).run(None, budget=60)
    second = hunter(name, tmp_path).run(None, budget=0)
    assert second.certain
    assert replace(first, seconds=0) == replace(second, seconds=0)


def test_a_damaged_record_is_refused_and_set_aside_on_request(tmp_path):
    name = "fc.thm1.size.bounded.printed"
    first = hunter(name, tmp_path).run(1, budget=np.inf)
    path = next(tmp_path.rglob("search/**/*.parquet"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DamagedRecordError, match="--resume sets it aside"):
        hunter(name, tmp_path).run(1, budget=np.inf)
    again = hunter(name, tmp_path, resume=True).run(1, budget=np.inf)
    assert replace(again, seconds=0) == replace(first, seconds=0)
    assert path.with_suffix(".damaged").exists()
