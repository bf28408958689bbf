"""Whether ill-conditioned networks are fragile: correlations over networks, and what treatments of weights change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from empirical.conditioning.columns import (
    CONV,
    EUCLIDEAN,
    LAYERS_OF,
    NAMES,
    PLAIN,
    Columns,
    after,
    attacked,
    logarithm,
    mean_logarithm,
    models,
    position,
    where,
)
from empirical.conditioning.measure import ARMS, LAYERS
from fragility.engine.study import Point
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import CONFIDENCE, mean, rank_correlation
from fragility.tables import Cell, Column, Table

RADII = ("0.005", "0.01")  # at which the printed accuracies are neither clean nor 0
GIVEN = {"clean accuracy": "clean", "sharpness": "sharpness"}


def correlations(point: Point, columns: Columns) -> Table:
    """ln kappa_2 of each layer, and its mean over those of a model, with accuracy under FGSM and with distance."""
    rows: list[tuple[Cell, ...]] = []
    headings: dict[int, str] = {}
    for model in models(columns):
        controls = [columns[name][:, PLAIN, model] for name in GIVEN.values()]
        for name, kappa in _conditions(columns, model):
            headings[len(rows)] = f"ln kappa_2 of {name}, with"
            for text, sturdy in _sturdiness(columns, model):
                found = [rank_correlation(kappa, sturdy, given) for given in (None, *controls)]
                rows.append((text, *(cell for one in found for cell in (one.value, one.interval)), found[0].n))
    interval = f"{100 * CONFIDENCE:g} % interval"
    head = [
        Column("of plain networks"),
        Column("correlation", align="right"),
        Column(interval, key="interval", align="right"),
        *(
            column
            for name in GIVEN
            for column in (
                Column(f"given {name}", align="right"),
                Column(interval, key=f"given {name}, interval", align="right"),
            )
        ),
        Column("networks", align="right"),
    ]
    return Table(
        head,
        rows,
        f"Ill-conditioning and fragility over networks, rank correlations ({where(point)})",
        (
            "Negative: the worse conditioned, the more fragile. given: partial correlation. Intervals by Fisher's z.",
            "distance: median distance to the boundary; sharpness: mean lead of the first logit over the second.",
        ),
        CONFIDENCE,
        headings,
    )


def interventions(point: Point, columns: Columns) -> Table:
    """Every treatment against the plain training from the same seed."""
    rows: list[Row] = []
    headings: dict[int, str] = {}
    for model in models(columns):
        for arm in range(1, len(ARMS)):
            headings[len(rows)] = f"{NAMES[model]}, {ARMS[arm]} minus plain"
            for text, plain, treated in _compared(columns, model, arm):
                change = treated - plain
                counted = f"lower in {int(np.sum(change < 0))} of {np.count_nonzero(~np.isnan(change))}"
                rows.append(Row(text, mean(change), note=counted))
    table = comparison(
        f"Treatments of the weights, paired differences ({where(point)})",
        rows,
        [
            "orthogonal: initial weights; penalty: on the spread of singular values while training; clipped: small "
            "singular values raised afterwards. Mean difference over seeds, with Student's interval.",
        ],
    )
    return replace(table, headings=headings)


def _conditions(columns: Columns, model: int) -> Iterator[tuple[str, np.ndarray]]:
    """ln kappa_2 after training: of every layer and, of several, their mean."""
    for layer in LAYERS_OF[model]:
        yield LAYERS[layer], logarithm(columns["kappa"][:, PLAIN, layer, EUCLIDEAN])
    if model == CONV:
        yield f"{NAMES[model]}, mean of its layers", mean_logarithm(columns, model)


def _sturdiness(columns: Columns, model: int) -> Iterator[tuple[str, np.ndarray]]:
    """Numbers that are the larger, the less fragile a plain network is."""
    for radius in RADII:
        for text, step in after(columns).items():
            yield f"accuracy, FGSM {radius}, {text}", attacked(columns, "fgsm", model, radius, step)
    yield "distance", columns["distance"][:, PLAIN, model]


def _compared(columns: Columns, model: int, arm: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What a treatment may change: its name, and its values without and with it."""
    yield "mean ln kappa_2 of the layers", mean_logarithm(columns, model), mean_logarithm(columns, model, arm)
    for name, text in (("clean", "clean accuracy"), ("sharpness", "sharpness"), ("distance", "distance")):
        yield text, columns[name][:, PLAIN, model], columns[name][:, arm, model]
    for radius in RADII:
        for text, step in after(columns).items():
            fgsm = columns["fgsm"][:, :, model, position(radius), step]
            yield f"accuracy, FGSM {radius}, {text}", fgsm[:, PLAIN], fgsm[:, arm]
