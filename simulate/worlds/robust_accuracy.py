"""Surfaces of accuracy, and inputs under attack."""

from fractions import Fraction

import numpy as np


def _radii(rng):
    return np.cumsum(np.append(0, rng.uniform(0.01, 1, rng.integers(1, 6))))


def _bilinear(rng):
    return {"coefficients": rng.standard_normal(4), "input_radii": _radii(rng), "weight_radii": _radii(rng)}


def _surface(rng):
    return {"accuracy": rng.uniform(size=rng.integers(2, 7, size=2))}


def _attack(rng):
    size = int(rng.integers(1, 6))
    world = {"x": rng.standard_normal(size), "slopes": rng.standard_normal((size, size)) * rng.uniform(0, 3)}
    steps = int(rng.integers(0, 8))
    return {**world, "epsilon": float(rng.choice([0, 0.1, 2])), "step": float(rng.uniform(0, 0.5)), "steps": steps}


def _gradient(rng):
    size = int(rng.integers(1, 7))
    gradient = rng.standard_normal(size) * (rng.random(size) < 0.9)
    gradient[0] = 1.0
    return {"x": rng.standard_normal(size), "gradient": gradient, "epsilon": float(rng.uniform(0, 1))}


def _bowl(rng):
    size, epsilon = int(rng.integers(1, 5)), float(rng.uniform(0.1, 1))
    x = rng.standard_normal(size)
    centre = x + epsilon * rng.uniform(-1, 1, size)
    steps = int(rng.integers(3, 40))
    step = epsilon / steps * rng.uniform(1, 2)
    curvature = rng.uniform(0.1, 5, size)
    return {"x": x, "centre": centre, "curvature": curvature, "epsilon": epsilon, "step": step, "steps": steps}


def _fixed(rng):
    steps = int(rng.integers(1, 12))
    world = _gradient(rng)
    return {**world, "step": world["epsilon"] / steps * float(rng.uniform(1.0001, 2)), "steps": steps}


def _toy(rng):
    centre, depth, epsilon = (Fraction(int(rng.integers(1, 10)), 10) for _ in range(3))
    return {"centre": centre, "depth": depth * centre**2, "epsilon": 3 * epsilon * centre}


WORLDS = {
    "joint.auc": _bilinear,
    "joint.auc.envelope": _surface,
    "joint.attack.reach": _attack,
    "norm.fgsm.corrected": _gradient,
    "norm.pgd": _bowl,
    "norm.pgd.fixed_gradient": _fixed,
    "norm.masking": _toy,
    "norm.masking.radius": _toy,
}
