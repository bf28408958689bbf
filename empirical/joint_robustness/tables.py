"""Figure 1 as tables: areas by training, what is said of them, certificates beside attacks, and what attacks miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from empirical.joint_robustness.measure import BEYOND
from empirical.joint_robustness.study import STUDY
from empirical.joint_robustness.trainings import TRAININGS
from fragility.engine.study import Point, label
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import CONFIDENCE, SHARE, Bounds, Estimate, mean
from fragility.tables import Cell, Column, Table
from theory.claims.joint.trained_settings import PANELS, along_inputs, along_weights, regularised
from theory.convolution.robust_accuracy import joint_excess
from theory.reported import JOINT, find

Columns = Mapping[str, np.ndarray]
DIFFERENCE: Bounds = (-1.0, 1.0)  # of two numbers in [0, 1]
INDEX = {training: number for number, training in enumerate(TRAININGS)}
WORDS = {
    "standard": "standard",
    "weight": "weight perturbation",
    "adversarial": "adversarial (AT)",
    "adversarial_beta_half": "AT + beta / 2",
    "adversarial_beta": "AT + beta",
    "jiwp": "JIWP",
    "awp": "AT in inputs and weights (AWP)",
}
CERTIFICATES = {
    "certified_crown": "linear",
    "certified_interval": "interval",
    "certified_theorem": "tau + zeta",
    "certified_printed": "as printed",
}
ORDERINGS = (  # by area over both radii: one training, another, and what the paper says of the difference
    *((one, other, "> 0") for one in TRAININGS[3:6] for other in TRAININGS[:3]),
    ("adversarial_beta", "jiwp", "> 0"),
    ("awp", "adversarial", "AT of weights 'is not meaningful'"),
)
MISSED: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {  # by attacks, of the differences (seeds, x, w)
    "mean over the grid": lambda gap: gap.mean(axis=(-2, -1)),
    "largest": lambda gap: gap.max(axis=(-2, -1)),
}


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """For every point the surfaces in numbers, what the paper says of them, certificates, and the attack's defects."""
    made = [table for point, columns in records for table in _of(point, columns)]
    return [*made, _gains(records)] if len(records) > 1 else made


def _of(point: Point, columns: Columns) -> Iterator[Table]:
    name = _name(point)
    yield _surfaces(name, columns)
    yield comparison(f"Section 4.1 ({name})", _sentences(columns), [_paired(columns)], "seeds")
    yield _certified(name, columns)
    if not np.isnan(columns["exact"]).all():
        yield _exact(name, columns)
    if not np.isnan(columns["stronger"]).all():
        yield _stronger(name, columns)
    yield _beyond(name, columns)


def _surfaces(name: str, columns: Columns) -> Table:
    """Figure 1, a row for each panel."""
    accuracy, radii_x, radii_w = columns["accuracy"], columns["radii_x"][0], columns["radii_w"][0]
    inputs, weights = along_inputs(accuracy, radii_x), along_weights(accuracy, radii_w)
    excess = joint_excess(accuracy)[..., -1, -1]
    rows: list[Sequence[Cell]] = []
    for training, k in INDEX.items():
        area = mean(columns["auc"][:, k], within=SHARE)
        means = [
            float(values[:, k].mean())
            for values in (
                inputs,
                weights,
                accuracy[..., -1, 0],
                accuracy[..., 0, -1],
                accuracy[..., -1, -1],
                excess,
                columns["monotone"],
                columns["tau"],
                columns["zeta"],
            )
        ]
        clean = float(columns["clean"][:, k].mean())
        rows.append([PANELS[training], WORDS[training], clean, area.value, area.interval, *means])
    ends = f"x = {radii_x[-1]:g}", f"w = {radii_w[-1]:g}"
    heads = ["x alone", "w alone", f"A({ends[0]})", f"A({ends[1]})", "A(both)", "excess", "missed", "tau", "zeta"]
    heads = ["clean", "AUC", f"{100 * CONFIDENCE:g} % interval", *heads]
    return Table(
        [Column("panel"), Column("training"), *(Column(head, align="right", form=_form(head)) for head in heads)],
        rows,
        f"Figure 1: accuracy under the joint attack ({name})",
        [
            f"Means over {_seeds(columns)}; intervals are over seeds. AUC: mean over both radii; x alone, w alone: "
            "over one of them, the other 0. A: accuracy at the largest radii.",
            "excess: what both largest radii cost beyond the sum of what each costs alone. missed: largest rise of "
            "accuracy with a radius, a defect of the attack, which areas are corrected for.",
            "Panels (d) and (f) are inferred. tau, zeta: mean penalties at the radii of the training.",
        ],
        CONFIDENCE,
    )


