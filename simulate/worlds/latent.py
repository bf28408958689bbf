"""Pairs of linear layers, attacks with a penalty, codes and decoders."""

import numpy as np


def _sizes(rng, count, least=1):
    """Small, so that every case comes up; now and then larger."""
    most = 30 if rng.random() < 0.1 else 5
    return tuple(int(size) for size in rng.integers(least, most + 1, count))


def _layers(rng):
    inputs, width, classes = _sizes(rng, 3)
    return {"W2": rng.standard_normal((classes, width)), "W1": rng.standard_normal((width, inputs))}


def _biased(rng):
    world = _layers(rng)
    return {
        **world,
        "b2": rng.standard_normal(len(world["W2"])),
        "b1": rng.standard_normal(len(world["W1"])),
        "x": rng.standard_normal(world["W1"].shape[1]),
    }


def _flow(rng):
    world = _layers(rng)
    return {**world, "G": rng.standard_normal((len(world["W2"]), world["W1"].shape[1]))}


def _map(rng):
    return {"W": rng.standard_normal(_sizes(rng, 2)), "width": int(rng.integers(1, 6))}


def _shrunk(rng):
    W = rng.standard_normal(_sizes(rng, 2)) * 10 ** rng.uniform(-1, 1)
    return {"W": W, "k": int(rng.integers(0, min(W.shape) + 1)), "s": float(rng.choice((0.0, 0.1, 0.5, 1.0)))}


def _picture(rng, n):
    """Pixels of which some are black or white."""
    return np.clip(rng.uniform(-0.3, 1.3, n), 0, 1)


def _attack(rng):
    classes, n = _sizes(rng, 2, 2)
    return {
        "W": rng.standard_normal((classes, n)) * 10 ** rng.uniform(-1, 0.5),
        "x": _picture(rng, n),
        "goal": int(rng.integers(classes)),
    }


def _stalled(rng):
    world = _attack(rng)
    return {**world, "step": 10 ** rng.uniform(-3, -1), "other": _picture(rng, world["x"].size)}


def _confident(rng):
    """Every other time a goal that is nearly impossible, with two opposite rows: the bound is nearly attained."""
    if rng.random() < 0.5:
        return _attack(rng)
    w = 1 + rng.random(3)
    return {"W": 5 * np.stack([w, -w]), "x": rng.uniform(0.4, 0.6, 3), "goal": 1}


def _moved(rng):
    """Every third time two classes and the shortest way; never far, for confidences must not round to 1."""
    classes, n = rng.integers(2, 6, 2)
    W, x = rng.standard_normal((classes, n)), rng.standard_normal(n)
    if rng.random() < 1 / 3:
        W = W[:2]
        return {"W": W, "x": x, "x_adv": x + rng.random() * (W[1] - W[0]) / np.linalg.norm(W[1] - W[0])}
    return {"W": W, "x": x, "x_adv": x + rng.standard_normal(n) * 10 ** rng.uniform(-1, 0.3)}


def _codes(rng):
    classes, n = _sizes(rng, 2)
    W, bias = rng.standard_normal((classes, n)), rng.standard_normal(classes)
    return {"W": W, "bias": bias, "x": rng.standard_normal(n), "shift": 10 * rng.standard_normal(n)}


def _decoder(rng):
    codes, pixels = sorted(_sizes(rng, 2))
    return {"D": rng.standard_normal((pixels, codes)), "x": rng.standard_normal(pixels)}


WORLDS = {
    "latent.two_layers.function": _biased,
    "latent.two_layers.width": _map,
    "latent.two_layers.defence": _shrunk,
    "latent.two_layers.flow": _flow,
    "latent.attack.stall": _stalled,
    "latent.attack.stall.norm": _confident,
    "latent.robustness.certified": _moved,
    "latent.robustness.normalised.corrected": _codes,
    "latent.projection.linear": _decoder,
}
