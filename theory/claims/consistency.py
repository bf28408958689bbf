"""Rows on whether printed numbers agree: norms of one matrix, attacks on one network, lengths along one path."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theory import reported, robust_accuracy
from theory.claim import Claim, Decoy, Sides, rows
from theory.reported import NORMALISATIONS, WIDTHS, condition_number, find

# Ranks of the weight matrices of Conditioning. Ten classes and a 3 x 3 kernel are printed, widths are not: those of
# conv1 and dense are guesses from the code that the paper adapts.
RANKS = {"simple": 10, "conv0": 9, "conv1": 64, "dense": 128, "logits": 10}
COLLAPSED = {("convnorm", 3), ("convnorm", 4), ("convnorm", 5)} | {("bn+convnorm", width) for width in (2, 3, 4, 5)}


def _kappa(table: int, layer: str) -> dict[str, float]:
    return {norm: condition_number(table, norm, layer).value for norm in reported.NORMS}


def _frobenius_above(table: int, layer: str) -> Sides:
    kappa = _kappa(table, layer)
    return Sides(kappa["L2"] + 1 / kappa["L2"] + RANKS[layer] - 2, kappa["LF"])


def _frobenius_below(table: int, layer: str) -> Sides:
    kappa = _kappa(table, layer)
    return Sides(kappa["LF"], RANKS[layer] / 2 * (kappa["L2"] + 1 / kappa["L2"]))


def _between_norms(table: int, layer: str) -> Sides:
    kappa = _kappa(table, layer)
    return Sides(kappa["L2"] ** 2, kappa["L1"] * kappa["Linf"])


def _stable_rank(table: int, cap: float) -> Sides:
    """||W||_F^2 / ||W||_2^2 <= (kappa_F / kappa_2)^2 of the dense layer, with all the room that rounding leaves."""
    frobenius, spectral = (condition_number(table, norm, "dense") for norm in ("LF", "L2"))
    return Sides(((frobenius.value + frobenius.rounding) / (spectral.value - spectral.rounding)) ** 2, cap)


def _accuracies(attack: str, top: int = 1) -> np.ndarray:
    """Table 1 of ConvNorm, (normalisations, widths)."""
    return np.array(
        [[reported.robust_accuracy(attack, width, name, top).value for width in WIDTHS] for name in NORMALISATIONS]
    )


def _flags(gap: float = 20.0, ratio: float = 0.5) -> Sides:
    expected = [[(name, width) in COLLAPSED for width in WIDTHS] for name in NORMALISATIONS]
    return Sides(np.array(expected), robust_accuracy.overfitted(_accuracies("FGSM"), _accuracies("PGD"), gap, ratio))


def _attack_order(top: int) -> Sides:
    return Sides(_accuracies("PGD", top), _accuracies("FGSM", top))


def _top_order(attack: str) -> Sides:
    return Sides(_accuracies(attack, 1), _accuracies(attack, 5))


def _close(factor: float = 2.0) -> Sides:
    """Which experiments of Table 8 agree within a factor, against the first, the third and the fourth."""
    close = []
    for experiment in ("1", "2", "3", "4"):
        found = find(reported.FEATURE, "Table 8", "Q / (0.5 L)", experiment).value
        predicted = find(reported.FEATURE, "Table 8", "|M / (0.5 L)|", experiment).value
        close.append(max(found / predicted, predicted / found) <= factor)
    return Sides(np.array([True, False, True, True]), np.array(close))


def _shares(norms: Any, cosines: Any) -> dict[str, bool]:
    return {
        "the gradients are not 0": bool(np.all(norms > 0)),
        "the cosines are between -1 and 1": bool(np.all(abs(cosines) <= 1)),
        "as many cosines as gradients": len(norms) == len(cosines),
    }


def _mean_cosine(norms: Any, cosines: Any, room: bool) -> Sides:
    """Plain mean of the cosines along a path against the signed length over the path's, or their distance bounded."""
    weighted = sum(norms * cosines) / (len(norms) * norms[0])
    plain = sum(cosines) / len(norms)
    spread = sum(np.abs(norms / norms[0] - 1) * np.abs(cosines)) / len(norms)
    return Sides(abs(plain - weighted), spread if room else 0)


TABLES_I_II = "Conditioning, Tables I and II"
GUESSED_RANKS = "both tables, all layers; the ranks 64 of conv1 and 128 of dense are guesses"

