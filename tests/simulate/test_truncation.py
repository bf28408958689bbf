"""The study against single layers whose singular values are shrunk one by one."""

import math

import numpy as np
import pytest

from fragility.backends.numpy_backend import BACKEND
from fragility.engine.study import UsageError
from simulate.truncation import SHARE, draw, measure, points

SHAPES = [(5, (5,), 1), (5, (5,), 5), (7, (3,), 2), (2, (6,), 1), (4, (1,), 1), (1, (1,), 1)]


@pytest.mark.parametrize(("n", "rows", "k"), SHAPES)
def test_the_numbers_are_those_of_the_layer_taken_apart(n, rows, k):
    W, inputs = draw(BACKEND.stream(3, 0), 4, n, rows, k)
    found = measure(BACKEND, (W, inputs), n, rows, k)
    for draw_, (one, x) in enumerate(zip(W, inputs, strict=True)):
        U, sigma, Vh = np.linalg.svd(one, full_matrices=False)
        bottom = range(len(sigma) - k, len(sigma))
        error = sum((1 - SHARE) * sigma[i] * np.outer(U[:, i], Vh[i]) for i in bottom)
        lost = error / (1 - SHARE)
        share = sum((Vh[i] @ x) ** 2 for i in bottom) / (x @ x)
        assert found["bottom_share"][draw_] == pytest.approx(share)
        assert found["error"][draw_] == pytest.approx(math.sqrt(n) * sigma[-k])
        if rows[0] > 1:
            change = abs((lost @ x)[0] - (lost @ x)[1])
            apart = np.linalg.norm([U[0, i] - U[1, i] for i in bottom])
            seen = np.linalg.norm([Vh[i] @ x for i in bottom])
            power = sum(sigma[i] ** 2 for i in bottom)
            assert found["ratio"][draw_] == pytest.approx(change / (sigma[-k] * apart * seen))
            assert found["ratio_norm"][draw_] == pytest.approx(change / (sigma[-k] * math.sqrt(2) * np.linalg.norm(x)))
            assert found["change"][draw_] == pytest.approx(change**2 * n * rows[0] / (2 * power * (x @ x)))


@pytest.mark.parametrize(("n", "rows", "k"), SHAPES[:4])
def test_no_change_exceeds_its_bounds_and_one_value_attains_the_sharp_one(n, rows, k):
    found = measure(BACKEND, draw(BACKEND.stream(4, 0), 500, n, rows, k), n, rows, k)
    assert found["ratio"].max() <= 1 + 1e-9
    assert np.all(found["ratio_norm"] <= found["ratio"] * (1 + 1e-9))
    if k == 1:
        np.testing.assert_allclose(found["ratio"], 1, rtol=1e-6)


def test_more_values_than_there_are_cannot_be_shrunk():
    assert points([4], None, [1, 4]) == [{"n": 4, "rows": (4,), "k": 1}, {"n": 4, "rows": (4,), "k": 4}]
    with pytest.raises(UsageError, match=r"--k must be at most min\(n, rows\) = 3, .* got 4"):
        points([5], [3], [4])
