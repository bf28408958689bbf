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
GAIN, FARTHER = 0.01, 0.05  # least gain of a treatment: of accuracy under FGSM, and of distance as a share
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


def _near(kappa: Array, distance: Array, model: int) -> Sides:
    """In pairs of networks, the one with the larger condition number is the nearer to its boundary."""
    return Sides(paired(_ln_kappa(kappa, model)[:, PLAIN], distance[:, PLAIN, model]), 0.0)


def _conditioned(kappa: Array, arms: tuple[int, ...]) -> Sides:
    """Mean ln kappa_2 of networks treated in these ways, against that of the plain one of the same seed."""
    models = range(1 if kappa.shape[2] == 1 else 2)
    found = np.stack([_ln_kappa(kappa, model) for model in models], axis=-1)
    return Sides(found[:, list(arms)], found[:, :1])


def _helped(fgsm: Array, arm: int) -> Sides:
    """Accuracy under FGSM of plain networks and `GAIN`, against that of treated ones of the same seed."""
    found = _robust(fgsm)
    return Sides(found[:, PLAIN] + GAIN, found[:, arm])


def _moved_away(distance: Array, arm: int) -> Sides:
    """Distance to the boundary of plain networks and a share of it, against that of treated ones of the same seed."""
    return Sides((1 + FARTHER) * distance[:, PLAIN], distance[:, arm])


_row = rows("Conditioning", study="empirical.conditioning", kind="majority", tolerance=0.1)
_ours = partial(_row, status="extension", credit="ours")
_susceptible = partial(
    _row,
    at="Section VI",
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
_nearer = partial(
    _ours,
    at="Section VI",
    formula=r"(\ln \kappa - \ln \kappa')(d - d') \le 0",
    statistic="distance",
    code=_near,
    note="The distance to the boundary does not depend on how large the logits are, as steps by signs do in rounding.",
)
_treatment = partial(
    _row,
    at="Section III-B",
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
_treatment_by_distance = partial(
    _ours,
    at="Section III-B",
    domain="pairs of trainings from the same seed, both models where there are two",
    formula=r"1.05 \, d_{plain} \le d_{treated}",
    where=treated,
    statistic="distance",
    code=_moved_away,
)
ROBUST = "'more robust' as more accurate by 0.01 under FGSM, on average at 0.005 and 0.01, than without treatment; "

CLAIMS: tuple[Claim, ...] = (
    _susceptible(
        "cond.trained.fragility.simple",
        says="of two simple models the worse conditioned one is the less accurate under FGSM",
        domain="pairs of trainings from different seeds, twelve steps",
        theory=lambda kappa, fgsm: _fragile(kappa, fgsm, SIMPLE),
        where=simple_attacked,
        decoys=(Decoy("the more accurate", lambda kappa, fgsm: _fragile(kappa, fgsm, SIMPLE).swapped),),
    ),
    _susceptible(
        "cond.trained.fragility.conv",
        says="of two CNNs the worse conditioned one is the less accurate under FGSM",
        domain="pairs of trainings from different seeds, twelve steps",
        theory=lambda kappa, fgsm: _fragile(kappa, fgsm, CONV),
        where=pair_attacked,
        decoys=(Decoy("the more accurate", lambda kappa, fgsm: _fragile(kappa, fgsm, CONV).swapped),),
    ),
    _nearer(
        "cond.trained.fragility.simple.distance",
        says="of two simple models the worse conditioned one is the nearer to its boundary",
        domain="pairs of trainings from different seeds",
        theory=lambda kappa, distance: _near(kappa, distance, SIMPLE),
        where=simple_attacked,
        decoys=(Decoy("the farther", lambda kappa, distance: _near(kappa, distance, SIMPLE).swapped),),
    ),
    _nearer(
        "cond.trained.fragility.conv.distance",
        says="of two CNNs the worse conditioned one is the nearer to its boundary",
        domain="pairs of trainings from different seeds, distances of first order",
        theory=lambda kappa, distance: _near(kappa, distance, CONV),
        where=pair_attacked,
        decoys=(Decoy("the farther", lambda kappa, distance: _near(kappa, distance, CONV).swapped),),
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
        decoys=(Decoy("less accurate", lambda fgsm: _helped(fgsm, ORTHOGONAL).swapped),),
    ),
    _treatment(
        "cond.trained.treatment.penalty",
        says="networks trained with a penalty on ill-conditioned layers are more accurate under FGSM",
        theory=lambda fgsm: _helped(fgsm, PENALTY),
        reading=ROBUST + "well-conditioned as: trained with a penalty on the spread of singular values",
        decoys=(Decoy("less accurate", lambda fgsm: _helped(fgsm, PENALTY).swapped),),
    ),
    _treatment(
        "cond.trained.treatment.clipped",
        says="networks of which small singular values are raised after training are more accurate under FGSM",
        theory=lambda fgsm: _helped(fgsm, CLIPPED),
        reading=ROBUST + "well-conditioned as: with small singular values raised",
        decoys=(Decoy("less accurate", lambda fgsm: _helped(fgsm, CLIPPED).swapped),),
    ),
    _treatment_by_distance(
        "cond.trained.treatment.orthogonal.distance",
        says="networks that start orthogonal are a twentieth farther from their boundary",
        theory=lambda distance: _moved_away(distance, ORTHOGONAL),
        decoys=(Decoy("nearer", lambda distance: _moved_away(distance, ORTHOGONAL).swapped),),
    ),
    _treatment_by_distance(
        "cond.trained.treatment.penalty.distance",
        says="networks trained with a penalty on ill-conditioned layers are a twentieth farther from their boundary",
        theory=lambda distance: _moved_away(distance, PENALTY),
        decoys=(Decoy("nearer", lambda distance: _moved_away(distance, PENALTY).swapped),),
    ),
    _treatment_by_distance(
        "cond.trained.treatment.clipped.distance",
        says="networks of which small singular values are raised are a twentieth farther from their boundary",
        theory=lambda distance: _moved_away(distance, CLIPPED),
        decoys=(Decoy("nearer", lambda distance: _moved_away(distance, CLIPPED).swapped),),
    ),
)
