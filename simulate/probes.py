"""How far a point of a random linear network is from a change of order of two outputs, by bisection along directions.

The network has K outputs and linear hidden layers, if any. Directions are the gradient of the difference of the first
two outputs, a random one, and that one projected on the span of both gradients; whether the order has changed is told
from the outputs alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Point, Study, UsageError, integers
from simulate.gradient_plane import heights, projection
from simulate.qr_product import draw as draw_factors

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

HALVINGS = 52  # of the interval from 0 to 1, to the last bit
World = tuple[Any, Sequence[Any]]


def draw(stream: Stream, size: int, n: int, classes: int, rows: Sequence[int] = ()) -> World:
    """An input and a random vector, (size, 2, n), and the layers' weights, the last with a row per class."""
    return stream.normal(size, 2, n), draw_factors(stream, size, n, (*rows, classes))


def measure(backend: Backend, world: World, **_: Any) -> dict[str, Array]:
    """Numbers of the shortest way to a tie of the first two outputs, each (size,).

    flip: its length, over all directions tried; against_random, against_projected: that over the length in the random
    direction and in its projection on the span of both gradients; share: length of the shortest vector with the same
    outputs as the random one, relative to it.
    """
    xp = backend.xp
    vectors, weights = world
    x, other = vectors[:, 0], vectors[:, 1]
    G = weights[-1]
    for weight in weights[-2::-1]:
        G = xp.matmul(G, weight)
    directions = xp.stack([G[:, 1] - G[:, 0], other, projection(xp, G[:, :2], other)], axis=1)
    directions = directions / xp.linalg.norm(directions, axis=2, keepdims=True)
    lengths = _lengths(xp, weights, x, directions)
    flip = xp.min(lengths, axis=1)
    return {
        "flip": flip,
        "against_random": flip / lengths[:, 1],
        "against_projected": flip / lengths[:, 2],
        "share": xp.linalg.norm(projection(xp, G, other), axis=1) / xp.linalg.norm(other, axis=1),
    }


def _lengths(xp: Any, weights: Sequence[Array], x: Array, directions: Array) -> Array:
    """Where the order of the first two outputs changes along unit vectors or their negatives, (size, m).

    Parameters
    ----------
    x : (size, n).
    directions : (size, m, n).
    """

    def first_leads(length: Array) -> Array:
        outputs = xp.swapaxes(x[:, None, :] + length[:, :, None] * directions, 1, 2)
        for weight in weights:
            outputs = xp.matmul(weight, outputs)
        return outputs[:, 0] > outputs[:, 1]

    before = first_leads(xp.zeros(directions.shape[:2]))
    far = 1 / xp.finfo(float).eps
    sign = xp.where(first_leads(far * xp.ones(directions.shape[:2])) == before, -1.0, 1.0)
    low, high = xp.zeros(sign.shape), xp.ones(sign.shape)  # of length / (1 + length)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        changed = first_leads(sign * middle / (1 - middle)) != before
        low, high = xp.where(changed, low, middle), xp.where(changed, middle, high)
    return low / (1 - low)


def points(n: Sequence[int], classes: Sequence[int], rows: Sequence[tuple[int, ...]] | None) -> list[Point]:
    """Every n with every number of classes and every tuple of hidden heights."""
    sweep: list[Point] = []
    for width in n:
        for count in classes:
            for hidden in rows or [()]:
                if hidden and min(hidden) < count:
                    raise UsageError(
                        f"--rows must be heights of at least --classes = {count}, got {','.join(map(str, hidden))}: "
                        "probing vectors that pass fewer units are dependent"
                    )
                sweep.append({"n": width, "classes": count, **({"rows": hidden} if hidden else {})})
    return sweep


def _floats(n: int, classes: int, rows: Sequence[int] = ()) -> int:
    weights = sum(height * width for height, width in zip((*rows, classes), (n, *rows), strict=True))
    return weights + 2 * classes * n + 12 * max(n, *rows, classes)


STUDY = Study(
    name="simulate.probes",
    says="shortest change of order of two outputs of a linear network (feature compression, Theorem 5)",
    grid={
        "n": Axis(integers(2, "--n"), [100], "input dimension; a list sweeps: 8,32,128,1000"),
        "classes": Axis(integers(2, "--classes"), [10], "outputs; a list sweeps"),
        "rows": Axis(heights, None, "heights of linear hidden layers (default none); may be repeated", repeat=True),
    },
    points=points,
    methods={
        "bisection": Method(
            "a random network, the outputs along three directions",
            draw,
            measure,
            lambda **_: ("flip", "against_random", "against_projected", "share"),
            _floats,
        )
    },
    # So few dimensions that one more is seen; then a deep network with more classes than a plane has dimensions.
    table=({"n": 3, "classes": 2}, {"n": 4, "classes": 3, "rows": (6, 5)}),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
