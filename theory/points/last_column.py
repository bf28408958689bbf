"""Perturbations of the interpolating network, constructed from the last columns of A = Q R (feature compression,
Theorems 1, 4 and 6, equations (1) to (3), (6) and (7)).

The columns of `data`, d x n with d >= n, are one point of each class. A linear network of any depth with condition (1),
f_i(x_j) = 1 if i = j and else 0, is x -> A^-1 x if d = n; for d > n the one meant here is A^+ x, the shortest such (any
other has smaller margins still). Its probing vectors are the rows p_i of A^+, and p_n = q_n / r_nn: as small as r_nn is
the distance to the nearest wrong output. Lengths are those of the tie or of the swap that is named; a strict change of
label needs any factor above 1 more.

Exact for every data matrix of full column rank; signs of Q and R do not matter. Singular data have no such network and
are refused, in a stack too: those whose columns, each in units of its length, have a least singular value below
d eps of the largest. Within that rule nearly dependent points, delta apart, lose a share eps / delta of accuracy. The
unit of the data does not matter.
"""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace, device

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.points import probes


def probing_vectors(data: Array) -> Array:
    """Rows p_i of A^+, (..., n, d): p_i . x_j is 1 if i = j and else 0 (condition (1)).

    Parameters
    ----------
    data : (..., d, n) of full column rank, points in its columns.
    """
    data, unit = _points(data)
    return _probing(data) / unit


def outputs(data: Array, x: Array) -> Array:
    """f(x) = A^+ x, (..., n), at inputs x (..., d)."""
    data, x = require.alike(data=_matrix(data), x=require.finite("x", x, rational=False))
    if tuple(x.shape[-1:]) != (data.shape[-2],):
        raise ValueError(f"x must have {data.shape[-2]} entries, got shape {tuple(x.shape)}")
    data, unit = _points(data)
    return array_namespace(data).sum(_probing(data) * (x[..., None, :] / unit), axis=-1)


def swap_perturbation(data: Array, label: int, target: int) -> Array:
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
    Q, R, unit = _label_last(data, label, target)
    before, last = R[..., -2, -2] - R[..., -2, -1], R[..., -1, -1]
    return unit[..., None] * (before[..., None] * Q[..., :, -2] - last[..., None] * Q[..., :, -1])


def swap_size(data: Array, label: int, target: int) -> Array:
    """||e|| = sqrt((r_{n-1,n-1} - r_{n-1,n})^2 + r_nn^2) of the attack of Theorem 1 (equation (3)), (...)."""
    _, R, unit = _label_last(data, label, target)
    block = array_namespace(R).stack((R[..., -2, -2] - R[..., -2, -1], R[..., -1, -1]), axis=-1)
    return unit * magnitudes.length(block)


def swap_bound(data: Array, label: int, target: int) -> Array:
    """|r_{n-1,n-1}| + |r_{n-1,n}| + |r_nn| >= ||e||, by which Theorem 4 is proved, (...)."""
    _, R, unit = _label_last(data, label, target)
    xp = array_namespace(R)
    return unit * (xp.abs(R[..., -2, -2]) + xp.abs(R[..., -2, -1]) + xp.abs(R[..., -1, -1]))


def pair_margin(data: Array, label: int, target: int) -> Array:
    """m_ij = 1 / ||p_i - p_j||: distance of x_i from f_i = f_j, by R as in equation (3) but with the other sign, (...).

    |r_nn r_{n-1,n-1}| / sqrt(r_nn^2 + (r_{n-1,n-1} + r_{n-1,n})^2): at most half of `swap_size`.
    """
    _, R, unit = _label_last(data, label, target)
    xp = array_namespace(R)
    block = xp.stack((R[..., -2, -2] + R[..., -2, -1], R[..., -1, -1]), axis=-1)
    return unit * xp.abs(R[..., -1, -1]) * (xp.abs(R[..., -2, -2]) / magnitudes.length(block))


def pair_margins(data: Array) -> Array:
    """All m_ij = 1 / ||p_i - p_j||, (..., n, n), infinite on the diagonal; m_ij = m_ji; n >= 2."""
    data, unit = _points(data)
    n, xp, p = _several(data.shape[-1]), array_namespace(data), _probing(data)
    same = xp.arange(n, device=device(p))[:, None] == xp.arange(n, device=device(p))
    apart = xp.stack([magnitudes.length(p - p[..., i : i + 1, :]) for i in range(n)], axis=-2)
    return xp.where(same, 0 * apart + xp.inf, unit / xp.where(same, 1 + 0 * apart, apart))


def untargeted_margins(data: Array) -> Array:
    """m_i = min over j of m_ij, (..., n): infimum of ||e|| that changes the argmax at x_i. Exact; n >= 2."""
    margins = pair_margins(data)
    return array_namespace(margins).min(margins, axis=-1)


