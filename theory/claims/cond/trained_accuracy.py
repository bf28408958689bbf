"""Rows on accuracies of trained networks, without attack and under FGSM and FGMT (conditioning, V-B and VI)."""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.cond.trained_settings import (
    ALL_RADII,
    CONV,
    PLAIN,
    SIMPLE,
    STEPS,
    at,
    pair,
    pair_attacked,
    simple_attacked,
)
from theory.numerics.array import Array
from theory.reported import RADII, attacked_accuracy

UNIT = 0.001  # of the last digit printed of an accuracy
EXPECTED = np.array([[0.905, 0.925], [0.975, 0.995]])  # 91-92 % and 98-99 %, as they are rounded
APART = 0.3  # of accuracy, at least, between what is printed and what one step leaves
LARGE = [at(radius) for radius in RADII[4:]]  # from 0.05 on
BEYOND = list(range(at("0.05"), len(ALL_RADII)))  # the same with the radii of the text
PLATEAU = list(range(at("0.1"), len(ALL_RADII)))


def _plain(accuracy: Array, step: int = -1) -> Array:
    """Accuracies of plain networks under attack after one step, the last by default, (networks, models, radii)."""
    return accuracy[:, PLAIN, :, :, step]


def _between(test_accuracy: Array, expected: np.ndarray) -> Sides:
    """Test accuracies of both models between two bounds each."""
    own = test_accuracy[:, PLAIN]
    low, high = (np.broadcast_to(bound, own.shape) for bound in expected.T)
    return Sides(np.stack((low, own), axis=-1), np.stack((own, high), axis=-1))


def _better(test_accuracy: Array) -> Sides:
    """Test accuracy of the simple model, against that of the CNN."""
    return Sides(test_accuracy[:, PLAIN, SIMPLE], test_accuracy[:, PLAIN, CONV])


def _drop(clean: Array, fgsm: Array, fgmt: Array, first: int) -> Sides:
    """Accuracies under both attacks from a radius on, against half of those without."""
    found = np.stack([_plain(fgsm)[..., first:], _plain(fgmt)[..., first:]], axis=-1)
    return Sides(found, clean[:, PLAIN, :, None, None] / 2)


def _decline(fgsm: Array, fgmt: Array) -> Sides:
    """Accuracy at each radius from 0.005 on, less .01, against that at the radius before."""
    both = np.stack([_plain(fgsm), _plain(fgmt)], axis=-1)[:, :, at("0.002") :]
    return Sides(both[:, :, 1:] - 0.01, both[:, :, :-1])


def _plateau(fgsm: Array, fgmt: Array, first: int) -> Sides:
    """By how much accuracy differs between the radii from the first on, against .01."""
    both = np.stack([_plain(fgsm), _plain(fgmt)], axis=-1)[:, :, first:]
    return Sides(np.ptp(both, axis=2), 0.01)


def _small_fgsm(clean: Array, fgsm: Array, reduction: float) -> Sides:
    """The CNN's accuracy under small FGSM perturbations and a reduction, against its accuracy without."""
    small = [at("0.002"), at("0.005")]
    return Sides(_plain(fgsm)[:, CONV, small] + reduction, clean[:, PLAIN, CONV, None])


def _small_fgmt(clean: Array, fgmt: Array, barely: tuple[str, ...], drop: str) -> Sides:
    """The CNN loses .02 at most to small FGMT perturbations, and more at a larger one."""
    own, lost = _plain(fgmt)[:, CONV], clean[:, PLAIN, CONV, None] - 0.02
    small = own[:, [at(radius) for radius in barely]]
    return Sides(
        np.concatenate((np.broadcast_to(lost, small.shape), own[:, [at(drop)]]), axis=1),
        np.concatenate((small, lost), axis=1),
    )


def _large_fgmt(fgmt: Array, first: int) -> Sides:
    """The CNN's accuracy under FGMT from a radius on, against what is printed as 0.000."""
    return Sides(_plain(fgmt)[:, CONV, first:], UNIT / 2)


