"""Rows on accuracy under attack of trained networks: what is said below ConvNorm's Table 1, and of overfitting.

A sentence that `theory.claims.norm.conclusions` has already shown to fail of the printed table in one reading is not
scored again: the rows that measure the same of networks are ours, and name it.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.norm.trained_settings import (
    BN,
    CONV,
    LARGER,
    VANILLA,
    averaged,
    by_ensemble,
    flagged,
    networks,
    of,
    on_cifar,
    trained,
)
from theory.convolution import robust_accuracy
from theory.numerics.array import Array

ALMOST = 0.8  # of all pairs of an attack and a width, as in norm.conclusion.batch_norm
CHANCE = 0.1  # of ten classes
SLIGHT = 0.06  # six points, as in norm.conclusion.vanilla.corrected
RISE = 0.05  # of accuracy with the radius, that no few images explain


def _batch_norm(fgsm: Array, pgd: Array, normalisation: Array) -> Sides:
    """Almost all, against the share of pairs of an attack and a width in which batch normalisation leaves more."""
    pairs = [(of(attack, normalisation, VANILLA), of(attack, normalisation, BN)) for attack in (fgsm, pgd)]
    more = np.stack([without <= with_it for without, with_it in pairs], axis=1)
    return Sides(ALMOST, np.mean(more, axis=(1, 2)))


def _never(fgsm: Array, pgd: Array, normalisation: Array) -> Sides:
    """That share, against none."""
    return Sides(_batch_norm(fgsm, pgd, normalisation).right, 0.0)


def _fluctuates(attacked: Array, normalisation: Array) -> Sides:
    """The range of the vanilla network's accuracies over the widths, against a slight one."""
    return Sides(np.ptp(of(attacked, normalisation, VANILLA), axis=1), SLIGHT)


def _grows(fgsm: Array, normalisation: Array) -> Sides:
    """ConvNorm's accuracy at the smallest width, against that at the largest."""
    accuracy = of(fgsm, normalisation, CONV)
    return Sides(accuracy[:, 0], accuracy[:, -1])


def _badly(attacked: Array, normalisation: Array, width: Array) -> Sides:
    """ConvNorm's accuracy at larger widths, against guessing."""
    return Sides(of(attacked, normalisation, CONV)[:, width[0] >= LARGER], CHANCE)


def _relative(pgd: Array, normalisation: Array, which: int) -> np.ndarray:
    """Mean accuracy over the widths under PGD with a normalisation, as a share of that without, (seeds,)."""
    with_it, without = (np.mean(of(pgd, normalisation, one), axis=1) for one in (which, VANILLA))
    return with_it / np.where(without > 0, without, np.nan)


def _drops(pgd: Array, normalisation: Array, one: int, other: int) -> Sides:
    """The share that one normalisation leaves, against all, and against the share that another leaves."""
    own, others = (_relative(pgd, normalisation, which) for which in (one, other))
    return Sides(own[:, None], np.stack((np.ones_like(own), others), axis=1))


def _attacks(clean: Array, fgsm: Array, pgd: Array) -> Sides:
    """What PGD leaves, against what FGSM leaves and what is right without attack, means over the cells of a seed."""
    strong, weak, none = map(averaged, (pgd, fgsm, clean))
    return Sides(strong[:, None], np.stack((weak, none), axis=1))


def _helps(fgsm: Array, pgd: Array) -> Sides:
    """What FGSM leaves, against what PGD does."""
    return Sides(averaged(fgsm), averaged(pgd))


def _ensemble(auto: Array, auto_clean: Array) -> Sides:
    """What the ensemble leaves of its images, against what is right without attack, (networks,)."""
    return Sides(networks(auto), networks(auto_clean))


def _ensemble_below(auto: Array, auto_pgd: Array) -> Sides:
    """What the ensemble leaves of its images, against what PGD leaves of them, means over the cells of a seed."""
    return Sides(averaged(auto), averaged(auto_pgd))


def _rise(curve: Array) -> np.ndarray:
    """Largest rise of accuracy from one radius to a larger one, of (..., radii)."""
    return np.max(curve - np.minimum.accumulate(curve, axis=-1), axis=-1)


