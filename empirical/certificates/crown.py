"""Certified radii of ReLU networks by linear relaxation over an l2 ball (CROWN, Zhang et al. 2018).

The bounds at a radius are those of `empirical.certificates.backward`; here is the search for the largest radius.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from empirical.certificates.alpha import optimised
from empirical.certificates.backward import margins
from empirical.decisions.inputs import dense, numbers
from fragility.engine.study import UsageError

SLACK = 1e-6  # far above what rounding can add in float64
TRIALS = 60
CLOSE = 1e-4  # relative width at which the search for a radius ends


def largest(
    margin: Callable[[np.ndarray], np.ndarray], start: np.ndarray, clean: np.ndarray, close: float = CLOSE
) -> np.ndarray:
    """The largest radius found at which `margin` is positive, (size,), from one that is known to hold; 0 stays 0.

    What a margin loses grows about as a power of the radius. Tried next is where the power through the last two trials
    leaves nothing, a little to the side on which no trial lies yet, and every fourth time the middle of the interval.
    Every radius returned, other than the start, was tried itself: nothing is assumed of radii in between.

    Parameters
    ----------
    margin : of radii (size,), certified margins (size,), above 0 where the radius is certified.
    start : (size,) radii that are certified already.
    clean : (size,) the margins at radius 0.
    close : relative width of the interval between a certified and a failed radius that ends the search.
    """
    held, failed = start.copy(), np.where(start > 0, np.inf, 0.0)
    trial = np.where(np.isfinite(start), start * 1.1, 1.0)
    last, last_lost = np.zeros(len(start)), np.zeros(len(start))
    for count in range(1, TRIALS + 1):
        left = margin(trial)
        good = left > 0
        held, failed = np.where(good, np.maximum(held, trial), held), np.where(good, failed, np.minimum(failed, trial))
        if np.all(held >= (1 - close) * failed):
            break
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            lost = (clean - left) / clean
            power = np.log(lost / last_lost) / np.log(trial / last)
            power = np.where(power > 0, power, 2.0)  # of the first trial none is known
            aim = trial * lost ** (-1 / power) * (1 + np.where(good, close, -close) / 3)
        last, last_lost = trial, lost
        middle = np.where(np.isinf(failed), 2 * trial, (held + failed) / 2)
        inner = (aim > held) & (aim < np.minimum(failed, 16 * trial))
        trial = np.where(inner & (count % 4 > 0), aim, middle)
    return held


def crown_distance(
    layers: Sequence[tuple[np.ndarray, np.ndarray]], x: Any, label: Any, target: Any, start: Any, slope_steps: int = 0
) -> np.ndarray:
    """Largest certified radius of each point, (size,): within it the label stays ahead, or the target behind.

    Parameters
    ----------
    layers : (weight (size or 1, out, in), bias (size or 1, out)), with ReLU between them.
    x : (size, n).
    start : (size,) radii already certified, at least 0.
    slope_steps : at least 0; with more, the search goes on from the radius found, with slopes of the lower lines that
        so many steps of gradient ascent choose anew for each trial (`empirical.certificates.alpha`).

    Raises
    ------
    UsageError : for what is not finite or does not fit together, fewer than two classes, or a start or steps below 0.
    """
    layers, x, label, target = dense(layers, x, label, target)
    start = numbers("start", start, (len(x),), finite=False)
    if (start < 0).any():
        raise UsageError(f"start must be at least 0, got {start.min()}")
    if slope_steps < 0:
        raise UsageError(f"slope_steps must be at least 0, got {slope_steps}")
    classes = layers[-1][0].shape[1]
    chosen, sign = (label, 1) if target is None else (target, -1)
    rivals = np.array([[rival for rival in range(classes) if rival != own] for own in chosen])
    rows = sign * (np.eye(classes)[chosen][:, None, :] - np.eye(classes)[rivals])  # of the chosen class against each
    worst = np.min if target is None else np.max

    def margin(radius: np.ndarray) -> np.ndarray:
        return worst(margins(layers, x, rows, radius)[0], axis=1)

    clean = margin(np.zeros(len(x)))
    found = largest(margin, start, clean)
    if slope_steps:
        found = largest(lambda radius: worst(optimised(layers, x, rows, radius, slope_steps), axis=1), found, clean)
    return found * (1 - SLACK)