_ours = rows(kind="bound", status="extension", credit="ours", code=find, tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _ours(
        "cond.tables.frobenius.lower",
        source=TABLES_I_II,
        says="the printed Frobenius condition numbers are no smaller than those of the 2-norm ask for",
        formula=r"\kappa_2 + \kappa_2^{-1} + r - 2 \le \kappa_F",
        domain=GUESSED_RANKS,
        theory=_frobenius_above,
        note="By the inequality of Cauchy and Schwarz: kappa_F is least where all other singular values are one, the"
        " geometric mean of the extreme ones. It would hold for every rank of conv1 and dense up to 5000.",
        decoys=(
            Decoy(
                "equal singular values but one",
                lambda table, layer: _frobenius_above(table, layer)._replace(
                    left=math.sqrt(RANKS[layer]) * _kappa(table, layer)["L2"]
                ),
            ),
        ),
    ),
    _ours(
        "cond.tables.frobenius.upper",
        source=TABLES_I_II,
        says="the printed Frobenius condition numbers are no larger than those of the 2-norm allow",
        formula=r"\kappa_F \le \frac{r}{2} (\kappa_2 + \kappa_2^{-1})",
        domain=GUESSED_RANKS,
        theory=_frobenius_below,
        note="By the inequality of Kantorovich. It would hold for every rank of conv1 and dense from 6 on.",
        decoys=(
            Decoy(
                "rank 2 for all",
                lambda table, layer: Sides(
                    _kappa(table, layer)["LF"], _frobenius_below(table, layer).right * 2 / RANKS[layer]
                ),
            ),
        ),
    ),
    _ours(
        "cond.tables.interpolation",
        source=TABLES_I_II,
        says="the printed condition numbers in the 2-norm are below the geometric mean of the other two",
        formula=r"\kappa_2^2 \le \kappa_1 \kappa_\infty",
        domain="both tables, all layers",
        theory=_between_norms,
        note="Since ||A||_2^2 <= ||A||_1 ||A||_inf, of the matrix and of its pseudo-inverse.",
        decoys=(Decoy("above it", lambda table, layer: Sides(*_between_norms(table, layer)[::-1])),),
    ),
    _ours(
        "cond.tables.precision",
        source=TABLES_I_II,
        says="the dense layer's condition number is beyond what single precision can tell from infinity",
        formula=r"\kappa_2 > 2^{24}",
        domain="dense layer, both tables",
        theory=lambda table: Sides(2**24, _kappa(table, "dense")["L2"]),
        note="Rounded to single precision, a random 3136 x 128 matrix of rank 127 shows 8e7 (7.9e7 to 8.6e7 in 20"
        " draws), so that the layer looks like one of lower rank. That the weights were in single precision, and"
        " that shape, are guesses: the paper prints neither.",
        decoys=(Decoy("beyond double precision", lambda table: Sides(2**53, _kappa(table, "dense")["L2"])),),
    ),
    _ours(
        "cond.tables.stable_rank",
        source=TABLES_I_II,
        says="the dense layer has nearly rank one: its stable rank is at most 1.08, and 1.53 in the second table",
        formula=r"\frac{\|W\|_F^2}{\|W\|_2^2} \le \left( \frac{\kappa_F}{\kappa_2} \right)^2",
        domain="dense layer, both tables",
        theory=lambda table: _stable_rank(table, (1.08, 1.53)[table - 1]),
        note="Since ||W^+||_F is at least ||W^+||_2; with all the room that rounding leaves. A random matrix of 3136 x"
        " 128, which is a guess at its shape, has a stable rank of about 89.",
        decoys=(Decoy("exactly rank one", lambda table: _stable_rank(table, 1.0)),),
    ),
    _ours(
        "norm.table1.flags",
        source="ConvNorm, Table 1",
        says="in seven of twenty top-1 cells PGD leaves less than half of what FGSM leaves, and 20 points less",
        formula=r"A_{FGSM} - A_{PGD} > 20, \quad A_{PGD} < \frac{1}{2} A_{FGSM}",
        domain="top 1",
        theory=_flags,
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
        source="ConvNorm, Table 1",
        says="PGD leaves less accuracy than FGSM in every cell",
        formula=r"A_{PGD} \le A_{FGSM}",
        domain="top 1 and top 5",
        theory=_attack_order,
        note="As for the stronger attack, which the paper calls PGD; nothing in print contradicts it.",
        decoys=(Decoy("more", lambda top: Sides(*_attack_order(top)[::-1])),),
    ),
    _ours(
        "norm.table1.top",
        source="ConvNorm, Table 1",
        says="top-5 accuracy is no less than top-1 accuracy in every cell",
        formula=r"A_1 \le A_5",
        domain="PGD and FGSM",
        theory=_top_order,
        note="By definition: a mistyped cell could break it.",
        decoys=(Decoy("less", lambda attack: Sides(*_top_order(attack)[::-1])),),
    ),
    _ours(
        "fc.table8.close",
        source=f"{reported.FEATURE}, Table 8",
        says="predicted and found lengths agree within a factor 2 in the experiments 1, 3 and 4, and not in the second",
        formula=r"\frac{1}{2} \le \frac{|M|}{Q} \le 2",
        domain="experiments 1 to 4",
        kind="identity",
        theory=_close,
        reading="The paper calls them close; the factor is ours.",
        note="Experiment 2: 0.0349 predicted, 0.0828 found, 2.37 times as much. The numbers are from a secondary text"
        " on the paper, not from the text that was read.",
        decoys=(
            Decoy("within a factor 1.5 in the same ones", lambda: _close(1.5)),
            Decoy("within a factor 2.5 in the same ones", lambda: _close(2.5)),
        ),
    ),
    _ours(
        "fc.table6.average.tempting",
        source=f"{reported.FEATURE}, Tables 6 and 7",
        says="the mean of the cosines along the path is the signed length over the path's",
        formula=r"\left| \frac{1}{N} \sum_k \cos \theta_k - \frac{s}{L} \right| = 0",
        domain="any gradients along the path that are not 0",
        theory=lambda **world: _mean_cosine(**world, room=False),
        code=_mean_cosine,
        tempting=True,
        instead=("fc.table6.average",),
        hypotheses=_shares,
        note="The paper calls this mean the average compression rate, which is a name. The signed length s of Table 8"
        " weighs each cosine by its gradient's norm.",
    ),
    _ours(
        "fc.table6.average",
        source=f"{reported.FEATURE}, Tables 6 and 7",
        says="the mean of the cosines is the signed length over the path's, up to the spread of the gradient's norms",
        formula=r"\left| \frac{1}{N} \sum_k \cos \theta_k - \frac{s}{L} \right|"
        r" \le \frac{1}{N} \sum_k \left| \frac{\|g_k\|}{\|g_1\|} - 1 \right| |\cos \theta_k|",
        domain="any gradients along the path that are not 0",
        theory=lambda **world: _mean_cosine(**world, room=True),
        code=_mean_cosine,
        note="By the triangle inequality.",
        decoys=(Decoy("exactly", lambda **world: _mean_cosine(**world, room=False)),),
    ),
)
