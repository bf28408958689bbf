"""Networks, quadratics and linear outputs along paths, of Section 5: mostly few inputs, now and then many."""

import numpy as np

from fragility.space import World

MANY = 0.1  # share of the worlds with many inputs
STEEPEST = 6.0  # change of a unit's input along the segment that Gauss's rule with 40 nodes follows to the last digit


def _dimension(rng: np.random.Generator, few: tuple[int, int], many: tuple[int, int]) -> int:
    """A number within the first range, now and then within the second."""
    return int(rng.integers(*(many if rng.random() < MANY else few)))


def network(rng: np.random.Generator) -> World:
    """A network of one hidden layer, of few units or many, and both ends of a segment."""
    d, width = _dimension(rng, (1, 7), (100, 785)), int(rng.choice((rng.integers(1, 9), rng.integers(9, 129))))
    hidden, (x_1, x_2) = rng.standard_normal((width, d)) / np.sqrt(d), rng.standard_normal((2, d))
    return {
        "output": rng.standard_normal(width) / np.sqrt(max(width / 8, 1)),
        "hidden": hidden * min(1.0, STEEPEST / np.max(np.abs(hidden @ (x_1 - x_2)))),
        "bias": rng.standard_normal(width),
        "x_1": x_1,
        "x_2": x_2,
    }


def descent(rng: np.random.Generator) -> World:
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


def polynomial(rng: np.random.Generator) -> World:
    """A polynomial of degree 4 or less, and a rule of quadrature for its slope."""
    return {
        "rule": str(rng.choice(("ends", "left", "right", "midpoint"))),
        "count": int(rng.integers(2, 30)),
        "coefficients": rng.standard_normal(int(rng.integers(1, 6))),
    }


def linear_output(rng: np.random.Generator) -> World:
    """A linear f with f(x_1) < 0 < f(x_2)."""
    d = int(rng.integers(1, 7))
    gradient, difference = rng.standard_normal((2, d)) * 10 ** rng.uniform(-1, 1, (2, 1))
    if gradient @ difference > 0:
        difference = -difference
    return {"gradient": gradient, "difference": difference, "margin": float(-rng.uniform(0, 1) * gradient @ difference)}


def gradient_and_margin(rng: np.random.Generator) -> World:
    """A gradient with some entries 0, and the value of f at x_2."""
    gradient = rng.standard_normal(int(rng.integers(1, 40)))
    gradient[1:] *= rng.random(gradient.size - 1) > rng.choice((0.0, 0.5))
    return {"gradient": gradient, "margin": float(10 ** rng.uniform(-1, 1))}


def norms_and_cosines(rng: np.random.Generator) -> World:
    """Norms of gradients along a path, and the cosines of their angles with it."""
    size = int(rng.integers(1, 12))
    return {"norms": rng.uniform(0.1, 2, size), "cosines": rng.uniform(-1, 1, size)}
