"""What a study records, for readers: each statistic, its unit, and how many numbers there are per draw."""

from __future__ import annotations

from fragility.engine.statistics import Statistic, Statistics
from fragility.engine.study import Study
from fragility.tables import Column, Table

COLUMNS = (Column("statistic", code=True), Column("what it is", prose=True), Column("unit"), Column("per draw"))


def recorded(study: Study) -> Table:
    """A row per statistic that the study describes; a study that only names its statistics has none."""
    described: dict[str, Statistic] = {}
    for method in study.methods.values():
        if isinstance(method.statistics, Statistics):
            described |= method.statistics
    rows = [(name, one.says, one.unit, " x ".join(map(str, one.shape)) or "1") for name, one in described.items()]
    return Table(COLUMNS, rows, study.name)
