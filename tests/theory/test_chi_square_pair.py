"""Weighted sums of two chi-squares: against convolution integrals, limits and draws."""

import math

import mpmath as mp
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from theory.laws.chi_square_pair import ChiSquarePair

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


def log_density(degrees, low, high, x):
    """McKay's: sqrt(pi) (x / 2b)^nu e^(-a x) I_nu(b x) / (Gamma(k/2) (4 low high)^(k/2)), nu = (k-1)/2, by mpmath."""
    half, low, high, x = mp.mpf(degrees) / 2, mp.mpf(low), mp.mpf(high), mp.mpf(x)
    a, b = (1 / low + 1 / high) / 4, (1 / low - 1 / high) / 4
    if b * x > 1e6 + degrees**2:  # Hankel's series
        term = total = mp.mpf(1)
        for j in range(1, 40):
            term *= -((degrees - 1) ** 2 - (2 * j - 1) ** 2) / (8 * j * b * x)
            total += term
        bessel = mp.log(total) + (b - a) * x - mp.log(2 * mp.pi * b * x) / 2
    else:
        bessel = mp.log(mp.besseli(half - 0.5, b * x)) - a * x
    constant = mp.log(mp.pi) / 2 - mp.loggamma(half) - half * mp.log(4 * low * high)
    return constant + (half - 0.5) * mp.log(x / (2 * b)) + bessel


@pytest.mark.parametrize("ratio", [1e-300, 1e-12, 1e-3, 0.5, 0.999])
@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 40, 400, 10**4])
def test_the_density_in_every_corner(degrees, ratio):
    law = ChiSquarePair(degrees, ratio, 1.0)
    digits = 720 if ratio < 1e-100 else 60
    for x in (*law.ppf([1e-300, 1e-30, 0.01]), *law.isf([0.1, 1e-12, 1e-300])):
        if x > 1e-290 and math.isfinite(law.pdf(x)):
            with mp.workdps(digits):
                gap = float(mp.log(mp.mpf(law.pdf(x))) - log_density(degrees, ratio, 1.0, x))
            assert abs(gap) < 1e-10


@pytest.mark.parametrize("ratio", [1e-300, 1e-12, 0.3, 0.999])
def test_both_tails_of_two_exponentials(ratio):
    law = ChiSquarePair(2, ratio, 1.0)
    with mp.workdps(700):
        for x, tail in [(x, law.cdf) for x in law.ppf([1e-200, 1e-5])] + [(x, law.sf) for x in law.isf([0.1, 1e-300])]:
            above = (mp.exp(-mp.mpf(x) / 2) - ratio * mp.exp(-mp.mpf(x) / (2 * mp.mpf(ratio)))) / (1 - mp.mpf(ratio))
            assert tail(x) == pytest.approx(float(above if tail == law.sf else 1 - above), rel=1e-10)
    for order in (-0.9, 0.5, 40, 150):
        exact = (1 - mp.mpf(ratio) ** (order + 1)) / (1 - mp.mpf(ratio)) * mp.mpf(2) ** order * mp.gamma(order + 1)
        assert law.moment(order) == pytest.approx(float(exact), rel=1e-10)


def test_many_degrees():
    """Close to normal, and to one chi-square of twice the degrees where the weights are nearly equal."""
    degrees = 10**6
    law, near = ChiSquarePair(degrees, 0.25, 1.0), ChiSquarePair(degrees, 1 - 1e-9, 1.0)
    assert law.mean() == pytest.approx(1.25 * degrees, rel=1e-12)
    skew = 2**1.5 * (1 + 0.25**3) / (1 + 0.25**2) ** 1.5 / math.sqrt(degrees)
    z = np.array([-6.0, -2, 0, 1, 5])
    edgeworth = stats.norm.cdf(z) - skew / 6 * (z**2 - 1) * stats.norm.pdf(z)
    assert law.cdf(law.mean() + z * law.std()) == pytest.approx(edgeworth, abs=1e-6)
    q = np.array([1e-200, 0.3])
    assert near.ppf(q) == pytest.approx(stats.chi2(2 * degrees).ppf(q), rel=1e-8)
    assert near.isf(q) == pytest.approx(stats.chi2(2 * degrees).isf(q), rel=1e-8)


def test_moments_beyond_the_doubles_are_infinite():
    assert ChiSquarePair(10**5, 0.5, 1.0).moment(100) == math.inf
    assert ChiSquarePair(2, 0.25e-3, 1e-3).moment(900) == pytest.approx(
        float(mp.mpf(2e-3) ** 901 * mp.gamma(901) / mp.mpf(1.5e-3)), rel=1e-10
    )


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
    with pytest.raises(ValueError, match="degrees must be at most 1000000, got 1000001"):
        ChiSquarePair(10**6 + 1, 1, 2)
