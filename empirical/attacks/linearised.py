"""Shortest perturbations that reach a half-space without leaving the box, and repeated linearisation by them.

    minimise ||d||_2   subject to   normal . d >= offset,   low <= x + d <= high

has the solution d(t) = clip(t normal, low - x, high - x) at the least multiplier t >= 0 with normal . d(t) >= offset.
That product is concave and piecewise linear in t >= 0, so a step of Newton's method from anywhere ends at the solution
or short of it, and the next ones approach it from there: at most as many as coordinates reach a limit, in practice ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.attacks.judge import Box, lengths, spread

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.pairs import Pairs

NEWTON = 100  # steps at most: only degenerate problems take more than 20, and what they lack is then small
BEYOND = (1.0005, 1.003, 1.01)  # tried of the points kept: one on a tangent may, by curvature, miss the boundary
REST = 1e-4  # relative distance of a point from its projection that counts as none
CORRECTION = 0.05  # relative change of length up to which a point is put on its tangent along the ray


def nearest(x: Tensor, normal: Tensor, offset: Tensor, box: Box, guess: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The shortest d with normal . d >= offset and x + d in the box, (rows, n), and its multiplier t, (rows,).

    Where no point of the box is far enough, d leads as far along the normal as a step has tried, short of the offset.

    Parameters
    ----------
    x, normal : (rows, n), of one floating dtype; x lies in the box.
    offset : (rows,); d = 0 where it is not positive.
    box : lowest and highest value of every coordinate, or None.
    guess : (rows,) multipliers to start from, at least 0: a step from beyond the solution falls short of it, too.
    """
    import torch

    close = torch.finfo(x.dtype).eps * 8
    delta, multiplier = torch.zeros_like(x), torch.zeros_like(offset) if guess is None else guess.where(offset > 0, 0.0)
    rows = (offset > 0).nonzero()[:, 0]
    at, along, goal, found = x[rows], normal[rows], offset[rows], multiplier[rows]
    squares = along.square()
    for _ in range(NEWTON):
        if not len(rows):
            break
        moved = torch.addcmul(at, found[:, None], along)
        inside = moved if box is None else moved.clamp(*box)
        step = inside - at
        missing = goal - (along * step).sum(1)
        slope = (squares * (inside == moved)).sum(1)
        going = (missing.abs() > goal * close) & ((slope > 0) | (missing < 0))
        if int(going.sum()) <= len(rows) / 2:  # to go on with few rows is worth a copy
            delta[rows], multiplier[rows] = step, found
            rows, at, along, goal, found = rows[going], at[going], along[going], goal[going], found[going]
            squares, missing, slope, going = squares[going], missing[going], slope[going], going[going]
        stepped = (found + missing / slope).clamp(min=0).where(slope > 0, 0.0)  # all at their limits: from 0 again
        found = torch.where(going, stepped, found)
    else:
        delta[rows], multiplier[rows] = step, found
    return delta, multiplier


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
