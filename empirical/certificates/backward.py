"""Linear bounds of dense ReLU networks over l2 balls, by backward passes (CROWN, Zhang et al. 2018).

Bounds of every layer's inputs come from the same backward pass as those of the margins, and each ReLU lies between the
two lines of `theory.things.relaxation`. On NumPy arrays and on torch's, which differentiate.
"""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from theory.numerics.array import Array
from theory.things.relaxation import Lines, relu_lines


def margins(
    layers: Sequence[tuple[Array, Array]],
    x: Array,
    rows: Array,
    radius: Array,
    slopes: Sequence[Sequence[Array]] | None = None,
) -> tuple[Array, list[list[Lines]]]:
    """Lower bounds of rows @ logits over the balls, (size, rows), and the lines that the bounds of each layer rest on.

    Parameters
    ----------
    rows : (size, rows, classes).
    radius : (size,), at least 0.
    slopes : for the bounds of each layer, and of the rows, those of the lower lines of each ReLU below it, (size,
        functions, units) in [0, 1], where the ReLU is undecided; those that leave the smaller area if None. The
        functions of a hidden layer are its units and then their negatives.
    """
    xp = array_namespace(x)
    found: list[Lines] = []
    used: list[list[Lines]] = []
    for depth, (weight, _) in enumerate(layers):
        chosen = list(found) if slopes is None else [_with(*pair) for pair in zip(found, slopes[depth], strict=True)]
        used.append(chosen)
        if depth < len(layers) - 1:
            units = xp.eye(weight.shape[1], dtype=x.dtype)
            both = xp.broadcast_to(xp.concat([units, -units]), (len(x), 2 * len(units), len(units)))
            ends = _below(layers, chosen, both, depth, x, radius)
            found.append(relu_lines(ends[:, None, : len(units)], -ends[:, None, len(units) :], level=0))
    return _below(layers, used[-1], rows, len(layers) - 1, x, radius), used


def _with(lines: Lines, slopes: Array) -> Lines:
    """The lines with these slopes below where the ReLU is undecided."""
    xp = array_namespace(slopes)
    return lines._replace(under=xp.where((lines.over > 0) & (lines.over < 1), slopes, lines.under))


def _below(
    layers: Sequence[tuple[Array, Array]], bounds: Sequence[Lines], rows: Array, depth: int, x: Array, radius: Array
) -> Array:
    """Lower bounds of rows @ (what layer `depth` gives) over the balls, (size, rows)."""
    xp = array_namespace(x)
    weight, bias = layers[depth]
    constant = (rows @ bias[:, :, None])[:, :, 0]
    slopes = rows @ weight
    for (weight, bias), lines in zip(layers[depth - 1 :: -1] if depth else (), bounds[::-1], strict=True):
        slopes, added = lines.lowest(slopes)
        constant = constant + xp.sum(added, axis=2) + (slopes @ bias[:, :, None])[:, :, 0]
        slopes = slopes @ weight
    centre = (slopes @ x[:, :, None])[:, :, 0] + constant
    return centre - radius[:, None] * xp.linalg.vector_norm(slopes, axis=2)
