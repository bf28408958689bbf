"""Softmax layers, cascades and kernels for statements on condition numbers."""

from itertools import pairwise

import numpy as np

from simulate.worlds.conditioning import _any_rank, _error, _shape, _two_or_more, _weights


def _gauge(rng):
    classes, inputs = _shape(rng, 2)
    return {"W": rng.standard_normal((classes, inputs)), "c": rng.standard_normal(inputs) * 10 ** rng.uniform(-1, 2)}


def _training(rng):
    (classes, inputs), steps = _shape(rng, 2), int(rng.integers(2, 7))
    return {
        "W": rng.standard_normal((classes, inputs)),
        "X": rng.random((steps, inputs)),
        "labels": rng.integers(classes, size=steps),
        "rate": float(rng.uniform(0.1, 1)),
        "decay": float(rng.choice((0.0, 0.1))),
    }


def _planar(rng):
    rows, columns = _shape(rng)
    return {"W": _weights(rng, rows, columns + 1, min(rows, columns))}


def _network(rng, sizes, slope):
    weights = [_weights(rng, rows, columns) for columns, rows in pairwise(sizes)]
    x, delta = rng.standard_normal((2, sizes[0])) * 10 ** rng.uniform(-2, 1, (2, 1))
    return {"weights": weights, "x": x, "delta": delta, "slope": slope}


def _cascade(rng):
    """Every third time a scalar chain, where all norms multiply."""
    layers = int(rng.integers(1, 5))
    most = 30 if rng.random() < 0.1 else 5
    sizes = [1] * (layers + 1) if rng.random() < 1 / 3 else rng.integers(1, most + 1, layers + 1).tolist()
    world = _network(rng, sizes, float(rng.choice((0.1, 0.5, 1.0))))
    if rng.random() < 0.5:
        world["delta"] = 1e-3 * np.abs(world["x"])
    return world


def _growing(rng):
    """Heights never below widths; every third time a scalar chain whose sign the error turns."""
    layers = int(rng.integers(1, 5))
    if rng.random() < 1 / 3:
        world = _network(rng, [1] * (layers + 1), 0.1)
        world["weights"] = [np.abs(W) for W in world["weights"]]
        world["x"] = -np.abs(world["x"])
        world["delta"] = -20 * world["x"]
        return world
    return _network(rng, sorted(int(size) for size in rng.integers(1, 6, layers + 1)), float(rng.choice((0.1, 0.5))))


def _convolution(rng):
    stride = int(rng.integers(1, 3))
    taps = rng.integers(1, 4, 2)
    kernel = rng.standard_normal((*rng.integers(1, 4, 2), *taps)) * 10 ** rng.uniform(-2, 2)
    if rng.random() < 0.3:
        kernel = np.ones(kernel.shape)
    start, more = None if rng.random() < 0.5 else int(rng.integers(0, taps.min())), rng.integers(0, 2, 2)
    grid = stride * (-(-taps // stride) + more) if start is None else taps + stride * (1 + more)
    return {"kernel": kernel, "grid": tuple(grid.tolist()), "stride": stride, "start": start}


WORLDS = {
    "cond.gauge": _gauge,
    "cond.zero_start": _training,
    "cond.frozen_start": _training,
    "cond.random.mean": _planar,
    "cond.random.variance": _planar,
    "cond.layers.absolute": _cascade,
    "cond.layers.telescoped": _cascade,
    "cond.layers.leaky": _growing,
    "cond.relu_product": _error,
    "cond.conv_reshape.norm_low": _convolution,
    "cond.conv_reshape.norm_high": _convolution,
    "cond.relations.frobenius_low": _two_or_more,
    "cond.relations.frobenius_high": _two_or_more,
    "cond.relations.equivalence": _any_rank,
    "cond.relations.transpose": _any_rank,
    "cond.relations.stable_rank": _any_rank,
}
