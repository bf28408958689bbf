"""Whether two samplers have one law: exact error rates of small samples, ties, decoys."""

import numpy as np
import pytest
from scipy import stats

from fragility.checking.finding import Fault, Terms
from fragility.checking.looks import Look
from fragility.checking.samples import SameLaw


def asked(pairs, terms, decoys=(), at=None):
    question = SameLaw(terms, decoys)
    for piece in np.array_split(np.asarray(pairs, dtype=float), 2):
        question.add(piece)
    at = at or Look(len(pairs), terms.alpha, terms.beta)
    question.decided(at)
    return question.finding(at)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_a_distance_is_that_of_scipy_ties_included(shift):
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((300, 2)) + np.array([0, shift])
    for values in (pairs, np.round(pairs), np.round(pairs, 1)):
        found = asked(values, Terms(0.5, 0.05, 0.05))
        assert found.gap == pytest.approx(stats.ks_2samp(*values.T).statistic, abs=1e-12)


def test_error_rates_of_given_draws_are_as_promised():
    """Exactly, of draws that are 0 or 1, and whatever their probabilities."""
    samples, tolerance = 24, 0.5
    counts, order = np.arange(samples + 1), np.arange(samples)
    terms = Terms(tolerance, 0.05, 0.1)
    said = np.array([
        [asked(np.stack([order < one, order < other], axis=1), terms).outcome for other in counts] for one in counts
    ])  # fmt: skip
    assert {"agrees", "blunt", "disagrees"} >= set(said.flat) >= {"agrees", "disagrees"}

    def probability(outcome, one, other):
        chance = np.outer(stats.binom.pmf(counts, samples, one), stats.binom.pmf(counts, samples, other))
        return chance[said == outcome].sum()

    for one in np.linspace(0.02, 0.98, 13):
        assert probability("disagrees", one, one) <= 0.05
        if one + tolerance <= 1:
            assert probability("agrees", one, one + tolerance) <= 0.1
            assert probability("agrees", one + tolerance, one) <= 0.1


def test_the_last_look_decides_whatever_comes():
    question = SameLaw(Terms(0.1, 0.05, 0.05), [])
    last = question.looks()[-1]
    assert question.needed == last.samples
    same = np.tile(np.arange(last.samples), (2, 1)).T
    found = asked(same, Terms(0.1, 0.05, 0.05), at=last)
    assert found.gap == 0
    assert found.outcome == "agrees"
    assert found.band + found.resolution <= 0.1 + 1e-12
    assert [look.samples for look in SameLaw(Terms(0.1, 0.05, 0.05, 70), []).looks()] == [70]


def test_decoys_are_samplers_of_another_law_than_the_first():
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((3000, 4)) + np.array([0, 0, 1, 0])
    found = asked(draws, Terms(0.1, 0.05, 0.05), ["shifted", "the same"])
    assert (found.outcome, found.visible, found.rejected) == ("agrees", ("shifted", "the same"), ("shifted",))
    assert not found.final


def test_no_number_is_a_fault():
    with pytest.raises(Fault, match="every draw must be a number, got NaN in 1 of 3"):
        SameLaw(Terms(0.1, 0.05, 0.05), []).add(np.array([[0, 1], [np.nan, np.nan], [1, 1]]))
