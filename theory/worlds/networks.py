"""Random networks of all sizes with budgets of all kinds, and an attacker who knows no theory.

What it finds is a lower bound on the largest increase of a margin, by plain forward passes.
"""

import numpy as np

from theory.numerics.array import Array
from theory.worlds.joint_attacks import MOST_ENTRIES, Problem, ascent, gradient, judged

BUDGETS = {"joint": 0.6, "weights": 0.15, "input": 0.1, "layer": 0.1, "zero": 0.05}
WIDTHS = {4: 0.89, 12: 0.1, 512: 0.01}  # of layers are drawn up to one of these, this often


def draw_size(rng: np.random.Generator) -> dict[str, int]:
    """Depth and largest width: mostly a few neurons, now and then hundreds."""
    return {"depth": int(rng.integers(1, 7)), "most": int(rng.choice(list(WIDTHS), p=list(WIDTHS.values())))}


def draw_network(
    rng: np.random.Generator, depth: int | None = None, most: int = 4, classes: int = 3
) -> tuple[list[Array], Array]:
    """Weights of a random network and an input, of any depth up to 4 and any sign; wide layers keep its scale."""
    depth = int(rng.integers(1, 5)) if depth is None else depth
    sizes = [*rng.integers(1, most + 1, size=depth), classes]
    weights = [
        rng.normal(size=shape) * rng.choice([0.5, 1.0]) * min(1.0, 2 / shape[1] ** 0.5)
        for shape in zip(sizes[1:], sizes[:-1], strict=True)
    ]
    x = rng.normal(size=sizes[0]) * (rng.random(sizes[0]) < 0.9)
    return weights, np.abs(x) if rng.random() < 0.3 else x


def draw_radii(rng: np.random.Generator, depth: int, largest: float = 0.3) -> list[float]:
    """One radius per layer, now and then 0."""
    return list(rng.uniform(0, largest, size=depth) * (rng.random(depth) < 0.9))


def draw_budget(rng: np.random.Generator, weights: list[Array], largest: float = 0.3) -> tuple[list[float], float]:
    """Radii of the layers and of the input: of all, of weights or input only, of one layer, or none at all."""
    kind = rng.choice(list(BUDGETS), p=list(BUDGETS.values()))
    radii, radius_x = draw_radii(rng, len(weights), largest), largest * rng.choice([0, 1 / 3, 1])
    only = rng.integers(len(weights))
    keep: Array = {"layer": np.arange(len(weights)) == only, "input": False, "zero": False}.get(kind, True)
    scale = [min(1.0, 4 / weight.shape[1]) for weight in weights]  # a wide layer adds up many small changes
    radii = [float(r) for r in np.where(keep, radii, 0.0) * scale]
    return radii, 0.0 if kind in ("weights", "layer", "zero") else float(radius_x)


def attack(
    rng: np.random.Generator,
    weights: list[Array],
    x: Array,
    radii: list[float],
    radius_x: float,
    pair: tuple[int, int] = (0, 1),
    starts: int = 2,
    sweeps: int = 2,
) -> tuple[list[Array], Array]:
    """Perturbed weights and input within their radii that raise f_i - f_j; by gradients where corners are too many."""
    problem = Problem(tuple(part[None] for part in [*weights, x]), (*radii, radius_x), pair)
    noise = [rng.uniform(-1, 1, size=(1, starts, *part.shape)) for part in [*weights, x]]
    few = problem.entries <= MOST_ENTRIES
    proposals = ascent(problem, noise, sweeps) if few else gradient(problem, noise, steps=8)
    best = int(np.argmax(judged(problem, proposals)))
    *moved, moved_x = (part[0, best if part.shape[1] > 1 else 0] for part in proposals)
    return moved, moved_x
