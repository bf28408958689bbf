"""Relations about a study's own records: every draw that they speak of, and no other."""

from dataclasses import replace

import numpy as np
import pytest

from fragility.claim import Claim, Decoy, Sides
from fragility.engine.records import raw_table
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, reject_decoys
from fragility.judging.kinds.relation import RARE

ENOUGH = 300  # draws among which a failure of one in a hundred is met with 95 %


def claim(theory, kind="bound", decoys=()):
    return Claim(id="test", source="s", says="x", kind=kind, theory=theory, tolerance=1e-9, study="own", decoys=decoys)


def below(small, large):
    return Sides(small, large)


def below_where_valid(small, large, valid):
    return Sides(small[valid == 1], large[valid == 1])


def found(row, **columns):
    evidence = Evidence([raw_table({name: np.asarray(values, float) for name, values in columns.items()})])
    return reject_decoys(row, judge(row, {"n": 3}, "trained", evidence, 0.05), evidence)


def test_it_speaks_of_the_columns_that_its_theory_takes():
    assert claim(below_where_valid).columns == ("small", "large", "valid")
    assert not claim(below).of_worlds


def test_no_failure_among_enough_draws_agrees():
    verdict = found(claim(below), small=np.zeros(ENOUGH), large=np.ones(ENOUGH))
    assert verdict.outcome == "agrees"
    assert verdict.samples == ENOUGH
    assert verdict.seen.endswith("% of draws")
    assert verdict.band == verdict.tolerance == 1e-9
    assert verdict.resolution <= verdict.wanted == RARE


def test_one_failure_disagrees():
    small = np.zeros(ENOUGH)
    small[7] = 2.0
    assert found(claim(below), small=small, large=np.ones(ENOUGH)).outcome == "disagrees"


def test_a_number_that_does_not_exist_is_no_verdict():
    small = np.zeros(ENOUGH)
    small[7] = np.nan
    verdict = found(claim(below), small=small, large=np.ones(ENOUGH))
    assert (verdict.outcome, verdict.fault) == ("faulty", f"1 of {ENOUGH} draws has no number for small, large")


def test_a_draw_that_fails_disagrees_whatever_another_lacks():
    small = np.zeros(ENOUGH)
    small[7], small[8] = np.nan, 2.0
    assert found(claim(below), small=small, large=np.ones(ENOUGH)).outcome == "disagrees"


def test_what_it_is_conditional_on_leaves_draws_out():
    small = np.zeros(ENOUGH + 1)
    small[7] = np.nan
    verdict = found(replace(claim(below), given="the network is alive"), small=small, large=np.ones(ENOUGH + 1))
    assert (verdict.outcome, verdict.samples) == ("agrees", ENOUGH)


def test_a_decoy_that_gives_no_number_is_not_rejected():
    row = claim(below, decoys=(Decoy("nothing", lambda small, large: Sides(small * np.nan, large)),))
    verdict = found(row, small=np.zeros(ENOUGH), large=np.ones(ENOUGH))
    assert (verdict.visible, verdict.rejected) == (("nothing",), ())


@pytest.mark.parametrize("valid", [0, 10])
def test_only_the_draws_that_it_speaks_of_count(valid):
    chosen = np.arange(ENOUGH) < valid
    verdict = found(claim(below_where_valid), small=np.where(chosen, 0.0, 5.0), large=np.ones(ENOUGH), valid=chosen)
    assert verdict.outcome == "blunt"
    assert verdict.samples == valid


def test_decoys_are_put_to_the_same_columns():
    row = claim(below, decoys=(Decoy("the other way round", lambda small, large: Sides(large, small)),))
    verdict = found(row, small=np.zeros(ENOUGH), large=np.ones(ENOUGH))
    assert verdict.rejected == verdict.visible == ("the other way round",)
    verdict = found(row, small=np.ones(ENOUGH), large=np.ones(ENOUGH))
    assert verdict.rejected == ()


def test_a_decoy_counts_where_it_says_so():
    row = claim(below, decoys=(Decoy("elsewhere", below, where=lambda n: n > 3),))
    assert found(row, small=np.zeros(ENOUGH), large=np.ones(ENOUGH)).visible == ()


def test_a_row_of_columns_has_two_sides_each():
    small = np.zeros((ENOUGH, 4))
    verdict = found(claim(below), small=small, large=np.ones((ENOUGH, 4)))
    assert verdict.samples == ENOUGH
