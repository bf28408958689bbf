"""Matrices and sizes for statements on the spectrum of Gaussian matrices."""

import numpy as np

from fragility.space import World


def matrix(rng: np.random.Generator) -> World:
    """A Gaussian matrix, nearly singular every third time."""
    columns = int(rng.integers(1, 41 if rng.random() < 0.1 else 7))
    A = rng.standard_normal((columns + int(rng.integers(0, 3)), columns)) * 10 ** rng.uniform(-1, 1)
    if rng.random() < 1 / 3:
        A[:, -1] = A[:, 0] + 1e-2 * A[:, -1]
    return {"A": A}


def matrix_of_several_columns(rng: np.random.Generator) -> World:
    """Not of one column, for which every distance is the last."""
    while (world := matrix(rng))["A"].shape[1] < 2:
        pass
    return world


def size(rng: np.random.Generator) -> World:
    return {"n": int(rng.choice((1, 2, 3, 10, 100, 3000)))}


def size_and_point(rng: np.random.Generator) -> World:
    return {"n": int(rng.integers(2, 13)), "x": 10 ** rng.uniform(-2, 0.5)}


def rows_and_miss(rng: np.random.Generator) -> World:
    return {"m": int(rng.integers(1, 100)), "miss": 10 ** rng.uniform(-3, -0.1)}
