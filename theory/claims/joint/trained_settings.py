"""Where rows on networks trained for joint robustness speak, and where numbers stand in their recorded columns.

Axes of a column: seeds, trainings (in the order below), input radii, weight radii. Panels are those of Figure 1. The
text names (a), (b), (c) and (e); that (d) is AT with half of the regulariser, and (f) the training without attacks, is
inferred.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.convolution.robust_accuracy import area, monotone_envelope
from theory.numerics.array import Array

PANELS = {
    "standard": "(a)",
    "weight": "(b)",
    "adversarial": "(c)",
    "adversarial_beta_half": "(d)",
    "adversarial_beta": "(e)",
    "jiwp": "(f)",
    "awp": "",
}
STANDARD, WEIGHT, ADVERSARIAL, HALF, BETA, JIWP, AWP = range(len(PANELS))
SINGULAR, NON_SINGULAR = [STANDARD, WEIGHT, ADVERSARIAL], [HALF, BETA, JIWP]
ANY_WIDTH = np.array([0.0, 1.0])  # of a rectangle over which a surface does not change


def along_inputs(accuracy: Array, radii_x: Array) -> np.ndarray:
    """Mean accuracy over the input radii while the weights stand still, (...), of (..., x, w) and (x,)."""
    edge = monotone_envelope(accuracy)[0][..., :, 0]
    return area(np.stack((edge, edge), axis=-1), radii_x, ANY_WIDTH)


def along_weights(accuracy: Array, radii_w: Array) -> np.ndarray:
    """Mean accuracy over the weight radii while the inputs stand still, (...), of (..., x, w) and (w,)."""
    edge = monotone_envelope(accuracy)[0][..., 0, :]
    return area(np.stack((edge, edge), axis=-2), ANY_WIDTH, radii_w)


def regularised(auc: Array) -> Array:
    """The better of both settings of adversarial training with the regulariser, (seeds,), of (seeds, trainings)."""
    return np.max(auc[:, [HALF, BETA]], axis=1)


def networks(column: Array) -> Array:
    """One row for each network, (seeds * trainings, ...): rows on every network count networks, and not seeds."""
    return np.reshape(column, (-1, *column.shape[2:]))


def compared(architecture: str, dataset: str, held_out: int, **_: Any) -> bool:
    """Whether networks are set beside the paper's sentences: of MNIST's kind, large enough, on test images."""
    return architecture != "tiny" and dataset != "digits" and not held_out


def tiny(architecture: str, **_: Any) -> bool:
    """Whether there is an exact optimum."""
    return architecture == "tiny"
