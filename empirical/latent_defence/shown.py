"""One image beside the nearest that a classifier of each space takes for another class: Figure 1 of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from empirical.latent_defence.pixels import Found, Pipeline

if TYPE_CHECKING:
    from torch import Tensor


def shown(attacked: Sequence[tuple[Pipeline, Found]]) -> dict[str, np.ndarray]:
    """The first image that the classifiers of all spaces have right, or else the first of all; what flips each of them.

    Parameters
    ----------
    attacked : a classifier of every space, all at the same images, and the smallest perturbations found for it.
    """
    number = int(np.argmax(np.all([pipeline.right for pipeline, _ in attacked], axis=0)))  # 0 where there is none
    moved, taken_for = [], []
    for pipeline, found in attacked:
        delta = found.delta if found.lengths[number] > 0 else 0 * found.delta  # what is wrong already stays where it is
        moved.append(_pixels(pipeline.x + delta, number))
        taken_for.append(float(pipeline.taken_for(delta)[number]))
    first, lengths = attacked[0][0], np.array([found.lengths[number] for _, found in attacked])
    reached = np.isfinite(lengths)
    return {
        "picture": _pixels(first.x, number),
        "picture_label": np.array(float(first.labels[number])),
        "picture_attacked": np.where(reached[:, None], np.stack(moved), np.nan),
        "picture_length": lengths,
        "picture_as": np.where(reached, taken_for, np.nan),
    }


def _pixels(x: Tensor, number: int) -> np.ndarray:
    return x[number].flatten().double().cpu().numpy()
