"""Where directions and weights lie among singular vectors, against theory's profiles and against dense matrices."""

import numpy as np
import pytest

from empirical.svd_defence.spectrum import bottom, carried, imbalance, profile, squares
from theory.latent import codes
from theory.latent.truncation import energy_profile
from theory.things.shrinking import bottom_part

RNG = np.random.default_rng(5)
WEIGHT, DIRECTIONS = RNG.normal(size=(4, 9)), RNG.normal(size=(30, 9))
SECOND, FIRST = RNG.normal(size=(3, 6)), RNG.normal(size=(6, 8))


def test_profiles_are_means_of_those_of_the_theory():
    shares = energy_profile(WEIGHT, DIRECTIONS)
    within, outside = profile(WEIGHT, DIRECTIONS)
    np.testing.assert_allclose(within, (shares[:, :4] / shares[:, :4].sum(1, keepdims=True)).mean(0), rtol=1e-12)
    assert outside == pytest.approx(shares[:, 4].mean(), rel=1e-12)
    assert within.sum() == pytest.approx(1)


def test_a_direction_along_a_singular_vector():
    right = np.linalg.svd(WEIGHT)[2]
    within, outside = profile(WEIGHT, [3 * right[2], -right[2] + 2 * right[7]])
    np.testing.assert_allclose(within, [0, 0, 1, 0], atol=1e-12)
    assert outside == pytest.approx((0 + 4 / 5) / 2)


def test_directions_without_a_part_do_not_count():
    within, outside = profile(np.diag([2.0, 1.0]), np.array([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(within, [0.36, 0.64])
    assert outside == 0
    within, outside = profile(WEIGHT, np.zeros((0, 9)))
    assert np.isnan([*within, outside]).all()


def test_sums_of_the_last():
    np.testing.assert_allclose(bottom(np.array([0.4, 0.3, 0.2, 0.1]), [0, 1, 3, 4]), [0, 0.1, 0.6, 1])


def test_squared_singular_values():
    np.testing.assert_allclose(squares(np.diag([3.0, 2.0, 1.0])), np.array([9, 4, 1]) / 14)


def test_what_of_a_product_goes_through_the_bottom_of_its_first_factor():
    whole = np.linalg.norm(SECOND @ FIRST) ** 2
    expected = [np.linalg.norm(SECOND @ bottom_part(FIRST, k)) ** 2 / whole for k in range(7)]
    np.testing.assert_allclose(bottom(carried(SECOND, FIRST), range(7)), expected, atol=1e-12)


def test_factors_and_how_far_they_are_from_balanced():
    assert imbalance(SECOND, FIRST) == pytest.approx(float(codes.imbalance(SECOND, FIRST)), rel=1e-12)
    assert imbalance(*codes.balanced_factors(SECOND @ FIRST)) == pytest.approx(0, abs=1e-12)
