"""Tables 1 and 2 and Figure 2 of feature compression beside Theorem 6, the selection of valid runs, and measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from empirical.linear_compression.study import LOOKS, ROUNDS
from fragility.engine.study import Point
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import COSINE, SHARE, Estimate, mean, share
from fragility.tables import Cell, Table, listing
from theory.points.optimal_tolerance import interpolation_probability
from theory.products.selection import mean_error, mean_fraction, selected, share_of_mean
from theory.reported import FEATURE, find

Values = Mapping[str, np.ndarray]
Records = Sequence[tuple[Point, Values]]
RUNS = 10  # of Table 1
# Minus the gradient of the loss by p is A w, w_k / w_n in [-1, 1] and against the sign of beta_k = p . a_k, so that
# p . A w <= w_n p . a_n and ||A w|| >= w_n rho_box: the mean margin is at least rho_box >= |r_nn| times their cosine.
LEANS = "exact for a minimiser of the loss at given ||p||"
DIFFERENCE = (-1.0, 1.0)  # of two numbers in [0, 1]
mean_share = partial(mean, within=SHARE)
SAME = 1e-9  # relative difference below which two distances are one
ALIGNED = find(FEATURE, "text", "linear study, |cos theta_2| of the second selection").value
SELECTION = "predicted: |r_nn| above the quantile that keeps the measured share"


def tables(records: Records) -> list[Table]:
    """Tables 1 and 2 and the course of training at the paper's dimension (or the first), Figure 2 of all dimensions."""
    paper = int(find(FEATURE, "text", "linear study, dimension").value)
    dimensions = [point["n"] for point, _ in records]
    shown = paper if paper in dimensions else dimensions[0]
    found: list[Table] = []
    for point, values in records:
        if point["n"] == shown:
            found += [runs(point, values), averages(point, values), course(point, values)]
    return [*found, figure(records)] if len(set(dimensions)) > 1 else found


def runs(point: Point, values: Values) -> Table:
    """Table 1: the first valid runs; below them the one that is printed."""
    valid = np.flatnonzero(values["valid"] == 1)[:RUNS]
    names = ("cos_1", "cos_2", "fraction")
    rows: list[Sequence[Cell]] = [
        (str(k + 1), *(float(values[name][run]) for name in names), float(values["worst_margin"][run]), float(best))
        for k, run in enumerate(valid)
        for best in [values["tolerance"][run]]
    ]
    if _is_papers(point):
        entries = ("|cos theta_1|", "|cos theta_2|", "fraction")
        printed = (find(FEATURE, "Table 1", f"experiment 9, {name}").value for name in entries)
        rows.append(("9, as printed", *printed, math.nan, math.nan))
    head = ("valid run", "|cos theta_1|", "|cos theta_2|", "fraction", "worst margin", "optimal tolerance")
    return listing(f"Table 1, {_where(point)}: the first {len(valid)} valid runs", head, rows)


