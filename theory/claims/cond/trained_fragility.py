"""Rows on whether ill-conditioned networks are fragile: between networks, and when weights are treated (III-B, VI)."""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.cond.trained_settings import (
    CONV,
    EUCLIDEAN,
    OF_MODEL,
    PLAIN,
    SIMPLE,
    at,
    pair_attacked,
    paired,
    simple_attacked,
    treated,
)
from theory.numerics.array import Array

FRAGILE = [at("0.005"), at("0.01")]  # where the printed accuracies are neither clean nor 0
GAIN, MUCH = 0.01, 0.25  # of accuracy under FGSM: what a treatment must gain to help, and what none does
CLOSE, FAR = 0.01, 0.05  # shares of a distance
ORTHOGONAL, PENALTY, CLIPPED = 1, 2, 3  # arms


def _ln_kappa(kappa: Array, model: int) -> Array:
    """Mean ln kappa_2 over the layers of a model, (networks, arms)."""
    return np.log(kappa[:, :, list(OF_MODEL[model]), EUCLIDEAN]).mean(axis=-1)


def _robust(fgsm: Array) -> Array:
    """Mean accuracy under FGSM at `FRAGILE`, (networks, arms, models)."""
    return fgsm[..., FRAGILE, -1].mean(axis=-1)


def _fragile(kappa: Array, fgsm: Array, model: int) -> Sides:
    """In pairs of networks, the one with the larger condition number is the less accurate under FGSM."""
    return Sides(paired(_ln_kappa(kappa, model)[:, PLAIN], _robust(fgsm)[:, PLAIN, model]), 0.0)


def _conditioned(kappa: Array, arms: tuple[int, ...]) -> Sides:
    """Mean ln kappa_2 of networks treated in these ways, against that of the plain one of the same seed."""
    models = range(1 if kappa.shape[2] == 1 else 2)
    found = np.stack([_ln_kappa(kappa, model) for model in models], axis=-1)
    return Sides(found[:, list(arms)], found[:, :1])


def _helped(fgsm: Array, arm: int, gain: float = GAIN) -> Sides:
    """Accuracy under FGSM of plain networks and a gain, against that of treated ones of the same seed."""
    found = _robust(fgsm)
    return Sides(found[:, PLAIN] + gain, found[:, arm])


def _moved(distance: Array, arm: int, share: float) -> Sides:
    """By what share the simple model's distance to its boundary differs from the plain one's, against a share.

    Without a gradient both are infinite, or both are 0, and differ by no share.
    """
    own, plain = distance[:, arm, SIMPLE], distance[:, PLAIN, SIMPLE]
    there = (np.isfinite(own) | np.isfinite(plain)) & ((own > 0) | (plain > 0))
    with np.errstate(divide="ignore"):
        quotient = np.divide(own, plain, out=np.full_like(own, np.nan), where=there)
    return Sides(np.abs(quotient - 1), share)


def _brought_near(distance: Array, arm: int) -> Sides:
    """The treated simple model's distance to its boundary and `FAR` of it, against the plain one's.

    Where neither has a gradient there is nothing to compare.
    """
    own, plain = distance[:, arm, SIMPLE], distance[:, PLAIN, SIMPLE]
    return Sides((1 + FAR) * own, np.where(np.isinf(own) & np.isinf(plain), np.nan, plain))


_row = rows("Conditioning", study="empirical.conditioning", kind="majority", tolerance=0.1)
_ours = partial(_row, status="extension", credit="ours")
_susceptible = partial(
    _row,
    at="Section VI",
    status="unmet",
    quotes=(
        Quote("suggesting a correlation between ill-conditioned weight matrices and susceptibility", "Abstract"),
        Quote(
            "supporting the hypothesis that complexity and ill-conditioning heighten susceptibility to adversarial"
            " attacks",
            "Section VI",
        ),
    ),
    reading="over networks of one architecture and training, which differ in their seed only: of two, that with the"
    " larger kappa_2 (mean logarithm over its layers) is the less accurate under FGSM, on average at 0.005 and 0.01",
    formula=r"(\ln \kappa - \ln \kappa')(A - A') \le 0",
    statistic="fgsm",
    code=_fragile,
)
_treatment = partial(
    _row,
    at="Section III-B",
    status="unmet",
    domain="pairs of trainings from the same seed, both models where there are two",
    formula=r"A_{plain} + 0.01 \le A_{treated}",
    where=treated,
    statistic="fgsm",
    code=_helped,
    quotes=(
        Quote(
            "a well-conditioned weight matrix [..] could produce a model more robust to perturbation and therefore to"
            " these types of adversarial attacks",
            "Section III-B",
        ),
    ),
)
_boundary = partial(
    _ours,
    at="Section III-B",
    domain="pairs of trainings of the simple model from the same seed",
    where=treated,
    statistic="distance",
    given="every network has an image right, and the simple model a gradient there",
)
ROBUST = (
    "the paper calls it reasonable to hypothesize; 'more robust' as more accurate by 0.01 under FGSM, on average at"
    " 0.005 and 0.01, than without treatment; "
)

