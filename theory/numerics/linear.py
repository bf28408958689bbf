"""Matrices and the vectors that they act on: brought to one precision, and applied over leading axes."""

from __future__ import annotations

from collections.abc import Sequence

from theory.numerics import require
from theory.numerics.array import Array

MATRIX = (-2, -1)  # the axes


def operands(
    weights: Sequence[Array], rational: bool, slope: Array = None, **vectors: Array
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Matrices on one side, vectors and, if given, the slope on the other, in one precision; exact only if all are.

    Parameters
    ----------
    rational : whether fractions pass.

    Raises
    ------
    ValueError : for no matrix, what is not finite, and arrays of several libraries.
    """
    if not len(weights):
        raise ValueError("weights must hold at least one matrix, got none")
    given = {f"W{layer}": require.matrix("W", W, rational=rational) for layer, W in enumerate(weights, 1)}
    given |= {name: require.finite(name, vector, rational=rational) for name, vector in vectors.items()}
    if slope is not None:
        given["slope"] = require.numbers("slope", slope)
    values = require.alike(**given)
    return values[: len(weights)], values[len(weights) :]


def applied(W: Array, x: Array) -> Array:
    """W x, (..., m), of matrices (..., m, n) and vectors (..., n).

    Raises
    ------
    ValueError : unless the vectors have one entry per column.
    """
    (W,), (x,) = operands([W], True, x=x)
    if not x.shape or x.shape[-1] != W.shape[-1]:
        raise ValueError(f"x must have {W.shape[-1]} entries along its last axis, got shape {tuple(x.shape)}")
    return (W @ x[..., None])[..., 0]


def aligned(gradients: Array, *, rational: bool = True, **vectors: Array) -> tuple[Array, ...]:
    """Gradients (..., k, d) and vectors (..., d) in one floating point type, if they are finite and have the same d.

    Raises
    ------
    ValueError : if they are not or have not.
    """
    checked = {name: require.finite(name, vector, rational=rational) for name, vector in vectors.items()}
    arrays = require.alike(gradients=require.matrix("gradients", gradients, rational=rational), **checked)
    for name, vector in checked.items():
        if tuple(vector.shape[-1:]) != (gradients.shape[-1],):
            given = vector.shape[-1] if vector.shape else "a number"
            raise ValueError(
                f"gradients and {name} must have the same dimension, got {gradients.shape[-1]} and {given}"
            )
    return arrays
