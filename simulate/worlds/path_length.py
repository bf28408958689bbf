"""Networks, quadratics and linear outputs along paths, of Section 5: mostly few inputs, now and then many."""

import numpy as np

MANY = 0.1  # share of the worlds with many inputs


def _dimension(rng, few, many):
    return int(rng.integers(*(many if rng.random() < MANY else few)))


STEEPEST = 6.0  # change of a unit's input along the segment that Gauss's rule with 40 nodes follows to the last digit


def _network(rng):
    """One hidden layer; few units or many."""
    d, width = _dimension(rng, (1, 7), (100, 785)), int(rng.choice((rng.integers(1, 9), rng.integers(9, 129))))
    hidden, (x_1, x_2) = rng.standard_normal((width, d)) / np.sqrt(d), rng.standard_normal((2, d))
    return {
        "output": rng.standard_normal(width) / np.sqrt(max(width / 8, 1)),
        "hidden": hidden * min(1.0, STEEPEST / np.max(np.abs(hidden @ (x_1 - x_2)))),
        "bias": rng.standard_normal(width),
        "x_1": x_1,
        "x_2": x_2,
    }


def _descent(rng):
    """A linear function, a quadratic, a network or all at once, bent so little that the gradient stays away from 0."""
    d, width = _dimension(rng, (2, 7), (20, 101)), int(rng.integers(1, 33))
    slope, length = rng.standard_normal(d), float(10 ** rng.uniform(-1, 1))
    S = rng.standard_normal((d, d))
    S = rng.choice((-1.0, 1.0)) * np.eye(d) if rng.random() < 0.3 else S + S.T
    hidden, output = rng.standard_normal((width, d)), rng.standard_normal(width)
    share = rng.choice((0.0, rng.random(), 1.0))  # of the network in how much the gradient turns
    turn = rng.choice((0.0, 0.2, 0.45)) * np.linalg.norm(slope)
    hidden *= rng.uniform(0.1, 0.5) / (length * np.linalg.norm(hidden, 2))
    output *= share * turn / (length * np.linalg.norm(output) * np.linalg.norm(hidden, 2) ** 2)
    S *= (1 - share) * turn / (length * np.linalg.norm(S, 2))
    slope = slope - output @ hidden  # the gradient at the start, as drawn
    return {
        "slope": slope,
        "curvature": S,
        "output": output,
        "hidden": hidden,
        "length": length,
        "direction": rng.standard_normal(d),
    }


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
    "fc.eq8.relu": _network,
    "fc.eq9": _descent,
    "fc.sec5.ratio": _descent,
    "fc.sec5.necessary": _descent,
    "fc.sec5.sufficient": _descent,
    "fc.sec5.lengths": _descent,
    "fc.table8.length": _network,
    "fc.table8.sum": _cubic,
    "fc.table5.factor": _linear,
    "fc.table5.sign": _gradient,
}
