"""Kernels on periodic grids of one and two axes."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array

Grid = tuple[int, ...]


def kernel_on_grid(rng: np.random.Generator, largest: int = 3, wrap: bool = True) -> tuple[Array, Grid]:
    """Kernel and grid; taps may outnumber the points."""
    dims = int(rng.integers(1, 3))
    sizes = rng.integers(1, 5 if dims == 2 else 8, size=dims)
    taps: Array = rng.integers(1, 4, size=dims) + (2 if wrap and rng.random() < 0.3 else 0)
    if not wrap:
        taps = [min(pair) for pair in zip(taps, sizes, strict=True)]
    channels = rng.integers(1, largest + 1, size=2)
    kernel = rng.standard_normal((*channels, *taps)) * 10.0 ** rng.integers(-2, 3)
    return kernel, tuple(int(size) for size in sizes)


def _blind(rng: np.random.Generator, kernel: Array, grid: Grid) -> tuple[Array, Grid]:
    """A kernel, now and then with an output that sees nothing, or two that see the same."""
    if rng.random() < 0.2:
        kernel[0] = kernel[-1] if len(kernel) > 1 and rng.random() < 0.5 else 0
    return kernel, grid


def one_filter(rng: np.random.Generator) -> World:
    return {"a": rng.standard_normal(rng.integers(1, 9))}


def filter_and_channels(rng: np.random.Generator) -> World:
    a = rng.standard_normal(rng.integers(2, 9))
    return {"a": a, "x": rng.standard_normal((rng.integers(1, 5), a.size))}


def strided_kernel(rng: np.random.Generator) -> World:
    kernel, grid = _blind(rng, *kernel_on_grid(rng))
    stride = int(rng.integers(1, 4 - len(grid)))
    return {"kernel": kernel, "grid": tuple(stride * size for size in grid), "stride": stride}


def kernel_within_grid(rng: np.random.Generator) -> World:
    kernel, grid = kernel_on_grid(rng, wrap=False)
    return {"kernel": kernel, "grid": grid}


def kernel_and_signals(rng: np.random.Generator) -> World:
    kernel = rng.standard_normal((*rng.integers(1, 4, size=2), rng.integers(1, 6)))
    return {"kernel": kernel, "x": rng.standard_normal((kernel.shape[1], rng.integers(1, 8)))}


def padded_kernel(rng: np.random.Generator) -> World:
    kernel, grid = kernel_on_grid(rng)
    start = int(rng.integers(0, min(kernel.shape[2:])))
    return {"kernel": kernel, "grid": grid, "stride": int(rng.integers(1, 4)), "start": start}


def batch_norm(rng: np.random.Generator) -> World:
    kernel, grid = kernel_on_grid(rng)
    outputs = len(kernel)
    return {
        "kernel": kernel,
        "x": rng.standard_normal((kernel.shape[1], *grid)),
        "scale": rng.standard_normal(outputs),
        "variance": rng.uniform(0.01, 2, outputs),
        "mean": rng.standard_normal(outputs),
        "bias": rng.standard_normal(outputs),
        "epsilon": float(rng.choice([0.0, 1e-5, 1e-2])),
    }


def kernel_and_factors(rng: np.random.Generator) -> World:
    kernel, grid = _blind(rng, *kernel_on_grid(rng))
    return {"kernel": kernel, "grid": grid, "factor": rng.standard_normal(len(kernel))}
