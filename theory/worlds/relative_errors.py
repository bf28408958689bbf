"""Layers with inputs and errors, and softmax layers with what hides in them."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array
from theory.worlds.condition_numbers import any_rank, matrix, shape


def _errors(rng: np.random.Generator, W: Array) -> World:
    """A layer with random inputs and errors, and every other time those that are worst for the Euclidean norm."""
    x, delta = rng.standard_normal((2, W.shape[1])) * 10 ** rng.uniform(-2, 2, (2, 1))
    if rng.random() < 0.5:
        sigma, Vh = np.linalg.svd(W)[1:]
        x, delta = Vh[np.sum(sigma > 1e-9 * sigma[0]) - 1] + 1e-3 * rng.standard_normal(x.shape), Vh[0]
    return {"W": W, "x": x, "delta": delta}


def error(rng: np.random.Generator) -> World:
    return _errors(rng, any_rank(rng)["W"])


def error_of_full_column_rank(rng: np.random.Generator) -> World:
    rows, columns = sorted(shape(rng), reverse=True)
    return _errors(rng, matrix(rng, rows, columns))


def layer_and_input(rng: np.random.Generator) -> World:
    world = any_rank(rng)
    return {**world, "x": rng.standard_normal(world["W"].shape[1]) * 10 ** rng.uniform(-2, 2)}


def softmax_and_functional(rng: np.random.Generator) -> World:
    classes, inputs = shape(rng, 2)
    return {"W": rng.standard_normal((classes, inputs)), "c": rng.standard_normal(inputs) * 10 ** rng.uniform(-1, 2)}


def softmax_training(rng: np.random.Generator) -> World:
    (classes, inputs), steps = shape(rng, 2), int(rng.integers(2, 7))
    return {
        "W": rng.standard_normal((classes, inputs)),
        "X": rng.random((steps, inputs)),
        "labels": rng.integers(classes, size=steps),
        "rate": float(rng.uniform(0.1, 1)),
        "decay": float(rng.choice((0.0, 0.1))),
    }
