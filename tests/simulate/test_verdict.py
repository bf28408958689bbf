"""Verdicts: right laws rarely disagree, gaps of the tolerance are found, too few draws are called blunt."""

import numpy as np
import pytest
from scipy import stats

from simulate.bands import clopper_pearson
from simulate.engine.records import counted_table, raw_table
from simulate.evidence import Evidence, sup_distance
from simulate.verdict import difference, judge, needed, reject_decoys
from theory.claim import Claim, Decoy, Moment

POINT = {"n": 1}
RATE = 0.05
REPEATS = 400


def normal_claim(tolerance=0.1, **changes):
    fields = dict(
        id="test.normal", source="a test", says="x ~ N(0, 1)", kind="law", theory=lambda **_: stats.norm(),
        statistic="x", study="none", tolerance=tolerance,
    )  # fmt: skip
    return Claim(**{**fields, **changes})


def verdict(claim, values, alpha=RATE):
    return judge(claim, POINT, "made up", Evidence([raw_table({"x": values})]), alpha)


def test_enough_draws_of_the_right_law_agree():
    claim = normal_claim()
    enough = needed(claim, POINT, RATE)
    found = verdict(claim, np.random.default_rng(0).standard_normal(enough))
    assert found.outcome == "agrees"
    assert found.gap <= found.band < found.resolution <= claim.tolerance
    assert found.samples == found.needed == enough


def test_too_few_draws_are_blunt_and_say_how_many_would_do():
    claim = normal_claim()
    found = verdict(claim, np.random.default_rng(0).standard_normal(50))
    assert found.outcome == "blunt"
    assert found.resolution > claim.tolerance
    assert found.needed > 50


def test_another_law_disagrees():
    assert verdict(normal_claim(), 1 + np.random.default_rng(0).standard_normal(500)).outcome == "disagrees"


def test_a_nan_is_no_agreement():
    values = np.random.default_rng(0).standard_normal(5000)
    values[7] = np.nan
    assert verdict(normal_claim(), values).outcome == "disagrees"
    assert verdict(normal_claim(theory=lambda **_: stats.norm(np.nan)), values[8:]).outcome == "disagrees"


def test_false_alarms_are_rarer_than_alpha(alpha):
    generator, claim = np.random.default_rng(1), normal_claim()
    enough = needed(claim, POINT, RATE)
    false = sum(verdict(claim, generator.standard_normal(enough)).outcome == "disagrees" for _ in range(REPEATS))
    assert clopper_pearson(false, REPEATS, alpha)[0] <= RATE


def test_a_gap_of_the_tolerance_is_found_with_the_stated_power(alpha):
    generator, claim = np.random.default_rng(2), normal_claim()
    enough = needed(claim, POINT, RATE)
    shift = 2 * stats.norm.ppf(0.5 + claim.tolerance / 2)  # sup|Phi(x - shift) - Phi(x)| is the tolerance
    found = sum(
        verdict(claim, shift + generator.standard_normal(enough)).outcome == "disagrees" for _ in range(REPEATS)
    )
    assert clopper_pearson(found, REPEATS, alpha)[1] >= 0.95


def test_columns_are_pooled():
    claim = normal_claim(theory=lambda **_: (stats.norm(), stats.norm(scale=3)))
    values = np.random.default_rng(3).standard_normal((200, 2)) * [1, 3]
    assert verdict(claim, values).band == verdict(normal_claim(), values.ravel()).band
    assert verdict(claim, values).outcome != "disagrees"
    assert verdict(claim, values[:, ::-1]).outcome == "disagrees"
    assert needed(claim, POINT, RATE) == -(-needed(normal_claim(), POINT, RATE) // 2)


def test_a_moment_is_judged_by_its_mean():
    claim = normal_claim(kind="moment", theory=lambda **_: Moment(lambda x: x**2, 1.0, np.sqrt(2)), tolerance=0.3)
    values = np.random.default_rng(4).standard_normal(needed(claim, POINT, RATE))
    assert verdict(claim, values).outcome == "agrees"
    assert verdict(claim, 1.5 * values).outcome == "disagrees"
    assert verdict(claim, values[:5]).outcome == "blunt"


def test_counts_judge_as_values_do():
    law = stats.chi(2)
    claim = normal_claim(theory=lambda **_: law)
    values = law.rvs(5000, random_state=np.random.default_rng(5))
    by_values = verdict(claim, values)
    by_counts = judge(claim, POINT, "made up", Evidence([counted_table([{"x": values}])]), RATE)
    assert by_counts.samples == 5000
    assert by_counts.gap == pytest.approx(by_values.gap, abs=3e-4)
    assert by_counts.resolution > by_values.resolution  # the grid hides a little


def test_decoys_that_are_large_enough_are_put_to_the_same_draws():
    decoys = (
        Decoy("shifted", lambda **_: stats.norm(1)),
        Decoy("shifted by next to nothing", lambda **_: stats.norm(1e-4)),
        Decoy("never", lambda **_: stats.norm(5), where=lambda **_: False),
    )
    claim = normal_claim(decoys=decoys)
    evidence = Evidence([raw_table({"x": np.random.default_rng(6).standard_normal(2000)})])
    found = reject_decoys(claim, judge(claim, POINT, "made up", evidence, RATE), evidence)
    assert found.visible == found.rejected == ("shifted",)


def test_moments_of_the_same_number_differ_by_their_means():
    def square(x):
        return x**2

    assert difference(Moment(square, 1.0, 1.4), Moment(square, 1.25, 1.4)) == 0.25
    assert difference(Moment(square, 1.0, 1.4), Moment(np.abs, 1.0, 1.4)) == np.inf


def test_sup_distance_sees_both_sides_of_a_step():
    assert sup_distance(np.array([0.5])) == 0.5
    assert sup_distance(np.array([0.9])) == 0.9
    assert sup_distance(np.array([0.1])) == 0.9
    assert sup_distance((np.arange(10) + 0.5) / 10) == pytest.approx(0.05)
