"""Levels of error, dimensions and numbers of classes."""


def _level(rng):
    return {"delta": float(10.0 ** rng.uniform(-12, -0.01)), "d": int(rng.integers(2, 50))}


def _classes(rng):
    n = int(rng.integers(2, 40))
    return {"n": n, "d": n + int(rng.integers(0, 5))}


def _column(rng):
    return {"d": int(2 ** rng.uniform(1, 11)), "limit": 10.0 ** rng.uniform(-1, 1), "level": rng.uniform(0, 5)}


def _product(rng):
    return {"d": int(rng.integers(2, 200)), "layers": int(rng.integers(2, 5)), "limit": 10.0 ** rng.uniform(-2, 1)}


WORLDS = {
    "fc.thm1.size.bounded.corrected": _level,
    "fc.thm6.size.bounded.corrected": _level,
    "fc.thm1.target.probability": _classes,
    "fc.thm1.exists": _column,
    "fc.thm4.exists": _product,
    "fc.thm4.bound.mean": lambda rng: {"d": int(rng.integers(2, 50)), "layers": int(rng.integers(1, 3))},
}
