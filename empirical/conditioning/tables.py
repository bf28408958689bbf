"""Tables I and II of the conditioning paper beside the trained networks, and a map of settings that might give them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from empirical.conditioning.columns import (
    EUCLIDEAN,
    LAYERS_OF,
    NAMES,
    PLAIN,
    SIMPLE,
    Columns,
    after,
    attacked,
    further,
    geometric,
    lies_within,
    logarithm,
    models,
    setting,
    shapes,
    where,
)
from empirical.conditioning.measure import LAYERS, MODELS
from empirical.conditioning.tables_of_attacks import radii_of_the_text
from empirical.conditioning.tables_of_courses import courses
from empirical.conditioning.tables_of_fragility import correlations, interventions
from empirical.conditioning.tables_of_layers import relative_errors
from empirical.measures.condition import NORMS
from fragility.engine.study import Point
from fragility.judging.estimates import CONFIDENCE, SHARE, Estimate, mean
from fragility.tables import Cell, Column, Table
from theory import reported
from theory.conditioning.gaussian_condition import tall_condition
from theory.reported import Number

ATTACK_OF = {1: "fgsm", 2: "fgmt"}  # the table that prints accuracies under it
ROMAN = {1: "I", 2: "II"}
TABLES = tuple(ROMAN)
PRINTED = "mnist"  # the data set of both tables


@dataclass(frozen=True)
class Entry:
    """A quantity of one model with what both tables print of it; condition numbers are averaged as logarithms."""

    quantity: str
    values: np.ndarray
    printed: Mapping[int, Number]
    predicted: float | None = None
    logarithmic: bool = False
    note: str = ""

    def expected(self, entries: int = 1) -> Estimate:
        """The mean over networks, with the interval in which one further network lies."""
        found = further(self.values, entries, within=(-math.inf, math.inf) if self.logarithmic else SHARE)
        return geometric(found) if self.logarithmic else found

    def mean(self) -> Estimate:
        """The mean over networks, with its own interval."""
        return geometric(mean(self.values)) if self.logarithmic else mean(self.values, within=SHARE)

    def meets(self, table: int, entries: int = 1) -> bool:
        """Whether the number of that table could be one further network's."""
        number = self.printed[table]
        return lies_within(number.value, self.expected(entries), number.rounding)

    def apart(self, table: int, entries: int) -> float:
        """How far the number of that table is from the mean, in half widths of that interval; NaN without one."""
        expected, number = self.expected(entries), self.printed[table].value
        low, centre, high = expected.low, expected.value, expected.high
        if self.logarithmic and number > 0:
            low, centre, high, number = (float(logarithm(np.array(x))) for x in (low, centre, high, number))
        half = (high - low) / 2
        return abs(number - centre) / half if 0 < half < math.inf else math.nan


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """Of every point both tables and what is behind them; of several settings of MNIST a map of them."""
    made = [table for point, columns in records for table in _of(point, columns)]
    swept = [(point, columns) for point, columns in records if point["dataset"] == PRINTED]
    return [*made, _map(swept)] if len(swept) > 1 else made


def printed_entries(columns: Columns, model: int, step: int = -1, swapped: bool = False) -> dict[str, list[Entry]]:
    """What Tables I and II print of a model of MNIST, in groups: clean accuracy, kappa by layer, both attacks.

    Parameters
    ----------
    step : of the attacks: -1 for the last.
    swapped : whether matrices are taken transposed, which exchanges the norms 1 and inf.
    """
    name = MODELS[model]
    groups: dict[str, list[Entry]] = {
        "clean": [
            Entry(
                "test accuracy",
                columns["test_accuracy"][:, PLAIN, model],
                {table: reported.clean_accuracy(table, name) for table in TABLES},
            )
        ]
    }
    norms = [NORMS[k] for k in ((2, 1, 0, 3) if swapped else range(len(NORMS)))]
    for layer in LAYERS_OF[model]:
        groups[f"kappa of {LAYERS[layer]}"] = [
            Entry(
                f"kappa_{_subscript(norm)}",
                logarithm(columns["kappa"][:, PLAIN, layer, NORMS.index(taken)]),
                {table: reported.condition_number(table, printed, LAYERS[layer]) for table in TABLES},
                logarithmic=True,
                note=_singular(columns["kappa_strict"][:, PLAIN, layer, NORMS.index(taken)]),
            )
            for norm, taken, printed in zip(NORMS, norms, reported.NORMS, strict=True)
        ]
    for table, attack in ATTACK_OF.items():
        groups[attack.upper()] = [
            Entry(
                f"epsilon = {radius}",
                attacked(columns, attack, model, radius, step),
                {table: reported.attacked_accuracy(table, name, radius)},
            )
            for radius in reported.RADII
        ]
    return groups


