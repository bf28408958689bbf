"""Columns of the study as networks that behave as the paper says would give them: surfaces that fall off smoothly."""

import numpy as np

from empirical.joint_robustness.trainings import TRAININGS
from theory.convolution.robust_accuracy import area, monotone_envelope

RADII_X, RADII_W = np.linspace(0, 0.3, 4), np.linspace(0, 0.02, 5)
HALVES = {  # radii of inputs alone and of weights alone at which half of the accuracy is gone
    "standard": (0.04, 0.004),
    "weight": (0.06, 0.010),
    "adversarial": (0.18, 0.003),
    "adversarial_beta_half": (0.19, 0.008),
    "adversarial_beta": (0.20, 0.011),
    "jiwp": (0.16, 0.012),
    "awp": (0.20, 0.009),
}


def surface(half_x, half_w):
    """Accuracy (x, w) that begins at 1 and ends at 0."""
    length = RADII_X[:, None] / half_x + RADII_W / half_w
    return 1 / (1 + length**4)


def columns(seeds=3, tiny=False, stronger=True):
    """All columns that tables, claims and the figure read, a little different from seed to seed."""
    rng = np.random.default_rng(0)
    scale = 1 + 0.02 * rng.normal(size=(seeds, 1))
    halves = np.array([HALVES[training] for training in TRAININGS])
    accuracy = np.stack([[surface(s * x, s * w) for x, w in halves] for (s,) in scale])
    accuracy[..., 2, 2] = accuracy[..., 2, 1] + 0.01  # a radius at which the attack does worse than at a smaller one
    envelope, monotone = monotone_envelope(accuracy)
    moved = (RADII_X[:, None] > 0) | (RADII_W > 0)
    truth = np.stack([[surface(x / 3, w / 3) for x, w in halves]] * seeds) * np.where(moved, 0.8, 1)
    shares = {"crown": 0.9, "interval": 0.8, "theorem": 0.5, "printed": 0.55}
    certified = {f"certified_{name}": truth ** (1 / share) for name, share in shares.items()}
    made = {
        "radii_x": np.tile(RADII_X, (seeds, 1)),
        "radii_w": np.tile(RADII_W, (seeds, 1)),
        "clean": accuracy[..., 0, 0],
        "accuracy": accuracy,
        "monotone": monotone,
        "auc": area(envelope, RADII_X, RADII_W),
        "stronger": accuracy * np.where(moved, 0.9, 1) if stronger else np.full_like(accuracy, np.nan),
        "exact": truth if tiny else np.full_like(accuracy, np.nan),
        "exact_open": 0.01 * truth if tiny else np.full_like(accuracy, np.nan),
        "beyond_printed": np.broadcast_to([0.4, 0.4, 0.4], (seeds, len(TRAININGS), 3)),
        "beyond_rescaled": np.broadcast_to([0.4, 0.2, 0.0], (seeds, len(TRAININGS), 3)),
        "moved_weights": np.zeros(seeds),
        "tau": np.ones((seeds, len(TRAININGS))),
        "zeta": np.ones((seeds, len(TRAININGS))),
    }
    return made | certified
