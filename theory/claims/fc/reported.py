"""Rows on the numbers that Feature compression prints, each with what theory says beside it."""

from __future__ import annotations

from functools import partial

from fragility.claim import Claim, Quote, Reported, rows
from theory.gradients import gradient_plane
from theory.products.fraction import fraction_law
from theory.reported import FEATURE, find


def _table_2(row: str, predicted: float) -> Reported:
    """A number of Table 2 beside the predicted one."""
    return Reported(find(FEATURE, "Table 2", row).value, predicted)


def _mean_fraction() -> float:
    """The mean of the law in 12 dimensions."""
    return float(fraction_law(12, (12,)).mean())


def _table_8(experiment: str) -> Reported:
    """The found length beside the predicted one."""
    found, predicted = (find(FEATURE, "Table 8", row, experiment) for row in ("Q / (0.5 L)", "|M / (0.5 L)|"))
    return Reported(found.value, predicted.value)


AVERAGES = Quote("we calculate the sample mean and medians of [..] over 50 accurate", "Section 6, above Table 3")
COMPRESSION = "The lost symbol is read as the compression of fc.thm7.law; what stands beside the number is the"
OF_THAT_LAW = "of that law in 15 dimensions, which is ours."

_feature = rows(FEATURE, kind="reported", code=find, tolerance=1e-4, reconstructed=True)
_average = partial(
    _feature,
    at="Table 3",
    domain="alpha one of 0, 0.111, ..., 1; the dimension is not known, 13 to 18 are all compatible",
    note="Fifty independent draws of that law would leave their mean a standard error of 0.022; the ten columns"
    " differ by less, as they would if they were of the same 50 networks.",
)
_secondary = rows(
    FEATURE,
    kind="reported",
    code=find,
    tolerance=1e-4,
    status="extension",
    credit="secondary source",
    reading="The number stands in a secondary text on the paper that agrees with it where both can be seen; in the text"
    " that was read the cell is empty.",
)


CLAIMS: tuple[Claim, ...] = (
    _feature(
        "fc.table1.cosine",
        at="Table 1",
        says="in experiment 9 |cos theta_1| is 0.1665, predicted by the fraction of the same data matrix, 0.1480",
        formula=r"|\cos \theta_1| = \mathrm{fraction}",
        domain="experiment 9",
        theory=lambda: Reported(
            find(FEATURE, "Table 1", "experiment 9, |cos theta_1|").value,
            find(FEATURE, "Table 1", "experiment 9, fraction").value,
        ),
        quotes=(
            Quote("let us look at Experiment 9. The quantity of [..] is 0.1480", "Section 6, above Table 1"),
            Quote("0.1480 is indeed very close to [..]=0.1665", "Section 6, above Table 1"),
        ),
        reading="The lost symbols are read as the fraction and |cos theta_1|.",
        note="One of ten valid runs; the cells of the table are empty in the text that was read.",
    ),
    _secondary(
        "fc.table1.alignment",
        at="Table 1",
        says="in experiment 9 the probing vector is aligned with the last row of the inverse: |cos theta_2| is 0.9942",
        formula=r"|\cos \theta_2| = 1",
        domain="experiment 9",
        theory=lambda: Reported(find(FEATURE, "Table 1", "experiment 9, |cos theta_2|").value, 1.0),
        note="The paper's text says of these runs that it is very close to 1.",
    ),
    _secondary(
        "fc.table2.fraction",
        at="Table 2",
        says="the mean fraction over 18 accurate runs is 0.3280",
        formula=r"\mathbb{E} F = 0.2352, \quad d = 12",
        domain="d = 12, one Gaussian factor",
        theory=lambda: _table_2("mean fraction", _mean_fraction()),
        note="Above the mean of the law. Our explanation: runs that reach accuracy 1 are selected for a large last"
        " diagonal entry, and the paper selects once more, by an angle.",
    ),
    _secondary(
        "fc.table2.cosine",
        at="Table 2",
        says="the mean |cos theta_1| over 18 accurate runs is 0.3645",
        formula=r"\mathbb{E} |\cos \theta_1| = \mathbb{E} F = 0.2352, \quad d = 12",
        domain="d = 12, one Gaussian factor",
        theory=lambda: _table_2("mean |cos theta_1|", _mean_fraction()),
        note="The same selection.",
    ),
    _secondary(
        "fc.table2.difference",
        at="Table 2",
        says="|cos theta_1| and the fraction differ by 0.0367 on average",
        formula=r"|\cos \theta_1| - F = 0",
        domain="d = 12",
        theory=lambda: _table_2("mean absolute difference", 0.0),
        note="Theory's 0 is for probing vectors of exactly the assumed form.",
    ),
    _average(
        "fc.table3.mean",
        says="the mean compression over 50 networks is between 0.3270 and 0.3281 at every point of the path",
        formula=r"\mathbb{E} \rho = \frac{B(3/2, (d-2)/2)}{B(1, (d-2)/2)}",
        theory=lambda alpha="0", dimension=15: Reported(
            find(FEATURE, "Table 3", "mean", alpha).value, float(gradient_plane.mean_compression(dimension))
        ),
        quotes=(AVERAGES, Quote("Avg. [..] 0.3278 [..] 0.3276", "Table 3, first and last cell of the row Avg.")),
        reading=f"{COMPRESSION} mean {OF_THAT_LAW}",
    ),
    _average(
        "fc.table3.median",
        says="the median compression over 50 networks is between 0.3255 and 0.3324 at every point of the path",
        formula=r"\sqrt{1 - 2^{-2/(d-2)}}",
        theory=lambda alpha="0", dimension=15: Reported(
            find(FEATURE, "Table 3", "median", alpha).value, float(gradient_plane.median_compression(dimension))
        ),
        quotes=(AVERAGES, Quote("Medium [..] 0.3270 [..] 0.3324", "Table 3, first and last cell of the row Medium")),
        reading=f"{COMPRESSION} median {OF_THAT_LAW}",
    ),
    _secondary(
        "fc.table8.found",
        at="Table 8",
        says="the length of the found perturbation, beside what the integral along the path predicts",
        formula=r"\frac{Q}{0.5 L} = \left| \frac{M}{0.5 L} \right|",
        domain="experiments 1 to 4",
        theory=lambda experiment="1": _table_8(experiment),
        note="In experiment 2 the found one is 2.37 times the predicted one: fc.table8.close.",
    ),
)
