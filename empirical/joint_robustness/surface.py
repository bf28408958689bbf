"""Accuracy over a grid of input and weight radii: the attack of every cell, and the area under what is left."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.attacks.joint import Ascent

BATCH = 100  # images that share one perturbation of the weights, where they share it
FLOATS = 1 << 21  # of weights and images that are attacked side by side: 8 MB, which a processor's cache holds


def survivors(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    radii_x: Sequence[float],
    radii_w: Sequence[float],
    ascent: Ascent,
    shared: bool,
    seed: int = 0,
) -> np.ndarray:
    """Whether each image is classified right after the attack of each cell, (images, x, w) of bool.

    Every cell is attacked on its own, from the clean point; that of radii 0 is the clean decision.

    Parameters
    ----------
    x : (images, ...) in [0, 1].
    y : (images,) int64.
    shared : whether the images of each batch of 100 share one perturbation of the weights; else each has its own.
    seed : of random starts, which are a function of it, the cell and the group.
    """
    found = np.zeros((len(x), len(radii_x), len(radii_w)), bool)
    first = 0
    for size, count in _groups(len(x), shared):
        chosen = slice(first, first + size * count)
        first += size * count
        some = x[chosen].unflatten(0, (count, size)), y[chosen].unflatten(0, (count, size))
        right = _attacked(model, *some, radii_x, radii_w, ascent, seed + chosen.start)
        found[chosen] = right.transpose(2, 3, 0, 1).reshape(count * size, len(radii_x), len(radii_w))
    return found


def _groups(images: int, shared: bool) -> list[tuple[int, int]]:
    """(images of a group, groups of that size), in the order of the images."""
    if not shared:
        return [(1, images)]
    whole, rest = divmod(images, BATCH)
    return [(size, count) for size, count in ((BATCH, whole), (rest, 1)) if size * count]


def _attacked(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    radii_x: Sequence[float],
    radii_w: Sequence[float],
    ascent: Ascent,
    seed: int,
) -> np.ndarray:
    """(x, w, groups, B) of bool, of groups (groups, B, ...): cells that move the same things go side by side."""
    from empirical.attacks.joint import joint_attack

    found = np.zeros((len(radii_x), len(radii_w), *y.shape), bool)
    places = list(product(range(len(radii_x)), range(len(radii_w)), range(len(x))))
    for moves in product((False, True), repeat=2):
        alike = [place for place in places if (radii_x[place[0]] > 0, radii_w[place[1]] > 0) == moves]
        floats = x[0].numel() + moves[1] * sum(value.numel() for value in model.parameters())
        at_once = max(1, FLOATS // floats)
        for start in range(0, len(alike), at_once):
            some = alike[start : start + at_once]
            i, j, group = (list(column) for column in zip(*some, strict=True))
            budgets = [radii_x[k] for k in i], [radii_w[k] for k in j]
            seeds = [(seed, *place) for place in some]
            found[i, j, group] = joint_attack(model, x[group], y[group], *budgets, ascent, seeds).right.cpu().numpy()
    return found


def worst(found: Sequence[np.ndarray], shared: bool) -> np.ndarray:
    """Of several attacks on the same images, each (images, x, w), the one that leaves the fewest of a group right."""
    result = found[0].copy()
    first = 0
    for size, count in _groups(len(result), shared):
        for begin in range(first, first + size * count, size):
            group = slice(begin, begin + size)
            counts = np.stack([right[group].sum(0) for right in found])
            result[group] = np.take_along_axis(
                np.stack([right[group] for right in found]), counts.argmin(0)[None, None], axis=0
            )[0]
        first += size * count
    return result


def running_minimum(accuracy: np.ndarray) -> np.ndarray:
    """The least accuracy at radii that are no larger, (..., x, w): what an attack does there it may do here, too."""
    return np.minimum.accumulate(np.minimum.accumulate(accuracy, -1), -2)


def volume(accuracy: np.ndarray, radii_x: Sequence[float], radii_w: Sequence[float]) -> np.ndarray:
    """Mean of accuracy (..., x, w) over the rectangle of radii, by the trapezoid rule in both: 1 where all are 1.

    The paper's "AUC" is not defined in it; this is the integral over the rectangle's area, of which nothing depends
    on units.
    """
    inner = np.trapezoid(accuracy, radii_w, axis=-1) / (radii_w[-1] - radii_w[0])
    return np.trapezoid(inner, radii_x, axis=-1) / (radii_x[-1] - radii_x[0])
