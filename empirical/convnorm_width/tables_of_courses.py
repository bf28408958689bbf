"""Accuracy over the epochs of a training, and over the radius of the attacks."""

from __future__ import annotations

import numpy as np

from empirical.convnorm_width.columns import ATTACKS, Columns, cells, seeds
from fragility.tables import Cell, Column, Table

MOST = 8  # epochs that are shown
KINDS = {"clean": "natural", "fgsm": ATTACKS["fgsm"], "pgd": ATTACKS["pgd"]}


def courses(name: str, columns: Columns, overfitted: np.ndarray) -> Table:
    """Accuracies on watched images after some of the epochs, the last among them.

    Parameters
    ----------
    overfitted : of which seeds, cells and epochs the accuracies are those of catastrophic overfitting.
    """
    epochs = columns["course_clean"].shape[-1]
    shown = sorted({round(number) for number in np.linspace(0, epochs - 1, min(epochs, MOST))})
    rows: list[list[Cell]] = []
    headings = {}
    for cell in cells(columns):
        headings[len(rows)] = cell.name
        for kind, words in KINDS.items():
            course = 100 * cell.of(columns[f"course_{kind}"]).mean(axis=0)
            rows.append([words, *(float(course[epoch]) for epoch in shown)])
        rows.append(["flagged seeds", *(str(int(cell.of(overfitted)[:, epoch].sum())) for epoch in shown)])
    return Table(
        [Column("accuracy"), *(_column(f"epoch {epoch + 1}") for epoch in shown)],
        rows,
        f"Figure 2: accuracy along training, per cent ({name})",
        [f"Top-1 on watched images, means over {seeds(columns)}. flagged: overfitted to a single step."],
        headings=headings,
    )


def curves(name: str, columns: Columns) -> Table:
    """Accuracies over the radius."""
    rows: list[list[Cell]] = []
    headings = {}
    for cell in cells(columns):
        headings[len(rows)] = cell.name
        for attack, words in ATTACKS.items():
            curve = 100 * cell.of(columns[f"curve_{attack}"]).mean(axis=0)
            rows.append([words, *(float(value) for value in curve)])
    return Table(
        [Column("attack"), *(_column(f"{255 * radius:.0f}/255") for radius in columns["radii"][0])],
        rows,
        f"Accuracy over the radius, per cent ({name})",
        [
            f"Top-1, means over {seeds(columns)}. True accuracy falls with the radius; where what an attack leaves "
            "rises, the attack has failed at the larger one."
        ],
        headings=headings,
    )


def _column(name: str) -> Column:
    return Column(name, align="right", form=".1f")
