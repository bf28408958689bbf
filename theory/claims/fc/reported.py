"""Rows on the numbers that Feature compression prints, each with what theory says, beside networks trained for them.

Much of the protocol is lost in the text that was read: where a row says nothing of a setting, such as the factor of the
columns, the optimiser or the number of epochs, it speaks of every one that is trained, under protocols of our own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Reported, rows
from theory.gradients import gradient_plane
from theory.numerics.array import Array
from theory.products.fraction import fraction_law
from theory.reported import ALPHAS, FEATURE, find

Theory = Callable[..., Reported]


def _setting(row: str) -> float:
    """A number of the text."""
    return find(FEATURE, "text", row).value


DIMENSION, HIDDEN = (int(_setting(f"linear study, {axis}")) for axis in ("dimension", "hidden neurons"))
RUNS, NETWORKS = int(_setting("linear study, accurate runs of Table 2")), int(_setting("non-linear study, networks"))
ALIGNED = _setting("linear study, |cos theta_2| of the second selection")
SAMPLED = 4  # experiments of Table 8
SPRINGER, AFGHAN = "n02102040", "n02088094"  # English springers and Afghan hounds, in ImageNet


def _printed(table: str, row: str, column: str = "") -> float:
    return find(FEATURE, table, row, column).value


def _linear(n: int, hidden: int, scale: float, **_: Any) -> bool:
    """Whether linear networks are trained as far as is known of the paper's, which scales the other columns."""
    return (n, hidden) == (DIMENSION, HIDDEN) and scale != 1


def _shallow(n: int, layers: int, scale: float, **_: Any) -> bool:
    """Whether ReLU networks have one hidden layer, on data like those of the linear study."""
    return (n, layers) == (DIMENSION, 1) and scale != 1


def _photographs(model: str, source: str, partners: str, **_: Any) -> bool:
    """Whether pairs of the paper's classes are shown to the paper's network."""
    return (model, source, partners) == ("inception_resnet_v2", SPRINGER, AFGHAN)


def _valid(values: Array, valid: Array) -> np.ndarray:
    """The values of networks of accuracy 1, NaN of others."""
    return np.where(np.reshape(valid, (-1, *[1] * (np.ndim(values) - 1))) == 1, values, np.nan)


def _aligned(values: Array, valid: Array, cos_2: Array) -> np.ndarray:
    """The values of networks of accuracy 1 with |cos theta_2| above `ALIGNED`, NaN of others."""
    return np.where(cos_2 > ALIGNED, _valid(values, valid), np.nan)


def _beside_the_fraction(cos_1: Array, fraction: Array, valid: Array) -> np.ndarray:
    """What |cos theta_1| would be at the fraction of experiment 9, if it differed from it by as much."""
    return _valid(_printed("Table 1", "experiment 9, fraction") + cos_1 - fraction, valid)


def _valid_difference(cos_1: Array, fraction: Array, valid: Array) -> np.ndarray:
    return _valid(np.abs(cos_1 - fraction), valid)


def _aligned_difference(cos_1: Array, fraction: Array, valid: Array, cos_2: Array) -> np.ndarray:
    return _aligned(np.abs(cos_1 - fraction), valid, cos_2)


def _over_half(length: Array, whole: Array, clean_right: Array, partner_right: Array) -> np.ndarray:
    """A length over half the distance of both photographs, the same for each experiment; NaN of what is not right."""
    right = (clean_right == 1) & (partner_right == 1)
    return np.repeat(np.where(right, length / (whole / 2), np.nan)[:, None], SAMPLED, axis=1)


def _instead(theory: Theory, printed: Callable[[Any], Any]) -> Theory:
    """The same statement of other numbers, made of the printed ones."""

    def wrong(**point: Any) -> Reported:
        right = theory(**point)
        return right._replace(printed=printed(right.printed))

    return wrong


