"""Where rows on the networks of Conditioning speak, and where numbers stand in the columns that are recorded of them.

Axes of a column: networks, arms (plain, orthogonal, penalty, clipped), models (simple, CNN) or layers (`LAYERS`), norms
(`NORMS`), radii (`ALL_RADII`), steps of an attack.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.reported import CONDITIONING, LAYERS, RADII, find

PIXELS = {"digits": 64}  # of an image; 784 of every other data set
PLAIN, SIMPLE, CONV, EUCLIDEAN = 0, 0, 1, 1
CONVOLUTIONAL = (LAYERS.index("conv0"), LAYERS.index("conv1"))
CONNECTED = (LAYERS.index("simple"), LAYERS.index("dense"), LAYERS.index("logits"))
OF_MODEL = ((LAYERS.index("simple"),), tuple(range(1, len(LAYERS))))  # the layers of each model
SOFTMAX = (LAYERS.index("simple"), LAYERS.index("logits"))  # the last layer of each model
ROUNDING = 1e-5  # of networks that are trained and kept in single precision
STEPS = int(find(CONDITIONING, "text", "steps of the attack").value)
# The tutorials' training of the simple model, with the start that comes nearest to the printed numbers.
RECIPE = {
    "dataset": "mnist",
    "optimiser": "sgd",
    "rate": 0.5,
    "batch": 100,
    "iterations": 1000,
    "initial": "0.005",
}
EPOCHS = 5  # of the CNN
LISTED_STEP = 0.05  # between the radii of Section IV


def _listed() -> list[float]:
    """The radii of Section IV, from the smallest on, none above the largest."""
    ends = (find(CONDITIONING, "text", f"{which} radius of the methods").value for which in ("smallest", "largest"))
    least, most = ends
    return [least + k * LISTED_STEP for k in range(int((most - least) / LISTED_STEP) + 1)]


ALL_RADII = tuple(sorted({round(radius, 6) for radius in (*map(float, RADII), *_listed())}))


def at(radius: str) -> int:
    """Where a radius of the tables stands among all."""
    return ALL_RADII.index(float(radius))


def printed_radii() -> list[int]:
    """Where the radii of Tables I and II stand among all."""
    return [at(radius) for radius in RADII]


def paired(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Products of differences within pairs of networks, 2k and 2k + 1: positive where both numbers rise together."""
    whole = len(one) // 2 * 2
    first, second = ((column[1:whole:2] - column[:whole:2]) for column in (one, other))
    return first * second


def simple(**point: Any) -> bool:
    """Whether the simple model is trained as `RECIPE` says."""
    return all(point[axis] == value for axis, value in RECIPE.items())


def simple_attacked(**point: Any) -> bool:
    """Whether it is attacked in as many steps as fit the printed accuracies, too."""
    return simple(**point) and point["steps"] == STEPS


def pair(networks: str, epochs: int, **point: Any) -> bool:
    """Whether there is a CNN as well, trained as long as in the code that the paper cites."""
    return networks == "pair" and epochs == EPOCHS and simple(**point)


def pair_attacked(**point: Any) -> bool:
    """Whether both are attacked in as many steps as fit the printed accuracies."""
    return pair(**point) and point["steps"] == STEPS


def treated(treatments: str, **point: Any) -> bool:
    """Whether weights are treated in several ways, under the attack that fits."""
    return treatments == "all" and simple_attacked(**point)


def both(networks: str, **_: Any) -> bool:
    """Whether there is a CNN, too."""
    return networks == "pair"
