"""What is said of a network: every number with its interval over images and the claim that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from empirical.examine.images import SAID
from empirical.examine.letters import decoded
from empirical.examine.measure import SAYINGS
from empirical.examine.parsed import entries
from fragility.engine.study import Point
from fragility.judging.estimates import CONFIDENCE, COSINE, Estimate, mean, median, share
from fragility.tables import Cell, Column, Table
from theory.gradients.gradient_plane import median_compression

Columns = Mapping[str, np.ndarray]
SINGLE = 2**24  # a condition number that float32 cannot tell from infinity: 1.7e7
MASKED = 0.5  # relative error of a difference quotient from which gradients do not tell of the network
SHORT = ("dense", "conv", "transposed")
FAR = 3.0  # times the prediction: what a gradient can be so wrong about
CLOSE = 1.05  # of the length found over the predicted one, up to which the prediction holds


def tables(records: Sequence[tuple[Point, Columns]]) -> list[Table]:
    """Per network: all that is said of it, and its layers one by one."""
    return [table for point, columns in records for table in _tables(point, columns)]


class _Rows:
    """Rows in groups, each with the claim that its number belongs to."""

    def __init__(self) -> None:
        self.rows: list[tuple[Cell, ...]] = []
        self.headings: dict[int, str] = {}

    def group(self, words: str) -> None:
        """Begins a group."""
        self.headings[len(self.rows)] = words

    def of_images(self, quantity: str, found: Estimate, claim: str, note: str = "") -> None:
        """A number with an interval over images."""
        value: Cell = found.value if found.n else None
        self.rows.append((quantity, value, found.interval if found.n > 1 else None, found.n, claim, note))

    def of_network(self, quantity: str, value: float | int | None, claim: str, note: str = "") -> None:
        """A number of the network itself, which no image changes."""
        self.rows.append((quantity, value, None, None, claim, note))


def _tables(point: Point, columns: Columns) -> Iterator[Table]:
    right = columns["label"] == columns["said"]
    held = {name: values[right] for name, values in columns.items() if not name.startswith(("layer_", "lipschitz"))}
    rows = _Rows()
    saying = dict(zip(SAYINGS, decoded(_first(columns, "sayings")), strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):  # what there is not is NaN
        _of_layers(rows, columns, held, saying["constant"])
        _of_perturbations(rows, point, held, right, saying["certificate"])
        _of_ways(rows, held)
        _of_shrinking(rows, point, held)
        _of_certificates(rows, point, columns, saying["joint"])
        _of_masking(rows, held)
    heads = [
        Column("quantity"),
        Column("value", align="right"),
        Column(f"{100 * CONFIDENCE:g} % interval over images", key="interval", align="right"),
        Column("images", align="right"),
        Column("claim", code=True),
        Column("note"),
    ]
    notes = [
        "Intervals are over images as if they were drawn at random, of one network: of medians by order statistics, of "
        "shares by Clopper and Pearson, of means by Student. python -m theory --claim ID tells what a claim says.",
        *([f"Weights that belong to no linear layer: {saying['others']}."] if saying["others"] else []),
    ]
    count = int(columns["numbers"][0])
    title = f"{point['model']} ({point['weights']}), {len(right)} images of {count:,} numbers"
    yield Table(heads, rows.rows, title, notes, CONFIDENCE, rows.headings)
    if np.isfinite(columns["layer_norm"]).any():
        yield _layers(point, columns)


def _first(columns: Columns, name: str) -> Any:
    """What was recorded with the first image."""
    return columns[name][0]


def _of_layers(rows: _Rows, columns: Columns, held: Columns, why: str) -> None:
    rows.group("layers")
    norms, most = _first(columns, "layer_norm"), _first(columns, "layer_norm_at_most")
    condition = _first(columns, "layer_kernel_condition")
    share_held = np.nansum(_first(columns, "layer_weights")) / _first(columns, "all_weights")
    note = f"{100 * share_held:.3g} % of all parameters"
    rows.of_network("linear layers", int(np.isfinite(norms).sum()), "cond.layers.absolute", note)
    if not np.isfinite(norms).any():
        return
    rows.of_network("largest spectral norm", float(np.nanmax(norms)), "norm.zero_padding", "on the layer's own images")
    rows.of_network(
        "  widest interval of a norm, upper over lower end",
        float(np.nanmax(np.where(norms == 0, 1, most / norms))),
        "norm.zero_padding",
        "1 where a norm is exact; each end is missed with a chance of 1e-6",
    )
    dense = _first(columns, "layer_kind") == 0
    for words, some, claim in (
        ("largest condition number of a dense layer", dense, "cond.relative_error.corrected"),
        ("largest condition number of a kernel as a matrix", ~dense, "cond.conv_reshape.reading"),
    ):
        known = condition[some & ~np.isnan(condition)]
        if len(known):
            lost = int((known > SINGLE).sum())
            note = f"{lost} of {len(known)} lack rank: above {SINGLE:.2g} float32 cannot tell" if lost else ""
            rows.of_network(words, float(known.max()), claim, note)
    exact = _first(columns, "layer_smallest_exact") == 1
    maps = _over(norms, _first(columns, "layer_smallest"))
    if exact.any():
        words = f"largest condition number of a map, of {exact.sum()} layers small enough"
        rows.of_network(words, float(maps[exact].max()), "norm.circulant.condition")
    if (large := ~exact & np.isfinite(norms)).any():
        words = f"  of the {large.sum()} others, one is at least"
        rows.of_network(words, float(maps[large].max()), "norm.circulant.condition", "too large to be written down")
    constant = float(_first(columns, "lipschitz"))
    words = "Lipschitz constant, at most: norms along the graph"
    rows.of_network(words, constant, "cond.layers.absolute", why)
    if np.isfinite(constant):
        certain = held["margin"] / (np.sqrt(2) * constant)  # the difference of two logits has sqrt 2 times the constant
        rows.of_images("  radius certified by it, median", median(certain), "norm.wide_resnet.radius.network")
        slope = held["slope"] / (np.sqrt(2) * constant)
        rows.of_images(
            "  gradient of a margin over what it allows, median", median(slope), "cond.layers.absolute", "1: attained"
        )


def _of_perturbations(rows: _Rows, point: Point, held: Columns, right: np.ndarray, why: str) -> None:
    rows.group("smallest perturbation of a decision, l2, within [0, 1]")
    if point["labels"] == SAID:
        rows.of_network("images", len(right), "norm.masking", "what the network says of them is taken for right")
    else:
        rows.of_images("images classified right", share(right), "norm.masking", "only these are counted below")
    found, predicted, lower = held["upper"], held["first_order"], held["lower"]
    rows.of_images("found, median", median(found), "fc.trained.relu.bracket", f"by {point['attacks']}")
    certified = bool((lower > 0).any())
    rows.of_images(
        "certified, median",
        median(lower if certified else np.full(0, np.nan)),
        "fc.trained.relu.bracket",
        why,
    )
    if certified:
        rows.of_images("  certified over found, median", median(lower / found), "fc.trained.relu.bracket")
    rows.of_images("predicted to first order, median", median(predicted), "fc.thm5.classes", "exact if linear")
    ratio = found / predicted
    rows.of_images("  found over predicted, median", median(ratio), "fc.sec5.lengths", "1: no curvature on the way")
    rows.of_images(f"  found within {CLOSE:g} of predicted", share(_known(ratio, ratio <= CLOSE)), "fc.sec5.lengths")
    rows.of_images("found in units of the image's norm, median", median(found / held["norm"]), "fc.thm1.ratio.order")
    rows.of_images("step of signs over the least step, median", median(held["sign_factor"]), "fc.table5.sign")


def _of_ways(rows: _Rows, held: Columns) -> None:
    rows.group("gradient on the way to the nearest image that the network puts into another class")
    cosine = held["cosine"]
    if not np.isfinite(cosine).any():
        rows.of_network("compression", None, "fc.sec5.start", "all images are of one class: there is no such way")
        return
    compression = np.abs(cosine[:, 0])
    note = f"of a random direction: {median_compression(int(held['numbers'][0]), 1):.2g}"
    rows.of_images("compression |cos| at the image, median", median(compression), "fc.sec5.start", note)
    rows.of_images("mean cosine along the way, median", median(cosine.mean(axis=1)), "fc.table6.average")
    rows.of_images("mean cosine along the way", mean(cosine.mean(axis=1), within=COSINE), "fc.table6.average")
    rows.of_images("compression weighted with the gradient, median", median(held["weighted"]), "fc.sec5.ratio")
    rows.of_images(
        "M by quadrature over f(x_1) - f(x), median", median(held["signed_length"] / held["change"]), "fc.table8.sum"
    )
    rows.of_images("found over half of the way, median", median(2 * held["upper"] / held["length"]), "fc.table5.factor")
    uneven = held["gradient"].max(1) / np.where(held["gradient"].min(1) > 0, held["gradient"].min(1), np.nan)
    rows.of_images("largest over least gradient on the way, median", median(uneven), "fc.sec5.necessary")


def _of_shrinking(rows: _Rows, point: Point, held: Columns) -> None:
    for number, percent in enumerate(entries(point["shrunk"])):
        rows.group(f"without {percent:g} % of each layer's singular values, from the bottom")
        said = held["shrunk_said"][:, number]
        rows.of_images("decisions that stay", share(_known(said, said == held["label"])), "latent.linear.every_share")
        margin = held["shrunk_margin"][:, number] / held["margin"]
        rows.of_images("margin over what it was, median", median(margin), "latent.cascade.margin")
        first = held["shrunk_first_order"][:, number] / held["first_order"]
        rows.of_images(
            "first-order distance over what it was, median",
            median(first),
            "latent.svd.trained.robust",
            "of the decisions as they were; 0 where they are lost",
        )


def _of_certificates(rows: _Rows, point: Point, columns: Columns, why: str) -> None:
    rows.group("margins that no joint change of pixels and weights turns")
    certified = columns["certified"]
    if not np.isfinite(certified).any():
        rows.of_network("certified", None, "joint.certificate", why)
        return
    for i, x in enumerate(entries(point["radii_x"])):
        for j, w in enumerate(entries(point["radii_w"])):
            words = f"right and certified, pixels within {x:g}, weights within {w:g}"
            rows.of_images(words, share(certified[:, i, j]), "joint.certificate")


def signs(held: Columns) -> dict[str, tuple[np.ndarray, str]]:
    """Signs of masked gradients in words, each with flags of images, NaN where nothing can be said, and its claim."""
    quotient, predicted = held["quotient"], held["first_order"]
    return {
        "no gradient": (held["zero_gradient"] > 0, "fc.thm7.relu.zero"),
        "probability rounds to 1": (held["saturated"] > 0, "norm.masking"),
        "no attack succeeds": (np.isnan(held["upper"]), "norm.masking"),
        "gradient is not the slope": (_known(quotient, np.abs(quotient - 1) > MASKED), "fc.thm7.error"),
        "noise does as well": (_known(held["noise"], held["noise"] > 0), "norm.masking"),
        f"found over {FAR:g} x predicted": (_known(predicted, held["upper"] > FAR * predicted), "fc.sec5.lengths"),
        "found below certified": (held["crossed"] > 0, "fc.trained.relu.bracket"),
    }


def _of_masking(rows: _Rows, held: Columns) -> None:
    rows.group("signs of masked gradients: where there are many, the lengths above say little")
    for words, (flags, claim) in signs(held).items():
        rows.of_images(words, share(flags), claim)
    rows.group("no sign of that")
    disagreement = share(held["disagreement"] > 0)
    rows.of_images("another class or way within 3 %", disagreement, "fc.thm5.classes", "which is nearest is open")


def _known(values: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """Flags as numbers, NaN where the values are that they are about."""
    return np.where(np.isnan(values), np.nan, flags)


def _over(largest: Any, smallest: Any) -> Any:
    """A condition number, infinite where the smallest singular value is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(largest) / np.asarray(smallest)


