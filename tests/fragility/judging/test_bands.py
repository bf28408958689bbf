"""Bands hold at their rate and see what they promise to see; both are counted, with exact intervals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr

from fragility.judging.bands import Catoni, Dkw, clopper_pearson, spend
from fragility.judging.evidence import sup_distance

REPEATS = 2000
RATE = 0.05
BANDS = [Dkw(), Catoni(1.0), Catoni(7.0)]


@pytest.mark.parametrize("band", BANDS, ids=str)
class TestBand:
    def test_needed_is_the_fewest(self, band):
        for tolerance in (0.02, 0.1, 0.4):
            enough = band.needed(tolerance, 0.01, 0.05)
            assert band.resolution(enough, 0.01, 0.05) <= tolerance < band.resolution(enough - 1, 0.01, 0.05)

    def test_more_draws_and_more_error_narrow_it(self, band):
        assert band.band(2000, 0.01) < band.band(1000, 0.01)
        assert band.band(1000, 0.05) < band.band(1000, 0.01)
        assert band.band(1000, 0.01) < band.resolution(1000, 0.01, 0.05)

    def test_no_draws_tell_nothing(self, band):
        assert band.band(0, 0.01) == math.inf
        assert band.resolution(1, 1e-6, 0.05) >= 1


def alarms(gaps, band):
    return sum(gap > band for gap in gaps)


def test_dkw_raises_false_alarms_at_most_at_its_rate(error_rate):
    generator, draws = np.random.default_rng(11), 200
    found = alarms((sup_distance(generator.random(draws)) for _ in range(REPEATS)), Dkw().band(draws, RATE))
    assert clopper_pearson(found, REPEATS, error_rate)[0] <= RATE


def test_dkw_sees_a_gap_of_its_resolution(error_rate):
    generator, draws = np.random.default_rng(12), 200
    gap = Dkw().resolution(draws, RATE, RATE)
    # The uniform law with the mass between 1/2 and 1/2 + gap moved to 1/2: sup-distance `gap` from uniform.
    values = generator.random((REPEATS, draws))
    values[(values > 0.5) & (values < 0.5 + gap)] = 0.5
    found = alarms((sup_distance(row) for row in values), Dkw().band(draws, RATE))
    assert clopper_pearson(found, REPEATS, error_rate)[1] >= 1 - RATE


@pytest.mark.parametrize(
    ("name", "draw", "mean", "sd"),
    [
        ("normal", lambda g, size: g.standard_normal(size), 0.0, 1.0),
        ("log-normal", lambda g, size: np.exp(g.standard_normal(size)), math.exp(0.5), math.sqrt(math.e**2 - math.e)),
        ("two points, one rare", lambda g, size: 100.0 * (g.random(size) < 0.001), 0.1, 100 * math.sqrt(0.001 * 0.999)),
    ],
)
def test_catoni_holds_at_its_rate_whatever_the_tails_and_sees_its_resolution(name, draw, mean, sd, error_rate):
    generator, draws, band = np.random.default_rng(13), 60, Catoni(sd)
    estimates = np.array([band.estimate(draw(generator, draws), RATE) for _ in range(REPEATS)])
    false = alarms(np.abs(estimates - mean), band.band(draws, RATE))
    assert clopper_pearson(false, REPEATS, error_rate)[0] <= RATE
    shifted = mean + band.resolution(draws, RATE, RATE)
    seen = alarms(np.abs(estimates - shifted), band.band(draws, RATE))
    assert clopper_pearson(seen, REPEATS, error_rate)[1] >= 1 - RATE


def test_catoni_needs_a_few_draws_before_it_speaks():
    assert math.isnan(Catoni(1.0).estimate(np.ones(5), 0.01))
    assert Catoni(1.0).estimate(np.full(50, 3.0), 0.01) == 3.0


@given(st.integers(1, 60), st.data())
def test_clopper_pearson_covers_exactly(samples, data):
    """Its ends are where the binomial tails are alpha / 2."""
    successes = data.draw(st.integers(0, samples))
    low, high = clopper_pearson(successes, samples, 0.05)
    assert 0 <= low <= successes / samples <= high <= 1
    if successes:
        assert 1 - bdtr(successes - 1, samples, low) == pytest.approx(0.025, rel=1e-6)
    if successes < samples:
        assert bdtr(successes, samples, high) == pytest.approx(0.025, rel=1e-6)


def test_clopper_pearson_oracle():
    assert clopper_pearson(7, 20, 0.05) == pytest.approx((0.1539092047, 0.5921885328), rel=1e-8)
    with pytest.raises(ValueError, match="got 3 of 2"):
        clopper_pearson(3, 2, 0.05)


def test_looks_spend_no_more_than_there_is():
    assert sum(spend(0.05, look) for look in range(1, 10_000)) < 0.05
    assert spend(0.05, 1) == 0.025


def test_sup_distance_sees_both_sides_of_a_step():
    assert sup_distance(np.array([0.5])) == 0.5
    assert sup_distance(np.array([0.9])) == 0.9
    assert sup_distance(np.array([0.1])) == 0.9
    assert sup_distance((np.arange(10) + 0.5) / 10) == pytest.approx(0.05)
