"""Table 1 as printed beside what was measured, the paper's sentences, and which of its numbers are no robustness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from empirical.convnorm_width.columns import ATTACKS, WORDS, Columns, cells, seeds, where
from empirical.convnorm_width.columns import Cell as Network
from empirical.convnorm_width.study import STUDY
from empirical.convnorm_width.tables_of_courses import KINDS, courses, curves
from empirical.convnorm_width.tables_of_norms import networks, residual
from empirical.convnorm_width.trainings import NORMALISATIONS
from fragility.engine.study import Point
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import CONFIDENCE, Bounds, mean
from fragility.tables import Cell, Column, Table
from theory.claims.norm.trained_settings import flagged
from theory.reported import WIDTHS, robust_accuracy

PRINTED = "cifar10"  # the data set of Table 1
PER_CENT: Bounds = (0.0, 100.0)
POINTS: Bounds = (-100.0, 100.0)  # of a difference of two percentages
TOPS = (1, 5)


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """For every point Table 1, natural accuracy, overfitting, courses and curves, sentences, and norms."""
    return [table for point, columns in records for table in _of(point, columns)]


def _of(point: Point, columns: Columns) -> Iterator[Table]:
    name = where(point, STUDY.grid)
    yield _robust(name, columns, point["dataset"] == PRINTED)
    yield _natural(name, columns)
    yield _overfitting(name, columns)
    yield courses(name, columns, flagged(columns["course_fgsm"], columns["course_pgd"]))
    yield curves(name, columns)
    yield comparison(f"Sections 4.2 and 5 ({name})", [*_sentences(columns)], [_paired(columns)], "seeds")
    yield networks(name, columns)
    yield residual(name, columns)


def _robust(name: str, columns: Columns, printed: bool) -> Table:
    """Table 1, a row for each attack and width."""
    found = {(cell.width, cell.normalisation): cell for cell in cells(columns)}
    widths = sorted({*(WIDTHS if printed else ()), *(width for width, _ in found)})
    first = "printed" if printed else "measured"
    head = [Column("k", align="right")]
    for words in WORDS.values():
        head += [
            Column(words if what == first else what, key=f"{words} {what}", align="right", form=".2f")
            for what in ("printed", "measured", "interval")
        ]
    rows: list[list[Cell]] = []
    headings = {}
    for top in TOPS:
        for attack, words in ATTACKS.items():
            headings[len(rows)] = f"top-{top}, {words}"
            column = columns[attack if top == 1 else f"{attack}{top}"]
            for width in widths:
                row: list[Cell] = [width]
                for normalisation in NORMALISATIONS:
                    row.append(_decimal(words, width, normalisation, top) if printed else None)
                    row += _measured(column, found.get((width, normalisation)))
                rows.append(row)
    return Table(
        head,
        rows,
        f"Table 1: accuracy under attack, per cent ({name})",
        [
            f"Under each normalisation what the paper prints, of single trainings, the mean over {seeds(columns)}, and "
            "its interval (Student). 'not run': the network was not trained here.",
            "A high accuracy under FGSM alone is no robustness: see the table of overfitting.",
        ],
        CONFIDENCE,
        headings,
    )


def _decimal(attack: str, width: int, normalisation: str, top: int) -> float | None:
    column = normalisation.replace("_", "+")
    return robust_accuracy(attack, width, column, top).value if width in WIDTHS else None


def _measured(column: np.ndarray, network: Network | None) -> list[Cell]:
    if network is None:
        return ["not run", None]
    found = mean(100 * network.of(column), within=PER_CENT)
    return [found.value, found.interval]


def _natural(name: str, columns: Columns) -> Table:
    """Figures 2 and 3: accuracy without attack at the end."""
    head = [Column("k", align="right"), Column("normalisation")]
    for words in ("top-1", "top-5", "on training images"):
        head += [
            Column(words if what == "measured" else what, key=f"{words} {what}", align="right", form=".2f")
            for what in ("measured", "interval")
        ]
    rows: list[list[Cell]] = []
    for cell in cells(columns):
        row: list[Cell] = [cell.width, WORDS[cell.normalisation]]
        for key in ("clean", "clean5", "train_accuracy"):
            row += _measured(columns[key], cell)
        rows.append(row)
    notes = [f"Means over {seeds(columns)} and their intervals. The paper prints these as curves only."]
    return Table(head, rows, f"Figures 2 and 3: accuracy without attack, per cent ({name})", notes, CONFIDENCE)


def _overfitting(name: str, columns: Columns) -> Table:
    """Which networks have learnt to defeat a single step, since when, and what tells so."""
    head = [
        *(Column("k", align="right"), Column("normalisation")),
        *(Column(words, align="right", form=".2f") for words in ("clean", "FGSM", "PGD", "gap")),
        *(Column(words, align="right") for words in ("flagged", "first epoch", "on the way")),
        Column("rise with radius", align="right", form=".2f"),
        *(Column(words, align="right", form=".2f") for words in ("clean, few", "PGD, few", "AutoAttack")),
    ]
    at_end = flagged(columns["fgsm"], columns["pgd"])
    on_way = flagged(columns["course_fgsm"], columns["course_pgd"])
    rise = np.maximum(columns["curve_fgsm"] - np.minimum.accumulate(columns["curve_fgsm"], axis=-1), 0).max(axis=-1)
    rows: list[list[Cell]] = []
    for cell in cells(columns):
        end, way = cell.of(at_end), cell.of(on_way)
        clean, fgsm, pgd = (100 * float(cell.of(columns[key]).mean()) for key in ("clean", "fgsm", "pgd"))
        epochs = [str(int(np.argmax(epochs)) + 1) if epochs.any() else "-" for epochs in way]
        few = [100 * float(cell.of(columns[key]).mean()) for key in ("auto_clean", "auto_pgd", "auto")]
        rows.append(
            [
                *(cell.width, WORDS[cell.normalisation], clean, fgsm, pgd, fgsm - pgd),
                *(_of_seeds(end), " ".join(epochs), f"{int(way.sum())} of {way.size}"),
                100 * float(cell.of(rise).mean()),
                *(None if np.isnan(value) else value for value in few),
            ]
        )
    return Table(
        head,
        rows,
        f"Catastrophic overfitting ({name})",
        [
            f"Accuracies in per cent, means over {seeds(columns)}. flagged: in how many seeds FGSM leaves more than 20 "
            "points more than PGD, and PGD less than half of what FGSM leaves; the rule flags 7 of the 20 top-1 cells "
            "of the paper's table.",
            "first epoch: the first flagged one on watched images, of each seed; on the way: flagged epochs of all.",
            "rise with radius: largest rise of the accuracy under FGSM with its radius, mean over seeds: true accuracy "
            "cannot rise. few: on AutoAttack's images.",
        ],
    )


def _of_seeds(flags: np.ndarray) -> str:
    return f"{int(flags.sum())} of {len(flags)}"


def _sentences(columns: Columns) -> Iterator[Row]:
    """What the paper says of its table and figures, as paired differences over seeds, in points."""
    found = {(cell.width, cell.normalisation): cell for cell in cells(columns)}
    widths = sorted({width for width, _ in found})
    names = [name for name in NORMALISATIONS if (widths[0], name) in found]

    def gain(key: str, one: Network, other: Network, said: str) -> Row:
        values = np.round(100 * (one.of(columns[key]) - other.of(columns[key])), 9)  # of equal shares no rounding
        less = f"k = {other.width}" if one.normalisation == other.normalisation else WORDS[other.normalisation]
        words = f"{KINDS[key]}, {one.name} less {less}"
        return Row(words, mean(values, within=POINTS), note=f"the paper: {said}")

    if len(widths) > 1:
        first, last = widths[0], widths[-1]
        yield from (gain("clean", found[last, name], found[first, name], "> 0") for name in names)
        for name, key, said in (("convnorm", "fgsm", "> 0"), ("convnorm", "pgd", "< 0")):
            if name in names:
                yield gain(key, found[last, name], found[first, name], said)
        if "vanilla" in names:
            for key in ATTACKS:
                accuracies = np.stack([found[width, "vanilla"].of(columns[key]) for width in widths])
                spread = mean(100 * np.ptp(accuracies, axis=0), within=PER_CENT)
                yield Row(f"{ATTACKS[key]}, range of vanilla over k", spread, note="the paper: fluctuates slightly")
    if "vanilla" in names:
        for width in widths:
            plain = found[width, "vanilla"]
            for name, keys, said in (
                ("bn", ("clean",), "> 0"),
                ("bn", tuple(ATTACKS), "almost always > 0"),
                ("convnorm", ("clean",), "> 0"),
                ("convnorm", ("pgd",), "a significant decrease"),
            ):
                if name in names:
                    yield from (gain(key, found[width, name], plain, said) for key in keys)


def _paired(columns: Columns) -> str:
    return (
        "Points of per cent. Differences are paired: networks of one seed meet the same images in the same order. Over "
        f"{seeds(columns)}, Student."
    )
