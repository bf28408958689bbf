"""Surfaces of accuracy, and inputs under attack."""

from fractions import Fraction

import numpy as np

from fragility.space import World
from theory.numerics.array import Array


def _radii(rng: np.random.Generator) -> Array:
    return np.cumsum(np.append(0, rng.uniform(0.01, 1, rng.integers(1, 6))))


def bilinear_surface(rng: np.random.Generator) -> World:
    """Coefficients of 1, x, w and x w, and a grid of radii."""
    return {"coefficients": rng.standard_normal(4), "input_radii": _radii(rng), "weight_radii": _radii(rng)}


def surface(rng: np.random.Generator) -> World:
    """Accuracies that rise and fall as they like."""
    return {"accuracy": rng.uniform(size=rng.integers(2, 7, size=2))}


def attack(rng: np.random.Generator) -> World:
    """An input, a loss whose gradient turns with the iterate, and steps of any length in a ball."""
    size = int(rng.integers(1, 6))
    world = {"x": rng.standard_normal(size), "slopes": rng.standard_normal((size, size)) * rng.uniform(0, 3)}
    steps = int(rng.integers(0, 8))
    return {**world, "epsilon": float(rng.choice([0, 0.1, 2])), "step": float(rng.uniform(0, 0.5)), "steps": steps}


def gradient_step(rng: np.random.Generator) -> World:
    """An input, a gradient that is not 0, and a radius."""
    size = int(rng.integers(1, 7))
    gradient = rng.standard_normal(size) * (rng.random(size) < 0.9)
    gradient[0] = 1.0
    return {"x": rng.standard_normal(size), "gradient": gradient, "epsilon": float(rng.uniform(0, 1))}


def steps_in_a_bowl(rng: np.random.Generator) -> World:
    """A concave loss with its largest value in the ball, and steps that are long enough to cross it."""
    size, epsilon = int(rng.integers(1, 5)), float(rng.uniform(0.1, 1))
    x = rng.standard_normal(size)
    centre = x + epsilon * rng.uniform(-1, 1, size)
    steps = int(rng.integers(3, 40))
    step = epsilon / steps * rng.uniform(1, 2)
    curvature = rng.uniform(0.1, 5, size)
    return {"x": x, "centre": centre, "curvature": curvature, "epsilon": epsilon, "step": step, "steps": steps}


def steps_along_a_gradient(rng: np.random.Generator) -> World:
    """A gradient step in several, which are long enough to reach the boundary."""
    steps = int(rng.integers(1, 12))
    world = gradient_step(rng)
    return {**world, "step": world["epsilon"] / steps * float(rng.uniform(1.0001, 2)), "steps": steps}


def masked_margin(rng: np.random.Generator) -> World:
    """A margin (t - c)^2 - h of one input, which falls below 0 between where it starts and where one step ends."""
    centre, depth, epsilon = (Fraction(int(rng.integers(1, 10)), 10) for _ in range(3))
    return {"centre": centre, "depth": depth * centre**2, "epsilon": 3 * epsilon * centre}
