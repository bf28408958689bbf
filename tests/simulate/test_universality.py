"""The study against one matrix at a time, and its entries against their moments."""

import math

import numpy as np
import pytest

from fragility.backends.numba_backend import BACKEND as NUMBA
from fragility.backends.numpy_backend import BACKEND
from fragility.engine.study import UsageError
from simulate.universality import ENTRIES, STUDY, draw, measure_distance


def world(n, m, entries, size=6, seed=0):
    return draw(BACKEND.stream(seed, 0), size, n, (m,), entries)


def distance(matrix):
    """Of the last column from the span of the others, by least squares."""
    others, column = matrix[:, :-1], matrix[:, -1]
    return np.linalg.norm(column - others @ np.linalg.lstsq(others, column, rcond=1e-9)[0])


@pytest.mark.parametrize("name", STUDY.methods)
@pytest.mark.parametrize("entries", ENTRIES)
def test_the_numbers_are_those_of_one_matrix_at_a_time(name, entries):
    point = {"n": 6, "rows": (6,), "entries": "uniform" if entries == "signs" else entries}
    method = STUDY.methods[name]
    matrices = world(6, 6, point["entries"], seed=3)
    expected = {
        "column_norm": [np.linalg.norm(matrix[:, -1]) for matrix in matrices],
        "last": [distance(matrix) for matrix in matrices],
        "fraction": [distance(matrix) / np.linalg.norm(matrix[:, -1]) for matrix in matrices],
        "log_determinant": [math.log(abs(np.linalg.det(matrix))) for matrix in matrices],
        "smallest": [6**0.5 / np.linalg.norm(np.linalg.inv(matrix), 2) for matrix in matrices],
        "distance": [distance(matrix) for matrix in matrices],
    }
    for backend in (BACKEND, NUMBA):
        found = method.measure(backend, matrices, **point)
        assert set(found) == set(method.statistics(**point))
        for statistic, values in found.items():
            np.testing.assert_allclose(values, expected[statistic], rtol=1e-9, err_msg=statistic)


def test_dependent_columns_span_less():
    matrix = np.array([[[1.0, 1, 1], [1, 1, -1], [1, 1, 1]]])
    point = {"n": 3, "rows": (3,), "entries": "signs"}
    assert measure_distance(BACKEND, matrix, **point)["distance"] == pytest.approx((8 / 3) ** 0.5)
    assert STUDY.methods["lu"].measure(BACKEND, matrix, **point)["log_determinant"] < -30


@pytest.mark.parametrize("entries", ENTRIES)
def test_entries_have_mean_0_and_variance_1(entries, error_rate):
    """By Chebyshev's inequality: the fourth moment of all of them is at most 9."""
    values = world(8, 8, entries, size=6000).ravel()
    slack = (1 / (error_rate / 2 * values.size)) ** 0.5
    assert abs(values.mean()) <= slack
    assert abs(np.mean(values**2) - 1) <= 8**0.5 * slack


def test_points_are_square_unless_told():
    assert STUDY.points([3], None, ["signs"]) == [{"n": 3, "rows": (3,), "entries": "signs"}]
    assert [point["rows"] for point in STUDY.points([3], [3, 5], ["uniform"])] == [(3,), (5,)]


def test_usage_errors_are_one_line():
    with pytest.raises(UsageError, match="--rows must be at least n = 4"):
        STUDY.points([4], [3], ["signs"])
    with pytest.raises(UsageError, match="--entries must be among"):
        STUDY.grid["entries"].parse("signs,cauchy")
