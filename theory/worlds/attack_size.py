"""Levels of error, limits, dimensions and numbers of classes: sizes of the attacks of Theorems 1, 4 and 6."""

import numpy as np

from fragility.space import World


def error_level(rng: np.random.Generator) -> World:
    return {"delta": float(10.0 ** rng.uniform(-12, -0.01)), "d": int(rng.integers(2, 50))}


def classes_and_dimension(rng: np.random.Generator) -> World:
    n = int(rng.integers(2, 40))
    return {"n": n, "d": n + int(rng.integers(0, 5))}


def limit_and_level(rng: np.random.Generator) -> World:
    return {"d": int(2 ** rng.uniform(1, 11)), "limit": 10.0 ** rng.uniform(-1, 1), "level": rng.uniform(0, 5)}


def limit_and_layers(rng: np.random.Generator) -> World:
    return {"d": int(rng.integers(2, 200)), "layers": int(rng.integers(2, 5)), "limit": 10.0 ** rng.uniform(-2, 1)}


def one_layer_or_two(rng: np.random.Generator) -> World:
    return {"d": int(rng.integers(2, 50)), "layers": int(rng.integers(1, 3))}
