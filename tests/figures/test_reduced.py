"""What many networks come to before they are drawn, and pictures as text."""

import numpy as np
import pytest
from scipy import stats

from figures.shared.pixels import packed
from figures.shared.reduced import few, means, of_all, ranges


def test_means_are_students_place_by_place():
    values = np.random.default_rng(0).random((5, 2, 3))
    found = means(values)
    half = stats.t.ppf(0.975, 4) * values.std(axis=0, ddof=1) / 5**0.5
    np.testing.assert_allclose(found.value, values.mean(axis=0))
    np.testing.assert_allclose(found.low, values.mean(axis=0) - half)
    np.testing.assert_allclose(found.high, values.mean(axis=0) + half)
    np.testing.assert_array_equal(found[1].value, found.value[1])


def test_ranges_are_medians_and_ends_place_by_place():
    found = ranges(np.array([[3.0, np.nan], [1.0, 2.0], [2.0, 5.0], [9.0, 0.0]]))
    np.testing.assert_array_equal(found.middle, [2.5, np.nan])
    np.testing.assert_array_equal(found.low, [1, np.nan])
    np.testing.assert_array_equal(found.high, [9, np.nan])
    assert found[0].high == 9


def test_intervals_stay_within_what_there_can_be():
    found = means(np.array([[0.9], [1.0]]), (0.0, 1.0))
    assert found.high == 1
    assert found.low >= 0


@pytest.mark.parametrize("values", [[[0.3]], [[0.3], [np.nan]]])
def test_one_network_has_no_interval(values):
    found = means(np.array(values))
    assert found.value == 0.3
    assert np.isnan([found.low, found.high]).all()


def test_what_is_infinite_has_no_interval_and_nothing_no_mean():
    found = means(np.array([[1.0, np.nan], [np.inf, np.nan]]))
    np.testing.assert_array_equal(found.value, [np.inf, np.nan])
    assert np.isnan([found.low, found.high]).all()


def test_a_few_of_many_are_evenly_spaced_from_the_first_to_the_last():
    np.testing.assert_array_equal(few(5, 9), range(5))
    np.testing.assert_array_equal(few(9, 5), [0, 2, 4, 6, 8])
    assert len(few(0)) == 0
    assert len(few(100_001)) == 400
    assert of_all(5, 5, "inputs") == "all 5 inputs"
    assert of_all(400, 1001, "inputs").startswith("400 of 1,001 inputs")


def test_pictures_come_back_from_text_to_a_level():
    values = np.random.default_rng(0).uniform(-0.3, 0.3, (2, 3, 9))
    made = packed(values, -0.3, 0.3)
    assert len(made.rows) == 6
    assert {len(row) for row in made.rows} == {9}
    np.testing.assert_allclose(made.values, values.reshape(6, 9), atol=0.6 / 62 / 2 + 1e-9)


def test_pictures_are_cut_off_at_their_ends_and_nothing_stays_nothing():
    (row,) = packed(np.array([[-1.0, 0.0, 1.0, 2.0, np.nan]])).values
    np.testing.assert_array_equal(row, [0, 0, 1, 1, np.nan])
    np.testing.assert_array_equal(packed(np.zeros((1, 2)), -0.7, 0.7).values, 0)
