"""A Gaussian layer whose bottom singular values are shrunk: how far it moves, and how far its outputs do.

W is rows x n with independent N(0, 1) entries and q = min(rows, n) singular values, x an input beside it. W_s is W with
the bottom k singular values multiplied by `SHARE`, the factor of 10 of the latent and SVD defences, Section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fragility.engine.study import Axis, Method, Point, Study, UsageError, integers

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

SHARE = 0.1


def draw(stream: Stream, size: int, n: int, rows: Sequence[int], k: int) -> tuple[Array, Array]:
    """W, (size, rows, n), and x, (size, n)."""
    return stream.normal(size, rows[0], n), stream.normal(size, n)


def measure(backend: Backend, world: tuple[Array, Array], n: int, rows: Sequence[int], k: int) -> dict[str, Array]:
    """What shrinking does, each (size,).

    bottom_share: of ||x||^2 along the bottom k right singular vectors; error: ||W - W_s||_2 over 1 - s, times sqrt(n);
    and for two rows or more, of the change of the margin of row 0 over row 1: change, its square over the mean that
    random singular vectors would give it; ratio, change over the bound that knows the singular vectors;
    ratio_norm, over the bound that knows the norm of x alone.
    """
    xp = backend.xp
    W, x = world
    U, sigma, right = xp.linalg.svd(W, full_matrices=False)
    bottom = slice(sigma.shape[1] - k, None)
    shrunk = sigma.copy()
    shrunk[:, bottom] *= SHARE
    moved = (W - xp.matmul(U * shrunk[:, None, :], right)) / (1 - SHARE)
    along = xp.matmul(right[:, bottom], x[:, :, None])[:, :, 0]
    length = xp.linalg.norm(x, axis=1)
    share = xp.sum(along**2, axis=1) / length**2
    largest = xp.linalg.svd(moved, compute_uv=False)[:, 0]
    measured = {"bottom_share": share, "error": n**0.5 * largest}
    if rows[0] > 1:
        outputs = xp.matmul(moved, x[:, :, None])[:, :, 0]
        change = xp.abs(outputs[:, 0] - outputs[:, 1])
        apart = xp.linalg.norm(U[:, 0, bottom] - U[:, 1, bottom], axis=1)
        power = xp.sum(moved**2, axis=(1, 2))
        measured |= {
            "change": change**2 / (2 * power * length**2) * (n * rows[0]),
            "ratio": change / (largest * apart * xp.sqrt(share) * length),
            "ratio_norm": change / (2**0.5 * largest * length),
        }
    return measured


def points(n: Sequence[int], rows: Sequence[int] | None, k: Sequence[int]) -> list[Point]:
    """Every n with every height, or square layers, and every number of shrunk values."""
    sweep: list[Point] = []
    for width in n:
        for height in rows or (width,):
            for count in k:
                if count > min(width, height):
                    raise UsageError(
                        f"--k must be at most min(n, rows) = {min(width, height)}, the number of singular values, "
                        f"got {count}"
                    )
                sweep.append({"n": width, "rows": (height,), "k": count})
    return sweep


STUDY = Study(
    name="simulate.truncation",
    says="a Gaussian layer with its bottom singular values shrunk (latent and SVD defences, 2.2)",
    grid={
        "n": Axis(integers(1, "--n"), [32], "input dimension, columns of the layer; a list sweeps: 8,32,128"),
        "rows": Axis(integers(1, "--rows"), None, "heights of the layer; a list sweeps (default n: square)"),
        "k": Axis(integers(1, "--k"), [1], "singular values shrunk; a list sweeps"),
    },
    points=points,
    methods={
        "svd": Method(
            "full matrices, shrunk and subtracted",
            draw,
            measure,
            lambda rows, **_: (
                *("bottom_share", "error"),
                *(("change", "ratio", "ratio_norm") if rows[0] > 1 else ()),
            ),
            lambda n, rows, **_: (4 * rows[0] + 2) * n,
        ),
    },
    table=(
        {"n": 8, "rows": (8,), "k": 1},
        {"n": 24, "rows": (10,), "k": 4},  # a softmax layer
        {"n": 3, "rows": (6,), "k": 2},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
