"""Weighted sums of two chi-squares: against convolution integrals, limits and draws."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from theory.chi_square_pair import ChiSquarePair

CASES = [(1, 0.5, 1.0), (2, 1.0, 3.0), (3, 0.02, 1.0), (8, 1.0, 1.0001), (40, 2.0, 7.0)]


@pytest.mark.parametrize(("degrees", "low", "high"), CASES)
def test_against_the_convolution(degrees, low, high):
    law = ChiSquarePair(degrees, low, high)
    parts = [stats.chi2(degrees, scale=scale) for scale in (low, high)]
    for q in (0.01, 0.4, 0.97):
        x = float(law.ppf(q))
        # y = root^2: the density of one degree has a pole at 0
        below, _ = quad(
            lambda r, x=x: 2 * r * parts[1].pdf(r * r) * parts[0].cdf(x - r * r), 0, math.sqrt(x), limit=200
        )
        assert law.cdf(x) == pytest.approx(below, rel=1e-7)
        assert law.cdf(x) == pytest.approx(q, rel=1e-12)
        assert law.sf(x) == pytest.approx(1 - q, rel=1e-12)
        assert law.isf(1 - q) == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize(("degrees", "low", "high"), CASES)
def test_moments(degrees, low, high):
    law = ChiSquarePair(degrees, low, high)
    assert law.mean() == pytest.approx(degrees * (low + high))
    assert law.var() == pytest.approx(2 * degrees * (low**2 + high**2))
    area, _ = quad(law.sf, 0, float(law.isf(1e-14)), limit=200, points=list(law.ppf([0.01, 0.5, 0.99])))
    assert area == pytest.approx(law.mean(), rel=1e-8)
    with pytest.raises(ValueError, match="order must be finite and above"):
        law.moment(-degrees)


def test_two_degrees_each_are_two_exponentials():
    law = ChiSquarePair(2, 0.5, 2.0)
    x = np.array([1e-6, 0.1, 3.0, 40.0])
    one, other = np.exp(-x / 1.0), np.exp(-x / 4.0)
    np.testing.assert_allclose(law.sf(x), (4 * other - one) / 3, rtol=1e-12)
    np.testing.assert_allclose(law.pdf(x), (other - one) / 3, rtol=1e-9)


def test_it_lies_between_its_limits():
    x = np.array([0.1, 1.0, 5.0, 20.0])
    np.testing.assert_allclose(ChiSquarePair(3, 1, 1 + 1e-9).cdf(x), stats.chi2(6).cdf(x), rtol=1e-7)
    np.testing.assert_allclose(ChiSquarePair(3, 1e-4, 1).sf(x), stats.chi2(3).sf(x), rtol=1e-3)


def test_outside_the_support():
    law = ChiSquarePair(3, 1, 2)
    assert list(law.cdf([-1, 0, np.inf])) == [0, 0, 1]
    assert list(law.sf([-1, 0, np.inf])) == [1, 1, 0]
    assert list(law.pdf([-1, np.inf])) == [0, 0]
    assert list(law.ppf([0.0, 1.0])) == [0, np.inf]
    assert np.isnan(law.cdf(np.nan))


def test_draws():
    law = ChiSquarePair(3, 1, 2)
    draws = law.rvs(size=(200, 100), random_state=1)
    assert draws.mean() == pytest.approx(law.mean(), abs=6 * law.std() / math.sqrt(20_000))


def test_it_says_what_must_hold():
    with pytest.raises(ValueError, match="high must be above low, got 1 and 1"):
        ChiSquarePair(3, 1, 1)
    with pytest.raises(ValueError, match="degrees must be at least 1"):
        ChiSquarePair(0, 1, 2)
