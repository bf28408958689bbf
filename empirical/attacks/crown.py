"""Certified radii of ReLU networks by linear relaxation over an l2 ball (CROWN, Zhang et al. 2018).

Bounds of every layer's inputs come from the same backward pass as those of the margins: a ReLU between l < 0 < u lies
below the chord u (p - l) / (u - l) and above s p for every slope s in [0, 1] (here 1 if u > -l, else 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from empirical.attacks.inputs import dense, numbers
from simulate.engine.study import UsageError

SLACK = 1e-6  # far above what rounding can add in float64
TRIALS = 60
CLOSE = 1e-4  # relative width at which the search for a radius ends
Lines = tuple[np.ndarray, np.ndarray, np.ndarray]


def lines(low: Any, high: Any, xp: Any = np) -> tuple[Any, Any, Any]:
    """Slopes of the lower and the upper line of a ReLU on [low, high], and the upper line's constant."""
    width = xp.where(high > low, high - low, 1.0)
    chord = xp.where(low >= 0, 1.0, xp.where(high <= 0, 0.0, high / width))
    under = xp.where(low >= 0, 1.0, xp.where(high <= 0, 0.0, xp.where(high > -low, 1.0, 0.0)))
    return under, chord, xp.where((low < 0) & (high > 0), -low * chord, 0.0)


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
            bounds.append(lines(low, -_below(layers, bounds, -identity, depth, x, radius)))
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
    for (weight, bias), (under, chord, offset) in zip(
        layers[depth - 1 :: -1] if depth else (), bounds[::-1], strict=True
    ):
        negative = np.minimum(slopes, 0)
        constant = constant + (negative * offset[:, None, :]).sum(2)
        slopes = np.maximum(slopes, 0) * under[:, None, :] + negative * chord[:, None, :]
        constant = constant + (slopes @ np.broadcast_to(bias, (len(x), bias.shape[1]))[:, :, None])[:, :, 0]
        slopes = slopes @ weight
    centre = (slopes @ x[:, :, None])[:, :, 0] + constant
    return centre - radius[:, None] * np.linalg.norm(slopes, axis=2)
