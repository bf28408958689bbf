"""Weights, inputs and cascades whose bottom singular values are shrunk."""

from itertools import pairwise

import numpy as np


def _weights(rng, rows, columns):
    return rng.standard_normal((rows, columns)) * 10 ** rng.uniform(-1, 1)


def _any_weights(rng, most=40):
    """Small as a rule, now and then larger, or of a rank so low that some of what is shrunk is 0."""
    rows, columns = rng.integers(2, (most if rng.random() < 0.1 else 6) + 1, 2).tolist()
    W = _weights(rng, rows, columns)
    if rng.random() < 0.1:
        rank = int(rng.integers(1, min(rows, columns) + 1))
        W = W[:, :rank] @ rng.standard_normal((rank, columns))
    return W


def _share(rng):
    return float(rng.choice((0.0, 0.1, 0.5, 0.9, 1.0)))


def _shrunk(rng, least=0):
    W = _any_weights(rng)
    return {"W": W, "k": int(rng.integers(least, min(W.shape) + 1)), "s": _share(rng)}


def _errors(rng):
    return _shrunk(rng, 1)


def _input(rng):
    """Every third time an input along the bottom, where bounds are nearly attained."""
    world = _shrunk(rng, 1)
    W = world["W"]
    x = rng.standard_normal(W.shape[1]) * 10 ** rng.uniform(-1, 1)
    if rng.random() < 1 / 3:
        x = np.linalg.svd(W, full_matrices=False)[2][-world["k"]]
    return {**world, "x": x}


def _biased(rng):
    world = _input(rng)
    return {**world, "bias": rng.standard_normal(len(world["W"]))}


def _opposed(rng):
    """Every other time class 0 and 1 differ along the bottom vector only, so that the norm bound is nearly attained."""
    if rng.random() < 0.5:
        return _input(rng)
    scale = 10 ** rng.uniform(-1, 1)
    turn = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    W = scale * turn * np.array([3.0, 1.0])
    return {"W": W, "k": 1, "s": _share(rng), "x": np.array([0.1 * rng.normal(), 1.0])}


def _parts(rng):
    world = _input(rng)
    del world["s"]
    return world


def _lower_rank(rng):
    """Near the truncation every other time."""
    W = _any_weights(rng)
    k = int(rng.integers(1, min(W.shape) + 1))
    rank = min(W.shape) - k
    U, sigma, Vh = np.linalg.svd(W, full_matrices=False)
    left, right = U[:, :rank] * sigma[:rank], Vh[:rank]
    size = 1e-3 if rng.random() < 0.5 else 1.0
    B = (left + size * rng.standard_normal(left.shape)) @ (right + size * rng.standard_normal(right.shape))
    return {"W": W, "k": k, "B": B}


def _cascade(rng):
    """Every third time a chain of two equal units, in which everything adds up along one path."""
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


def _rank_one(rng):
    W = _any_weights(rng)
    return {"W": W, "X": rng.standard_normal((50, W.shape[1])), "k": min(W.shape) - 1}


def _classes(rng):
    W = _any_weights(rng, most=6)
    return {"W": W, "X": rng.standard_normal((50, W.shape[1])), "k": int(rng.integers(0, min(W.shape)))}


def _residual(rng):
    W = _any_weights(rng)
    p = rng.dirichlet(np.ones(len(W)))
    return {"W": W, "residual": p - np.eye(len(W))[rng.integers(len(W))]}


def _wide(rng):
    rows = int(rng.integers(2, 6))
    W = _weights(rng, rows, rows + int(rng.integers(0, 3)))
    if rng.random() < 0.3:
        W = np.linalg.qr(W.T)[0].T
    return {"W": W, "k": int(rng.integers(1, rows + 1))}


WORLDS = {
    "latent.svd.spectrum": _shrunk,
    "latent.svd.errors": _errors,
    "latent.svd.eckart_young": _lower_rank,
    "latent.svd.match": _input,
    "latent.linear.margin": _biased,
    "latent.linear.every_share": _parts,
    "latent.linear.repair": _parts,
    "latent.linear.change": _input,
    "latent.linear.change.norm": _opposed,
    "latent.cascade.logits": _cascade,
    "latent.cascade.norms": _cascade,
    "latent.cascade.margin": _cascade,
    "latent.rank_one": _rank_one,
    "latent.reachable": _classes,
    "latent.gradient.energy": _residual,
    "latent.gradient.bottom": _wide,
}
