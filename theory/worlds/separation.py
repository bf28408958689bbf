"""Dimensions, counts of points and shares of the typical length; a few points in a few dimensions."""

import numpy as np

from fragility.space import World


def _share(rng: np.random.Generator) -> float:
    """A share of the typical length: near 0, anywhere, or near 1."""
    return float(rng.choice([10.0 ** rng.uniform(-8, 0), rng.random(), 1 - 10.0 ** rng.uniform(-4, -1)]))


def dimension_and_share(rng: np.random.Generator) -> World:
    return {"d": int(2 ** rng.uniform(0, 14)), "share": _share(rng)}


def points_and_share(rng: np.random.Generator) -> World:
    return {"d": int(rng.integers(1, 30)), "points": int(rng.integers(2, 50)), "share": _share(rng)}


def points_and_direction(rng: np.random.Generator) -> World:
    """A few points as columns, and a direction; every other time the way from the first to the second."""
    points = rng.standard_normal((rng.integers(1, 6), rng.integers(2, 6))) * 10.0 ** rng.integers(-3, 4)
    towards = points[:, 1] - points[:, 0]
    return {"points": points, "direction": towards if rng.random() < 0.5 else rng.standard_normal(len(points))}


def layers_and_share(rng: np.random.Generator) -> World:
    sizes = {"d": int(rng.integers(1, 60)), "points": int(rng.integers(2, 60)), "layers": int(rng.integers(1, 6))}
    return {**sizes, "share": rng.uniform(0.2, 0.99)}


def layers_and_dimension(rng: np.random.Generator) -> World:
    return {"d": int(rng.integers(1, 200)), "layers": int(rng.integers(1, 40))}


def few_signs(rng: np.random.Generator) -> World:
    """So few signs that all vectors of them can be listed."""
    return {"d": int(rng.integers(1, 6))}


def signs_and_share(rng: np.random.Generator) -> World:
    return {"d": int(rng.integers(1, 40)), "share": float(np.clip(_share(rng), 1e-3, 0.99))}


def few_signs_and_share(rng: np.random.Generator) -> World:
    return {"matrix_size": int(rng.integers(1, 6)), "share": rng.uniform(0.05, 1.5)}
