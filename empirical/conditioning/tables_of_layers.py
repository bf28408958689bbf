"""Relative errors in trained layers: what one image's error may grow by, at worst and in a random direction."""

from __future__ import annotations

import math

import numpy as np

from empirical.conditioning.columns import EUCLIDEAN, PLAIN, SOFTMAX, Columns, layers, models, where
from empirical.conditioning.measure import LAYERS
from fragility.engine.study import Point
from fragility.judging.estimates import CONFIDENCE, Bounds, Estimate, mean
from fragility.tables import Cell, Column, Table

GROWTHS = {
    "effective": "largest growth of an error at an image",
    "growth_random": "growth in a random direction",
    "row_space": "||x|| / ||P x||",
}
BOUNDS = ("worst growth over kappa_2 ||x|| / ||P x||", "worst growth over kappa_2, as printed")
HOLDS = 1 + 1e-9
RATIO: Bounds = (0.0, math.inf)


def relative_errors(point: Point, columns: Columns) -> Table:
    """Quantiles over images of the worst and the random growth, and both inequalities, for every layer."""
    rows: list[tuple[Cell, ...]] = []
    headings: dict[int, str] = {}
    softmax = {SOFTMAX[model]: model for model in models(columns)}
    for layer in layers(columns):
        headings[len(rows)] = LAYERS[layer]
        rows.append(_one("kappa_2", columns["kappa"][:, PLAIN, layer, EUCLIDEAN]))
        if layer in softmax:
            centred = columns["gauge"][:, PLAIN, softmax[layer]]
            rows.append(_one("kappa_2 of the centred weights, the same classifier", centred))
        rows.extend(_quantiles(text, columns[name][:, layer]) for name, text in GROWTHS.items())
        for text, ratio in zip(BOUNDS, columns["growth_of_bound"][:, layer].T, strict=True):
            broken = f"broken in {int(np.sum(ratio > HOLDS))} of {len(ratio)} networks, at most {np.max(ratio):.4g}"
            rows.append(_one(text, ratio, broken))
    head = [
        Column("quantity"),
        *(Column(name, align="right") for name in ("10 % of images", "median", "90 %")),
        Column(f"{100 * CONFIDENCE:g} % interval", key="interval", align="right"),
        Column("networks", align="right"),
        Column("note"),
    ]
    return Table(
        head,
        rows,
        f"Relative errors in the layers, Euclidean, means over networks ({where(point)})",
        (
            "Growth: (||W delta|| / ||W x||) / (||delta|| / ||x||), at an image x largest along the first singular "
            "vector: ||W|| ||x|| / ||W x||. P projects on what the layer sees.",
            "Intervals are of the median over images, or of the layer's own number; a broken inequality exceeds 1.",
        ),
        CONFIDENCE,
        headings,
    )


def _one(quantity: str, values: np.ndarray, note: str = "") -> tuple[Cell, ...]:
    """A number of the layer itself."""
    found = mean(values, within=RATIO)
    return quantity, None, found.value, None, found.interval, found.n, note


def _quantiles(quantity: str, values: np.ndarray) -> tuple[Cell, ...]:
    """Three quantiles over the images, values (networks, 3)."""
    low, middle, high = (_mean(values[:, k]) for k in range(3))
    return quantity, low.value, middle.value, high.value, middle.interval, middle.n, ""


def _mean(values: np.ndarray) -> Estimate:
    return mean(np.where(np.isfinite(values), values, np.nan), within=RATIO)
