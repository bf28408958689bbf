"""Attackers on a margin of ReLU networks whose weights and input move together; they know no theory.

An attacker proposes, `judged` decides: it checks that every proposal lies within the budget and measures what it gains
by a plain forward pass, so that no attacker marks its own work. All of them run on many networks and many starts at
once, and whatever they find is a lower bound on the largest increase of the margin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from theory.numerics.array import Array

SLACK = 1e-14  # rounding of centre + radius, relative to both
LEAK = 0.1  # slope by which a neuron that is off can be turned on
MOST_ENTRIES = 512  # of a network whose entries are tried one by one, each by a forward pass
MOST_MOVING = 12  # entries whose corners are enumerated


class Problem(NamedTuple):
    """Networks of one shape with their inputs, how far they may move, and which margin is to rise.

    Parameters
    ----------
    parts : W^1, ..., W^L, each (size, n_m, d_m), and the inputs x, (size, d).
    radii : of every entry of W^1, ..., W^L and x: L + 1 numbers.
    pair : classes (i, j) of the margin f_i - f_j.
    """

    parts: tuple[Array, ...]
    radii: tuple[float, ...]
    pair: tuple[int, int] = (0, 1)

    @property
    def centre(self) -> list[Array]:
        """The parts with an axis for proposals, (size, 1, ...)."""
        return [part[:, None] for part in self.parts]

    @property
    def entries(self) -> int:
        """Numbers that one network and its input have."""
        return sum(part[0].size for part in self.parts)

    @property
    def moving(self) -> int:
        """Those of them that may move."""
        return sum(part[0].size for part, radius in zip(self.parts, self.radii, strict=True) if radius > 0)


def _activations(weights: Sequence[Array], x: Array, biases: Sequence[Array] | None = None) -> list[Array]:
    """x, the hidden activations and the logits."""
    values = [np.asarray(x)]
    for m, weight in enumerate(weights):
        before = np.matmul(weight, values[-1][..., None])[..., 0]
        before = before if biases is None else before + biases[m]
        values.append(before if m == len(weights) - 1 else np.maximum(before, 0))
    return values


def forward(weights: Sequence[Array], x: Array, biases: Sequence[Array] | None = None) -> Array:
    """Logits (..., K) of weights (..., n_m, d_m) at x (..., d)."""
    return _activations(weights, x, biases)[-1]


def _margin(parts: Sequence[Array], pair: tuple[int, int]) -> Array:
    logits = forward(parts[:-1], parts[-1])
    return logits[..., pair[0]] - logits[..., pair[1]]


def judged(problem: Problem, proposals: Sequence[Array]) -> Array:
    """Increase of the margin, (size, P), that each proposal attains.

    Parameters
    ----------
    proposals : perturbed parts, (size, P, ...) or (size, 1, ...) where all P share one.

    Raises
    ------
    ValueError : if an entry of a proposal is further off than its radius.
    """
    for m, (centre, moved, radius) in enumerate(zip(problem.centre, proposals, problem.radii, strict=True)):
        off = np.abs(moved - centre)
        if not np.all(off <= radius + SLACK * (np.abs(centre) + radius)):
            raise ValueError(
                f"proposals must lie within their radii, got part {m + 1} off by {np.max(off):g} > {radius:g}"
            )
    return _margin(proposals, problem.pair) - _margin(problem.parts, problem.pair)[:, None]


def starts(problem: Problem, uniform: Callable[..., Array], count: int) -> tuple[Array, ...]:
    """Where `count` attacks per network start, in units of the radii: uniform on [-1, 1], zeros for what cannot move.

    Parameters
    ----------
    uniform : (*shape) -> numbers in [0, 1), the only randomness of an attack.
    """
    return tuple(
        2 * uniform(len(part), count, *part.shape[1:]) - 1 if radius > 0 else np.zeros((1,) * (part.ndim + 1))
        for part, radius in zip(problem.parts, problem.radii, strict=True)
    )


def corners(problem: Problem, noise: Sequence[Array]) -> list[Array]:
    """Random corners of the balls; the first moves every entry outwards, away from 0."""
    moved = []
    for centre, radius, part in zip(problem.centre, problem.radii, noise, strict=True):
        if radius > 0:
            signs = np.where(part < 0, -1.0, 1.0)
            signs[:, :1] = np.sign(centre)
            centre = centre + radius * signs
        moved.append(centre)
    return moved


def ascent(problem: Problem, noise: Sequence[Array], sweeps: int = 2) -> list[Array]:
    """From random corners, entry after entry to its other end wherever that raises the margin."""
    moved = corners(problem, noise)
    best = _margin(moved, problem.pair)
    for _ in range(sweeps):
        for centre, part, radius in zip(problem.centre, moved, problem.radii, strict=True):
            if radius == 0:
                continue
            twice, flat = 2 * centre.reshape(len(centre), 1, -1), part.reshape(*part.shape[:2], -1)
            for k in range(flat.shape[-1]):
                before = flat[..., k].copy()
                flat[..., k] = twice[..., k] - before
                tried = _margin(moved, problem.pair)
                flat[..., k] = np.where(tried < best, before, flat[..., k])
                best = np.maximum(best, tried)
    return moved


def gradient(problem: Problem, noise: Sequence[Array], steps: int = 30) -> list[Array]:
    """Projected ascent along the signs of the gradient, from the clean point and from random ones; the best iterates.

    Steps shrink from the whole ball to a thousandth of it: the worst weights need not lie at corners. Every other start
    gives neurons that are off a small slope, too.
    """
    centre, radii = problem.centre, problem.radii
    count = max(part.shape[1] for part in noise)
    clean, leak = np.arange(count) == 0, np.where(np.arange(count) % 2, 0.0, LEAK)[:, None]
    moved = [
        middle + radius * np.where(clean.reshape(-1, *(1,) * (part.ndim - 2)), 0.0, part) if radius > 0 else middle
        for middle, radius, part in zip(centre, radii, noise, strict=True)
    ]
    kept, best = list(moved), _margin(moved, problem.pair)
    for step in np.geomspace(2, 2e-3, steps):
        moved = [
            np.clip(part + step * radius * sign, middle - radius, middle + radius) if radius > 0 else part
            for part, sign, middle, radius in zip(moved, _signs(moved, problem.pair, leak), centre, radii, strict=True)
        ]
        found = _margin(moved, problem.pair)
        better = found > best
        best = np.where(better, found, best)
        kept = [
            np.where(better.reshape(better.shape + (1,) * (new.ndim - 2)), new, old) if radius > 0 else old
            for new, old, radius in zip(moved, kept, radii, strict=True)
        ]
    return kept


def _signs(parts: Sequence[Array], pair: tuple[int, int], leak: Array) -> list[Array]:
    """Signs of the margin's derivatives by W^1, ..., W^L and x: back-propagation by hand.

    `leak` : slope that a neuron that is off is given, (P, 1); the true one is 0.
    """
    *weights, x = parts
    values = _activations(weights, x)
    slope = np.zeros_like(values[-1])
    slope[..., pair[0]], slope[..., pair[1]] = 1, -1
    signs: list[Array] = []
    for m, weight in reversed(list(enumerate(weights))):
        signs.insert(0, np.sign(slope)[..., :, None] * np.sign(values[m])[..., None, :])
        slope = np.matmul(np.swapaxes(weight, -1, -2), slope[..., None])[..., 0]
        slope = np.where(values[m] > 0, slope, leak * slope) if m > 0 else slope
    return [*signs, np.sign(slope)]


def vertices(problem: Problem, noise: Sequence[Array]) -> list[Array]:
    """Every corner of the balls, for networks with a handful of entries; `noise` is not used."""
    if problem.moving > MOST_MOVING:
        raise ValueError(
            f"at most {MOST_MOVING} entries may move for their corners to be counted, got {problem.moving}"
        )
    signs = 2.0 * (np.arange(2**problem.moving)[:, None] >> np.arange(problem.moving) & 1) - 1
    moved, used = [], 0
    for centre, radius in zip(problem.centre, problem.radii, strict=True):
        if radius > 0:
            size = centre[0].size
            centre = centre + radius * signs[:, used : used + size].reshape(-1, *centre.shape[2:])
            used += size
        moved.append(centre)
    return moved


ATTACKS: dict[str, Callable[..., list[Array]]] = {
    "corners": corners,
    "ascent": ascent,
    "gradient": gradient,
    "vertices": vertices,
}


def affordable(entries: int, moving: int) -> list[str]:
    """Names of the attacks for networks with so many entries, so many of which may move; see `Problem`."""
    refused = {"ascent": entries > MOST_ENTRIES, "vertices": entries > MOST_ENTRIES or moving > MOST_MOVING}
    return [name for name in ATTACKS if not refused.get(name, False)]
