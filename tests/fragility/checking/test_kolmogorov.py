"""Bands and what they may miss, against exact probabilities that are computed another way."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom, ks_2samp, kstwobign
from sympy import Matrix, Rational

from fragility.checking.kolmogorov import TRIED, band, band_of_two, hidden, hidden_of_two

ROUNDED = 1e-9  # of counts that are compared with a gap


def inside(samples, distance):
    """Probability that Kolmogorov's distance is at most so large: Steck's determinant (1971), in rationals."""
    d = Rational(*Fraction(distance).limit_denominator(10**12).as_integer_ratio())
    low = [max(Rational(i, samples) - d, Rational(0)) for i in range(1, samples + 1)]
    high = [min(Rational(i - 1, samples) + d, Rational(1)) for i in range(1, samples + 1)]

    def entry(i, j):
        power = j - i + 1
        if power < 0:
            return Rational(0)
        return max(high[i] - low[j], Rational(0)) ** power / math.factorial(power)

    return float(math.factorial(samples) * Matrix(samples, samples, entry).det())


@pytest.mark.parametrize("samples", [1, 2, 3, 7])
@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.001])
def test_a_band_is_exceeded_with_its_probability(samples, alpha):
    assert inside(samples, band(samples, alpha)) == pytest.approx(1 - alpha, abs=1e-9)


def test_a_band_of_many_draws_is_that_of_kolmogorovs_limit():
    assert band(10**6, 0.05) * 1000 == pytest.approx(kstwobign.isf(0.05), rel=1e-3)
    assert band(0, 0.05) == 1.0


@pytest.mark.parametrize("samples", [5, 40, 300])
def test_a_band_holds_for_laws_with_atoms(samples):
    """Of draws that are 0 or 1 the distance is that of the share of ones."""
    counts = np.arange(samples + 1)
    for chance in np.linspace(0.01, 0.99, 25):
        beyond = np.abs(counts / samples - chance) > band(samples, 0.05)
        assert binom.pmf(counts, samples, chance)[beyond].sum() <= 0.05


@pytest.mark.parametrize("samples", [1, 2, 10, 57, 120])
@pytest.mark.parametrize("beta", [0.3, 0.05, 0.001])
def test_what_is_hidden_is_the_worst_over_all_counts(samples, beta):
    """By the probability at which each count or fewer comes out with probability beta."""
    worst = max(
        brentq(lambda p, k=k: binom.cdf(k, samples, p) - beta, k / samples, 1, xtol=1e-14) - k / samples
        for k in range(samples)
    )
    assert hidden(samples, beta) == pytest.approx(worst, abs=1e-9)


@given(st.integers(1, 500), st.floats(0.001, 0.999), st.sampled_from([0.3, 0.05, 0.002]))
def test_a_share_is_smaller_by_what_is_hidden_with_probability_beta_at_most(samples, chance, beta):
    reached = math.floor(samples * (chance - hidden(samples, beta)) - ROUNDED)
    assert binom.cdf(reached, samples, chance) <= beta
    assert binom.sf(math.ceil(samples * (chance + hidden(samples, beta)) + ROUNDED) - 1, samples, chance) <= beta


def test_what_is_hidden_among_many_draws_needs_not_all_counts():
    samples = 5 * TRIED + 3
    counts = np.arange(samples)
    upper = binom.cdf(counts, samples, np.minimum(counts / samples + hidden(samples, 0.01), 1.0))
    assert upper.max() == pytest.approx(0.01, rel=1e-3)
    assert hidden(0, 0.01) == 1.0


def exceeded(samples, count):
    """Probability that two samples are count / samples apart or more: paths that stay within, counted one by one."""
    paths = {0: 1}
    for _ in range(2 * samples):
        grown = {}
        for place, number in paths.items():
            for step in (-1, 1):
                if abs(place + step) < count:
                    grown[place + step] = grown.get(place + step, 0) + number
        paths = grown
    return 1 - Fraction(paths.get(0, 0), math.comb(2 * samples, samples))


@pytest.mark.parametrize("samples", [1, 2, 3, 10, 60])
@pytest.mark.parametrize("alpha", [0.4, 0.05, 0.001])
def test_the_band_of_two_samples_is_the_smallest_that_is_exceeded_rarely_enough(samples, alpha):
    count = round(band_of_two(samples, alpha) * samples)
    assert exceeded(samples, count + 1) <= alpha < exceeded(samples, count)


def test_the_band_of_two_samples_is_where_scipy_has_it():
    samples, alpha = 500, 0.03
    count = round(band_of_two(samples, alpha) * samples)
    places = np.arange(samples)
    within, beyond = (ks_2samp(places, places + c - 0.5, method="exact") for c in (count, count + 1))
    assert (within.statistic, beyond.statistic) == pytest.approx((count / samples, (count + 1) / samples))
    assert beyond.pvalue <= alpha < within.pvalue
    assert band_of_two(0, alpha) == 1.0


def differences(samples, first, second):
    """Probabilities of the differences of two counts from -samples to samples."""
    counts = np.arange(samples + 1)
    return np.convolve(binom.pmf(counts, samples, first), binom.pmf(counts, samples, second)[::-1])


@pytest.mark.parametrize("samples", [3, 20, 150])
@pytest.mark.parametrize("beta", [0.3, 0.05, 0.004])
@pytest.mark.parametrize("gap", [0.1, 0.4, 0.9])
def test_what_two_samples_hide_is_enough_for_all_pairs_and_no_more_than_a_few_draws_too_much(samples, beta, gap):
    least = gap - hidden_of_two(samples, gap, beta)  # the difference of shares that is reached with beta at most
    counts = np.arange(-samples, samples + 1)
    needed = []
    for second in np.linspace(0, 1 - gap, 41):
        falling = np.cumsum(differences(samples, second + gap, second))
        assert falling[counts <= samples * least + ROUNDED].max(initial=0.0) <= beta
        needed.append(counts[falling > beta][0] / samples)
    assert min(needed) - least <= 3 / samples


def test_what_one_count_hides_from_two_samples_is_half_as_much_again():
    """Of many draws: sqrt(2) times the worst of one."""
    assert hidden_of_two(10**6, 0.01, 0.05) == pytest.approx(math.sqrt(2) * hidden(10**6, 0.05), rel=5e-3)
    assert hidden_of_two(0, 0.1, 0.05) > 1