CLAIMS: tuple[Claim, ...] = (
    _susceptible(
        "cond.trained.fragility.simple",
        says="of two simple models the worse conditioned one is the less accurate under FGSM",
        domain="pairs of trainings from different seeds, twelve steps",
        theory=lambda kappa, fgsm: _fragile(kappa, fgsm, SIMPLE),
        where=simple_attacked,
        note="Over 32 networks the rank correlation of ln kappa_2 with the accuracy at 0.005 is 0.32, from -0.04 to"
        " 0.61, and with the distance to the boundary 0.35: if anything, the better conditioned are the more fragile.",
        decoys=(Decoy("the more accurate", lambda kappa, fgsm: _fragile(kappa, fgsm, SIMPLE).swapped),),
    ),
    _susceptible(
        "cond.trained.fragility.conv",
        says="of two CNNs the worse conditioned one is the less accurate under FGSM",
        domain="pairs of trainings from different seeds, twelve steps",
        theory=lambda kappa, fgsm: _fragile(kappa, fgsm, CONV),
        where=pair_attacked,
        note="Undecided: a few CNNs of one training differ too little in either.",
        decoys=(Decoy("the more accurate", lambda kappa, fgsm: _fragile(kappa, fgsm, CONV).swapped),),
    ),
    _ours(
        "cond.trained.treatment.condition",
        at="Section III-B",
        says="the penalty, and raising small singular values, lower the condition numbers of trained layers",
        formula=r"\ln \kappa_{treated} \le \ln \kappa_{plain}",
        domain="pairs of trainings from the same seed, mean logarithms over the layers of each model",
        theory=lambda kappa: _conditioned(kappa, (PENALTY, CLIPPED)),
        code=_conditioned,
        statistic="kappa",
        where=treated,
        decoys=(Decoy("they raise them", lambda kappa: _conditioned(kappa, (PENALTY, CLIPPED)).swapped),),
    ),
    _treatment(
        "cond.trained.treatment.orthogonal",
        says="networks that start orthogonal are more accurate under FGSM",
        theory=lambda fgsm: _helped(fgsm, ORTHOGONAL),
        reading=ROBUST + "well-conditioned as: from orthogonal initial weights",
        note="In none of 32 simple models: accuracies change by 0.0002 at most on average, condition numbers not at"
        " all.",
        decoys=(Decoy("by a quarter of all images", lambda fgsm: _helped(fgsm, ORTHOGONAL, MUCH)),),
    ),
    _treatment(
        "cond.trained.treatment.penalty",
        says="networks trained with a penalty on ill-conditioned layers are more accurate under FGSM",
        theory=lambda fgsm: _helped(fgsm, PENALTY),
        reading=ROBUST + "well-conditioned as: trained with a penalty on the spread of singular values",
        note="In none of 32 simple models: kappa_2 falls from 38 to 1.4, and accuracies by 0.04, clean accuracy by"
        " 0.003.",
        decoys=(Decoy("by a quarter of all images", lambda fgsm: _helped(fgsm, PENALTY, MUCH)),),
    ),
    _treatment(
        "cond.trained.treatment.clipped",
        says="networks of which small singular values are raised after training are more accurate under FGSM",
        theory=lambda fgsm: _helped(fgsm, CLIPPED),
        reading=ROBUST + "well-conditioned as: with small singular values raised",
        note="In none of 32 simple models: kappa_2 falls from 38 to 3, and the classifier stays the same.",
        decoys=(Decoy("by a quarter of all images", lambda fgsm: _helped(fgsm, CLIPPED, MUCH)),),
    ),
    _boundary(
        "cond.trained.boundary.orthogonal",
        says="starting orthogonal leaves the simple model's boundary where it is, within 5 per cent of its distance",
        formula=r"|d_{orthogonal} / d_{plain} - 1| \le 0.05",
        theory=lambda distance: _moved(distance, ORTHOGONAL, FAR),
        code=_moved,
        decoys=(Decoy("it moves it by more", lambda distance: _moved(distance, ORTHOGONAL, FAR).swapped),),
        note="A training forgets how well conditioned its start was.",
    ),
    _boundary(
        "cond.trained.boundary.clipped",
        says="raising small singular values leaves the simple model's boundary where it is, within 1 per cent",
        formula=r"|d_{clipped} / d_{plain} - 1| \le 0.01",
        theory=lambda distance: _moved(distance, CLIPPED, CLOSE),
        code=_moved,
        decoys=(Decoy("it moves it by more", lambda distance: _moved(distance, CLIPPED, CLOSE).swapped),),
        note="kappa_2 falls from 38 to 3: the small singular value belongs to what is common to all logits, of which a"
        " softmax sees nothing, so that the classifier is the same. See cond.gauge.",
    ),
    _boundary(
        "cond.trained.boundary.penalty",
        says="a penalty on ill-conditioned layers brings the simple model's boundary nearer, by 5 per cent or more",
        formula=r"1.05 \, d_{penalty} \le d_{plain}",
        theory=lambda distance: _brought_near(distance, PENALTY),
        code=_brought_near,
        decoys=(Decoy("farther", lambda distance: _brought_near(distance, PENALTY).swapped),),
        note="By 11 per cent, where kappa_2 is 1.4 in place of 38: the better conditioned network is the more fragile"
        " one.",
    ),
)
