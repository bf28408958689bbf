"""Kernels on periodic grids of one and two axes."""

import numpy as np


def seq(shape, start, scale):
    """Reproducible numbers of no structure: scale sin(1.7 t + 0.1 t^2 + start), row by row."""
    t = np.arange(np.prod(shape))
    return scale * np.sin(1.7 * t + 0.1 * t**2 + start).reshape(shape)


def kernel_on_grid(rng, largest=3, wrap=True):
    """Kernel and grid; taps may outnumber the points."""
    dims = int(rng.integers(1, 3))
    sizes = rng.integers(1, 5 if dims == 2 else 8, size=dims)
    taps = rng.integers(1, 4, size=dims) + (2 if wrap and rng.random() < 0.3 else 0)
    if not wrap:
        taps = [min(pair) for pair in zip(taps, sizes, strict=True)]
    channels = rng.integers(1, largest + 1, size=2)
    kernel = rng.standard_normal((*channels, *taps)) * 10.0 ** rng.integers(-2, 3)
    return kernel, tuple(int(size) for size in sizes)


def _blind(rng, kernel, grid):
    """Now and then with an output that sees nothing, or two that see the same."""
    if rng.random() < 0.2:
        kernel[0] = kernel[-1] if len(kernel) > 1 and rng.random() < 0.5 else 0
    return kernel, grid


def _filter(rng):
    return {"a": rng.standard_normal(rng.integers(1, 9))}


def _channels(rng):
    a = rng.standard_normal(rng.integers(2, 9))
    return {"a": a, "x": rng.standard_normal((rng.integers(1, 5), a.size))}


def _strided(rng):
    kernel, grid = _blind(rng, *kernel_on_grid(rng))
    stride = int(rng.integers(1, 4 - len(grid)))
    return {"kernel": kernel, "grid": tuple(stride * size for size in grid), "stride": stride}


def _unwrapped(rng):
    kernel, grid = kernel_on_grid(rng, wrap=False)
    return {"kernel": kernel, "grid": grid}


def _signals(rng):
    kernel = rng.standard_normal((*rng.integers(1, 4, size=2), rng.integers(1, 6)))
    return {"kernel": kernel, "x": rng.standard_normal((kernel.shape[1], rng.integers(1, 8)))}


def _padded(rng):
    kernel, grid = kernel_on_grid(rng)
    start = int(rng.integers(0, min(kernel.shape[2:])))
    return {"kernel": kernel, "grid": grid, "stride": int(rng.integers(1, 4)), "start": start}


def _normalised(rng):
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


def _scaled(rng):
    kernel, grid = _blind(rng, *kernel_on_grid(rng))
    return {"kernel": kernel, "grid": grid, "factor": rng.standard_normal(len(kernel))}


WORLDS = {
    "norm.circulant.dft.corrected": _filter,
    "norm.circulant.size.corrected": _channels,
    "norm.circulant.singular_values": _strided,
    "norm.circulant.power": _unwrapped,
    "norm.circulant.condition": _unwrapped,
    "norm.linear_convolution": _signals,
    "norm.zero_padding": _padded,
    "norm.batch_norm.fold": _normalised,
    "norm.batch_norm.bound": _scaled,
}
