"""Where rows on the networks of Latent and SVD defences speak, and where numbers stand in the columns of both studies.

Axes of a column: seeds, then spaces or codes, classifiers, ways of attack, treatments, shares, layers, in the orders
below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from theory.numerics.array import Array

DATASETS = ("mnist", "fashion-mnist")
SPACES = ("image", "ae_encoding", "ae_projection", "vae_encoding", "vae_projection")
CODES = SPACES[1:]
IMAGE, AE_ENCODING, AE_PROJECTION, VAE_ENCODING, VAE_PROJECTION = range(len(SPACES))
CLASSIFIERS = ("1l", "2l", "lrl")
ONE, TWO, LRL = range(len(CLASSIFIERS))
GRADIENTS = ("transfer", "exact", "implicit", "steps", "expected")
TRANSFER = GRADIENTS.index("transfer")
TREATMENTS = ("zeroed", "tenth", "nine_tenths", "random", "noise")
ZEROED, TENTH, NINE_TENTHS, RANDOM, NOISE = range(len(TREATMENTS))
FACTORS = (ZEROED, TENTH, NINE_TENTHS)  # treatments that multiply the bottom singular values
SHARES = tuple(range(0, 101, 5))  # per cent of the singular values of every layer
EPOCHS, EPOCHS_OF_CODES, PROJECTION_STEPS, CONFIDENCE = 50, 150, 500, 0.95

NEAR = 1.05  # times a last loss: Adam's noise decides over what is nearer


def of_code(column: Array, space: int) -> Array:
    """What a column of codes, (seeds, codes, ...), has of one of them: (seeds, ...)."""
    return column[:, space - 1]


def other_codes(column: Array, space: int) -> np.ndarray:
    """What a column of codes has of all but one of them: (seeds, 3, ...)."""
    return np.delete(column, space - 1, axis=1)


def at(share: int) -> int:
    """Where a share, in per cent, stands among all."""
    return SHARES.index(share)


LARGE = at(40)  # the share of the large gain


def by_network(column: Array, axes: int) -> np.ndarray:
    """One row for each network, of a column whose first `axes` axes are networks: rows on every network count these."""
    return np.reshape(column, (-1, *column.shape[axes:]))


def coded(
    dataset: str, epochs: int, epochs_codes: int, projection: str, projection_steps: int, held_out: int, **_: Any
) -> bool:
    """Whether classifiers of images and codes are trained, and codes found, as the paper says, and test images met."""
    trained = dataset in DATASETS and (epochs, epochs_codes) == (EPOCHS, EPOCHS_OF_CODES)
    return trained and (projection, projection_steps) == ("l2", PROJECTION_STEPS) and not held_out


def coded_fashion(dataset: str, **point: Any) -> bool:
    """Whether they are networks of Fashion-MNIST, so trained."""
    return dataset == "fashion-mnist" and coded(dataset, **point)


def like_mnist(point: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the other point has networks of MNIST, and whatever else it says as the first one."""
    alike = all(other[axis] == value for axis, value in point.items() if axis not in ("dataset", "data"))
    return other["dataset"] == "mnist" and alike


def shrunk(dataset: str, epochs: int, confidence: float, **_: Any) -> bool:
    """Whether the classifiers whose singular values are shrunk are trained and attacked as the paper says."""
    return dataset in DATASETS and epochs == EPOCHS and confidence == CONFIDENCE


def shrunk_mnist(dataset: str, **point: Any) -> bool:
    """Whether they are classifiers of MNIST, of which Section 3.6 speaks at length."""
    return dataset == "mnist" and shrunk(dataset, **point)


def shrunk_fashion(dataset: str, **point: Any) -> bool:
    """Whether they are classifiers of Fashion-MNIST, of which it says one sentence."""
    return dataset == "fashion-mnist" and shrunk(dataset, **point)
