"""Singular values of a Gaussian layer, and how much it magnifies relative errors in its input.

A layer is W, rows x n with independent N(0, 1) entries. Errors delta are orthogonal to the input x: random ones,
random ones with x in the row space of W, and the worst, along the first right singular vector with x along the last.
Their growth is ||W delta|| ||x|| / (||W x|| ||delta||).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Point, Study, integers
from simulate.samplers import bidiagonal

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

SINGULAR = ("smallest", "scaled_smallest", "condition", "condition_per_column")
LARGEST_BIDIAGONAL = 100_000  # shorter side: the time goes with its square
LARGEST_FACTORED = 64  # shorter side from which on the bidiagonal form is the quicker by far


def draw(stream: Stream, size: int, n: int, rows: Sequence[int]) -> tuple[Array, Array]:
    """W, (size, rows, n), and an input with an error beside it, (size, 2, n), all entries N(0, 1)."""
    return stream.normal(size, rows[0], n), stream.normal(size, 2, n)


def measure(backend: Backend, world: tuple[Array, Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """Singular values, and the squared growth of a random error, each (size,).

    smallest, and scaled_smallest: sqrt(n) times it; condition: largest over smallest; condition_per_column: that over
    n; growth: squared, of a random error (n > 1).
    """
    xp = backend.xp
    W, vectors = world
    sigma = xp.linalg.svd(W, compute_uv=False)
    condition = sigma[:, 0] / sigma[:, -1]
    measured = {
        "smallest": sigma[:, -1],
        "scaled_smallest": n**0.5 * sigma[:, -1],
        "condition": condition,
        "condition_per_column": condition / n,
    }
    if n > 1:
        measured["growth"] = _growth(xp, W, vectors[:, 0], _orthogonal(xp, vectors[:, 1], vectors[:, 0])) ** 2
    return measured


def measure_inverse(backend: Backend, world: tuple[Array, Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """What takes the pseudo-inverse or the row space, each (size,).

    seen: the share of ||x||^2 in the row space; row_space_growth: squared, of a random error, it and x in the row space
    (of two dimensions or more); worst: the growth of the worst error; condition_1, condition_inf, condition_fro:
    ||W|| ||W^+|| in those norms.
    """
    xp = backend.xp
    W, vectors = world
    U, sigma, right = xp.linalg.svd(W, full_matrices=False)
    inverse = xp.matmul(xp.swapaxes(right, 1, 2) / sigma[:, None, :], xp.swapaxes(U, 1, 2))
    seen = xp.matmul(xp.matmul(inverse, W), xp.swapaxes(vectors, 1, 2))
    x, error = seen[:, :, 0], seen[:, :, 1]
    measured = {
        "seen": xp.sum(x**2, axis=1) / xp.sum(vectors[:, 0] ** 2, axis=1),
        "worst": _growth(xp, W, right[:, -1], right[:, 0]),
        "condition_fro": xp.linalg.norm(W, axis=(1, 2)) * xp.linalg.norm(inverse, axis=(1, 2)),
    }
    for name, axis in (("condition_1", 1), ("condition_inf", 2)):
        sums = [xp.max(xp.sum(xp.abs(matrix), axis=axis), axis=1) for matrix in (W, inverse)]
        measured[name] = sums[0] * sums[1]
    if min(n, rows[0]) > 1:
        measured["row_space_growth"] = _growth(xp, W, x, _orthogonal(xp, error, x)) ** 2
    return measured


def _orthogonal(xp: Any, vector: Array, x: Array) -> Array:
    """What is left of the vector beside x: (size, n)."""
    return vector - (xp.sum(vector * x, axis=1) / xp.sum(x * x, axis=1))[:, None] * x


def _growth(xp: Any, W: Array, x: Array, delta: Array) -> Array:
    """||W delta|| ||x|| / (||W x|| ||delta||), (size,)."""
    stretch = [
        xp.linalg.norm(xp.matmul(W, vector[:, :, None]), axis=(1, 2)) / xp.linalg.norm(vector, axis=1)
        for vector in (delta, x)
    ]
    return stretch[0] / stretch[1]


def points(n: Sequence[int], rows: Sequence[int] | None) -> list[Point]:
    """Every n with every height, or square layers."""
    return [{"n": width, "rows": (height,)} for width in n for height in rows or (width,)]


def _floats(n: int, rows: Sequence[int]) -> int:
    return (rows[0] + 2) * n


def _large(n: int, rows: Sequence[int]) -> str | None:
    if min(n, rows[0]) <= LARGEST_FACTORED:
        return None
    return f"matrices are factored up to {LARGEST_FACTORED} on their shorter side: use --method bidiagonal"


def _very_large(n: int, rows: Sequence[int]) -> str | None:
    if min(n, rows[0]) <= LARGEST_BIDIAGONAL:
        return None
    return f"one draw takes minutes above {LARGEST_BIDIAGONAL:,} on the shorter side, got {min(n, rows[0]):,}"


STUDY = Study(
    name="simulate.conditioning",
    says="singular values of a Gaussian layer and the growth of relative errors (conditioning, III-B and V-C)",
    grid={
        "n": Axis(integers(1, "--n"), [64], "input dimension, columns of the layer; a list sweeps: 8,32,128"),
        "rows": Axis(integers(1, "--rows"), None, "heights of the layer; a list sweeps (default n: square)"),
    },
    points=points,
    methods={
        "values": Method(
            "singular values of full matrices",
            draw,
            measure,
            lambda n, **_: (*SINGULAR, "growth") if n > 1 else SINGULAR,
            _floats,
            _large,
        ),
        "inverse": Method(
            "pseudo-inverses and row spaces of full matrices",
            draw,
            measure_inverse,
            lambda n, rows: (
                *("seen", "worst", "condition_1", "condition_inf", "condition_fro"),
                *(("row_space_growth",) if min(n, rows[0]) > 1 else ()),
            ),
            lambda n, rows: 4 * _floats(n, rows),
            _large,
        ),
        "bidiagonal": Method(
            "singular values of the bidiagonal form, for large layers",
            bidiagonal.draw,
            bidiagonal.measure,
            lambda **_: SINGULAR,
            lambda n, rows: 2 * min(n, rows[0]),
            _very_large,
        ),
    },
    table=(
        {"n": 8, "rows": (8,)},
        {"n": 2, "rows": (4,)},
        {"n": 3, "rows": (5,)},
        {"n": 24, "rows": (10,)},  # a softmax layer
        {"n": 16, "rows": (64,)},
        {"n": 256, "rows": (256,)},  # where the limits of square matrices are close
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
