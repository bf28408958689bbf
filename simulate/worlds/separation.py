"""Dimensions, counts of points and shares of the typical length; a few points in a few dimensions."""

import numpy as np


def _share(rng):
    """Near 0, anywhere, or near 1."""
    return float(rng.choice([10.0 ** rng.uniform(-8, 0), rng.random(), 1 - 10.0 ** rng.uniform(-4, -1)]))


def _tail(rng):
    return {"d": int(2 ** rng.uniform(0, 14)), "share": _share(rng)}


def _union(rng):
    return {"d": int(rng.integers(1, 30)), "points": int(rng.integers(2, 50)), "share": _share(rng)}


def _cell(rng):
    points = rng.standard_normal((rng.integers(1, 6), rng.integers(2, 6))) * 10.0 ** rng.integers(-3, 4)
    towards = points[:, 1] - points[:, 0]
    return {"points": points, "direction": towards if rng.random() < 0.5 else rng.standard_normal(len(points))}


def _layers(rng):
    sizes = {"d": int(rng.integers(1, 60)), "points": int(rng.integers(2, 60)), "layers": int(rng.integers(1, 6))}
    return {**sizes, "share": rng.uniform(0.2, 0.99)}


def _depth(rng):
    return {"d": int(rng.integers(1, 200)), "layers": int(rng.integers(1, 40))}


WORLDS = {
    "fc.lemma2.chernoff": _tail,
    "fc.lemma2.exponent": _tail,
    "fc.lemma2.series": _tail,
    "fc.thm1.separation": _union,
    "fc.thm1.separation.union": _union,
    "fc.thm1.nearest": _cell,
    "fc.thm4.separation": _layers,
    "fc.thm4.depth": _depth,
    **dict.fromkeys(("fc.thm6.pairs", "fc.thm6.pairs.distinct"), lambda rng: {"d": int(rng.integers(1, 6))}),
    "fc.thm6.separation": lambda rng: {"d": int(rng.integers(1, 40)), "share": float(np.clip(_share(rng), 1e-3, 0.99))},
    "fc.thm6.separation.strata": lambda rng: {"matrix_size": int(rng.integers(1, 6)), "share": rng.uniform(0.05, 1.5)},
}
