"""Rows on whether the accuracies that ConvNorm prints agree: attacks on one network, top-1 and top-5."""

from __future__ import annotations

import numpy as np

from fragility.claim import Claim, Decoy, Sides, rows
from theory import reported
from theory.convolution import robust_accuracy
from theory.reported import CONVNORM, NORMALISATIONS, WIDTHS, find
from theory.worlds import reported as worlds

COLLAPSED = {("convnorm", 3), ("convnorm", 4), ("convnorm", 5)} | {("bn+convnorm", width) for width in (2, 3, 4, 5)}


def _accuracies(attack: str, top: int = 1) -> np.ndarray:
    """Table 1 of ConvNorm, (normalisations, widths)."""
    return np.array(
        [[reported.robust_accuracy(attack, width, name, top).value for width in WIDTHS] for name in NORMALISATIONS]
    )


def _flags(gap: float = 20.0, ratio: float = 0.5) -> Sides:
    """Which cells are expected to look overfitted, against those that do."""
    expected = [[(name, width) in COLLAPSED for width in WIDTHS] for name in NORMALISATIONS]
    return Sides(np.array(expected), robust_accuracy.overfitted(_accuracies("FGSM"), _accuracies("PGD"), gap, ratio))


def _attack_order(top: int) -> Sides:
    """Accuracies under PGD, against those under FGSM."""
    return Sides(_accuracies("PGD", top), _accuracies("FGSM", top))


def _top_order(attack: str) -> Sides:
    """Top-1 accuracies, against top-5."""
    return Sides(_accuracies(attack, 1), _accuracies(attack, 5))


_ours = rows(CONVNORM, kind="bound", status="extension", credit="ours", code=find, tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _ours(
        "norm.table1.flags",
        at="Table 1",
        says="in seven of twenty top-1 cells PGD leaves less than half of what FGSM leaves, and 20 points less",
        formula=r"A_{FGSM} - A_{PGD} > 20, \quad A_{PGD} < \frac{1}{2} A_{FGSM}",
        domain="top 1",
        theory=_flags,
        world=worlds.everything,
        kind="identity",
        reading="Both thresholds are ours: the paper sets none.",
        note="All seven with ConvNorm. The usual sign of catastrophic overfitting (Wong, Rice and Kolter 2020), of"
        " training that broke down. That is our inference: the paper speaks of a trade-off. The next cell has a gap of"
        " 22.2 at a share of 0.60.",
        code=robust_accuracy.overfitted,
        decoys=(
            Decoy("the gap alone", lambda: _flags(ratio=1.0)),
            Decoy("a gap of 60", lambda: _flags(gap=60.0)),
        ),
    ),
    _ours(
        "norm.table1.attacks",
        at="Table 1",
        says="PGD leaves less accuracy than FGSM in every cell",
        formula=r"A_{PGD} \le A_{FGSM}",
        domain="top 1 and top 5",
        theory=_attack_order,
        world=worlds.top,
        note="As for the stronger attack, which the paper calls PGD; nothing in print contradicts it.",
        decoys=(Decoy("more", lambda top: _attack_order(top).swapped),),
    ),
    _ours(
        "norm.table1.top",
        at="Table 1",
        says="top-5 accuracy is no less than top-1 accuracy in every cell",
        formula=r"A_1 \le A_5",
        domain="PGD and FGSM",
        theory=_top_order,
        world=worlds.attack,
        note="By definition: a mistyped cell could break it.",
        decoys=(Decoy("less", lambda attack: _top_order(attack).swapped),),
    ),
)
