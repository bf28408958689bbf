"""Perturbed weights and inputs: whether they lie within a budget, and by how much they raise every pairwise margin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from theory.numerics.array import Array
from theory.things.network import Network, pairwise_margins


def inside(weights: Sequence[Array], moved: Sequence[Array], radii: Sequence[float], scope: int = 0) -> None:
    """Refuses weights outside the ball of their radii; `scope` = 1 leaves the last row and column out, as printed.

    Raises
    ------
    ValueError : if an entry is further off than its radius (beyond rounding).
    """
    for weight, other, radius in zip(weights, moved, radii, strict=True):
        rows, columns = weight.shape[0] - scope, weight.shape[1] - scope
        off = np.abs(other - weight)[:rows, :columns]
        if off.size and np.max(off) > radius + (0 if weight.dtype == object else 1e-12):
            raise ValueError("the perturbed weights must lie within their radii")


def increase(
    weights: Sequence[Array],
    x: Array,
    moved: Sequence[Array],
    moved_x: Array,
    radii: Sequence[float],
    radius_x: float,
    activation: str = "relu",
) -> Array:
    """Perturbed less clean margins (K, K), measured on a network and an input that lie within the budget."""
    inside(weights, moved, radii)
    inside([x[None]], [moved_x[None]], [radius_x])
    after, before = (
        Network.dense(each, activation=activation).logits(point) for each, point in ((moved, moved_x), (weights, x))
    )
    return pairwise_margins(after) - pairwise_margins(before)


def _corners(center: Array, radius: float) -> Iterator[Array]:
    """All corners of the ball of an array, one by one; the centre alone if the radius is 0."""
    signs = product((-1, 1), repeat=center.size) if radius else [(0,) * center.size]
    for sign in signs:
        yield center + radius * np.reshape(np.array(sign), center.shape)


def highest_corner(weights: Sequence[Array], x: Array, radii: Sequence[float], radius_x: float) -> Array:
    """Largest increase of every pairwise margin over the corners of all balls, (K, K), by enumeration."""
    clean = pairwise_margins(Network.dense(weights).logits(x))
    balls = product(*(_corners(weight, radius) for weight, radius in zip(weights, radii, strict=True)))
    points = list(_corners(x, radius_x))
    found = [pairwise_margins(Network.dense(moved).logits(point)) for moved in balls for point in points]
    return np.max(np.stack(found), axis=0) - clean
