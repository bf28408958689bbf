"""Products of chi variables."""


def _factors(rng):
    return {"factors": tuple(int(nu) for nu in rng.integers(1, 9, size=rng.integers(1, 40)))}


def _product(rng):
    n = int(rng.integers(1, 8))
    return {"n": n, "rows": tuple(int(height) for height in n + rng.integers(0, 6, size=rng.integers(1, 5)))}


WORLDS = {"fc.depth.normal": _factors, "fc.depth.lyapunov": _product}
