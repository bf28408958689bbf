"""The study of bounds and identities: worlds by coordinates, decoys in the same worlds, witnesses of failures."""

from pathlib import Path

import numpy as np
import pytest

from fragility.backends import numba_backend, numpy_backend
from fragility.book import read
from fragility.engine.context import Context, current, using
from fragility.engine.executor import in_process
from fragility.engine.store import Store
from fragility.engine.study import UsageError
from fragility.judging.campaign import Campaign
from simulate import statements
from tests.each import each
from theory.claims import BOOK

BACKEND = numpy_backend.BACKEND
RELATIONS = [claim for claim in BOOK if claim.of_worlds]
BOUND = {"claim": "cond.relative_error.corrected"}
FAILING = {"claim": "cond.relative_error.printed"}


def judged(folder, *points, **settings):
    campaign = Campaign(
        statements.STUDY, BACKEND, in_process(BACKEND, Context()), Store(folder, lambda _: "code"), **settings
    )
    return campaign.run(RELATIONS, points)


def test_a_world_hangs_on_its_own_seed_only():
    few, many = (statements.draw(BACKEND.stream(1, 0), size, BOUND["claim"]) for size in (3, 8))
    for world, again in zip(few, many, strict=False):
        for name in world:
            np.testing.assert_array_equal(world[name], again[name])
    assert not np.array_equal(many[0]["x"], many[1]["x"])


def test_backends_draw_the_same_worlds():
    first, second = (
        statements.measure(BACKEND, statements.draw(backend.stream(1, 2), 4, BOUND["claim"]), BOUND["claim"])
        for backend in (numpy_backend.BACKEND, numba_backend.BACKEND)
    )
    np.testing.assert_array_equal(first["excess"], second["excess"])


def test_a_bound_agrees_once_a_failure_in_a_hundred_would_have_been_met(tmp_path):
    (few,) = judged(tmp_path, BOUND, samples=100)
    assert few.outcome == "blunt"
    assert few.resolution == pytest.approx(1 - 0.05**0.01)
    (found,) = judged(tmp_path, BOUND)
    assert found.outcome == "agrees"
    assert found.samples == 320 >= found.needed == 299
    assert found.alpha == 0  # no chance of a false alarm, so nothing to spend
    assert found.rejected == found.visible != ()


def test_a_statement_that_fails_is_contradicted_by_its_witness(tmp_path):
    (found,) = judged(tmp_path, FAILING)
    assert (found.outcome, found.method, found.samples, found.seen) == ("disagrees", "witness", 1, "a witness")


def test_what_fails_is_judged_in_random_worlds_until_a_witness_is_stored(tmp_path):
    """Of a user's book, from which a hunt is still to start."""
    outside = Path(__file__).parent.parent / "outside"
    book = (outside / "walk.py").read_text().replace("walk", "stroll").replace("import steps", "import paces as steps")
    (tmp_path / "stroll.py").write_text(book)
    (tmp_path / "paces.py").write_text((outside / "steps.py").read_text())
    stored = tmp_path / "witnesses" / "stroll.triangle.tempting.json"
    stored.parent.mkdir()
    point = {"claim": "stroll.triangle.tempting"}
    with using(Context(str(tmp_path / "stroll.py"))):
        campaign = Campaign(
            statements.STUDY, BACKEND, in_process(BACKEND, current()), Store(tmp_path, lambda _: "code")
        )
        (found,) = campaign.run([read()["stroll.triangle.tempting"]], [point])
        assert (found.outcome, found.method) == ("disagrees", "worlds")
        assert statements.STUDY.methods["witness"].obstacle(**point) == (
            f"no witness is stored in {stored}: python -m simulate.hunt stroll.triangle.tempting finds one"
        )
        stored.write_text('{"steps": ["0"]}')
        with pytest.raises(UsageError, match=r"does not contradict .*: python -m simulate.hunt .* looks for another"):
            statements.measure_witness(BACKEND, [""], **point)


def test_ids_and_starts_of_ids_name_statements():
    assert statements.points(["joint.thm1"]) == [
        {"claim": claim.id} for claim in RELATIONS if claim.id.startswith("joint.thm1")
    ]
    assert len(statements.points(None)) == len(RELATIONS)
    with pytest.raises(UsageError, match="--claim must be"):
        statements.points(["cond.relativity"])


@each("claim", RELATIONS)
def test_every_statement_can_be_tried(claim):
    usable = [way for way in statements.STUDY.methods.values() if way.obstacle(claim=claim.id) is None]
    assert usable
