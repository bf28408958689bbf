"""Majorities: exact counts decide, a coin is seldom wronged, ties comply, and what has no number is left out."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from fragility.claim import Claim, Decoy, Sides
from fragility.engine.records import raw_table
from fragility.judging.bands import clopper_pearson
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, needed, reject_decoys
from fragility.judging.kinds.majority import band

POINT = {"n": 3}
RATE = 0.05


def claim(theory=Sides, tolerance=0.1, decoys=()):
    def sides(left, right):
        return theory(left, right)

    return Claim(
        id="test", source="s", says="x", kind="majority", theory=sides, tolerance=tolerance, study="own", decoys=decoys
    )


def records(**columns):
    return Evidence([raw_table({name: np.asarray(values, float) for name, values in columns.items()})])


def found(row, alpha=RATE, **columns):
    return judge(row, POINT, "trained", records(**columns), alpha)


def of(complying, draws, row=None, alpha=RATE):
    """The verdict where so many of the draws comply."""
    return found(row or claim(), alpha, left=np.arange(draws) >= complying, right=np.full(draws, 0.5))


def test_it_speaks_of_the_columns_that_its_theory_takes():
    assert claim().columns == ("left", "right")
    assert claim().of_records
    assert not claim().is_relation
    assert not claim().of_worlds


@pytest.mark.parametrize(
    ("theory", "beside"),
    [(lambda left, left_beside: Sides(left, left_beside), None), (lambda left: Sides(left, 0), lambda *_: True)],
)
def test_two_points_are_compared_by_columns_of_both_or_not_at_all(theory, beside):
    fields = dict(id="test", source="s", says="x", kind="majority", tolerance=0.1, study="own")
    with pytest.raises(ValueError, match="test has one of both"):
        Claim(**fields, theory=theory, beside=beside)


@pytest.mark.parametrize("draws", [1, 7, 20, 100])
def test_the_binomial_tails_decide(draws):
    """It disagrees where so few would comply at a share of 1/2 with probability < alpha/2, agrees likewise."""
    for complying in range(draws + 1):
        verdict = of(complying, draws)
        few = binom.cdf(complying, draws, 0.5) < RATE / 2
        many = binom.sf(complying - 1, draws, 0.4) <= RATE / 2
        assert verdict.outcome == ("disagrees" if few else "agrees" if many else "blunt")
        assert (verdict.gap > verdict.band) == few
        assert verdict.gap == max(0, 0.5 - complying / draws)
        low = clopper_pearson(complying, draws, RATE)[0]
        assert verdict.resolution == max(0, 0.5 - low)
        assert verdict.samples == draws
        assert verdict.unit == "share"


def test_it_disagrees_whatever_the_tolerance():
    assert of(430, 1000, claim(tolerance=0.49)).outcome == "disagrees"


@pytest.mark.parametrize(("tolerance", "rate"), [*itertools.product((0.01, 0.1, 0.3, 0.49), (0.05, 1e-3, 1e-6))])
def test_needed_is_the_fewest_that_agree_if_all_comply(tolerance, rate):
    row = claim(tolerance=tolerance)
    enough = needed(row, POINT, rate)
    assert of(enough, enough, row, rate).outcome == "agrees"
    assert of(enough, enough, row, rate).needed == enough
    assert enough == 1 or of(enough - 1, enough - 1, row, rate).outcome == "blunt"


def test_twenty_networks_that_all_comply_are_enough():
    assert of(20, 20, alpha=1e-6).outcome == "agrees"


def test_a_coin_is_wronged_less_often_than_alpha():
    for draws in (1, 5, 6, 20, 61):
        wronged = [complying for complying in range(draws + 1) if of(complying, draws).outcome == "disagrees"]
        assert binom.pmf(wronged, draws, 0.5).sum() <= RATE / 2
        assert 0 < band(draws, RATE) <= 0.5


def test_what_is_short_by_the_tolerance_agrees_less_often_than_alpha():
    for draws in (5, 50, 118):
        agreeing = [complying for complying in range(draws + 1) if of(complying, draws).outcome == "agrees"]
        assert binom.pmf(agreeing, draws, 0.4).sum() <= RATE / 2


def test_a_tie_complies():
    assert found(claim(), left=np.ones(20), right=np.ones(20)).outcome == "agrees"


def test_a_draw_complies_in_all_its_entries():
    left = np.zeros((20, 3))
    left[:, 1] = 2
    assert found(claim(), left=left, right=np.ones((20, 3))).outcome == "disagrees"
    assert found(claim(), left=left, right=np.full((20, 3), 2)).outcome == "agrees"


def test_a_draw_without_a_number_is_left_out():
    left, right = np.zeros((24, 2)), np.ones((24, 2))
    left[:3, 0], right[3, 1] = np.nan, np.nan
    verdict = found(claim(), left=left, right=right)
    assert verdict.samples == 20
    assert verdict.outcome == "agrees"


@pytest.mark.parametrize(
    "theory", [lambda left, right: Sides(left[:0], right[:0]), lambda left, right: Sides(left * np.nan, right)]
)
def test_no_draw_is_blunt(theory):
    row = claim(theory, decoys=(Decoy("the same of none", lambda left: Sides(left * np.nan, left)),))
    evidence = records(left=np.zeros(20), right=np.ones(20))
    verdict = reject_decoys(row, judge(row, POINT, "trained", evidence, RATE), evidence)
    assert verdict.outcome == "blunt"
    assert verdict.samples == 0
    assert (verdict.gap, verdict.band, verdict.resolution) == (0.0, 0.5, 0.5)
    assert verdict.needed == math.ceil(math.log(RATE / 2) / math.log(0.4))
    assert not verdict.rejected


def test_it_may_speak_of_pairs_of_draws():
    def concordant(left, right):
        return Sides(0.0, np.diff(left.reshape(-1, 2))[:, 0] * np.diff(right.reshape(-1, 2))[:, 0])

    left = np.random.default_rng(0).standard_normal(40)
    verdict = found(claim(concordant), left=left, right=left**3)
    assert verdict.samples == 20
    assert verdict.outcome == "agrees"
    assert found(claim(concordant), left=left, right=-left).outcome == "disagrees"


def test_decoys_are_rejected_where_they_are_wrong_in_most_draws():
    decoys = (
        Decoy("the other way round", lambda left, right: Sides(right, left)),
        Decoy("the same once more", lambda left, right: Sides(left, right)),
        Decoy("elsewhere", lambda left, right: Sides(right, left), where=lambda n: n > 3),
    )
    row = claim(decoys=decoys)
    evidence = records(left=np.zeros(20), right=np.ones(20))
    verdict = reject_decoys(row, judge(row, POINT, "trained", evidence, RATE), evidence)
    assert verdict.visible == ("the other way round", "the same once more")
    assert verdict.rejected == ("the other way round",)


@pytest.mark.parametrize("tolerance", [0.0, 0.5, 2.0, math.nan])
def test_its_tolerance_leaves_a_share_to_rule_out(tolerance):
    with pytest.raises(ValueError, match="the tolerance of a majority must lie between 0 and 1/2"):
        claim(tolerance=tolerance)