def _experiment_9(row: str, predicted: float, per_draw: Callable[..., np.ndarray], *also: str) -> Theory:
    """A number of Table 1 beside the predicted one."""
    return lambda **_: Reported(_printed("Table 1", f"experiment 9, {row}"), predicted, per_draw, also=also)


def _mean_fraction() -> float:
    """The mean of the law in 12 dimensions."""
    return float(fraction_law(DIMENSION, (DIMENSION,)).mean())


def _table_2(row: str, predicted: Callable[[], float], per_draw: Callable[..., np.ndarray], *also: str) -> Theory:
    """A mean of Table 2 beside the predicted one."""
    return lambda **_: Reported(_printed("Table 2", row), predicted(), per_draw, also=also, mean_of=RUNS)


def _largest_difference(_: float) -> float:
    """What `theory.points.optimal_tolerance.angle_bounds` leaves at |cos theta_2| = `ALIGNED`, of a small fraction."""
    return math.sqrt(1 - ALIGNED**2)


def _row(name: str) -> np.ndarray:
    """A row of Table 3, (places,)."""
    return np.array([_printed("Table 3", name, alpha) for alpha in ALPHAS])


def _means(gradients: int) -> Theory:
    """The means of Table 3, (places,), beside Theorem 7's law."""
    return lambda n=DIMENSION, **_: Reported(
        _row("mean"),
        float(gradient_plane.mean_compression(n, gradients)),
        _valid,
        also=("valid",),
        mean_of=NETWORKS,
    )


def _medians(gradients: int, power: int = 1) -> Theory:
    """The medians of Table 3, (places,): on the scale on which a number is -1, 0 or 1, below, at or above its median.

    There the mean of the paper's networks is 0, which stands for the median itself; a decoy takes powers of it.
    """
    printed = _row("median") ** power

    def side(values: np.ndarray) -> np.ndarray:
        return np.sign(values - printed)

    return lambda n=DIMENSION, **_: Reported(
        printed,
        float(gradient_plane.median_compression(n, gradients)),
        _valid,
        scale=side,
        also=("valid",),
        mean_of=NETWORKS,
    )


def _found_lengths(**_: Any) -> Reported:
    """The found lengths of Table 8, (experiments,), beside the predicted ones, compared by powers of ten."""
    found, predicted = (
        np.array([_printed("Table 8", row, str(k + 1)) for k in range(SAMPLED)])
        for row in ("Q / (0.5 L)", "|M / (0.5 L)|")
    )
    return Reported(found, predicted, _over_half, np.log10, ("length", "clean_right", "partner_right"))


FRACTION_9 = _printed("Table 1", "experiment 9, fraction")
COSINE_9 = _experiment_9("|cos theta_1|", FRACTION_9, _beside_the_fraction, "fraction", "valid")
ALIGNMENT_9 = _experiment_9("|cos theta_2|", 1.0, _valid, "valid")
FRACTION = _table_2("mean fraction", _mean_fraction, _valid, "valid")
COSINE = _table_2("mean |cos theta_1|", _mean_fraction, _valid, "valid")
DIFFERENCE = _table_2("mean absolute difference", lambda: 0.0, _valid_difference, "fraction", "valid")
ALIGNED_FRACTION = _table_2("mean fraction", _mean_fraction, _aligned, "valid", "cos_2")
ALIGNED_COSINE = _table_2("mean |cos theta_1|", _mean_fraction, _aligned, "valid", "cos_2")
ALIGNED_DIFFERENCE = _table_2(
    "mean absolute difference", lambda: 0.0, _aligned_difference, "fraction", "valid", "cos_2"
)

