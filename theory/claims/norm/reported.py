"""Rows on the numbers that ConvNorm prints."""

from __future__ import annotations

from fragility.claim import Claim, Quote, Reported, rows
from theory.reported import CONVNORM, find, robust_accuracy

_number = rows(CONVNORM, kind="reported", code=find, tolerance=1e-4)


CLAIMS: tuple[Claim, ...] = (
    _number(
        "norm.table1",
        at="Table 1",
        says="accuracy in per cent under PGD and FGSM at 8/255",
        formula=r"100 \, A(8/255)",
        domain="two attacks, five widths, four normalisations, top 1 and top 5",
        theory=lambda attack="PGD", width=1, normalisation="vanilla", top=1: Reported(
            robust_accuracy(attack, width, normalisation, top).value
        ),
        quotes=(
            Quote("Comparison of normalization methods under different adversarial attacks.", "Table 1"),
            Quote("29.64 37.05 38.00 37.03", "Table 1, Precision@1, PGD, k = 1"),
        ),
        reading="Precision in per cent, at the radius that Section 4 gives.",
        note="No spread is printed, so that each is presumably of one run.",
    ),
)