def averages(point: Point, values: Values) -> Table:
    """Table 2 by both selections that the paper's words leave open, and what stands behind it."""
    n = point["n"]
    kept = values["valid"] == 1
    valid = _chosen(values, kept)
    predicted = selected(n, kept.mean(), "last").mean() if kept.any() else None
    difference = valid["cos_1"] - valid["fraction"]
    ratio = {
        name: values[name] / values["tolerance"] for name in ("worst_margin", "last", "best_linear", "mean_margin")
    }
    aligned, row_aligned = (valid[name] > ALIGNED for name in ("cos_2", "cos_2_row"))
    row = _chosen(valid, row_aligned)
    rows = [
        Row("runs of accuracy 1", share(kept)),
        *_means(point, valid, "valid", predicted, SELECTION),
        Row(f"|cos theta_2| > {ALIGNED:g}, of valid", share(aligned)),
        *_means(point, _chosen(valid, aligned), f"valid, |cos theta_2| > {ALIGNED:g}"),
        Row(
            "mean fraction, all", mean_share(values["fraction"]), None, mean_fraction(n), "Theorem 6, nothing selected"
        ),
        Row("mean |cos theta_1| - fraction", mean(difference, within=DIFFERENCE), None, 0.0),
        Row("|cos theta_1| > fraction, valid", share(difference > 0), None, 1.0, LEANS),
        Row(
            "mean margin > best linear margin, valid",
            share(valid["mean_margin"] > valid["best_linear"]),
            None,
            1.0,
            LEANS,
        ),
        Row(
            "mean cosine of p and -grad loss, valid",
            mean(valid["alignment_path"][:, -1], within=COSINE),
            None,
            1.0,
            LEANS,
        ),
        Row("mean |cos theta_2|, valid", mean_share(valid["cos_2"]), None, 1.0),
        Row("mean |cos theta_1| of one row, valid", mean_share(valid["cos_1_row"]), None, None, "p_+, not p_+ - p_-"),
        Row(f"the same, its |cos theta_2| > {ALIGNED:g}", mean_share(row["cos_1_row"])),
        Row("mean difference from the fraction, these", mean_share(np.abs(row["cos_1_row"] - row["fraction"]))),
        Row("worst margin / optimum, valid", mean(ratio["worst_margin"][kept], within=(-math.inf, 1.0))),
        Row(
            "mean margin / optimum, valid",
            mean(ratio["mean_margin"][kept]),
            None,
            None,
            "|cos theta_1| if T* = ||a_n||",
        ),
        Row("|r_nn| / optimum, all", mean_share(ratio["last"])),
        Row("best linear margin / optimum, all", mean_share(ratio["best_linear"])),
        Row(
            "best linear margin = |r_nn|",
            share(values["best_linear"] <= values["last"] * (1 + SAME)),
            None,
            interpolation_probability(n, point["scale"]),
        ),
        Row("optimum = ||a_n||", share(values["tolerance"] >= values["column"] * (1 - SAME))),
    ]
    return comparison(f"Table 2, {_where(point)}", rows, _notes(point, values, kept))


def _chosen(values: Values, which: np.ndarray) -> Values:
    return {name: column[which] for name, column in values.items()}


def _means(
    point: Point, runs: Values, which: str, predicted: float | None = None, note: str = ""
) -> tuple[Row, Row, Row]:
    """The three numbers of Table 2 over runs selected in one way."""

    def paper(name: str) -> float | None:
        return find(FEATURE, "Table 2", name).value if _is_papers(point) else None

    difference = np.abs(runs["cos_1"] - runs["fraction"])
    return (
        Row(f"mean |cos theta_1|, {which}", mean_share(runs["cos_1"]), paper("mean |cos theta_1|"), predicted, note),
        Row(f"mean fraction, {which}", mean_share(runs["fraction"]), paper("mean fraction"), predicted, note),
        Row(
            f"mean | |cos theta_1| - fraction |, {which}",
            mean_share(difference),
            paper("mean absolute difference"),
            0.0,
        ),
    )


def _notes(point: Point, values: Values, kept: np.ndarray) -> list[str]:
    notes = ["Optimum: T*, half the distance of the two classes, which no classifier exceeds in the worst case."]
    if kept.any() and not kept.all():
        larger = {name: _larger(values[name][kept], values[name][~kept]) for name in ("last", "fraction")}
        notes.append(
            f"A valid run has a larger |r_nn| than one that is not with probability {larger['last']:.3f}, a larger "
            f"fraction with {larger['fraction']:.3f}."
        )
    if _is_papers(point):
        notes.append(
            "Table 2 is printed once, after two selections: of the runs of accuracy 1, and of some of these by an "
            f"absolute value whose bound is lost, here |cos theta_2| > {ALIGNED:g}. Which one it is of is open."
        )
        n, count = point["n"], int(find(FEATURE, "text", "linear study, accurate runs of Table 2").value)
        printed = find(FEATURE, "Table 2", "mean fraction").value
        error, needed = mean_error(n, 1.0, count, "last"), share_of_mean(n, printed, "last")
        far = (printed - mean_fraction(n)) / error
        notes.append(
            f"The printed mean fraction of {count} runs, {printed:.4f}, lies {far:.2f} "
            f"standard errors ({error:.4f}) above E F = {mean_fraction(n):.4f}; it is the mean if the {needed:.3f} of "
            f"all runs with the largest |r_nn| are kept (or {share_of_mean(n, printed, 'fraction'):.3f} by fraction)."
        )
    return notes


