"""Matrices and sizes for statements on the spectrum of Gaussian matrices."""


def _matrix(rng):
    """Nearly singular every third time."""
    columns = int(rng.integers(1, 41 if rng.random() < 0.1 else 7))
    A = rng.standard_normal((columns + int(rng.integers(0, 3)), columns)) * 10 ** rng.uniform(-1, 1)
    if rng.random() < 1 / 3:
        A[:, -1] = A[:, 0] + 1e-2 * A[:, -1]
    return {"A": A}


def _several(rng):
    """Not one column, for which every distance is the last."""
    while (world := _matrix(rng))["A"].shape[1] < 2:
        pass
    return world


def _size(rng):
    return {"n": int(rng.choice((1, 2, 3, 10, 100, 3000)))}


def _point(rng):
    return {"n": int(rng.integers(2, 13)), "x": 10 ** rng.uniform(-2, 0.5)}


def _miss(rng):
    return {"m": int(rng.integers(1, 100)), "miss": 10 ** rng.uniform(-3, -0.1)}


WORLDS = {
    "cond.gaussian.smallest.mixture": _point,
    "cond.gaussian.small_ball": _size,
    "cond.gaussian.distances.low": _matrix,
    "cond.gaussian.distances.high": _matrix,
    "cond.gaussian.distances.power": _matrix,
    "cond.gaussian.distances.last": _several,
    "cond.gaussian.interval": _miss,
}
