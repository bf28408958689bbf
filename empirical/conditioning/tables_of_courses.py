"""How condition numbers go along training: first, largest and last, where the largest is, and whether norms agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

import numpy as np

from empirical.conditioning.columns import EUCLIDEAN, Columns, layers, where
from empirical.conditioning.measure import LAYERS
from empirical.measures.condition import NORMS
from fragility.engine.study import Point
from fragility.judging.estimates import Estimate, mean, median, rank_correlation
from fragility.tables import Cell, Column, Table


def courses(point: Point, columns: Columns) -> Table:
    """A row per layer and norm, over the plain networks."""
    rows: list[tuple[Cell, ...]] = []
    headings: dict[int, str] = {}
    for layer in layers(columns):
        trend = agreement(columns, layer)
        headings[len(rows)] = f"{LAYERS[layer]}: norms agree to a rank correlation of {_written(trend)}"
        rows.extend(_row(columns, layer, norm) for norm in range(len(NORMS)))
    head = [
        Column("norm"),
        *(Column(name, align="right") for name in ("first", "largest", "at step", "of", "last", "last, strict")),
        Column("largest / last", align="right"),
        Column("95 % interval", key="interval", align="right"),
        Column("trend", align="right"),
        Column("networks", align="right"),
    ]
    return Table(
        head,
        rows,
        f"Condition numbers along training, medians over networks ({where(point)})",
        (
            "trend: rank correlation of the condition number with the step, mean over networks. Norms agree: the least "
            "rank correlation between two norms' courses, mean over networks.",
            "strict: sigma_1 / sigma_n, inf where the matrix is numerically singular; else ||W|| ||W^+||.",
        ),
        headings=headings,
    )


def agreement(columns: Columns, layer: int) -> Estimate:
    """Over networks, the least rank correlation between the courses of a layer in two norms."""
    found = []
    for course in columns["course"][:, layer]:
        pairs = combinations(range(len(NORMS)), 2)
        found.append(min(rank_correlation(course[:, one], course[:, other]).value for one, other in pairs))
    return mean(found, within=(-1.0, 1.0))


def ends(columns: Columns, layer: int, norm: int = EUCLIDEAN) -> Mapping[str, np.ndarray]:
    """First, largest and last condition number of each network, and the steps of the last two, (networks,)."""
    looks, course = columns["looks"][:, layer], columns["course"][:, layer, :, norm]
    known = ~np.isnan(looks)
    last = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    largest = np.argmax(np.where(known & ~np.isnan(course), course, -np.inf), axis=1)
    row = np.arange(len(course))
    return {
        "first": course[:, 0],
        "largest": course[row, largest],
        "at": looks[row, largest],
        "last": course[row, last],
        "strict": columns["course_strict"][row, layer, last, norm],
        "steps": looks[row, last],
    }


def _row(columns: Columns, layer: int, norm: int) -> tuple[Cell, ...]:
    found = ends(columns, layer, norm)
    with np.errstate(divide="ignore", invalid="ignore"):
        spike = median(found["largest"] / found["last"])
    trend = [
        rank_correlation(looks, course).value
        for looks, course in zip(columns["looks"][:, layer], columns["course"][:, layer, :, norm], strict=True)
    ]
    return (
        f"kappa_{'F' if NORMS[norm] == 'fro' else NORMS[norm]}",
        *(float(np.median(found[name])) for name in ("first", "largest", "at", "steps", "last", "strict")),
        spike.value,
        spike.interval,
        mean(trend).value,
        len(trend),
    )


def _written(estimate: Estimate) -> str:
    return "-" if math.isnan(estimate.value) else f"{estimate.value:.2f}"
