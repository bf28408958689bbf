"""Rows on the numbers that ConvNorm prints, beside networks trained for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Reported, rows
from theory import reported
from theory.claims.norm.trained_settings import NORMALISATIONS, PER_CENT, printed_setting, several
from theory.reported import CONVNORM, WIDTHS

EVERY_WIDTH, EVERY_NORMALISATION = "+".join(map(str, WIDTHS)), "+".join(NORMALISATIONS)
PRINTED = dict(zip(NORMALISATIONS, reported.NORMALISATIONS, strict=True))  # what the table calls each


def _cells(attack: str, top: int = 1) -> Callable[..., Reported]:
    """Accuracies in per cent, (widths, normalisations), of the cells of a point; NaN of widths that are not printed."""

    def theory(widths: str = EVERY_WIDTH, normalisations: str = EVERY_NORMALISATION, **_: object) -> Reported:
        names = [PRINTED[name] for name in several(normalisations)]
        printed = np.full((len(several(widths)), len(names)), np.nan)
        for row, width in zip(printed, map(int, several(widths)), strict=True):
            if width in WIDTHS:
                row[:] = [reported.robust_accuracy(attack, width, name, top).value for name in names]
        return Reported(printed, per_draw=_per_cent)

    return theory


def _per_cent(shares: np.ndarray) -> np.ndarray:
    return PER_CENT * shares


_number = partial(
    rows(f"{CONVNORM}, Table 1", kind="reported", code=reported.robust_accuracy, study="empirical.convnorm_width"),
    tolerance=10.0,
    where=printed_setting,
    reading="Precision in per cent, at the radius that Section 4 gives.",
    note="No spread is printed, so that each is presumably of one run.",
)
TABLE = Quote("Comparison of normalization methods under different adversarial attacks.", "Table 1")


CLAIMS: tuple[Claim, ...] = (
    _number(
        "norm.table1.pgd",
        says="top-1 accuracy under PGD at 8/255",
        formula=r"A_{PGD}(8/255)",
        domain="five widths, four normalisations",
        theory=_cells("PGD"),
        statistic="pgd",
        quotes=(TABLE, Quote("29.64 37.05 38.00 37.03", "Table 1, Precision@1, PGD, k = 1")),
        decoys=(Decoy("under FGSM", _cells("FGSM")),),
    ),
    _number(
        "norm.table1.fgsm",
        says="top-1 accuracy under FGSM at 8/255",
        formula=r"A_{FGSM}(8/255)",
        domain="five widths, four normalisations",
        theory=_cells("FGSM"),
        statistic="fgsm",
        quotes=(TABLE, Quote("36.27 41.92 42.50 41.66", "Table 1, Precision@1, FGSM, k = 1")),
        decoys=(Decoy("under PGD", _cells("PGD")),),
    ),
    _number(
        "norm.table1.pgd.top5",
        says="top-5 accuracy under PGD at 8/255",
        formula=r"A^5_{PGD}(8/255)",
        domain="five widths, four normalisations",
        theory=_cells("PGD", 5),
        statistic="pgd5",
        quotes=(TABLE, Quote("85.49 90.12 90.65 90.80", "Table 1, Precision@5, PGD, k = 1")),
        decoys=(Decoy("top 1", _cells("PGD")),),
    ),
    _number(
        "norm.table1.fgsm.top5",
        says="top-5 accuracy under FGSM at 8/255",
        formula=r"A^5_{FGSM}(8/255)",
        domain="five widths, four normalisations",
        theory=_cells("FGSM", 5),
        statistic="fgsm5",
        quotes=(TABLE, Quote("88.32 91.34 91.75 91.79", "Table 1, Precision@5, FGSM, k = 1")),
        decoys=(Decoy("top 1", _cells("FGSM")),),
    ),
)
