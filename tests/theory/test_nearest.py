"""The nearest of many points, and tables whose knots follow the mass."""

import math

import numpy as np
import pytest
from scipy import stats

from fragility.law import Law
from fragility.testing import assert_agrees
from theory.laws.tabulated import Tabulated
from theory.points.nearest import nearest_law

PROBABILITIES = np.concatenate([[1e-7, 1e-4], np.linspace(0.001, 0.999, 999), [1 - 1e-4, 1 - 1e-7]])


@pytest.mark.parametrize("d", [2, 3, 10, 100, 784, 10**4, 10**5])
def test_the_distance_of_two_points_is_a_chi_variable(d):
    exact = stats.chi(d, scale=math.sqrt(2))
    law, x = nearest_law(2, d), exact.ppf(PROBABILITIES)
    assert np.max(np.abs(law.cdf(x) - exact.cdf(x))) < 1e-6
    assert law.mean() == pytest.approx(exact.mean(), rel=1e-6)
    assert law.var() == pytest.approx(exact.var(), rel=1e-4)


@pytest.mark.parametrize("points", [3, 10, 1000, 10**6])
@pytest.mark.parametrize("d", [2, 3, 10, 100, 784, 10**4])
def test_more_points(points, d):
    """Noncentral chi-squares as Poisson mixtures of central ones, and Simpson's rule over the length of a point."""
    law = nearest_law(points, d)
    x = law.ppf([0.01, 0.5, 0.99])
    length = np.linspace(stats.chi(d).ppf(1e-12), stats.chi(d).isf(1e-12), 97)
    chance = stats.chi(d).pdf(length) * (2 + 2 * (np.arange(97) % 2))  # Simpson's rule
    above = []
    for norm in length:
        mean = norm**2 / 2
        shift = np.arange(max(0, int(mean - 9 * norm - 30)), int(mean + 9 * norm + 60))
        within = stats.poisson(mean).pmf(shift) @ stats.chi2.cdf(x**2, d + 2 * shift[:, None])
        above.append(np.exp((points - 1) * np.log1p(-within)))
    assert law.sf(x) == pytest.approx(chance @ np.array(above) / chance.sum(), abs=2e-6)


def test_draws():
    draws = np.random.default_rng(4).standard_normal((2000, 30, 5))
    nearest = np.min(np.linalg.norm(draws[:, 1:] - draws[:, :1], axis=2), axis=1)
    assert_agrees(nearest, nearest_law(30, 5), tolerance=0.1, decoys={"a dimension more": nearest_law(30, 6)})


def test_errors_say_what_must_hold():
    for points, d, text in (
        (1, 3, "points must be at least 2, got 1"),
        (2, 1, "d must be at least 2, got 1"),
        (2, 10**6 + 1, "points and d must be at most 1000000, got 2 and 1000001"),
        (10**6 + 1, 2, "points and d must be at most 1000000, got 1000001 and 2"),
    ):
        with pytest.raises(ValueError, match=text):
            nearest_law(points, d)


@pytest.mark.parametrize(
    "exact",
    [
        stats.norm(1000, 1e-4),
        stats.norm(500, 1e-6),
        stats.expon(),
        stats.uniform(3, 4),
        stats.halfnorm(),
        stats.triang(0.3, 7, 2),
        stats.beta(0.5, 0.5),
        stats.t(3, 40),
    ],
    ids=lambda law: law.dist.name,
)
def test_a_table_finds_the_mass_wherever_it_is(exact):
    law = Tabulated(exact.cdf, 0.0, 1000.5)
    x = exact.ppf(PROBABILITIES)
    x = x[x <= 1000.5]
    assert isinstance(law, Law)
    assert np.max(np.abs(law.cdf(x) - exact.cdf(x))) < 1e-6
    assert law.cdf(law.ppf(PROBABILITIES)) == pytest.approx(
        np.clip(PROBABILITIES, exact.cdf(0), exact.cdf(1000.5)), abs=1e-6
    )
    assert np.all(np.diff(law.ppf(PROBABILITIES)) >= 0)
    assert np.all(law.pdf(x) >= 0)
    assert list(law.cdf([-1.0, 2000.0])) == [0, 1]
    assert np.isnan(law.cdf(np.nan))
