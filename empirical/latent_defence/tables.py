"""Figures 4 to 6 as tables: accuracies, examples in each classifier's own space, what is said of them, penalties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from empirical.latent_defence.setting import CODES, KINDS, SPACES
from empirical.latent_defence.study import STUDY
from empirical.latent_defence.tables_of_classifiers import NAMES, WORDS, Columns, averaged, grid, seeds
from empirical.latent_defence.tables_of_pixels import gains, in_pixels
from fragility.engine.study import Point, label
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import SHARE, Bounds, mean
from fragility.tables import Cell, Column, Table
from theory.claims.latent.trained_settings import NEAR

DIFFERENCE: Bounds = (-1.0, 1.0)  # of two numbers in [0, 1]
SPEED = "epochs of 2L to 5 % above the last loss of 1L, over those of 1L, "
ONE, TWO, RELU = range(len(KINDS))
IMAGE, AE, VAE = (SPACES.index(space) for space in ("image", "ae_encoding", "vae_encoding"))


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """For every point the paper's figures in numbers, and the same in pixels; at last, points side by side."""
    made = [table for point, columns in records for table in _of(point, columns)]
    return [*made, _between(records)] if len(records) > 1 else made


def _of(point: Point, columns: Columns) -> Iterator[Table]:
    name = _name(point)
    yield _accuracies(name, columns)
    yield _robustness(name, point, columns)
    yield _coded(name, columns)
    yield comparison(f"Sections 3.3 to 3.5 ({name})", _sentences(columns), [_paired(columns)], "seeds")
    yield _background(name, columns)
    yield _transfer(name, columns)
    yield _penalties(name, columns)
    yield in_pixels(name, point, columns)
    yield gains(name, columns)


def _accuracies(name: str, columns: Columns) -> Table:
    shown = dict(columns) | {
        "last": _last(columns),
        "size": np.repeat(columns["size"][:, :, None], len(KINDS), 2),
    }
    missed = [f"{WORDS[space]} {columns['reconstruction'][:, i].mean():.3f}" for i, space in enumerate(CODES)]
    return grid(
        shown,
        {"test_accuracy": "test", "train_accuracy": "train", "last": "last loss", "size": "mean ||x||"},
        f"Figure 4: accuracy by what is classified ({name})",
        [
            f"Means over {seeds(columns)}; intervals are over seeds. x: what is classified.",
            f"Mean distance of what is decoded from the image, over the image's length: {', '.join(missed)}.",
        ],
    )


def _robustness(name: str, point: Point, columns: Columns) -> Table:
    titles = {
        "robustness": "||delta|| / ||x||",
        "absolute": "||delta||",
        "success": "reached 95 %",
        "stalled": "stalled",
        "attempts": "attempts",
    }
    return grid(
        columns,
        titles,
        f"Figure 5: the perturbation of each classifier's own input ({name})",
        [
            f"Means over {seeds(columns)} of examples that reached their goal, penalty {point['penalty']:g}. Each "
            "space has units of its own: of codes neither length nor ratio is comparable with that of images.",
            "stalled: share of attempts that never left the clean input. What did not reach its goal is in no mean.",
        ],
    )


def _coded(name: str, columns: Columns) -> Table:
    return grid(
        columns,
        {"adversarial_accuracy": "examples", "coded_accuracy": "their originals", "hit": "given the goal"},
        f"Figure 6: accuracy on codes of examples that were made for images ({name})",
        [
            f"Means over {seeds(columns)}. Each example, made for the image classifier of the same kind, is coded and "
            "classified. Nobody attacks the classifiers of codes here: an attack on them leaves at most that."
        ],
        CODES,
    )


def _sentences(columns: Columns) -> list[Row]:
    """What the paper says of Figures 4 to 6, as paired differences over seeds."""
    test, robust, shown = (columns[name] for name in ("test_accuracy", "robustness", "adversarial_accuracy"))
    codes, by_space, shown_by_space = test[:, 1:], robust.mean(2), shown.mean(2)
    others = [i for i in range(len(SPACES)) if i not in (IMAGE, AE)]
    without = [i for i in range(len(CODES) * len(KINDS)) if i != (AE - 1) * len(KINDS) + RELU]
    best = codes.reshape(len(codes), -1)[:, without].max(1)
    rows = [
        ("test, best of images less best of codes", test[:, IMAGE].max(1) - codes.max((1, 2)), "> 0"),
        ("test, AE encoding LRL less the best other of codes", test[:, AE, RELU] - best, "> 0"),
        ("test, least LRL less 1L or 2L of its space", (test[..., RELU] - test[..., :RELU].max(2)).min(1), "> 0"),
        ("robustness, VAE encoding less the best other", _lead(by_space, VAE), "> 0"),
        ("robustness, AE encoding or image less the least other", _excess(by_space, others), "< 0"),
        ("examples, VAE encoding less the best other", _lead(shown_by_space, VAE - 1), "> 0"),
        ("examples, AE encoding less the least other", -_lead(-shown_by_space, AE - 1), "< 0"),
    ]
    found = [Row(quantity, mean(values), note=f"the paper: {said}") for quantity, values, said in rows]
    return [*found, *_speed(columns)]


