"""Columns of the study as networks that behave as the paper says would give them, pixels included."""

import numpy as np

from theory.claims.latent.trained_settings import CLASSIFIERS, CODES, GRADIENTS, IMAGE, SPACES

EPOCHS, EPOCHS_OF_CODES = 6, 9
NOT_OF_IMAGES = "transfer", "implicit", "steps", "expected"  # ways of attack
NOT_OF = {  # ways of attack that a code has not
    "image": NOT_OF_IMAGES,
    "ae_encoding": ("implicit", "steps", "expected"),
    "ae_projection": ("exact", "expected"),
    "vae_encoding": ("implicit", "steps"),
    "vae_projection": ("exact", "expected"),
}
ACCURACY = np.array(  # (spaces, classifiers)
    [[0.92, 0.925, 0.98], [0.88, 0.885, 0.968], [0.85, 0.855, 0.95], [0.90, 0.905, 0.965], [0.86, 0.87, 0.955]]
)
ROBUSTNESS = np.array([0.2, 0.25, 0.5, 0.9, 0.6])[:, None] * [1.0, 0.9, 1.1]
PIXELS = np.array([1.0, 1.1, 1.4, 1.6, 1.5])[:, None] * [0.9, 0.8, 1.2]
PICTURE = np.linspace(0.0, 0.9, 9)  # three pixels high
TIMES = dict(zip(GRADIENTS, (2.0, 1.0, 1.2, 1.1, 1.05), strict=True))  # the smallest that is found


def courses():
    """Mean training losses, (spaces, classifiers, epochs): 2L falls faster than 1L, LRL lower than both."""
    epochs = np.arange(1, EPOCHS_OF_CODES + 1)
    losses = np.stack([0.3 + 2 / epochs, 0.3 + 2 / (2 * epochs), 0.05 + 2 / (2 * epochs)])
    losses = np.tile(losses, (len(SPACES), 1, 1))
    losses[IMAGE, :, EPOCHS:] = np.nan
    return losses


def by_way():
    """Smallest perturbations, (spaces, classifiers, ways): the best way is as good as all together, nothing is 1."""
    ways = PIXELS[..., None] * np.array(list(TIMES.values()))
    for space, left_out in NOT_OF.items():
        ways[SPACES.index(space), :, [GRADIENTS.index(way) for way in left_out]] = np.nan
    return ways


def columns(seeds=3):
    """All columns that rows and the figure read, a little different from seed to seed."""
    rng = np.random.default_rng(0)

    def scattered(values, sd=0.002):
        """As many draws as seeds; differences within a draw stay."""
        values = np.asarray(values, dtype=float)
        return values + sd * rng.normal(size=(seeds, *(1,) * values.ndim))

    def alike(values):
        return np.broadcast_to(values, (seeds, *np.shape(values)))

    shape = len(SPACES), len(CLASSIFIERS)
    ways = by_way() * (1 + 0.02 * rng.normal(size=(seeds, 1, 1, 1)))
    pixels = np.nanmin(ways, axis=-1)
    coded = ACCURACY[1:]
    adversarial = np.array([0.3, 0.5, 0.75, 0.6])[:, None] + np.array([-0.05, 0.0, 0.05])
    transfer = np.array([[0.0, 0.1, 0.6], [0.15, 0.0, 0.7], [0.4, 0.45, 0.0]])
    certified_at = np.tile([0.0, 0.0, 0.1, 1.0], (*shape, 1))  # by penalty, increasing
    auto = np.where(np.isin(SPACES, CODES), 0.35, 0.25)[:, None] * np.ones(shape)
    auto[[SPACES.index("ae_projection"), SPACES.index("vae_projection")]] = np.nan
    lower = np.zeros((seeds, *shape))
    lower[:, IMAGE] = pixels[:, IMAGE] / 2
    return {
        "seed": np.arange(seeds, dtype=float),
        "test_accuracy": scattered(ACCURACY),
        "train_accuracy": scattered(ACCURACY + 0.01),
        "losses": scattered(courses(), sd=0.0),
        "robustness": scattered(ROBUSTNESS),
        "size": alike([9.2, 40.0, 30.0, 5.0, 6.0]),
        "absolute": scattered(9.2 * ROBUSTNESS, sd=0.02),
        "success": alike(np.full(shape, 0.99)),
        "stalled": alike(np.zeros(shape)),
        "attempts": alike(np.full(shape, 180.0)),
        "penalties": alike([0.0, 0.1, 1.0, 10.0]),
        "stalled_at": alike(certified_at**0.9),
        "success_at": alike(0.99 - 0.9 * certified_at),
        "robustness_at": scattered(np.tile(ROBUSTNESS[..., None], 4)),
        "stall_certified": alike(certified_at),
        "background": scattered([0.75, 0.85, 0.78]),
        "background_pixels": alike([0.8, 0.8, 0.8]),
        "transfer": alike(transfer),
        "adversarial_accuracy": scattered(adversarial),
        "coded_accuracy": scattered(coded),
        "hit": alike(0.8 * (1 - adversarial)),
        "reconstruction": scattered([0.3, 0.25, 0.35, 0.28]),
        "pixels": pixels,
        "pixels_lower": lower,
        "pixels_by": ways,
        "pixels_clean": scattered(ACCURACY),
        "failed": alike(np.zeros(shape)),
        "failed_by": np.where(np.isnan(ways), np.nan, 0.0),
        "auto": scattered(auto),
        "auto_clean": scattered(np.where(np.isnan(auto), np.nan, ACCURACY)),
        "picture": alike(PICTURE),
        "picture_label": alike(7.0),
        "picture_attacked": alike(PICTURE + np.arange(len(SPACES))[:, None] / 100),
        "picture_length": alike(np.arange(len(SPACES)) * 0.03),
        "picture_as": alike([1.0, 2.0, 3.0, 4.0, 9.0]),
    }
