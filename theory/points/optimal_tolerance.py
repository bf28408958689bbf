"""How much the best classifiers of Theorem 6 tolerate, and how much a linear one does.

Data are x = A z for all z in {-1, 1}^m with label z_m; A is d x m, d >= m, and all its columns but the last, a_m, may
be multiplied by a scale c, as in the paper's experiments. Two points of opposite label differ by twice
a_m + c sum_k u_k a_k, u in {-1, 0, 1}^(m-1), up to sign. So the largest worst-case tolerance of any classifier, which
the nearest neighbour attains, is the distance T* of a closest-vector problem; the largest of a linear one is rho_box,
the same with u in the whole box; that of the paper's network (6), which interpolates the labels, is |r_mm|, the same
with any real u. Hence |r_mm| <= rho_box <= T* <= ||a_m||, where the paper takes the last for the optimum.

Columns may depend on each other: |r_mm| is the distance of a_m from the span of the others, whatever its rank. What is
left of a_m counts as rounding below 8 m eps of its length. The unit of A does not matter, nor does that of a probe.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace
from scipy.integrate import quad
from scipy.optimize import lsq_linear, minimize_scalar

from theory.laws.gamma import log_chi_density
from theory.numerics import magnitudes, require, span
from theory.numerics.array import Array

BRUTE = 3**8  # coefficient vectors that one matrix product goes through
FRONTIER = 2**13  # partial vectors that the sphere decoder extends at a time


class Tolerance(NamedTuple):
    """A distance ||a_m + c sum_k u_k a_k||, and the coefficients u (m - 1,) at which it is taken."""

    value: Array
    coefficients: np.ndarray


class Margins(NamedTuple):
    """Signed distances of the data points to the hyperplane of a linear classifier: their mean and their least."""

    mean: Array
    worst: Array


def last_distance(matrix: Array) -> Array:
    """|r_mm|: distance of the last column from the span of the others, the margin of network (6) at every point.

    Shapes (..., d, m) give (...), d >= m. It does not depend on the scale of the other columns; 0 in their span.
    """
    return magnitudes.length(_normal(_tall(matrix)))


def fraction(matrix: Array) -> Array:
    """|r_mm| / ||a_m||, in [0, 1] (feature compression, Theorem 6 and Table 1); (..., d, m) give (...), d >= m.

    NaN if a_m is 0.
    """
    matrix = _tall(matrix)
    unit = magnitudes.unit(matrix[..., -1])
    left, whole = magnitudes.length(_normal(matrix) / unit), magnitudes.length(matrix[..., -1] / unit)
    return magnitudes.at_most(left / magnitudes.or_nan(whole), 1)


def optimal_tolerance(matrix: np.ndarray, scale: float = 1.0) -> Tolerance:
    """T*: largest worst-case tolerance of any classifier that is right on all 2^m points of Theorem 6.

    min ||a_m + c sum u_k a_k|| over u in {-1, 0, 1}^(m-1), half the distance of the classes; exact, by one matrix
    product up to m = 9 and by a sphere decoder beyond: milliseconds for Gaussian A up to m = 20, a tenth of a second
    at m = 40, and exponential in the end. NumPy only.

    Parameters
    ----------
    matrix : A, (d, m), d >= m.
    scale : c, positive.

    Raises
    ------
    ValueError : for another shape, entries that are not finite, or a scale that is not positive.
    """
    columns, target, unit = _columns(matrix, scale)
    return _nearest(columns, target, np.tile([-1, 0, 1], (columns.shape[1], 1)), unit)


def point_tolerance(matrix: np.ndarray, signs: Array, scale: float = 1.0) -> Tolerance:
    """T_z: half the distance of the one point A z to the nearest of opposite label; at least T*. NumPy only.

    min ||a_m + c sum u_k a_k|| over u_k in {0, z_k z_m}. The nearest neighbour tolerates at least this much at A z.

    Parameters
    ----------
    matrix, scale : as in `optimal_tolerance`.
    signs : z, (m,), of -1 and 1, a sequence or an array of NumPy.
    """
    columns, target, unit = _columns(matrix, scale)
    z = require.numpy_array("signs", np.asarray(signs) if isinstance(signs, list | tuple) else signs, 1)
    if z.shape != (columns.shape[1] + 1,) or not np.all((z == 1) | (z == -1)):
        raise ValueError(f"signs must be {columns.shape[1] + 1} numbers, each -1 or 1, got {z.tolist()}")
    choices = np.stack((0 * z[:-1], z[:-1] * z[-1]), axis=1).astype(int)
    return _nearest(columns, target, choices, unit)


def squared_tolerance(matrix: np.ndarray, scale: Array = 1) -> Array:
    """T*^2 by trying all 3^(m-1) coefficient vectors: exact for matrices of `Fraction`. NumPy only."""
    columns, target, unit = _columns(matrix, scale, rational=True)
    every = _all_vectors(np.tile([-1, 0, 1], (columns.shape[1], 1)))
    with np.errstate(over="ignore"):  # of vectors that are too long to be the shortest
        squares = np.sum((columns @ every.T + target[:, None]) ** 2, axis=0)
    return unit * np.min(squares) * unit


def linear_margin(matrix: np.ndarray, scale: float = 1.0) -> Tolerance:
    """rho_box: largest worst-case tolerance of a linear classifier on the data of Theorem 6, and its coefficients.

    min ||a_m + c sum v_k a_k|| over |v_k| <= 1, half the distance of the hulls of both classes: bounded-variable least
    squares. The vector whose length is minimal is normal to the best hyperplane, which passes through 0. NumPy only.

    Parameters
    ----------
    matrix, scale : as in `optimal_tolerance`.
    """
    columns, target, unit = _columns(matrix, scale)
    if not columns.shape[1]:
        return Tolerance(float(unit * np.linalg.norm(target)), np.empty(0))
    solved = lsq_linear(columns, -target, (-1, 1), method="bvls", tol=1e-14)
    return Tolerance(float(unit * np.linalg.norm(target + columns @ solved.x)), solved.x)


def interpolation_probability(m: int, scale: float = 1.0, rows: int | None = None) -> float:
    """P(rho_box = |r_mm|) for Gaussian A: that the best linear classifier is the network (6) itself.

    int_0^inf f(t) (2 Phi(c t) - 1)^(m-1) dt with the density f of chi_{d-m+2}; t exp(-t^2 / 2) for square A. Exact:
    the coefficients of the best approximation of a_m are normal over an independent c chi_{d-m+2}.

    Parameters
    ----------
    m : number of columns, at least 1.
    scale : c, positive.
    rows : d, at least m; m if left out.
    """
    require.integer("m", m, 1)
    require.positive("scale", scale)
    degrees = require.integer("rows", m if rows is None else rows, m) - m + 2

    root = math.sqrt(degrees)

    def log_integrand(offset: float) -> float:
        t = root + offset
        z = scale * t / math.sqrt(2)
        if z < 1e-8:  # erf(z) = 2 z / sqrt(pi) to rounding, and z itself may be below the doubles
            log_inside = math.log(scale) + math.log(t) + math.log(2 / math.pi) / 2
        else:
            log_inside = math.log(math.erf(z)) if z < 0.5 else math.log1p(-math.erfc(z))
        return float(log_chi_density(degrees, t, offset)) + (m - 1) * log_inside

    # the peak solves t^2 = degrees - 1 + (m - 1) s with s <= 1; the logarithm falls faster than that of e^(-t^2 / 2)
    least, most = 1e-9 - root, (m + 80) / (root + math.sqrt(degrees + m + 80)) + 2
    peak = float(minimize_scalar(lambda offset: -log_integrand(offset), bounds=(least, most), method="bounded").x)
    height = log_integrand(peak)
    parts = (
        quad(lambda offset: math.exp(log_integrand(offset) - height), *ends, epsabs=0, epsrel=1e-12, limit=200)[0]
        for ends in ((max(least, peak - 15), peak), (peak, peak + 15))
    )
    return min(1.0, math.exp(height) * sum(parts))


def angle_cosines(probe: Array, matrix: Array) -> tuple[Array, Array]:
    """|cos theta_1|, |cos theta_2| of Table 1: angles of a probing vector with a_m and with the last row of A^-1.

    Use the difference of both probing vectors: each alone has a common part that no argmax sees. If theta_2 = 0 then
    |cos theta_1| is the `fraction`, whatever the data.

    Parameters
    ----------
    probe : (..., d).
    matrix : A, (..., d, m), d >= m; theta_2 is with the normal q_m of the other columns, parallel to that row if d = m.

    Returns
    -------
    Two of (...), each in [0, 1]. Both NaN if the probing vector is 0; the first if a_m is 0, the second if a_m is in
    the span of the others, which leaves no q_m.
    """
    probe, matrix = _probe(probe, _tall(matrix))
    xp, probe = array_namespace(probe), magnitudes.direction(probe)
    first, second = (
        magnitudes.at_most(xp.abs(xp.sum(probe * magnitudes.direction(vector), axis=-1)), 1)
        for vector in (matrix[..., -1], _normal(matrix))
    )
    return first, second


def angle_bounds(fraction: Array, cosine: Array) -> tuple[Array, Array]:
    """Least and largest |cos theta_1| for a fraction cos phi and a given |cos theta_2|.

    They are cos(phi + theta_2), or 0 where that is a right angle or more, and cos(phi - theta_2); both are attained.

    Parameters
    ----------
    fraction, cosine : in [0, 1], up to 1e-6 for rounding; numbers or arrays that broadcast. NaN gives NaN.
    """
    fraction, cosine = _shares(fraction, cosine, rational=False)
    both = fraction * cosine
    if not hasattr(both, "shape"):
        fraction, both = np.asarray(fraction, dtype=float), np.asarray(both, dtype=float)
    xp, square = array_namespace(both), (1 - fraction) * (1 + fraction) * (1 - cosine) * (1 + cosine)
    rest = xp.where(square > 0, xp.sqrt(xp.where(square > 0, square, xp.ones_like(square))), square)
    return xp.where(both < rest, 0 * both, both - rest), magnitudes.at_most(both + rest, 1)


def mean_square_cosine(fraction: Array, cosine: Array, d: int) -> Array:
    """E cos^2 theta_1 if the error of a probing vector is uniform among the directions normal to q_m, d >= 2.

    F^2 cos^2 theta_2 + (1 - F^2) sin^2 theta_2 / (d - 1), exact. Parameters as in `angle_bounds`.
    """
    require.integer("d", d, 2)
    fraction, cosine = _shares(fraction, cosine)
    return fraction**2 * cosine**2 + (1 - fraction**2) * (1 - cosine**2) / (d - 1)


def margins(probe: Array, matrix: Array, scale: Array = 1) -> Margins:
    """Signed distances of all 2^m points to the hyperplane p . x = 0, as their mean and least (Theorem 6, Table 1).

    With beta_k = p . c a_k / ||p|| and beta_m = p . a_m / ||p|| the distance of A z is z_m sum_k z_k beta_k: the mean
    is beta_m = cos theta_1 ||a_m||, the least is beta_m - sum_{k<m} |beta_k|. All points are classified right if and
    only if the least is positive.

    Parameters
    ----------
    probe : p_+ - p_-, (..., d); NaN where it is 0.
    matrix : A, (..., d, m).
    scale : c, of all columns but the last, positive.
    """
    require.positive("scale", scale)
    probe, matrix = _probe(probe, require.matrix("matrix", matrix, rational=False))
    xp = array_namespace(probe)
    shares = xp.sum(magnitudes.direction(probe)[..., :, None] * matrix, axis=-2)
    return Margins(shares[..., -1], shares[..., -1] - scale * xp.sum(xp.abs(shares[..., :-1]), axis=-1))


def _tall(matrix: Array, *, rational: bool = False) -> Array:
    matrix = require.matrix("matrix", matrix, rational=rational)
    if matrix.shape[-2] < matrix.shape[-1]:
        raise ValueError(f"matrix must have at least as many rows as columns, got shape {tuple(matrix.shape)}")
    return matrix


def _normal(matrix: Array) -> Array:
    """r_mm q_m up to sign, (..., d): what the span of the other columns leaves of the last."""
    return span.outside(array_namespace(matrix).matrix_transpose(matrix[..., :-1]), matrix[..., -1])


def _probe(probe: Array, matrix: Array) -> tuple[Array, Array]:
    probe, matrix = require.alike(probe=require.finite("probe", probe, rational=False), matrix=matrix)
    if tuple(probe.shape[-1:]) != (matrix.shape[-2],):
        raise ValueError(f"probe must have {matrix.shape[-2]} entries, got shape {tuple(probe.shape)}")
    return probe, matrix


def _shares(fraction: Array, cosine: Array, *, rational: bool = True) -> Array:
    """The fraction and the cosine in one type, and 1 where rounding took them just above."""
    given = {"fraction": fraction, "cosine": cosine}
    values = require.alike(
        **{
            name: require.numbers(name, value, 0, 1 + 1e-6, missing=True, rational=rational)
            for name, value in given.items()
        }
    )
    return tuple(magnitudes.at_most(value, 1) for value in values)


def _columns(matrix: np.ndarray, scale: Array, *, rational: bool = False) -> tuple[np.ndarray, np.ndarray, Array]:
    """c a_1, ..., c a_{m-1} and a_m in a unit near the largest entry of a_m, and that unit."""
    require.positive("scale", scale)
    matrix = require.numpy_array("matrix", _tall(matrix, rational=rational), 2, rational=rational)
    exact = matrix.dtype == object
    unit = magnitudes.unit(matrix[:, -1])[0]
    with np.errstate(over="ignore"):
        columns = (scale if exact else float(scale)) * (matrix[:, :-1] / unit)
    if not exact and not np.all(np.isfinite(columns)):
        raise ValueError(f"scale must keep c a_k / a_m in the range of floating point, got {scale}")
    return columns, matrix[:, -1] / unit, unit


def _all_vectors(choices: np.ndarray) -> np.ndarray:
    """Every u with u_k from choices[k], (count, columns)."""
    if not len(choices):
        return np.zeros((1, 0), dtype=int)
    return np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, len(choices))


def _nearest(columns: np.ndarray, target: np.ndarray, choices: np.ndarray, unit: float) -> Tolerance:
    """min unit * ||target + columns @ u|| over u_k in choices[k] (columns, levels)."""
    with np.errstate(over="ignore"):  # of vectors that are too long to be the shortest
        if choices.shape[1] ** choices.shape[0] <= BRUTE:
            every = _all_vectors(choices)
            u = every[np.argmin(np.sum((columns @ every.T + target[:, None]) ** 2, axis=0))]
        else:
            u = _decode(columns, target, choices)
    return Tolerance(float(unit * np.linalg.norm(target + columns @ u)), u)


def _decode(columns: np.ndarray, target: np.ndarray, choices: np.ndarray) -> np.ndarray:
    """The same by sphere decoding, Babai's rounding and 0 as first guesses, many partial vectors at a time.

    With columns = Q R the cost is a sum over the rows of R, which the coefficients enter one by one from the last;
    whatever costs more than the best vector known is dropped. Longest columns go first: they part the vectors most.
    """
    order = np.argsort(np.linalg.norm(columns, axis=0))
    R: Array = np.linalg.qr(np.column_stack((columns[:, order], target)))[1]
    count = len(choices)
    R, shift, choices = R[:count, :count], R[:count, -1], choices[order]
    best = np.zeros(count, dtype=int) if np.all((choices == 0).any(axis=1)) else choices[:, 0]
    least = np.sum((shift + R @ best) ** 2)
    rest: Array = shift
    guess = np.zeros(count, dtype=int)
    for k in reversed(range(count)):
        guess[k] = choices[k][np.argmin(np.abs(rest[k] + R[k, k] * choices[k]))]
        rest = rest + R[:, k] * guess[k]
    if np.sum(rest**2) < least:
        best, least = guess, np.sum(rest**2)
    # (coefficients from k on, what they leave of the rows before k, cost so far), the cheapest on top
    stack = [(np.zeros((1, 0), dtype=np.int8), shift[None, :], np.zeros(1))]
    while stack:
        chosen, rest, cost = stack.pop()
        k = count - 1 - chosen.shape[1]
        extended = rest[:, None, k] + R[k, k] * choices[k]
        costs = cost[:, None] + extended**2
        parent, level = np.nonzero(costs < least)
        if not len(parent):
            continue
        costs = costs[parent, level]
        steps = choices[k, level].astype(np.int8)
        longer = np.column_stack((steps, chosen[parent]))
        if k == 0:
            best, least = longer[np.argmin(costs)].astype(int), np.min(costs)
            continue
        left = rest[parent, :k] + steps[:, None] * R[:k, k]
        cheapest = np.argsort(-costs, kind="stable")
        for start in range(0, len(costs), FRONTIER):
            some = cheapest[start : start + FRONTIER]
            stack.append((longer[some], left[some], costs[some]))
    u = np.empty(count, dtype=int)
    u[order] = best
    return u
