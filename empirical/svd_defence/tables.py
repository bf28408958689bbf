"""Figure 7 as tables: accuracy by share and treatment, attacks made anew, certificates, and where attacks point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

import numpy as np

from empirical.svd_defence.study import STUDY
from empirical.svd_defence.trainings import CLASSIFIERS
from empirical.svd_defence.treatments import FACTORS, TREATMENTS, Rounding
from fragility.engine.study import Point, label
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import CONFIDENCE, SHARE, Bounds, Estimate, mean
from fragility.tables import Cell, Column, Table
from theory.latent.truncation import bottom_share_law
from theory.reported import LATENT, find
from theory.things.shrinking import count_from_percent

Columns = Mapping[str, np.ndarray]
LOST = -100.0  # per cent: no change is below it
DIFFERENCE: Bounds = (-1.0, 1.0)  # of two numbers in [0, 1]
PLACE = {treatment: number for number, treatment in enumerate(TREATMENTS)}
NAMES = {"1l": "1L", "2l": "2L", "lrl": "LRL"}
TWO = CLASSIFIERS.index("2l")
WORDS = {
    "zeroed": "bottom ones zeroed",
    "tenth": "bottom ones times 1/10",
    "nine_tenths": "bottom ones times 9/10",
    "random": "random ones zeroed (control)",
    "noise": "noise of the same norm (control)",
}
SHOWN = (5, 10, 15, 20, 40, 60, 80, 100)  # per cent, of the recorded shares
PROFILED = (20, 40, 60, 80)  # of the same, where energies are shown
LARGE = int(find(LATENT, "text", "bottom singular values scaled for the large gain, per cent").value)
SLIGHT = tuple(
    int(find(LATENT, "text", f"{end} share scaled for the slight gain, per cent").value) for end in ("least", "largest")
)
INTERVAL = f"{100 * CONFIDENCE:g} % interval"


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """For every point Figure 7 with its controls, attacks made anew, sentences, directions, counts; points compared."""
    made = [table for point, columns in records for table in _of(point, columns)]
    return [*made, _trends(records)] if len(records) > 1 else made


def _of(point: Point, columns: Columns) -> Iterator[Table]:
    name = _name(point)
    for k, classifier in enumerate(CLASSIFIERS):
        yield _figure(f"{NAMES[classifier]}, {name}", columns, k)
    for k, classifier in enumerate(CLASSIFIERS):
        yield _anew(f"{NAMES[classifier]}, {name}", columns, k)
    yield comparison(f"Section 3.6, 2L ({name})", _sentences(columns), [_paired(columns)], "seeds")
    yield _profiles(name, columns)
    yield _counts(name, point, columns)
    yield _factors(name, columns)


def _figure(name: str, columns: Columns, k: int) -> Table:
    """Accuracies by treatment and share, the original network first."""
    kinds = {"test": "test_accuracy", "train": "train_accuracy", "adversarial": "adversarial_accuracy"}

    def cells(treatment: str, share: int) -> list[Cell]:
        found = [mean(_cell(columns, key, k, treatment, share), within=SHARE) for key in kinds.values()]
        return [cell for estimate in found for cell in (estimate.value, estimate.interval)]

    rows: list[Sequence[Cell]] = [(0, "", *cells("zeroed", 0))]
    headings = {}
    for treatment, words in WORDS.items():
        headings[len(rows)] = words
        rows += [(share, _removed(columns, k, share), *cells(treatment, share)) for share in SHOWN]
    heads = [head for kind in kinds for head in (Column(kind, align="right", form=".3f"), _interval(kind))]
    return Table(
        [Column("share", "%", align="right"), Column("of each layer", align="right"), *heads],
        rows,
        f"Figure 7: accuracy as singular values are shrunk ({name})",
        [
            f"Means over {_seeds(columns)}, Student's intervals. adversarial: on examples made for the original "
            "network, which it has wrong by construction, so that any change can only help: hence the controls."
        ],
        CONFIDENCE,
        headings,
    )


def _anew(name: str, columns: Columns, k: int) -> Table:
    """What attacks on the changed network find, and which decisions change at all."""

    def cells(treatment: str, share: int) -> list[Cell]:
        attempts, success, stalled, size, changed = (
            mean(_cell(columns, key, k, treatment, share)).value
            for key in ("anew_attempts", "anew_success", "anew_stalled", "anew_robustness", "changed")
        )
        length = _length(_cell(columns, "pixels", k, treatment, share))
        certified = (
            mean(columns["certified"][:, k, PLACE[treatment], _at(columns, share)]).value
            if treatment in FACTORS
            else None
        )
        return [attempts, success, stalled, size, length.value, length.interval, 1 - changed, certified]

    rows: list[Sequence[Cell]] = [(0, *cells("zeroed", 0))]
    headings = {}
    for treatment, words in WORDS.items():
        headings[len(rows)] = words
        rows += [(share, *cells(treatment, share)) for share in SHOWN]
    unchanged = 1 - columns["changed"][:, :, : len(FACTORS)]
    violated = max(float((columns["certified"] - unchanged).max()), 0.0)
    return Table(
        [
            Column("share", "%", align="right"),
            Column("attempts", align="right", form=".0f"),
            *(Column(head, align="right", form=".3f") for head in ("success", "stalled", "size", "pixels")),
            _interval("pixels"),
            *(Column(head, align="right", form=".3f") for head in ("unchanged", "certified")),
        ],
        rows,
        f"Attacked anew, and decisions that stand ({name})",
        [
            f"Means over {_seeds(columns)}. attempts: of the paper's attack on the changed network. success, stalled: "
            "shares that reach the confidence, and that never leave the image. size: mean ||x_adv - x|| / ||x|| of "
            "those that reach it; smaller logits alone make it larger and them rarer.",
            "pixels: median smallest ||x_adv - x|| found that turns a decision, of whatever confidence, 0 where it is "
            "wrong: no scaling of the logits alters it.",
            "unchanged, certified: share of decisions that stand, and that provably do. Largest share that is "
            f"certified above what stands: {violated:.4f}.",
        ],
        CONFIDENCE,
        headings,
    )


def _sentences(columns: Columns) -> list[Row]:
    """Gains and losses of 2L, as paired differences over seeds."""

    def gain(key: str, treatment: str, share: int) -> np.ndarray:
        return _cell(columns, key, TWO, treatment, share) - _cell(columns, key, TWO, treatment, 0)

    rows = []
    for treatment in ("tenth", "zeroed"):
        rows += [
            _difference(f"{WORDS[treatment]}, {LARGE} %: {words}", gain(key, treatment, LARGE), f"the paper: {said}")
            for words, key, said in (
                ("gain on the original's examples", "adversarial_accuracy", "a high boost"),
                ("change of test accuracy", "test_accuracy", "a very weak decrease"),
                ("change of training accuracy", "train_accuracy", "a very weak decrease"),
            )
        ]
    few = [share for share in columns["shares"][0].astype(int).tolist() if SLIGHT[0] <= share <= SLIGHT[1]]
    rows += [
        _difference(
            f"{WORDS[treatment]}, {SLIGHT[0]} to {SLIGHT[1]} %: change of {words} accuracy",
            np.mean([gain(key, treatment, share) for share in few], axis=0),
            "the paper: a slight boost",
        )
        for treatment in ("nine_tenths", "tenth")
        for words, key in (("test", "test_accuracy"), ("training", "train_accuracy"))
    ]
    rows += [
        _difference(
            f"zeroed less times 1/10, {LARGE} %: {words}",
            _cell(columns, key, TWO, "zeroed", LARGE) - _cell(columns, key, TWO, "tenth", LARGE),
            "the paper: matching",
        )
        for words, key in (("original's examples", "adversarial_accuracy"), ("test accuracy", "test_accuracy"))
    ]
    for control in ("random", "noise"):
        rows += [
            _difference(f"{WORDS[control]}, {LARGE} %: {words}", gain(key, control, LARGE))
            for words, key in (
                ("gain on the original's examples", "adversarial_accuracy"),
                ("change of test accuracy", "test_accuracy"),
            )
        ]
    for treatment in ("tenth", "zeroed"):
        rows.append(_difference(f"{WORDS[treatment]}, {LARGE} %: success anew", gain("anew_success", treatment, LARGE)))
        rows += [
            Row(
                f"{WORDS[treatment]}, {LARGE} %: {words}, per cent",
                _length(_relative(columns, key, treatment), LOST),
                note="the paper: more robust",
            )
            for words, key in (("change of the size anew", "anew_robustness"), ("change in pixels", "pixels"))
        ]
    return rows


def _relative(columns: Columns, key: str, treatment: str) -> np.ndarray:
    """By how much 2L's is larger at the share of the large gain, per cent of what it was."""
    with np.errstate(divide="ignore", invalid="ignore"):  # of a size of 0 there is no such share
        return 100 * (_cell(columns, key, TWO, treatment, LARGE) / _cell(columns, key, TWO, treatment, 0) - 1)


