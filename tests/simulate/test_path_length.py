"""The study of compression along a segment against difference quotients, and what differs along it."""

import numpy as np
import pytest

from fragility import check
from fragility.backends import numba_backend
from fragility.backends.numpy_backend import BACKEND
from fragility.testing import assert_agrees
from simulate.path_length import NODES, STUDY, draw, measure, points
from tests.simulate.test_gradient_plane import outputs

POINTS = [
    {"n": 4, "model": "isotropic"},
    {"n": 5, "model": "relu", "rows": (30, 20)},
    {"n": 3, "model": "features", "rows": (6,)},
]


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_the_cosines_are_those_of_each_world_alone(point):
    world = draw(BACKEND.stream(3, 0), 5, **point)
    found = measure(BACKEND, world, **point)
    for k, (x_2, x_1) in enumerate(world[0]):
        weights = [weight[k] for weight in world[1]]
        step, cosines = 1e-6 * np.eye(point["n"]), []
        for t in np.linspace(0, 1, NODES):
            x = (1 - t) * x_2 + t * x_1
            rises = [outputs(x + h, weights, point["model"]) - outputs(x - h, weights, point["model"]) for h in step]
            slope = np.array(rises)[:, 0]
            cosines.append(abs(slope @ (x_1 - x_2)) / np.linalg.norm(slope) / np.linalg.norm(x_1 - x_2))
        expected = {"start": cosines[0], "midpoint": cosines[NODES // 2], "mean": np.mean(cosines)}
        assert {name: values[k] for name, values in found.items()} == pytest.approx(expected, rel=1e-6)


def test_a_linear_network_has_one_gradient():
    found = measure(BACKEND, draw(BACKEND.stream(1, 0), 5, n=4), "isotropic")
    np.testing.assert_allclose(found["start"], found["midpoint"], rtol=1e-12)
    np.testing.assert_allclose(found["start"], found["mean"], rtol=1e-12)


def test_a_shut_network_has_compression_0():
    found = measure(BACKEND, (np.array([[[1.0, 2], [3, 1]]]), [-np.ones((1, 2, 2)), np.ones((1, 1, 2))]), "relu")
    assert found["start"] == found["midpoint"] == found["mean"] == 0


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_backends_measure_the_same_world_alike(point):
    world = draw(BACKEND.stream(3, 1), 9, **point)
    other = measure(numba_backend.BACKEND, world, **point)
    for name, values in measure(BACKEND, world, **point).items():
        np.testing.assert_allclose(values, other[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_with_tanh_units_the_ends_of_the_segment_differ_from_its_middle(error_rate):
    """So that the law at x_2 is a statement on ReLU units, which a study of them can refute."""

    def two(model, index):
        """Both statistics, of different worlds: what is compared as two samples has to be independent."""
        first, second = (
            measure(BACKEND, draw(BACKEND.stream(7, index + k), 20_000, n=3, rows=(40,)), model) for k in (0, 2)
        )
        return first["start"], second["midpoint"]

    assert_agrees(*two("relu", 0), tolerance=0.05)
    assert check(*two("features", 1), tolerance=0.05, alpha=error_rate).outcome == "disagrees"


def test_the_method_measures_what_it_announces():
    (method,) = STUDY.methods.values()
    measured = method.measure(BACKEND, method.draw(BACKEND.stream(1, 0), 7, **POINTS[1]), **POINTS[1])
    assert tuple(measured) == method.statistics(**POINTS[1])


def test_points_are_those_of_one_gradient():
    assert points([4], ["isotropic", "relu"], None) == [
        {"n": 4, "model": "isotropic"},
        {"n": 4, "model": "relu", "rows": (64, 64)},
    ]