def _of(point: Point, columns: Columns) -> Iterator[Table]:
    for model in models(columns):
        yield _printed(point, columns, model)
    yield radii_of_the_text(point, columns)
    yield courses(point, columns)
    yield relative_errors(point, columns)
    yield correlations(point, columns)
    if columns["kappa"].shape[1] > 1:
        yield interventions(point, columns)


def _printed(point: Point, columns: Columns, model: int) -> Table:
    """Tables I and II of one model."""
    rows: list[tuple[Cell, ...]] = []
    headings: dict[int, str] = {}

    def group(heading: str, entries: Sequence[Entry]) -> None:
        headings[len(rows)] = heading
        rows.extend(_cells(entry if point["dataset"] == PRINTED else replace(entry, printed={})) for entry in entries)

    last = printed_entries(columns, model)
    group("accuracy without attack", [*last["clean"], *_other_accuracies(columns, model)])
    for layer in LAYERS_OF[model]:
        group(f"{LAYERS[layer]}, condition number at the end", last[f"kappa of {LAYERS[layer]}"])
        group(f"{LAYERS[layer]}, before training", [_initial(point, columns, layer)])
    for attack in ATTACK_OF.values():
        for text, step in after(columns).items():
            group(f"{attack.upper()}, {text}", printed_entries(columns, model, step)[attack.upper()])
    columns_of = [
        Column("quantity"),
        *(Column(name, align="right") for name in ("printed I", "printed II", "predicted", "measured")),
        Column(f"{100 * CONFIDENCE:g} % interval", key="interval", align="right"),
        Column("one more network", key="further", align="right"),
        Column("networks", align="right"),
        Column("meets"),
        Column("note"),
    ]
    return Table(
        columns_of,
        rows,
        f"Tables I (FGSM) and II (FGMT), {NAMES[model]} ({where(point)})",
        (
            "I and II are two trainings. 'meets': the printed number lies where one more network is expected.",
            "Condition numbers: geometric means, ||W|| ||W^+||. Predicted: of a Gaussian matrix of the layer's shape.",
            f"Accuracies under attack are of {point['images']} images spread over the test set; seeds are counted.",
        ),
        CONFIDENCE,
        headings,
    )


def _cells(entry: Entry) -> tuple[Cell, ...]:
    found, expected = entry.mean(), entry.expected()
    printed = [entry.printed[table].value if table in entry.printed else None for table in TABLES]
    met = [ROMAN[table] for table in entry.printed if entry.meets(table)]
    known = bool(entry.printed) and math.isfinite(expected.high)
    return (
        entry.quantity,
        *printed,
        entry.predicted,
        found.value,
        found.interval,
        expected.interval,
        found.n,
        (", ".join(met) or "neither" if len(entry.printed) > 1 else met[0] if met else "no") if known else "",
        entry.note,
    )


def _other_accuracies(columns: Columns, model: int) -> list[Entry]:
    return [
        Entry("training accuracy", columns["train_accuracy"][:, PLAIN, model], {}),
        Entry("of the attacked images", columns["clean"][:, PLAIN, model], {}),
    ]


def _initial(point: Point, columns: Columns, layer: int) -> Entry:
    """kappa_2 of the initial layer beside the geometric mean of a Gaussian matrix of its shape."""
    zeros = layer == SIMPLE and point["initial"] == "0"
    predicted, sd = (None, None) if zeros else tall_condition(*shapes(point)[layer])
    values = logarithm(columns["first"][:, PLAIN, layer, EUCLIDEAN])
    note = "0 by ||W|| ||W^+||" if zeros else f"sd of ln kappa_2 predicted {sd:.4f}"
    if not zeros and len(values) > 1:
        note += f", measured {np.std(values, ddof=1):.4f}"
    return Entry("kappa_2", values, {}, predicted, logarithmic=True, note=note)


def _singular(strict: np.ndarray) -> str:
    """In how many networks sigma_1 / sigma_n is infinite."""
    singular = int(np.isinf(strict).sum())
    return f"sigma_n = 0 in {singular} of {len(strict)}" if singular else ""


def _subscript(norm: str) -> str:
    return "F" if norm == "fro" else norm


