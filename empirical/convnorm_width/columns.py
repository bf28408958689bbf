"""What tables read of a run's networks: where a cell stands in its columns, and how it is called.

A column has the seeds first, then widths and normalisations: (seeds, widths, normalisations, ...).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from empirical.convnorm_width.trainings import NORMALISATIONS
from fragility.engine.study import Axis, Point

Columns: TypeAlias = Mapping[str, np.ndarray]

WORDS = {"vanilla": "vanilla", "bn": "BN", "convnorm": "ConvNorm", "bn_convnorm": "BN+ConvNorm"}
ATTACKS = {"pgd": "PGD", "fgsm": "FGSM"}
TOLD = ("dataset", "adversary", "epochs", "training")  # of a point, whatever its values


@dataclass(frozen=True)
class Cell:
    """A network of the table, and its place in the columns."""

    width: int
    normalisation: str
    place: tuple[int, int]

    @property
    def name(self) -> str:
        """As headings and rows call it."""
        return f"{WORDS[self.normalisation]}, k = {self.width}"

    def of(self, column: np.ndarray) -> np.ndarray:
        """Its numbers, (seeds, ...)."""
        return column[:, self.place[0], self.place[1]]


def cells(columns: Columns) -> list[Cell]:
    """Those that were run, width by width."""
    widths = [int(width) for width in columns["width"][0]]
    names = [NORMALISATIONS[int(number)] for number in columns["normalisation"][0]]
    return [Cell(width, name, (i, j)) for i, width in enumerate(widths) for j, name in enumerate(names)]


def seeds(columns: Columns) -> str:
    """How many there are, in words."""
    count = len(columns["seed"])
    return f"{count} seed{'s' if count > 1 else ''}"


def where(point: Point, grid: Mapping[str, Axis], plural: Sequence[str] = ("widths", "normalisations")) -> str:
    """A point in the words of a title: data, training, and what else is not as the study has it by default."""
    told = [axis for axis in grid if axis not in plural and (axis in TOLD or point[axis] != grid[axis].default[0])]
    return ", ".join(f"{axis.replace('_', ' ')} {point[axis]}" for axis in told)
