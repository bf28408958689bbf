"""Laws: right ones rarely disagree, gaps of the tolerance are found, too few draws are called blunt."""

import numpy as np
import pytest
from scipy import stats

from fragility.claim import Claim, Decoy
from fragility.engine.records import counted_table, raw_table
from fragility.judging.bands import clopper_pearson
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, needed, reject_decoys
from fragility.judging.kinds.law import difference

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
    assert found.gap <= found.band < found.resolution <= found.wanted == found.tolerance == claim.tolerance
    assert found.seen == f"{found.resolution:.2g}"
    assert found.samples == found.needed == enough


def test_too_few_draws_are_blunt_and_say_how_many_would_do():
    claim = normal_claim()
    found = verdict(claim, np.random.default_rng(0).standard_normal(50))
    assert found.outcome == "blunt"
    assert found.resolution > claim.tolerance
    assert found.needed > 50


def test_another_law_disagrees():
    assert verdict(normal_claim(), 1 + np.random.default_rng(0).standard_normal(500)).outcome == "disagrees"


def test_a_nan_is_no_verdict_and_says_whose_it_is():
    values = np.random.default_rng(0).standard_normal(5000)
    values[7] = np.nan
    seen = verdict(normal_claim(), values)
    assert (seen.outcome, seen.fault) == ("faulty", "1 of 5,000 draws has no number for x")
    seen = verdict(normal_claim(theory=lambda **_: stats.norm(np.nan)), values[8:])
    assert (seen.outcome, seen.fault) == ("faulty", "the theory, put to the draws, has no number for x")
    counted = Evidence([counted_table([{"x": np.abs(values)}])])
    assert judge(normal_claim(), POINT, "made up", counted, RATE).outcome == "faulty"


class Careless:
    """The uniform law, which takes a NaN for 0."""

    def cdf(self, x):
        return np.nan_to_num(np.clip(x, 0, 1))


@pytest.mark.parametrize("make", [raw_table, lambda columns: counted_table([columns])])
def test_a_nan_is_no_verdict_whatever_the_law_makes_of_it(make):
    values = np.random.default_rng(0).uniform(size=5000)
    values[7] = np.nan
    seen = judge(normal_claim(theory=lambda **_: Careless()), POINT, "made up", Evidence([make({"x": values})]), RATE)
    assert (seen.outcome, seen.fault) == ("faulty", "1 of 5,000 draws has no number for x")


def test_what_a_law_is_conditional_on_leaves_draws_out():
    values = np.random.default_rng(0).standard_normal(5000)
    values[:10] = np.nan
    seen = verdict(normal_claim(given="the network is alive"), values)
    assert (seen.outcome, seen.samples) == ("agrees", 4990)
    assert verdict(normal_claim(given="the network is alive"), values[:10]).outcome == "blunt"


def test_false_alarms_are_rarer_than_alpha(error_rate):
    generator, claim = np.random.default_rng(1), normal_claim()
    enough = needed(claim, POINT, RATE)
    false = sum(verdict(claim, generator.standard_normal(enough)).outcome == "disagrees" for _ in range(REPEATS))
    assert clopper_pearson(false, REPEATS, error_rate)[0] <= RATE


def test_a_gap_of_the_tolerance_is_found_with_the_stated_power(error_rate):
    generator, claim = np.random.default_rng(2), normal_claim()
    enough = needed(claim, POINT, RATE)
    shift = 2 * stats.norm.ppf(0.5 + claim.tolerance / 2)  # sup|Phi(x - shift) - Phi(x)| is the tolerance
    found = sum(
        verdict(claim, shift + generator.standard_normal(enough)).outcome == "disagrees" for _ in range(REPEATS)
    )
    assert clopper_pearson(found, REPEATS, error_rate)[1] >= 0.95


def test_columns_are_pooled():
    claim = normal_claim(theory=lambda **_: (stats.norm(), stats.norm(scale=3)))
    values = np.random.default_rng(3).standard_normal((200, 2)) * [1, 3]
    assert verdict(claim, values).band == verdict(normal_claim(), values.ravel()).band
    assert verdict(claim, values).outcome != "disagrees"
    assert verdict(claim, values[:, ::-1]).outcome == "disagrees"
    assert needed(claim, POINT, RATE) == -(-needed(normal_claim(), POINT, RATE) // 2)


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


def test_laws_differ_by_what_their_distribution_functions_do():
    assert difference(stats.norm(), stats.norm()) == pytest.approx(0)
    assert difference(stats.norm(), stats.norm(1)) == pytest.approx(2 * stats.norm.cdf(0.5) - 1, abs=1e-3)
    halves = (stats.norm(), stats.norm(scale=3)), (stats.norm(1), stats.norm(scale=3))
    assert difference(*halves) < 0.6 * difference(stats.norm(), stats.norm(1))
