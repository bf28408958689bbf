"""What tables and figures read of a run's networks: where a number stands in its column, and what one more would give.

A column has the networks first: (networks, arms, models or layers, ...). The arm that every run has is the plain one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from empirical.conditioning.measure import LAYERS, MODELS, RADII
from empirical.measures.condition import NORMS
from fragility.engine.study import Point
from fragility.judging.estimates import ANY, CONFIDENCE, Bounds, Estimate

Columns: TypeAlias = Mapping[str, np.ndarray]

PLAIN, EUCLIDEAN = 0, NORMS.index("2")
SIMPLE, CONV = range(len(MODELS))
LAYERS_OF = {SIMPLE: (LAYERS.index("simple"),), CONV: tuple(range(1, len(LAYERS)))}
SOFTMAX = {SIMPLE: LAYERS.index("simple"), CONV: LAYERS.index("logits")}  # the last layer of each model
NAMES = {SIMPLE: "the simple model", CONV: "the CNN"}
SIDES = {"digits": 8}  # pixels along an image's side; 28 of every other data set


def models(columns: Columns) -> range:
    """Positions in MODELS of the models that were trained."""
    return range(columns["clean"].shape[2])


def layers(columns: Columns) -> range:
    """Positions in LAYERS of the layers that there are."""
    return range(columns["kappa"].shape[2])


def after(columns: Columns) -> dict[str, int]:
    """Where the first and the last step of the attacks stand, by the words for them."""
    steps = columns["fgsm"].shape[-1]
    return {"1 step": 0} if steps == 1 else {"1 step": 0, f"{steps} steps": -1}


def position(radius: float | str) -> int:
    """Where a radius stands in RADII, the nearest of them."""
    return int(np.argmin(np.abs(np.asarray(RADII) - float(radius))))


def attacked(columns: Columns, attack: str, model: int, radius: float | str, step: int = -1) -> np.ndarray:
    """Accuracy of a plain model under an attack, (networks,), after its first step (0) or its last (-1)."""
    return columns[attack][:, PLAIN, model, position(radius), step]


def shapes(point: Point) -> list[tuple[int, int]]:
    """Sizes of the layers' matrices, in the order of LAYERS: the larger one first."""
    side = SIDES.get(point["dataset"], 28)
    inside = 64 * (side // 4) ** 2  # channels, and pixels after two poolings
    return [(side * side, 10), (32, 9), (288, 64), (inside, 128), (128, 10)]


def setting(point: Point) -> str:
    """How the simple model was trained, in a few words."""
    started = {"0": "zeros", "glorot": "Glorot"}.get(point["initial"], f"normal {point['initial']}")
    return f"{point['optimiser']} {point['rate']:g}, batch {point['batch']}, {point['iterations']} steps from {started}"


def logarithm(values: np.ndarray) -> np.ndarray:
    """Natural logarithm; NaN of what is 0 or infinite."""
    usable = (values > 0) & np.isfinite(values)
    return np.where(usable, np.log(np.where(usable, values, 1.0)), np.nan)


def mean_logarithm(columns: Columns, model: int, arm: int = PLAIN) -> np.ndarray:
    """Mean over a model's layers of ln kappa_2 after training, (networks,)."""
    return logarithm(columns["kappa"][:, arm, list(LAYERS_OF[model]), EUCLIDEAN]).mean(axis=1)


def further(values: np.ndarray, entries: int = 1, within: Bounds = ANY) -> Estimate:
    """The mean of independent values (n,) with the interval in which one further value lies (Student).

    Parameters
    ----------
    entries : how many such intervals are to hold together, with probability `CONFIDENCE` (Bonferroni).
    within : the least and the largest value that there can be.
    """
    from scipy.stats import t

    kept = values[~np.isnan(values)]
    n = len(kept)
    if n < 2:
        return Estimate(float(kept[0]) if n else math.nan, -math.inf, math.inf, n)
    centre = float(np.mean(kept))
    level = 1 - (1 - CONFIDENCE) / (2 * entries)
    half = float(t.ppf(level, n - 1) * np.std(kept, ddof=1) * math.sqrt(1 + 1 / n))
    return Estimate(centre, max(centre - half, min(within[0], centre)), min(centre + half, max(within[1], centre)), n)


def geometric(estimate: Estimate) -> Estimate:
    """An estimate of a mean logarithm as one of a geometric mean."""
    value, low, high = (math.exp(number) for number in (estimate.value, estimate.low, estimate.high))
    return Estimate(value, low, high, estimate.n)


def lies_within(printed: float, expected: Estimate, rounding: float = 0.0) -> bool:
    """Whether a printed number, which may be off by its rounding, lies in an interval; without limits none does."""
    bounded = math.isfinite(expected.low) and math.isfinite(expected.high)
    return bounded and expected.low - rounding <= printed <= expected.high + rounding


def where(point: Point) -> str:
    """A point in the words of a title; what is as the study's defaults have it is left out."""
    start = point["initial"] if point["initial"] == "glorot" else f"sd {point['initial']}"
    simple = f"{point['optimiser']} {point['rate']:g}, batch {point['batch']}, {point['iterations']} steps from {start}"
    conv = f"; CNN {point['epochs']} epochs" if point["networks"] == "pair" else ""
    turned = ", outputs x inputs" if point["orientation"] == "outputs" else ""
    return f"{point['dataset']}; simple model {simple}{conv}; {point['images']} images attacked{turned}"
