"""Matrices of data, scales and probing vectors of Theorem 6."""

import numpy as np

MOST_SIGNS = 9  # columns where all 2^m points are formed
LARGE = 60  # where they are not; either in one world of twenty


def _matrix(rng, least=1, large=MOST_SIGNS, square=False):
    m = int(rng.integers(7, large + 1) if rng.random() < 0.05 else rng.integers(least, 7))
    rows = m if square else m + int(rng.integers(0, 3))
    return rng.standard_normal((rows, m)) * 10 ** rng.uniform(-2, 2)


def _scaled(rng, least=1):
    return {"matrix": _matrix(rng, least), "scale": float(10 ** rng.uniform(-0.7, 0.7))}


def _at_a_point(rng):
    world = _scaled(rng)
    return {**world, "signs": rng.choice((-1, 1), size=world["matrix"].shape[1])}


def _larger(rng):
    world = _scaled(rng)
    return {**world, "larger": world["scale"] * float(rng.uniform(1, 3))}


def _probed(rng):
    """Some probing vectors are wrong on some points, some are normal to all other columns."""
    world = _scaled(rng, least=2)
    matrix = world["matrix"]
    probe = np.linalg.pinv(matrix)[-1] * matrix.std() ** 2 + rng.choice((0, 0.3, 1)) * rng.standard_normal(len(matrix))
    return {"probe": probe if probe @ matrix[:, -1] > 0 else -probe, **world}


def _angled(rng):
    world = _probed(rng)
    return {"probe": world["probe"], "matrix": world["matrix"]}


def _invertible(rng):
    return {"matrix": _matrix(rng, least=2, large=LARGE, square=True)}


def _average(rng):
    return {"cosine": float(rng.uniform(0, 1)), "matrix": _matrix(rng, least=2, large=LARGE, square=True)}


WORLDS = {
    "fc.thm6.optimum.corrected": _scaled,
    "fc.thm6.optimum.point": _at_a_point,
    "fc.thm6.order": _scaled,
    "fc.thm6.linear": _scaled,
    "fc.thm6.scaling": _scaled,
    "fc.thm6.scaling.linear": _larger,
    "fc.thm6.angle.corrected": _probed,
    "fc.thm6.angle.aligned": _invertible,
    "fc.thm6.angle.link": _angled,
    "fc.thm6.angle.average": _average,
}
