"""Linear softmax networks with images in the unit box, labels, and the steps of an attack."""

import numpy as np

from fragility.space import World
from theory.numerics.array import Array

FEWEST, MOST = 20, 40  # images, so that a share of them may be seen to change


def _weights(rng: np.random.Generator, classes: int, n: int) -> Array:
    """Weights of any scale: independent, with a functional that all classes share, or with pixels that few use."""
    W = rng.standard_normal((classes, n)) * 10 ** rng.uniform(-0.5, 1)
    kind = rng.random()
    if kind < 0.2:
        W = W + rng.standard_normal(n) * 10 ** rng.uniform(-1, 1)
    elif kind < 0.4:
        W = np.where(rng.random(W.shape) < 0.5, W, 0.0)
        W[0, 0] += 1  # so that some pixel tells the classes apart
    return W


def _images(rng: np.random.Generator, n: int) -> Array:
    """Pixels from 0 to 1, many of them at either end."""
    x = rng.random((int(rng.integers(FEWEST, MOST + 1)), n))
    return np.where(rng.random(x.shape) < 0.3, np.round(x), x)


def images(rng: np.random.Generator, least: int = 2, most: int = 6) -> World:
    """A network of `least` to `most` classes, images with labels that it mostly gives them, a step and their number."""
    classes, n = int(rng.integers(least, most + 1)), int(rng.integers(1, 7))
    W, b, x = _weights(rng, classes, n), rng.standard_normal(classes), _images(rng, n)
    # Logits are mostly balanced over the images, so that one class does not win them all.
    b = b - np.mean(x @ W.T, axis=0) * rng.choice((0.0, 0.5, 1.0, 1.0))
    guessed = rng.random(len(x)) < 0.2
    return {
        "W": W,
        "b": b,
        "x": x,
        "labels": np.where(guessed, rng.integers(classes, size=len(x)), np.argmax(x @ W.T + b, axis=1)),
        "epsilon": float(10 ** rng.uniform(-2.5, -0.3)),
        "steps": int(rng.integers(2, 13)),
    }


def images_and_long_steps(rng: np.random.Generator) -> World:
    """The same, mostly of more classes, with steps after which few predictions are what they were."""
    return {**images(rng, most=9), "epsilon": float(10 ** rng.uniform(-1.3, -0.3))}


def images_and_functional(rng: np.random.Generator) -> World:
    """Such a network with its images, and one functional of an image."""
    world = images(rng)
    return {**world, "c": rng.standard_normal(world["x"].shape[1]) * 10 ** rng.uniform(-1, 1)}


def images_of_two_classes(rng: np.random.Generator) -> World:
    return images(rng, most=2)


def images_of_two_classes_within_reach(rng: np.random.Generator) -> World:
    """Two classes, and steps that together are longer than any image is away from their boundary."""
    world = images_of_two_classes(rng)
    (w_1, w_2), (b_1, b_2) = world["W"], world["b"]
    farthest = np.max(np.abs(world["x"] @ (w_1 - w_2) + b_1 - b_2)) / np.sum(np.abs(w_1 - w_2))
    return {**world, "epsilon": float(rng.uniform(1.01, 2) * farthest / world["steps"])}


def images_of_two_classes_and_long_steps(rng: np.random.Generator) -> World:
    """Two classes, and steps that together cross the box."""
    world = images_of_two_classes(rng)
    return {**world, "epsilon": float(rng.uniform(1, 2) / world["steps"])}
