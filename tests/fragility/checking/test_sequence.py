"""Bets on a mean: what they pay, by hand, that they are fair, exactly, and the limits that follow."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.checking import sequence as module
from fragility.checking.sequence import BOLDEST, Chance, Range, Sequence, Spread, Tuned

SPREAD, RANGE = Spread(2.0, 0.5), Range((-0.3, 0.7), 0.1)
NORMAL = np.random.default_rng(0).standard_normal(300)
BOUNDED = np.random.default_rng(1).random(300) - 0.5


def test_what_draws_pay_of_which_the_spread_is_known():
    stake = SPREAD.stake(100, 7.0)
    assert stake == 0.5 / 4
    above, below = SPREAD.payoff(np.array([1.0, -3.0]), 0.25, 1, stake)
    cost = math.log(1 + stake**2 * 4 / 2)
    assert above == pytest.approx(math.log(1 + 0.09375 + 0.09375**2 / 2) - cost, rel=1e-12)
    assert below == pytest.approx(-math.log(1 + 0.40625 + 0.40625**2 / 2) - cost, rel=1e-12)


def test_what_draws_pay_of_which_the_range_is_known():
    assert RANGE.payoff(np.array([0.5]), 0.1, 1, 1.5)[0] == pytest.approx(math.log(1 + 1.5 * 0.4), rel=1e-12)
    assert RANGE.payoff(np.array([0.5]), 0.1, -1, 1.5)[0] == pytest.approx(math.log(1 - 1.5 * 0.4), rel=1e-12)
    ends = np.array([-0.3, 0.7])
    worst = RANGE.payoff(ends, 0.1, 1, 50.0)[0], RANGE.payoff(ends, 0.1, -1, 50.0)[1]
    assert worst == pytest.approx((math.log(1 - BOLDEST),) * 2, rel=1e-12)


def test_what_draws_in_a_range_stake():
    """For the spread of the draws so far, with room for rare ones, and at most that of a mean up to 0.1 away."""
    widest = max((m + 0.3) * (0.7 - m) for m in (-0.1, 0.0, 0.1))
    assert RANGE.sd == pytest.approx(math.sqrt(widest), rel=1e-12)
    assert RANGE.stake(0, 0.0) == pytest.approx(0.1 / (widest + 0.01), rel=1e-12)
    assert RANGE.stake(1, 0.2) == pytest.approx(0.1 / (widest + 0.01), rel=1e-12)
    spread = math.sqrt(8.0 / 800) + 1 / math.sqrt(1600)
    assert RANGE.stake(800, 8.0) == pytest.approx(0.1 / (spread**2 + 0.01), rel=1e-12)
    assert Range((0.0, 1.0), 0.1).sd == pytest.approx(0.3)  # a mean cannot lie below 0


def test_booleans_pay_the_ratio_of_two_probabilities():
    odds = Chance(0.3, 0.1)
    values = np.array([0.7, -0.3])  # True and False
    for theta, sign, fair, other in [(0.0, 1, 0.3, 0.4), (0.0, -1, 0.3, 0.2), (-0.1, 1, 0.2, 0.3), (0.1, -1, 0.4, 0.3)]:
        pays = odds.payoff(values, theta, sign, odds.stake(5, 1.0))
        assert pays == pytest.approx([math.log(other / fair), math.log((1 - other) / (1 - fair))], rel=1e-12)
        assert np.exp(pays) @ [fair, 1 - fair] == pytest.approx(1, rel=1e-12)
    assert odds.ends == (-0.3, 0.7)
    assert odds.sd == pytest.approx(math.sqrt(0.4 * 0.6))
    assert odds.payoff(values, -0.3, 1, 0.1).tolist() == [math.inf, math.log(0.9)]  # none was to be True
    assert odds.payoff(values, 0.7, -1, 0.1).tolist() == [math.log(0.9), math.inf]


def test_stakes_for_a_number_of_draws_that_is_known():
    assert Tuned(SPREAD, 50, 3.0).stake(0, 0.0) == pytest.approx(math.sqrt(2 * 3 / (50 * 4)), rel=1e-12)
    assert Tuned(RANGE, 50, 3.0).stake(0, 0.0) == pytest.approx(math.sqrt(6 / 50) / RANGE.sd, rel=1e-12)
    assert (Tuned(RANGE, 5, 1.0).sd, Tuned(RANGE, 5, 1.0).step, Tuned(RANGE, 5, 1.0).ends) == (
        RANGE.sd,
        RANGE.step,
        RANGE.ends,
    )


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("odds", "mirrored"), [(SPREAD, SPREAD), (RANGE, Range((-0.7, 0.3), 0.1))])
def test_both_sides_are_treated_alike(odds, mirrored, sign):
    values = np.array([-0.3, -0.05, 0.2, 0.7])
    pays = odds.payoff(values, 0.12, sign, 0.8)
    np.testing.assert_allclose(pays, mirrored.payoff(-values, -0.12, -sign, 0.8), rtol=1e-13)


@given(st.floats(0.01, 0.99), st.floats(0.05, 1.5))
def test_a_bet_on_a_spread_is_fair_for_two_values_of_that_variance(chance, stake):
    sd, mean = 1.3, 0.4
    values = mean + sd * np.array([math.sqrt((1 - chance) / chance), -math.sqrt(chance / (1 - chance))])
    for sign in (1, -1):
        capital = np.exp(Spread(sd, 0.1).payoff(values, mean, sign, stake))
        expected = float(capital @ [chance, 1 - chance])
        assert expected <= 1 + 1e-12
        wrong = np.exp(Spread(sd, 0.1).payoff(values, mean - sign * 0.1, sign, stake))
        assert float(wrong @ [chance, 1 - chance]) > expected


@pytest.mark.parametrize("size", [0.02, 0.1, 0.3])
def test_a_bet_on_a_spread_gives_hardly_anything_away(size):
    """On two values at one standard deviation; what is lost is of the fourth order of the stake."""
    capital = np.exp(Spread(1.0, 0.1).payoff(np.array([-1.0, 1.0]), 0.0, 1, size)).mean()
    assert 1 - size**4 <= capital <= 1


def expectation(odds, values, chances, theta, sign, draws=6, piece=2):
    """Of the capital after some draws, over all that may come."""
    total = 0.0
    for outcome in product(range(len(values)), repeat=draws):
        bets = Sequence(odds)
        for start in range(0, draws, piece):
            bets.add(np.array([values[k] for k in outcome[start : start + piece]]))
        total += math.prod(chances[k] for k in outcome) * math.exp(bets.capital(theta, sign))
    return total


@pytest.mark.parametrize("sign", [1, -1])
def test_bets_in_a_range_are_fair_whatever_came_before(sign):
    """Stakes depend on the draws before, and on none that they are made for."""
    values, chances = (-0.3, 0.7), (0.7, 0.3)
    assert expectation(RANGE, values, chances, 0.0, sign) == pytest.approx(1, rel=1e-12)
    assert expectation(Range((-0.3, 0.7), 0.5), values, chances, 0.0, sign) == pytest.approx(1, rel=1e-12)
    assert expectation(Tuned(RANGE, 6, 3.0), values, chances, 0.0, sign) == pytest.approx(1, rel=1e-12)
    assert expectation(RANGE, values, chances, 0.05 * sign, sign) < 1
    assert expectation(RANGE, values, chances, -0.05 * sign, sign) > 1


@pytest.mark.parametrize("sign", [1, -1])
def test_bets_on_a_spread_are_no_better_than_fair(sign):
    values, chances = (-0.5, 2.0), (0.8, 0.2)  # mean 0, variance 1
    for odds in (Spread(1.0, 0.3), Tuned(Spread(1.0, 0.3), 6, 0.3)):
        assert 0.8 < expectation(odds, values, chances, 0.0, sign) <= 1


@pytest.mark.parametrize(("odds", "values"), [(Spread(1.0, 0.2), NORMAL), (Range((-0.5, 0.5), 0.05), BOUNDED)])
class TestSequence:
    def filled(self, odds, values):
        bets = Sequence(odds)
        bets.watch(0.0)
        for piece in np.split(values, 6):
            bets.add(piece)
        return bets

    def test_capital_is_what_all_bets_have_paid(self, odds, values):
        bets = self.filled(odds, values)
        paid, squares = 0.0, 0.0
        for k, piece in enumerate(np.split(values, 6)):
            paid += float(np.sum(odds.payoff(piece, 0.03, -1, odds.stake(50 * k, squares))))
            squares += float(np.sum(piece**2))
        assert bets.capital(0.03, -1) == pytest.approx(paid, rel=1e-12)
        assert bets.drawn == 300

    def test_what_is_watched_is_what_is_computed_afterwards(self, odds, values):
        bets = self.filled(odds, values)
        watched = bets.capital(0.0, 1), bets.capital(0.0, -1)
        bets._capital.clear()
        assert watched == pytest.approx((bets.capital(0.0, 1), bets.capital(0.0, -1)), rel=1e-12)

    def test_limits_are_where_the_capital_is_reached(self, odds, values):
        bets = self.filled(odds, values)
        for level in (0.3, 0.05, 0.001):
            for sign in (1, -1):
                assert bets.capital(bets.limit(level, sign), sign) == pytest.approx(-math.log(level), rel=1e-5)

    def test_limits_lie_around_the_estimate_and_part_as_the_level_falls(self, odds, values):
        bets = self.filled(odds, values)
        lower = [bets.limit(level, 1) for level in (0.3, 0.05, 0.001)]
        upper = [bets.limit(level, -1) for level in (0.3, 0.05, 0.001)]
        assert lower == sorted(lower, reverse=True)
        assert upper == sorted(upper)
        assert lower[0] < bets.estimate() < upper[0]
        assert bets.estimate() == pytest.approx(values.mean(), abs=0.02)
        low, high = odds.ends
        assert low <= lower[-1] < upper[-1] <= high

    def test_capital_falls_as_the_mean_in_question_grows(self, odds, values):
        bets = self.filled(odds, values)
        for sign in (1, -1):
            capital = [sign * bets.capital(theta, sign) for theta in np.linspace(-0.4, 0.4, 30)]
            assert np.all(np.diff(capital) < 0)

    def test_draws_in_cells_tell_the_same(self, odds, values, monkeypatch):
        whole = self.filled(odds, values)
        monkeypatch.setattr(module, "KEPT", 60)
        cells = self.filled(odds, values)
        assert sum(len(held) for _, held, _ in cells._bets) < 300
        assert sum(counts.sum() for *_, counts in cells._bets) == 300
        assert cells.capital(0.01, 1) == pytest.approx(whole.capital(0.01, 1), abs=1e-3)
        assert cells.limit(0.05, -1) == pytest.approx(whole.limit(0.05, -1), abs=1e-4)


def test_one_draw_refutes_that_all_of_them_are_at_an_end():
    bets = Sequence(Range((0.0, 1.0), 0.1))
    bets.watch(0.0)
    bets.add(np.zeros(20))
    assert bets.capital(0.0, 1) == 0.0
    bets.add(np.array([0.0, 0.01]))
    assert bets.capital(0.0, 1) == math.inf


def test_draws_that_are_all_the_same_have_limits_in_their_range():
    bets = Sequence(Range((-0.5, 0.5), 0.1))
    bets.add(np.full(40, 0.5))
    assert 0 < bets.limit(0.05, 1) < 0.5
    assert bets.limit(0.05, -1) == 0.5
