"""Joint margin bounds, statement by statement in the order of the paper."""

from fragility.claim import Claim
from theory.claims.joint import bounds, margins, optimum, reported, robust_accuracy

CLAIMS: tuple[Claim, ...] = (
    *margins.CLAIMS,
    *bounds.CLAIMS,
    *optimum.CLAIMS,
    *robust_accuracy.CLAIMS,
    *reported.CLAIMS,
)
