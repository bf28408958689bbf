"""How tables show what is recorded of every classifier: a row for each, under the name of what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from empirical.latent_defence.setting import KINDS, SPACES
from fragility.judging.estimates import CONFIDENCE, SHARE, Bounds, Estimate, mean
from fragility.tables import Cell, Column, Table

Columns: TypeAlias = Mapping[str, np.ndarray]
WORDS = dict(zip(SPACES, ("image", "AE encoding", "AE projection", "VAE encoding", "VAE projection"), strict=True))
NAMES = dict(zip(KINDS, ("1L", "2L", "LRL"), strict=True))
POSITIVE: Bounds = (0.0, np.inf)


def grid(
    columns: Columns, titles: Mapping[str, str], title: str, notes: Sequence[str], spaces: Sequence[str] = SPACES
) -> Table:
    """A row for each classifier: means over seeds, the first of them with an interval.

    Parameters
    ----------
    columns : (seeds, spaces, kinds) each, at least those of `titles`; NaN where there is nothing.
    titles : heads of the table's columns, by the names of what they show.
    """
    rows: list[Sequence[Cell]] = []
    headings = {}
    first, *others = titles
    for i, space in enumerate(spaces):
        headings[len(rows)] = WORDS[space]
        for j, kind in enumerate(KINDS):
            found = over_seeds(columns[first][:, i, j], SHARE if first.endswith("accuracy") else POSITIVE)
            value = None if np.isnan(found.value) else found.value
            rows.append([NAMES[kind], value, found.interval, *(averaged(columns[name][:, i, j]) for name in others)])
    sure = Column(f"{100 * CONFIDENCE:g} % interval", key="interval", align="right")
    heads = [Column(words, align="right") for words in titles.values()]
    return Table([Column("classifier"), heads[0], sure, *heads[1:]], rows, title, notes, CONFIDENCE, headings)


def over_seeds(values: np.ndarray, within: Bounds = POSITIVE) -> Estimate:
    """Mean of values (seeds,); infinite, with no interval, where one of them is: an attack that found nothing."""
    if np.isinf(values).any():
        return Estimate(np.inf, -np.inf, np.inf, len(values))
    return mean(values, within=within)


def averaged(values: np.ndarray) -> float | None:
    """Mean of the numbers that there are; None where there are none."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else None


def seeds(columns: Columns) -> str:
    """How many seeds there are, in words."""
    count = len(columns["seed"])
    return f"{count} seed{'s' if count > 1 else ''}"
