"""Random worlds for statements with two sides: WORLDS maps the id of a bound or an identity to a function of a
NumPy generator that draws the keyword arguments of the claim's `theory`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from simulate.worlds import (
    attack_size,
    circulant,
    conclusions,
    condition_layers,
    conditioning,
    consistency,
    convnorm,
    depth,
    gaussian_spectrum,
    gradient_plane,
    last_column,
    latent,
    margins,
    optimal_tolerance,
    path_length,
    probes,
    robust_accuracy,
    separation,
    tolerance_ratio,
    truncation,
    wide_resnet,
)

WORLDS: dict[str, Callable[[np.random.Generator], dict[str, Any]]] = {}
for module in (
    attack_size,
    circulant,
    conclusions,
    condition_layers,
    conditioning,
    consistency,
    convnorm,
    depth,
    gaussian_spectrum,
    gradient_plane,
    last_column,
    latent,
    margins,
    optimal_tolerance,
    path_length,
    probes,
    robust_accuracy,
    separation,
    tolerance_ratio,
    truncation,
    wide_resnet,
):
    WORLDS |= module.WORLDS
