"""Weights, inputs and cascades whose bottom singular values are shrunk."""

from itertools import pairwise

import numpy as np

from fragility.space import World
from theory.numerics.array import Array


def _weights(rng: np.random.Generator, rows: int, columns: int) -> Array:
    return rng.standard_normal((rows, columns)) * 10 ** rng.uniform(-1, 1)


def _any_weights(rng: np.random.Generator, most: int = 40) -> Array:
    """A matrix that is small as a rule, now and then larger, or of a rank so low that some of what is shrunk is 0."""
    rows, columns = rng.integers(2, (most if rng.random() < 0.1 else 6) + 1, 2).tolist()
    W = _weights(rng, rows, columns)
    if rng.random() < 0.1:
        rank = int(rng.integers(1, min(rows, columns) + 1))
        W = W[:, :rank] @ rng.standard_normal((rank, columns))
    return W


def _share(rng: np.random.Generator) -> float:
    """What is left of the singular values that are shrunk."""
    return float(rng.choice((0.0, 0.1, 0.5, 0.9, 1.0)))


def shrunk_weights(rng: np.random.Generator, least: int = 0) -> World:
    """A matrix, how many of its singular values are shrunk, `least` at least, and by what."""
    W = _any_weights(rng)
    return {"W": W, "k": int(rng.integers(least, min(W.shape) + 1)), "s": _share(rng)}


def weights_with_a_bottom(rng: np.random.Generator) -> World:
    """A matrix of which one singular value is shrunk, or more."""
    return shrunk_weights(rng, 1)


def shrunk_layer(rng: np.random.Generator) -> World:
    """A layer and an input, every third time along the bottom, where bounds are nearly attained."""
    world = weights_with_a_bottom(rng)
    W = world["W"]
    x = rng.standard_normal(W.shape[1]) * 10 ** rng.uniform(-1, 1)
    if rng.random() < 1 / 3:
        x = np.linalg.svd(W, full_matrices=False)[2][-world["k"]]
    return {**world, "x": x}


def shrunk_layer_with_bias(rng: np.random.Generator) -> World:
    world = shrunk_layer(rng)
    return {**world, "bias": rng.standard_normal(len(world["W"]))}


def opposed_classes(rng: np.random.Generator) -> World:
    """A layer and an input; every other time classes 0 and 1 differ along the bottom vector only, so that the norm
    bound is nearly attained.
    """
    if rng.random() < 0.5:
        return shrunk_layer(rng)
    scale = 10 ** rng.uniform(-1, 1)
    turn = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    W = scale * turn * np.array([3.0, 1.0])
    return {"W": W, "k": 1, "s": _share(rng), "x": np.array([0.1 * rng.normal(), 1.0])}


def layer_and_count(rng: np.random.Generator) -> World:
    """A layer, an input, and how many singular values are shrunk, by all shares."""
    world = shrunk_layer(rng)
    del world["s"]
    return world


def matrix_of_lower_rank(rng: np.random.Generator) -> World:
    """Another matrix of the rank of a truncation, every other time near to it."""
    W = _any_weights(rng)
    k = int(rng.integers(1, min(W.shape) + 1))
    rank = min(W.shape) - k
    U, sigma, Vh = np.linalg.svd(W, full_matrices=False)
    left, right = U[:, :rank] * sigma[:rank], Vh[:rank]
    size = 1e-3 if rng.random() < 0.5 else 1.0
    B = (left + size * rng.standard_normal(left.shape)) @ (right + size * rng.standard_normal(right.shape))
    return {"W": W, "k": k, "B": B}


def cascade(rng: np.random.Generator) -> World:
    """A network of which every layer is shrunk.

    Every third time it is a chain of two equal units, in which everything adds up along one path.
    """
    layers = int(rng.integers(1, 5))
    if rng.random() < 1 / 3:
        turn = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
        weights = [np.diag([2.0, 1.0])] * (layers - 1) + [turn * np.array([2.0, 1.0])]
        x, biases = np.array([0.0, 1.0]), [np.zeros(2)] * layers
        return {"weights": weights, "biases": biases, "x": x, "counts": [1] * layers, "s": _share(rng)}
    sizes = [*(int(size) for size in rng.integers(1, 6, layers)), int(rng.integers(2, 6))]
    weights = [_weights(rng, rows, columns) for columns, rows in pairwise(sizes)]
    return {
        "weights": weights,
        "biases": [rng.standard_normal(len(W)) for W in weights],
        "x": rng.standard_normal(sizes[0]),
        "counts": [int(rng.integers(0, min(W.shape) + 1)) for W in weights],
        "s": _share(rng),
    }


def weights_but_one(rng: np.random.Generator) -> World:
    """A layer and inputs; all its singular values but one are dropped."""
    W = _any_weights(rng)
    return {"W": W, "X": rng.standard_normal((50, W.shape[1])), "k": min(W.shape) - 1}


def weights_and_inputs(rng: np.random.Generator) -> World:
    """A layer and inputs; of its singular values one is left at least."""
    W = _any_weights(rng, most=6)
    return {"W": W, "X": rng.standard_normal((50, W.shape[1])), "k": int(rng.integers(0, min(W.shape)))}


def softmax_residual(rng: np.random.Generator) -> World:
    """A layer, and probabilities less the unit vector of a label."""
    W = _any_weights(rng)
    p = rng.dirichlet(np.ones(len(W)))
    return {"W": W, "residual": p - np.eye(len(W))[rng.integers(len(W))]}


def wide_weights(rng: np.random.Generator) -> World:
    """A matrix of no fewer columns than rows, now and then with orthonormal rows."""
    rows = int(rng.integers(2, 6))
    W = _weights(rng, rows, rows + int(rng.integers(0, 3)))
    if rng.random() < 0.3:
        W = np.linalg.qr(W.T)[0].T
    return {"W": W, "k": int(rng.integers(1, rows + 1))}
