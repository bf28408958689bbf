"""Points of full rank, square and not, of several scales; label and target; layers; signs."""

import itertools

import numpy as np

from fragility.space import World
from theory.numerics.array import Array

LARGE = 60  # classes and dimension of one world in twenty


def points(rng: np.random.Generator, least: int = 2, most: int = 9) -> Array:
    """Points as columns, n <= d of them: half are square, some nearly dependent, of unlike lengths or orthogonal."""
    n = int(rng.integers(most, LARGE) if rng.random() < 0.05 else rng.integers(least, most))
    data = rng.standard_normal((n + int(rng.integers(0, 4)) * int(rng.random() < 0.5), n))
    kind = rng.choice(("plain", "dependent", "unlike", "orthogonal"), p=(0.6, 0.2, 0.1, 0.1))
    if kind == "dependent":
        data[:, -1] = data[:, 0] + 0.01 * data[:, -1]
    elif kind == "unlike":
        data *= 10.0 ** rng.uniform(-1, 1, n)
    elif kind == "orthogonal":
        data = np.linalg.qr(data)[0]
    return data * 10.0 ** rng.integers(-3, 4)


def label_and_target(rng: np.random.Generator) -> World:
    data = points(rng)
    label, target = rng.permutation(data.shape[1])[:2]
    return {"data": data, "label": int(label), "target": int(target)}


def one_label(rng: np.random.Generator) -> World:
    data = points(rng)
    return {"data": data, "label": int(rng.integers(data.shape[1]))}


def label_and_target_of_order_one(rng: np.random.Generator) -> World:
    """Points no longer than 3, for the tolerance counts from there; the classes of two of them."""
    world = label_and_target(rng)
    return {**world, "data": world["data"] / np.linalg.norm(world["data"], axis=0).max() * 3}


def factors(rng: np.random.Generator) -> World:
    """One layer to four, none lower than the number of points."""
    n = int(rng.integers(6, LARGE // 2) if rng.random() < 0.05 else rng.integers(2, 6))
    heights = [n, *(n + rng.integers(0, 4, size=rng.integers(1, 5)))]
    return {"factors": [rng.standard_normal(shape[::-1]) for shape in itertools.pairwise(heights)]}


def signed_points(rng: np.random.Generator) -> World:
    data = points(rng, least=1)
    return {"data": data, "signs": rng.choice((-1.0, 1.0), size=data.shape[1])}


def points_and_level(rng: np.random.Generator) -> World:
    return {"data": points(rng), "level": float(10.0 ** rng.uniform(-3, 3))}
