"""Condition numbers and error growth of Gaussian matrices: what follows from laws that are tested elsewhere."""

import math

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from theory.conditioning.gaussian_condition import (
    TRACY_WIDOM_MEAN,
    TwoColumnCondition,
    edge_ratio,
    squared_growth_law,
    tall_condition,
    two_column_frobenius,
)
from theory.conditioning.three_column_condition import MANY, ThreeColumnCondition


@pytest.mark.parametrize("m", [2, 3, 17])
def test_the_frobenius_condition_number_of_two_columns(m):
    kappa = np.array([1.0001, 1.5, 4.0, 1e3])
    np.testing.assert_allclose(
        two_column_frobenius(m).sf(kappa + 1 / kappa), TwoColumnCondition(m).sf(kappa), rtol=1e-10
    )
    with pytest.raises(ValueError, match="m must be at least 2"):
        two_column_frobenius(1)


@pytest.mark.parametrize("m", [3, 4, 10, 100, 10**4, 10**6, 10**8, 10**10, 10**12])
def test_moments_of_two_columns_over_the_whole_domain(m):
    """E e^(s y), y = ln kappa, by quadrature of p tanh(y) sech(y)^p at 50 digits, p = m - 1; the variance about 1."""
    law, p = TwoColumnCondition(m), mp.mpf(m - 1)
    with mp.workdps(50):
        ends = [mp.mpf(0), *(mp.mpf(2) ** j / mp.sqrt(p) for j in range(-3, 9 if m > 30 else 14))]

        def expectation(of):
            return mp.quad(lambda y: of(y) * p * mp.tanh(y) * mp.exp(-p * mp.log(mp.cosh(y))), ends)

        for order in (-min(0.9 * (m - 1), 1e5), -1.5, -0.3, 0.5, 1, 2, 0.9 * min(m - 1, 100)):
            if abs(order) < 0.95 * (m - 1):
                exact = expectation(lambda y, s=order: mp.exp(mp.mpf(s) * y))
                assert law.moment(order) == pytest.approx(float(exact), rel=1e-12)
        assert law.log_mean() == pytest.approx(float(expectation(lambda y: y)), rel=1e-13)
        if m > 4:
            mean, square = expectation(mp.expm1), expectation(lambda y: mp.expm1(y) ** 2)
            assert law.var() == pytest.approx(float(square - mean**2), rel=1e-12)
    assert (law.var() == math.inf) == (m <= 3)


def test_edges_that_nearly_meet():
    """Square roots of neighbours are subtracted on paper."""
    m = 10**12
    with mp.workdps(40):
        root = mp.sqrt(mp.mpf(m - 1) / m)
        assert edge_ratio(m, m - 1) == pytest.approx(float((1 + root) / (1 - root)), rel=1e-14)
        a, b = mp.sqrt(m - mp.mpf("0.5")), mp.sqrt(m - mp.mpf("1.5"))
        relative = (a - b) * (1 / b - 1 / a) ** (mp.mpf(1) / 3) / (a - b) ** 2
        top = (a + b) ** 2 + (a + b) * (1 / a + 1 / b) ** (mp.mpf(1) / 3) * TRACY_WIDOM_MEAN
        log = (mp.log(top) - 2 * mp.log(a - b) - relative**2 / 8 + relative * TRACY_WIDOM_MEAN) / 2
        assert math.log(tall_condition(m, m - 1)[0]) == pytest.approx(float(log), rel=1e-12)


@pytest.mark.parametrize("degrees", [1, 4, 9])
def test_growth_is_a_ratio_of_stretches(degrees):
    law = squared_growth_law(degrees)
    x = np.array([0.1, 1.0, 7.0])
    # X / (X + Y) of independent chi-squares is a Beta variable
    np.testing.assert_allclose(law.cdf(x), stats.beta(degrees / 2, degrees / 2).cdf(x / (1 + x)), rtol=1e-12)
    assert law.median() == pytest.approx(1)


@pytest.mark.parametrize("m", [3, 4, 6, 50, 3000, 10**5])
def test_many_points_are_read_from_a_table(m):
    law = ThreeColumnCondition(m)
    x = law.ppf([1e-8, 0.01, 0.3, 0.8, 0.9999])
    table = law.cdf(np.resize(np.append(x, [0.5, 1, np.inf, np.nan]), MANY))
    np.testing.assert_allclose(table[:5], law.cdf(x), atol=1e-10, rtol=1e-6)
    assert list(table[5:8]) == [0, 0, 1]
    assert np.isnan(table[8])


@pytest.mark.parametrize(
    ("m", "order"), [(3, 0.999), (4, 1.9), (5, 1.0), (10, 7.99), (29, 26.9), (30, 14.0), (784, 1.0), (10**6, 1.0)]
)
def test_moments_of_three_columns_by_the_density(m, order):
    """Of the ratios r > t > 1 of the eigenvalues, y = ln(r) / 2, in growing pieces, and a power law from y = 20 on."""
    law = ThreeColumnCondition(m)
    points, weights = np.polynomial.legendre.leggauss(100)

    def density(y):
        log_r = 2 * y[..., None]
        log_t = log_r * (1 + points) / 2
        gaps = -np.expm1(log_t - log_r) * np.expm1(log_r) * np.expm1(log_t) * log_r
        power = m / 2 * log_r + (m / 2 - 1) * log_t - 1.5 * m * np.log((1 + np.exp(log_t) + np.exp(log_r)) / 3)
        return (gaps * np.exp(power)) @ weights

    ends = np.concatenate([[0], np.geomspace(0.05 / math.sqrt(m), 20, 40)])
    half = np.diff(ends)[:, None] / 2
    y = ends[:-1, None] + half * (1 + np.polynomial.legendre.leggauss(40)[0])
    mass = density(y) * half * np.polynomial.legendre.leggauss(40)[1]
    rest = float(density(np.array(20.0))) * math.exp(order * 20) / (m - 2 - order)
    assert law.moment(order) == pytest.approx((np.sum(np.exp(order * y) * mass) + rest) / mass.sum(), rel=1e-8)
    assert law.log_mean() == pytest.approx(np.sum(y * mass) / mass.sum(), rel=1e-7)


def test_moments_that_rest_on_tails_below_the_doubles():
    law = ThreeColumnCondition(1000)
    assert law.moment(998) == math.inf
    with pytest.raises(ValueError, match=r"order must be at most \(m - 2\) / 2 = 499.0 or at least m - 2, got 997.9"):
        law.moment(997.9)