def _difference(quantity: str, values: np.ndarray, note: str = "") -> Row:
    return Row(quantity, mean(values, within=DIFFERENCE), note=note)


def _profiles(name: str, columns: Columns) -> Table:
    """Energy on the bottom right singular vectors of the first layer, beside what a random direction has there."""
    rows: list[Sequence[Cell]] = []
    headings = {}
    for k, classifier in enumerate(CLASSIFIERS):
        headings[len(rows)] = NAMES[classifier]
        rank, inputs = (int(number) for number in columns["directions"][0, k])
        for share in PROFILED:
            bottom, place = int(columns["removed"][0, k, _at(columns, share), 0]), _at(columns, share)
            found = mean(columns["energy"][:, k, place], within=SHARE)
            gradient, weights = (mean(columns[key][:, k, place]).value for key in ("gradient_energy", "weight_energy"))
            chance = _chance(rank, bottom)
            rows.append(
                (f"bottom {share} %", f"{bottom} of {rank}", chance, found.value, found.interval, gradient, weights)
            )
        found = mean(columns["outside"][:, k], within=SHARE)
        beyond = inputs - rank
        rows.append(
            ("outside", f"{beyond} of {inputs}", _chance(inputs, beyond), found.value, found.interval, 0.0, 0.0)
        )
    heads = ["chance", "perturbation", INTERVAL, "gradient", "||W||_F^2"]
    return Table(
        [Column("directions"), Column("number", align="right"), *(Column(h, align="right", form=".4f") for h in heads)],
        rows,
        f"Energy along the singular vectors of the first layer ({name})",
        [
            f"Means over {_seeds(columns)}. Shares of ||x_adv - x||^2 and of the squared gradient of the attack's loss "
            "at the clean point within the span of the right singular vectors; last row: of ||x_adv - x||^2 outside.",
            "chance: mean share of a direction uniformly distributed. The paper supposes that perturbations attack the "
            "lowest singular values: then they have more than that. ||W||_F^2: what 1L's gradient has if its residual "
            "p - e_goal is isotropic.",
        ],
        CONFIDENCE,
        headings,
    )


