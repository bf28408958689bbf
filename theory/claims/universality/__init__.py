"""Beyond the papers: how far the laws of Gaussian matrices hold for others."""

from fragility.claim import Claim
from theory.claims.universality import limits, moments

CLAIMS: tuple[Claim, ...] = (
    *moments.CLAIMS,
    *limits.CLAIMS,
)
