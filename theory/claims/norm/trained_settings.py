"""Where rows on networks trained for ConvNorm speak, and where numbers stand in their recorded columns.

Axes of a column: seeds, widths k, normalisations, and what else there is: layers, radii. A point trains some widths and
some normalisations and names them as "1+2" and "vanilla+bn"; which they are is recorded, too, as "width", (seeds,
widths), and "normalisation", (seeds, normalisations), by their places in `NORMALISATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theory.convolution.robust_accuracy import overfitted
from theory.numerics.array import Array
from theory.reported import CONVNORM, find

NORMALISATIONS = ("vanilla", "bn", "convnorm", "bn_convnorm")
VANILLA, BN, CONV = range(3)
LARGER = 3  # the widths that the paper calls larger begin here, as in norm.conclusion.pgd
PER_CENT = 100
EPOCHS = int(find(CONVNORM, "text", "epochs").value)
IMAGES = 45_000  # training images of CIFAR-10 but for the tenth that is held out


def several(text: str) -> tuple[str, ...]:
    """What an axis names that holds several: "1+2" gives "1" and "2"."""
    return tuple(text.split("+"))


def normalised_by(normalisation: Array, *which: int) -> list[int]:
    """Where some normalisations stand among those that were trained; anywhere, of no seed at all.

    Raises
    ------
    ValueError : one of them was not.
    """
    if not len(normalisation):
        return [0] * len(which)
    held = [int(place) for place in normalisation[0]]
    return [held.index(one) for one in which]


def of(column: Array, normalisation: Array, which: int) -> Array:
    """One normalisation of a column, (seeds, widths, ...)."""
    return column[:, :, normalised_by(normalisation, which)[0]]


def networks(column: Array) -> Array:
    """One row for each network, (seeds * widths * normalisations, ...): rows on every network count networks."""
    return np.reshape(column, (-1, *column.shape[3:]))


def averaged(column: Array) -> np.ndarray:
    """Mean over the cells of a seed, (seeds,), of (seeds, widths, normalisations); NaN is left out, and of all NaN."""
    there = ~np.isnan(column)
    count = np.count_nonzero(there, axis=(1, 2))
    total = np.sum(np.where(there, column, 0.0), axis=(1, 2))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def flagged(fgsm: Array, pgd: Array) -> np.ndarray:
    """Whether networks look catastrophically overfitted, of accuracies as shares."""
    return np.asarray(overfitted(PER_CENT * fgsm, PER_CENT * pgd))


def trained(*which: str, widths: int = 1, largest: int = 1, adversary: str = "free") -> Callable[..., bool]:
    """Tells of a point whether networks of CIFAR-10 were trained there that a row can compare.

    Parameters
    ----------
    which : normalisations that it needs.
    widths : how many widths, at least.
    largest : what the largest of them must be, at least.
    adversary : of the training; the paper's is "free".
    """

    def where(**point: Any) -> bool:
        held = list(map(int, several(point["widths"])))
        return (
            on_cifar(**point)
            and point["adversary"] == adversary
            and set(which) <= set(several(point["normalisations"]))
            and len(held) >= widths
            and max(held) >= largest
        )

    return where


def on_cifar(dataset: str, **_: Any) -> bool:
    """Whether images are those of the paper."""
    return dataset == "cifar10"


def by_ensemble(auto_images: int, **_: Any) -> bool:
    """Whether AutoAttack was run."""
    return auto_images > 0


def residual(resnet: int, **point: Any) -> bool:
    """Whether a ResNet18 was trained, on the images of the paper."""
    return resnet > 0 and on_cifar(**point)


def printed_setting(epochs: int, training: int, divided: int, **point: Any) -> bool:
    """Whether networks are trained as long as those of Table 1, and on as many images."""
    return trained()(**point) and epochs == EPOCHS and not divided and training == IMAGES
