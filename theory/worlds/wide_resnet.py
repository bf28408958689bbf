"""Small nets of the same wiring with convolutions of one tap; positive weights attain the bounds."""

from itertools import pairwise

import numpy as np

from fragility.space import World
from theory.numerics.array import Array


def _weights(rng: np.random.Generator, shape: int | tuple[int, ...], positive: bool) -> Array:
    matrix = rng.standard_normal(shape) * 10 ** rng.uniform(-1.5, 0.5)
    return np.abs(matrix) if positive else matrix


def _block_of(rng: np.random.Generator, width: int, out: int, positive: bool) -> tuple[Array, ...]:
    """Scales before the first convolution, both convolutions, and that of the shortcut, if it has one."""
    inner = int(rng.integers(1, 4))
    return (
        _weights(rng, width, positive),
        _weights(rng, (inner, width), positive),
        _weights(rng, (out, inner), positive),
        _weights(rng, (out, width), positive) if out != width or rng.random() < 0.3 else None,
    )


def _points(rng: np.random.Generator, width: int, positive: bool) -> tuple[Array, Array]:
    """Two images of 8 x 8 pixels; all pixels alike half of the time, as then the average keeps most."""
    pixels = 1 if rng.random() < 0.5 else 64
    x = rng.standard_normal((width, pixels)) * np.ones(64)
    y = x + rng.standard_normal((width, pixels)) * 10 ** rng.uniform(-3, 1)
    return (np.abs(x), np.abs(x) + np.abs(y)) if positive else (x, y)


def widening(rng: np.random.Generator) -> World:
    return {"widen": int(rng.integers(1, 6))}


def block(rng: np.random.Generator) -> World:
    """A basic block and two images."""
    positive = rng.random() < 0.5
    width, out = (1, 1) if rng.random() < 0.3 else rng.integers(1, 4, size=2)
    x, y = _points(rng, width, positive)
    return {"weights": _block_of(rng, width, out, positive), "x": x, "y": y}


def network(rng: np.random.Generator) -> World:
    """A network and two images."""
    positive = rng.random() < 0.5
    widths = np.ones(5, int) if rng.random() < 0.4 else rng.integers(1, 4, size=5)
    x, y = _points(rng, widths[0], positive)
    return {
        "first": _weights(rng, (widths[1], widths[0]), positive),
        "blocks": [_block_of(rng, *pair, positive) for pair in pairwise(widths[1:])],
        "final": _weights(rng, widths[-1], positive),
        "connected": _weights(rng, (3, widths[-1]), positive),
        "x": x,
        "y": y,
    }


def linear_classifier(rng: np.random.Generator) -> World:
    """A linear classifier and an input, which it gives the label now and then not."""
    classes, inputs = int(rng.integers(2, 6)), int(rng.integers(1, 8))
    weights = rng.standard_normal((classes, inputs))
    if inputs >= classes and rng.random() < 0.5:
        weights = np.linalg.qr(weights.T)[0].T
    x = rng.standard_normal(inputs)
    wrong = rng.random() < 0.1
    return {"weights": weights, "x": x, "label": int((np.argmin if wrong else np.argmax)(weights @ x))}
