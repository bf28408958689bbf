"""Rows on what Figure 1 is said to show, judged on networks trained for it: Sections 1, 2 and 4.1 of the joint bounds.

Accuracy is that under the paper's attack. "Robustness under weight perturbation" is read as the mean accuracy over the
weight radii at clean inputs, that under input perturbation likewise, and the AUC as the mean over both.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.joint.trained_settings import (
    ADVERSARIAL,
    AWP,
    JIWP,
    NON_SINGULAR,
    SINGULAR,
    STANDARD,
    WEIGHT,
    along_inputs,
    along_weights,
    compared,
    regularised,
)
from theory.numerics.array import Array

KEPT = 1 / 2  # of an accuracy: who keeps less is vulnerable
SLIGHT = 1 / 3  # of what training for a perturbation gains: to gain less of it is slight, or comparable
ENDS = {"inputs": (-1, 0), "weights": (0, -1)}  # cells of the largest radii


def _left(accuracy: Array, training: int, of: str) -> Array:
    """Accuracy of a training at the largest radius of inputs or of weights, (seeds,)."""
    return accuracy[:, training, *ENDS[of]]


def _vulnerable(accuracy: Array, *cases: tuple[int, str]) -> Sides:
    """What trainings keep at the largest radii, (seeds, cases), against half of their clean accuracy."""
    kept = np.stack([_left(accuracy, *case) for case in cases], axis=1)
    clean = np.stack([accuracy[:, training, 0, 0] for training, _ in cases], axis=1)
    return Sides(kept, KEPT * clean)


def _no_loss(accuracy: Array, *cases: tuple[int, str]) -> Sides:
    """Half of the clean accuracy, against what is kept of it."""
    kept, half = _vulnerable(accuracy, *cases)
    return Sides(half, kept)


def _gains(robustness: Array, seen: int, other: int) -> tuple[Array, Array]:
    """By how much two trainings are more robust than the standard one, (seeds,) each, of (seeds, trainings)."""
    standard = robustness[:, STANDARD]
    return robustness[:, seen] - standard, robustness[:, other] - standard


def _slight(accuracy: Array, radii_x: Array) -> Sides:
    """The weight-perturbed network gains under input perturbations, and less than a third of what AT does."""
    much, little = _gains(along_inputs(accuracy, radii_x[0]), ADVERSARIAL, WEIGHT)
    return Sides(np.stack((0 * little, little), axis=1), np.stack((little, SLIGHT * much), axis=1))


def _as_much(accuracy: Array, radii_x: Array) -> Sides:
    much, little = _gains(along_inputs(accuracy, radii_x[0]), ADVERSARIAL, WEIGHT)
    return Sides(much, little)


def _seen(accuracy: Array, radii_x: Array, radii_w: Array) -> Sides:
    """The standard network's robustness under inputs and weights, against that of the network trained for each."""
    inputs, weights = along_inputs(accuracy, radii_x[0]), along_weights(accuracy, radii_w[0])
    return Sides(
        np.stack((inputs[:, STANDARD], weights[:, STANDARD]), axis=1),
        np.stack((inputs[:, ADVERSARIAL], weights[:, WEIGHT]), axis=1),
    )


def _trained_for_the_other(accuracy: Array, radii_x: Array, radii_w: Array) -> Sides:
    """What networks trained for one perturbation gain under the other, against what those trained for it gain."""
    for_inputs, of_weight = _gains(along_inputs(accuracy, radii_x[0]), ADVERSARIAL, WEIGHT)
    for_weights, of_adversarial = _gains(along_weights(accuracy, radii_w[0]), WEIGHT, ADVERSARIAL)
    return Sides(np.stack((of_weight, of_adversarial), axis=1), np.stack((for_inputs, for_weights), axis=1))


def _comparable(accuracy: Array, radii_x: Array, radii_w: Array) -> Sides:
    gained, much = _trained_for_the_other(accuracy, radii_x, radii_w)
    return Sides(gained, SLIGHT * much)


def _less(accuracy: Array, radii_w: Array, loss: float = 0.0) -> Sides:
    """Robustness under weight perturbation: of adversarial training and a loss, against that of the standard one."""
    robustness = along_weights(accuracy, radii_w[0])
    return Sides(robustness[:, ADVERSARIAL] + loss, robustness[:, STANDARD])


def _misleading(auc: Array, accuracy: Array, radii_x: Array) -> Sides:
    """AUC of adversarial training, against half of its mean accuracy over the input radii alone."""
    return Sides(auc[:, ADVERSARIAL], KEPT * along_inputs(accuracy, radii_x[0])[:, ADVERSARIAL])


def _above(auc: Array) -> Sides:
    """AUC of the best singular training, against that of each non-singular one."""
    return Sides(np.max(auc[:, SINGULAR], axis=1)[:, None], auc[:, NON_SINGULAR])


