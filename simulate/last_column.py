"""Attacks on the interpolating network, built from the rows of its matrix and tried on its outputs.

The data A = H_L ... H_1 hold one point of each class in their columns (feature compression, Theorems 1 and 4), or the
directions of all sums of +-a_k with the sign of the last as label (Theorem 6). The network is inverted from A; every
attack comes from its rows p_1, ..., p_n and is put through it again. The other two methods take Lemma 3 for granted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Study, integers
from simulate import qr_product
from simulate.samplers import triangular

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

OF_THE_BLOCK = ("size", "normalised_size", "margin", "sign_size", "ratio", "compression")
OF_THE_COLUMN = ("column", "normalised_column")
MEASURED = (*OF_THE_BLOCK, *OF_THE_COLUMN, "untargeted", "best_linear", "error", "flips")
MOST_SIGNS = 6  # columns up to which all 3^(n-1) differences of the 2^n points are formed
PAST = 1e-6  # share of an attack by which it is overdone, or held back, to see the label change there


def draw(stream: Stream, size: int, n: int, rows: Sequence[int]) -> tuple[tuple[Array, ...], Array]:
    """The factors H_1, ..., H_L as `qr_product.draw` has them, and signs (size, n) of a point of Theorem 6."""
    return qr_product.draw(stream, size, n, rows), 1.0 - 2.0 * (stream.uniform(size, n) < 0.5)


def measure(backend: Backend, world: tuple[Sequence[Array], Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """What the attacks on the last point x_n take, each (size,).

    size, normalised_size : ||e|| of the attack that swaps the outputs n and n - 1 by the last two columns of Q alone;
        the same over sqrt(n_1 ... n_{L-1}), as if the generators' entries had variance one over their columns.
    margin, ratio : the shortest way to a tie with class n - 1; over half the distance of the two points.
    compression : size over the distance of the two points.
    untargeted : the shortest way to a tie with any class.
    column, normalised_column : the shortest one along the last column of Q; times sqrt(2 ln n).
    sign_size : length of Theorem 6's attack at a random one of its points.
    best_linear : 1 where no linear classifier has a larger worst margin than network (6), else 0.
    optimal : half the distance of Theorem 6's two classes; for n <= MOST_SIGNS.
    error : largest error of the outputs that the two constructed attacks are to reach.
    flips : 1 where the label of x_n is lost just past `untargeted` and `column`, but not just before, else 0.
    """
    xp = backend.xp
    factors, signs = world
    data = qr_product.product(backend, factors)
    P = xp.linalg.inv(data) if n == rows[-1] else xp.linalg.pinv(data)
    point, towards = data[:, :, -1], data[:, :, -2] - data[:, :, -1]
    last, before = _last_columns(xp, P)

    swap = _along(xp, before, towards) + _along(xp, last, towards)
    apart = P[:, -1:] - P[:, :-1]
    margins = 1.0 / xp.linalg.norm(apart, axis=2)
    nearest = xp.argmin(margins, axis=1)[:, None]
    normal = xp.take_along_axis(apart, nearest[:, :, None], axis=1)[:, 0]
    untargeted = -normal * xp.min(margins, axis=1)[:, None] ** 2
    gains = xp.matmul(apart, last[:, :, None])[:, :, 0]  # of f_n over each other output along the last column
    column = -last / xp.take_along_axis(gains, xp.argmax(xp.abs(gains), axis=1)[:, None], axis=1)
    sign = signs[:, -1:]
    flip = -2.0 * sign * _along(xp, last, point)

    swapped = _outputs(xp, P, point + swap)[:, -2:] - xp.asarray([1.0, 0.0])
    flipped = _outputs(xp, P, _outputs(xp, data, signs) + flip)[:, -1:] + sign
    kept = [_label_is_last(xp, P, point + (1.0 - PAST) * step) for step in (untargeted, column)]
    lost = [~_label_is_last(xp, P, point + (1.0 + PAST) * step) for step in (untargeted, column)]
    size, distance = xp.linalg.norm(swap, axis=1), xp.linalg.norm(towards, axis=1)
    measured = {
        "size": size,
        "normalised_size": size / _normalisation(rows),
        "margin": margins[:, -1],
        "ratio": 2.0 * margins[:, -1] / distance,
        "compression": size / distance,
        "untargeted": xp.linalg.norm(untargeted, axis=1),
        "sign_size": xp.linalg.norm(flip, axis=1),
        "best_linear": _is_best_linear(xp, P),
        "error": xp.max(xp.abs(xp.concatenate((swapped, flipped), axis=1)), axis=1),
        "flips": xp.where(kept[0] & kept[1] & lost[0] & lost[1], 1.0, 0.0),
        **_columns(xp.linalg.norm(column, axis=1), n),
    }
    return {**measured, "optimal": _half_distance_of_classes(xp, data)} if n <= MOST_SIGNS else measured


def measure_block(backend: Backend, world: Sequence[triangular.Layer], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """The same of the last columns of R, each of the right law, but not jointly.

    The law of the trailing block is that of the block times any rotation. So 1 / ||p_n - p_{n-1}|| follows from its
    stretch, and what is said of the difference of two points, from the last column.
    """
    xp = backend.xp
    R = triangular.measure(backend, world, n, rows)
    size = math.sqrt(2.0) * R["stretch"]
    return {
        "size": size,
        "normalised_size": size / _normalisation(rows),
        "margin": R["determinant"] / size,
        "sign_size": 2.0 * R["last"],
        "ratio": R["fraction"],
        "compression": R["fraction"] * xp.hypot(R["corner"] / R["last"], 1.0),
    }


def draw_column(stream: Stream, size: int, n: int, rows: Sequence[int]) -> tuple[Array, Array, Array]:
    """r_nn ~ chi_{d-n+1} of one factor of height d, C ~ chi_{d-n+2}, each (size,), and n - 1 normals."""
    (height,) = rows
    return stream.chi(height - n + 1, size), stream.chi(height - n + 2, size), stream.normal(size, n - 1)


def measure_column(backend: Backend, world: Sequence[Array], n: int, rows: Sequence[int]) -> dict[str, Array]:
    """`column` and `normalised_column` where q_n gains 1 for f_n and Z_j / C, Z_j normal, for each other r_nn f_j."""
    last, length, normals = world
    highest = backend.xp.max(backend.xp.abs(length[:, None] + normals), axis=1)
    return _columns(last * length / highest, n)


def _columns(length: Array, n: int) -> dict[str, Array]:
    return {"column": length, "normalised_column": length * math.sqrt(2.0 * math.log(n))}


def _normalisation(rows: Sequence[int]) -> float:
    return math.exp(sum(math.log(height) for height in rows[:-1]) / 2)


def _last_columns(xp: Any, P: Array) -> tuple[Array, Array]:
    """q_n and q_{n-1} up to sign, (size, d): they span the last two rows, which lean towards each other."""
    last = P[:, -1] / xp.linalg.norm(P[:, -1], axis=1)[:, None]
    before = P[:, -2]
    for _ in range(2):
        before = before - _along(xp, last, before)
        before = before / xp.linalg.norm(before, axis=1)[:, None]
    return last, before


def _along(xp: Any, unit: Array, vector: Array) -> Array:
    return xp.sum(unit * vector, axis=1)[:, None] * unit


def _outputs(xp: Any, matrix: Array, x: Array) -> Array:
    return xp.matmul(matrix, x[:, :, None])[:, :, 0]


def _label_is_last(xp: Any, P: Array, x: Array) -> Array:
    outputs = _outputs(xp, P, x)
    return outputs[:, -1] > xp.max(outputs[:, :-1], axis=1)


def _is_best_linear(xp: Any, P: Array) -> Array:
    """Whether no step from w = p_n enlarges the worst margin (w.a_n - sum_{k<n} |w.a_k|) / ||w||.

    A step t p_k, k < n, takes |t| from the numerator, which is 1 at p_n, and changes ||w||^2 by 2 t p_n.p_k at first.
    The numerator is concave and additive in these steps, so that each may be tried alone.
    """
    products = xp.abs(_outputs(xp, P, P[:, -1]))
    return xp.where(xp.max(products[:, :-1], axis=1) <= products[:, -1], 1.0, 0.0)


def _half_distance_of_classes(xp: Any, data: Array) -> Array:
    """Half the least distance of two points A z and A z', z_n = 1 = -z'_n: (z - z') / 2 has entries -1, 0 and 1."""
    n = data.shape[2]
    levels = [xp.asarray([-1.0, 0.0, 1.0])] * (n - 1)
    steps = xp.stack(xp.meshgrid(*levels, indexing="ij")).reshape(n - 1, -1)
    differences = data[:, :, -1:] + xp.matmul(data[:, :, :-1], steps)
    return xp.sqrt(xp.min(xp.sum(differences * differences, axis=1), axis=1))


def _statistics(n: int, **_: Any) -> tuple[str, ...]:
    return (*MEASURED, "optimal") if n <= MOST_SIGNS else MEASURED


def _floats(n: int, rows: Sequence[int]) -> int:
    entries = 4 * n + (2 * 3 ** (n - 1) if n <= MOST_SIGNS else 0)
    return qr_product.floats(n, rows) + entries * rows[-1]


def _needs_two_classes(n: int, rows: Sequence[int]) -> str | None:
    return "an attack needs two classes, n >= 2" if n < 2 else qr_product.needs_full_rank(n, rows)


def _needs_one_factor(n: int, rows: Sequence[int]) -> str | None:
    return None if len(rows) == 1 else f"this law is known for one factor, got {len(rows)}: use --method network"


STUDY = Study(
    name="simulate.last_column",
    says="attacks on the interpolating network of Gaussian data (feature compression, Theorems 1, 4 and 6)",
    grid={
        **qr_product.STUDY.grid,
        "n": Axis(integers(2, "--n"), [64], "classes, columns of H_1; a list sweeps: 8,32,128"),
    },
    points=qr_product.points,
    methods={
        "network": Method(
            "attacks on the network inverted from full matrices",
            draw,
            measure,
            _statistics,
            _floats,
            lambda n, rows: _needs_two_classes(n, rows) or qr_product.loses_digits(n, rows),
        ),
        "direct": Method(
            "last two columns of R from the sampler of Lemma 3, for any n",
            triangular.draw,
            measure_block,
            lambda **_: OF_THE_BLOCK,
            lambda rows, **_: 6 * len(rows),
            _needs_two_classes,
            counts=True,
            blind=False,
        ),
        "column": Method(
            "r_nn and what its column gains, from the same lemma, for one factor and n in the thousands",
            draw_column,
            measure_column,
            lambda **_: OF_THE_COLUMN,
            lambda n, **_: 2 * n + 2,
            lambda n, rows: _needs_two_classes(n, rows) or _needs_one_factor(n, rows),
            blind=False,
        ),
    },
    # Few classes, where one more makes a difference; one and two square factors; unequal heights.
    table=(
        {"n": 3, "rows": (3,)},
        {"n": 8, "rows": (8,)},
        {"n": 8, "rows": (8, 8)},
        {"n": 4, "rows": (12, 9)},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
