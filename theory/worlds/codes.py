"""Pairs of linear layers, attacks with a penalty, codes and decoders."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array


def _sizes(rng: np.random.Generator, count: int, least: int = 1) -> tuple[int, ...]:
    """Small, so that every case comes up; now and then larger."""
    most = 30 if rng.random() < 0.1 else 5
    return tuple(int(size) for size in rng.integers(least, most + 1, count))


def _layers(rng: np.random.Generator) -> World:
    inputs, width, classes = _sizes(rng, 3)
    return {"W2": rng.standard_normal((classes, width)), "W1": rng.standard_normal((width, inputs))}


def two_layers(rng: np.random.Generator) -> World:
    world = _layers(rng)
    return {
        **world,
        "b2": rng.standard_normal(len(world["W2"])),
        "b1": rng.standard_normal(len(world["W1"])),
        "x": rng.standard_normal(world["W1"].shape[1]),
    }


def two_layers_and_gradient(rng: np.random.Generator) -> World:
    world = _layers(rng)
    return {**world, "G": rng.standard_normal((len(world["W2"]), world["W1"].shape[1]))}


def map_and_width(rng: np.random.Generator) -> World:
    return {"W": rng.standard_normal(_sizes(rng, 2)), "width": int(rng.integers(1, 6))}


def map_and_share(rng: np.random.Generator) -> World:
    """A matrix, how many of its singular values are shrunk, and by what."""
    W = rng.standard_normal(_sizes(rng, 2)) * 10 ** rng.uniform(-1, 1)
    return {"W": W, "k": int(rng.integers(0, min(W.shape) + 1)), "s": float(rng.choice((0.0, 0.1, 0.5, 1.0)))}


def _picture(rng: np.random.Generator, n: int) -> Array:
    """Pixels of which some are black or white."""
    return np.clip(rng.uniform(-0.3, 1.3, n), 0, 1)


def attack(rng: np.random.Generator) -> World:
    """A linear classifier, a picture, and the class that it is to be given."""
    classes, n = _sizes(rng, 2, 2)
    return {
        "W": rng.standard_normal((classes, n)) * 10 ** rng.uniform(-1, 0.5),
        "x": _picture(rng, n),
        "goal": int(rng.integers(classes)),
    }


def attack_and_step(rng: np.random.Generator) -> World:
    """An attack, the length of its steps, and another picture."""
    world = attack(rng)
    return {**world, "step": 10 ** rng.uniform(-3, -1), "other": _picture(rng, world["x"].size)}


def confident_attack(rng: np.random.Generator) -> World:
    """An attack; every other time on two opposite rows with a goal that is nearly impossible, near the bound."""
    if rng.random() < 0.5:
        return attack(rng)
    w = 1 + rng.random(3)
    return {"W": 5 * np.stack([w, -w]), "x": rng.uniform(0.4, 0.6, 3), "goal": 1}


def moved_input(rng: np.random.Generator) -> World:
    """An input and where it was moved: never far, for confidences must not round to 1.

    Every third time there are two classes, and the way is the shortest.
    """
    classes, n = rng.integers(2, 6, 2)
    W, x = rng.standard_normal((classes, n)), rng.standard_normal(n)
    if rng.random() < 1 / 3:
        W = W[:2]
        return {"W": W, "x": x, "x_adv": x + rng.random() * (W[1] - W[0]) / np.linalg.norm(W[1] - W[0])}
    return {"W": W, "x": x, "x_adv": x + rng.standard_normal(n) * 10 ** rng.uniform(-1, 0.3)}


def moved_code(rng: np.random.Generator) -> World:
    """A linear layer, a code, and a shift of all codes."""
    classes, n = _sizes(rng, 2)
    W, bias = rng.standard_normal((classes, n)), rng.standard_normal(classes)
    return {"W": W, "bias": bias, "x": rng.standard_normal(n), "shift": 10 * rng.standard_normal(n)}


def decoder(rng: np.random.Generator) -> World:
    codes, pixels = sorted(_sizes(rng, 2))
    return {"D": rng.standard_normal((pixels, codes)), "x": rng.standard_normal(pixels)}