def column_perturbation(data: Array, label: int) -> Array:
    """The shortest e along q_label alone with a tie at x_label + e, (..., d): Theorem 1's claim proved another way.

    Its size U = r / max_j |1 - (r A^+ q)_j| with r = 1 / ||p_label||, q = r p_label, is at least m_i. It tends to 0
    like 1 / sqrt(ln d) with growing dimension, where the attack of the paper keeps its law.
    """
    data, unit = _points(data)
    label, xp, p = require.place("label", label, _several(data.shape[-1])), array_namespace(data), _probing(data)
    size = magnitudes.unit(p[..., label, :])[..., None]
    p, own = p / size, p[..., label, :] / size[..., 0]
    gains = xp.sum((own[..., None, :] - p) * own[..., None, :], axis=-1)  # what -e / ||e||^2 = p does to f_i - f_j
    most, least = xp.max(gains, axis=-1), xp.min(gains, axis=-1)
    return -unit[..., 0] / size[..., 0] * own / xp.where(most >= -least, most, least)[..., None]


def targeted_perturbation(data: np.ndarray, label: int, target: int) -> np.ndarray:
    """The shortest e at which no class beats the target at x_label + e: a least-distance program. NumPy only.

    At least as long as the pair margin, and above it where a third class is in the way.

    Parameters
    ----------
    data : (d, n), n >= 2.
    """
    data, unit = _points(require.numpy_array("data", data, 2))
    label, target = _two_classes(data, label, target)
    return unit[0] * probes.targeted_perturbation(_probing(data), data[:, label], target)


def flip_perturbation(data: Array, sign: Array) -> Array:
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
    data, unit = _points(data)
    xp, sign = require.library(data=data, sign=sign), require.numbers("sign", sign)
    if not bool(xp.all(abs(sign) == xp.ones_like(data[..., 0, 0]))):
        raise ValueError("sign must be 1 or -1 everywhere, got others")
    Q, R = xp.linalg.qr(data)
    step = -2 * unit[..., 0, 0] * R[..., -1, -1] * (xp.astype(sign, data.dtype) if hasattr(sign, "shape") else sign)
    return step[..., None] * Q[..., :, -1]


def sign_outputs(data: Array, x: Array) -> Array:
    """(f_+1, f_-1) of network (6), (..., 2): plus and minus the last output of A^+ x, so (z_m, -z_m) at x = A z."""
    last = outputs(data, x)[..., -1]
    return array_namespace(last).stack((last, -last), axis=-1)


def _matrix(data: Array) -> Array:
    data = require.matrix("data", data, rational=False)
    if data.shape[-2] < data.shape[-1]:
        raise ValueError(f"data must have at least as many rows as points, got shape {tuple(data.shape)}")
    return data


def _points(data: Array) -> tuple[Array, Array]:
    """The points in a `unit` (..., 1, 1) near their largest entry, and that unit; only if they have full rank."""
    data = _matrix(data)
    unit = magnitudes.unit(data, axis=(-2, -1))
    data = data / unit
    xp = array_namespace(data)
    sizes = magnitudes.length(xp.matrix_transpose(data))[..., None, :]
    values = xp.linalg.svdvals(data / xp.where(sizes > 0, sizes, 1 + 0 * sizes))
    if bool(xp.any(values[..., -1] <= data.shape[-2] * xp.finfo(data.dtype).eps * values[..., 0])):
        raise ValueError("data must have full column rank, got columns that depend on each other up to rounding")
    return data, unit


def _probing(points: Array) -> Array:
    """Rows of A^+, of points as `_points` returns them."""
    xp = array_namespace(points)
    Q, R = xp.linalg.qr(points)
    return xp.linalg.solve(R, xp.matrix_transpose(Q))


def _several(classes: int) -> int:
    if classes < 2:
        raise ValueError(f"data must hold at least 2 points, got {classes}")
    return classes


def _two_classes(data: Array, label: int, target: int) -> tuple[int, int]:
    classes = _several(data.shape[-1])
    label, target = require.place("label", label, classes), require.place("target", target, classes)
    if label == target:
        raise ValueError(f"target must differ from the label, got {target} twice")
    return label, target


def _label_last(data: Array, label: int, target: int) -> tuple[Array, Array, Array]:
    """Q, R and unit (...) of the points in an order that ends with target, label."""
    data, unit = _points(data)
    xp, (label, target) = array_namespace(data), _two_classes(data, label, target)
    order = [k for k in range(data.shape[-1]) if k not in (label, target)]
    points = xp.take(data, xp.asarray([*order, target, label], device=device(data)), axis=-1)
    return (*xp.linalg.qr(points), unit[..., 0, 0])
