"""Rows on the numbers that the papers print, each with what theory says beside it."""

from __future__ import annotations

import math
from typing import Any

from theory import gradient_plane, reported
from theory.claim import Claim, Reported
from theory.fraction import fraction_law
from theory.reported import LATENT, Number, attacked_accuracy, condition_number, find


def _beside(number: Number, predicted: float = math.nan) -> Reported:
    return Reported(number.value, predicted)


def _table_2(row: str, predicted: float) -> Reported:
    return _beside(find(reported.FEATURE, "Table 2", row), predicted)


def _mean_fraction() -> float:
    return float(fraction_law(12, (12,)).mean())


def _table_3(row: str, alpha: str, dimension: int) -> Reported:
    predicted = gradient_plane.mean_compression if row == "mean" else gradient_plane.median_compression
    return _beside(find(reported.FEATURE, "Table 3", row, alpha), float(predicted(dimension)))


def _table_8(experiment: str) -> Reported:
    found, predicted = (find(reported.FEATURE, "Table 8", row, experiment) for row in ("Q / (0.5 L)", "|M / (0.5 L)|"))
    return _beside(found, predicted.value)


def _number(paper: str, part: str, where: str, says: str, formula: str, domain: str, theory: Any, note: str) -> Claim:
    return Claim(
        id=part,
        source=f"{paper}, {where}",
        says=says,
        formula=formula,
        domain=domain,
        kind="reported",
        theory=theory,
        code=find,
        tolerance=1e-4,
        note=note,
    )


CLAIMS: tuple[Claim, ...] = (
    _number(
        reported.FEATURE,
        "fc.table1.cosine",
        "Table 1",
        "in experiment 9 |cos theta_1| is 0.1665, predicted by the fraction of the same data matrix",
        r"|\cos \theta_1| = \mathrm{fraction}",
        "experiment 9",
        lambda: _beside(
            find(reported.FEATURE, "Table 1", "experiment 9, |cos theta_1|"),
            find(reported.FEATURE, "Table 1", "experiment 9, fraction").value,
        ),
        "One of ten valid runs; the other nine are not known.",
    ),
    _number(
        reported.FEATURE,
        "fc.table1.alignment",
        "Table 1",
        "in experiment 9 the probing vector is aligned with the last row of the inverse",
        r"|\cos \theta_2| = 1",
        "experiment 9",
        lambda: _beside(find(reported.FEATURE, "Table 1", "experiment 9, |cos theta_2|"), 1.0),
        "Secondary source.",
    ),
    _number(
        reported.FEATURE,
        "fc.table2.fraction",
        "Table 2",
        "the mean fraction over 18 accurate runs is 0.3280",
        r"\mathbb{E} F = 0.2352, \quad d = 12",
        "d = 12, one Gaussian factor",
        lambda: _table_2("mean fraction", _mean_fraction()),
        "Secondary source. Above the law: runs that reach accuracy 1 are selected for a large last diagonal entry.",
    ),
    _number(
        reported.FEATURE,
        "fc.table2.cosine",
        "Table 2",
        "the mean |cos theta_1| over 18 accurate runs is 0.3645",
        r"\mathbb{E} |\cos \theta_1| = \mathbb{E} F = 0.2352, \quad d = 12",
        "d = 12, one Gaussian factor",
        lambda: _table_2("mean |cos theta_1|", _mean_fraction()),
        "Secondary source; the same selection.",
    ),
    _number(
        reported.FEATURE,
        "fc.table2.difference",
        "Table 2",
        "|cos theta_1| and the fraction differ by 0.0367 on average",
        r"|\cos \theta_1| - F = 0",
        "d = 12",
        lambda: _table_2("mean absolute difference", 0.0),
        "Secondary source. Theory's 0 is for probing vectors of exactly the assumed form.",
    ),
    *(
        _number(
            reported.FEATURE,
            f"fc.table3.{row}",
            "Table 3",
            f"the {row} compression over 50 networks is between 0.325 and 0.333 at every point of the path",
            formula,
            "alpha one of 0, 0.111, ..., 1; the dimension is not known, 13 to 18 are all compatible",
            lambda alpha="0", dimension=15, row=row: _table_3(row, alpha, dimension),
            "The ten columns are the same 50 networks; their standard error is 0.022, and 0.001 their spread.",
        )
        for row, formula in (
            ("mean", r"\mathbb{E} \rho = \frac{B(3/2, (d-2)/2)}{B(1, (d-2)/2)}"),
            ("median", r"\sqrt{1 - 2^{-2/(d-2)}}"),
        )
    ),
    _number(
        reported.FEATURE,
        "fc.table8.found",
        "Table 8",
        "the length of the found perturbation, beside what the integral along the path predicts",
        r"\frac{Q}{0.5 L} = \left| \frac{M}{0.5 L} \right|",
        "experiments 1 to 4",
        lambda experiment="1": _table_8(experiment),
        "Secondary source. Experiment 2 is off by a factor 2.4.",
    ),
    _number(
        reported.JOINT,
        "joint.figure1.gain",
        "Figure 1",
        "adversarial training with the regulariser has an area about 24 per cent above plain adversarial training",
        r"\frac{AUC_{AT+\beta} - AUC_{AT}}{AUC_{AT}} = 0.24",
        "data, architecture and coefficients not known; relative or absolute not said",
        lambda: _beside(find(reported.JOINT, "text", "AUC gain over adversarial training, per cent")),
        "The areas themselves are only in the figure.",
    ),
    _number(
        LATENT,
        "latent.svd.share",
        "Section 3.6",
        "scaling 40 per cent of the bottom singular values gains much adversarial accuracy at a small loss",
        r"k = 0.4 \, r",
        "2L, MNIST, all layers, divided by 10",
        lambda: _beside(find(LATENT, "text", "bottom singular values scaled for the large gain, per cent")),
        "Gain and loss are only in a figure.",
    ),
    _number(
        reported.CONDITIONING,
        "cond.tables.kappa",
        "Tables I and II",
        "condition numbers of the trained weight matrices in four norms",
        r"\kappa_p(W) = \|W\|_p \|W^+\|_p",
        "table 1 or 2, four norms, five layers",
        lambda table=1, norm="L2", layer="simple": _beside(condition_number(table, norm, layer)),
        "One training of each network for each table.",
    ),
    _number(
        reported.CONDITIONING,
        "cond.tables.accuracy",
        "Tables I and II",
        "accuracy under FGSM (table 1) and FGMT (2)",
        r"A(\epsilon)",
        "eight radii, two networks",
        lambda table=1, model="simple", radius="0.01": _beside(attacked_accuracy(table, model, radius)),
        "Fits twelve steps of the printed size without projection, not one.",
    ),
    _number(
        reported.CONVNORM,
        "norm.table1",
        "Table 1",
        "accuracy in per cent under PGD and FGSM at 8/255",
        r"100 \, A(8/255)",
        "two attacks, five widths, four normalisations, top 1 and top 5",
        lambda attack="PGD", width=1, normalisation="vanilla", top=1: _beside(
            reported.robust_accuracy(attack, width, normalisation, top)
        ),
        "Single runs; seven top-1 cells have collapsed.",
    ),
)