def _minmax(auc: Array) -> Sides:
    """AUC of the training without attacks, against adversarial training with the regulariser."""
    return Sides(auc[:, JIWP], regularised(auc))


def _awp(auc: Array) -> Sides:
    """AUC of adversarial training in the inputs, against that in inputs and weights."""
    return Sides(auc[:, ADVERSARIAL], auc[:, AWP])


_row = rows("Joint margin bounds", study="empirical.joint_robustness", kind="majority", tolerance=0.1, where=compared)
_at = partial(_row, at="Section 4.1", domain="networks of MNIST or Fashion-MNIST under the joint attack of 100 steps")
AT_LARGEST = "Vulnerable: at the largest radius of the grid no more than half of the clean accuracy is left."


CLAIMS: tuple[Claim, ...] = (
    _at(
        "joint.trained.standard",
        says="a standard network loses half of its accuracy to the largest perturbation of its input, and to that of "
        "its weights",
        formula=r"A_{std}(\epsilon_x, 0), A_{std}(0, \epsilon_w) \le \tfrac12 A_{std}(0, 0)",
        theory=lambda accuracy: _vulnerable(accuracy, (STANDARD, "inputs"), (STANDARD, "weights")),
        code=_vulnerable,
        quotes=(Quote("The standard model (a) is vulnerable to both weight and input perturbations", "Section 4.1"),),
        reading=AT_LARGEST,
        decoys=(
            Decoy("it keeps more when its input moves", lambda accuracy: _no_loss(accuracy, (STANDARD, "inputs"))),
            Decoy("it keeps more when its weights move", lambda accuracy: _no_loss(accuracy, (STANDARD, "weights"))),
        ),
    ),
    _at(
        "joint.trained.seen",
        says="training for one kind of perturbation makes networks more robust under this kind",
        formula=r"\bar A_{std}(\cdot, 0) \le \bar A_{AT}(\cdot, 0), \quad"
        r" \bar A_{std}(0, \cdot) \le \bar A_w(0, \cdot)",
        theory=_seen,
        quotes=(
            Quote("Singular robust models (b) and (c) are only robust to the seen perturbation type", "Section 4.1"),
        ),
        reading="More robust than the standard model; what 'only' says is joint.trained.unseen.",
        decoys=(
            Decoy(
                "it makes them less so",
                lambda accuracy, radii_x, radii_w: _seen(accuracy, radii_x, radii_w).swapped,
            ),
        ),
    ),
    _at(
        "joint.trained.unseen",
        at="Figure 1",
        says="training for one kind of perturbation gains under the other less than a third of what training for that "
        "one does",
        formula=r"\bar A_w(\cdot, 0) - \bar A_{std}(\cdot, 0) \le \tfrac13 (\bar A_{AT} - \bar A_{std})(\cdot, 0)",
        theory=_comparable,
        quotes=(
            Quote(
                "singular robust models (b) and (c) have comparable or even worse robustness under their respective "
                "untrained perturbation type",
                "caption of Figure 1",
            ),
        ),
        reading="Comparable: better than the standard model by less than a third of what the training for that kind "
        "gains; both kinds.",
        decoys=(
            Decoy(
                "it gains more",
                lambda accuracy, radii_x, radii_w: _trained_for_the_other(accuracy, radii_x, radii_w).swapped,
            ),
        ),
    ),
    _at(
        "joint.trained.less",
        says="adversarially trained networks are less robust under weight perturbation than standard ones",
        formula=r"\bar A_{AT}(0, \cdot) \le \bar A_{std}(0, \cdot)",
        theory=lambda accuracy, radii_w: _less(accuracy, radii_w),
        code=_less,
        quotes=(
            Quote(
                "is observed to be less robust under weight perturbation compared to the standard model (a)",
                "Section 4.1",
            ),
        ),
        reading="By the mean accuracy over the weight radii, the clean accuracy, in which both differ, included.",
        status="unmet",
        decoys=(Decoy("by a fifth of all images", lambda accuracy, radii_w: _less(accuracy, radii_w, 0.2)),),
        note="Over the weight radii a standard network of MNIST keeps 0.26 on average and an adversarially trained one"
        " 0.36, in each of the seeds: lower clean, and higher from the first radius on.",
    ),
    _at(
        "joint.trained.vulnerable",
        at="Abstract",
        says="adversarially trained networks lose half of their accuracy to the largest perturbation of their weights",
        formula=r"A_{AT}(0, \epsilon_w) \le \tfrac12 A_{AT}(0, 0)",
        theory=lambda accuracy: _vulnerable(accuracy, (ADVERSARIAL, "weights")),
        code=_vulnerable,
        quotes=(
            Quote(
                "adversarially trained models that are robust to input perturbations are still (or even more) "
                "vulnerable to weight perturbations",
                "Abstract",
            ),
        ),
        reading=f"{AT_LARGEST} Whether they lose even more than standard ones is joint.trained.less.",
        decoys=(Decoy("they keep more", lambda accuracy: _no_loss(accuracy, (ADVERSARIAL, "weights"))),),
    ),
    _at(
        "joint.trained.suffer",
        at="Section 1",
        says="networks trained under one kind of perturbation lose half of their accuracy to the other kind",
        formula=r"A_{AT}(0, \epsilon_w) \le \tfrac12 A_{AT}(0, 0), \quad A_w(\epsilon_x, 0) \le \tfrac12 A_w(0, 0)",
        theory=lambda accuracy: _vulnerable(accuracy, (ADVERSARIAL, "weights"), (WEIGHT, "inputs")),
        code=_vulnerable,
        quotes=(
            Quote(
                "models trained under only input perturbation would still suffer when encountering weight "
                "perturbation, and vice versa",
                "Section 1",
            ),
        ),
        reading=AT_LARGEST,
        decoys=(Decoy("the one for weights keeps more", lambda accuracy: _no_loss(accuracy, (WEIGHT, "inputs"))),),
    ),
    _at(
        "joint.trained.slight",
        says="training for weight perturbations helps under input perturbations, by less than a third of what "
        "adversarial training does",
        formula=r"0 \le \bar A_w(\cdot, 0) - \bar A_{std}(\cdot, 0)"
        r" \le \tfrac13 (\bar A_{AT} - \bar A_{std})(\cdot, 0)",
        theory=_slight,
        quotes=(
            Quote(
                "the robustness of weight perturb model (b) to input perturbation is only slightly better than the "
                "standard model",
                "Section 4.1",
            ),
        ),
        reading="Slightly: by less than a third of what adversarial training gains; better: not worse.",
        decoys=(Decoy("it helps as much", _as_much),),
    ),
    _at(
        "joint.trained.misleading",
        at="Abstract",
        says="of what adversarially trained networks keep under input perturbation, less than half is left on average "
        "when weights move, too",
        formula=r"\mathrm{AUC}_{AT} \le \tfrac12 \bar A_{AT}(\cdot, 0)",
        theory=_misleading,
        quotes=(
            Quote(
                "the conclusions drawn from singular robustness may give a false sense of overall model robustness",
                "Abstract",
            ),
        ),
        reading="Of adversarial training, by means over the grid.",
        decoys=(Decoy("more is left", lambda auc, accuracy, radii_x: _misleading(auc, accuracy, radii_x).swapped),),
    ),
    _at(
        "joint.trained.above",
        says="each training with the regulariser has a larger AUC than each without",
        formula=r"\max_{a, b, c} \mathrm{AUC} \le \min_{d, e, f} \mathrm{AUC}",
        theory=_above,
        quotes=(
            Quote(
                "using our proposed loss significantly outperform standard and singular robust models (top row)",
                "Section 4.1",
            ),
            Quote("including (d), (e) and (f), show significantly better AUC scores", "caption of Figure 1"),
        ),
        reading="Each of (d) to (f) above each of (a) to (c); (d) is taken for adversarial training with half of the "
        "regulariser, (f) for JIWP. Significant is what most seeds agree on.",
        status="unmet",
        decoys=(Decoy("a smaller one", lambda auc: _above(auc).swapped),),
        note="AT with the regulariser is above all three in each seed; JIWP is above standard and weight-perturbed"
        " networks, and below AT: 0.14 against 0.15 on average.",
    ),
    _at(
        "joint.trained.minmax",
        says="adversarial training with the regulariser has a larger AUC than training with tau and zeta alone",
        formula=r"\mathrm{AUC}_{JIWP} \le \mathrm{AUC}_{AT+\beta}",
        theory=_minmax,
        quotes=(Quote("also attains better AUC than JIWP", "Section 4.1"),),
        reading="Of the two settings of AT+beta the better one.",
        decoys=(Decoy("a smaller one", lambda auc: _minmax(auc).swapped),),
    ),
    _at(
        "joint.trained.awp",
        at="beside Section 2",
        says="moving the weights adversarially, too, while adversarially training gives a larger AUC",
        formula=r"\mathrm{AUC}_{AT} \le \mathrm{AUC}_{AWP}",
        theory=_awp,
        status="extension",
        credit="Wu et al. 2020",
        reading="The paper says that adversarial training subject to weight perturbations is not meaningful, since it "
        "would fail in only the parameter space; this is it in both spaces, of the work that it cites.",
        decoys=(Decoy("a smaller one", lambda auc: _awp(auc).swapped),),
    ),
)
