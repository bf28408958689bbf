"""Places in the printed tables."""

import numpy as np

from fragility.space import World
from theory.reported import LAYERS, NORMS, RADII, WIDTHS


def everything(rng: np.random.Generator) -> World:
    """Nothing is chosen: the statement is one of all cells at once."""
    return {}


def table(rng: np.random.Generator) -> World:
    """One of the two tables of Conditioning."""
    return {"table": int(rng.integers(1, 3))}


def layer_of_table(rng: np.random.Generator) -> World:
    return {**table(rng), "layer": str(rng.choice(LAYERS))}


def norm_of_table(rng: np.random.Generator) -> World:
    return {**table(rng), "norm": str(rng.choice(NORMS))}


def layer_and_norm(rng: np.random.Generator) -> World:
    return {"layer": str(rng.choice(LAYERS)), "norm": str(rng.choice(NORMS))}


def accuracy(rng: np.random.Generator) -> World:
    """A table of Conditioning, a model, and the place of a radius."""
    return {**table(rng), "model": str(rng.choice(["simple", "conv"])), "place": int(rng.integers(0, len(RADII)))}


def accuracy_after_another(rng: np.random.Generator) -> World:
    """The same, but not at the smallest radius."""
    return {**accuracy(rng), "place": int(rng.integers(1, len(RADII)))}


def radius(rng: np.random.Generator) -> World:
    return {"radius": str(rng.choice(RADII))}


def large_radius(rng: np.random.Generator) -> World:
    """From 0.05 on."""
    return {"radius": str(rng.choice(RADII[4:]))}


def width(rng: np.random.Generator) -> World:
    """A width of Table 1 of ConvNorm."""
    return {"width": int(rng.choice(WIDTHS))}


def large_width(rng: np.random.Generator) -> World:
    """From 3 on."""
    return {"width": int(rng.choice(WIDTHS[2:]))}


def top(rng: np.random.Generator) -> World:
    """Top-1 accuracy or top-5."""
    return {"top": int(rng.choice([1, 5]))}


def attack(rng: np.random.Generator) -> World:
    return {"attack": str(rng.choice(["PGD", "FGSM"]))}
