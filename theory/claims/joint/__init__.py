"""Joint margin bounds, statement by statement in the order of the paper."""

from fragility.claim import Claim
from theory.claims.joint import (
    bounds,
    margins,
    optimum,
    reported,
    robust_accuracy,
    trained_certificates,
    trained_networks,
)

CLAIMS: tuple[Claim, ...] = (
    *margins.CLAIMS,
    *bounds.CLAIMS,
    *optimum.CLAIMS,
    *robust_accuracy.CLAIMS,
    *reported.CLAIMS,
    *trained_networks.CLAIMS,
    *trained_certificates.CLAIMS,
)