def _form(head: str) -> str:
    return ".4g" if head in ("tau", "zeta") else ".3f"


def _sentences(columns: Columns) -> list[Row]:
    """Gains and orders, as paired differences over seeds."""
    auc, accuracy = columns["auc"], columns["accuracy"]
    printed = find(JOINT, "text", "AUC gain over adversarial training, per cent").value
    plain, best = auc[:, INDEX["adversarial"]], regularised(auc)
    rows = [
        Row("AUC of the better AT + beta over AT, per cent of AT's", _gain(best, plain), printed),
        Row("  the same in points", mean(100 * (best - plain), within=(-100.0, 100.0)), printed),
    ]
    rows += [
        Row(f"  per cent, {WORDS[training]}", _gain(auc[:, INDEX[training]], plain))
        for training in ("adversarial_beta_half", "adversarial_beta", "jiwp", "awp")
    ]
    rows += [
        _difference(f"AUC, {WORDS[one]} less {WORDS[other]}", auc, one, other, said) for one, other, said in ORDERINGS
    ]
    inputs, weights = along_inputs(accuracy, columns["radii_x"][0]), along_weights(accuracy, columns["radii_w"][0])
    for words, values, seen, other, said in (
        ("x alone", inputs, "adversarial", "weight", "slightly > 0"),
        ("w alone", weights, "weight", "adversarial", "< 0"),
    ):
        rows += [
            _difference(f"{words}, {WORDS[seen]} less standard", values, seen, "standard", "> 0"),
            _difference(f"{words}, {WORDS[other]} less standard", values, other, "standard", said),
        ]
    return rows


def _difference(quantity: str, values: np.ndarray, one: str, other: str, said: str) -> Row:
    found = mean(values[:, INDEX[one]] - values[:, INDEX[other]], within=DIFFERENCE)
    return Row(quantity, found, note=f"the paper: {said}")


def _paired(columns: Columns) -> str:
    return (
        f"Differences are paired: networks of one seed begin alike and meet the same images. Over {_seeds(columns)}, "
        "Student. x alone, w alone: mean accuracy over these radii, the others 0."
    )


def _certified(name: str, columns: Columns) -> Table:
    """Certified shares beside accuracies under attack, at the first step along each axis and along both."""
    radii_x, radii_w = columns["radii_x"][0], columns["radii_w"][0]
    left = np.fmin(columns["accuracy"], columns["stronger"])
    surfaces = {"attacked": left} | {
        words: columns[key] for key, words in CERTIFICATES.items() if not np.isnan(columns[key]).all()
    }
    cells = {f"x = {radii_x[1]:.3g}": (1, 0), f"w = {radii_w[1]:.3g}": (0, 1), "both": (1, 1)}
    rows: list[Sequence[Cell]] = []
    headings = {}
    for training, k in INDEX.items():
        headings[len(rows)] = WORDS[training]
        rows += [
            (where, *(float(surface[:, k, i, j].mean()) for surface in surfaces.values()))
            for where, (i, j) in cells.items()
        ]
    violated = max(float((columns[key] - left).max()) for key, words in CERTIFICATES.items() if words in surfaces)
    notes = [
        f"Means over {_seeds(columns)}, at the smallest radii of the grid. attacked: what the strongest attack leaves.",
        "tau + zeta is the theorem's bound, corrected; as printed it is no bound from three layers on. Largest share "
        f"that is certified, by any of these, above what attacks leave: {max(violated, 0.0):.4f}.",
    ]
    columns_of = [Column("radii"), *(Column(words, align="right", form=".3f") for words in surfaces)]
    return Table(columns_of, rows, f"Certified beside attacked ({name})", notes, headings=headings)


