"""Networks, quadratics and linear outputs along paths, of Section 5."""

import numpy as np


def _network(rng):
    d, width = int(rng.integers(1, 7)), int(rng.integers(1, 9))
    return {
        "output": rng.standard_normal(width),
        "hidden": rng.standard_normal((width, d)) / np.sqrt(d),
        "bias": rng.standard_normal(width),
        "x_1": rng.standard_normal(d),
        "x_2": rng.standard_normal(d),
    }


def _quadratic(rng):
    """Slopes and curvatures for which the gradient stays away from 0; at times a multiple of the identity."""
    d = int(rng.integers(2, 7))
    slope, S = rng.standard_normal(d), rng.standard_normal((d, d))
    S = S + S.T
    if rng.random() < 0.3:
        S = rng.choice((-1.0, 1.0)) * np.eye(d)
    length = float(10 ** rng.uniform(-1, 1))
    S *= rng.choice((0.0, 0.2, 0.45)) * np.linalg.norm(slope) / (length * np.linalg.norm(S, 2))
    return {"slope": slope, "curvature": S, "length": length, "direction": rng.standard_normal(d)}


def _cubic(rng):
    return {
        "rule": str(rng.choice(("ends", "left", "right", "midpoint"))),
        "count": int(rng.integers(2, 30)),
        "coefficients": rng.standard_normal(int(rng.integers(1, 6))),
    }


def _linear(rng):
    """f(x_1) < 0 < f(x_2)."""
    d = int(rng.integers(1, 7))
    gradient, difference = rng.standard_normal((2, d)) * 10 ** rng.uniform(-1, 1, (2, 1))
    if gradient @ difference > 0:
        difference = -difference
    return {"gradient": gradient, "difference": difference, "margin": float(-rng.uniform(0, 1) * gradient @ difference)}


def _gradient(rng):
    """Gradients with some entries 0."""
    gradient = rng.standard_normal(int(rng.integers(1, 40)))
    gradient[1:] *= rng.random(gradient.size - 1) > rng.choice((0.0, 0.5))
    return {"gradient": gradient, "margin": float(10 ** rng.uniform(-1, 1))}


WORLDS = {
    "fc.eq8": _network,
    "fc.eq9": _quadratic,
    "fc.sec5.ratio": _quadratic,
    "fc.sec5.necessary.corrected": _quadratic,
    "fc.sec5.sufficient.corrected": _quadratic,
    "fc.sec5.lengths": _quadratic,
    "fc.table8.length": _network,
    "fc.table8.sum.corrected": _cubic,
    "fc.table5.factor.corrected": _linear,
    "fc.table5.sign.corrected": _gradient,
}
