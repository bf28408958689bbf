"""Tables 5 and 6 of feature compression: five images as an illustration, then all images for which a 1 can be made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from empirical.measures.path import ends
from empirical.mnist_compression.measure import ONE, SEVEN
from fragility.engine.study import Point
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import (
    ANY,
    COSINE,
    SHARE,
    Bounds,
    Estimate,
    mean,
    median,
    quantile,
    rank_correlation,
    share,
)
from fragility.tables import Table, listing
from theory.gradients.gradient_plane import median_compression
from theory.gradients.path_length import sign_inflation, tie_ratio

Columns = Mapping[str, np.ndarray]
Reading = Callable[[Columns], np.ndarray]
ILLUSTRATED = 5  # images, as in Tables 5 and 6
QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}
AT = "x_2 a 7, x_1 the artificial 1, f = f_1 - f_7, e the smallest perturbation found that makes x_2 a 1"
LENGTH: Bounds = (0.0, math.inf)  # or a ratio of lengths


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """For each data set, construction and length of training, over all its networks."""
    groups: dict[str, list[Columns]] = {}
    for point, columns in records:
        certified = "" if point["certificate"] == "none" else f", certified by {point['certificate']}"
        name = f"{point['dataset']}, construction {point['construction']}, {point['epochs']} epochs{certified}"
        groups.setdefault(name, []).append(columns)
    return [table for name, networks in groups.items() for table in _tables(name, networks)]


def kept(columns: Columns) -> dict[str, np.ndarray]:
    """The images for which there is an artificial 1 and an attack that succeeds."""
    chosen = (columns["works"] == 1) & np.isfinite(columns["distance"])
    return {name: values[chosen] for name, values in columns.items()}


def compression(columns: Columns) -> np.ndarray:
    """|cos theta| between the gradient at x_2 and x_1 - x_2, (images,)."""
    return abs(columns["cosine"])


def ratio(columns: Columns) -> np.ndarray:
    """|e| over L / 2, half the distance of the pictures, (images,)."""
    return columns["distance"] / (columns["length"] / 2)


def predicted(columns: Columns, cosine: str = "cosine") -> np.ndarray:
    """|e| over L / 2 of the shortest attack to the tie, were f linear, (images,): NaN where the network denies x_1.

    From the cosine at x_2, or from another column.
    """
    tie = 2 * tie_ratio(columns[cosine], columns["margin"], columns["other"])
    return np.where(columns["other"] < 0, tie, np.nan)


def first_order(columns: Columns) -> np.ndarray:
    """Change of f from x_2 to x_1 over ||grad f(x_2)||, from two evaluations, (images,)."""
    return (columns["margin"] - columns["other"]) / columns["norms"][:, 0]


def _tables(name: str, networks: Sequence[Columns]) -> Iterator[Table]:
    unit = "images" if len(networks) == 1 else "networks"
    yield comparison(f"{name}: sevens and the ones made of them", _construction(networks), _made(networks), unit)
    yield _failures(name, networks)
    chosen = [kept(columns) for columns in networks]
    if any(len(columns["length"]) == 0 for columns in chosen):
        return
    yield _illustration(name, chosen[0])
    notes = [f"{AT}; L = ||x_1 - x_2||.", _intervals(chosen)]
    yield comparison(f"Table 5, {name}, all images", _lengths(chosen), notes, unit)
    pixels = chosen[0]["clean"].shape[1]
    chance = f"Independent random directions in {pixels} dimensions: median |cos| {median_compression(pixels, 1):.4f}."
    yield comparison(f"Table 6, {name}, all images", _along(chosen), [*notes, chance], unit)


def _construction(networks: Sequence[Columns]) -> list[Row]:
    seven: Reading = lambda columns: columns["says"] == SEVEN  # noqa: E731

    def among(test: Reading) -> Reading:
        return lambda columns: test(columns)[seven(columns)]

    return [
        Row("test accuracy of the network", _mean_of(networks, "test_accuracy"), note="> 0.99 in the paper"),
        Row("share of sevens classified as 7", _over(networks, seven, share, SHARE)),
        Row("  of these, with an upper stroke", _over(networks, among(lambda c: c["stroke"] > 0), share, SHARE)),
        Row("  classified as 1 without it", _over(networks, among(lambda c: c["verdict"] == ONE), share, SHARE)),
        Row(
            "  still classified as 7 without it", _over(networks, among(lambda c: c["verdict"] == SEVEN), share, SHARE)
        ),
        Row("  as 1 when what is left is centred", _over(networks, among(lambda c: c["moved"] == ONE), share, SHARE)),
        Row("  for which the construction works", _over(networks, among(lambda c: c["works"]), share, SHARE)),
        Row(
            "share of the stroke blocked, median", _over(networks, lambda c: c["blocked"] / c["stroke"], median, SHARE)
        ),
    ]


def _made(networks: Sequence[Columns]) -> list[str]:
    worked = ", ".join(f"{int(columns['works'].sum())} of {len(columns['works'])}" for columns in networks)
    return [f"The construction works for {worked} sevens of the test set, taken in a fixed random order."]


def _failures(name: str, networks: Sequence[Columns]) -> Table:
    """Why there is no artificial 1, counted over images and networks."""
    reasons: dict[str, int] = {}
    for columns in networks:
        for works, says, stroke, verdict in zip(
            *(columns[key] for key in ("works", "says", "stroke", "verdict")), strict=True
        ):
            if works == 1:
                continue
            if says != SEVEN:
                reason = "the 7 itself is classified as something else"
            elif stroke == 0:
                reason = "no upper stroke is found"
            else:
                reason = f"without the whole stroke it is classified as {int(verdict)}"
            reasons[reason] = reasons.get(reason, 0) + 1
    total = sum(len(columns["works"]) for columns in networks)
    rows = [(reason, count, count / total) for reason, count in sorted(reasons.items(), key=lambda item: -item[1])]
    return listing(f"{name}: why no 1 could be made", ("reason", "images", "share"), rows)


def _illustration(name: str, columns: Columns) -> Table:
    head = ("image", "L", "|e|", "certified >", "cos theta", "|e| / L", "signed s", "|e| by sign", "s by 2 values")
    shown = zip(
        columns["image"].astype(int).tolist(),
        columns["length"],
        columns["distance"],
        _certified(columns),
        -columns["cosine"],
        columns["distance"] / columns["length"],
        -columns["signed_length"],
        _finite(columns["by_sign_gradient"]),
        first_order(columns),
        strict=True,
    )
    rows = [tuple(row) for row, _ in zip(shown, range(ILLUSTRATED), strict=False)]
    notes = [
        f"{AT}. The first images of the run for which the construction works; the paper's five are not known.",
        "s by 2 values: change of f over the length of the gradient, without any angle; -: the attack fails.",
    ]
    return listing(f"Table 5, {name}: five images", head, [(str(row[0]), *row[1:]) for row in rows], notes)


def _lengths(networks: Sequence[Columns]) -> list[Row]:
    spread = [
        row
        for quantity, measured, theory, note in (
            ("|e| / L", lambda c: c["distance"] / c["length"], compression, "predicted |cos theta|, as in the paper"),
            ("|e| / (L/2)", ratio, predicted, "predicted |cos theta| 2 f(x_2) / (f(x_2) - f(x_1))"),
        )
        for row in _quartiles(networks, quantity, measured, theory, note)
    ]
    return [
        Row("L, median", _over(networks, lambda c: c["length"], median)),
        Row("|e|, median", _over(networks, lambda c: c["distance"], median)),
        Row("|e| certified from below, median", _over(networks, _certified, median)),
        Row("|e| to any class but 7, median", _over(networks, lambda c: c["untargeted"], median)),
        *spread,
        _one(networks, "(|e| / L) / |cos theta|", lambda c: ratio(c) / 2 / compression(c)),
        _one(networks, "(|e| / (L/2)) / prediction to the tie", lambda c: ratio(c) / predicted(c)),
        _one(networks, "  the same with the compression of all the way", lambda c: ratio(c) / predicted(c, "weighted")),
        _one(networks, "|e| / (f(x_2) / ||grad f(x_2)||)", lambda c: c["distance"] / (c["margin"] / c["norms"][:, 0])),
        _ranked(networks, "|e| / L", "|cos theta|", ratio, compression),
        _ranked(networks, "|e| / (L/2)", "prediction to the tie", ratio, predicted),
        _ranked(networks, "|e|", "|s|", lambda c: c["distance"], lambda c: abs(c["signed_length"])),
        _one(networks, "|s| / |e|", lambda c: abs(c["signed_length"]) / c["distance"]),
        _one(networks, "|s| / (change of f / ||grad f||)", lambda c: -c["signed_length"] / first_order(c), ANY),
        _one(networks, "  the same at midpoints", lambda c: -c["midpoint_length"] / first_order(c), ANY),
        Row(
            "f(x_2) / (f(x_2) - f(x_1)), median",
            _over(networks, lambda c: predicted(c) / (2 * compression(c)), median, SHARE),
            note="1/2 if x_1 were as clearly a 1 as x_2 a 7",
        ),
        Row(
            "share of images that the sign attack makes a 1",
            _over(networks, lambda c: np.isfinite(c["by_sign_gradient"]), share, SHARE),
            note="the paper's attack",
        ),
        Row(
            "|e| of the sign attack / |e|, median of these",
            _over(networks, lambda c: _finite(c["by_sign_gradient"]) / c["distance"], median),
            predicted=_value(networks, _inflation),
            note="predicted for linear f without box",
        ),
    ]


def _along(networks: Sequence[Columns]) -> list[Row]:
    fractions = ends(networks[0]["cosines"].shape[1])
    average = partial(mean, within=COSINE)
    return [
        *(
            Row(f"mean cos theta_k at alpha = {alpha:.3f}", _over(networks, partial(_node, k), average, COSINE))
            for k, alpha in enumerate(fractions)
        ),
        Row(
            "their average (last row of Table 6)",
            _over(networks, lambda c: -c["cosines"].mean(axis=1), average, COSINE),
        ),
        Row(
            "weighted by ||grad f||, as equations (8), (9) have it",
            _over(networks, lambda c: c["weighted"], average, COSINE),
        ),
    ]


def _certified(columns: Columns) -> np.ndarray:
    return np.where(columns["lower"] > 0, columns["lower"], np.nan)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _inflation(columns: Columns) -> np.ndarray:
    return np.where(np.isfinite(columns["by_sign_gradient"]), sign_inflation(columns["gradient"]), np.nan)


def _node(k: int, columns: Columns) -> np.ndarray:
    return -columns["cosines"][:, k]


def _quartiles(networks: Sequence[Columns], quantity: str, measured: Reading, theory: Reading, note: str) -> list[Row]:
    return [
        Row(
            f"{quantity}, {name}",
            _over(networks, measured, partial(quantile, level=level)),
            predicted=_value(networks, theory, level),
            note=note if level == 0.5 else "",
        )
        for name, level in QUARTILES.items()
    ]


def _one(networks: Sequence[Columns], quantity: str, reading: Reading, within: Bounds = LENGTH) -> Row:
    """A ratio that is predicted to be 1 for each image: its median, and its quartiles as a note."""
    low, high = _value(networks, reading, 0.25), _value(networks, reading, 0.75)
    note = f"quartiles {low:.4f} to {high:.4f}"
    return Row(f"{quantity}, median", _over(networks, reading, median, within), predicted=1.0, note=note)


def _ranked(networks: Sequence[Columns], one: str, other: str, reading: Reading, theory: Reading) -> Row:
    found = [rank_correlation(reading(columns), theory(columns)) for columns in networks]
    measured = found[0] if len(found) == 1 else mean([estimate.value for estimate in found], within=COSINE)
    return Row(f"rank correlation of {one} and {other}", measured, predicted=1.0)


def _over(
    networks: Sequence[Columns], reading: Reading, reduce: Callable[..., Estimate], within: Bounds = LENGTH
) -> Estimate:
    """Over the images of one network, or the mean over networks of what each gives."""
    found = [reduce(reading(columns)) for columns in networks]
    return found[0] if len(found) == 1 else mean([estimate.value for estimate in found], within=within)


def _mean_of(networks: Sequence[Columns], name: str) -> Estimate:
    return mean([columns[name][0] for columns in networks], within=SHARE)


def _value(networks: Sequence[Columns], reading: Reading, level: float = 0.5) -> float:
    found = [_finite(reading(columns)) for columns in networks]
    known = [np.nanquantile(values, level) for values in found if not np.isnan(values).all()]
    return float(np.mean(known)) if known else math.nan


def _intervals(networks: Sequence[Columns]) -> str:
    if len(networks) == 1:
        return "One network: intervals are over the images for which the construction works, for this network alone."
    counts = ", ".join(str(len(columns["length"])) for columns in networks)
    return f"Intervals are over networks (Student), each with what it gives over its images: {counts}."
