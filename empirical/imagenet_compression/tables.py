"""Tables 7 and 8 of feature compression: printed, predicted and measured, for each network and population of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from empirical.measures.path import ends
from fragility.engine.study import Point, UsageError
from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import median, quantile, share
from fragility.tables import Cell, Table, listing
from theory.gradients.gradient_plane import median_compression
from theory.gradients.path_length import length_bounds, quadrature_error
from theory.reported import FEATURE, find

Columns = Mapping[str, np.ndarray]
EXPERIMENTS = ("1", "2", "3", "4")  # columns of Table 8
AFGHAN = 160  # its class
LEAST = 1 - 0.5 ** (1 / len(EXPERIMENTS))  # share of a law below the median of the least of four draws


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """Per point: cosines along the way (Table 7), their averages over pairs, lengths (Table 8), what attacks miss.

    Raises
    ------
    UsageError : the pairs of a point were not all measured with the same weights.
    """
    return [table for point, columns in records for table in _tables(point, columns)]


def kept(columns: Columns) -> np.ndarray:
    """Pairs that can be compared, (pairs,) bool: photographs classified right, a gradient, attacks that succeed."""
    return np.logical_not(np.logical_or.reduce(list(_reasons(columns).values())))


def _reasons(columns: Columns) -> dict[str, np.ndarray]:
    """Why a pair is left out; a pair may have several reasons."""
    return {
        "clean photograph misclassified": columns["clean_right"] == 0,
        "partner's photograph misclassified": columns["partner_right"] == 0,
        "no gradient at the clean photograph": columns["gradient"][:, 0] == 0,
        "no attack succeeds": np.isnan(columns["distance"]) | np.isnan(columns["sign_attack"]),
    }


def _tables(point: Point, columns: Columns) -> Iterator[Table]:
    chosen = kept(columns)
    name = f"{point['model']} ({_weights(point, columns)}), {point['source']} to {point['partners']}"
    notes = _notes(point, columns, chosen)
    if not chosen.any():
        yield listing(f"Tables 7 and 8, {name}: no pair can be compared", ("pairs",), [(len(chosen),)], notes)
        return
    held = {statistic: values[chosen] for statistic, values in columns.items()}
    yield _along(name, held)
    yield comparison(f"Table 7, {name}: compression", _compression(point, held), notes, unit="pairs")
    yield comparison(
        f"Table 8, {name}: lengths over L / 2 (printed: medians of four)", _lengths(held), notes, unit="pairs"
    )
    yield comparison(f"{name}: what the paper's attack and its prediction miss", _misses(held), BEYOND, unit="pairs")


def _weights(point: Point, columns: Columns) -> str:
    """The digest of the weights that all pairs were measured with."""
    found = [f"{int(number):012x}" for number in np.unique(columns["network"])]
    if len(found) > 1:
        raise UsageError(
            f"--model {point['model']} must have the same weights in every run, got {', '.join(found)}: choose another "
            "--out, or give the weights by --checkpoint"
        )
    return found[0]


def _notes(point: Point, columns: Columns, chosen: np.ndarray) -> list[str]:
    counts = [f"{int(np.sum(hit))} {why}" for why, hit in _reasons(columns).items() if np.any(hit)]
    left = f"; left out: {', '.join(counts)} (a pair may count twice)" if counts else ""
    notes = [f"{int(chosen.sum())} of {len(chosen)} pairs{left}."]
    if point["source"] != "all" and point["partners"] == "all":
        notes.append(
            "The pairs share their clean photographs: intervals are over partners as if these were drawn at random, "
            "not over clean photographs."
        )
    if columns["disagreement"][chosen].any():
        notes.append(
            f"{int(columns['disagreement'][chosen].sum())} pairs: another direction comes within 3 % of the least "
            "length, so that which is nearest is open."
        )
    return notes


def _along(name: str, held: Columns) -> Table:
    (afghan,) = np.nonzero(held["partner"] == AFGHAN)
    one = int(afghan[0]) if len(afghan) else 0
    cosines = held["cosine"]
    several = len(cosines) > 1
    spread = np.nanquantile(cosines, (0.05, 0.5, 0.95), axis=0).T
    rows: list[tuple[Cell, ...]] = [
        (float(alpha), float(cosine), *(map(float, quantiles) if several else ()))
        for alpha, cosine, quantiles in zip(ends(cosines.shape[1]), cosines[one], spread, strict=True)
    ]
    average = (float(value) for value in np.nanquantile(held["mean_cosine"], (0.05, 0.5, 0.95)))
    rows.append(("Avg.", float(held["mean_cosine"][one]), *(average if several else ())))
    pair = f"class {int(held['clean'][one])} to {int(held['partner'][one])}"
    columns = ("5 % of pairs", "median of pairs", "95 % of pairs") if several else ()
    head = ("alpha_k", f"cos theta_k, {pair}", *columns)
    return listing(f"Table 7, {name}: cos theta_k from x_2 (alpha = 0) to x_1 (alpha = 1)", head, rows)


def _compression(point: Point, held: Columns) -> list[Row]:
    low = find(FEATURE, "Table 7", "least column average").value
    high = find(FEATURE, "Table 7", "largest column average").value
    averages = held["mean_cosine"]
    chance = median_compression(3 * point["size"] ** 2, 1)
    return [
        Row("column average, median", median(averages)),
        Row("column average, least of four", quantile(averages, LEAST), printed=low, note="median of the least of 4"),
        Row("column average, largest of four", quantile(averages, 1 - LEAST), printed=high, note="and of the largest"),
        Row("pairs with an average in the printed range", share((averages >= low) & (averages <= high))),
        Row("pairs with |average| up to the printed largest", share(np.abs(averages) <= abs(low)), printed=1.0),
        Row(
            "|cos theta| at the clean photograph, median",
            median(np.abs(held["cosine"][:, 0])),
            predicted=chance,
            note="predicted: of a direction drawn at random",
        ),
        Row("compression weighted with the gradient, median", median(held["weighted"])),
    ]


def _lengths(held: Columns) -> list[Row]:
    half = held["length"] / 2
    predicted = np.abs(held["signed_length"]) / half
    printed = {row: _printed(row) for row in ("|M / (0.5 L)|", "Q / (0.5 L)")}
    return [
        Row("|M|, by quadrature", median(predicted), printed=float(np.median(printed["|M / (0.5 L)|"]))),
        Row("|M|, from two evaluations", median(np.abs(held["first_order"]) / half), note="no angle is in it"),
        Row(
            "Q, the paper's attack",
            median(held["sign_attack"] / half),
            printed=float(np.median(printed["Q / (0.5 L)"])),
            predicted=float(np.median(predicted)),
            note="predicted: |M|",
        ),
        Row(
            "Q / |M|, the paper's attack",
            median(held["sign_attack"] / np.abs(held["signed_length"])),
            printed=float(np.median(printed["Q / (0.5 L)"] / printed["|M / (0.5 L)|"])),
            predicted=1.0,
        ),
        Row(
            "Q, least of all attacks",
            median(held["distance"] / half),
            predicted=float(np.median(held["tie"] / half)),
            note="predicted: first order, to the tie of the two logits",
        ),
        Row("Q / |M|, least of all attacks", median(held["distance"] / np.abs(held["signed_length"])), predicted=1.0),
        Row("Q to any other class", median(held["untargeted"] / half)),
    ]


BEYOND = (
    "l_- and l_+ bound the least length if the gradient changes nowhere faster than where it was sampled: an estimate, "
    "no certificate.",
)


def _misses(held: Columns) -> list[Row]:
    distance, tie = held["distance"], held["tie"]
    slope, smoothness = held["gradient"][:, 0], np.nan_to_num(held["smoothness"])
    least, largest = length_bounds(slope, smoothness, slope * np.maximum(tie, 0))
    quadrature = held["signed_length"] / held["first_order"]
    slopes = (held["length"][:, None] * held["gradient"] * held["cosine"])[:, [0, -1]].T
    change = held["first_order"] * slope
    excess = quadrature_error("ends", held["cosine"].shape[1], tuple(slopes), (0.0, 0.0), change) / change
    return [
        Row("paper's attack / least length", median(held["sign_attack"] / distance), note="how much it overstates"),
        Row(
            "  of which: its last step goes too far",
            median(held["sign_attack"] / held["sign_tie"]),
            note="over the same, drawn back to the boundary",
        ),
        Row("  of which: its direction", median(held["sign_tie"] / distance)),
        Row("paper's attack: steps of one grey level", median(held["sign_steps"])),
        Row("least length / first order to the tie", median(distance / tie), predicted=1.0),
        Row(
            "M by quadrature / from two evaluations",
            median(quadrature),
            predicted=float(np.median(1 + excess)),
            note="Euler-Maclaurin",
        ),
        Row("least length at least l_-", share(distance >= least), predicted=1.0, note="smoothness as sampled"),
        Row("least length at most l_+", share(distance <= largest), note="l_+ may be infinite"),
        Row("l_+ infinite", share(np.isinf(largest)), note="a descent may stall"),
    ]


def _printed(row: str) -> np.ndarray:
    return np.array([find(FEATURE, "Table 8", row, experiment).value for experiment in EXPERIMENTS])
