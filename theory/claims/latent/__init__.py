"""Latent and SVD defences, statement by statement in the order of the paper."""

from fragility.claim import Claim
from theory.claims.latent import (
    codes,
    trained_attacks,
    trained_codes,
    trained_controls,
    trained_spectra,
    truncated_networks,
    truncation,
)

CLAIMS: tuple[Claim, ...] = (
    *truncation.CLAIMS,
    *truncated_networks.CLAIMS,
    *codes.CLAIMS,
    *trained_codes.CLAIMS,
    *trained_attacks.CLAIMS,
    *trained_spectra.CLAIMS,
    *trained_controls.CLAIMS,
)
