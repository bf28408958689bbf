"""Certified radii of ReLU networks by linear relaxation over an l2 ball (CROWN, Zhang et al. 2018).

Bounds of every layer's inputs come from the same backward pass as those of the margins, and each ReLU lies between the
two lines of `theory.things.relaxation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from empirical.attacks.inputs import dense, numbers
from fragility.engine.study import UsageError
from theory.things.relaxation import Lines, relu_lines

SLACK = 1e-6  # far above what rounding can add in float64
TRIALS = 60
CLOSE = 1e-4  # relative width at which the search for a radius ends


def largest(certified: Callable[[np.ndarray], np.ndarray], start: np.ndarray, close: float = CLOSE) -> np.ndarray:
    """The largest radius found for which `certified` holds, (size,), from a radius that is known to hold; 0 stays 0.

    Every radius returned, other than the start, was tried itself: nothing is assumed of radii in between.
    """
    held, failed = start.copy(), np.where(start > 0, np.inf, 0.0)
    trial = np.where(np.isfinite(start), start * 1.1, 1.0)
    for _ in range(TRIALS):
        good = certified(trial)
        held, failed = np.where(good, np.maximum(held, trial), held), np.where(good, failed, np.minimum(failed, trial))
        if np.all(held >= (1 - close) * failed):
            break
        trial = np.where(np.isinf(failed), 2 * trial, (held + failed) / 2)
    return held


def crown_distance(
    layers: Sequence[tuple[np.ndarray, np.ndarray]], x: Any, label: Any, target: Any, start: Any
) -> np.ndarray:
    """Largest certified radius of each point, (size,): within it the label stays ahead, or the target behind.

    Parameters
    ----------
    layers : (weight (size or 1, out, in), bias (size or 1, out)), with ReLU between them.
    x : (size, n).
    start : (size,) radii already certified, at least 0.

    Raises
    ------
    UsageError : for what is not finite or does not fit together, fewer than two classes, or a start below 0.
    """
    layers, x, label, target = dense(layers, x, label, target)
    start = numbers("start", start, (len(x),), finite=False)
    if (start < 0).any():
        raise UsageError(f"start must be at least 0, got {start.min()}")
    classes = layers[-1][0].shape[1]
    chosen = label if target is None else target
    rows = np.eye(classes)[chosen][:, None, :] - np.eye(classes)  # of the chosen class against each
    own = np.arange(classes) == chosen[:, None]

    def certified(radius: np.ndarray) -> np.ndarray:
        bounds: list[Lines] = []
        for depth, (weight, _) in enumerate(layers[:-1]):
            identity = np.broadcast_to(np.eye(weight.shape[1]), (len(x), *[weight.shape[1]] * 2))
            low = _below(layers, bounds, identity, depth, x, radius)
            high = -_below(layers, bounds, -identity, depth, x, radius)
            bounds.append(relu_lines(low[:, None, :], high[:, None, :], level=0))
        if target is None:
            return np.where(own, np.inf, _below(layers, bounds, rows, len(layers) - 1, x, radius)).min(1) > 0
        return np.where(own, -np.inf, _below(layers, bounds, -rows, len(layers) - 1, x, radius)).max(1) > 0

    return largest(certified, start) * (1 - SLACK)


def _below(
    layers: Sequence[tuple[np.ndarray, np.ndarray]],
    bounds: Sequence[Lines],
    rows: np.ndarray,
    depth: int,
    x: np.ndarray,
    radius: np.ndarray,
) -> np.ndarray:
    """Lower bounds of rows @ (what layer `depth` gives) over the ball, (size, rows)."""
    weight, bias = layers[depth]
    constant = (rows @ np.broadcast_to(bias, (len(x), bias.shape[1]))[:, :, None])[:, :, 0]
    slopes = rows @ weight
    for (weight, bias), lines in zip(layers[depth - 1 :: -1] if depth else (), bounds[::-1], strict=True):
        slopes, added = lines.lowest(slopes)
        constant = constant + added.sum(2)
        constant = constant + (slopes @ np.broadcast_to(bias, (len(x), bias.shape[1]))[:, :, None])[:, :, 0]
        slopes = slopes @ weight
    centre = (slopes @ x[:, :, None])[:, :, 0] + constant
    return centre - radius[:, None] * np.linalg.norm(slopes, axis=2)
