"""Matrices, layers and codes: condition numbers, singular values, and the data of Theorem 6 of feature compression."""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.space import Part, Parts, Space, World, count, nonnegative, table
from theory.numerics.array import Array

FEW = (1, 2, 3, 4)  # sizes of an axis
NEARLY = 1e-4  # singular values below this share of the largest make a matrix nearly singular


def _spectrum(matrix: Array) -> np.ndarray:
    """Singular values over the largest; ones of a matrix of zeros."""
    sigma = np.linalg.svd(np.asarray(matrix, dtype=float), compute_uv=False)
    return sigma / sigma[0] if sigma[0] > 0 else np.ones_like(sigma)


def _not_zero(world: World) -> bool:
    return bool(np.any(world["W"] != 0))


def _of_clear_rank(world: World) -> bool:
    """Singular or clearly not: no rank that rounding decides."""
    sigma = _spectrum(world["W"])
    return _not_zero(world) and not np.any((sigma > 1e-12) & (sigma < NEARLY))


def _of_full_rank(world: World) -> bool:
    return _not_zero(world) and _spectrum(world["W"])[-1] > NEARLY


def _singular(world: World) -> bool:
    """Not of full rank, and not 0."""
    return _not_zero(world) and _spectrum(world["W"])[-1] < 1e-12


def _of_full_column_rank(world: World) -> bool:
    return world["W"].shape[0] >= world["W"].shape[1] and _of_full_rank(world)


def _seen(world: World) -> bool:
    """W x and delta are not 0."""
    return bool(_of_clear_rank(world) and np.any(world["W"] @ world["x"] != 0) and np.any(world["delta"] != 0))


_of_matrix = partial(Space, {"rows": FEW, "columns": FEW}, table(W=Part(("rows", "columns"))), dict)
_of_layer = partial(
    Space,
    {"rows": FEW, "columns": FEW},
    table(W=Part(("rows", "columns")), x=Part(("columns",)), delta=Part(("columns",))),
    dict,
)

matrix = _of_matrix(holds=_not_zero)
matrix_of_clear_rank = _of_matrix(holds=_of_clear_rank)
matrix_of_full_rank = _of_matrix(holds=_of_full_rank)
singular_matrix = _of_matrix(holds=_singular)

layer = _of_layer(holds=_of_clear_rank)
layer_of_full_column_rank = _of_layer(holds=_of_full_column_rank)
relative_error = _of_layer(holds=_seen)
relative_error_of_full_column_rank = _of_layer(holds=lambda world: _of_full_column_rank(world) and _seen(world))


def _on_two_points(parts: Parts) -> World:
    """Of one input channel on two points: its Gram matrices are small enough for exact conditions."""
    return {"kernel": parts["kernel"], "size": 2}


pair_of_taps = Space(
    {"channels": (1, 2, 3), "inputs": (1,), "height": (1,), "width": (1, 2)},
    table(kernel=Part(("channels", "inputs", "height", "width"))),
    _on_two_points,
    lambda world: bool(np.any(world["kernel"] != 0)),
)


def _softmax(parts: Parts) -> World:
    """The residual of a softmax, probabilities less the label's unit vector; of no chances at all it sums to -1."""
    residual = parts["chances"] / (sum(parts["chances"]) or 1)
    residual[int(parts["label"]) % len(residual)] -= 1
    return {"W": parts["W"], "residual": residual, "k": min(parts["W"].shape) // 2}


softmax_layer = Space(
    {"rows": (2, 4), "columns": (2, 4)},
    table(W=Part(("rows", "columns")), chances=nonnegative("rows"), label=count(0, 3)),
    _softmax,
    lambda world: _not_zero(world) and abs(sum(world["residual"])) < NEARLY,
)


def _factors(parts: Parts) -> World:
    width = len(parts["W1"])
    return {**parts, "k": 1 + (int(parts["k"]) - 1) % width}


_square = Part(("classes", "classes"))
two_layers = Space(
    {"classes": (2, 3)},
    table(W2=_square, W1=_square, x=Part(("classes",)), k=count(1, 3), s=Part((), 0.0, 1.0)),
    _factors,
)
code = Space(
    {"d": FEW},
    table(x=Part(("d",)), x_adv=Part(("d",)), shift=Part(("d",))),
    dict,
    lambda world: bool(np.any(world["x"] != 0) and np.any(world["x"] + world["shift"] != 0)),
)


def _tall(world: World) -> bool:
    rows, columns = world["matrix"].shape
    return rows >= columns and world["scale"] > 0


def _independent(world: World) -> bool:
    return _tall(world) and bool(np.any(world["matrix"] != 0)) and _spectrum(world["matrix"])[-1] > NEARLY


def _right_on_all(world: World) -> bool:
    """The probing vector is right on every point: the last column outweighs all others."""
    seen = world["probe"] @ world["matrix"]
    return seen[-1] > world["scale"] * sum(abs(seen[:-1]))


_points = partial(Space, {"d": FEW, "points": FEW}, table(matrix=Part(("d", "points")), scale=nonnegative()), dict)
points = _points(holds=_tall)
independent_points = _points(holds=_independent)
probed_points = Space(
    {"d": FEW, "points": FEW},
    table(probe=Part(("d",)), matrix=Part(("d", "points")), scale=nonnegative()),
    dict,
    lambda world: _tall(world) and bool(np.any(world["probe"] != 0)) and _right_on_all(world),
)
