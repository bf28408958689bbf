"""Stored counterexamples: read as exact numbers, and refused when they show nothing."""

import json
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from fragility.claim import Sides, excess
from fragility.witness import DamagedWitnessError, ReplayError, exact, hypotheses, replay, stored
from theory.claims import BOOK

FAILING = [claim for claim in BOOK if not claim.holds]
STORED = sorted(BOOK.witnesses.glob("*.json"))


def test_rationals_become_fractions_and_regular_lists_arrays():
    assert exact("-5/4") == Fraction(-5, 4)
    assert exact("71.27") == Fraction(7127, 100)
    assert exact("linf") == "linf"
    matrix = exact([["1", "1/2"], ["0", "3"]])
    assert matrix.shape == (2, 2)
    assert matrix[0, 1] == Fraction(1, 2)
    ragged = exact([[["1"], ["1"]], [["1", "-1"]]])
    assert [layer.shape for layer in ragged] == [(2, 1), (1, 2)]


@pytest.mark.parametrize("entry", STORED, ids=lambda entry: entry.name)
def test_every_stored_world_belongs_to_a_claim_that_fails_and_is_short(entry):
    assert entry.stem in {claim.id for claim in FAILING}
    assert len(json.dumps(json.loads(entry.read_text()))) < 2000


@pytest.mark.parametrize("claim", FAILING, ids=lambda claim: claim.id)
def test_fractions_and_floats_tell_the_same(claim):
    """The exact sides fail by more than the claim tolerates, so a checker in floating point sees it, too."""
    sides = replay(claim, BOOK.witnesses)
    assert all(isinstance(side, Fraction) for side in sides)
    assert excess(claim.kind, sides) > claim.tolerance


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (Sides(Fraction(1), Fraction(1)), "does not contradict"),
        (Sides(0.5, Fraction(1)), "must be fractions"),
        (Sides(np.array([Fraction(1)]), Fraction(1)), "must be fractions"),
    ],
)
def test_a_witness_that_shows_nothing_is_refused(sides, message):
    claim = replace(FAILING[0], replay=lambda **_world: sides)
    with pytest.raises(ReplayError, match=message):
        replay(claim, BOOK.witnesses)


def test_a_claim_without_a_witness_is_refused():
    holding = next(claim for claim in BOOK if claim.holds)
    with pytest.raises(ReplayError, match="none is stored"):
        replay(holding, BOOK.witnesses)


def test_witnesses_are_those_of_the_folder_that_is_given(tmp_path):
    claim = FAILING[0]
    with pytest.raises(ReplayError, match=f"none is stored for {claim.id}"):
        stored(claim.id, tmp_path)
    file = tmp_path / f"{claim.id}.json"
    file.write_text('{"n": "3/2"}')
    assert stored(claim.id, tmp_path) == {"n": "3/2"}
    file.write_text("[]")
    with pytest.raises(DamagedWitnessError, match=f"^{re.escape(str(file))} must hold a world of {claim.id}, got"):
        hypotheses(claim, tmp_path)


def test_a_witness_outside_the_hypotheses_is_refused():
    claim = replace(FAILING[0], hypotheses=lambda **_world: {"something true": True, "n is prime": False})
    with pytest.raises(ReplayError, match="must meet its hypotheses, and breaks: n is prime"):
        replay(claim, BOOK.witnesses)
    with pytest.raises(ReplayError, match="are not stated"):
        replay(replace(claim, hypotheses=None), BOOK.witnesses)
