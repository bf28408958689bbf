"""Repeated linearisation of a boundary: from clean points onto its tangents, by parts of steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.decisions.halfspace import nearest
from empirical.decisions.judge import lengths, spread

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.pairs import Pairs

BEYOND = (1.0005, 1.003, 1.01)  # tried of the points kept: one on a tangent may, by curvature, miss the boundary
REST = 1e-4  # relative distance of a point from its projection that counts as none
CORRECTION = 0.05  # relative change of length up to which a point is put on its tangent along the ray


def projections(pairs: Pairs, start: Tensor, rates: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Moves towards the nearest point of each row's linearised boundary, again and again, and keeps the shortest.

    Where a boundary is made of pieces, full steps go to and fro between them; parts of steps, ever smaller ones, settle
    near the ridge where they meet. Returns points (rows, ...), and their distances (rows,) in float64, inf where the
    rival is not ahead. A row that has come to rest takes no further steps.

    Parameters
    ----------
    pairs : rows of points and rivals.
    start : (rows, ...) points at which the boundaries are linearised first.
    rates : the part of the way from the point to the projection that is gone at each step.
    """
    from torch import arange, full_like, lerp

    held, kept = start.clone(), full_like(pairs.x.flatten(1)[:, 0].double(), math.inf)  # where the rival was ahead
    near, least = start.clone(), kept.clone()  # on the ray through a point, where its tangent says that it gets ahead
    point, rows, multiplier = start, arange(len(start), device=start.device), None
    for rate in (*rates, None):
        some = pairs.at(rows)
        ahead, gradient = some.slope(point)
        x, way = some.x, (point - some.x).flatten(1)
        along = (gradient * way).sum(1)
        scale, length = 1 - ahead / along, way.double().norm(dim=1)
        _shorten(held, kept, rows, point, length.where(ahead > 0, math.inf))
        expected = (length * scale).where((scale - 1).abs() <= CORRECTION, math.inf)
        _shorten(near, least, rows, x + (scale[:, None] * way).reshape(x.shape), expected)
        if rate is None:
            break
        delta, multiplier = nearest(x.flatten(1), gradient, along - ahead, pairs.judge.box, multiplier)
        going = (delta - way).norm(dim=1) > REST * delta.norm(dim=1)
        point = pairs.judge.inside(x + lerp(way, delta, rate).reshape(x.shape))
        if not bool(going.any()):
            break
        if pairs.movable:
            rows, point, multiplier = rows[going], point[going], multiplier[going]
    rows = arange(len(start), device=start.device)
    for stretch in BEYOND:
        further = pairs.judge.inside(lerp(pairs.x, near, stretch))
        _shorten(held, kept, rows, further, lengths(pairs.x, further).where(pairs.ahead(further) > 0, math.inf))
    return held, kept


def _shorten(points: Tensor, distances: Tensor, rows: Tensor, candidates: Tensor, lengths: Tensor) -> None:
    """Puts candidates for some rows in the place of longer ones."""
    closer = lengths < distances[rows]
    points[rows] = candidates.where(spread(closer, candidates), points[rows])
    distances[rows] = lengths.where(closer, distances[rows])
