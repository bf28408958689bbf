"""Distances of Gaussian data: of two points, of a point to its nearest, of the closest pair, of opposite labels.

The columns of H_L ... H_1 are n points; of one square factor, as many as dimensions. Pairs are taken from the Gram
matrix, a few rows at a time. In the other setting of the paper the points are A z with signs z, and the label is the
sign of the last one: half the difference of two points of opposite label is +-a_n + sum_k u_k a_k with u_k in
{-1, 0, 1}, and all 3^(n-1) lengths are measured, each half of the columns having been combined beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fragility.engine.study import Method, Study
from simulate.qr_product import STUDY as PRODUCT
from simulate.qr_product import draw, floats, points, product

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

CLOSE = 0.7  # of the root mean square distance: pairs below it are counted
SHORT = 0.8  # of sqrt(n): as much for the halved differences of opposite labels
MOST_POINTS = 1 << 14  # of which all pairs are measured
MOST_SIGNS = 13
BLOCK = 1 << 20  # distances held at once


def measure(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """Each (size,): distance of the last two points, nearest to the last, closest pair, its deficit, close_pairs.

    deficit is 1 - closest over the root mean square distance, close_pairs the share of the pairs that are closer than
    0.7 of that.
    """
    xp = backend.xp
    columns = xp.swapaxes(product(backend, world), 1, 2)
    size, typical = len(columns), math.sqrt(2 * math.prod(rows))
    powers = xp.sum(columns**2, axis=2)
    closest, close = xp.full(size, xp.inf), xp.zeros(size)
    step = max(BLOCK // (size * n), 1)
    for start in range(0, n, step):
        block = columns[:, start : start + step]
        squares = powers[:, start : start + step, None] + powers[:, None, :]
        squares -= 2 * xp.matmul(block, xp.swapaxes(columns, 1, 2))
        later = xp.arange(n)[None, :] > xp.arange(start, start + block.shape[1])[:, None]
        squares = xp.where(later, squares, xp.inf)
        closest = xp.minimum(closest, xp.min(squares, axis=(1, 2)))
        close = close + xp.sum(squares < (CLOSE * typical) ** 2, axis=(1, 2))
    steps = xp.linalg.norm(columns[:, :-1] - columns[:, -1:], axis=2)
    closest = xp.sqrt(xp.maximum(closest, 0.0))
    return {
        "distance": steps[:, -1],
        "nearest": xp.min(steps, axis=1),
        "closest": closest,
        "deficit": 1 - closest / typical,
        "close_pairs": close / math.comb(n, 2),
    }


def draw_star(stream: Stream, size: int, n: int, rows: Sequence[int]) -> tuple[Array, ...]:
    """What one of n points sees of the others in R^d, rows = (d,): see `measure_star`."""
    d = rows[0]
    return (
        stream.normal(size, 1),
        stream.chi(d - 1, size, 1),
        stream.normal(size, n - 1),
        stream.normal(size, n - 1),
        stream.chi(d - 2, size, n - 1),
    )


def measure_star(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """How far a point may go in a fixed direction until another one is nearer, each (size,).

    random_tolerance as it is, scaled_tolerance times sqrt(2 ln n), which is what the foremost of n points is ahead.
    In coordinates of which the first is the direction and the second turned so that the point lies in the plane of
    both, only the first two coordinates and the length of the rest matter. Infinite if the point is the foremost.
    """
    xp = backend.xp
    front, side, fronts, sides, rests = world
    leads = fronts - front
    squares = leads**2 + (sides - side) ** 2 + rests**2
    with_lead = leads > 0
    turns = xp.where(with_lead, squares / xp.where(with_lead, 2 * leads, 1.0), xp.inf)
    tolerance = xp.min(turns, axis=1)
    return {"random_tolerance": tolerance, "scaled_tolerance": tolerance * math.sqrt(2 * math.log(n))}


def measure_signs(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """Each (size,): opposite, least distance of A z and A z' with z_n = 1, z'_n = -1; its deficit; short_differences.

    opposite_deficit is 1 - opposite / (2 sqrt(n)), short_differences the share of the 3^(n-1) differences shorter than
    1.6 sqrt(n).
    """
    xp = backend.xp
    columns = xp.swapaxes(product(backend, world), 1, 2)
    half = n // 2
    one = _combinations(backend, columns[:, -1:], columns[:, :half])
    other = _combinations(backend, xp.zeros_like(columns[:, -1:]), columns[:, half:-1])
    squares = xp.sum(one**2, axis=2)[:, :, None] + xp.sum(other**2, axis=2)[:, None, :]
    squares += 2 * xp.matmul(one, xp.swapaxes(other, 1, 2))
    shortest = xp.sqrt(xp.maximum(xp.min(squares, axis=(1, 2)), 0.0))
    return {
        "opposite": 2 * shortest,
        "opposite_deficit": 1 - shortest / n**0.5,
        "short_differences": xp.mean(squares < SHORT**2 * n, axis=(1, 2)),
    }


def _combinations(backend: Backend, start: Array, columns: Array) -> Array:
    """start + sum_k u_k columns_k for all u_k in {-1, 0, 1}: (size, 1, m) and (size, k, m) to (size, 3^k, m)."""
    table = start
    for k in range(columns.shape[1]):
        column = columns[:, k : k + 1]
        table = backend.xp.concatenate([table - column, table, table + column], axis=1)
    return table


def _needs_pairs(n: int, rows: Sequence[int]) -> str | None:
    if 2 <= n <= MOST_POINTS:
        return None
    return f"all pairs are measured of 2 to {MOST_POINTS} points, got n = {n}: --method star sees more from one of them"


def _needs_plane(n: int, rows: Sequence[int]) -> str | None:
    if n < 2 or len(rows) != 1 or rows[0] < 3:
        return "coordinates of the others seen from one point: one layer of at least 3 rows, n >= 2"
    return None


def _needs_few(n: int, rows: Sequence[int]) -> str | None:
    if not 2 <= n <= MOST_SIGNS or rows[-1:] != (n,):
        return f"all differences of signs are measured for 2 <= n <= {MOST_SIGNS}, last height n: got n = {n}"
    return None


STUDY = Study(
    name="simulate.separation",
    says="distances of Gaussian data, through layers or between sums of signs (feature compression, Theorems 1, 4, 6)",
    grid=PRODUCT.grid,
    points=points,
    methods={
        "pairs": Method(
            "all pairs of n points",
            draw,
            measure,
            lambda **_: ("distance", "nearest", "closest", "deficit", "close_pairs"),
            lambda n, rows: floats(n, rows) + 3 * n * max(rows) + 3 * n,
            _needs_pairs,
        ),
        "star": Method(
            "distances from one point of one layer, in few coordinates",
            draw_star,
            measure_star,
            lambda **_: ("random_tolerance", "scaled_tolerance"),
            lambda n, rows: 7 * n,
            _needs_plane,
        ),
        "signs": Method(
            "all differences of points A z of opposite label",
            draw,
            measure_signs,
            lambda **_: ("opposite", "opposite_deficit", "short_differences"),
            lambda n, rows: floats(n, rows) + 3 ** (n - 1) + 2 * n * 3 ** (n // 2),
            _needs_few,
        ),
    },
    # As many points as dimensions, few and more; two layers, equal and not; a matrix of signs' size.
    table=(
        {"n": 5, "rows": (5,)},
        {"n": 16, "rows": (16,)},
        {"n": 12, "rows": (4,)},
        {"n": 8, "rows": (8, 8)},
        {"n": 4, "rows": (12, 9)},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
