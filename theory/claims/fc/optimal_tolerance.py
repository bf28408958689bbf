"""Rows on the optimum that Theorem 6 of feature compression compares with, and on the best linear classifier."""

from __future__ import annotations

from itertools import product

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from fragility.law import Moment
from theory.claims.fc.right_sides import with_right
from theory.claims.fc.sizes import Rows, one_factor
from theory.numerics.array import Array, Number
from theory.points import optimal_tolerance as optimum
from theory.spaces import matrices as spaces
from theory.worlds import optimal_tolerance as worlds

THEOREM = "Feature compression, Theorem 6"
EXPERIMENT = "Feature compression, Section 6, linear networks"


def _signs(m: int) -> Array:
    """All sign vectors of length m with last entry 1, (2^(m-1), m): those with -1 are their negatives."""
    return np.array([(*z, 1) for z in product((-1, 1), repeat=m - 1)])


def _scaled(matrix: Array, scale: Number) -> Array:
    """The matrix with all columns but the last scaled."""
    return np.column_stack((scale * matrix[:, :-1], matrix[:, -1]))


def points_of_label_1(matrix: Array, scale: Number) -> Array:
    """All points A z of label 1, (2^(m-1), d)."""
    return _signs(matrix.shape[1]) @ _scaled(matrix, scale).T


def _squared_distances(points: Array) -> Array:
    """Squared distances to the points of label -1, which are -points."""
    return np.sum((points[:, None] + points) ** 2, axis=-1)


def _last_column(matrix: Array, scale: float) -> Sides:
    """The length of the last column, against the optimum."""
    return Sides(np.linalg.norm(matrix[:, -1]), optimum.optimal_tolerance(matrix, scale).value)


def _last_column_squared(matrix: Array, scale: Number) -> Sides:
    """The squares of both, which keep fractions exact."""
    return Sides(np.sum(matrix[:, -1] ** 2), optimum.squared_tolerance(matrix, scale))


def _optimum(matrix: Array, scale: float) -> Sides:
    """Half the least distance of two points of different labels, against the optimum."""
    closest = np.sqrt(np.min(_squared_distances(points_of_label_1(matrix, scale)))) / 2
    return Sides(closest, optimum.optimal_tolerance(matrix, scale).value)


def _point(matrix: Array, scale: float, signs: Array) -> Sides:
    """Half the least distance from one point to the other class, against the point's tolerance."""
    points = points_of_label_1(matrix, scale)
    x = _scaled(matrix, scale) @ signs
    closest = np.min(np.linalg.norm(x + signs[-1] * points, axis=1)) / 2
    return Sides(closest, optimum.point_tolerance(matrix, signs, scale).value)


def _four(matrix: Array, scale: float) -> tuple[float, float, float, float]:
    """What network (6), the best linear classifier and the best of all tolerate, and the length of the last column."""
    return (
        float(optimum.last_distance(matrix)),
        optimum.linear_margin(matrix, scale).value,
        optimum.optimal_tolerance(matrix, scale).value,
        float(np.linalg.norm(matrix[:, -1])),
    )


def _order(matrix: Array, scale: float) -> Sides:
    """Each of the four but the last, against the next."""
    distances = np.array(_four(matrix, scale))
    return Sides(distances[:-1], distances[1:])


def _linear(matrix: Array, scale: float) -> Sides:
    """The worst margin of the hyperplane that the box problem yields, measured at all points."""
    margin = optimum.linear_margin(matrix, scale)
    normal = matrix[:, -1] + scale * matrix[:, :-1] @ margin.coefficients
    return Sides(np.min(points_of_label_1(matrix, scale) @ normal) / np.linalg.norm(normal), margin.value)


def _interpolates(n: int, rows: Rows, scale: float = 1.0) -> Moment:
    """The chance that network (6) is the best linear classifier."""
    chance = optimum.interpolation_probability(n, scale, rows[0])
    return Moment(per_draw=np.asarray, mean=chance, sd=float(np.sqrt(chance * (1 - chance))))


def _scaling(matrix: Array, scale: float) -> Sides:
    """The optimum with the other columns scaled, against that without."""
    return Sides(optimum.optimal_tolerance(matrix, scale).value, optimum.optimal_tolerance(matrix, 1.0).value)


def _scaling_squared(matrix: Array, scale: Number) -> Sides:
    """The squares of both, which keep fractions exact."""
    return Sides(optimum.squared_tolerance(matrix, scale), optimum.squared_tolerance(matrix, 1))


def _residue(matrix: Array) -> Array:
    """The distance r_mm, the fraction, and q_m, on which the last column lies positively."""
    Q: Array = np.linalg.qr(matrix)[0]
    q = Q[:, -1] * np.sign(Q[:, -1] @ matrix[:, -1])
    return np.array([optimum.last_distance(matrix), optimum.fraction(matrix), *q])


def _scaled_residue(matrix: Array, scale: Number) -> Sides:
    """What the last column leaves with the other columns scaled, against that without."""
    return Sides(_residue(_scaled(matrix, scale)), _residue(matrix))


