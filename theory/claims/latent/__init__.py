"""Latent and SVD defences, statement by statement in the order of the paper."""

from fragility.claim import Claim
from theory.claims.latent import codes, reported, truncated_networks, truncation

CLAIMS: tuple[Claim, ...] = (
    *truncation.CLAIMS,
    *truncated_networks.CLAIMS,
    *codes.CLAIMS,
    *reported.CLAIMS,
)
