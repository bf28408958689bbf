"""Rows on the optimum that Theorem 6 of feature compression compares with, and on the best linear classifier."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from theory import optimal_tolerance as optimum
from theory.claim import Claim, Decoy, Moment, Sides

THEOREM = "Feature compression, Theorem 6"


def _signs(m: int) -> np.ndarray:
    """All sign vectors of length m with last entry 1, (2^(m-1), m): those with -1 are their negatives."""
    return np.array([(*z, 1) for z in product((-1, 1), repeat=m - 1)])


def _points(matrix: Any, scale: Any) -> Any:
    """A z for the points of label 1, (2^(m-1), d)."""
    scaled = np.column_stack((scale * matrix[:, :-1], matrix[:, -1]))
    return _signs(matrix.shape[1]) @ scaled.T


def _squared_distances(points: Any) -> Any:
    """To the points of label -1, which are -points."""
    return np.sum((points[:, None] + points) ** 2, axis=-1)


def _last_column(matrix: Any, scale: Any) -> Sides:
    return Sides(np.linalg.norm(matrix[:, -1]), optimum.optimal_tolerance(matrix, scale).value)


def _last_column_squared(matrix: Any, scale: Any) -> Sides:
    return Sides(np.sum(matrix[:, -1] ** 2), optimum.squared_tolerance(matrix, scale))


def _optimum(matrix: Any, scale: Any) -> Sides:
    closest = np.sqrt(np.min(_squared_distances(_points(matrix, scale)))) / 2
    return Sides(closest, optimum.optimal_tolerance(matrix, scale).value)


def _point(matrix: Any, scale: Any, signs: Any) -> Sides:
    points = _points(matrix, scale)
    x = np.column_stack((scale * matrix[:, :-1], matrix[:, -1])) @ signs
    closest = np.min(np.linalg.norm(x + signs[-1] * points, axis=1)) / 2
    return Sides(closest, optimum.point_tolerance(matrix, signs, scale).value)


def _four(matrix: Any, scale: Any) -> tuple[float, float, float, float]:
    return (
        float(optimum.last_distance(matrix)),
        optimum.linear_margin(matrix, scale).value,
        optimum.optimal_tolerance(matrix, scale).value,
        float(np.linalg.norm(matrix[:, -1])),
    )


def _order(matrix: Any, scale: Any) -> Sides:
    distances = np.array(_four(matrix, scale))
    return Sides(distances[:-1], distances[1:])


def _linear(matrix: Any, scale: Any) -> Sides:
    """The worst margin of the hyperplane that the box problem yields, measured at all points."""
    margin = optimum.linear_margin(matrix, scale)
    normal = matrix[:, -1] + scale * matrix[:, :-1] @ margin.coefficients
    return Sides(np.min(_points(matrix, scale) @ normal) / np.linalg.norm(normal), margin.value)


def _other_right(theory: Any, right: Any) -> Any:
    """The same measured side beside another formula."""
    return lambda **world: Sides(theory(**world).left, right(**world))


def _interpolates(n: int, rows: tuple[int, ...], scale: float = 1.0) -> Moment:
    chance = optimum.interpolation_probability(n, scale, rows[0])
    return Moment(per_draw=np.asarray, mean=chance, sd=float(np.sqrt(chance * (1 - chance))))


def _one_factor(n: int, rows: tuple[int, ...]) -> bool:
    return n >= 2 and len(rows) == 1


def _scaling(matrix: Any, scale: Any) -> Sides:
    """What scaling leaves of the optimum."""
    return Sides(optimum.optimal_tolerance(matrix, scale).value, optimum.optimal_tolerance(matrix, 1.0).value)


def _scaling_squared(matrix: Any, scale: Any) -> Sides:
    return Sides(optimum.squared_tolerance(matrix, scale), optimum.squared_tolerance(matrix, 1))


def _scaled(matrix: Any, scale: Any) -> Any:
    return np.column_stack((scale * matrix[:, :-1], matrix[:, -1]))


def _scaled_fraction(matrix: Any, scale: Any) -> Sides:
    other = _scaled(matrix, scale)
    return Sides(
        np.array([optimum.last_distance(other), optimum.fraction(other)]),
        np.array([optimum.last_distance(matrix), optimum.fraction(matrix)]),
    )


def _scaled_linear(matrix: Any, scale: Any, larger: Any) -> Sides:
    """A larger box cannot leave a larger distance."""
    return Sides(optimum.linear_margin(matrix, larger).value, optimum.linear_margin(matrix, scale).value)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="fc.thm6.optimum.printed",
        source="Feature compression, Section 6: the size of a_m as the optimum",
        says="the optimal classifier tolerates perturbations up to the length of the last column",
        formula=r"\|a_m\| \le T^* = \frac{1}{2} \min_{z_m \ne z_m'} \|A(z - z')\|",
        domain="d >= m, every scale c > 0 of the other columns",
        kind="bound",
        theory=_last_column,
        replay=_last_column_squared,
        code=optimum.optimal_tolerance,
        tolerance=1e-9,
        status="refuted",
        note="Without scaling too large by a median factor of 1.351(14), 1.383(10), 1.320(20) at m ="
        " 4, 8, 12 (2000, 2000, 400 Gaussian draws, seed 0); nearly always right for c >= 5.",
    ),
    Claim(
        id="fc.thm6.optimum.corrected",
        source=THEOREM,
        says="the optimal worst-case tolerance is the distance of a closest-vector problem with three levels",
        formula=r"T^* = \min \left\{ \left\| a_m + c \sum_{k<m} u_k a_k \right\| : u \in \{-1,0,1\}^{m-1} \right\}",
        domain="d >= m, every scale c > 0 of the other columns",
        kind="identity",
        theory=_optimum,
        code=optimum.optimal_tolerance,
        tolerance=1e-9,
        status="corrected",
        note="No classifier that is right on all points does better, and the nearest neighbour attains it.",
        decoys=(
            Decoy("the length of the last column", _other_right(_optimum, lambda **world: _four(**world)[3])),
            Decoy("real coefficients in the box", _other_right(_optimum, lambda **world: _four(**world)[1])),
            Decoy(
                "the whole distance of the classes",
                _other_right(_optimum, lambda **world: 2 * _four(**world)[2]),
            ),
        ),
    ),
    Claim(
        id="fc.thm6.optimum.point",
        source=THEOREM,
        says="half the distance from one point to the other class takes levels 0 and z_k z_m only",
        formula=r"T_z = \min \left\{ \left\| a_m + c \sum_{k<m} u_k a_k \right\| : u_k \in \{0, z_k z_m\} \right\}",
        domain="d >= m, every c > 0, every z",
        kind="identity",
        theory=_point,
        code=optimum.point_tolerance,
        tolerance=1e-9,
        status="extension",
        decoys=(
            Decoy(
                "levels 0 and z_k",
                _other_right(
                    _point,
                    lambda matrix, scale, signs: (
                        optimum.point_tolerance(matrix, np.append(signs[:-1], 1 - 2 * (signs[-1] > 0)), scale).value
                    ),
                ),
            ),
            Decoy(
                "the tolerance of the worst point",
                _other_right(_point, lambda matrix, scale, signs: optimum.optimal_tolerance(matrix, scale).value),
            ),
        ),
    ),
    Claim(
        id="fc.thm6.order",
        source=THEOREM,
        says="network (6) tolerates at most what the best linear classifier does, that at most the optimum, "
        "and that at most the length of the last column",
        formula=r"|r_{mm}| \le \rho \le T^* \le \|a_m\|",
        domain="d >= m, every c > 0",
        kind="bound",
        theory=_order,
        code=optimum.linear_margin,
        tolerance=1e-9,
        status="extension",
        note="Four minima over nested sets of coefficients: all reals, the box, three levels, zero.",
        decoys=(
            Decoy(
                "network (6) is the best linear classifier",
                lambda **world: Sides(_four(**world)[1], _four(**world)[0]),
            ),
            Decoy(
                "the best linear classifier is optimal",
                lambda **world: Sides(_four(**world)[2], _four(**world)[1]),
            ),
        ),
    ),
    Claim(
        id="fc.thm6.linear",
        source=THEOREM,
        says="the best worst-case margin of a linear classifier is a distance with coefficients in the box",
        formula=r"\max_{\|w\|=1} \min_z z_m\, w^T A z"
        r" = \rho = \min_{\|v\|_\infty \le 1} \left\| a_m + c \sum_{k<m} v_k a_k \right\|",
        domain="d >= m, every c > 0",
        kind="identity",
        theory=_linear,
        code=optimum.linear_margin,
        tolerance=1e-6,
        status="extension",
        note="Half the distance of the two hulls; the hyperplane of the largest margin passes through 0.",
        decoys=(
            Decoy("the margin of network (6)", _other_right(_linear, lambda **world: _four(**world)[0])),
            Decoy("the optimum of all classifiers", _other_right(_linear, lambda **world: _four(**world)[2])),
        ),
    ),
    Claim(
        id="fc.thm6.linear.probability",
        source=THEOREM,
        says="the chance that network (6) is the best linear classifier, for Gaussian A without scaling",
        formula=r"P(\rho = |r_{nn}|) = \mathbb{E}\, (2 \Phi(C) - 1)^{n-1}, \quad C \sim \chi_{d-n+2};"
        r" \quad d = n: \int_0^\infty t\, e^{-t^2/2} (2 \Phi(t) - 1)^{n-1}\, dt",
        domain="A of one Gaussian factor, d >= n >= 2",
        kind="moment",
        theory=lambda n, rows: _interpolates(n, rows),
        code=optimum.interpolation_probability,
        tolerance=0.05,
        status="extension",
        note="0.71, 0.46, 0.28, 0.20 at d = n = 2, 4, 8, 12; with the other columns scaled by 5 0.92 and more.",
        statistic="best_linear",
        study="last_column",
        where=_one_factor,
        decoys=(
            Decoy("one column more", lambda n, rows: _interpolates(n + 1, (rows[0] + 1,))),
            Decoy("the other columns scaled by 2", lambda n, rows: _interpolates(n, rows, 2.0)),
        ),
    ),
    Claim(
        id="fc.thm6.scaling.printed",
        source="Feature compression, Section 6: scaling all columns but the last",
        says="scaling the other columns does not change what Theorem 6 compares: the optimum stays",
        formula=r"T^*(c) = T^*(1)",
        domain="d >= m, every c > 0",
        kind="identity",
        theory=_scaling,
        replay=_scaling_squared,
        code=optimum.optimal_tolerance,
        tolerance=1e-9,
        status="refuted",
        note="True of r_mm and the fraction only. Large c makes ||a_m|| optimal and network (6) the best linear one.",
    ),
    Claim(
        id="fc.thm6.scaling.corrected",
        source="Feature compression, Section 6: scaling all columns but the last",
        says="scaling the other columns changes neither r_mm nor the fraction",
        formula=r"|r_{mm}|(c) = |r_{mm}|(1), \quad F(c) = F(1)",
        domain="d >= m, every c > 0",
        kind="identity",
        theory=_scaled_fraction,
        code=optimum.fraction,
        tolerance=1e-8,
        status="corrected",
        decoys=(
            Decoy(
                "nor the margin of the best linear classifier",
                lambda matrix, scale: Sides(
                    optimum.linear_margin(matrix, scale).value, optimum.linear_margin(matrix, 1.0).value
                ),
            ),
            Decoy(
                "r_mm grows with the scale",
                lambda matrix, scale: Sides(
                    _scaled_fraction(matrix, scale).left, scale * _scaled_fraction(matrix, scale).right
                ),
            ),
        ),
    ),
    Claim(
        id="fc.thm6.scaling.linear",
        source="Feature compression, Section 6: scaling all columns but the last",
        says="the larger the scale, the smaller the margin of the best linear classifier",
        formula=r"\rho(c') \le \rho(c), \quad c' \ge c",
        domain="d >= m",
        kind="bound",
        theory=_scaled_linear,
        code=optimum.linear_margin,
        tolerance=1e-8,
        status="extension",
        note="Down to |r_mm|. T* is not monotone: it is ||a_m|| for small and for large c.",
        decoys=(
            Decoy(
                "the larger the scale, the larger the margin",
                lambda matrix, scale, larger: Sides(*reversed(_scaled_linear(matrix, scale, larger))),
            ),
        ),
    ),
)
