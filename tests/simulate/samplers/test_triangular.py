"""The lemma's own sampler against full matrices, and the identities that its statistics obey."""

import math

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from fragility.backends import numba_backend, numpy_backend
from fragility.testing import assert_agrees
from simulate.samplers import triangular

STATISTICS = ("last", "stretch", "determinant", "corner", "column_norm", "fraction")
SHAPES = [(2, (2,)), (2, (2, 5, 3)), (3, (3,)), (3, (3, 3)), (3, (5, 4, 3)), (5, (5, 5)), (6, (6, 9, 7, 6)), (9, (9,))]
BACKEND = numba_backend.BACKEND


def sampled(n, rows, size, seed=0, backend=BACKEND):
    return triangular.measure(backend, triangular.draw(backend.stream(seed, 0), size, n, rows), n, rows)


def brute_force(n, rows, size):
    """The same statistics of full Gaussian matrices."""
    stream = BACKEND.stream(99, 0)
    with threadpool_limits(1):
        R = BACKEND.qr_chain(
            [stream.normal(size, height, width) for width, height in zip((n, *rows), rows, strict=False)]
        )
    block, column_norm = R[:, -2:, -2:], np.linalg.norm(R[:, :, -1], axis=1)
    return {
        "last": block[:, 1, 1],
        "stretch": np.linalg.norm(block @ np.array([1.0, -1.0]), axis=1) / math.sqrt(2.0),
        "determinant": block[:, 0, 0] * block[:, 1, 1],
        "corner": np.abs(block[:, 0, 1]),
        "column_norm": column_norm,
        "fraction": block[:, 1, 1] / column_norm,
    }


@pytest.mark.parametrize(("n", "rows"), [*SHAPES, (3, (4, 3))])
def test_has_the_laws_of_full_matrices(n, rows):
    """Each statistic, and three products that only a joint law gets right; a layer too few or too many is seen."""
    size = 1 << 15
    other = rows[:-1] or (*rows, *rows)
    full, ours, wrong = brute_force(n, rows, size), sampled(n, rows, size), sampled(n, other, size, seed=1)
    assert set(ours) == set(STATISTICS)
    for world in (ours, full, wrong):
        world["corner x norm"] = world["corner"] * world["column_norm"]
        world["stretch / norm"] = world["stretch"] / world["column_norm"]
        world["determinant / norm"] = world["determinant"] / world["column_norm"]
    for name in full:
        decoys = {f"layers of heights {other}": wrong[name]}
        assert_agrees(full[name], ours[name], tolerance=0.035, decoys=decoys, name=name)


@pytest.mark.parametrize(("n", "rows"), [*SHAPES, (1000, (1000,) * 5), (10**7, (10**7, 2 * 10**7))])
def test_statistics_fit_together(n, rows):
    world = sampled(n, rows, 1000)
    assert all(value.shape == (1000,) and np.all(value >= 0.0) for value in world.values())
    np.testing.assert_allclose(world["fraction"], world["last"] / world["column_norm"], rtol=1e-13)
    assert np.all(world["column_norm"] >= np.hypot(world["last"], world["corner"]) * (1 - 1e-15))
    upper = world["determinant"] / world["last"]
    nearest = np.hypot(upper - world["corner"], world["last"]), np.hypot(upper + world["corner"], world["last"])
    stretch = math.sqrt(2.0) * world["stretch"]
    error = np.minimum(*(np.abs(candidate - stretch) for candidate in nearest))
    assert np.all(error <= 1e-13 * (upper + world["corner"] + world["last"]))


def test_in_the_plane_there_is_nothing_above_the_block():
    world = sampled(2, (2, 2, 4), 1000)
    np.testing.assert_allclose(world["column_norm"], np.hypot(world["last"], world["corner"]), rtol=1e-14)


@pytest.mark.parametrize(
    ("n", "rows"), [(1000, (1000,) * 200), (10**6, (10**6,) * 60), (3, (10**6,) * 150), (2, (2,) * 1000)]
)
def test_deep_products_overflow_only_where_they_must(n, rows):
    """ln |a_n| and ln r_nn stay within six standard deviations of their means, or leave the range of float64."""
    size = 200
    world = sampled(n, rows, size)
    for name, degrees in (("column_norm", 0), ("last", n - 1)):
        mean = sum(0.5 * (math.log(2) + digamma((height - degrees) / 2)) for height in rows)
        deviation = math.sqrt(len(rows) * math.pi**2 / 8)
        if abs(mean) + 6 * deviation < 700:
            assert np.all(np.abs(np.log(world[name]) - mean) < 6 * deviation)
        elif mean > 700 + 6 * deviation:
            assert np.all(np.isinf(world[name]))
    assert np.all(np.isfinite(world["fraction"]))
    assert np.all(world["fraction"] <= 1.0)


def digamma(x):
    from scipy.special import digamma as psi

    return float(psi(x))


def test_numpy_and_numba_draw_and_measure_alike():
    first, second = (sampled(7, (8, 7, 9), 999, backend=backend) for backend in (numpy_backend.BACKEND, BACKEND))
    for name in STATISTICS:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-13)


@pytest.mark.parametrize(("n", "rows"), [(1, (1,)), (3, ()), (3, (2, 5)), (3, (4, 2))])
def test_refuses_shapes_without_a_block(n, rows):
    with pytest.raises(ValueError, match=f"n = {n}"):
        triangular.draw(BACKEND.stream(0, 0), 5, n, rows)