def _map(records: Sequence[tuple[Point, Columns]]) -> Table:
    """How near each setting of the simple model comes to all that both tables print of it."""
    head = [
        *(Column(name) for name in ("setting", "attack", "matrix")),
        *(Column(name, align="right") for name in ("networks", "clean", "FGSM apart", "FGMT apart")),
        *(Column(f"kappa_{_subscript(norm)}", align="right") for norm in NORMS),
        Column("kappa_F / kappa_2", align="right"),
        Column("meets"),
        Column("farthest"),
    ]
    rows = [_printed_row(table) for table in TABLES]
    whole: list[str] = []
    for point, columns in records:
        for steps, step in after(columns).items():
            for swapped in (False, True):
                groups = printed_entries(columns, SIMPLE, step, swapped)
                met = {table: _met(groups, table) for table in TABLES}
                name = setting(point)
                matrix = _orientation(point, swapped)
                rows.append(_map_row((name, steps, matrix), groups, met))
                whole += [
                    f"{name}, {steps}, {matrix}: Table {ROMAN[table]}"
                    for table, found in met.items()
                    if found and all(found.values())
                ]
    return Table(
        head,
        rows,
        "Settings of the simple model, and how near they come to all that Tables I and II print of it",
        (
            "apart: largest difference of mean and printed accuracy over the radii. meets: groups of which every "
            "printed number lies where one more network is expected (all groups of a table together, Bonferroni).",
            "farthest: the printed number that is farthest from the mean, in half widths of that interval.",
            f"All that a table prints is met by: {'; '.join(whole) or 'no setting'}.",
        ),
    )


def _orientation(point: Point, swapped: bool) -> str:
    inputs_first = (point["orientation"] == "inputs") != swapped
    return "inputs x outputs" if inputs_first else "outputs x inputs"


def _of_table(groups: Mapping[str, Sequence[Entry]], table: int) -> dict[str, list[Entry]]:
    """The groups of entries of which a table prints something."""
    return {name: list(entries) for name, entries in groups.items() if table in entries[0].printed}


def _met(groups: Mapping[str, Sequence[Entry]], table: int) -> dict[str, bool]:
    """Which groups of a table one more network would meet, all entries of the table together."""
    own = _of_table(groups, table)
    entries = sum(map(len, own.values()))
    return {name: all(entry.meets(table, entries) for entry in group) for name, group in own.items()}


def _map_row(
    named: tuple[Cell, ...], groups: Mapping[str, Sequence[Entry]], met: Mapping[int, Mapping[str, bool]]
) -> tuple[Cell, ...]:
    clean, (_, two, _, frobenius) = groups["clean"][0], groups["kappa of simple"]
    ratio = math.exp(float(np.nanmean(frobenius.values - two.values))) if len(two.values) else math.nan
    return (
        *named,
        clean.mean().n,
        clean.mean().value,
        *(_distance(groups[attack.upper()], table) for table, attack in ATTACK_OF.items()),
        *(entry.mean().value for entry in groups["kappa of simple"]),
        ratio,
        ", ".join(f"{name} {ROMAN[table]}" for table, found in met.items() for name, ok in found.items() if ok)
        or "nothing",
        _farthest(groups),
    )


def _printed_row(table: int) -> tuple[Cell, ...]:
    """What a table prints of the simple model, as a row of the map."""
    kappa = [reported.condition_number(table, norm, "simple").value for norm in reported.NORMS]
    clean = reported.clean_accuracy(table, "simple").value
    return f"printed, Table {ROMAN[table]}", "", "", None, clean, None, None, *kappa, kappa[3] / kappa[1], "", ""


def _distance(entries: Sequence[Entry], table: int) -> float:
    """The largest difference of a mean and a printed accuracy."""
    return max(abs(entry.mean().value - entry.printed[table].value) for entry in entries)


def _farthest(groups: Mapping[str, Sequence[Entry]]) -> str:
    """The printed number that is farthest from what was measured."""
    found: list[tuple[float, str]] = []
    for table in TABLES:
        own: dict[str, Any] = _of_table(groups, table)
        entries = sum(map(len, own.values()))
        for name, group in own.items():
            for entry in group:
                apart = entry.apart(table, entries)
                found.append((apart, f"{name.split()[0]} {entry.quantity} {ROMAN[table]}"))
    known = [pair for pair in found if math.isfinite(pair[0])]
    apart, name = max(known, default=(math.nan, ""))
    return f"{name}: {apart:.1f}" if name else ""