def _exact(name: str, columns: Columns) -> Table:
    """How far attacks and certificates are from what is true, over all pairs of radii."""
    truth, unknown = columns["exact"], columns["exact_open"]
    kinds: dict[str, np.ndarray] = {
        "paper's attack": columns["accuracy"] - truth,
        "stronger attack": columns["stronger"] - truth,
        "linear": truth - columns["certified_crown"],
        "interval": truth - columns["certified_interval"],
        "tau + zeta": truth - columns["certified_theorem"],
    }
    rows: list[Sequence[Cell]] = []
    for training, k in INDEX.items():
        gaps = [float(gap[:, k].mean()) for gap in kinds.values()]
        largest = float((columns["accuracy"] - truth)[:, k].max())
        rows.append((WORDS[training], float(truth[:, k].mean()), *gaps, largest, float(unknown[:, k].mean())))
    heads = ["robust", *kinds, "paper's attack, largest", "open"]
    return Table(
        [Column("training"), *(Column(head, align="right", form=".4f") for head in heads)],
        rows,
        f"Distance to the exact share of robust images ({name})",
        [
            f"Means over all pairs of radii and {_seeds(columns)}. An attack leaves so much more, a certificate "
            "certifies so much less. open: share of which the solver does not know, counted as not robust."
        ],
    )


def _stronger(name: str, columns: Columns) -> Table:
    """What a stronger attack takes of what the paper's leaves."""
    gap = columns["accuracy"] - columns["stronger"]
    rows = [
        Row(f"{WORDS[training]}: {words}", mean(reduced(gap[:, k]), within=SHARE))
        for training, k in INDEX.items()
        for words, reduced in MISSED.items()
    ]
    notes = ["Paper's attack less the least that several attacks leave: margin loss, random starts, farther steps."]
    return comparison(f"What the paper's attack misses ({name})", rows, notes, "seeds")


def _beyond(name: str, columns: Columns) -> Table:
    """Accuracy at weight radii that 100 steps of 0.0005 cannot reach, and in steps that can."""
    rows: list[Sequence[Cell]] = []
    for training, k in INDEX.items():
        found = [
            float(columns[key][:, k, number].mean())
            for number in range(len(BEYOND))
            for key in ("beyond_printed", "beyond_rescaled")
        ]
        rows.append((WORDS[training], *found))
    heads = [f"w = {radius:g}, {steps}" for radius in BEYOND for steps in ("printed", "longer")]
    step, count = (find(JOINT, "text", row).value for row in ("weight step", "attack steps"))
    return Table(
        [Column("training"), *(Column(head, align="right", form=".3f") for head in heads)],
        rows,
        f"Beyond the reach of the attack ({name})",
        [
            f"The paper's {count:g} steps of {step:g} end at {count * step:g}, however large the radius: printed. "
            "longer: as many steps that go by the radius. Weights alone are moved."
        ],
    )


def _gains(records: Sequence[tuple[Point, Columns]]) -> Table:
    """The gain of the regulariser at every point."""
    printed = find(JOINT, "text", "AUC gain over adversarial training, per cent").value
    rows = []
    for point, columns in records:
        plain, best = columns["auc"][:, INDEX["adversarial"]], regularised(columns["auc"])
        rows.append(Row(_name(point), _gain(best, plain), printed, note=f"AT {plain.mean():.3f}"))
    return comparison("AUC of the better AT + beta over AT, per cent", rows, unit="seeds")


def _gain(auc: np.ndarray, plain: np.ndarray) -> Estimate:
    """By how much one area is above another, per cent of the latter, paired over seeds."""
    with np.errstate(divide="ignore", invalid="ignore"):  # of an area of 0 there is no such share
        return mean(100 * (auc / plain - 1))


def _seeds(columns: Columns) -> str:
    count = len(columns["auc"])
    return f"{count} seed{'s' if count > 1 else ''}"


def _name(point: Point) -> str:
    """Data and network, and what else is not as the study has it by default."""
    always = "dataset", "architecture"
    grid = STUDY.grid
    told = {axis: point[axis] for axis in grid if axis in always or point[axis] != grid[axis].default[0]}
    return label(told)
