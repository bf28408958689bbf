"""Printed numbers: one more draw is seldom wronged, one far off is seen, and what nobody can know is blunt."""

import math

import numpy as np
import pytest
from scipy import stats

from fragility.claim import Claim, Decoy, Reported
from fragility.engine.records import raw_table
from fragility.judging.bands import clopper_pearson
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, needed, reject_decoys
from fragility.judging.kinds.reported import difference

POINT = {"n": 3}
RATE = 0.05
REPEATS = 2000


def claim(reported, tolerance=10.0, decoys=()):
    return Claim(
        id="test", source="s", says="x", kind="reported", theory=lambda **_: reported, tolerance=tolerance,
        study="own", statistic="x", decoys=decoys,
    )  # fmt: skip


def found(reported, values, tolerance=10.0, decoys=(), alpha=RATE):
    row, evidence = claim(reported, tolerance, decoys), Evidence([raw_table({"x": np.asarray(values, float)})])
    return reject_decoys(row, judge(row, POINT, "trained", evidence, alpha), evidence)


def test_its_band_is_the_interval_of_one_more_draw():
    """By hand: mean 3, s^2 = 2.5, the quantile 2.7764451 of Student's law with 4 degrees of freedom."""
    half = 2.7764451 * math.sqrt(2.5 * 1.2)
    for printed, outcome in (
        (3 + half - 1e-5, "agrees"),
        (3 + half + 1e-5, "disagrees"),
        (3 - half - 1e-5, "disagrees"),
    ):
        verdict = found(Reported(printed), [1, 2, 3, 4, 5])
        assert verdict.outcome == outcome
        assert verdict.gap == pytest.approx(abs(printed - 3))
        assert verdict.band == verdict.resolution == pytest.approx(half)
        assert verdict.samples == 5
        assert verdict.unit == "printed"


@pytest.mark.parametrize("mean_of", [1, 4, 18])
def test_the_band_of_a_mean_in_print_is_the_interval_of_a_mean_of_as_many_more(mean_of):
    """By hand, of the same draws: the variance of such a mean less that of theirs is s^2 (1 / m + 1 / 5)."""
    half = 2.7764451 * math.sqrt(2.5 * (1 / mean_of + 0.2))
    for printed, outcome in ((3 + half - 1e-5, "agrees"), (3 + half + 1e-5, "disagrees")):
        verdict = found(Reported(printed, mean_of=mean_of), [1, 2, 3, 4, 5])
        assert verdict.outcome == outcome
        assert verdict.band == verdict.resolution == pytest.approx(half)


def test_one_more_draw_and_a_mean_of_several_are_wronged_at_the_rate(error_rate):
    draws = np.random.default_rng(21).standard_normal((REPEATS, 8, 2)) * [1, 100]
    wronged = sum(
        found(Reported(np.mean(one[:several], axis=0), mean_of=several), one[3:], 1e9).outcome == "disagrees"
        for k, one in enumerate(draws)
        for several in [1 + k % 3]
    )
    low, high = clopper_pearson(wronged, REPEATS, error_rate)
    assert low <= RATE
    assert high >= 1 - (1 - RATE / 2) ** 2  # the entries are independent, and exact each


def test_too_wide_an_interval_is_blunt_and_says_how_many_draws_would_do():
    values = np.random.default_rng(22).standard_normal(10)
    tolerance = 2.2 * np.std(values, ddof=1)
    verdict = found(Reported(0.0), values, tolerance)
    assert verdict.outcome == "blunt"
    assert verdict.resolution > verdict.wanted == tolerance

    def half(n):
        return stats.t.isf(RATE / 2, n - 1) * np.std(values, ddof=1) * math.sqrt(1 + 1 / n)

    assert half(verdict.needed) <= tolerance < half(verdict.needed - 1)


def test_a_mean_of_several_needs_fewer_draws():
    values = np.random.default_rng(22).standard_normal(10)
    tolerance = 0.9 * np.std(values, ddof=1)
    assert found(Reported(0.0), values, tolerance).needed == 0

    def half(n):
        return stats.t.isf(RATE / 2, n - 1) * np.std(values, ddof=1) * math.sqrt(1 / 6 + 1 / n)

    needed = found(Reported(0.0, mean_of=6), values, tolerance).needed
    assert half(needed) <= tolerance < half(needed - 1)


def test_a_spread_beyond_the_tolerance_is_blunt_for_ever():
    verdict = found(Reported(0.0), [-1, 0, 1, 2], tolerance=0.1)
    assert verdict.outcome == "blunt"
    assert verdict.needed == 0


@pytest.mark.parametrize("values", [np.zeros(0), [7.0], [7.0, np.nan, np.nan], [7.0, 8.0, np.inf]])
def test_what_shows_no_spread_is_blunt(values):
    verdict = found(Reported(1e9), values)
    assert verdict.outcome == "blunt"
    assert verdict.band == verdict.resolution == math.inf
    assert verdict.samples == np.count_nonzero(~np.isnan(values))
    assert verdict.needed == needed(claim(Reported(1e9)), POINT, RATE)


@pytest.mark.parametrize(("printed", "outcome"), [(0.1, "agrees"), (0.119, "agrees"), (0.121, "disagrees")])
def test_draws_that_are_all_alike_are_given_the_tolerance(printed, outcome):
    """Though the mean of three times 0.1 is not 0.1."""
    verdict = found(Reported(printed), [0.1, 0.1, 0.1], tolerance=0.02)
    assert verdict.outcome == outcome
    assert verdict.band == verdict.resolution == 0.02