def _fooled(fgsm: Array, step: int) -> Sides:
    """Accuracies under FGSM of radius 0.01, against one half."""
    return Sides(_plain(fgsm, step)[..., at("0.01")], 0.5)


def _left(fgsm: Array, step: int) -> Sides:
    """What is printed of the simple model at 0.01 and `APART`, against what one step leaves."""
    printed = attacked_accuracy(1, "simple", "0.01").value
    return Sides(printed + APART, _plain(fgsm, step)[:, SIMPLE, at("0.01")])


def _magnitude(fgsm: Array, least: float, most: float) -> Sides:
    """The simple model's accuracy under large FGSM perturbations between multiples of the CNN's."""
    simple, conv = (_plain(fgsm)[:, model, LARGE] for model in (SIMPLE, CONV))
    return Sides(np.stack((least * conv, simple), axis=-1), np.stack((simple, most * conv), axis=-1))


def _overfit(train_accuracy: Array, test_accuracy: Array) -> Sides:
    """How far test accuracy lies below training accuracy: the simple model's, against the CNN's."""
    gap = (train_accuracy - test_accuracy)[:, PLAIN]
    return Sides(gap[:, SIMPLE], gap[:, CONV])


def _reach(moved: Array, fgsm: Array, ball: bool) -> Sides:
    """Largest changes of a pixel after one step and after all, against the radius and what all steps reach."""
    radii = np.array(ALL_RADII)
    steps = 1 if ball else fgsm.shape[-1]
    return Sides(moved, np.stack((radii, np.minimum(steps * radii, 1.0)), axis=-1))


_row = rows("Conditioning, Section V-B", study="empirical.conditioning", kind="majority", tolerance=0.1)
_ours = partial(_row, status="extension", credit="ours")

