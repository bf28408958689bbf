"""ConvNorm, statement by statement in the order of the paper, and what it prints and concludes."""

from fragility.claim import Claim
from theory.claims.norm import (
    attacks,
    circulant,
    conclusions,
    consistency,
    convnorm,
    initial_kernels,
    normalised_norms,
    reported,
    trained_accuracy,
    trained_norms,
    trained_robustness,
    wide_resnet,
)

CLAIMS: tuple[Claim, ...] = (
    *circulant.CLAIMS,
    *initial_kernels.CLAIMS,
    *convnorm.CLAIMS,
    *normalised_norms.CLAIMS,
    *wide_resnet.CLAIMS,
    *attacks.CLAIMS,
    *reported.CLAIMS,
    *consistency.CLAIMS,
    *conclusions.CLAIMS,
    *trained_accuracy.CLAIMS,
    *trained_robustness.CLAIMS,
    *trained_norms.CLAIMS,
)
