"""Tables 3 and 4 of the feature-compression paper, beside Theorem 7's law and what the networks of a run gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from empirical.relu_compression.measure import FLAGS
from fragility.engine.study import Point, label
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import COSINE, SHARE, Bounds, Estimate, mean, median, share
from fragility.tables import Table
from theory.gradients.gradient_plane import dimension_from_mean, mean_compression, median_compression, span_law
from theory.gradients.path_length import tie_ratio
from theory.laws.chi_product import chi_product
from theory.reported import ALPHAS, FEATURE, find

PRINTED_N, PRINTED_LAYERS, PRINTED_NETWORKS = 12, 1, 50
READINGS = {2: "both gradients of the logits", 1: "the gradient of their difference"}
DIFFERENCE: Bounds = (-1.0, 1.0)  # of two numbers in [0, 1]
LENGTH: Bounds = (0.0, math.inf)  # or a ratio of lengths
Columns = Mapping[str, np.ndarray]
mean_share = partial(mean, within=SHARE)


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """For every point Table 3, what its numbers are made of, and Table 4; for several points one that compares them."""
    made = [table for point, columns in records for table in _of(point, columns)]
    return [*made, _summary(records)] if len(records) > 1 else made


def expected_compression(cosines: np.ndarray, n: int) -> float:
    """Mean of sqrt(c^2 + (1 - c^2) b^2) over the c given and b of span_law(n - 1, 1).

    The compression onto two gradients whose difference has |cosine| c, if what else they span is isotropic.
    """
    law = span_law(n - 1, 1)
    levels = (np.arange(2000) + 0.5) / 2000
    squares = np.asarray(law.ppf(levels)) ** 2
    c = np.asarray(cosines).reshape(-1, 1) ** 2
    return float(np.sqrt(c + (1 - c) * squares).mean()) if len(c) else math.nan


def _of(point: Point, columns: Columns) -> tuple[Table, ...]:
    valid = {name: values[columns["valid"] == 1] for name, values in columns.items()}
    return (
        _along(point, columns, "compression", 2),
        _along(point, columns, "cosine", 1),
        _reasons(point, valid, columns["valid"]),
        _perturbations(point, valid),
    )


def _along(point: Point, columns: Columns, statistic: str, gradients: int) -> Table:
    """Table 3, of a statistic along the segment that Theorem 7 speaks of with so many gradients."""
    n, values = point["n"], columns[statistic][columns["valid"] == 1]
    laws: dict[str, tuple[Callable[..., Estimate], Callable[..., float]]] = {
        "mean": (mean_share, mean_compression),
        "median": (median, median_compression),
    }
    rows = []
    for name, (estimate, law) in laws.items():
        for k, alpha in enumerate(ALPHAS):
            known = find(FEATURE, "Table 3", name, alpha).value if _is_printed(point) else None
            along = values[:, k]
            rows.append(Row(f"{name}, alpha = {alpha}", estimate(along), known, law(n, gradients), _deviation(along)))
    notes = [f"Predicted: Theorem 7's law, k = {gradients}, of gradients that are isotropic and independent of a_n."]
    if gradients == 2:
        notes.append(
            "If the gradients' difference is along the last row of A^-1 and their sum isotropic, it is the same."
        )
    else:
        notes.append("Gradients of two probabilities are opposite, so that this is the same for softmax outputs.")
    if _is_printed(point):
        notes.append(_reading(n, gradients))
        if gradients == 1:
            fraction = find(FEATURE, "Table 2", "mean fraction").decimal
            notes.append(f"The accurate linear networks of Table 2 have the mean fraction {fraction} in print.")
    return comparison(f"Table 3 with {READINGS[gradients]}, one pair a network ({label(point)})", rows, notes)


def _reading(n: int, gradients: int) -> str:
    """How far the printed means are from the law, in the standard errors of so few networks."""
    printed = printed_mean()
    apart = (printed - mean_compression(n, gradients)) / math.sqrt(span_law(n, gradients).var() / PRINTED_NETWORKS)
    return (
        f"The printed means are {abs(apart):.1f} standard errors of {PRINTED_NETWORKS} networks "
        f"{'above' if apart > 0 else 'below'} the law at n = {n}, which has their value at "
        f"n = {dimension_from_mean(printed, gradients):.1f}."
    )


def printed_mean() -> float:
    """Mean of the means that Table 3 prints."""
    return float(np.mean([find(FEATURE, "Table 3", "mean", alpha).value for alpha in ALPHAS]))


def _reasons(point: Point, columns: Columns, valid: np.ndarray) -> Table:
    """What the compression of a trained network is made of."""
    n, start = point["n"], {name: values[:, 0] for name, values in columns.items() if values.ndim == 2}
    one = mean_compression(n, 1)
    spread = columns["compression"].std(axis=1)
    rows = [
        Row("share of networks with accuracy 1", share(valid)),
        Row("mean cross-entropy", mean(columns["loss"], within=LENGTH)),
        Row(
            "compression at alpha = 0, mean of all pairs",
            mean_share(start["mean_compression"]),
            None,
            mean_compression(n),
        ),
        Row(
            "... if only |cos| below is learned",
            mean_share(start["compression"]),
            None,
            expected_compression(start["cosine"], n),
            "predicted: from each |cos|, the rest isotropic",
        ),
        Row("|cos| of a_n and the gradient g of the difference", mean_share(start["cosine"]), None, one, "k = 1"),
        Row("fraction |r_nn| / |a_n| of these data", mean_share(columns["fraction"]), None, one, "Theorem 6"),
        Row("|cos| minus fraction", mean(start["cosine"] - columns["fraction"], within=DIFFERENCE), None, 0.0),
        Row("|cos| of g and the last row of A^-1", mean_share(start["inverse"]), None, 1.0, "Theorem 6's network"),
        Row(
            "cosine of the two gradients", mean(start["gradients"], within=COSINE), None, -1.0, "-1: one direction only"
        ),
        Row(
            "|cos| of a_n and what they share, beside g", mean_share(start["common"]), None, mean_compression(n - 1, 1)
        ),
        Row("|cos| of g at both ends of the segment", mean_share(columns["turn"]), None, 1.0, "1: as good as linear"),
        Row("standard deviation of compression along it", mean(spread, within=LENGTH)),
        Row(
            "compression before training",
            mean_share(start["untrained_compression"]),
            None,
            mean_compression(n),
            "isotropic up to O(1 / width)",
        ),
        Row(
            "|cos| of a_n and g before training",
            mean_share(columns["untrained_cosine"]),
            None,
            one,
            "isotropic up to O(1 / width)",
        ),
    ]
    return comparison(f"What the gradients see ({label(point)})", rows)


def _perturbations(point: Point, columns: Columns) -> Table:
    """Table 4, every number a network's mean over its inputs."""
    length = columns["column"][:, None]
    distance, cosine = columns["distance"], columns["perturbation_cosine"]
    tie = 2 * length * tie_ratio(columns["input_cosine"], columns["margin"], -columns["other_margin"])
    rows = [
        Row("|a_n|", mean(columns["column"], within=LENGTH), None, chi_product((point["n"],)).mean()),
        Row("|cos theta|, theta of perturbation and a_n", _over(cosine, SHARE)),
        Row("|cos| of gradient and a_n", _over(columns["input_cosine"], SHARE)),
        Row("smallest perturbation, lower bound", _over(columns["lower"])),
        Row("smallest perturbation found |e|", _over(distance)),
        Row("|cos theta| |a_n|", _over(cosine * length), None, None, "the paper's prediction of |e|"),
        Row("|e| / (|cos theta| |a_n|)", _over(distance / (cosine * length)), None, 1.0, "linear, margins equal"),
        Row("|e| / tie with both margins", _over(distance / tie), None, 1.0, "linear"),
        Row("|e| / (margin / |gradient|)", _over(distance / columns["first_order"]), None, 1.0, "locally linear"),
        Row("lower bound / |e|", _over(columns["lower"] / distance, SHARE)),
        Row("half distance of nearest other label / |a_n|", _over(columns["optimum"] / length, SHARE)),
        Row("|e| / half that distance", _over(distance / columns["optimum"]), None, None, "of the best classifier"),
        *[Row(f"share of inputs: {name}", mean_share(columns[name])) for name in FLAGS],
    ]
    return comparison(
        f"Table 4: smallest perturbation against |cos theta| |a_n| ({label(point)})",
        rows,
        ["A network counts with its mean over its inputs. The numbers of the paper's Table 4 are not known."],
    )


