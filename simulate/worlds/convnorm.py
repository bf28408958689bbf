"""Kernels whose rows vanish at no frequency: random ones, of random scale."""

import numpy as np

from simulate.worlds.circulant import kernel_on_grid


def _row_norms(kernel, grid):
    """Norms over input channels of the transfer function, of the kernel wrapped around the grid."""
    wrapped = np.zeros((*kernel.shape[:2], *grid))
    for tap in np.ndindex(*kernel.shape[2:]):
        wrapped[:, :, *np.remainder(tap, grid)] += kernel[:, :, *tap]
    return np.linalg.norm(np.fft.fftn(wrapped, axes=tuple(range(2, wrapped.ndim))), axis=1)


def _kernel(rng, channels_in=None):
    """Row norms spread by at most 10^3, so that a matrix square root keeps nine digits."""
    while True:
        kernel, grid = kernel_on_grid(rng)
        kernel = kernel if channels_in is None else kernel[:, :channels_in]
        norms = _row_norms(kernel, grid)
        if norms.min() > 1e-3 * norms.max():
            return {"kernel": kernel, "grid": grid}


def _with_input(rng):
    world = _kernel(rng)
    return {**world, "z": rng.standard_normal((world["kernel"].shape[1], *world["grid"]))}


def _moderate(rng):
    """Row norms around 1: some kernels gain and some lose by normalisation."""
    world = _kernel(rng)
    world["kernel"] = world["kernel"] / np.mean(_row_norms(**world)) * np.exp(rng.normal())
    return world


def _with_epsilon(rng):
    world = _moderate(rng)
    return {**world, "epsilon": float(rng.choice([0.0, 1e-3, 0.1, 3.0]))}


def _rescaled(rng):
    return {**_kernel(rng), "factor": float(10 ** rng.uniform(-3, 3))}


def _blocks(rng):
    columns = rng.integers(1, 6)
    return {"blocks": [rng.standard_normal((rng.integers(1, 5), columns)) for _ in range(rng.integers(1, 6))]}


def _signs(rng):
    dims = int(rng.integers(1, 3))
    shape = (int(rng.integers(1, 4)), *((int(rng.integers(1, 3)),) if dims == 1 else (1, 2)))
    grid = tuple(int(size) for size in rng.integers(2, 5, size=dims))
    place = tuple(int(rng.integers(size)) for size in grid)
    return {"shape": shape, "place": place, "grid": grid, "sd": float(rng.uniform(0.1, 2))}


def _scaling(rng):
    """Scalings near the one of unit rows, where the best one lies; complex matrices as transfer functions are."""
    rows = int(rng.integers(1, 5))
    shape = (rows, rows + int(rng.integers(0, 2)))
    matrix = rng.standard_normal(shape) + 1j * rng.standard_normal(shape) * rng.integers(0, 2)
    norms = np.linalg.norm(matrix, axis=1)
    return {"matrix": matrix, "scaling": np.exp(rng.normal(size=rows) * 10.0 ** rng.integers(-2, 1)) / norms}


WORLDS = {
    "norm.eq1": _kernel,
    "norm.eq1.input.corrected": _with_input,
    "norm.tight_frame.corrected": _with_epsilon,
    "norm.preconditioner.norm": _kernel,
    "norm.scale": _rescaled,
    "norm.prop3.1": _blocks,
    "norm.prop3.1.lower": _blocks,
    "norm.range": _kernel,
    "norm.range.one_channel": lambda rng: _kernel(rng, channels_in=1),
    "norm.reduces.corrected": _moderate,
    "norm.initial.power": _signs,
    "norm.van_der_sluis": _scaling,
}
