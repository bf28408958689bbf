"""Verdicts on rates: bands that cover, slopes that are right, exponents that are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fragility.claim import Claim, Decoy, Rate
from fragility.engine.records import counted_table, raw_table
from fragility.judging.bands import clopper_pearson, quantile_ranks
from fragility.judging.evidence import Evidence
from fragility.judging.kinds.rate import Slope, judge, judge_exact
from theory.claims import BOOK

SIZES = (10, 100, 1000)
ALPHA = 0.05


def rate(exponent=-0.5, **other):
    return Rate("n", exponent, sizes=SIZES, at=lambda size: {"n": size}, **other)


def claim(tolerance=0.05, **other):
    fields = dict(
        id="test.rate", source="a test", says="x ~ n^(-1/2)", kind="rate", theory=rate, statistic="x", study="none",
        tolerance=tolerance, decoys=(Decoy("a constant", lambda: rate(0.0)), Decoy("next door", lambda: rate(-0.45))),
    )  # fmt: skip
    return Claim(**{**fields, **other})


def draws(samples, slope=-0.5, seed=0, counted=False):
    generator = np.random.default_rng(seed)
    tables = {size: size**slope * np.abs(generator.standard_normal(samples)) for size in SIZES}
    make = (lambda values: counted_table([values])) if counted else raw_table
    return {size: Evidence([make({"x": values})]) for size, values in tables.items()}


class TestQuantileRanks:
    @given(st.integers(1, 2000), st.floats(0.01, 0.99), st.floats(1e-6, 0.2))
    def test_miss_with_at_most_alpha(self, samples, level, alpha):
        low, high = quantile_ranks(level, samples, alpha)
        below = stats.binom(samples, level)
        assert below.cdf(low - 1) <= alpha / 2 * (1 + 1e-9)
        assert below.sf(high - 1) <= alpha / 2 * (1 + 1e-9)
        assert 0 <= low <= high <= samples + 1

    def test_are_no_wider_than_they_must_be(self):
        low, high = quantile_ranks(0.5, 1000, ALPHA)
        below = stats.binom(1000, 0.5)
        assert below.cdf(low) > ALPHA / 2
        assert below.sf(high - 2) > ALPHA / 2


def test_quantiles_are_covered(error_rate):
    repeats, level = 400, 0.3
    generator, missed = np.random.default_rng(3), 0
    for _ in range(repeats):
        low, _, high = Evidence([raw_table({"x": generator.standard_normal(200)})]).quantile("x", level, ALPHA)
        missed += not low <= stats.norm.ppf(level) <= high
    assert clopper_pearson(missed, repeats, error_rate)[0] <= ALPHA


def test_counts_give_the_quantiles_of_the_values():
    values, counts = (draws(5000, counted=counted)[10].quantile("x", 0.5, ALPHA) for counted in (False, True))
    np.testing.assert_allclose(values, counts, rtol=1e-3)
    assert counts[0] <= values[0]
    assert counts[2] >= values[2]


def test_too_few_draws_have_no_ends():
    low, middle, high = Evidence([raw_table({"x": np.ones(3)})]).quantile("x", 0.5, 1e-6)
    assert (low, middle, high) == (-np.inf, 1, np.inf)


class TestSweep:
    def test_enough_draws_of_the_right_rate_agree(self):
        found = judge(claim(), "made up", draws(40_000), ALPHA)
        assert found.outcome == "agrees"
        assert found.resolution == found.gap + found.band <= found.wanted == found.tolerance
        assert found.unit == "gap"
        assert found.point == {"n": "10..1000"}

    def test_only_decoys_that_can_be_told_apart_count(self):
        found = judge(claim(), "made up", draws(40_000), ALPHA)
        assert found.visible == found.rejected == ("a constant",)

    def test_few_draws_are_blunt_and_ask_for_more(self):
        found = judge(claim(), "made up", draws(100), ALPHA)
        assert found.outcome == "blunt"
        assert found.needed > 100
        assert judge(claim(), "made up", draws(3), 1e-6).outcome == "blunt"

    def test_another_rate_disagrees(self):
        assert judge(claim(), "made up", draws(40_000, slope=-0.35), ALPHA).outcome == "disagrees"

    def test_values_that_are_not_positive_are_no_agreement(self):
        evidence = {size: Evidence([raw_table({"x": -np.ones(500)})]) for size in SIZES}
        assert judge(claim(), "made up", evidence, ALPHA).outcome == "faulty"

    @pytest.mark.parametrize("make", [raw_table, lambda columns: counted_table([columns])])
    def test_one_number_that_is_missing_is_no_verdict(self, make):
        values = {size: seen.values("x") for size, seen in draws(40_000).items()}
        values[SIZES[0]][7] = np.nan
        evidence = {size: Evidence([make({"x": column})]) for size, column in values.items()}
        verdict = judge(claim(), "made up", evidence, ALPHA)
        assert (verdict.outcome, verdict.fault) == ("faulty", "x is not positive at some size, or lacks a number")

    def test_the_slope_is_missed_less_often_than_alpha(self, error_rate):
        repeats = 200
        slopes = [Slope.fitted(rate(), "x", draws(200, seed=seed), ALPHA) for seed in range(repeats)]
        missed = sum(not abs(slope.value + 0.5) <= slope.band for slope in slopes)
        assert clopper_pearson(missed, repeats, error_rate)[0] <= ALPHA


@pytest.mark.parametrize("row", [row for row in BOOK if row.kind == "rate"], ids=lambda row: row.id)
def test_the_exact_law_behind_a_rate_agrees_and_rejects_the_decoys(row):
    found = judge_exact(row)
    assert found.outcome == "agrees"
    assert found.rejected == found.visible != ()


@pytest.mark.parametrize(
    "row", [row for row in BOOK if row.kind == "rate" and row.theory().sizes], ids=lambda row: row.id
)
def test_the_sizes_of_a_sweep_are_large_enough(row):
    """The exact slope over the sweep, by least squares, lies well inside the tolerance."""
    theory = row.theory()
    if theory.value is None:
        pytest.skip("no exact value")
    x = np.log(np.array(theory.sizes, dtype=float))
    y = np.log([theory.value(size) for size in theory.sizes])
    assert abs(np.polyfit(x, y, 1)[0] - theory.exponent) <= 0.6 * row.tolerance