def _chance(directions: int, some: int) -> float:
    """What a random direction has along some of so many; all along all of them, nothing along none."""
    return float(bottom_share_law(directions, some).mean()) if 0 < some < directions else float(some > 0)


def _counts(name: str, point: Point, columns: Columns) -> Table:
    """How many singular values the shares of the text are, by rounding."""
    rules = get_args(Rounding)
    sizes = sorted({int(q) for q in columns["removed"][0, :, -1].ravel() if not math.isnan(q)})
    shares = (*SLIGHT, LARGE)
    rows: list[Sequence[Cell]] = [
        (f"{share} % of {q}", *(count_from_percent(share, q, rule) for rule in rules))
        for share in shares
        for q in sizes
    ]
    return Table(
        [Column("singular values"), *(Column(rule, align="right") for rule in rules)],
        rows,
        f"How many these are ({name})",
        [f"The paper does not say how it rounds; here: {point['rounding']} (--rounding)."],
    )


def _factors(name: str, columns: Columns) -> Table:
    """How far 2L's factors are from those for which shrinking them is shrinking their product."""
    rows = [Row("||W_2^T W_2 - W_1 W_1^T||_F / ||W_2 W_1||_F", mean(columns["imbalance"]), predicted=0.0)]
    rank = int(columns["directions"][0, TWO, 0])
    for share in (20, LARGE, 60, 80):
        place = _at(columns, share)
        bottom = int(columns["removed"][0, TWO, place, 0])
        rows.append(
            Row(
                f"share of ||W_2 W_1||_F^2 through the bottom {share} % of W_1",
                mean(columns["carried"][:, place], within=SHARE),
                note=f"chance {_chance(rank, bottom):.2f}",
            )
        )
    notes = [
        "2L computes what one layer W_2 W_1 does, but its defence goes by its factors. predicted: balanced factors, "
        "which gradient flow from small weights approaches; shrinking both by s is shrinking the product by s^2.",
        "chance: if the second layer saw all singular directions of W_1 alike, and these were alike.",
    ]
    return comparison(f"2L is not 1L to this defence ({name})", rows, notes, "seeds")


