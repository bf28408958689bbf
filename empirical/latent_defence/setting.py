"""The names of what the study compares, in the order of their axes, and the point at which it is measured."""

from __future__ import annotations

from dataclasses import dataclass

SPACES = ("image", "ae_encoding", "ae_projection", "vae_encoding", "vae_projection")  # what classifiers are given
CODES = SPACES[1:]
KINDS = ("1l", "2l", "lrl")  # of classifiers
PICTURED = KINDS[-1]  # whose adversarial images are recorded
GRADIENTS = ("transfer", "exact", "implicit", "steps", "expected")  # of attacks in pixels, see `pixels`
PENALTIES = (0.0, 0.1, 1.0, 10.0)  # of the attack, tried besides the one of the point


@dataclass(frozen=True)
class Setting:
    """A point of the study: its axes, which `empirical.latent_defence.study` explains."""

    dataset: str
    width: int
    penalty: float
    pairs: int
    training: int
    tested: int
    held_out: int
    projection: str
    projection_steps: int
    code: str
    epochs: int
    epochs_codes: int
    epochs_autoencoder: int
    images: int
    noises: int
    ddn_implicit: int
    ddn_steps: int
    auto: str
    auto_radius: float
    data: str
