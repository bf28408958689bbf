"""Whether draws have a mean or a probability: error rates, exactly where all draws are there, and what is a fault."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from fragility.checking.finding import Fault, Terms
from fragility.checking.looks import Look
from fragility.checking.means import FIRST, GROWTH, HasMean, HasProbability
from fragility.checking.sequence import Range, Spread

TERMS = Terms(0.1, 0.05, 0.05)


def has_mean(mean, known, terms, decoys=()):
    """The question, of draws of which the standard deviation is known, or between which numbers they lie."""
    odds = (
        Range((known[0] - mean, known[1] - mean), terms.tolerance)
        if isinstance(known, tuple)
        else Spread(known, terms.tolerance)
    )
    return HasMean(mean, odds, terms, dict(decoys))


def asked(question, values, at=None):
    question.add(values)
    at = at or Look(len(values), 0.05, 0.05)
    question.decided(at)
    return question.finding(at)


@pytest.mark.parametrize("chance", [0.02, 0.3, 0.5, 0.95])
@pytest.mark.parametrize("samples", [30, 60])
@pytest.mark.parametrize("kind", ["exact limits", "bets"])
def test_error_rates_of_given_draws_are_as_promised(kind, samples, chance):
    """Exactly, for booleans; of a mean they are draws of which the spread is known, so that their order is nothing."""
    terms, counts = Terms(0.15, 0.05, 0.1, samples), np.arange(samples + 1)
    make = {
        "exact limits": lambda: HasProbability(chance, terms, {}),
        "bets": lambda: has_mean(chance, 0.5, terms, {}),
    }[kind]
    order = np.arange(samples)
    found = [asked(make(), order < count, Look(samples, 0.05, 0.1)) for count in counts]
    said = np.array([one.outcome for one in found])
    assert [one.outcome == "disagrees" for one in found] == [one.gap > one.band for one in found]
    assert stats.binom.pmf(counts, samples, chance)[said == "disagrees"].sum() <= 0.05
    for other in (chance - 0.15, chance + 0.15):
        if 0 < other < 1:
            assert stats.binom.pmf(counts, samples, other)[said == "agrees"].sum() <= 0.1


def test_bets_agree_where_their_limits_at_beta_lie_within_the_tolerance():
    terms, order, said = Terms(0.1, 0.05, 0.05, 400), np.arange(400), set()
    for count in range(176, 225, 4):
        question = has_mean(0.5, 0.5, terms)
        found = asked(question, order < count)
        off = max(question._bets.limit(0.05, -1), -question._bets.limit(0.05, 1))
        assert (found.outcome == "agrees") == (off <= 0.1)
        said.add(found.outcome)
    assert said >= {"agrees", "blunt"}


def test_limits_of_given_booleans_are_those_of_clopper_and_pearson():
    found = asked(HasProbability(0.3, Terms(0.15, 0.05, 0.1, 40), {}), np.arange(40) < 18, Look(40, 0.05, 0.1))
    low, high = stats.beta.ppf([0.025, 0.975], [18, 19], [23, 22])
    assert (found.gap, found.band) == pytest.approx((0.15, 0.45 - low))
    least, most = stats.beta.ppf([0.1, 0.9], [18, 19], [23, 22])
    assert found.resolution == pytest.approx(max(most - 0.3, 0.3 - least))
    few = asked(HasProbability(0.3, Terms(0.15, 0.05, 0.1, 40), {}), np.arange(40) < 6)
    low, high = stats.beta.ppf([0.025, 0.975], [6, 7], [35, 34])
    assert (few.gap, few.band) == pytest.approx((0.15, high - 0.15))


@pytest.mark.parametrize("known", [1.0, (-6.0, 6.0)])
def test_bets_agree_with_what_is_right_and_say_how_far_off_it_might_be(known):
    values = np.clip(np.random.default_rng(0).standard_normal(8000), -5, 5)
    found = asked(has_mean(0.0, known, TERMS, {}), values)
    assert (found.outcome, found.final) == ("agrees", True)
    assert found.gap < found.band
    assert found.resolution <= 0.1
    assert found.gap == pytest.approx(abs(values.mean()), abs=0.02)


@pytest.mark.parametrize("off", [0.3, -0.3])
@pytest.mark.parametrize("known", [1.0, (-6.0, 6.0)])
def test_bets_disagree_with_what_is_off_on_either_side(known, off):
    values = np.clip(np.random.default_rng(0).standard_normal(4000), -5, 5) + off
    found = asked(has_mean(0.0, known, TERMS, {}), values)
    assert (found.outcome, found.final) == ("disagrees", True)
    assert found.gap > found.band
    assert found.resolution > 0.25


def test_a_claim_is_told_from_decoys_on_both_sides():
    values = np.random.default_rng(1).standard_normal(4000)
    decoys = {"more": 0.3, "less": -0.3, "near": 0.05, "at the tolerance": 0.1}
    found = asked(has_mean(0.0, 1.0, TERMS, decoys), values)
    assert found.visible == found.rejected == ("more", "less", "at the tolerance")
    found = asked(has_mean(0.0, 1.0, TERMS, decoys), values[:400])
    assert found.outcome == "blunt"
    assert {"more", "less"} <= set(found.rejected)
    given = asked(HasProbability(0.5, Terms(0.1, 0.05, 0.05, 400), {"more": 0.7, "less": 0.4}), np.arange(400) < 205)
    assert given.visible == given.rejected == ("more", "less")


def test_no_mean_is_beyond_the_ends():
    """Of draws between 0 and 1 a mean of 0.05 cannot be 0.1 too small, so that one side is to be shown only."""
    found = asked(has_mean(0.05, (0.0, 1.0), TERMS, {}), np.full(60, 0.05))
    assert found.outcome == "agrees"
    assert found.resolution <= 0.1


def test_what_agreed_at_a_look_still_does():
    question = has_mean(0.0, 1.0, TERMS, {"far": 0.11})
    values = np.random.default_rng(2).standard_normal(4000)
    assert asked(question, values).outcome == "agrees"
    later = asked(question, np.full(40, 1.0), Look(4040, 0.05, 0.05))
    assert later.outcome == "agrees"
    assert later.resolution <= 0.1


def test_looks_come_all_the_time_and_each_may_spend_everything():
    question = has_mean(0.0, 1.0, TERMS, {})
    looks = question.looks()
    samples = [look.samples for look in looks]
    assert samples[0] == FIRST
    assert samples[-1] == question.needed
    assert all(a < b <= math.ceil(GROWTH * a) for a, b in pairwise(samples))
    assert {(look.alpha, look.beta) for look in looks} == {(0.05, 0.05)}
    assert has_mean(0.0, 1.0, Terms(0.1, 0.05, 0.05, 33), {}).looks() == [Look(33, 0.05, 0.05)]


def test_draws_that_decide_are_enough_with_bad_luck():
    """At three standard deviations, bets of the best stake have reached their level."""
    samples = has_mean(0.0, 2.0, TERMS, {}).needed
    level, stake = math.log(2 / 0.05), 0.1 / 4
    drift, spread = stake * 0.1 - (stake * 2) ** 2 / 2, stake * 2
    assert samples * drift - 3 * spread * math.sqrt(samples) >= level
    assert samples * 0.98 * drift - 3 * spread * math.sqrt(0.98 * samples) < 1.1 * level


@pytest.mark.parametrize(
    ("question", "values", "says"),
    [
        (has_mean(0.0, 1.0, TERMS, {}), [0.0, np.nan], "every draw must be finite, got nan, one of 1 among 2 draws"),
        (has_mean(0.0, 1.0, TERMS, {}), [0.0, np.inf], "every draw must be finite, got inf"),
        (has_mean(0.5, (0, 1), TERMS, {}), [0.0, 1.5, -1], r"must lie in \[0, 1\], got 1.5, one of 2 among 3 draws"),
        (has_mean(0.5, (0, 1), TERMS, {}), [0.0, np.nan], r"must lie in \[0, 1\], got nan"),
        (HasProbability(0.5, TERMS, {}), [0.0, 0.5], "must be True or False, got 0.5, one of 1 among 2 draws"),
        (HasProbability(0.5, TERMS, {}), [np.nan, 1], "must be True or False, got nan"),
        (HasProbability(0.5, TERMS, {}), [0, 2], "must be True or False, got 2"),
    ],
)
def test_an_impossible_draw_is_a_fault(question, values, says):
    with pytest.raises(Fault, match=says):
        question.add(np.array(values))


def test_booleans_may_be_numbers():
    terms = Terms(0.1, 0.05, 0.05, 20)
    kinds = (bool, int, float, np.float32, np.uint8)
    found = [asked(HasProbability(0.5, terms, {}), (np.arange(20) < 9).astype(kind)) for kind in kinds]
    assert len(set(found)) == 1
