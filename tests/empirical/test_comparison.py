"""Printed, predicted, measured: intervals that cover, tables that say what they have."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.comparison import Comparison, Listing, Row, document, mean, median, quantile, share, text

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30)


def covering(interval, truth, draw, repeats=400):
    """How many of the intervals made of fresh draws hold the truth."""
    found = [interval(draw()) for _ in range(repeats)]
    return sum(estimate.low <= truth <= estimate.high for estimate in found), repeats


def test_student_covers_the_mean_of_few_normals(alpha):
    rng = np.random.default_rng(0)
    hits, repeats = covering(mean, 3.0, lambda: rng.normal(3, 2, 5))
    assert share(np.arange(repeats) < hits, 1 - alpha).low <= 0.95 <= share(np.arange(repeats) < hits, 1 - alpha).high


def test_order_statistics_cover_the_median_of_a_skew_law_at_least_as_often_as_they_say(alpha):
    rng = np.random.default_rng(1)
    hits, repeats = covering(median, math.log(2), lambda: rng.exponential(size=20))
    assert share(np.arange(repeats) < hits, 1 - alpha).high >= 0.95


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
    assert mean([0.3]).low == -math.inf
    assert "too few" in text(Comparison("t", [Row("x", mean([0.3]))]))


TABLE = Comparison(
    "Table 2",
    [Row("mean fraction", mean([0.2, 0.3, 0.4]), printed=0.328, predicted=0.2352), Row("other", None)],
    ["a note"],
    unit="runs",
)


def test_a_comparison_shows_the_columns_that_have_something_in_them():
    lines = text(TABLE).splitlines()
    assert lines[0] == "Table 2"
    assert lines[2].split() == ["quantity", "printed", "predicted", "measured", "95", "%", "interval", "runs"]
    assert "0.3280" in lines[4]
    assert "0.2352" in lines[4]
    assert lines[-1] == "a note"


def test_a_column_without_an_entry_is_left_out():
    assert "printed" not in text(Comparison("t", [Row("x", mean([1.0, 2.0]))]))


def test_a_listing_has_a_row_per_run():
    lines = text(Listing("Table 1", ("run", "fraction", "valid"), [("1", 0.148, 1), ("2", math.nan, 0)])).splitlines()
    assert lines[4].split() == ["1", "0.1480", "1"]
    assert lines[5].split() == ["2", "-", "0"]


def test_a_listing_may_be_empty():
    assert text(Listing("Left out", ("reason", "images"), [])).splitlines()[2].split() == ["reason", "images"]


def test_the_document_has_every_number():
    (first, other) = json.loads(json.dumps(document(TABLE)))["rows"]
    assert first["printed"] == 0.328
    assert first["measured"] == pytest.approx(0.3)
    assert first["runs"] == 3
    assert first["interval"][0] < 0.3 < first["interval"][1]
    assert other["measured"] is None
