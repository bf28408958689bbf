"""Perturbations of the interpolating network, constructed from the last columns of A = Q R (feature compression,
Theorems 1, 4 and 6, equations (1) to (3), (6) and (7)).

The columns of `data`, d x n with d >= n, are one point of each class. A linear network of any depth with condition (1),
f_i(x_j) = 1 if i = j and else 0, is x -> A^-1 x if d = n; for d > n the one meant here is A^+ x, the shortest such (any
other has smaller margins still). Its probing vectors are the rows p_i of A^+, and p_n = q_n / r_nn: as small as r_nn is
the distance to the nearest wrong output. Lengths are those of the tie or of the swap that is named; a strict change of
label needs any factor above 1 more.

Exact for every data matrix of full column rank; signs of Q and R do not matter. Singular data have no such network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from theory import _require, probes
from theory.gradient_plane import _length


def probing_vectors(data: Any) -> Any:
    """Rows p_i of A^+, (..., n, d): p_i . x_j is 1 if i = j and else 0 (condition (1)).

    Parameters
    ----------
    data : (..., d, n) of full column rank, points in its columns.
    """
    xp = array_namespace(data)
    Q, R = xp.linalg.qr(_points(data))
    return xp.linalg.solve(R, xp.matrix_transpose(Q))


def outputs(data: Any, x: Any) -> Any:
    """f(x) = A^+ x, (..., n), at inputs x (..., d)."""
    xp = array_namespace(data, x)
    p = probing_vectors(data)
    if _require.finite("x", x).shape[-1] != p.shape[-1]:
        raise ValueError(f"x must have {p.shape[-1]} entries, got shape {tuple(x.shape)}")
    return xp.sum(p * x[..., None, :], axis=-1)


def swap_perturbation(data: Any, label: int, target: int) -> Any:
    """The attack of Theorem 1: e with f_label = 0 and f_target = 1 at x_label + e; half of it is a tie.

    e = Q b with b = (0, ..., 0, r_{n-1,n-1} - r_{n-1,n}, -r_nn) where label and target are the last column and the one
    before it: x_target - x_label, projected on what is orthogonal to all other points. The other outputs at x_label + e
    are arbitrary, so that the label changes, but not always to the target.

    Parameters
    ----------
    data : (..., d, n), n >= 2.
    label, target : two different classes from 0 to n - 1.

    Returns
    -------
    (..., d).
    """
    xp = array_namespace(data)
    Q, R = xp.linalg.qr(_label_last(data, label, target))
    before, last = R[..., -2, -2] - R[..., -2, -1], R[..., -1, -1]
    return before[..., None] * Q[..., :, -2] - last[..., None] * Q[..., :, -1]


def swap_size(data: Any, label: int, target: int) -> Any:
    """||e|| = sqrt((r_{n-1,n-1} - r_{n-1,n})^2 + r_nn^2) of the attack of Theorem 1 (equation (3)), (...)."""
    xp = array_namespace(data)
    R = xp.linalg.qr(_label_last(data, label, target))[1]
    return _length(xp.stack((R[..., -2, -2] - R[..., -2, -1], R[..., -1, -1]), axis=-1))


def swap_bound(data: Any, label: int, target: int) -> Any:
    """|r_{n-1,n-1}| + |r_{n-1,n}| + |r_nn| >= ||e||, by which Theorem 4 is proved, (...)."""
    xp = array_namespace(data)
    R = xp.linalg.qr(_label_last(data, label, target))[1]
    return xp.abs(R[..., -2, -2]) + xp.abs(R[..., -2, -1]) + xp.abs(R[..., -1, -1])


def pair_margin(data: Any, label: int, target: int) -> Any:
    """m_ij = 1 / ||p_i - p_j||: distance of x_i from f_i = f_j, by R as in equation (3) but with the other sign, (...).

    |r_nn r_{n-1,n-1}| / sqrt(r_nn^2 + (r_{n-1,n-1} + r_{n-1,n})^2): at most half of `swap_size`.
    """
    xp = array_namespace(data)
    R = xp.linalg.qr(_label_last(data, label, target))[1]
    block = xp.stack((R[..., -2, -2] + R[..., -2, -1], R[..., -1, -1]), axis=-1)
    return xp.abs(R[..., -1, -1] * R[..., -2, -2]) / _length(block)


def pair_margins(data: Any) -> Any:
    """All m_ij = 1 / ||p_i - p_j||, (..., n, n), infinite on the diagonal; m_ij = m_ji."""
    xp = array_namespace(data)
    p = probing_vectors(data)
    n = _several(p.shape[-2])
    same = xp.arange(n, device=device(p))[:, None] == xp.arange(n, device=device(p))
    apart = xp.stack([_length(p - p[..., i : i + 1, :]) for i in range(n)], axis=-2)
    return xp.where(same, 0 * apart + xp.inf, 1 / xp.where(same, 1 + 0 * apart, apart))


def untargeted_margins(data: Any) -> Any:
    """m_i = min over j of m_ij, (..., n): infimum of ||e|| that changes the argmax at x_i. Exact; n >= 2."""
    return array_namespace(data).min(pair_margins(data), axis=-1)


def column_perturbation(data: Any, label: int) -> Any:
    """The shortest e along q_label alone with a tie at x_label + e, (..., d): Theorem 1's claim proved another way.

    Its size U = r / max_j |1 - (r A^+ q)_j| with r = 1 / ||p_label||, q = r p_label, is at least m_i. It tends to 0
    like 1 / sqrt(ln d) with growing dimension, where the attack of the paper keeps its law.
    """
    xp = array_namespace(data)
    p = probing_vectors(data)
    _class("label", label, _several(p.shape[-2]))
    own = p[..., label, :]
    gains = xp.sum((own[..., None, :] - p) * own[..., None, :], axis=-1)  # what -e / ||e||^2 = p does to f_i - f_j
    most, least = xp.max(gains, axis=-1), xp.min(gains, axis=-1)
    return -own / xp.where(most >= -least, most, least)[..., None]


def targeted_perturbation(data: np.ndarray, label: int, target: int) -> np.ndarray:
    """The shortest e at which no class beats the target at x_label + e: a least-distance program. NumPy only.

    At least as long as the pair margin, and above it where a third class is in the way.

    Parameters
    ----------
    data : (d, n), n >= 2.
    """
    _require.finite("data", data, 2)
    _two_classes(data, label, target)
    return probes.targeted_perturbation(probing_vectors(data), data[:, label], target)


def flip_perturbation(data: Any, sign: Any) -> Any:
    """The attack of Theorem 6: e = -2 z_m r_mm q_m, which turns the outputs (z_m, -z_m) at x = A z into (-z_m, z_m).

    Its size 2 |r_mm| is equation (7); half of it is the exact distance to the tie, for every one of the 2^m points.

    Parameters
    ----------
    data : A, (..., d, m).
    sign : z_m, 1 or -1, broadcasts against (...).

    Returns
    -------
    (..., d).
    """
    xp = array_namespace(data)
    Q, R = xp.linalg.qr(_points(data))
    step = -2 * R[..., -1, -1] * sign
    return step[..., None] * Q[..., :, -1]


def sign_outputs(data: Any, x: Any) -> Any:
    """(f_+1, f_-1) of network (6), (..., 2): plus and minus the last output of A^+ x, so (z_m, -z_m) at x = A z."""
    xp = array_namespace(data, x)
    last = outputs(data, x)[..., -1]
    return xp.stack((last, -last), axis=-1)


def _points(data: Any) -> Any:
    _require.matrix("data", data)
    if data.shape[-2] < data.shape[-1]:
        raise ValueError(f"data must have at least as many rows as points, got shape {tuple(data.shape)}")
    return data


def _several(classes: int) -> int:
    if classes < 2:
        raise ValueError(f"data must hold at least 2 points, got {classes}")
    return classes


def _class(name: str, index: int, classes: int) -> int:
    if _require.integer(name, index, 0) >= classes:
        raise ValueError(f"{name} must be from 0 to {classes - 1}, got {index}")
    return index


def _two_classes(data: Any, label: int, target: int) -> None:
    classes = _points(data).shape[-1]
    if _class("label", label, classes) == _class("target", target, classes):
        raise ValueError(f"target must differ from the label, got {target} twice")


def _label_last(data: Any, label: int, target: int) -> Any:
    """The points in an order that ends with target, label."""
    xp = array_namespace(data)
    _two_classes(data, label, target)
    order = [k for k in range(data.shape[-1]) if k not in (label, target)]
    return xp.take(data, xp.asarray([*order, target, label], device=device(data)), axis=-1)
