"""Random small networks, and an attacker who knows no theory: it flips one entry of weights and input at a time.

What it finds is a lower bound on the largest increase of a margin, by plain forward passes.
"""

import numpy as np


def forward(weights, x, biases=None):
    h = np.asarray(x)
    for m, weight in enumerate(weights):
        h = weight @ h + (0 if biases is None else biases[m])
        if m < len(weights) - 1:
            h = np.maximum(h, 0)
    return h


def draw_network(rng, depth=None, most=4, classes=3):
    """Weights of a random network and an input, of any depth up to 4 and any sign."""
    depth = int(rng.integers(1, 5)) if depth is None else depth
    sizes = [*rng.integers(1, most + 1, size=depth), classes]
    weights = [rng.normal(size=shape) * rng.choice([0.5, 1.0]) for shape in zip(sizes[1:], sizes[:-1], strict=True)]
    x = rng.normal(size=sizes[0]) * (rng.random(sizes[0]) < 0.9)
    return weights, np.abs(x) if rng.random() < 0.3 else x


def draw_radii(rng, depth, largest=0.3):
    """One radius per layer, now and then 0."""
    return list(rng.uniform(0, largest, size=depth) * (rng.random(depth) < 0.9))


def attack(rng, weights, x, radii, radius_x, pair=(0, 1), starts=2, sweeps=2):
    """Perturbed weights and input within their radii that raise f_i - f_j, by ascent over corners."""
    radius = [*radii, radius_x]
    entries = [(m, k) for m, part in enumerate([*weights, x]) if radius[m] > 0 for k in range(part.size)]

    def gain(parts):
        logits = forward(parts[:-1], parts[-1])
        return logits[pair[0]] - logits[pair[1]]

    best, found = -np.inf, None
    for start in range(starts):
        center = [*weights, x]
        signs = [np.sign(part) if start == 0 else rng.choice([-1.0, 1.0], size=part.shape) for part in center]
        parts = [part + r * sign for part, r, sign in zip(center, radius, signs, strict=True)]
        value = gain(parts)
        for _ in range(sweeps):
            for m, k in entries:
                before = parts[m].flat[k]
                parts[m].flat[k] = 2 * center[m].flat[k] - before
                tried = gain(parts)
                value = max(value, tried)
                if tried < value:
                    parts[m].flat[k] = before
        if value > best:
            best, found = value, parts
    return found[:-1], found[-1]