def course(point: Point, values: Values) -> Table:
    """What would have been reported after fewer epochs, beside as many runs chosen by |r_nn|: in law, and of these."""
    rows: list[Sequence[Cell]] = []
    sorted_by_last = values["fraction"][np.argsort(-values["last"])]
    for look, rounds in enumerate(LOOKS):
        kept = values["valid_path"][:, look] == 1
        predicted = selected(point["n"], kept.mean(), "last") if kept.any() else None
        fraction, cosine = values["fraction"][kept], values["cos_1_path"][kept, look]
        rows.append(
            (
                f"{rounds * point['epochs'] // ROUNDS:,}",
                float(kept.mean()),
                _spread(mean_share(fraction)),
                predicted.mean() if predicted else math.nan,
                float(sorted_by_last[: kept.sum()].mean()) if kept.any() else math.nan,
                _spread(mean_share(cosine)),
                _spread(mean_share(np.abs(cosine - fraction))),
                _spread(mean_share(values["cos_2_path"][kept, look])),
            )
        )
    if _is_papers(point):
        names = ("mean fraction", "mean |cos theta_1|", "mean absolute difference")
        printed = [find(FEATURE, "Table 2", name).decimal for name in names]
        rows.append(("not known, as printed", math.nan, printed[0], math.nan, math.nan, *printed[1:], "-"))
    choice = ("law at that share", "these, by |r_nn|")
    head = ("epochs", "valid", "mean fraction", *choice, "|cos theta_1|", "difference", "|cos theta_2|")
    return listing(f"The course of training, {_where(point)}: means over runs valid by then", head, rows)


def figure(records: Records) -> Table:
    """Figure 2: fraction and compression against the dimension."""
    rows: list[Sequence[Cell]] = []
    for point, values in records:
        kept = values["valid"] == 1
        n, ratio = point["n"], values["worst_margin"] / values["tolerance"]
        rows.append(
            (
                n,
                point["scale"],
                int(kept.sum()),
                float(kept.mean()),
                mean_fraction(n),
                selected(n, kept.mean(), "last").mean() if kept.any() else math.nan,
                _spread(mean_share(values["fraction"][kept])),
                _spread(mean_share(values["cos_1"][kept])),
                _spread(mean(ratio[kept], within=(-math.inf, 1.0))),
                float(np.mean(values["best_linear"] / values["tolerance"])),
            )
        )
    head = (
        *("n", "scale", "valid runs", "share", "E fraction", "law at that share", "mean fraction", "|cos theta_1|"),
        *("worst margin / optimum", "best linear / optimum"),
    )
    notes = [
        "Means over valid runs with half-widths of 95 % intervals, or with the ends of those that a bound cuts; the "
        "last column over all runs."
    ]
    return listing("Figure 2: means over valid runs", head, rows, notes)


def _is_papers(point: Point) -> bool:
    return point["n"] == int(find(FEATURE, "text", "linear study, dimension").value)


def _where(point: Point) -> str:
    how = f"{point['optimiser']} {point['rate']:g}, {point['epochs']} epochs"
    return f"n = {point['n']}, scale {point['scale']:g}, hidden {point['hidden']}, {how}"


def _spread(estimate: Estimate) -> str:
    """The estimate and half the width of its interval, or the ends of one that a bound has cut."""
    if not estimate.n:
        return "-"
    value, low, high = estimate.value, estimate.low, estimate.high
    half = (high - low) / 2
    if not math.isfinite(half):
        return f"{value:.4f}"
    is_cut = not math.isclose(value - low, high - value, rel_tol=1e-6, abs_tol=SAME)
    return f"{value:.4f} [{low:.4f}, {high:.4f}]" if is_cut else f"{value:.4f} ± {half:.4f}"


def _larger(some: np.ndarray, others: np.ndarray) -> float:
    """Share of pairs in which the first is the larger."""
    return float(np.mean(some[:, None] > others))
