"""Rows on natural accuracy of trained networks by width and normalisation: Figures 2 and 3 of ConvNorm, Section 5."""

from __future__ import annotations

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.norm.trained_settings import BN, CONV, VANILLA, networks, of, trained
from theory.numerics.array import Array


def _widens(clean: Array) -> Sides:
    """Mean accuracy over the normalisations at each width, against that at the next, (seeds, widths - 1)."""
    accuracy = np.mean(clean, axis=2)
    return Sides(accuracy[:, :-1], accuracy[:, 1:])


def _normalised(clean: Array, normalisation: Array, which: int) -> Sides:
    """Accuracy without normalisation, against that with one, (seeds, widths)."""
    return Sides(of(clean, normalisation, VANILLA), of(clean, normalisation, which))


def _convnorm(clean: Array, normalisation: Array, width: Array) -> Sides:
    """The same for ConvNorm at widths above 1."""
    wide = width[0] > 1
    without, with_it = _normalised(clean, normalisation, CONV)
    return Sides(without[:, wide], with_it[:, wide])


def _top(one: tuple[Array, ...], five: tuple[Array, ...]) -> Sides:
    """Top-1 accuracies, against top-5, (networks, attacks)."""
    return Sides(*(np.stack(list(map(networks, columns)), axis=1) for columns in (one, five)))


_row = rows(
    "ConvNorm",
    study="empirical.convnorm_width",
    kind="majority",
    tolerance=0.1,
    domain="WideResNet-16-k after free adversarial training, images without attack",
)

CLAIMS: tuple[Claim, ...] = (
    _row(
        "norm.trained.accuracy.width",
        at="Figure 2",
        says="each wider network has the larger natural accuracy, averaged over normalisations",
        formula=r"\bar A(k) \le \bar A(k'), \quad k < k'",
        theory=_widens,
        where=trained(widths=2),
        quotes=(
            Quote("Increasing the width of the model increases the natural accuracy", "caption of Figure 2"),
            Quote("increasing the width of ResNet is known to increase performance", "Abstract"),
        ),
        reading="From each width that was trained to the next; which normalisation Figure 2 has is not said, and all"
        " that were trained are averaged over.",
        decoys=(Decoy("the smaller one", lambda clean: _widens(clean).swapped),),
    ),
    _row(
        "norm.trained.accuracy.convnorm",
        at="Figure 3",
        says="at each width above 1 ConvNorm raises the natural accuracy",
        formula=r"A_{vanilla}(k) \le A_{ConvNorm}(k), \quad k > 1",
        theory=_convnorm,
        where=trained("vanilla", "convnorm", largest=2),
        quotes=(
            Quote(
                "ConvNorm and BN both improve the natural accuracy for increased widening factors",
                "caption of Figure 3",
            ),
        ),
        reading="The half on ConvNorm; increased widening factors are those above 1, each that was trained.",
        decoys=(
            Decoy(
                "it lowers it",
                lambda clean, normalisation, width: _convnorm(clean, normalisation, width).swapped,
            ),
        ),
    ),
    _row(
        "norm.trained.accuracy.batch_norm",
        at="Section 5",
        says="at each width batch normalisation raises the natural accuracy",
        formula=r"A_{vanilla}(k) \le A_{BN}(k)",
        theory=lambda clean, normalisation: _normalised(clean, normalisation, BN),
        code=_normalised,
        where=trained("vanilla", "bn"),
        quotes=(Quote("BN also increases natural accuracy", "Section 5"),),
        reading="At each width that was trained.",
        decoys=(Decoy("it lowers it", lambda clean, normalisation: _normalised(clean, normalisation, BN).swapped),),
    ),
    _row(
        "norm.trained.accuracy.top",
        at="Table 1",
        says="top-5 accuracy is no less than top-1 accuracy, without attack and under each",
        formula=r"A_1 \le A_5",
        domain="every network, no attack, FGSM and PGD",
        kind="bound",
        tolerance=1e-9,
        theory=lambda clean, fgsm, pgd, clean5, fgsm5, pgd5: _top((clean, fgsm, pgd), (clean5, fgsm5, pgd5)),
        code=_top,
        status="extension",
        credit="textbook",
        note="norm.table1.top says it of the printed cells.",
        decoys=(
            Decoy(
                "under attack it is less than top-1 accuracy without",
                lambda clean, fgsm5, pgd5: _top((fgsm5, pgd5), (clean, clean)),
            ),
        ),
    ),
)