def test_entries_share_the_error_rate_and_one_that_does_not_fit_is_enough():
    values = np.random.default_rng(23).standard_normal((20, 2, 3)) + 5
    printed = np.full((2, 3), 5.0)
    half = stats.t.isf(RATE / 12, 19) * np.std(values, axis=0, ddof=1) * math.sqrt(1.05)
    verdict = found(Reported(printed), values)
    assert verdict.outcome == "agrees"
    assert verdict.resolution == pytest.approx(half.max())
    printed[1, 2] = np.mean(values[:, 1, 2]) - 1.01 * half[1, 2]
    verdict = found(Reported(printed), values)
    assert verdict.outcome == "disagrees"
    assert (verdict.gap, verdict.band) == pytest.approx((1.01 * half[1, 2], half[1, 2]))


def test_what_is_not_printed_and_what_was_not_measured_is_left_out():
    values = np.tile(np.arange(5.0)[:, None], 3)
    values[0, 1] = np.nan
    values[:, 2] = 1e6
    verdict = found(Reported(np.array([2.0, 2.5, np.nan])), values)
    half = stats.t.isf(RATE / 4, [4, 3]) * np.std(values[1:, 0], ddof=1) * math.sqrt(1.25)
    assert verdict.outcome == "agrees"
    assert verdict.samples == 4
    assert verdict.resolution == pytest.approx(max(half[1], stats.t.isf(RATE / 4, 4) * math.sqrt(2.5 * 1.2)))
    assert found(Reported(np.full(3, np.nan)), values).outcome == "blunt"


def test_an_entry_without_a_spread_hides_no_other():
    values = np.arange(10.0).reshape(5, 2)
    values[1:, 0] = np.nan
    assert found(Reported(np.array([0.0, 5.0])), values).outcome == "blunt"
    assert found(Reported(np.array([0.0, 500.0])), values).outcome == "disagrees"


def test_a_printed_number_may_be_of_several_that_were_recorded():
    values = np.random.default_rng(24).uniform(1, 2, (20, 2))
    ratio = 100 * (values[:, 1] / values[:, 0] - 1)

    def gain(columns):
        return 100 * (columns[:, 1] / columns[:, 0] - 1)

    assert found(Reported(5.0, per_draw=gain), values, 1e3) == found(Reported(5.0), ratio, 1e3)


def test_a_printed_number_may_be_of_several_statistics_and_of_some_of_the_draws():
    rng = np.random.default_rng(26)
    columns = {"x": rng.uniform(1, 2, 20), "y": rng.uniform(1, 2, 20), "chosen": np.arange(20.0) % 2}

    def chosen_ratio(x, y, chosen):
        return np.where(chosen == 1, x / y, np.nan)

    row = claim(Reported(1.0, per_draw=chosen_ratio, also=("y", "chosen")), 1e3)
    assert row.columns == ("x", "y", "chosen")
    verdict = judge(row, POINT, "trained", Evidence([raw_table(columns)]), RATE)
    assert verdict == found(Reported(1.0), (columns["x"] / columns["y"])[1::2], 1e3)
    assert verdict.samples == 10


def test_both_are_compared_on_the_scale_of_the_row():
    values = 10 ** np.random.default_rng(25).standard_normal(20)
    verdict = found(Reported(1e3, scale=np.log10), values)
    assert verdict == found(Reported(3.0), np.log10(values))
    assert verdict.gap == pytest.approx(3 - np.mean(np.log10(values)))
    assert found(Reported(1.0, scale=np.log10), [0.0, *values]).outcome == "blunt"


def test_a_shape_that_does_not_fit_is_one_line():
    with pytest.raises(ValueError, match=r"a draw of x must have shape \(2,\), got \(3,\)"):
        found(Reported(np.zeros(2)), np.zeros((4, 3)))


def test_decoys_that_are_large_enough_are_put_to_the_same_draws():
    decoys = (
        Decoy("far", lambda **_: Reported(50.0)),
        Decoy("far enough to be shown", lambda **_: Reported(6.5)),
        Decoy("near", lambda **_: Reported(3.1)),
    )
    verdict = found(Reported(3.0), [1, 2, 3, 4, 5], 3.0, decoys)
    assert verdict.visible == ("far", "far enough to be shown")
    assert verdict.rejected == ("far",)


def test_printed_numbers_differ_by_their_largest_difference_on_one_scale():
    one = Reported(np.array([1.0, 10.0, np.nan]), scale=np.log10)
    assert difference(one, one) == 0
    assert difference(one, Reported(np.array([2.0, 1000.0, np.nan]), scale=np.log10)) == pytest.approx(2)
    assert difference(one, Reported(np.array([1.0, 10.0, 10.0]), scale=np.log10)) == math.inf
    assert difference(one, Reported(np.array([1.0, 10.0, np.nan]))) == math.inf
    assert difference(one, Reported(1.0, scale=np.log10)) == math.inf
    assert difference(Reported(1.0), Reported(3.5)) == 2.5
    assert difference(Reported(1.0), Reported(1.0, mean_of=2)) == math.inf
    assert difference(Reported(1.0), Reported(1.0, also=("y",))) == math.inf
    assert difference(Reported(1.0), Reported(1.0, predicted=2.0)) == 0
