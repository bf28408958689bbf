"""Half the distance of the two classes of Theorem 6, and of their hulls: by brute force, and as theory has them."""

from itertools import product

import numpy as np
import pytest

from empirical.linear_compression.closest import half_distances, half_hull_distances
from fragility.engine.study import UsageError
from theory.points import optimal_tolerance as exact


@pytest.mark.parametrize("n", range(2, 9))
@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_closest_points_by_brute_force(n, scale):
    data = np.random.default_rng(n).standard_normal((8, n, n))
    data[:, :, :-1] *= scale
    every = np.array(list(product([-1, 0, 1], repeat=n - 1))).T
    found = np.linalg.norm(data[:, :, -1:] + data[:, :, :-1] @ every, axis=1).min(axis=1)
    assert half_distances(data) == pytest.approx(found)


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_distances_are_those_of_theory(scale):
    data = np.random.default_rng(0).standard_normal((5, 14, 14))
    scaled = np.concatenate((scale * data[:, :, :-1], data[:, :, -1:]), axis=2)
    assert half_distances(scaled) == pytest.approx([exact.optimal_tolerance(A, scale).value for A in data])
    assert half_hull_distances(scaled) == pytest.approx([exact.linear_margin(A, scale).value for A in data])


@pytest.mark.parametrize("distances", [half_distances, half_hull_distances])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.full((1, 3, 3), np.nan), "data must be finite"),
        (np.eye(3), r"data must have shape \(any, any, any\), got \(3, 3\)"),
        (np.ones((2, 3, 4)), r"data must be \(size, n, n\) with n of at least 2, got shape \(2, 3, 4\)"),
        (np.ones((2, 1, 1)), "with n of at least 2"),
        (np.eye(3)[None] * 1j, "data must hold real numbers"),
        (np.diag([1.0, 0.0, 1.0])[None], "data must be matrices of full rank, got a singular one"),
    ],
)
def test_other_data_are_one_line(distances, data, says):
    with pytest.raises(UsageError, match=says):
        distances(data)
