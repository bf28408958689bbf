"""Kernels whose rows vanish at no frequency: random ones, of random scale."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array
from theory.worlds.circulant import Grid, kernel_on_grid


def _row_norms(kernel: Array, grid: Grid) -> Array:
    """Norms over input channels of the transfer function, of the kernel wrapped around the grid."""
    wrapped = np.zeros((*kernel.shape[:2], *grid))
    for tap in np.ndindex(*kernel.shape[2:]):
        wrapped[:, :, *np.remainder(tap, grid)] += kernel[:, :, *tap]
    return np.linalg.norm(np.fft.fftn(wrapped, axes=tuple(range(2, wrapped.ndim))), axis=1)


def kernel_without_zeros(rng: np.random.Generator, channels_in: int | None = None) -> World:
    """A kernel and its grid: row norms spread by at most 10^3, so that a matrix square root keeps nine digits."""
    while True:
        kernel, grid = kernel_on_grid(rng)
        kernel = kernel if channels_in is None else kernel[:, :channels_in]
        norms = _row_norms(kernel, grid)
        if norms.min() > 1e-3 * norms.max():
            return {"kernel": kernel, "grid": grid}


def kernel_of_one_channel(rng: np.random.Generator) -> World:
    return kernel_without_zeros(rng, channels_in=1)


def kernel_and_input(rng: np.random.Generator) -> World:
    world = kernel_without_zeros(rng)
    return {**world, "z": rng.standard_normal((world["kernel"].shape[1], *world["grid"]))}


def kernel_of_moderate_rows(rng: np.random.Generator) -> World:
    """A kernel with row norms around 1: some kernels gain and some lose by normalisation."""
    world = kernel_without_zeros(rng)
    world["kernel"] = world["kernel"] / np.mean(_row_norms(**world)) * np.exp(rng.normal())
    return world


def kernel_and_epsilon(rng: np.random.Generator) -> World:
    world = kernel_of_moderate_rows(rng)
    return {**world, "epsilon": float(rng.choice([0.0, 1e-3, 0.1, 3.0]))}


def kernel_and_factor(rng: np.random.Generator) -> World:
    return {**kernel_without_zeros(rng), "factor": float(10 ** rng.uniform(-3, 3))}


def blocks(rng: np.random.Generator) -> World:
    """Matrices of as many columns, to be stacked."""
    columns = rng.integers(1, 6)
    return {"blocks": [rng.standard_normal((rng.integers(1, 5), columns)) for _ in range(rng.integers(1, 6))]}


def shape_and_frequency(rng: np.random.Generator) -> World:
    """The shape of a row of kernels, of few enough weights for all signs to be tried, and a frequency."""
    dims = int(rng.integers(1, 3))
    shape = (int(rng.integers(1, 4)), *((int(rng.integers(1, 3)),) if dims == 1 else (1, 2)))
    grid = tuple(int(size) for size in rng.integers(2, 5, size=dims))
    place = tuple(int(rng.integers(size)) for size in grid)
    return {"shape": shape, "place": place, "grid": grid, "sd": float(rng.uniform(0.1, 2))}


def matrix_and_scaling(rng: np.random.Generator) -> World:
    """A matrix, real or complex, and a scaling of its rows near the one of unit rows, where the best one lies."""
    rows = int(rng.integers(1, 5))
    shape = (rows, rows + int(rng.integers(0, 2)))
    matrix = rng.standard_normal(shape) + 1j * rng.standard_normal(shape) * rng.integers(0, 2)
    norms = np.linalg.norm(matrix, axis=1)
    return {"matrix": matrix, "scaling": np.exp(rng.normal(size=rows) * 10.0 ** rng.integers(-2, 1)) / norms}
