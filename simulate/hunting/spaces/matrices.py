"""Matrices, layers and codes: condition numbers, singular values, and the data of Theorem 6 of feature compression."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from simulate.hunting.space import Part, Parts, Space, World, count, nonnegative, table

FEW = (1, 2, 3, 4)
NEARLY = 1e-4  # singular values below this share of the largest make a matrix nearly singular


def _same(parts: Parts) -> World:
    return dict(parts)


def _spectrum(matrix: Any) -> np.ndarray:
    """Singular values over the largest; ones of a matrix of zeros."""
    sigma = np.linalg.svd(np.asarray(matrix, dtype=float), compute_uv=False)
    return sigma / sigma[0] if sigma[0] > 0 else np.ones_like(sigma)


def _of_clear_rank(world: World) -> bool:
    """Singular or clearly not: no rank that rounding decides."""
    sigma = _spectrum(world["W"])
    return bool(np.any(world["W"] != 0)) and not np.any((sigma > 1e-12) & (sigma < NEARLY))


def _of_full_rank(world: World) -> bool:
    return bool(np.any(world["W"] != 0)) and _spectrum(world["W"])[-1] > NEARLY


def _singular(world: World) -> bool:
    """Not of full rank, and not 0."""
    return bool(np.any(world["W"] != 0)) and _spectrum(world["W"])[-1] < 1e-12


def _of_full_column_rank(world: World) -> bool:
    return world["W"].shape[0] >= world["W"].shape[1] and _of_full_rank(world)


def _seen(world: World) -> bool:
    """W x and delta are not 0."""
    return bool(_of_clear_rank(world) and np.any(world["W"] @ world["x"] != 0) and np.any(world["delta"] != 0))


def _matrix(holds: Callable[[World], bool]) -> Space:
    return Space({"rows": FEW, "columns": FEW}, table(W=Part(("rows", "columns"))), _same, holds)


def _layer(holds: Callable[[World], bool]) -> Space:
    vector = Part(("columns",))
    parts = table(W=Part(("rows", "columns")), x=vector, delta=vector)
    return Space({"rows": FEW, "columns": FEW}, parts, _same, holds)


_not_zero = _matrix(lambda world: bool(np.any(world["W"] != 0)))


def _kernel(parts: Parts) -> World:
    """Of one input channel on two points: its Gram matrices are small enough for exact conditions."""
    return {"kernel": parts["kernel"], "size": 2}


_pair_of_taps = Space(
    {"channels": (1, 2, 3), "inputs": (1,), "height": (1,), "width": (1, 2)},
    table(kernel=Part(("channels", "inputs", "height", "width"))),
    _kernel,
    lambda world: bool(np.any(world["kernel"] != 0)),
)


def _softmax(parts: Parts) -> World:
    """The residual of a softmax, probabilities less the label's unit vector; of no chances at all it sums to -1."""
    residual = parts["chances"] / (sum(parts["chances"]) or 1)
    residual[int(parts["label"]) % len(residual)] -= 1
    return {"W": parts["W"], "residual": residual, "k": min(parts["W"].shape) // 2}


def _factors(parts: Parts) -> World:
    width = len(parts["W1"])
    return {**parts, "k": 1 + (int(parts["k"]) - 1) % width}


_square = Part(("classes", "classes"))
_scaled = partial(Space, {"d": FEW, "points": FEW}, table(matrix=Part(("d", "points")), scale=nonnegative()), _same)


def _tall(world: World) -> bool:
    rows, columns = world["matrix"].shape
    return rows >= columns and world["scale"] > 0


def _independent(world: World) -> bool:
    return _tall(world) and bool(np.any(world["matrix"] != 0)) and _spectrum(world["matrix"])[-1] > NEARLY


_probed = Space(
    {"d": (1, 2, 3, 4), "points": (1, 2, 3, 4)},
    table(probe=Part(("d",)), matrix=Part(("d", "points")), scale=nonnegative()),
    _same,
    lambda world: _tall(world) and bool(np.any(world["probe"] != 0)) and _right_on_all(world),
)


def _right_on_all(world: World) -> bool:
    """The probing vector is right on every point: the last column outweighs all others."""
    seen = world["probe"] @ world["matrix"]
    return seen[-1] > world["scale"] * sum(abs(seen[:-1]))


_codes = Space(
    {"d": FEW},
    table(x=Part(("d",)), x_adv=Part(("d",)), shift=Part(("d",))),
    _same,
    lambda world: bool(np.any(world["x"] != 0) and np.any(world["x"] + world["shift"] != 0)),
)

SPACES = {
    "cond.relative_error.printed": _layer(_seen),
    "cond.relative_error.corrected": _layer(_seen),
    "cond.relative_error.full_rank": _layer(lambda world: _of_full_column_rank(world) and _seen(world)),
    "cond.definition.singular.reading": _matrix(_of_clear_rank),
    "cond.definition.singular.corrected": _matrix(_of_full_rank),
    "cond.norm.printed": _not_zero,
    "cond.norm.corrected": _not_zero,
    "cond.pseudo_inverse.reading": _matrix(_singular),
    "cond.pseudo_inverse.corrected": _matrix(_of_clear_rank),
    "cond.relu_product.tempting": _layer(_of_full_column_rank),
    "cond.relu_product": _layer(_of_clear_rank),
    "cond.conv_reshape.reading": _pair_of_taps,
    "latent.gradient.bottom.reading": Space(
        {"rows": (2, 4), "columns": (2, 4)},
        table(W=Part(("rows", "columns")), chances=nonnegative("rows"), label=count(0, 3)),
        _softmax,
        lambda world: bool(np.any(world["W"] != 0)) and abs(sum(world["residual"])) < NEARLY,
    ),
    "latent.two_layers.defence.tempting": Space(
        {"classes": (2, 3)},
        table(W2=_square, W1=_square, x=Part(("classes",)), k=count(1, 3), s=Part((), 0.0, 1.0)),
        _factors,
    ),
    "latent.robustness.normalised.reading": _codes,
    "fc.thm6.optimum.reading": _scaled(holds=_tall),
    "fc.thm6.optimum.corrected": _scaled(holds=_tall),
    "fc.thm6.scaling.tempting": _scaled(holds=_tall),
    "fc.thm6.scaling": _scaled(holds=_independent),
    "fc.thm6.angle.reading": _probed,
    "fc.thm6.angle.corrected": _probed,
}
