"""Accuracy under both attacks at the radii that the text lists, and how far they really move an image."""

from __future__ import annotations

from empirical.conditioning.columns import NAMES, PLAIN, Columns, after, models, where
from empirical.conditioning.measure import ATTACKS, RADII
from fragility.engine.study import Point
from fragility.judging.estimates import SHARE, mean
from fragility.tables import Cell, Column, Table

LEAST, STEP = 0.005, 0.05  # the list of Section IV


def radii_of_the_text(point: Point, columns: Columns) -> Table:
    """A row per model and radius from .005 in steps of .05."""
    steps = columns["fgsm"].shape[-1]
    taken = after(columns)
    rows: list[tuple[Cell, ...]] = []
    headings = {}
    for model in models(columns):
        headings[len(rows)] = NAMES[model]
        for place, radius in enumerate(RADII):
            times = (radius - LEAST) / STEP
            if abs(times - round(times)) > 1e-6:
                continue
            cells: list[Cell] = [f"epsilon = {radius:g}"]
            for attack in ATTACKS:
                for step in taken.values():
                    found = mean(columns[attack][:, PLAIN, model, place, step], within=SHARE)
                    cells += [found.value, found.interval]
            cells += [float(columns["moved"][:, model, place, which].max()) for which in taken.values()]
            rows.append((*cells, len(columns["moved"])))
    heads = [
        Column("radius"),
        *(
            column
            for attack in ATTACKS
            for text in taken
            for column in (
                Column(f"{attack.upper()}, {text}", align="right"),
                Column("95 % interval", key=f"{attack}, {text}, interval", align="right"),
            )
        ),
        *(Column(f"moved, {text}", align="right") for text in taken),
        Column("networks", align="right"),
    ]
    return Table(
        heads,
        rows,
        f"Accuracy at the radii that Section IV lists ({where(point)})",
        (
            f"'[0.005, 0.3] with a step size of 0.05'; attacks of {steps} steps.",
            "moved: largest change of a pixel under FGSM. No ball is kept to, so that all steps may move a pixel by "
            f"{steps} epsilon.",
        ),
        headings=headings,
    )
