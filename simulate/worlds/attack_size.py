"""Levels of error, dimensions and numbers of classes."""


def _level(rng):
    return {"delta": float(10.0 ** rng.uniform(-12, -0.01)), "d": int(rng.integers(2, 50))}


def _classes(rng):
    n = int(rng.integers(2, 40))
    return {"n": n, "d": n + int(rng.integers(0, 5))}


WORLDS = {
    "fc.thm1.size.bounded.corrected": _level,
    "fc.thm6.size.bounded.corrected": _level,
    "fc.thm1.target.corrected": _classes,
    "fc.thm4.bound.mean": lambda rng: {"d": int(rng.integers(2, 50)), "layers": int(rng.integers(1, 3))},
}