def _scaled_linear(matrix: Array, scale: float, larger: float) -> Sides:
    """The best linear margin with a larger box of coefficients, against that with a smaller one."""
    return Sides(optimum.linear_margin(matrix, larger).value, optimum.linear_margin(matrix, scale).value)


def _drawn(matrix: Array, scale: Number) -> dict[str, bool]:
    """The experiment's hypotheses: columns as independent as those of a Gaussian matrix, all but one scaled."""
    d, m = matrix.shape
    return {
        "A has at least as many rows as columns, and these are independent": (
            np.linalg.matrix_rank(matrix.astype(float)) == m <= d
        ),
        "all columns but the last are multiplied by a number that is not 1": scale > 0 and scale != 1,
    }


_beside = rows(THEOREM, status="extension", credit="ours")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="fc.thm6.optimum.reading",
        source=EXPERIMENT,
        says="the optimal classifier tolerates perturbations up to the length of the last column",
        quotes=(
            Quote(
                "the optimal decoder (the minimum distance decoder or classifier) would need the input to be changed by"
                " at least the magnitude of the last column",
                "Section 6, above Table 1",
            ),
        ),
        reading="of every data matrix, and whatever the number is that multiplies its other columns, which is lost",
        reconstructed=True,
        formula=r"\|a_m\| \le T^* = \frac{1}{2} \min_{z_m \ne z_m'} \|A(z - z')\|",
        domain="d >= m, every scale c > 0 of the other columns",
        kind="bound",
        theory=_last_column,
        space=spaces.points,
        replay=_last_column_squared,
        code=optimum.optimal_tolerance,
        tolerance=1e-9,
        status="reading",
        defect="the optimal classifier is said to need at least the length of the last column; for any number that"
        " multiplies the other columns there are data on which half of that is enough",
        instead=("fc.thm6.optimum.corrected", "fc.thm6.order"),
        hypotheses=_drawn,
        argument="For every c > 0 let a_1 = (5 / (4 c), 0) and a_2 = (1, 1/2), so that ||a_2||^2 = 5/4. The points"
        " -c a_1 + a_2 = (-1/4, 1/2) and c a_1 - a_2, its negative, have different labels, and half their distance is"
        " the length of either, of square 5/16. So no classifier that is right on both tolerates more than half of"
        " ||a_2||.",
        note="Of the matrices that the experiment draws it holds nearly always if c is large: T* < ||a_m|| in 12.9 % of"
        " 4000 square Gaussian matrices at m = 12 for c = 2, in 0.6 % for c = 3 and in none for c = 5 and 10 (seed 12);"
        " at m = 4 in 41, 17, 3.3 and 0.3 %. Without scaling, in 92 % of 1000 at m = 12, by a median factor of 1.33. So"
        " it fails as a statement on all data, and m and c of the experiment are lost.",
    ),
    Claim(
        id="fc.thm6.optimum.corrected",
        source=THEOREM,
        says="the optimal worst-case tolerance is the distance of a closest-vector problem with three levels",
        formula=r"T^* = \min \left\{ \left\| a_m + c \sum_{k<m} u_k a_k \right\| : u \in \{-1,0,1\}^{m-1} \right\}",
        domain="d >= m, every scale c > 0 of the other columns",
        kind="identity",
        theory=_optimum,
        space=spaces.points,
        world=worlds.scaled_matrix,
        code=optimum.optimal_tolerance,
        tolerance=1e-9,
        status="corrected",
        note="Equal to the length of the last column where no combination of the others shortens it, as for large c."
        " No classifier that is right on all points does better, and the nearest neighbour attains it.",
        decoys=(
            Decoy("the length of the last column", with_right(_optimum, lambda **world: _four(**world)[3])),
            Decoy("real coefficients in the box", with_right(_optimum, lambda **world: _four(**world)[1])),
            Decoy(
                "the whole distance of the classes",
                with_right(_optimum, lambda **world: 2 * _four(**world)[2]),
            ),
        ),
    ),
    _beside(
        "fc.thm6.optimum.point",
        says="half the distance from one point to the other class takes levels 0 and z_k z_m only",
        formula=r"T_z = \min \left\{ \left\| a_m + c \sum_{k<m} u_k a_k \right\| : u_k \in \{0, z_k z_m\} \right\}",
        domain="d >= m, every c > 0, every z",
        kind="identity",
        theory=_point,
        world=worlds.signed_point,
        code=optimum.point_tolerance,
        tolerance=1e-9,
        decoys=(
            Decoy(
                "levels 0 and z_k",
                with_right(
                    _point,
                    lambda matrix, scale, signs: (
                        optimum.point_tolerance(matrix, np.append(signs[:-1], 1 - 2 * (signs[-1] > 0)), scale).value
                    ),
                ),
            ),
            Decoy(
                "the tolerance of the worst point",
                with_right(_point, lambda matrix, scale, signs: optimum.optimal_tolerance(matrix, scale).value),
            ),
        ),
    ),
    _beside(
        "fc.thm6.order",
        says="network (6) tolerates at most what the best linear classifier does, that at most the optimum, "
        "and that at most the length of the last column",
        formula=r"|r_{mm}| \le \rho \le T^* \le \|a_m\|",
        domain="d >= m, every c > 0",
        kind="bound",
        theory=_order,
        world=worlds.scaled_matrix,
        code=optimum.linear_margin,
        tolerance=1e-9,
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
    _beside(
        "fc.thm6.linear",
        says="the best worst-case margin of a linear classifier is a distance with coefficients in the box",
        formula=r"\max_{\|w\|=1} \min_z z_m\, w^T A z"
        r" = \rho = \min_{\|v\|_\infty \le 1} \left\| a_m + c \sum_{k<m} v_k a_k \right\|",
        domain="d >= m, every c > 0",
        kind="identity",
        theory=_linear,
        world=worlds.scaled_matrix,
        code=optimum.linear_margin,
        tolerance=1e-6,
        credit="textbook",
        note="Half the distance of the two hulls, as of any two classes; the hyperplane of the largest margin passes"
        " through 0.",
        decoys=(
            Decoy("the margin of network (6)", with_right(_linear, lambda **world: _four(**world)[0])),
            Decoy("the optimum of all classifiers", with_right(_linear, lambda **world: _four(**world)[2])),
        ),
    ),
    _beside(
        "fc.thm6.linear.probability",
        says="the chance that network (6) is the best linear classifier, for Gaussian A without scaling",
        formula=r"P(\rho = |r_{nn}|) = \mathbb{E}\, (2 \Phi(C) - 1)^{n-1}, \quad C \sim \chi_{d-n+2};"
        r" \quad d = n: \int_0^\infty t\, e^{-t^2/2} (2 \Phi(t) - 1)^{n-1}\, dt",
        domain="A of one Gaussian factor, d >= n >= 2",
        kind="moment",
        theory=lambda n, rows: _interpolates(n, rows),
        code=optimum.interpolation_probability,
        tolerance=0.05,
        note="0.71, 0.46, 0.28, 0.20 at d = n = 2, 4, 8, 12; with the other columns scaled by 5 0.92 and more.",
        statistic="best_linear",
        study="simulate.last_column",
        where=one_factor,
        decoys=(
            Decoy("one column more", lambda n, rows: _interpolates(n + 1, (rows[0] + 1,))),
            Decoy("the other columns scaled by 2", lambda n, rows: _interpolates(n, rows, 2.0)),
        ),
    ),
    _beside(
        "fc.thm6.scaling.tempting",
        source=EXPERIMENT,
        says="scaling the other columns does not change what Theorem 6 compares: the optimum stays",
        formula=r"T^*(c) = T^*(1)",
        domain="d >= m, every c > 0",
        kind="identity",
        theory=_scaling,
        space=spaces.points,
        replay=_scaling_squared,
        code=optimum.optimal_tolerance,
        tolerance=1e-9,
        tempting=True,
        instead=("fc.thm6.scaling",),
        hypotheses=_drawn,
        note="The paper says it of the predictions of Theorem 6 and of the last column of Q, where it is true. Large c"
        " makes ||a_m|| optimal and network (6) the best linear one.",
    ),
    Claim(
        id="fc.thm6.scaling",
        source=EXPERIMENT,
        says="scaling the other columns changes neither the last column of Q nor r_mm nor the fraction",
        quotes=(
            Quote(
                "the modification will not change the last column of matrix [..] in the QR decomposition of",
                "Section 6, above Table 1",
            ),
            Quote(
                "Note that this modification will not change the theoretical predictions in Theorem 6",
                "Section 6, above Table 1",
            ),
        ),
        reading="the predictions are r_mm, the size of the attack, and the fraction; every positive number as factor",
        reconstructed=True,
        formula=r"q_m(c) = q_m(1), \quad |r_{mm}|(c) = |r_{mm}|(1), \quad F(c) = F(1)",
        domain="d >= m, every c > 0",
        kind="identity",
        theory=_scaled_residue,
        space=spaces.independent_points,
        world=worlds.scaled_matrix,
        code=optimum.fraction,
        tolerance=1e-8,
        note="What the optimum and the best linear classifier tolerate does change: fc.thm6.scaling.tempting and"
        " fc.thm6.scaling.linear.",
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
                    _scaled_residue(matrix, scale).left, scale * _scaled_residue(matrix, scale).right
                ),
            ),
        ),
    ),
    _beside(
        "fc.thm6.scaling.linear",
        source=EXPERIMENT,
        says="the larger the scale, the smaller the margin of the best linear classifier",
        formula=r"\rho(c') \le \rho(c), \quad c' \ge c",
        domain="d >= m",
        kind="bound",
        theory=_scaled_linear,
        world=worlds.two_scales,
        code=optimum.linear_margin,
        tolerance=1e-8,
        note="Down to |r_mm|. T* is not monotone: it is ||a_m|| for small and for large c.",
        decoys=(
            Decoy(
                "the larger the scale, the larger the margin",
                lambda matrix, scale, larger: _scaled_linear(matrix, scale, larger).swapped,
            ),
        ),
    ),
)
