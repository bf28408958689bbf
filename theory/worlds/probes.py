"""Linear classifiers and points, of Theorem 5: mostly in few dimensions, now and then in up to a thousand."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array

MANY = 0.15  # share of the worlds with hundreds of dimensions


def _dimension(rng: np.random.Generator, least: int, most: int) -> int:
    """A few dimensions, below `most`; now and then hundreds."""
    return int(rng.integers(100, 1001)) if rng.random() < MANY else int(rng.integers(least, most))


def _vectors(rng: np.random.Generator, count: int, d: int) -> Array:
    """Gaussian vectors of one scale, as rows."""
    return rng.standard_normal((count, d)) * 10 ** rng.uniform(-1, 1)


def _probes(rng: np.random.Generator, count: int, d: int) -> Array:
    """Probing vectors: independent, almost alike, sparse, or those of a deep linear network."""
    kind = rng.choice(["independent", "alike", "sparse", "deep"], p=[0.4, 0.2, 0.2, 0.2])
    if kind == "deep":
        width = int(rng.integers(count, count + 20))
        return _vectors(rng, count, width) @ rng.standard_normal((width, d)) / width**0.5
    probes = _vectors(rng, count, d)
    if kind == "alike":
        return _vectors(rng, 1, d) + 0.1 * probes
    return np.where(rng.random((count, d)) < 0.5, probes, 0.0) if kind == "sparse" else probes


def _distinct(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    """Two probing vectors that differ."""
    p_1, p_2 = _probes(rng, 2, d)
    return (p_1, p_2) if np.any(p_1 != p_2) else (p_1, p_2 + rng.standard_normal(d))


def pair(rng: np.random.Generator) -> World:
    """Two probing vectors, an input, and the difference of two biases, every other time 0."""
    d = _dimension(rng, 1, 9)
    p_1, p_2 = _distinct(rng, d)
    return {"p_1": p_1, "p_2": p_2, "x": _vectors(rng, 1, d)[0], "offset": float(rng.choice((0.0, rng.normal())))}


def rays(rng: np.random.Generator) -> World:
    """A pair with random directions, and the best one."""
    world = pair(rng)
    random = rng.standard_normal((50, world["x"].size))
    return {**world, "directions": np.vstack((random, world["p_2"] - world["p_1"]))}


def two_points(rng: np.random.Generator) -> World:
    """Two probing vectors, now and then opposed, and two points."""
    d = _dimension(rng, 2, 9)
    p_1, p_2 = _distinct(rng, d)
    if rng.random() < 0.2 and np.any(p_1):
        p_2 = -0.5 * p_1
    x_1, x_2 = _vectors(rng, 2, d)
    return {"p_1": p_1, "p_2": p_2, "x_1": x_1, "x_2": x_2}


def classified_points(rng: np.random.Generator) -> World:
    """x_1 in class 1, x_2 in class 2, differing in the direction p_1 - p_2 only every other time."""
    world = two_points(rng)
    g = world["p_1"] - world["p_2"]
    if g @ world["x_1"] < 0:
        world["x_1"] = -world["x_1"]
    if rng.random() < 0.5:
        world["x_2"] = world["x_1"] - (1 + rng.random()) * (g @ world["x_1"]) / (g @ g) * g
    elif g @ world["x_2"] > 0:
        world["x_2"] = -world["x_2"]
    return world


def two_probes(rng: np.random.Generator) -> World:
    """Two probing vectors in two dimensions or more."""
    world = pair(rng)
    d = max(2, world["x"].size)
    p_1, p_2 = _probes(rng, 2, d)
    return {"p_1": p_1, "p_2": p_2}


def _classifier(rng: np.random.Generator) -> World:
    K, d = int(rng.integers(2, 6)), int(rng.integers(1, 7))
    return {
        "rows": _vectors(rng, K, d),
        "bias": rng.choice((0, 1)) * rng.standard_normal(K),
        "x": _vectors(rng, 1, d)[0],
    }


def classifier_and_target(rng: np.random.Generator) -> World:
    """A classifier of K classes in d >= K - 1 dimensions, so that every class wins somewhere, and one of them."""
    K = int(rng.integers(2, 6))
    d = _dimension(rng, K - 1, K + 2)
    world = {"rows": _vectors(rng, K, d), "bias": rng.standard_normal(K), "x": _vectors(rng, 1, d)[0]}
    return {**world, "target": int(rng.integers(K))}


def _many_classes(rng: np.random.Generator) -> World:
    """A classifier, of up to a hundred classes where there are hundreds of dimensions."""
    if rng.random() > MANY:
        return _classifier(rng)
    K, d = int(rng.integers(2, 101)), int(rng.integers(100, 1001))
    return {"rows": _probes(rng, K, d), "bias": rng.standard_normal(K), "x": _vectors(rng, 1, d)[0]}


def classifier_and_norm(rng: np.random.Generator) -> World:
    return {**_many_classes(rng), "norm": str(rng.choice(("l2", "linf")))}


def _radius(rng: np.random.Generator) -> float:
    return float(rng.choice((0.0, 10 ** rng.uniform(-2, 0.5))))


def small_box(rng: np.random.Generator) -> World:
    """A classifier and a box in few dimensions, for the box has a corner for each subset of them."""
    return {**_classifier(rng), "radius": _radius(rng)}


def box(rng: np.random.Generator) -> World:
    return {**_many_classes(rng), "radius": _radius(rng)}