def _summary(records: Sequence[tuple[Point, Columns]]) -> Table:
    rows = []
    for point, columns in records:
        for name, statistic, gradients in (("both", "mean_compression", 2), ("difference", "mean_cosine", 1)):
            values = columns[statistic][columns["valid"] == 1].mean(axis=1)
            printed = printed_mean() if _is_printed(point) else None
            law = mean_compression(point["n"], gradients)
            rows.append(Row(f"{name}, {_short(point)}", mean_share(values), printed, law, _deviation(values)))
    return comparison("Compression onto both gradients and onto their difference, means of pairs and alpha", rows)


def _short(point: Point) -> str:
    return label({axis: value for axis, value in point.items() if axis not in ("inputs", "epochs")})


def _over(values: np.ndarray, within: Bounds = LENGTH) -> Estimate:
    """Over networks, of means over inputs where the number exists and is finite."""
    finite = np.where(np.isfinite(values), values, np.nan)
    counted = np.isfinite(finite).sum(axis=1)
    return mean(np.where(counted > 0, np.nansum(finite, axis=1) / np.maximum(counted, 1), np.nan), within=within)


def _deviation(values: np.ndarray) -> str:
    return f"sd {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""


def _is_printed(point: Point) -> bool:
    return point["n"] == PRINTED_N and point["layers"] == PRINTED_LAYERS
