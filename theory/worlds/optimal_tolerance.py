"""Matrices of data, scales and probing vectors of Theorem 6."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array

MOST_SIGNS = 9  # columns where all 2^m points are formed
LARGE = 60  # where they are not; either in one world of twenty


def _matrix(rng: np.random.Generator, least: int = 1, large: int = MOST_SIGNS, square: bool = False) -> Array:
    """A Gaussian matrix of any scale, no wider than high."""
    m = int(rng.integers(7, large + 1) if rng.random() < 0.05 else rng.integers(least, 7))
    rows = m if square else m + int(rng.integers(0, 3))
    return rng.standard_normal((rows, m)) * 10 ** rng.uniform(-2, 2)


def scaled_matrix(rng: np.random.Generator, least: int = 1) -> World:
    return {"matrix": _matrix(rng, least), "scale": float(10 ** rng.uniform(-0.7, 0.7))}


def signed_point(rng: np.random.Generator) -> World:
    world = scaled_matrix(rng)
    return {**world, "signs": rng.choice((-1, 1), size=world["matrix"].shape[1])}


def two_scales(rng: np.random.Generator) -> World:
    world = scaled_matrix(rng)
    return {**world, "larger": world["scale"] * float(rng.uniform(1, 3))}


def probed_matrix(rng: np.random.Generator) -> World:
    """A scaled matrix and a probing vector, at times wrong on a point, at times normal to the other columns."""
    world = scaled_matrix(rng, least=2)
    matrix = world["matrix"]
    probe = np.linalg.pinv(matrix)[-1] * matrix.std() ** 2 + rng.choice((0, 0.3, 1)) * rng.standard_normal(len(matrix))
    return {"probe": probe if probe @ matrix[:, -1] > 0 else -probe, **world}


def probe_and_matrix(rng: np.random.Generator) -> World:
    world = probed_matrix(rng)
    return {"probe": world["probe"], "matrix": world["matrix"]}


def invertible_matrix(rng: np.random.Generator) -> World:
    return {"matrix": _matrix(rng, least=2, large=LARGE, square=True)}


def cosine_and_matrix(rng: np.random.Generator) -> World:
    return {"cosine": float(rng.uniform(0, 1)), "matrix": _matrix(rng, least=2, large=LARGE, square=True)}
