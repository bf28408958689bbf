"""R of a product of Gaussian matrices, drawn and factored without knowing what law it has.

Full matrices H_1..H_L are drawn. The QR chain gives all of R, the LU chain its trailing 2 x 2 block at a quarter of
the flops; neither forms the product, which would lose every digit of r_nn within a dozen layers. For few layers the
third method does, whatever the heights, and so has a Q as well. The fourth looks at all entries of R's triangular
factors at once, in pairs of products. The last method draws from the lemma itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Point, Study, UsageError, integer, integers
from simulate.samplers import triangular

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

TRAILING = ("last", "stretch", "determinant", "corner", "column_norm", "fraction")
LARGEST_POWER_OF_TEN = 150  # of an entry of R: its square has to fit a double
LARGEST_CONDITION = 1e6  # typical, of a product that is formed: one draw in 10^5 is worse by that factor again
MOST_LAYERS = 1000  # square factors: of more, entries of R are beyond a double at any n that is worth it
MOST_COLUMNS = 128  # of Q: in larger products it costs minutes and tells nothing new
MOST_PAIRED = 32  # columns of two products that are recorded whole: of more entries a pair of them is lost among all


def draw(stream: Stream, size: int, n: int, rows: Sequence[int]) -> tuple[Array, ...]:
    """H_1, ..., H_L with independent N(0, 1) entries, H_i of shape (size, n_i, n_{i-1})."""
    return tuple(stream.normal(size, height, width) for height, width in zip(rows, (n, *rows[:-1]), strict=True))


def measure_whole(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """diagonal (size, n), row_power (size, n-1): mean of r_kj^2 over j > k, and what `measure_trailing` gives."""
    xp = backend.xp
    R = backend.qr_chain(world)
    diagonal = xp.diagonal(R, axis1=1, axis2=2)
    column_norm = xp.linalg.norm(R[:, :, -1], axis=1)
    if n == 1:
        return {"diagonal": diagonal, "last": diagonal[:, 0], "column_norm": column_norm}
    above = xp.triu(R, 1)
    row_power = xp.sum(above[:, :-1] ** 2, axis=2) / xp.arange(n - 1, 0, -1)
    return {"diagonal": diagonal, "row_power": row_power, **_trailing(xp, R[:, -2:, -2:], column_norm)}


def measure_trailing(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """Numbers of the trailing 2 x 2 block of R and of the last column a_n of the product, each (size,)."""
    xp = backend.xp
    column = world[0][:, :, -1]
    for factor in world[1:]:
        column = xp.matmul(factor, column[:, :, None])[:, :, 0]
    return _trailing(xp, backend.lu_chain(world), xp.linalg.norm(column, axis=1))


def measure_product(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """diagonal (size, k) of the k = min(n, n_1, ..., n_L) rows of R, and direction (size,), by QR of the product.

    direction is the modulus of the last coordinate of Q u, where u is the unit vector along the diagonal of R: if Q is
    uniform and independent of R, then Q u is a uniform point of the sphere, although R has chosen u.
    """
    xp = backend.xp
    Q, R = xp.linalg.qr(product(backend, world)[:, :, : min(n, *rows)])
    signed = xp.diagonal(R, axis1=1, axis2=2)  # LAPACK leaves r_kk and the column q_k with a common sign
    along = xp.sum(Q[:, -1] * signed, axis=1)
    return {"diagonal": xp.abs(signed), "direction": xp.abs(along) / xp.linalg.norm(signed, axis=1)}


def draw_pair(stream: Stream, size: int, n: int, rows: Sequence[int]) -> tuple[Array, ...]:
    """Two independent products for each draw: (2 size, n_i, n_{i-1}), the first `size` of them the ones."""
    return draw(stream, 2 * size, n, rows)


def measure_pair(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """factors (size, L n (n + 1)): all entries of R_1, ..., R_L, row by row from the diagonal, of the two products.

    R_i is what H_i multiplies R by: R of H_i ... H_1 is R_i times R of H_{i-1} ... H_1, diagonals positive.
    """
    xp = backend.xp
    row, column = xp.triu_indices(n)
    basis, entries = None, []
    for factor in world:
        basis, R = xp.linalg.qr(factor if basis is None else xp.matmul(factor, basis))
        signs = xp.copysign(1.0, xp.diagonal(R, axis1=1, axis2=2))
        basis = basis * signs[:, None, :]
        entries.append((R * signs[:, :, None])[:, row, column])
    ones, others = xp.concatenate(entries, axis=1).reshape(2, len(world[0]) // 2, -1)
    return {"factors": xp.concatenate((ones, others), axis=1)}


def product(backend: Backend, factors: Sequence[Array]) -> Array:
    """H_L ... H_1, (size, n_L, n)."""
    whole = factors[0]
    for factor in factors[1:]:
        whole = backend.xp.matmul(factor, whole)
    return whole


def _trailing(xp: Any, block: Array, column_norm: Array) -> dict[str, Array]:
    before, corner, last = block[:, 0, 0], block[:, 0, 1], block[:, 1, 1]
    return {
        "last": last,
        "stretch": xp.hypot(before - corner, last) / 2**0.5,  # the block applied to (1, -1) / sqrt 2
        "determinant": before * last,
        "corner": xp.abs(corner),
        "column_norm": column_norm,
        "fraction": last / column_norm,
    }


def points(n: Sequence[int], layers: Sequence[int] | None, rows: Sequence[tuple[int, ...]] | None) -> list[Point]:
    """Every n with every number of square layers, or with every tuple of heights."""
    if rows and layers:
        raise UsageError("--rows gives one height per factor and so the number of layers: leave --layers out")
    return [{"n": width, "rows": heights} for width in n for heights in rows or [(width,) * k for k in layers or (2,)]]


def _heights(text: str) -> list[tuple[int, ...]]:
    return [tuple(integer(part, 1, "--rows") for part in text.split(","))]


def floats(n: int, rows: Sequence[int]) -> int:
    """Numbers that one draw of the factors holds."""
    return sum(height * width for height, width in zip(rows, (n, *rows[:-1]), strict=True))


def needs_full_rank(n: int, rows: Sequence[int]) -> str | None:
    """Why there is no r_nn: an obstacle to methods that want one."""
    if min(rows) >= n:
        return None
    return (
        f"--rows must be heights of at least n = {n}, got {','.join(map(str, rows))}: below n the product has no full "
        "column rank, so r_nn is 0 and R is trapezoidal; its leading block follows the same lemma with "
        f"--n {min(rows)}, and --method product of qr_product measures its diagonal"
    )


def loses_digits(n: int, rows: Sequence[int]) -> str | None:
    """Why the product cannot be formed: rounding hides its last columns, or an entry of R cannot be squared."""
    import math

    if len(rows) * math.log10(min(n, *rows)) > math.log10(LARGEST_CONDITION):
        return (
            f"the product of {len(rows)} factors is too badly conditioned to be formed: that takes "
            f"min(n, rows) to the power of the layers to be at most {LARGEST_CONDITION:.0e}"
        )
    return _overflows(n, rows)


def _overflows(n: int, rows: Sequence[int]) -> str | None:
    import math

    size = sum(math.log10(row) for row in rows) / 2
    if size < LARGEST_POWER_OF_TEN:
        return None
    return f"entries of R would be near 1e{size:.0f}, beyond what a double can square: use --method direct"


def _too_large(n: int, rows: Sequence[int]) -> str | None:
    if min(n, *rows) <= MOST_COLUMNS:
        return loses_digits(n, rows)
    return f"Q is formed for at most {MOST_COLUMNS} columns, got {min(n, *rows)}: --method qr has R"


def _pair_too_large(n: int, rows: Sequence[int]) -> str | None:
    if n > MOST_PAIRED:
        return f"pairs of products are recorded whole for at most {MOST_PAIRED} columns, got {n}: --method qr has R"
    return needs_full_rank(n, rows) or _overflows(n, rows)


def _needs_square(n: int, rows: Sequence[int]) -> str | None:
    if n < 2 or set(rows) != {n}:
        return "the LU chain needs square factors and n >= 2: use --method qr"
    return _overflows(n, rows)


def _needs_plane(n: int, rows: Sequence[int]) -> str | None:
    return "a trailing 2 x 2 block needs n >= 2" if n < 2 else needs_full_rank(n, rows)


STUDY = Study(
    name="simulate.qr_product",
    says="R of a product H_L ... H_1 of Gaussian matrices (feature compression, Lemma 3)",
    grid={
        "n": Axis(integers(1, "--n"), [1000], "input dimension, columns of H_1; a list sweeps: 8,32,128,1000"),
        "layers": Axis(
            integers(1, "--layers", MOST_LAYERS), None, "number of square factors; a list sweeps (default 2)"
        ),
        "rows": Axis(
            _heights,
            None,
            "heights n_1,...,n_L of the factors; may be repeated",
            repeat=True,
        ),
    },
    points=points,
    methods={
        "lu": Method(
            "trailing 2 x 2 block by an LU chain (square factors)",
            draw,
            measure_trailing,
            lambda **_: TRAILING,
            floats,
            _needs_square,
        ),
        "qr": Method(
            "all of R by a QR chain",
            draw,
            measure_whole,
            lambda n, **_: ("diagonal", "row_power", *TRAILING) if n > 1 else ("diagonal", "last", "column_norm"),
            floats,
            lambda n, rows: needs_full_rank(n, rows) or _overflows(n, rows),
        ),
        "product": Method(
            "diagonal of R, trapezoidal or not, and Q of the explicit product of few factors",
            draw,
            measure_product,
            lambda **_: ("diagonal", "direction"),
            lambda n, rows: floats(n, rows) + 3 * n * rows[-1],
            _too_large,
        ),
        "pair": Method(
            "all entries of the triangular factors of R, of two independent products a draw",
            draw_pair,
            measure_pair,
            lambda **_: ("factors",),
            lambda n, rows: 2 * floats(n, rows) + len(rows) * n * (n + 1),
            _pair_too_large,
        ),
        "direct": Method(
            "the lemma's own sampler, for any n; verifies nothing",
            triangular.draw,
            triangular.measure,
            lambda **_: TRAILING,
            lambda rows, **_: 6 * len(rows),
            _needs_plane,
            counts=True,
            blind=False,
        ),
    },
    # One factor, two square factors, and unequal heights, where widths and heights can be mistaken for each other; a
    # trapezoidal R, of a height so small that the entries of Q are far from normal.
    table=(
        {"n": 8, "rows": (8,)},
        {"n": 8, "rows": (8, 8)},
        {"n": 4, "rows": (12, 9)},
        {"n": 4, "rows": (6, 2)},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