VALID = "the network classifies all points right"
VALID_AND_ALIGNED = f"{VALID}, and |cos theta_2| is above {ALIGNED:g}"
AVERAGES = Quote("we calculate the sample mean and medians of [..] over 50 accurate", "Section 6, above Table 3")
COMPRESSION = "The lost symbol is read as the compression of fc.thm7.law, onto both gradients; what is predicted is the"
OF_THAT_LAW = "of that law in the dimension of the networks, 12 where none is given, which is ours."
ONE_DIRECTION = (
    "The other way to read the ratio: onto the gradient of the difference of both outputs. With two softmax outputs,"
    " whose gradients are opposite, both ways are one."
)
SECONDARY = (
    "The number stands in a secondary text on the paper that agrees with it where both can be seen; in the text that"
    " was read the cell is empty."
)
TWICE = (
    f"{SECONDARY} The text counts the runs of accuracy 1, and among these those with an absolute value above a number,"
    " both lost, and reports 'for these experiments', 18 of them:"
)
ALL_ACCURATE = f"{TWICE} read as all accurate ones. The other reading is fc.table2.aligned."
SELECTED = f"{TWICE} read as those with |cos theta_2| above 0.9, which is a guess. The other reading is fc.table2."
ROWS_OF_THE_NETWORK = (
    "theta_1 and theta_2 are the angles of the difference of both rows of the network, by which it decides; of the"
    " first row alone they are nearly the same."
)
BY_SIDE = (
    "Judged by the side of each printed median on which networks lie, -1 or 1, of which the mean over the paper's own"
    " is 0. The tolerance is about four standard errors of 50 such signs."
)
SQUARE = "the mean of its square"

_feature = rows(FEATURE, kind="reported", code=find, reconstructed=True)
_secondary = rows(FEATURE, kind="reported", code=find, status="extension", credit="secondary source")
_table_1_of = {
    "at": "Table 1",
    "domain": "experiment 9, beside one more accurate network in 12 dimensions with 3000 hidden units; the factor of"
    " the other columns, optimiser, rate and epochs are lost, and those trained are ours",
    "study": "empirical.linear_compression",
    "where": _linear,
    "given": VALID,
}
_table_2_of = partial(
    _secondary,
    at="Table 2",
    domain="d = 12, one Gaussian factor, 3000 hidden units; the factor of the other columns, optimiser, rate and epochs"
    " are lost, and those trained are ours",
    tolerance=0.16,
    study="empirical.linear_compression",
    where=_linear,
)
_all = partial(_table_2_of, reading=ALL_ACCURATE, given=VALID)
_aligned_ones = partial(_table_2_of, reading=SELECTED, given=VALID_AND_ALIGNED)
_table_3_of = {
    "at": "Table 3",
    "domain": "alpha one of 0, 0.111, ..., 1, one hidden layer; the dimension is not known: the law of two gradients"
    " has such means and medians in 13 to 18, and networks are trained in 12, that of the linear study, on data whose"
    " other columns are scaled as there, by a factor that is lost; that the same data are meant is a reading, and with"
    " a factor of 1 the networks trained here come out far from print",
    "study": "empirical.relu_compression",
    "where": _shallow,
    "given": VALID,
}
_average = partial(_feature, **_table_3_of, statistic="compression")
_of_one_direction = rows(FEATURE, kind="reported", code=find, status="extension", credit="ours", statistic="cosine")


