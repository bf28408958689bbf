"""Rows on the numbers that Joint margin bounds prints."""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Reported, rows
from theory.claims.joint.trained_settings import ADVERSARIAL, compared, regularised
from theory.numerics.array import Array
from theory.reported import JOINT, find

GAIN = Quote("The AUC of best AT+ [..] model (e) improves that of AT by about 24%", "Section 4.1")
BEST = "Of the two settings of AT+beta the better one."


def _relative(auc: Array) -> Array:
    """By how much AT+beta's area is above that of AT, per cent of the latter, (draws,); NaN of an area of 0."""
    own, plain = regularised(auc), auc[:, ADVERSARIAL]
    return 100 * (np.divide(own, plain, out=np.full_like(own, np.nan), where=plain > 0) - 1)


def _absolute(auc: Array) -> Array:
    """The same in points, hundredths of the largest area that there can be, (draws,)."""
    return 100 * (regularised(auc) - auc[:, ADVERSARIAL])


def _printed() -> float:
    return find(JOINT, "text", "AUC gain over adversarial training, per cent").value


_gain = partial(
    rows(JOINT, kind="reported"),
    at="Figure 1",
    code=find,
    study="empirical.joint_robustness",
    statistic="auc",
    tolerance=10.0,
    where=compared,
    domain="data, architecture and coefficients not known; relative or absolute not said",
    note="The areas themselves are only in the figure.",
)


CLAIMS: tuple[Claim, ...] = (
    _gain(
        "joint.figure1.gain",
        says="adversarial training with the regulariser has an area about 24 per cent above plain adversarial training",
        formula=r"\frac{AUC_{AT+\beta} - AUC_{AT}}{AUC_{AT}} = 0.24",
        theory=lambda **_: Reported(_printed(), per_draw=_relative),
        quotes=(GAIN,),
        reading=f"Per cent of the area under plain adversarial training. {BEST}",
        given="plain adversarial training leaves an area above 0",
        decoys=(Decoy("it has the same area", lambda **_: Reported(0.0, per_draw=_relative)),),
    ),
    _gain(
        "joint.figure1.points",
        says="adversarial training with the regulariser has an area about 24 points above plain adversarial training",
        formula=r"AUC_{AT+\beta} - AUC_{AT} = 0.24",
        theory=lambda **_: Reported(_printed(), per_draw=_absolute),
        status="extension",
        credit="ours",
        reading="The other way to read 'improves by about 24%', as points of an area that is 1 at most: networks tell"
        f" both apart. {BEST}",
        decoys=(Decoy("it has the same area", lambda **_: Reported(0.0, per_draw=_absolute)),),
    ),
)