def _lead(values: np.ndarray, own: int) -> np.ndarray:
    """By how much one column of (seeds, columns) exceeds the largest other, (seeds,)."""
    return values[:, own] - np.delete(values, own, 1).max(1)


def _excess(by_space: np.ndarray, others: Sequence[int]) -> np.ndarray:
    return by_space[:, [IMAGE, AE]].max(1) - by_space[:, others].min(1)


def _speed(columns: Columns) -> Iterator[Row]:
    """The epoch at which 2L comes near the loss that 1L ends with, as a multiple of that at which 1L does."""
    losses, ends = columns["losses"], _last(columns)
    for i, space in enumerate(SPACES):
        near = losses[:, i] <= NEAR * ends[:, i, ONE, None, None]
        epochs = np.where(near.any(-1), near.argmax(-1) + 1.0, np.nan)
        arrived = near[:, TWO].any(-1)
        late = f"; never in {np.count_nonzero(~arrived)} seeds" if not arrived.all() else ""
        note = f"the paper: 2L 'was empirically found to train faster' (< 1){late}"
        yield Row(f"{SPEED}{WORDS[space]}", mean(epochs[:, TWO] / epochs[:, ONE]), note=note)


def _last(columns: Columns) -> np.ndarray:
    """Loss of the last epoch, (seeds, spaces, kinds)."""
    losses = columns["losses"]
    place = np.isfinite(losses).sum(-1, keepdims=True) - 1
    return np.take_along_axis(losses, place, -1)[..., 0]


def _paired(columns: Columns) -> str:
    return (
        f"Differences are paired: classifiers of a seed have the same images and autoencoders. Over {seeds(columns)}, "
        "Student. robustness: ||delta|| / ||x||, mean of the three kinds."
    )


def _background(name: str, columns: Columns) -> Table:
    rows = []
    for j, kind in enumerate(KINDS):
        share, white = columns["background"][:, j], columns["background_pixels"][:, j]
        rows.append(Row(f"{NAMES[kind]}: share of ||delta||^2 on the background", mean(share, within=SHARE)))
        rows.append(Row("  less the share of pixels there", mean(share - white, within=DIFFERENCE)))
    notes = ["Background: pixels that are 0 in the clean image. Noise that knows nothing of images has a difference 0."]
    return comparison(f"Figure 1 and Section 2.2: noise on the white canvas ({name})", rows, notes, "seeds")


def _transfer(name: str, columns: Columns) -> Table:
    found = columns["transfer"]
    rows: list[Sequence[Cell]] = [
        [NAMES[made], *(averaged(found[:, i, j]) for j in range(len(KINDS)))] for i, made in enumerate(KINDS)
    ]
    heads = [Column(f"shown to {NAMES[kind]}", align="right", form=".3f") for kind in KINDS]
    return Table(
        [Column("made for"), *heads],
        rows,
        f"Section 1.1: accuracy of image classifiers on each other's examples ({name})",
        [f"Means over {seeds(columns)}, of examples that reached their goal. 1 where none transfers."],
    )


def _penalties(name: str, columns: Columns) -> Table:
    rows: list[Sequence[Cell]] = []
    headings = {}
    for i, space in enumerate(SPACES):
        headings[len(rows)] = WORDS[space]
        for k, penalty in enumerate(columns["penalties"][0]):
            at = (columns[f"{key}_at"][:, i, :, k] for key in ("success", "stalled", "robustness"))
            success, stalled, robust = (averaged(values) for values in at)
            certain = averaged(columns["stall_certified"][:, i, :, k])
            rows.append([f"{penalty:g}", success, stalled, certain, robust])
    heads = ["reached 95 %", "stalled", "cannot leave", "||delta|| / ||x||"]
    return Table(
        [Column("penalty"), *(Column(head, align="right", form=".3f") for head in heads)],
        rows,
        f"What larger penalties do to the attack ({name})",
        [
            f"Means over {seeds(columns)} and the three classifiers, one attempt for each ordered pair of classes.",
            "cannot leave: clean input stationary, by theory. An attempt that stalls, or stops short of 95 %, is an "
            "attack that fails, and no robustness.",
        ],
        headings=headings,
    )


def _between(records: Sequence[tuple[Point, Columns]]) -> Table:
    """Accuracy and distances at every point."""
    rows = []
    for point, columns in records:
        rows.append(Row(f"{_name(point)}: test accuracy, mean of all", mean(columns["test_accuracy"].mean((1, 2)))))
        rows += [
            Row(f"  {WORDS[space]}", mean(columns["test_accuracy"][:, i].mean(1), within=SHARE))
            for i, space in enumerate(SPACES)
        ]
    notes = ["The paper: every model is more accurate on MNIST than on Fashion-MNIST (Section 3.3)."]
    return comparison("Accuracy at each point, mean of the three classifiers", rows, notes, "seeds")


def _name(point: Point) -> str:
    """The data, and what else is not as the study has it by default."""
    grid_ = STUDY.grid
    told = {axis: point[axis] for axis in grid_ if axis == "dataset" or point[axis] != grid_[axis].default[0]}
    return label(told)