CLAIMS: tuple[Claim, ...] = (
    _feature(
        "fc.table1.cosine",
        **_table_1_of,
        says="in experiment 9 |cos theta_1| is 0.1665, predicted by the fraction of the same data matrix, 0.1480",
        formula=r"|\cos \theta_1| = \mathrm{fraction}",
        theory=COSINE_9,
        tolerance=0.45,
        statistic="cos_1",
        quotes=(
            Quote("let us look at Experiment 9. The quantity of [..] is 0.1480", "Section 6, above Table 1"),
            Quote("0.1480 is indeed very close to [..]=0.1665", "Section 6, above Table 1"),
        ),
        reading="The lost symbols are read as the fraction and |cos theta_1|. A network is moved to that fraction: its"
        " |cos theta_1| counts with 0.1480 in place of its own.",
        decoys=(Decoy("it looks along the last column", _instead(COSINE_9, np.ones_like)),),
        note="One of ten valid runs, picked by its authors; the cells of the table are empty in the text that was read."
        " The tolerance is the angle whose cosine is 0.9, by which the two may differ at |cos theta_2| = 0.9:"
        f" fc.trained.linear.match. {ROWS_OF_THE_NETWORK}",
    ),
    _secondary(
        "fc.table1.alignment",
        **_table_1_of,
        says="in experiment 9 the probing vector is aligned with the last row of the inverse: |cos theta_2| is 0.9942",
        formula=r"|\cos \theta_2| = 1",
        theory=ALIGNMENT_9,
        tolerance=0.4,
        statistic="cos_2",
        reading=SECONDARY,
        decoys=(Decoy("no more than a random direction is", _instead(ALIGNMENT_9, lambda _: _mean_fraction())),),
        note="The paper's text says of these runs that it is very close to 1. The tolerance is about half of what parts"
        f" it from a random direction. {ROWS_OF_THE_NETWORK}",
    ),
    _all(
        "fc.table2.fraction",
        says="the mean fraction in Table 2 is 0.3280, of 18 accurate runs",
        formula=r"\mathbb{E} F = 0.2352, \quad d = 12",
        theory=FRACTION,
        statistic="fraction",
        decoys=(Decoy(SQUARE, _instead(FRACTION, np.square)),),
        note="Above the mean of the law. Our explanation: runs that reach accuracy 1 are selected for a large last"
        " diagonal entry. The tolerance is about four standard errors of 18 draws of the law.",
    ),
    _all(
        "fc.table2.cosine",
        says="the mean |cos theta_1| in Table 2 is 0.3645, of 18 accurate runs",
        formula=r"\mathbb{E} |\cos \theta_1| = \mathbb{E} F = 0.2352, \quad d = 12",
        theory=COSINE,
        statistic="cos_1",
        decoys=(Decoy(SQUARE, _instead(COSINE, np.square)),),
        note=f"The same selection, and the tolerance of fc.table2.fraction. {ROWS_OF_THE_NETWORK}",
    ),
    _all(
        "fc.table2.difference",
        says="|cos theta_1| and the fraction differ in Table 2 by 0.0367 on average, over 18 accurate runs",
        formula=r"|\cos \theta_1| - F = 0",
        theory=DIFFERENCE,
        tolerance=0.1,
        statistic="cos_1",
        decoys=(Decoy("it is as large as |cos theta_2| = 0.9 allows", _instead(DIFFERENCE, _largest_difference)),),
        note="Theory's 0 is for probing vectors of exactly the assumed form. The tolerance is a tenth of the largest"
        f" that there can be. {ROWS_OF_THE_NETWORK}",
    ),
    _aligned_ones(
        "fc.table2.aligned.fraction",
        says="the mean fraction in Table 2 is 0.3280, of 18 accurate runs with |cos theta_2| above 0.9",
        formula=r"\mathbb{E} F = 0.2352, \quad d = 12",
        theory=ALIGNED_FRACTION,
        statistic="fraction",
        decoys=(Decoy(SQUARE, _instead(ALIGNED_FRACTION, np.square)),),
        note="As fc.table2.fraction, of the second selection.",
    ),
    _aligned_ones(
        "fc.table2.aligned.cosine",
        says="the mean |cos theta_1| in Table 2 is 0.3645, of 18 accurate runs with |cos theta_2| above 0.9",
        formula=r"\mathbb{E} |\cos \theta_1| = \mathbb{E} F = 0.2352, \quad d = 12",
        theory=ALIGNED_COSINE,
        statistic="cos_1",
        decoys=(Decoy(SQUARE, _instead(ALIGNED_COSINE, np.square)),),
        note="As fc.table2.cosine, of the second selection.",
    ),
    _aligned_ones(
        "fc.table2.aligned.difference",
        says="|cos theta_1| and the fraction differ in Table 2 by 0.0367 on average, over 18 accurate runs with"
        " |cos theta_2| above 0.9",
        formula=r"|\cos \theta_1| - F = 0",
        theory=ALIGNED_DIFFERENCE,
        tolerance=0.1,
        statistic="cos_1",
        decoys=(
            Decoy("it is as large as |cos theta_2| = 0.9 allows", _instead(ALIGNED_DIFFERENCE, _largest_difference)),
        ),
        note="As fc.table2.difference, of the second selection, which bounds it.",
    ),
    _average(
        "fc.table3.mean",
        says="the mean compression over 50 networks is between 0.3270 and 0.3281 at every point of the path",
        formula=r"\mathbb{E} \rho = \frac{B(3/2, (d-2)/2)}{B(1, (d-2)/2)}",
        theory=_means(2),
        tolerance=0.09,
        quotes=(AVERAGES, Quote("Avg. [..] 0.3278 [..] 0.3276", "Table 3, first and last cell of the row Avg.")),
        reading=f"{COMPRESSION} mean {OF_THAT_LAW}",
        decoys=(Decoy(SQUARE, _instead(_means(2), np.square)),),
        note="Fifty independent draws of that law would leave their mean a standard error of 0.022, of which the"
        " tolerance is about four; the ten columns differ by less, as they would if they were of the same 50 networks.",
    ),
    _of_one_direction(
        "fc.table3.mean.line",
        **_table_3_of,
        says="the mean compression over 50 networks, onto one direction, is between 0.3270 and 0.3281 at every point",
        formula=r"\mathbb{E} \rho = \frac{B(1, (d-1)/2)}{B(1/2, (d-1)/2)}",
        theory=_means(1),
        tolerance=0.09,
        reading=ONE_DIRECTION,
        decoys=(Decoy(SQUARE, _instead(_means(1), np.square)),),
        note="The tolerance is that of fc.table3.mean.",
    ),
    _average(
        "fc.table3.median",
        says="the median compression over 50 networks is between 0.3255 and 0.3324 at every point of the path",
        formula=r"\sqrt{1 - 2^{-2/(d-2)}}",
        theory=_medians(2),
        tolerance=0.6,
        quotes=(AVERAGES, Quote("Medium [..] 0.3270 [..] 0.3324", "Table 3, first and last cell of the row Medium")),
        reading=f"{COMPRESSION} median {OF_THAT_LAW}",
        decoys=(Decoy("the median of its square", _medians(2, power=2)),),
        note=BY_SIDE,
    ),
    _of_one_direction(
        "fc.table3.median.line",
        **_table_3_of,
        says="the median compression over 50 networks, onto one direction, is between 0.3255 and 0.3324 at every point",
        formula=r"\rho^2 \sim \mathrm{Beta}(\tfrac12, \tfrac{d - 1}2)",
        theory=_medians(1),
        tolerance=0.6,
        reading=ONE_DIRECTION,
        decoys=(Decoy("the median of its square", _medians(1, power=2)),),
        note=BY_SIDE,
    ),
    _secondary(
        "fc.table8.found",
        at="Table 8",
        says="the length of the found perturbation, beside what the integral along the path predicts",
        formula=r"\frac{Q}{0.5 L} = \left| \frac{M}{0.5 L} \right|",
        domain="experiments 1 to 4, each beside one more pair of an English springer and its nearest Afghan hound, in"
        " Inception-ResNet-v2; the attack by signs, in steps of one grey level",
        theory=_found_lengths,
        tolerance=0.5,
        study="empirical.imagenet_compression",
        statistic="sign_attack",
        where=_photographs,
        given="both photographs are classified right, and the attack succeeds",
        reading=f"{SECONDARY} Compared by powers of ten; the step of the attack is ours.",
        decoys=(Decoy("the square of it", _instead(_found_lengths, np.square)),),
        note="In experiment 2 the found one is 2.37 times the predicted one: fc.table8.close. The tolerance is a factor"
        " of three.",
    ),
)
