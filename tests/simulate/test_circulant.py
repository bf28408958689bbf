"""The study against convolutions by their definition, and the frequencies against the operator's matrix."""

import numpy as np
import pytest
from scipy import signal

from fragility.backends.numpy_backend import BACKEND
from fragility.engine.study import UsageError
from simulate.circulant import STUDY, draw, measure_frequencies, measure_matrix, points

POINTS = [
    {"n": 4, "channels_in": 3, "channels_out": 2, "taps": 3, "frequency": (1, 3)},
    {"n": 3, "channels_in": 2, "channels_out": 3, "taps": 3, "frequency": (0, 0)},
    {"n": 5, "channels_in": 2, "channels_out": 1, "taps": 2, "frequency": (4, 2)},
    {"n": 2, "channels_in": 1, "channels_out": 2, "taps": 1, "frequency": (1, 1)},
    {"n": 1, "channels_in": 2, "channels_out": 2, "taps": 1, "frequency": (0, 0)},
]


def kernels(point, size=5, seed=3):
    return draw(BACKEND.stream(seed, 0), size, **point)


def operator(kernel, n):
    """The convolution's matrix, column by column from images with one white pixel."""
    outputs, inputs = kernel.shape[:2]
    columns = []
    for j in range(inputs):
        for pixel in range(n * n):
            image = np.zeros(n * n)
            image[pixel] = 1
            tiled = np.tile(image.reshape(n, n), (3, 3))
            wrapped = [signal.convolve2d(tiled, kernel[k, j])[n : 2 * n, n : 2 * n].ravel() for k in range(outputs)]
            columns.append(np.concatenate(wrapped))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_the_matrix_way_measures_the_convolution(point):
    n, outputs = point["n"], point["channels_out"]
    world = kernels(point, 2)
    found = measure_matrix(BACKEND, world, **point)
    grid = np.arange(n)
    wave = np.exp(2j * np.pi * (np.add.outer(point["frequency"][0] * grid, point["frequency"][1] * grid)) / n) / n
    for draw_, kernel in enumerate(world):
        A = operator(kernel, n)
        blocks = np.split(A, outputs)
        Q = []
        for block in blocks:
            U, _, Vh = np.linalg.svd(block, full_matrices=False)
            Q.append(U @ Vh)  # the orthogonal factor of the block
        assert found["norm"][draw_] == pytest.approx(np.linalg.norm(A, 2))
        assert found["norm_after"][draw_] == pytest.approx(np.linalg.norm(np.concatenate(Q), 2))
        powers = [np.linalg.norm(block.T @ wave.ravel()) ** 2 for block in blocks]
        np.testing.assert_allclose(found["row_power"][draw_], powers)
        if outputs > 1:
            first, second = (block.T @ wave.ravel() for block in Q[:2])
            assert found["overlap"][draw_] == pytest.approx(abs(np.vdot(first, second)) ** 2)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_both_ways_measure_the_same_world_alike(point):
    world = kernels(point, 20)
    matrix, frequencies = (measure(BACKEND, world, **point) for measure in (measure_matrix, measure_frequencies))
    for name, value in matrix.items():
        np.testing.assert_allclose(frequencies[name], value, rtol=1e-7, err_msg=name)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_normalised_rows_have_the_norms_that_they_must(point):
    found = measure_frequencies(BACKEND, kernels(point, 50), **point)
    outputs, inputs = point["channels_out"], point["channels_in"]
    assert np.all(found["norm_after"] <= np.sqrt(outputs) * (1 + 1e-12))
    assert np.all(found["norm_after"] >= np.sqrt(outputs / min(outputs, inputs)) * (1 - 1e-12))


def test_large_grids_are_left_to_the_frequencies():
    point = {"n": 32, "channels_in": 3, "channels_out": 16, "taps": 3, "frequency": (0, 1)}
    assert "--method frequencies" in STUDY.methods["matrix"].obstacle(**point)
    assert STUDY.methods["frequencies"].obstacle(**point) is None


def test_points_lie_on_the_grid():
    assert points([4], [3], [2], [3], None) == [
        {"n": 4, "channels_in": 3, "channels_out": 2, "taps": 3, "frequency": (0, 1)}
    ]
    with pytest.raises(UsageError, match="--taps must be at most n = 2"):
        points([2], [1], [1], [3], None)
    with pytest.raises(UsageError, match=r"--frequency must be two integers from 0 to n - 1 = 3, got 1,4"):
        points([4], [1], [1], [3], [(1, 4)])
    with pytest.raises(UsageError, match="--frequency must be two integers"):
        STUDY.grid["frequency"].parse("1")
