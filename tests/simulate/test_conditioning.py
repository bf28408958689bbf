"""The study against matrices taken one by one, and the bidiagonal form against the full one."""

import math

import numpy as np
import pytest

from fragility.backends.numpy_backend import BACKEND
from fragility.testing import assert_agrees
from simulate.conditioning import STUDY, draw, measure, measure_inverse, points
from simulate.samplers import bidiagonal

SHAPES = [(6, (6,)), (3, (7,)), (8, (3,)), (2, (1,)), (1, (4,))]


def world(n, rows, size=4):
    return draw(BACKEND.stream(3, 0), size, n, rows)


def growth(W, x, delta):
    stretch = [np.linalg.norm(W @ v) / np.linalg.norm(v) for v in (delta, x)]
    return stretch[0] / stretch[1]


def beside(vector, x):
    return vector - (vector @ x) / (x @ x) * x


@pytest.mark.parametrize(("n", "rows"), SHAPES)
def test_singular_values_and_random_errors(n, rows):
    W, vectors = world(n, rows)
    found = measure(BACKEND, (W, vectors), n, rows)
    for k, (one, (x, delta)) in enumerate(zip(W, vectors, strict=True)):
        sigma = np.linalg.svd(one)[1]
        assert found["smallest"][k] == pytest.approx(sigma[-1])
        assert found["scaled_smallest"][k] == pytest.approx(math.sqrt(n) * sigma[-1])
        assert found["condition"][k] == pytest.approx(sigma[0] / sigma[-1])
        assert found["condition_per_column"][k] == pytest.approx(sigma[0] / sigma[-1] / n)
        if n > 1:
            assert found["growth"][k] == pytest.approx(growth(one, x, beside(delta, x)) ** 2)


@pytest.mark.parametrize(("n", "rows"), SHAPES)
def test_what_takes_the_pseudo_inverse(n, rows):
    W, vectors = world(n, rows)
    found = measure_inverse(BACKEND, (W, vectors), n, rows)
    for k, (one, (x, delta)) in enumerate(zip(W, vectors, strict=True)):
        inverse = np.linalg.pinv(one)
        for name, norm in (("condition_1", 1), ("condition_inf", math.inf), ("condition_fro", "fro")):
            expected = np.linalg.norm(one, norm) * np.linalg.norm(inverse, norm)
            assert found[name][k] == pytest.approx(expected), name
        basis = np.linalg.qr(one.T)[0]
        assert found["seen"][k] == pytest.approx(np.sum((basis.T @ x) ** 2) / (x @ x))
        assert found["worst"][k] == pytest.approx(np.linalg.cond(one))
        if min(n, *rows) > 1:
            x, delta = basis @ (basis.T @ x), basis @ (basis.T @ delta)
            assert found["row_space_growth"][k] == pytest.approx(growth(one, x, beside(delta, x)) ** 2)


@pytest.mark.parametrize(("n", "rows"), [*SHAPES, (1, (1,)), (60, (60,)), (20, (90,))])
def test_the_bidiagonal_way_finds_the_extreme_singular_values(n, rows):
    form = bidiagonal.draw(BACKEND.stream(4, 0), 30, n, rows)
    found = bidiagonal.measure(BACKEND, form, n, rows)
    for k in range(30):
        B = np.diag(np.sqrt(form.diagonal[:, k])) + np.diag(np.sqrt(form.above[:, k]), 1)
        sigma = np.linalg.svd(B)[1]
        assert found["smallest"][k] == pytest.approx(sigma[-1], rel=1e-10)
        assert found["condition"][k] == pytest.approx(sigma[0] / sigma[-1], rel=1e-10)


@pytest.mark.parametrize(("n", "rows"), [(5, (5,)), (4, (9,)), (9, (4,))])
def test_the_bidiagonal_form_has_the_law_of_the_full_matrix(n, rows):
    size = 20_000
    full = measure(BACKEND, world(n, rows, size), n, rows)
    form, taller = (
        bidiagonal.measure(BACKEND, bidiagonal.draw(BACKEND.stream(5, k), size, n, heights), n, heights)
        for k, heights in enumerate((rows, (rows[0] + 1,)))
    )
    for name in ("smallest", "condition"):
        assert_agrees(full[name], form[name], tolerance=0.04, decoys={"a row more": taller[name]}, name=name)


def test_large_layers_take_the_bidiagonal_way():
    usable = {
        size: [name for name, way in STUDY.methods.items() if not way.obstacle(n=size, rows=(size,))]
        for size in (64, 65)
    }
    assert usable == {64: ["values", "inverse", "bidiagonal"], 65: ["bidiagonal"]}
    assert "--method bidiagonal" in STUDY.methods["values"].obstacle(n=65, rows=(99,))


def test_square_layers_are_the_default():
    assert points([3, 4], None) == [{"n": 3, "rows": (3,)}, {"n": 4, "rows": (4,)}]
    assert points([3], [2, 5]) == [{"n": 3, "rows": (2,)}, {"n": 3, "rows": (5,)}]
