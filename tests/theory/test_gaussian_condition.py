"""Condition numbers and error growth of Gaussian matrices: what follows from laws that are tested elsewhere."""

import numpy as np
import pytest
from scipy import stats

from theory.gaussian_condition import TwoColumnCondition, squared_growth_law, two_column_frobenius
from theory.three_column_condition import MANY, ThreeColumnCondition


@pytest.mark.parametrize("m", [2, 3, 17])
def test_the_frobenius_condition_number_of_two_columns(m):
    kappa = np.array([1.0001, 1.5, 4.0, 1e3])
    np.testing.assert_allclose(
        two_column_frobenius(m).sf(kappa + 1 / kappa), TwoColumnCondition(m).sf(kappa), rtol=1e-10
    )
    with pytest.raises(ValueError, match="m must be at least 2"):
        two_column_frobenius(1)


@pytest.mark.parametrize("degrees", [1, 4, 9])
def test_growth_is_a_ratio_of_stretches(degrees):
    law = squared_growth_law(degrees)
    x = np.array([0.1, 1.0, 7.0])
    # X / (X + Y) of independent chi-squares is a Beta variable
    np.testing.assert_allclose(law.cdf(x), stats.beta(degrees / 2, degrees / 2).cdf(x / (1 + x)), rtol=1e-12)
    assert law.median() == pytest.approx(1)


@pytest.mark.parametrize("m", [3, 4, 6, 50, 3000])
def test_many_points_are_read_from_a_table(m):
    law = ThreeColumnCondition(m)
    x = law.ppf([1e-8, 0.01, 0.3, 0.8, 0.9999])
    table = law.cdf(np.resize(np.append(x, [0.5, 1, np.inf, np.nan]), MANY))
    np.testing.assert_allclose(table[:5], law.cdf(x), atol=1e-10, rtol=1e-6)
    assert list(table[5:8]) == [0, 0, 1]
    assert np.isnan(table[8])
