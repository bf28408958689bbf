"""Layers and inputs for statements on condition numbers."""

import numpy as np


def _shape(rng, least=1, largest=40):
    """Small, so that every case comes up; now and then larger."""
    most = largest if rng.random() < 0.1 else 6
    return tuple(int(size) for size in rng.integers(least, most + 1, 2))


def _weights(rng, rows, columns, rank=None):
    """Of any scale and conditioning; of full rank unless told."""
    rank = min(rows, columns) if rank is None else rank
    left = np.linalg.qr(rng.standard_normal((rows, rank)))[0]
    right = np.linalg.qr(rng.standard_normal((columns, rank)))[0]
    sigma = 10 ** rng.uniform(-1.5, 1.5, rank)
    return 10 ** rng.uniform(-2, 2) * (left * sigma) @ right.T


def _full_rank(rng):
    return {"W": _weights(rng, *_shape(rng))}


def _two_or_more(rng):
    return {"W": _weights(rng, *_shape(rng, 2))}


def _any_rank(rng, largest=40):
    """Of full rank, of any lower one, and with an output that sees nothing."""
    rows, columns = _shape(rng, largest=largest)
    W = _weights(rng, rows, columns, int(rng.integers(1, min(rows, columns) + 1)))
    if rows > 1 and rng.random() < 0.1:
        W[rng.integers(rows)] = 0
    return {"W": W}


def _square(rng):
    size = _shape(rng)[0]
    return {"A": _weights(rng, size, size)}


def _orthogonal(rng):
    return {"Q": np.linalg.qr(rng.standard_normal(2 * _shape(rng)[:1]))[0]}


def _errors(rng, W):
    """Random inputs and errors, and every other time those that are worst for the Euclidean norm."""
    x, delta = rng.standard_normal((2, W.shape[1])) * 10 ** rng.uniform(-2, 2, (2, 1))
    if rng.random() < 0.5:
        sigma, Vh = np.linalg.svd(W)[1:]
        x, delta = Vh[np.sum(sigma > 1e-9 * sigma[0]) - 1] + 1e-3 * rng.standard_normal(x.shape), Vh[0]
    return {"W": W, "x": x, "delta": delta}


def _error(rng):
    return _errors(rng, _any_rank(rng)["W"])


def _tall_error(rng):
    rows, columns = sorted(_shape(rng), reverse=True)
    return _errors(rng, _weights(rng, rows, columns))


def _input(rng):
    world = _any_rank(rng)
    return {**world, "x": rng.standard_normal(world["W"].shape[1]) * 10 ** rng.uniform(-2, 2)}


WORLDS = {
    "cond.definition.singular.corrected": _full_rank,
    "cond.definition.square": _square,
    "cond.definition.orthogonal": _orthogonal,
    "cond.norm.corrected": lambda rng: _any_rank(rng, largest=9),  # all 2^n corners of a cube are tried
    "cond.relative_error.corrected": _error,
    "cond.relative_error.full_rank": _tall_error,
    "cond.relative_error.attained": _full_rank,
    "cond.effective": _input,
    "cond.effective.bound": _input,
    "cond.pseudo_inverse.corrected": _any_rank,
}
