"""Degrees of freedom and heights of products of many factors."""

import numpy as np

from fragility.space import World


def degrees_of_freedom(rng: np.random.Generator) -> World:
    return {"factors": tuple(int(nu) for nu in rng.integers(1, 9, size=rng.integers(1, 40)))}


def heights(rng: np.random.Generator) -> World:
    n = int(rng.integers(1, 8))
    return {"n": n, "rows": tuple(int(height) for height in n + rng.integers(0, 6, size=rng.integers(1, 5)))}
