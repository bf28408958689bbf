"""Matrices for statements on condition numbers."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array


def shape(rng: np.random.Generator, least: int = 1, largest: int = 40) -> tuple[int, ...]:
    """Rows and columns: small, so that every case comes up; now and then larger."""
    most = largest if rng.random() < 0.1 else 6
    return tuple(int(size) for size in rng.integers(least, most + 1, 2))


def matrix(rng: np.random.Generator, rows: int, columns: int, rank: int | None = None) -> Array:
    """A matrix of any scale and conditioning; of full rank unless told."""
    rank = min(rows, columns) if rank is None else rank
    left = np.linalg.qr(rng.standard_normal((rows, rank)))[0]
    right = np.linalg.qr(rng.standard_normal((columns, rank)))[0]
    sigma = 10 ** rng.uniform(-1.5, 1.5, rank)
    return 10 ** rng.uniform(-2, 2) * (left * sigma) @ right.T


def full_rank(rng: np.random.Generator) -> World:
    return {"W": matrix(rng, *shape(rng))}


def full_rank_of_two_or_more(rng: np.random.Generator) -> World:
    return {"W": matrix(rng, *shape(rng, 2))}


def any_rank(rng: np.random.Generator, largest: int = 40) -> World:
    """A matrix of full rank, of any lower one, and with an output that sees nothing."""
    rows, columns = shape(rng, largest=largest)
    W = matrix(rng, rows, columns, int(rng.integers(1, min(rows, columns) + 1)))
    if rows > 1 and rng.random() < 0.1:
        W[rng.integers(rows)] = 0
    return {"W": W}


def small_of_any_rank(rng: np.random.Generator) -> World:
    """So few columns that all corners of a cube can be tried."""
    return any_rank(rng, largest=9)


def square(rng: np.random.Generator) -> World:
    size = shape(rng)[0]
    return {"A": matrix(rng, size, size)}


def orthogonal(rng: np.random.Generator) -> World:
    return {"Q": np.linalg.qr(rng.standard_normal(2 * shape(rng)[:1]))[0]}