def _trends(records: Sequence[tuple[Point, Columns]]) -> Table:
    """What 2L gains and loses at the share of the large gain, at every point."""
    rows = []
    for point, columns in records:
        for words, key, treatment in (
            ("gain on the original's examples", "adversarial_accuracy", "tenth"),
            ("the same by the random control", "adversarial_accuracy", "random"),
            ("change of test accuracy", "test_accuracy", "tenth"),
            ("change of success anew", "anew_success", "tenth"),
        ):
            values = _cell(columns, key, TWO, treatment, LARGE) - _cell(columns, key, TWO, treatment, 0)
            rows.append(_difference(f"{_name(point)}: {words}", values))
        change = _length(_relative(columns, "pixels", "tenth"), LOST)
        rows.append(Row(f"{_name(point)}: change in pixels, per cent", change))
    return comparison(f"2L, {WORDS['tenth']}, {LARGE} %", rows, unit="seeds")


def _cell(columns: Columns, key: str, k: int, treatment: str, share: int) -> np.ndarray:
    """Of one classifier under one treatment at one share, (seeds,)."""
    return columns[key][:, k, PLACE[treatment], _at(columns, share)]


def _at(columns: Columns, share: int) -> int:
    """Where a share stands among those that were recorded."""
    return columns["shares"][0].tolist().index(share)


def _length(values: np.ndarray, least: float = 0.0) -> Estimate:
    """Mean of what is at least `least`; infinite, without an interval, if in one seed most could not be turned."""
    if np.isinf(values).any():
        return Estimate(math.inf, -math.inf, math.inf, len(values))
    return mean(values, within=(least, math.inf))


def _removed(columns: Columns, k: int, share: int) -> str:
    """Numbers of singular values, layer by layer."""
    numbers = columns["removed"][0, k, _at(columns, share)]
    return ", ".join(f"{number:.0f}" for number in numbers if not math.isnan(number))


def _interval(of: str) -> Column:
    return Column(INTERVAL, key=f"{of}, interval", align="right", form=".3f")


def _paired(columns: Columns) -> str:
    return (
        f"Differences are paired: changed networks beside the original one of the same seed. Over {_seeds(columns)}, "
        "Student."
    )


def _seeds(columns: Columns) -> str:
    count = len(columns["seed"])
    return f"{count} seed{'s' if count > 1 else ''}"


def _name(point: Point) -> str:
    """The data set, and what else is not as the study has it by default."""
    grid = STUDY.grid
    told = {axis: point[axis] for axis in grid if axis == "dataset" or point[axis] != grid[axis].default[0]}
    return label(told)
