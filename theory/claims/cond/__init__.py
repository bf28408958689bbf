"""Conditioning, statement by statement in the order of the paper, and what it prints and concludes."""

from fragility.claim import Claim
from theory.claims.cond import (
    conclusions_on_accuracy,
    conclusions_on_layers,
    condition_layers,
    condition_numbers,
    consistency,
    gaussian_spectrum,
    gradient_attacks,
    relative_errors,
    reported,
    trained_accuracy,
    trained_errors,
    trained_fragility,
    trained_networks,
    two_class_attacks,
)

CLAIMS: tuple[Claim, ...] = (
    *relative_errors.CLAIMS,
    *condition_numbers.CLAIMS,
    *condition_layers.CLAIMS,
    *gaussian_spectrum.CLAIMS,
    *gradient_attacks.CLAIMS,
    *two_class_attacks.CLAIMS,
    *reported.CLAIMS,
    *consistency.CLAIMS,
    *conclusions_on_layers.CLAIMS,
    *conclusions_on_accuracy.CLAIMS,
    *trained_networks.CLAIMS,
    *trained_errors.CLAIMS,
    *trained_accuracy.CLAIMS,
    *trained_fragility.CLAIMS,
)
