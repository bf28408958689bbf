"""One square or tall matrix with independent entries that need not be Gaussian: r_nn, its share, det and sigma_min.

Fair signs, uniform entries and Student's t with 5 degrees of freedom, all of mean 0 and variance 1, and normal ones as
a control. Nothing here knows what Gaussian matrices do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fragility.engine.study import Axis, Method, Point, Study, UsageError, integers

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

ENTRIES = ("gaussian", "signs", "uniform", "student")
DEPENDENT = 1e-9  # singular values below this share of the largest are rounding of a zero


def draw(stream: Stream, size: int, n: int, rows: Sequence[int], entries: str) -> Array:
    """(size, m, n) independent entries of mean 0 and variance 1, rows = (m,)."""
    shape = size, rows[0], n
    if entries == "signs":
        return 2.0 * (stream.uniform(*shape) < 0.5) - 1.0
    if entries == "uniform":
        return 3**0.5 * (2.0 * stream.uniform(*shape) - 1.0)
    normal = stream.normal(*shape)
    return normal if entries == "gaussian" else 3**0.5 * normal / stream.chi(5, *shape)


def measure(backend: Backend, world: Array, n: int, rows: Sequence[int], entries: str) -> dict[str, Array]:
    """column_norm ||a_n||, last |r_nn| and fraction |r_nn| / ||a_n||, each (size,).

    Where the first n - 1 columns are dependent, R completes them, so that last is the distance of a_n from a space that
    depends on them alone.
    """
    xp = backend.xp
    column_norm = xp.linalg.norm(world[:, :, -1], axis=1)
    last = xp.abs(backend.qr_chain([world])[:, -1, -1])
    return {"column_norm": column_norm, "last": last, "fraction": last / column_norm}


def measure_determinant(backend: Backend, world: Array, n: int, rows: Sequence[int], entries: str) -> dict[str, Array]:
    """log_determinant (size,): ln |det|, minus infinity for 0."""
    return {"log_determinant": backend.xp.linalg.slogdet(world)[1]}


def measure_smallest(backend: Backend, world: Array, n: int, rows: Sequence[int], entries: str) -> dict[str, Array]:
    """smallest (size,): sqrt(n) times the least singular value."""
    return {"smallest": n**0.5 * backend.xp.linalg.svd(world, compute_uv=False)[:, -1]}


def measure_distance(backend: Backend, world: Array, n: int, rows: Sequence[int], entries: str) -> dict[str, Array]:
    """distance (size,): of a_n from the span of the other columns, whatever their rank."""
    xp = backend.xp
    basis, sizes, _ = xp.linalg.svd(world[:, :, :-1], full_matrices=False)
    basis = basis * (sizes > DEPENDENT * sizes[:, :1])[:, None, :]
    column = world[:, :, -1:]
    within = xp.matmul(basis, xp.matmul(xp.swapaxes(basis, 1, 2), column))
    return {"distance": xp.linalg.norm((column - within)[:, :, 0], axis=1)}


def points(n: Sequence[int], rows: Sequence[int] | None, entries: Sequence[str]) -> list[Point]:
    """Every n with every number of rows (as many as columns if None) and every law of the entries."""
    for width in n:
        if rows and min(rows) < width:
            raise UsageError(f"--rows must be at least n = {width}, got {min(rows)}: a wide matrix has no r_nn")
    return [
        {"n": width, "rows": (height,), "entries": name}
        for width in n
        for height in rows or [width]
        for name in entries
    ]


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in ENTRIES]
    if unknown:
        raise UsageError(f"--entries must be among {', '.join(ENTRIES)}, got {unknown[0]!r}")
    return names


def _floats(n: int, rows: Sequence[int], **_: object) -> int:
    return 3 * n * rows[0]


STUDY = Study(
    name="simulate.universality",
    says="r_nn, determinant and least singular value of a matrix with independent entries, Gaussian or not",
    grid={
        "n": Axis(integers(2, "--n"), [24], "columns; a list sweeps: 8,16,32"),
        "rows": Axis(integers(2, "--rows"), None, "rows, at least n; a list sweeps (default n)"),
        "entries": Axis(_names, list(ENTRIES), "laws of the entries; a list sweeps"),
    },
    points=points,
    methods={
        "qr": Method(
            "last diagonal entry of R", draw, measure, lambda **_: ("column_norm", "last", "fraction"), _floats
        ),
        "lu": Method(
            "determinant of a square matrix",
            draw,
            measure_determinant,
            lambda **_: ("log_determinant",),
            _floats,
            lambda n, rows, **_: None if rows[0] == n else f"a determinant needs n rows, got n = {n} and {rows[0]}",
        ),
        "svd": Method("least singular value", draw, measure_smallest, lambda **_: ("smallest",), _floats),
        "span": Method(
            "distance of the last column from the span of the others, which may be dependent",
            draw,
            measure_distance,
            lambda **_: ("distance",),
            _floats,
        ),
    },
    # Small matrices, where exact moments are cheap and signs are often singular; t(5) where its norm matters; sizes at
    # which the limits and their 1/n terms can be told apart.
    table=(
        {"n": 3, "rows": (3,), "entries": "student"},
        {"n": 4, "rows": (4,), "entries": "signs"},
        {"n": 8, "rows": (8,), "entries": "gaussian"},
        {"n": 8, "rows": (8,), "entries": "uniform"},
        {"n": 8, "rows": (8,), "entries": "student"},
        {"n": 8, "rows": (10,), "entries": "uniform"},
        {"n": 24, "rows": (24,), "entries": "signs"},
        {"n": 40, "rows": (40,), "entries": "uniform"},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