def _bends(fgsm: Array, pgd: Array, curve: Array) -> Sides:
    """A rise that no few images explain, against the mean of those of a seed's cells that look overfitted, (seeds,)."""
    return Sides(RISE, averaged(np.where(flagged(fgsm, pgd), _rise(curve), np.nan)))


def _spared(fgsm: Array, pgd: Array) -> Sides:
    """How many cells of a seed look overfitted, against none."""
    return Sides(np.count_nonzero(flagged(fgsm, pgd), axis=(1, 2)), 0)


def _all(fgsm: Array, pgd: Array) -> Sides:
    """How many cells there are, against how many look overfitted."""
    return Sides(pgd[0].size, _spared(fgsm, pgd).left)


_row = rows(
    "ConvNorm",
    study="empirical.convnorm_width",
    kind="majority",
    tolerance=0.1,
    domain="WideResNet-16-k after free adversarial training, attacks at 8/255, top 1",
)
_ours = partial(_row, status="extension", credit="ours")

CLAIMS: tuple[Claim, ...] = (
    _ours(
        "norm.trained.fgsm",
        at="below Table 1",
        says="with ConvNorm accuracy under FGSM is higher at the largest width than at the smallest",
        formula=r"A_{FGSM}(k_{min}) \le A_{FGSM}(k_{max})",
        theory=_grows,
        where=trained("convnorm", widths=2),
        note="What norm.conclusion.fgsm.corrected says of the printed table, of networks.",
        decoys=(Decoy("lower", lambda fgsm, normalisation: _grows(fgsm, normalisation).swapped),),
    ),
    _row(
        "norm.trained.pgd",
        at="below Table 1",
        says="with ConvNorm PGD leaves less than guessing, 10 per cent, from width 3 on",
        formula=r"A_{PGD}(k) \le 0.1, \quad k \ge 3",
        theory=lambda pgd, normalisation, width: _badly(pgd, normalisation, width),
        code=_badly,
        where=trained("convnorm", largest=LARGER),
        quotes=(Quote("it performs badly against the stronger PGD attacks for larger widths", "below Table 1"),),
        reading="As norm.conclusion.pgd reads it of the printed table: 'badly' as below guessing, 'larger widths' from"
        " 3 on, here each that was trained.",
        decoys=(
            Decoy(
                "so does FGSM",
                lambda fgsm, normalisation, width: _badly(fgsm, normalisation, width),
            ),
        ),
    ),
    _ours(
        "norm.trained.vanilla",
        at="below Table 1",
        says="without normalisation accuracy under PGD varies within 6 points over the widths",
        formula=r"\max_k A_{PGD}(k) - \min_k A_{PGD}(k) \le 0.06",
        theory=lambda pgd, normalisation: _fluctuates(pgd, normalisation),
        code=_fluctuates,
        where=trained("vanilla", widths=2),
        note="What norm.conclusion.vanilla.corrected says of the printed table, of networks.",
        decoys=(Decoy("so does accuracy under FGSM", lambda fgsm, normalisation: _fluctuates(fgsm, normalisation)),),
    ),
    _row(
        "norm.trained.batch_norm",
        at="below Table 1",
        says="batch normalisation raises robust accuracy in at least eight of ten pairs of an attack and a width",
        formula=r"\#\{(a, k): A^{vanilla}_a(k) \le A^{BN}_a(k)\} \ge \frac{8}{10} \#\{(a, k)\}",
        theory=_batch_norm,
        where=trained("vanilla", "bn"),
        quotes=(
            Quote(
                "BN almost always results in an increase of robustness in comparison to the vanilla model",
                "below Table 1",
            ),
        ),
        reading="'almost always' as norm.conclusion.batch_norm reads it, for each seed: FGSM and PGD, each width that"
        " was trained.",
        decoys=(Decoy("in none", _never),),
    ),
    _row(
        "norm.trained.drop",
        at="Section 5",
        says="under PGD ConvNorm leaves less than no normalisation does, and less than batch normalisation",
        formula=r"\frac{\bar A_{ConvNorm}}{\bar A_{vanilla}} \le \min(1, \frac{\bar A_{BN}}{\bar A_{vanilla}})",
        theory=lambda pgd, normalisation: _drops(pgd, normalisation, CONV, BN),
        code=_drops,
        where=trained("vanilla", "bn", "convnorm"),
        quotes=(
            Quote(
                "BN also increases natural accuracy but doesn't exhibit the a similar proportional drop in robustness",
                "Section 5",
            ),
        ),
        reading="Similar to that of ConvNorm, of which the sentence before speaks: both in proportion to the vanilla"
        " model, under PGD, the stronger attack, by means over all widths that were trained.",
        given="PGD leaves something of the vanilla networks, at some width",
        decoys=(
            Decoy(
                "batch normalisation less than both", lambda pgd, normalisation: _drops(pgd, normalisation, BN, CONV)
            ),
        ),
    ),
    _ours(
        "norm.trained.attacks",
        at="Section 4",
        says="averaged over the cells of a seed PGD leaves no more than FGSM, and no more than is right without attack",
        formula=r"\bar A_{PGD} \le \min(\bar A_{FGSM}, \bar A)",
        theory=_attacks,
        domain="WideResNet-16-k after adversarial training, free or by PGD, top 1",
        where=on_cifar,
        credit="textbook",
        note="No theorem: PGD begins at a random place, and an attack may put a wrong image right. Accuracy under FGSM"
        " can exceed that without attack where training overfitted to it.",
        code=robust_accuracy.projected_ascent,
        decoys=(Decoy("more than FGSM", _helps),),
    ),
    _ours(
        "norm.trained.ensemble",
        at="beside Table 1",
        says="AutoAttack leaves no more of its images right than are right without attack",
        formula=r"A_{AA} \le A",
        domain="every network that it attacked",
        kind="bound",
        tolerance=1e-9,
        theory=_ensemble,
        where=by_ensemble,
        credit="textbook",
        note="It is the worst of four attacks, each judged again: what is wrong without attack counts as lost.",
        decoys=(Decoy("as many", lambda auto, auto_clean: _ensemble(auto, auto_clean).swapped),),
    ),
    _ours(
        "norm.trained.ensemble.pgd",
        at="beside Table 1",
        says="AutoAttack leaves no more of its images than PGD of ten steps does, averaged over the cells of a seed",
        formula=r"\bar A_{AA} \le \bar A_{PGD}",
        domain="the images that AutoAttack had",
        theory=_ensemble_below,
        where=by_ensemble,
        note="So that robust accuracy is at most what PGD leaves, wherever FGSM leaves far more.",
        decoys=(Decoy("no less", lambda auto, auto_pgd: _ensemble_below(auto, auto_pgd).swapped),),
    ),
    _ours(
        "norm.trained.overfitted.curve",
        at="beside Table 1",
        says="where FGSM leaves 20 points more than PGD, and PGD less than half of it, accuracy under FGSM rises again"
        " with the radius",
        formula=r"A_{FGSM} - A_{PGD} > 0.2, \; A_{PGD} < \tfrac12 A_{FGSM} \; \Rightarrow \;"
        r" \max_{\epsilon < \epsilon'} A_{FGSM}(\epsilon') - A_{FGSM}(\epsilon) \ge 0.05",
        domain="seeds with such cells, at 8/255, averaged over them; the radii recorded",
        theory=lambda fgsm, pgd, curve_fgsm: _bends(fgsm, pgd, curve_fgsm),
        code=robust_accuracy.overfitted,
        where=on_cifar,
        note="A single step then overshoots the images that a shorter one turns: `MaskedMargin` is the smallest world"
        " in which it does. Robust accuracy falls with the radius always.",
        given="a cell of the seed looks overfitted",
        decoys=(Decoy("so does accuracy under PGD", lambda fgsm, pgd, curve_pgd: _bends(fgsm, pgd, curve_pgd)),),
    ),
    _ours(
        "norm.trained.overfitted.pgd",
        at="beside Table 1",
        says="no network that is trained by PGD looks overfitted, whatever its width and normalisation",
        formula=r"\neg (A_{FGSM} - A_{PGD} > 0.2 \wedge A_{PGD} < \tfrac12 A_{FGSM})",
        domain="WideResNet-16-k after adversarial training by PGD, attacks at 8/255, top 1",
        theory=_spared,
        where=trained(adversary="pgd"),
        code=robust_accuracy.overfitted,
        note="Beside norm.table1.flags: if it is the training by single steps that breaks down, and not a"
        " normalisation, training by several steps does not.",
        decoys=(Decoy("every one does", _all),),
    ),
)