CLAIMS: tuple[Claim, ...] = (
    _row(
        "cond.trained.accuracy.expected",
        says="the simple model and the CNN are as accurate as expected: 91 to 92 and 98 to 99 per cent",
        formula=r"0.905 \le A_{simple} \le 0.925, \quad 0.975 \le A_{conv} \le 0.995",
        domain="all test images, no attack",
        theory=lambda test_accuracy: _between(test_accuracy, EXPECTED),
        code=_between,
        statistic="test_accuracy",
        where=pair,
        quotes=(
            Quote(
                "The non-adversarial test accuracies of the simple and convolutional models are around 91-92% and"
                " 98-99% as expected",
                "Section V-B",
            ),
        ),
        reading="'around' as: up to rounding",
        decoys=(Decoy("both as accurate as the CNN", lambda test_accuracy: _between(test_accuracy, EXPECTED[[1, 1]])),),
    ),
    _row(
        "cond.trained.accuracy.better",
        source="Conditioning, Section VI",
        says="without attack the CNN is more accurate than the simple model",
        formula=r"A_{simple} \le A_{conv}",
        domain="all test images, no attack",
        theory=_better,
        statistic="test_accuracy",
        where=pair,
        quotes=(
            Quote(
                "in the non-adversarial case, the convolutional model performs better than the simple network",
                "Section VI",
            ),
        ),
        reading="as printed, for networks from the same seed",
        decoys=(Decoy("less accurate", lambda test_accuracy: _better(test_accuracy).swapped),),
    ),
    _row(
        "cond.trained.attack.drop",
        says="both models lose half of their accuracy and more to either attack from radius 0.05 on",
        formula=r"A(\epsilon) \le \tfrac12 A(0), \quad \epsilon \ge 0.05",
        domain="both attacks, radii of the tables and of the text, twelve steps",
        theory=lambda clean, fgsm, fgmt: _drop(clean, fgsm, fgmt, BEYOND[0]),
        code=_drop,
        statistic="fgsm",
        where=pair_attacked,
        quotes=(
            Quote(
                "simple and convolutional models both perform significantly worse on adversarial inputs than on regular"
                " inputs",
                "Section V-B",
            ),
            Quote("both models show significant drops in test accuracy", "Section VI"),
        ),
        reading="'significantly' as: at most half as accurate, from radius 0.05 on; attacks of twelve steps",
        decoys=(Decoy("from 0.001 on", lambda clean, fgsm, fgmt: _drop(clean, fgsm, fgmt, 0)),),
    ),
    _ours(
        "cond.trained.attack.decline",
        says="accuracies under attack rise by no more than 0.01 as the radius grows beyond 0.002",
        formula=r"A(\epsilon') \le A(\epsilon) + 0.01, \quad \epsilon' > \epsilon \ge 0.002",
        domain="both attacks, neighbouring radii, twelve steps",
        theory=_decline,
        statistic="fgsm",
        where=simple_attacked,
        decoys=(Decoy("they rise", lambda fgsm, fgmt: _decline(fgsm, fgmt).swapped),),
        note="What cond.conclusion.decline.corrected says of the printed numbers, of networks and up to 0.01.",
    ),
    _ours(
        "cond.trained.attack.plateau",
        says="accuracies under attack stay as they are from radius 0.1 on",
        formula=r"\max_{\epsilon \ge 0.1} A(\epsilon) - \min_{\epsilon \ge 0.1} A(\epsilon) \le 0.01",
        domain="both attacks, radii of the tables and of the text, twelve steps",
        theory=lambda fgsm, fgmt: _plateau(fgsm, fgmt, PLATEAU[0]),
        code=_plateau,
        statistic="fgsm",
        where=simple_attacked,
        decoys=(Decoy("from 0.005 on", lambda fgsm, fgmt: _plateau(fgsm, fgmt, at("0.005"))),),
        note="Twelve steps of 0.1 move a pixel from one end of its range to the other.",
    ),
    _row(
        "cond.trained.fgsm.small",
        says="small FGSM perturbations reduce the CNN's accuracy",
        formula=r"A(0.002), A(0.005) < A(0)",
        domain="the CNN, twelve steps",
        theory=lambda clean, fgsm: _small_fgsm(clean, fgsm, UNIT),
        code=_small_fgsm,
        statistic="fgsm",
        where=pair_attacked,
        quotes=(
            Quote(
                "small FGSM perturbations ([..] of 0.002 and 0.005) immediately show a reduction in accuracy from 0.99",
                "Section V-B",
            ),
        ),
        reading="a reduction as: by 0.001, the last digit printed, or more; attacks of twelve steps",
        decoys=(Decoy("by a tenth", lambda clean, fgsm: _small_fgsm(clean, fgsm, 0.1)),),
    ),
    _row(
        "cond.trained.fgmt.small",
        says="small FGMT perturbations barely reduce the CNN's accuracy; one of 0.01 does",
        formula=r"A(0) - A(\epsilon) \le 0.02, \; \epsilon \le 0.005; \quad A(0) - A(0.01) \ge 0.02",
        domain="the CNN, twelve steps",
        theory=lambda clean, fgmt: _small_fgmt(clean, fgmt, RADII[:3], "0.01"),
        code=_small_fgmt,
        statistic="fgmt",
        where=pair_attacked,
        quotes=(
            Quote(
                "small FGMT perturbations barely reduce the accuracy from 0.99; only at [..] does the accuracy drop to"
                " 0.91",
                "Section V-B",
            ),
        ),
        reading="'barely' as: by 0.02 at most; a drop as: by more; attacks of twelve steps",
        decoys=(
            Decoy(
                "one of 0.05 barely does",
                lambda clean, fgmt: _small_fgmt(clean, fgmt, (*RADII[:3], "0.05"), "0.01"),
            ),
        ),
    ),
    _row(
        "cond.trained.fgmt.large",
        says="large FGMT perturbations leave the CNN an accuracy of zero",
        formula=r"A(\epsilon) < 0.0005, \quad \epsilon \ge 0.05",
        domain="the CNN, radii of the tables and of the text from 0.05 on, twelve steps",
        theory=lambda fgmt: _large_fgmt(fgmt, BEYOND[0]),
        code=_large_fgmt,
        statistic="fgmt",
        where=pair_attacked,
        quotes=(
            Quote("for larger FGMT perturbations [..] the accuracy is zero", "Section V-B"),
            Quote('the attack "always" works and consistently fools the classifier', "Section V-B"),
        ),
        reading="zero as printed, 0.000; attacks of twelve steps",
        decoys=(Decoy("from 0.01 on", lambda fgmt: _large_fgmt(fgmt, at("0.01"))),),
    ),
    _row(
        "cond.trained.fgsm.fooled",
        source="Conditioning, Section V-A",
        says="FGSM of radius 0.01 fools both models on most images",
        formula=r"A_{simple}(0.01), A_{conv}(0.01) \le \tfrac12",
        domain="both models, twelve steps",
        theory=lambda fgsm: _fooled(fgsm, -1),
        code=_fooled,
        statistic="fgsm",
        where=pair_attacked,
        quotes=(
            Quote(
                "consistently fool both the simple and convolutional models, despite the relatively small perturbation",
                "Section V-A",
            ),
        ),
        reading="'consistently' as: on at least half of the test images; attacks of twelve steps",
        status="unmet",
        decoys=(Decoy("in one step", lambda fgsm: _fooled(fgsm, 0)),),
        note="Table I has 0.583 for the CNN; three CNNs keep 0.60 to 0.66 of their images.",
    ),
    _ours(
        "cond.trained.fgsm.one_step",
        says="one step of FGSM of radius 0.01 leaves the simple model far more than the printed accuracy",
        formula=r"A_1(0.01) \ge 0.088 + 0.3",
        domain="the simple model",
        theory=lambda fgsm: _left(fgsm, 0),
        code=_left,
        statistic="fgsm",
        where=simple_attacked,
        decoys=(Decoy(f"so do {STEPS}", lambda fgsm: _left(fgsm, -1)),),
        note="So the printed accuracies are not of the one step that Section III-C prints.",
    ),
    _ours(
        "cond.trained.fgsm.magnitude",
        source="Conditioning, Section VI",
        says="under large FGSM perturbations the simple model is two to ten times as accurate as the CNN",
        formula=r"2 A_{conv}(\epsilon) \le A_{simple}(\epsilon) \le 10 A_{conv}(\epsilon), \quad \epsilon \ge 0.05",
        domain="radii of Table I from 0.05 on, twelve steps",
        theory=lambda fgsm: _magnitude(fgsm, 2.0, 10.0),
        code=_magnitude,
        statistic="fgsm",
        where=pair_attacked,
        decoys=(Decoy("at most twice", lambda fgsm: _magnitude(fgsm, 0.5, 2.0)),),
        note="'Almost a full order of magnitude' is 5.7 to 7.8 in Table I, where both are worse than guessing; see"
        " cond.conclusion.fgsm.printed.",
    ),
    _ours(
        "cond.trained.moved",
        source="Conditioning, Section III-C",
        says="a step of FGSM moves no pixel by more than epsilon, and all steps by no more than their sum",
        formula=r"\|x_s - x\|_\infty \le \min(s \epsilon, 1)",
        domain="every model and radius; steps are clipped to [0, 1] and projected on no ball",
        kind="bound",
        theory=lambda moved, fgsm: _reach(moved, fgsm, ball=False),
        code=_reach,
        tolerance=1e-5,
        statistic="moved",
        decoys=(Decoy("all steps by no more than epsilon", lambda moved, fgsm: _reach(moved, fgsm, ball=True)),),
    ),
    _row(
        "cond.trained.overfit",
        source="Conditioning, Section VI",
        says="the CNN overfits more than the simple model: its test accuracy lies farther below its training accuracy",
        formula=r"A^{train}_{simple} - A^{test}_{simple} \le A^{train}_{conv} - A^{test}_{conv}",
        domain="all training and test images",
        theory=_overfit,
        statistic="train_accuracy",
        where=pair,
        quotes=(
            Quote("the convolutional model *overfits* more than the simple model", "Section VI"),
            Quote("implying that it is overfit", "Abstract"),
        ),
        reading="'overfits' as: is less accurate on test images than on training images",
        decoys=(
            Decoy(
                "less than it",
                lambda train_accuracy, test_accuracy: _overfit(train_accuracy, test_accuracy).swapped,
            ),
        ),
    ),
)
