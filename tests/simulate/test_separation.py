"""The study against loops over pairs and over signs, and its short cut against the points themselves."""

import math
from itertools import combinations, product

import numpy as np
import pytest

from fragility.backends.numba_backend import BACKEND as NUMBA
from fragility.backends.numpy_backend import BACKEND
from fragility.testing import assert_agrees
from simulate import separation
from simulate.separation import CLOSE, SHORT, STUDY, draw, draw_star, measure, measure_signs, measure_star


def matrices(world):
    whole = world[0]
    for factor in world[1:]:
        whole = factor @ whole
    return whole


@pytest.mark.parametrize(("n", "rows"), [(6, (6,)), (9, (4,)), (5, (7, 6)), (2, (3, 2, 3))])
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_pairs_are_measured_as_one_by_one(n, rows, block, monkeypatch):
    monkeypatch.setattr(separation, "BLOCK", block)
    world = draw(BACKEND.stream(1, 0), 4, n, rows)
    found, again = measure(BACKEND, world, n, rows), measure(NUMBA, world, n, rows)
    typical = math.sqrt(2 * math.prod(rows))
    for k, matrix in enumerate(matrices(world)):
        pairs = [np.linalg.norm(matrix[:, i] - matrix[:, j]) for i, j in combinations(range(n), 2)]
        to_last = [np.linalg.norm(matrix[:, i] - matrix[:, -1]) for i in range(n - 1)]
        assert found["distance"][k] == pytest.approx(to_last[-1])
        assert found["nearest"][k] == pytest.approx(min(to_last))
        assert found["closest"][k] == pytest.approx(min(pairs))
        assert found["deficit"][k] == pytest.approx(1 - min(pairs) / typical)
        assert found["close_pairs"][k] == pytest.approx(np.mean(np.array(pairs) < CLOSE * typical))
    for name, values in found.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_differences_of_signs_are_measured_as_one_by_one(n):
    world = draw(BACKEND.stream(2, 0), 3, n, (n,))
    found, again = measure_signs(BACKEND, world, n, (n,)), measure_signs(NUMBA, world, n, (n,))
    points = np.array(list(product((-1.0, 1.0), repeat=n)))
    for k, matrix in enumerate(world[0]):
        above, below = (points[points[:, -1] == sign] @ matrix.T for sign in (1, -1))
        closest = min(np.linalg.norm(x - y) for x in above for y in below)
        halves = {tuple((z - y) / 2) for z in points if z[-1] > 0 for y in points if y[-1] < 0}
        lengths = np.linalg.norm(np.array(sorted(halves)) @ matrix.T, axis=1)
        assert found["opposite"][k] == pytest.approx(closest)
        assert found["opposite_deficit"][k] == pytest.approx(1 - closest / (2 * math.sqrt(n)))
        assert found["short_differences"][k] == pytest.approx(np.mean(lengths < SHORT * math.sqrt(n)))
    for name, values in found.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-12, err_msg=name)


def first_turns(stream, size, n, d):
    """How far to go along the first coordinate until another point is nearer, of all coordinates of the points."""
    steps = stream.normal(size, n, d)
    steps = steps[:, 1:] - steps[:, :1]
    with np.errstate(divide="ignore"):
        turns = np.where(steps[:, :, 0] > 0, np.sum(steps**2, axis=2) / (2 * steps[:, :, 0]), np.inf)
    return turns.min(axis=1)


def test_a_few_coordinates_are_enough_for_a_fixed_direction():
    """Against all coordinates of the points: the same law, the mass at infinity included."""
    size, n, d = 20_000, 6, 4
    short = measure_star(BACKEND, draw_star(BACKEND.stream(3, 0), size, n, (d,)), n, (d,))["random_tolerance"]
    whole, wrong = first_turns(BACKEND.stream(4, 0), size, n, d), first_turns(BACKEND.stream(4, 1), size, n, d + 1)
    assert_agrees(short, whole, tolerance=0.04, decoys={"a dimension more": wrong})


@pytest.mark.parametrize("name", STUDY.methods)
def test_methods_measure_what_they_announce(name):
    method, point = STUDY.methods[name], {"n": 4, "rows": (4,)}
    assert method.obstacle(**point) is None
    measured = method.measure(BACKEND, method.draw(BACKEND.stream(1, 0), 7, **point), **point)
    assert set(measured) == set(method.statistics(**point))
    assert all(value.shape == (7,) for value in measured.values())


def test_obstacles_name_the_way_out():
    assert "--method star" in STUDY.methods["pairs"].obstacle(n=2**15, rows=(4,))
    assert "n <= 13" in STUDY.methods["signs"].obstacle(n=14, rows=(14,))
    assert STUDY.methods["star"].obstacle(n=4, rows=(4, 4))
