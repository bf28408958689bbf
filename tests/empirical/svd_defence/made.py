"""Columns of the study as networks that behave as the paper says would give them, and as theory expects beside it."""

import numpy as np

from theory.claims.latent.trained_settings import CLASSIFIERS, SHARES, TREATMENTS, ZEROED

INPUTS, WIDTH, LABELS = 784, 100, 10
LAYERS = {"1l": (LABELS,), "2l": (WIDTH, LABELS), "lrl": (WIDTH, LABELS)}  # singular values of each
X = np.array(SHARES) / 100
CHANCE = 0.1  # accuracy of the constant


def accuracies():
    """Test accuracy, (treatments, shares): a slight boost at first, a fall at the end of all but the scaled ones."""
    slight = 0.004 * np.exp(-(((X - 0.1) / 0.06) ** 2)) * (X > 0)
    fall = 1 / (1 + np.exp(-30 * (X - 0.8)))
    zeroed = (1 - fall) * 0.925 + fall * CHANCE
    tenth = 0.925 - 0.05 * fall
    random = 0.925 - 0.8 * X**2
    noise = 0.925 - 0.05 * X
    return np.stack([zeroed, tenth, np.full_like(X, 0.925), random, noise]) + np.where(X == 1, 0, slight)


def adversarial():
    """Accuracy on the original's examples, (treatments, shares): none at 0; most of it by the bottom ones."""
    rise = 0.75 * np.clip(X / 0.35, 0, 1)
    fall = np.maximum(X - 0.7, 0)
    zeroed = rise - 2 * fall
    return np.stack([zeroed, rise - 0.2 * fall, 0.1 * X, 0.5 * X, 0.3 * X])


def removed():
    """Numbers of singular values, (classifiers, shares, layers), NaN where there is no second layer."""
    counts = np.full((len(CLASSIFIERS), len(SHARES), 2), np.nan)
    for number, classifier in enumerate(CLASSIFIERS):
        for layer, values in enumerate(LAYERS[classifier]):
            counts[number, :, layer] = np.round(values * X)
    return counts


def columns(seeds=3):
    """All columns that rows and the figure read, a little different from seed to seed."""
    rng = np.random.default_rng(0)
    cells = len(CLASSIFIERS), len(TREATMENTS), len(SHARES)

    def every(values, sd=0.002):
        """Of all seeds and classifiers, what a treatment does at a share; differences within a draw stay."""
        return np.broadcast_to(values, cells) + sd * rng.normal(size=(seeds, 1, 1, 1))

    def alike(values):
        return np.broadcast_to(values, (seeds, *np.shape(values)))

    strength = np.array([1.0, 1.0, 0.1, 1.2, 0.5])[:, None] * X  # how much is changed
    success = np.full(cells, 0.99)
    success[:, ZEROED, -1] = 0.0
    robustness = np.broadcast_to(0.2 * (1 + 0.4 * strength), cells).copy()
    robustness[:, ZEROED, -1] = np.nan
    pixels = np.broadcast_to(0.9 * (1 + 0.1 * strength), cells).copy()
    pixels[:, ZEROED, -1] = 0.0
    changed = np.broadcast_to(0.9 * strength / 1.2, cells)
    return {
        "seed": np.arange(seeds, dtype=float),
        "shares": alike(np.array(SHARES, dtype=float)),
        "removed": alike(removed()),
        "test_accuracy": every(accuracies()),
        "train_accuracy": every(accuracies() + 0.01),
        "adversarial_accuracy": alike(np.broadcast_to(adversarial(), cells)),
        "anew_attempts": alike(np.full(cells, 180.0)),
        "anew_success": alike(success),
        "anew_stalled": alike(0.3 * (1 - success)),
        "anew_robustness": alike(robustness),
        "original_robustness": alike(np.full(len(CLASSIFIERS), 0.2)),
        "original_success": alike(np.full(len(CLASSIFIERS), 0.99)),
        "pixels": every(pixels),
        "changed": alike(changed),
        "certified": alike((1 - changed[:, :3]) ** 3),
        "energy": alike(np.tile(X**2, (len(CLASSIFIERS), 1))),
        "gradient_energy": alike(np.tile(X**3, (len(CLASSIFIERS), 1))),
        "weight_energy": alike(np.tile(X**2, (len(CLASSIFIERS), 1))),
        "outside": alike([0.5, 0.5, 0.4]),
        "directions": alike([[LAYERS[classifier][0], INPUTS] for classifier in CLASSIFIERS]),
        "imbalance": alike(0.3),
        "carried": alike(X**4),
    }
