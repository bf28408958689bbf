"""Estimates: intervals that cover, and do not leave the bounds of what they are about."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fragility.judging.estimates import COSINE, SHARE, mean, median, quantile, rank_correlation, share
from fragility.tables import Interval

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30)


def covering(interval, truth, draw, repeats=400):
    """How many of the intervals made of fresh draws hold the truth."""
    found = [interval(draw()) for _ in range(repeats)]
    return sum(estimate.low <= truth <= estimate.high for estimate in found), repeats


def test_student_covers_the_mean_of_few_normals(error_rate):
    rng = np.random.default_rng(0)
    hits, repeats = covering(mean, 3.0, lambda: rng.normal(3, 2, 5))
    seen = share(np.arange(repeats) < hits, 1 - error_rate)
    assert seen.low <= 0.95 <= seen.high


def test_order_statistics_cover_the_median_of_a_skew_law_at_least_as_often_as_they_say(error_rate):
    rng = np.random.default_rng(1)
    hits, repeats = covering(median, math.log(2), lambda: rng.exponential(size=20))
    assert share(np.arange(repeats) < hits, 1 - error_rate).high >= 0.95


@given(VALUES)
def test_a_mean_lies_within_its_interval_and_a_surer_one_is_wider(values):
    found, surer = mean(values), mean(values, 0.99)
    assert found.low <= found.value <= found.high
    assert surer.low <= found.low
    assert found.high <= surer.high
    assert found.n == len(values)


@given(VALUES, st.floats(0.1, 0.9))
def test_a_quantile_lies_within_its_interval(values, level):
    found = quantile(values, level)
    assert found.low <= found.value <= found.high


def test_numbers_that_do_not_exist_are_left_out_and_counted_out():
    assert mean([1.0, math.nan, 3.0]).value == 2
    assert mean([1.0, math.nan, 3.0]).n == 2
    assert share([1.0, math.nan, 0.0, 1.0]).value == pytest.approx(2 / 3)


@pytest.mark.parametrize("estimate", [mean, median, share])
def test_of_nothing_nothing_is_known(estimate):
    found = estimate([])
    assert math.isnan(found.value)
    assert found.n == 0
    assert found.low < found.high


def test_one_value_has_no_interval():
    assert mean([0.3], within=SHARE).interval == Interval(-math.inf, math.inf, 1)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_an_interval_ends_where_there_can_be_no_value(values):
    free, bounded = mean(values), mean(values, within=SHARE)
    assert (bounded.value, bounded.n) == (free.value, free.n)
    assert (bounded.low, bounded.high) == (max(free.low, 0), min(free.high, 1))


def test_a_value_that_rounding_carries_across_its_bound_stays_in_its_interval():
    above = math.nextafter(1, 2)
    found = mean([above, above, above], within=COSINE)
    assert found.low <= found.value == found.high == above


def test_rank_correlations_are_scipys():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 30))
    y[3] = np.nan
    kept = np.arange(30) != 3
    found = rank_correlation(x, y)
    assert found.value == pytest.approx(stats.spearmanr(x[kept], y[kept]).statistic)
    assert found.n == 29
    assert math.isnan(rank_correlation(x, np.ones(30)).value)
    assert found.low < found.value < found.high
    assert rank_correlation(x, np.exp(x)).value == pytest.approx(1)


def test_a_partial_correlation_is_that_of_the_residuals_of_ranks():
    rng = np.random.default_rng(2)
    z = rng.standard_normal(200)
    x, y = z + 0.3 * rng.standard_normal(200), z + 0.3 * rng.standard_normal(200)
    ranks = [stats.rankdata(values) for values in (x, y, z)]
    left, right = (one - np.polyval(np.polyfit(ranks[2], one, 1), ranks[2]) for one in ranks[:2])
    found = rank_correlation(x, y, z)
    assert found.value == pytest.approx(np.corrcoef(left, right)[0, 1])
    assert rank_correlation(x, y).value > 0.8 > abs(found.value)
    assert math.isnan(rank_correlation(x, y, x).value)


def test_of_few_rows_a_correlation_has_no_interval():
    found = rank_correlation([1, 2, 3], [2, 3, 1])
    assert (found.value, found.low, found.high) == (pytest.approx(-0.5), -math.inf, math.inf)
    assert math.isnan(rank_correlation([1, 2], [2, 3]).value)


def test_fishers_interval_covers_the_rank_correlation_of_normals(error_rate):
    """Of normals with correlation r it is 6 / pi arcsin(r / 2)."""
    rng, r = np.random.default_rng(4), 0.6

    def draw():
        x, e = rng.standard_normal((2, 40))
        return x, r * x + math.sqrt(1 - r**2) * e

    hits, repeats = covering(lambda pair: rank_correlation(*pair), 6 / math.pi * math.asin(r / 2), draw)
    seen = share(np.arange(repeats) < hits, 1 - error_rate)
    assert seen.low <= 0.95 <= seen.high
