"""Points of full rank, square and not, of several scales; label and target; layers; signs."""

import itertools

import numpy as np

LARGE = 60  # classes and dimension of one world in twenty


def points(rng, least=2, most=9):
    """d x n with n <= d, half of them square; some with columns nearly dependent, of unlike lengths or orthogonal."""
    n = int(rng.integers(most, LARGE) if rng.random() < 0.05 else rng.integers(least, most))
    data = rng.standard_normal((n + int(rng.integers(0, 4)) * int(rng.random() < 0.5), n))
    kind = rng.choice(("plain", "dependent", "unlike", "orthogonal"), p=(0.6, 0.2, 0.1, 0.1))
    if kind == "dependent":
        data[:, -1] = data[:, 0] + 0.01 * data[:, -1]
    elif kind == "unlike":
        data *= 10.0 ** rng.uniform(-1, 1, n)
    elif kind == "orthogonal":
        data = np.linalg.qr(data)[0]
    return data * 10.0 ** rng.integers(-3, 4)


def _pair(rng):
    data = points(rng)
    label, target = rng.permutation(data.shape[1])[:2]
    return {"data": data, "label": int(label), "target": int(target)}


def _point(rng):
    data = points(rng)
    return {"data": data, "label": int(rng.integers(data.shape[1]))}


def _order_one(rng):
    """As `_pair`, lengths of order 1: the tolerance counts from there."""
    world = _pair(rng)
    return {**world, "data": world["data"] / np.linalg.norm(world["data"], axis=0).max() * 3}


def _layers(rng):
    n = int(rng.integers(6, LARGE // 2) if rng.random() < 0.05 else rng.integers(2, 6))
    heights = [n, *(n + rng.integers(0, 4, size=rng.integers(1, 5)))]
    return {"factors": [rng.standard_normal(shape[::-1]) for shape in itertools.pairwise(heights)]}


def _signs(rng):
    data = points(rng, least=1)
    return {"data": data, "signs": rng.choice((-1.0, 1.0), size=data.shape[1])}


def _level(rng):
    return {"data": points(rng), "level": float(10.0 ** rng.uniform(-3, 3))}


WORLDS = {
    **dict.fromkeys(("fc.thm1.swap", "fc.thm1.size", "fc.thm1.untargeted", "fc.thm1.untargeted.half"), _pair),
    **dict.fromkeys(("fc.thm1.margin", "fc.thm1.tie", "fc.thm1.cosine", "fc.thm4.bound"), _pair),
    "fc.thm1.targeted": _order_one,
    "fc.thm1.column": _point,
    "fc.thm1.remark1": _level,
    "fc.thm4.bound.layers": _layers,
    "fc.thm6.attack": _signs,
    "fc.thm6.size": _signs,
    "fc.thm6.tie": _signs,
}
