"""The study of Theorem 7 against difference quotients and least squares, one world after another."""

import math

import numpy as np
import pytest

from fragility import check
from fragility.backends import numba_backend
from fragility.backends.numpy_backend import BACKEND
from fragility.engine.study import UsageError
from fragility.testing import assert_agrees
from simulate.gradient_plane import STUDY, draw, gradients_at, measure, measure_direct, points

POINTS = [
    {"n": 7, "gradients": 2, "model": "isotropic"},
    {"n": 6, "gradients": 3, "model": "features", "rows": (9, 5)},
    {"n": 5, "gradients": 2, "model": "relu", "rows": (30, 20)},
    {"n": 3, "gradients": 1, "model": "relu", "rows": (2, 1)},
]


def outputs(x, weights, model):
    """Of one network at one point, by the formula of a layer."""
    for number, weight in enumerate(weights):
        x = math.sqrt(2 / weight.shape[1]) * weight @ x
        if number < len(weights) - 1:
            x = np.tanh(x) if model == "features" else np.where(x > 0, x, 0)
    return x


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_the_numbers_are_those_of_each_world_alone(point):
    world = draw(BACKEND.stream(3, 0), 6, **point)
    found = measure(BACKEND, world, **point)
    for k, (x, x_1, x_2) in enumerate(world[0]):
        weights = [weight[k] for weight in world[1]]
        step = 1e-6 * np.eye(point["n"])
        quotients = [outputs(x + h, weights, point["model"]) - outputs(x - h, weights, point["model"]) for h in step]
        G = np.array(quotients).T / 2e-6
        delta = x_2 - x_1
        seen = np.linalg.lstsq(G, G @ delta, rcond=1e-7)[0] if G.any() else 0 * delta
        length, whole = np.linalg.norm(seen), np.linalg.norm(delta)
        slope = np.linalg.norm(G[0])
        expected = {
            "compression": length / whole,
            "size": length,
            "difficulty": (whole / length) ** 2 if length else np.inf,
            "along_input": abs(G[0] @ x) / (slope * np.linalg.norm(x)) if slope else 0.0,
            "gradient_norm": slope,
            "open": float(slope > 0),
        }
        for name, value in expected.items():
            assert found[name][k] == pytest.approx(value, rel=1e-6, abs=1e-7), name
    assert np.max(found["output_error"]) < 1e-10


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_backends_measure_the_same_world_alike(point):
    world = draw(BACKEND.stream(3, 1), 9, **point)
    other = measure(numba_backend.BACKEND, world, **point)
    for name, values in measure(BACKEND, world, **point).items():
        np.testing.assert_allclose(values, other[name], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", STUDY.methods)
def test_methods_measure_what_they_announce(name):
    method, point = STUDY.methods[name], POINTS[2]
    measured = method.measure(BACKEND, method.draw(BACKEND.stream(1, 0), 7, **point), **point)
    assert set(measured) == set(method.statistics(**point))
    assert all(value.shape == (7,) for value in measured.values())


def test_dependent_and_vanishing_gradients_span_what_they_span():
    x, x_1 = np.ones((1, 4)), np.zeros((1, 4))
    weight = np.array([[[1.0, 2, 0, 0], [2.0, 4, 0, 0], [0.0, 0, 0, 0]]])
    vectors = np.stack([x, x_1, np.array([[2.0, -1, 3, 0]])], axis=1)
    found = measure(BACKEND, (vectors, [weight]), "isotropic")
    assert found["compression"] == pytest.approx(0, abs=1e-12)
    vectors[:, 2] = [1, 2, 0, 2]
    assert measure(BACKEND, (vectors, [weight]), "isotropic")["compression"] == pytest.approx(math.sqrt(5) / 3)


def test_a_shut_network_sees_nothing():
    weights = [-np.ones((1, 2, 3)), np.ones((1, 1, 2))]
    found = measure(BACKEND, (np.ones((1, 3, 3)) * [[[1], [1], [2]]], weights), "relu")
    assert found["compression"] == found["open"] == found["gradient_norm"] == found["along_input"] == 0
    assert found["difficulty"] == np.inf


def test_gradients_do_not_depend_on_the_batch():
    x, weights = BACKEND.stream(0, 0).normal(4, 5), draw(BACKEND.stream(0, 1), 4, 5, 2, (6, 7))[1]
    whole = gradients_at(np, x, weights, "relu")
    for k in range(4):
        one = gradients_at(np, x[k : k + 1], [weight[k : k + 1] for weight in weights], "relu")
        np.testing.assert_allclose(whole[k], one[0], rtol=1e-12)


def test_the_direct_sampler_draws_what_networks_give():
    size, point = 20_000, {"n": 5, "gradients": 3, "model": "features", "rows": (8,)}
    right, wrong = (
        measure_direct(BACKEND, STUDY.methods["direct"].draw(BACKEND.stream(5, 2 * k), size, **{**point, **other}))
        for k, other in enumerate(({}, {"gradients": 2}))
    )
    found = measure(BACKEND, draw(BACKEND.stream(5, 1), size, **point), **point)
    for name, values in right.items():
        assert_agrees(found[name], values, tolerance=0.04, decoys={"a gradient fewer": wrong[name]}, name=name)


def test_only_relu_units_see_their_own_input_as_any_direction(error_rate):
    """Gates of ReLU units say nothing of how far the input reaches along a weight; slopes of tanh units do."""

    def two(model, index):
        """Both statistics, of different worlds: what is compared as two samples has to be independent."""
        first, second = (
            measure(BACKEND, draw(BACKEND.stream(6, index + k), 20_000, n=3, gradients=1, rows=(40,)), model)
            for k in (0, 2)
        )
        return first["along_input"], second["compression"]

    assert_agrees(*two("relu", 0), tolerance=0.05)
    assert check(*two("features", 1), tolerance=0.05, alpha=error_rate).outcome == "disagrees"


def test_points_have_hidden_layers_where_the_model_has():
    assert points([4], [2], ["isotropic", "features"], None) == [
        {"n": 4, "gradients": 2, "model": "isotropic"},
        {"n": 4, "gradients": 2, "model": "features", "rows": (64,)},
    ]
    assert [point["rows"] for point in points([4], [2], ["relu"], [(5,), (6, 7)])] == [(5,), (6, 7)]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (([4], [4], ["relu"], None), "fewer than --n"),
        (([9], [2], ["relu"], [(5, 1)]), "at least --gradients"),
        (([9], [2], ["isotropic"], [(5,)]), "--model relu"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_one_line(axes, message):
    with pytest.raises(UsageError, match=message):
        points(*axes)
