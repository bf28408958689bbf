"""Single layers, cascades and kernels for statements on condition numbers."""

from itertools import pairwise

import numpy as np

from fragility.space import World
from theory.worlds.condition_numbers import matrix, shape


def more_columns_than_rank(rng: np.random.Generator) -> World:
    rows, columns = shape(rng)
    return {"W": matrix(rng, rows, columns + 1, min(rows, columns))}


def _network(rng: np.random.Generator, sizes: list[int], slope: float) -> World:
    """Weights between layers of these sizes, with an input and an error of any scale."""
    weights = [matrix(rng, rows, columns) for columns, rows in pairwise(sizes)]
    x, delta = rng.standard_normal((2, sizes[0])) * 10 ** rng.uniform(-2, 1, (2, 1))
    return {"weights": weights, "x": x, "delta": delta, "slope": slope}


def cascade(rng: np.random.Generator) -> World:
    """A network with an error; every third time a scalar chain, where all norms multiply."""
    layers = int(rng.integers(1, 5))
    most = 30 if rng.random() < 0.1 else 5
    sizes = [1] * (layers + 1) if rng.random() < 1 / 3 else rng.integers(1, most + 1, layers + 1).tolist()
    world = _network(rng, sizes, float(rng.choice((0.1, 0.5, 1.0))))
    if rng.random() < 0.5:
        world["delta"] = 1e-3 * np.abs(world["x"])
    return world


def cascade_of_full_column_rank(rng: np.random.Generator) -> World:
    """A network with an error: heights never below widths.

    Every third time it is a scalar chain, and the error turns its sign.
    """
    layers = int(rng.integers(1, 5))
    if rng.random() < 1 / 3:
        world = _network(rng, [1] * (layers + 1), 0.1)
        world["weights"] = [np.abs(W) for W in world["weights"]]
        world["x"] = -np.abs(world["x"])
        world["delta"] = -20 * world["x"]
        return world
    return _network(rng, sorted(int(size) for size in rng.integers(1, 6, layers + 1)), float(rng.choice((0.1, 0.5))))


def convolution(rng: np.random.Generator) -> World:
    stride = int(rng.integers(1, 3))
    taps = rng.integers(1, 4, 2)
    kernel = rng.standard_normal((*rng.integers(1, 4, 2), *taps)) * 10 ** rng.uniform(-2, 2)
    if rng.random() < 0.3:
        kernel = np.ones(kernel.shape)
    start, more = None if rng.random() < 0.5 else int(rng.integers(0, taps.min())), rng.integers(0, 2, 2)
    grid = stride * (-(-taps // stride) + more) if start is None else taps + stride * (1 + more)
    return {"kernel": kernel, "grid": tuple(grid.tolist()), "stride": stride, "start": start}
