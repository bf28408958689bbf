"""The table of claims: a row per statement of the papers, with its theory, its evidence and its near-misses.

Rows stand by mathematical object, each in the file that bears the object's name in every room; here they are put in the
order of the papers.
"""

from theory.claim import Claim
from theory.claims import (
    angles,
    attack_size,
    average_tolerance,
    bounded_attacks,
    cascade,
    circulant,
    classes,
    compression,
    conclusions,
    condition_conclusions,
    condition_layers,
    condition_numbers,
    conditioning,
    consistency,
    convnorm,
    convnorm_conclusions,
    depth,
    distances,
    gaussian_spectrum,
    gradient_plane,
    joint_bounds,
    joint_exact,
    last_column,
    latent,
    margins,
    optimal_tolerance,
    path_length,
    path_tables,
    probes,
    qr_product,
    reported,
    robust_accuracy,
    separation,
    tolerance_ratio,
    trained_networks,
    truncation,
    universal_limits,
    universality,
    wide_resnet,
)

_ROWS: tuple[Claim, ...] = (
    # Feature compression
    *separation.CLAIMS,
    *distances.CLAIMS,
    *last_column.CLAIMS,
    *attack_size.CLAIMS,
    *bounded_attacks.CLAIMS,
    *tolerance_ratio.CLAIMS,
    *average_tolerance.CLAIMS,
    *qr_product.CLAIMS,
    *depth.CLAIMS,
    *probes.CLAIMS,
    *classes.CLAIMS,
    *optimal_tolerance.CLAIMS,
    *angles.CLAIMS,
    *trained_networks.CLAIMS,
    *gradient_plane.CLAIMS,
    *compression.CLAIMS,
    *path_length.CLAIMS,
    *path_tables.CLAIMS,
    # Joint margin bounds
    *margins.CLAIMS,
    *joint_bounds.CLAIMS,
    *joint_exact.CLAIMS,
    # Conditioning
    *conditioning.CLAIMS,
    *condition_numbers.CLAIMS,
    *condition_layers.CLAIMS,
    *gaussian_spectrum.CLAIMS,
    # Latent and SVD defences
    *truncation.CLAIMS,
    *cascade.CLAIMS,
    *latent.CLAIMS,
    # ConvNorm
    *circulant.CLAIMS,
    *convnorm.CLAIMS,
    *wide_resnet.CLAIMS,
    *robust_accuracy.CLAIMS,
    # Beyond the papers
    *universality.CLAIMS,
    *universal_limits.CLAIMS,
    # What the papers measured
    *reported.CLAIMS,
    *consistency.CLAIMS,
    *condition_conclusions.CLAIMS,
    *conclusions.CLAIMS,
    *convnorm_conclusions.CLAIMS,
)


def _beside(rows: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """The rows with every correction right after the first statement that it puts right."""
    corrections = {row.id: row for row in rows if row.status == "corrected"}
    ordered: list[Claim] = []
    for row in rows:
        if row.status != "corrected":
            ordered.append(row)
            ordered += [corrections.pop(name) for name in row.instead if name in corrections]
    return (*ordered, *corrections.values())


CLAIMS = _beside(_ROWS)
