"""Spans of vectors of any rank: orthogonal directions by Gram-Schmidt, exact in fractions and differentiable."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace, device, is_numpy_array

from theory.numerics import magnitudes
from theory.numerics.array import Array


def basis(vectors: Array) -> list[Array]:
    """Orthogonal directions (..., d) that span k vectors (..., k, d), zeros where their rank is exhausted.

    The vector with the largest part outside the span so far, relative to its own length, comes next, so that one nearly
    parallel to another does not lend its rounding to the rest. A part below 8 k eps of its vector counts as rounding,
    in fractions only 0. No vectors, no directions.
    """
    xp = array_namespace(vectors)
    k, d = vectors.shape[-2:]
    exact = is_numpy_array(vectors) and vectors.dtype == object
    noise = 0 if exact else 8 * k * xp.finfo(vectors.dtype).eps
    directions: list[Array] = []
    if not k:
        return directions
    left = vectors / magnitudes.unit(vectors)
    whole = _square(left)
    for _ in range(min(k, d)):
        share = _square(left) / xp.where(whole > 0, whole, 1 + 0 * whole)
        chosen = xp.arange(k, device=device(vectors))[:, None] == xp.argmax(share, axis=-2, keepdims=True)
        own = residual(directions, xp.sum(xp.where(chosen, left, 0 * left), axis=-2))
        size = xp.sum(xp.where(chosen, whole, 0 * whole), axis=-2)
        own = xp.where(_square(own) > noise**2 * size, own, 0 * own)
        own = own / magnitudes.unit(own)
        directions.append(own)
        left = xp.where(chosen, 0 * left, left - along(own[..., None, :], left))
    return directions


def along(direction: Array, vector: Array) -> Array:
    """The part of a vector along a direction; 0 along the zero vector."""
    xp = array_namespace(direction)
    square = _square(direction)
    inner = xp.sum(direction * vector, axis=-1, keepdims=True)
    return direction * (inner / xp.where(square > 0, square, 1 + 0 * square))


def residual(directions: Sequence[Array], vector: Array) -> Array:
    """What orthogonal directions leave of a vector."""
    for direction in directions:
        vector = vector - along(direction, vector)
    return vector


def outside(vectors: Array, vector: Array) -> Array:
    """The part (..., d) of a vector outside the span of k others (..., k, d); 0 if it is below 8 (k + 1) eps of it."""
    xp = array_namespace(vector)
    directions, size = basis(vectors), magnitudes.unit(vector)
    whole = vector / size
    left = residual(directions, residual(directions, whole))  # twice, so that it is orthogonal to them
    noise = 8 * (vectors.shape[-2] + 1) * xp.finfo(vector.dtype).eps
    return size * xp.where(_square(left) > noise**2 * _square(whole), left, 0 * left)


def _square(vector: Array) -> Array:
    return array_namespace(vector).sum(vector * vector, axis=-1, keepdims=True)
