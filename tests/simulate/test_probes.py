"""The study of Theorem 5 against the probing vectors' own formulas, one world after another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.backends import numba_backend
from fragility.backends.numpy_backend import BACKEND
from fragility.engine.study import UsageError
from simulate.probes import STUDY, draw, measure, points

POINTS = [
    {"n": 2, "classes": 2},
    {"n": 9, "classes": 4},
    {"n": 3, "classes": 5},
    {"n": 6, "classes": 3, "rows": (8, 4)},
]


def product(weights):
    whole = weights[0]
    for weight in weights[1:]:
        whole = weight @ whole
    return whole


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_bisection_finds_where_the_outputs_tie(point):
    world = draw(BACKEND.stream(2, 0), 8, **point)
    found = measure(BACKEND, world)
    for k, (x, u) in enumerate(world[0]):
        P = product([weight[k] for weight in world[1]])
        g = P[0] - P[1]
        seen = np.linalg.lstsq(P[:2], P[:2] @ u, rcond=None)[0]
        expected = {
            "flip": abs(g @ x) / np.linalg.norm(g),
            "against_random": abs(g @ u) / (np.linalg.norm(g) * np.linalg.norm(u)),
            "against_projected": abs(g @ seen) / (np.linalg.norm(g) * np.linalg.norm(seen)),
            "share": np.linalg.norm(np.linalg.lstsq(P, P @ u, rcond=None)[0]) / np.linalg.norm(u),
        }
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name][k] == pytest.approx(value, rel=1e-8), name


@given(st.integers(0, 10**6), st.sampled_from(POINTS))
def test_no_direction_is_shorter_than_that_of_the_gradient(seed, point):
    found = measure(BACKEND, draw(BACKEND.stream(seed, 0), 3, **point))
    assert np.all(found["against_random"] <= 1)
    assert np.all(found["against_projected"] <= 1)
    assert np.all(found["against_random"] <= found["against_projected"] * (1 + 1e-9))
    assert np.all(found["share"] <= 1 + 1e-12)


def test_layers_count_by_their_product_only():
    vectors, weights = draw(BACKEND.stream(4, 0), 5, 6, 3, (8, 4))
    deep, flat = measure(BACKEND, (vectors, weights)), measure(BACKEND, (vectors, [product(weights)]))
    for name, values in deep.items():
        np.testing.assert_allclose(values, flat[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_backends_measure_the_same_world_alike(point):
    world = draw(BACKEND.stream(3, 1), 9, **point)
    other = measure(numba_backend.BACKEND, world)
    for name, values in measure(BACKEND, world).items():
        np.testing.assert_allclose(values, other[name], rtol=1e-9, err_msg=name)


def test_the_method_measures_what_it_announces():
    (method,) = STUDY.methods.values()
    measured = method.measure(BACKEND, method.draw(BACKEND.stream(1, 0), 7, **POINTS[1]), **POINTS[1])
    assert tuple(measured) == method.statistics(**POINTS[1])
    assert all(value.shape == (7,) for value in measured.values())


def test_points():
    assert points([3], [2], None) == [{"n": 3, "classes": 2}]
    assert points([3], [2], [(4,), (5, 2)])[1] == {"n": 3, "classes": 2, "rows": (5, 2)}
    with pytest.raises(UsageError, match="at least --classes = 6, got 7,5"):
        points([3], [6], [(7, 5)])