def _layers(point: Point, columns: Columns) -> Table:
    """The layers one by one."""
    held = {name.removeprefix("layer_"): _first(columns, name) for name in columns if name.startswith("layer_")}
    percents = entries(point["shrunk"])
    heads = [
        Column("layer"),
        Column("kind"),
        *(Column(name, align="right") for name in ("inputs", "outputs", "norm", "at most", "with BN")),
        *(Column(name, align="right") for name in ("condition", "of its weights")),
        *(Column(f"left out, {percent:g} %", align="right") for percent in percents),
    ]
    rows: list[tuple[Cell, ...]] = []
    for number, name in enumerate(decoded(held["name"])):
        one = {key: values[number] for key, values in held.items()}
        rows.append(
            (
                name,
                SHORT[int(one["kind"])],
                int(one["inputs"]),
                int(one["outputs"]),
                *(float(one[key]) for key in ("norm", "norm_at_most", "folded_norm")),
                f"{'' if one['smallest_exact'] else '>= '}{_over(one['norm'], one['smallest']):.4g}",
                float(one["kernel_condition"]),
                *map(float, one["left_out"]),
            )
        )
    notes = [
        "norm: spectral norm of the layer as the map of images of that size, with its stride and padding; it exceeds "
        "`at most` with a chance of 1e-6 at most (norm.zero_padding, cond.layers.absolute). with BN: batch "
        "normalisation behind it folded in (norm.batch_norm.fold).",
        "condition: of that map, its norm over the smallest of as many singular values as its smaller side has; >=: of "
        "maps too large to be written down a lower bound (norm.circulant.condition).",
        "of its weights: kappa_2 of the weights as a matrix, one row an output (cond.conv_reshape.reading); of a dense "
        "layer both are one (cond.relative_error.corrected). Above 1.7e7 float32 cannot tell it from infinity.",
        "left out: the largest singular value among those per cent of the weights' matrix, over the largest of all: "
        "the relative error of leaving them out (latent.svd.errors).",
    ]
    return Table(heads, rows, f"{point['model']}: linear layers, in the order in which an image meets them", notes)
