"""Rows on the numbers that Latent and SVD defences prints."""

from __future__ import annotations

from fragility.claim import Claim, Quote, Reported, rows
from theory.reported import LATENT, find

_number = rows(LATENT, kind="reported", code=find, tolerance=1e-4)


CLAIMS: tuple[Claim, ...] = (
    _number(
        "latent.svd.share",
        at="Section 3.6",
        says="scaling 40 per cent of the bottom singular values gains much adversarial accuracy at a small loss",
        formula=r"k = 0.4 \, r",
        domain="2L, MNIST, all layers",
        theory=lambda: Reported(
            find(LATENT, "text", "bottom singular values scaled for the large gain, per cent").value
        ),
        quotes=(
            Quote(
                "40% of bottom singular-values scaled down from all layers, there is a high boost in adversarial"
                " accuracy with a very weak decrease in test/train accuracy",
                "Section 3.6",
            ),
        ),
        reading="The number is the share; high and very weak are not numbers in the text.",
        note="Gain and loss are only in a figure. By how much they are scaled is said elsewhere: by a factor of 10. A"
        " setting, and no measurement: what trained networks gain and lose at it is latent.svd.trained.large.",
    ),
)
