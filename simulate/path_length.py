"""Compression along the segment between two points of a random network, found by going backwards through its layers.

At equal distances from x_2 to x_1, both ends included, the gradient of the one output is taken and its cosine with the
segment, as Tables 5 to 7 of feature compression do for trained networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Method, Point, Study
from simulate import gradient_plane
from simulate.qr_product import draw as draw_factors

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

NODES = 9  # an odd number: the middle of the segment is one of them


def draw(stream: Stream, size: int, n: int, rows: Sequence[int] = (), **_: Any) -> gradient_plane.World:
    """Points x_2 and x_1, (size, 2, n), and the layers' weights up to a factor, the last with one row."""
    return stream.normal(size, 2, n), draw_factors(stream, size, n, (*rows, 1))


def measure(backend: Backend, world: gradient_plane.World, model: str, **_: Any) -> dict[str, Array]:
    """|cos theta| at x_2 (start), halfway (midpoint) and on average over the nodes (mean), each (size,).

    theta is the angle between the gradient and x_1 - x_2; the cosine is 0 where the gradient vanishes.
    """
    xp = backend.xp
    ends, weights = world
    difference = ends[:, 1] - ends[:, 0]
    cosines = []
    for k in range(NODES):
        point = ends[:, 0] + k / (NODES - 1) * difference
        gradient = gradient_plane.gradients_at(xp, point, weights, model)[:, 0]
        length = xp.linalg.norm(gradient, axis=1)
        inner = xp.abs(xp.sum(gradient * difference, axis=1)) / xp.linalg.norm(difference, axis=1)
        cosines.append(inner / xp.where(length > 0, length, 1.0))
    return {"start": cosines[0], "midpoint": cosines[NODES // 2], "mean": sum(cosines) / NODES}


def points(n: Sequence[int], model: Sequence[str], rows: Sequence[tuple[int, ...]] | None) -> list[Point]:
    """Every n with every model, and for networks every tuple of hidden heights."""
    sweep = gradient_plane.points(n, [1], model, rows)
    return [{axis: value for axis, value in point.items() if axis != "gradients"} for point in sweep]


STUDY = Study(
    name="simulate.path_length",
    says="compression along a segment in a random network (feature compression, Section 5)",
    grid={axis: gradient_plane.STUDY.grid[axis] for axis in ("n", "model", "rows")},
    points=points,
    methods={
        "network": Method(
            "a random network and points, gradients by going backwards",
            draw,
            measure,
            lambda **_: ("start", "midpoint", "mean"),
            lambda n, rows=(), **_: gradient_plane.STUDY.methods["network"].floats(n=n, gradients=1, rows=rows),
        )
    },
    # So few dimensions that one more is seen; tanh units, to which only the claim on the middle applies.
    table=(
        {"n": 3, "model": "relu", "rows": (48, 48)},
        {"n": 3, "model": "features", "rows": (16,)},
        {"n": 12, "model": "relu", "rows": (64,)},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
