"""Gradients, differences and sizes of Theorem 7: mostly in few dimensions, now and then in hundreds."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array

MANY = 0.15  # share of the worlds with hundreds of dimensions


def _dimension(rng: np.random.Generator, least: int, most: int) -> int:
    """A few dimensions, below `most`; now and then as many as an image has."""
    return int(rng.integers(100, 785)) if rng.random() < MANY else int(rng.integers(least, most))


def _seen(gradients: Array, vector: Array) -> Array:
    """The part of the vector in the span of the gradients, by least squares."""
    return np.linalg.lstsq(gradients, gradients @ vector, rcond=None)[0]


def _of_network(rng: np.random.Generator, k: int, d: int) -> Array:
    """Gradients of the outputs of a ReLU network at a random input; 0 where a layer is shut."""
    x, weights = rng.standard_normal(d), []
    for height in rng.integers(1, 33, size=rng.integers(1, 4)):
        weight = rng.standard_normal((height, x.size)) * np.sqrt(2 / x.size)
        before = weight @ x
        x = np.maximum(before, 0)
        weights.append(weight * (before > 0)[:, None])
    gradients = rng.standard_normal((k, x.size))
    for weight in reversed(weights):
        gradients = gradients @ weight
    return gradients


def local_gradients(rng: np.random.Generator) -> World:
    """Two to four gradients, independent, dependent, 0, or those of a network; a difference of points and a size."""
    d, k = _dimension(rng, 2, 9), int(rng.integers(2, 5))
    if rng.random() < 0.3:
        gradients = _of_network(rng, k, d)
    else:
        gradients = rng.standard_normal((k, d)) * 10 ** rng.uniform(-2, 2, (k, 1))
        if rng.random() < 0.3:
            gradients[1] = rng.choice((-2.0, 0.0, 1.0)) * gradients[0]
    return {"gradients": gradients, "difference": rng.standard_normal(d), "size": float(10 ** rng.uniform(-3, 0))}


def local_gradients_and_other(rng: np.random.Generator) -> World:
    world = local_gradients(rng)
    return {**world, "other": rng.standard_normal(world["difference"].size)}


def quadratics(rng: np.random.Generator) -> World:
    """Two outputs that are quadratic; every other time they bend along the part of x_2 that no gradient sees."""
    d, k = int(rng.integers(3, 7)), 2
    gradients = rng.standard_normal((k, d))
    S = rng.standard_normal((k, d, d))
    x_1, x_2 = rng.standard_normal((2, d))
    if rng.random() < 0.5:
        n = x_2 - _seen(gradients, x_2)
        S = np.broadcast_to(np.outer(n, n), (k, d, d))
        x_1 = rng.choice((0.0, rng.uniform(0, 2))) * n
        x_2 = x_1 + n
    size = float(10 ** rng.uniform(-1, -0.3))
    return {"gradients": gradients, "curvatures": S + np.swapaxes(S, 1, 2), "x_1": x_1, "x_2": x_2, "size": size}


def one_pattern(rng: np.random.Generator) -> World:
    """A hidden layer of ReLU units, and a size at which none of them switches."""
    d, width = _dimension(rng, 2, 6), int(rng.integers(2, 9))
    hidden, output = rng.standard_normal((width, d)), rng.standard_normal((2, width))
    x, x_1, x_2 = rng.standard_normal((3, d))
    before = hidden @ x
    moved = x_1 + _seen((output * (before > 0)) @ hidden, x_2 - x_1)
    size = 0.9 * np.min(np.abs(before)) / max(np.max(np.abs(hidden @ moved)), np.max(np.abs(hidden @ x_2)))
    return {"hidden": hidden, "output": output, "x": x, "x_1": x_1, "x_2": x_2, "size": float(size)}


def two_labels(rng: np.random.Generator) -> World:
    """Linear outputs whose boundary passes between both points, at times through one of them."""
    d = _dimension(rng, 1, 6)
    gradients, (x_1, x_2) = rng.standard_normal((2, d)), rng.standard_normal((2, d))
    size, share = float(10 ** rng.uniform(-3, 0)), rng.choice((0.0, 1.0, rng.random()))
    offset = -size * (gradients[0] - gradients[1]) @ (share * x_1 + (1 - share) * x_2)
    return {"gradients": gradients, "offset": float(offset), "x_1": x_1, "x_2": x_2, "size": size}


def dimensions(rng: np.random.Generator, least: int = 1) -> World:
    """More dimensions than gradients."""
    gradients = int(rng.integers(least, 6))
    return {"n": gradients + _dimension(rng, 1, 20), "gradients": gradients}


def three_gradients_or_more(rng: np.random.Generator) -> World:
    return dimensions(rng, least=3)


def widths(rng: np.random.Generator) -> World:
    """Up to three layers of up to three units, so that all patterns can be listed."""
    return {"widths": tuple(int(width) for width in rng.integers(1, 4, size=rng.integers(1, 4)))}
