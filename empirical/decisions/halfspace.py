"""The nearest point of a half-space that a box holds: the shortest perturbation of a linear margin.

    minimise ||d||_2   subject to   normal . d >= offset,   low <= x + d <= high

has the solution d(t) = clip(t normal, low - x, high - x) at the least multiplier t >= 0 with normal . d(t) >= offset.
That product is concave and piecewise linear in t >= 0, so a step of Newton's method from anywhere ends at the solution
or short of it, and the next ones approach it from there: at most as many as coordinates reach a limit, in practice ten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from empirical.decisions.judge import Box

if TYPE_CHECKING:
    from torch import Tensor

NEWTON = 100  # steps at most: only degenerate problems take more than 20, and what they lack is then small


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
