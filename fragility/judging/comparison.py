"""What a paper prints, what theory predicts and what was measured, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fragility.judging.estimates import CONFIDENCE, Estimate
from fragility.tables import Cell, Column, Table


@dataclass(frozen=True)
class Row:
    """One quantity; None where a paper prints nothing, theory predicts nothing or nothing was measured."""

    quantity: str
    measured: Estimate | None
    printed: float | None = None
    predicted: float | None = None
    note: str = ""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """As the columns of a comparison name them."""
        found = self.measured
        measured = (None, None, None) if found is None else (found.value, found.interval, found.n)
        return self.quantity, self.printed, self.predicted, *measured, self.note


def comparison(title: str, rows: Sequence[Row], notes: Sequence[str] = (), unit: str = "networks") -> Table:
    """A table of a paper with a prediction and a measurement beside each number.

    Parameters
    ----------
    unit : what is independent of each other and counted: networks, images, pairs.
    """
    columns = [
        Column("quantity"),
        *(Column(name, align="right") for name in ("printed", "predicted", "measured")),
        Column(f"{100 * CONFIDENCE:g} % interval", key="interval", align="right"),
        Column(unit, align="right"),
        Column("note"),
    ]
    return Table(columns, [row.cells for row in rows], title, notes, CONFIDENCE)
