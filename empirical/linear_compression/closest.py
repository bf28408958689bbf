"""Distances of the two classes of points x = A z, whose label is the last sign of z, and of their convex hulls.

Two points of opposite label differ by twice a_n + sum_k u_k a_k with u in {-1, 0, 1}^(n-1), up to sign: half the
distance of the classes is that of a closest-vector problem, and half the distance of their hulls is the same with u in
the whole box. Columns are taken as they are, scaled or not.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from empirical.decisions.inputs import numbers
from fragility.engine.study import UsageError


def half_distances(data: np.ndarray) -> np.ndarray:
    """min over u in {-1, 0, 1}^(n-1) of ||a_n + sum_k u_k a_k||, exact, (size,): the optimum of any classifier.

    Parameters
    ----------
    data : A, (size, n, n), n >= 2, of full rank.

    Raises
    ------
    UsageError : data of another shape, not finite, or with a matrix that is singular.
    """
    data = _regular(data)
    columns = data[:, :, :-1]
    # Long columns are decided first: they part the vectors most.
    order = np.argsort(np.linalg.norm(columns, axis=1), axis=1, kind="stable")
    columns = np.take_along_axis(columns, order[:, None, :], axis=2)
    R = np.linalg.qr(np.concatenate((columns, data[:, :, -1:]), axis=2))[1]
    return np.sqrt(np.array([_shortest(np.ascontiguousarray(one)) for one in R]))


def half_hull_distances(data: np.ndarray) -> np.ndarray:
    """The same over u in the box [-1, 1]^(n-1), (size,): the largest worst-case margin of a linear classifier."""
    from scipy.optimize import lsq_linear

    found = []
    for A in _regular(data):
        unit = np.linalg.norm(A[:, -1])
        u = lsq_linear(A[:, :-1] / unit, -A[:, -1] / unit, (-1, 1), method="bvls", tol=1e-13).x
        found.append(np.linalg.norm(A[:, -1] + A[:, :-1] @ u))
    return np.array(found)


def _regular(data: np.ndarray) -> np.ndarray:
    data = numbers("data", data, (None, None, None))
    if data.shape[1] != data.shape[2] or data.shape[1] < 2:
        raise UsageError(f"data must be (size, n, n) with n of at least 2, got shape {data.shape}")
    if not np.all(np.diagonal(np.linalg.qr(data)[1], axis1=1, axis2=2)):
        raise UsageError("data must be matrices of full rank, got a singular one")
    return data


@njit(cache=True, nogil=True)
def _shortest(R: np.ndarray) -> float:  # pragma: no cover - compiled
    """Squared length of the shortest R (u, 1), u in {-1, 0, 1}: depth first, the nearest level before the others.

    A partial vector costs what the rows decided so far give, and is dropped where that exceeds the best known.
    """
    last = R.shape[0] - 1
    cost = np.zeros(last + 1)  # of the rows from k on
    cost[last] = R[last, last] ** 2
    rest = np.zeros((last + 1, last))  # what columns from k on leave in the rows before k
    rest[last] = R[:last, last]
    tried = np.zeros(last, dtype=np.int64)  # levels of column k that were taken, of three
    levels = np.zeros((last, 3))
    best = cost[last] + np.sum(rest[last] ** 2)
    k = last - 1
    _order(levels[k], rest[last, k], R[k, k])
    while k < last:
        if tried[k] == 3:
            tried[k] = 0
            k += 1
            continue
        u = levels[k, tried[k]]
        tried[k] += 1
        here = cost[k + 1] + (rest[k + 1, k] + u * R[k, k]) ** 2
        if here >= best:
            tried[k] = 3  # the other levels cost more
            continue
        if k == 0:
            best = here
            continue
        cost[k] = here
        for row in range(k):
            rest[k, row] = rest[k + 1, row] + u * R[row, k]
        k -= 1
        _order(levels[k], rest[k + 1, k], R[k, k])
    return best


@njit(cache=True, nogil=True)
def _order(levels: np.ndarray, offset: float, slope: float) -> None:  # pragma: no cover - compiled
    """The levels -1, 0, 1 by |offset + level slope|, the smallest first."""
    ideal = -offset / slope
    first = min(max(np.round(ideal), -1.0), 1.0)
    if first == 0.0:
        levels[0], levels[1] = 0.0, 1.0 if ideal > 0 else -1.0
        levels[2] = -levels[1]
    else:
        levels[0], levels[1], levels[2] = first, 0.0, -first
