"""Rows on the angles of Table 1 of feature compression: probing vector, last column, last row of the inverse."""

from __future__ import annotations

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.fc.optimal_tolerance import points_of_label_1
from theory.claims.fc.right_sides import with_right
from theory.numerics.array import Array, Number
from theory.points import optimal_tolerance as optimum
from theory.spaces import matrices as spaces
from theory.worlds import optimal_tolerance as worlds

TABLE = "Feature compression, Section 6, Table 1"


def _all_margins(probe: Array, matrix: Array, scale: Number) -> Array:
    """The distances of all points of label 1 to the hyperplane, negative on its wrong side."""
    return points_of_label_1(matrix, scale) @ probe / np.linalg.norm(probe)


def _angle_as_worst_case(probe: Array, matrix: Array, scale: Number) -> Sides:
    """The cosine of theta_1 times the length of the last column, against the least of these distances."""
    return Sides(np.abs(probe @ matrix[:, -1]) / np.linalg.norm(probe), np.min(_all_margins(probe, matrix, scale)))


def _angle_as_worst_case_unnormed(probe: Array, matrix: Array, scale: Number) -> Sides:
    """Both sides times ||p||, which keeps fractions exact."""
    return Sides(abs(probe @ matrix[:, -1]), np.min(points_of_label_1(matrix, scale) @ probe))


def _margins(probe: Array, matrix: Array, scale: Number) -> Sides:
    """The mean and the least of these distances, against their formulas."""
    measured = _all_margins(probe, matrix, scale)
    return Sides(np.array([np.mean(measured), np.min(measured)]), np.array(optimum.margins(probe, matrix, scale)))


def _aligned(matrix: Array, row: int = -1) -> Sides:
    """The cosine of theta_1 of a row of the inverse, against the fraction."""
    cosine, _ = optimum.angle_cosines(np.linalg.inv(matrix)[row], matrix)
    return Sides(cosine, optimum.fraction(matrix))


def _link(probe: Array, matrix: Array) -> Sides:
    """The cosine of theta_1 between the bounds that the fraction and theta_2 leave it."""
    first, second = optimum.angle_cosines(probe, matrix)
    lower, upper = optimum.angle_bounds(optimum.fraction(matrix), second)
    return Sides(np.array([lower, first]), np.array([first, upper]))


def _mean_square(cosine: float, matrix: Array) -> Sides:
    """The mean of cos^2 theta_1 over probing vectors at one angle with q_m, their errors along an orthonormal basis."""
    basis = np.linalg.svd(matrix[:, :-1])[0]  # the last of them is q_m
    probes = cosine * basis[:, -1] + np.sqrt(1 - cosine**2) * basis[:, :-1].T
    others = cosine * basis[:, -1] - np.sqrt(1 - cosine**2) * basis[:, :-1].T
    first, _ = optimum.angle_cosines(np.concatenate((probes, others)), matrix)
    return Sides(np.mean(first**2), optimum.mean_square_cosine(optimum.fraction(matrix), cosine, matrix.shape[0]))


def _valid(probe: Array, matrix: Array, scale: Number) -> dict[str, bool]:
    """The hypotheses of a network that is right on all points."""
    return {
        "A has at least as many rows as columns": matrix.shape[0] >= matrix.shape[1],
        "the columns but the last are multiplied by a positive number": scale > 0,
        "the network is right on all points": bool(np.min(points_of_label_1(matrix, scale) @ probe) > 0),
    }


_beside = rows(TABLE, status="extension", credit="ours")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="fc.thm6.angle.reading",
        source=TABLE,
        says="|cos theta_1| times the length of the last column is the smallest perturbation that changes the output",
        quotes=(
            Quote(
                "[..] quantifies how much perturbation we can add to the input signal [..] such that the output of the"
                " classifier is changed to the opposite label",
                "Section 6, above Table 1",
            ),
            Quote(
                "the adversarial robustness (namely smallest magnitude of perturbation to change the model's"
                " classification result)",
                "Section 6, above Table 1",
            ),
        ),
        reading="of the point that is hit most easily: 'smallest' as the least over the data, too; the paper does not"
        " say of which point",
        reconstructed=True,
        formula=r"|\cos \theta_1|\, \|a_m\| \le \min_z z_m\, \frac{p^T A z}{\|p\|}",
        domain="every probing vector p that is right on all points",
        kind="bound",
        theory=_angle_as_worst_case,
        space=spaces.probed_points,
        replay=_angle_as_worst_case_unnormed,
        code=optimum.margins,
        tolerance=1e-9,
        status="reading",
        defect="|cos theta_1| times the length of the last column is the mean over the data of what a trained linear"
        " network tolerates, not the least: 6 times too much in the stored world, and without limit",
        instead=("fc.thm6.angle.corrected",),
        hypotheses=_valid,
        note="It is the mean over the data; the least is smaller unless p is normal to all other columns, as it is"
        " where condition (6) holds exactly.",
    ),
    Claim(
        id="fc.thm6.angle.corrected",
        source=TABLE,
        says="|cos theta_1| ||a_m|| is the mean distance of the data to the hyperplane, the least being smaller",
        formula=r"\mathrm{mean} = \beta_m = \cos \theta_1\, \|a_m\|, \quad \min = \beta_m - \sum_{k<m} |\beta_k|,"
        r" \quad \beta_k = \frac{c\, p^T a_k}{\|p\|}",
        domain="every p and c; beta_m without the factor c",
        kind="identity",
        theory=_margins,
        space=spaces.probed_points,
        world=worlds.probed_matrix,
        code=optimum.margins,
        tolerance=1e-9,
        status="corrected",
        note="Training accuracy is 1 if and only if beta_m exceeds the sum.",
        decoys=(
            Decoy(
                "the mean for both",
                with_right(_margins, lambda probe, matrix, scale: optimum.margins(probe, matrix, scale).mean),
            ),
            Decoy(
                "the scale forgotten",
                with_right(_margins, lambda probe, matrix, scale: np.array(optimum.margins(probe, matrix))),
            ),
        ),
    ),
    Claim(
        id="fc.thm6.angle.aligned",
        source=TABLE,
        says="if the probing vector is parallel to the last row of the inverse, |cos theta_1| is the fraction",
        quotes=(
            Quote(
                "should be aligned or oppositely aligned with the last row of the inverse of",
                "Section 6, above Table 1",
            ),
            Quote(
                "Theorem 6 theoretically predicts that [..] (or the actual feature compression ratio) should be close"
                ' to "fraction"',
                "Section 6, above Table 1",
            ),
        ),
        reading="'close' becomes equal where the probing vector is aligned exactly, as Theorem 6 assumes; how close it"
        " is where it is not is fc.thm6.angle.link",
        reconstructed=True,
        formula=r"\theta_2 = 0 \;\Rightarrow\; |\cos \theta_1| = \frac{|r_{mm}|}{\|a_m\|}",
        domain="square invertible A",
        kind="identity",
        theory=_aligned,
        world=worlds.invertible_matrix,
        code=optimum.angle_cosines,
        tolerance=1e-6,
        note="An identity of linear algebra: agreement in Table 1 shows that training found q_m, and no more.",
        decoys=(Decoy("the first row of the inverse", lambda matrix: _aligned(matrix, row=0)),),
    ),
    _beside(
        "fc.thm6.angle.link",
        says="the fraction and theta_2 leave an interval for |cos theta_1|",
        formula=r"\cos(\phi + \theta_2) \le |\cos \theta_1| \le \cos(\phi - \theta_2), \quad \cos \phi = F",
        domain="d >= m >= 2, angles up to a right one; 0 below where phi + theta_2 is larger",
        kind="bound",
        theory=_link,
        world=worlds.probe_and_matrix,
        code=optimum.angle_bounds,
        tolerance=1e-9,
        decoys=(
            Decoy(
                "the product of both cosines is the most",
                lambda probe, matrix: Sides(
                    _link(probe, matrix).left[1],
                    optimum.fraction(matrix) * optimum.angle_cosines(probe, matrix)[1],
                ),
            ),
            Decoy(
                "the product of both cosines is the least",
                lambda probe, matrix: Sides(
                    optimum.fraction(matrix) * optimum.angle_cosines(probe, matrix)[1],
                    _link(probe, matrix).left[1],
                ),
            ),
        ),
    ),
    _beside(
        "fc.thm6.angle.average",
        says="cos^2 theta_1 averages to a mixture of the fraction's square and 1 / (d - 1) of the rest",
        formula=r"\mathbb{E} \cos^2 \theta_1 = F^2 \cos^2 \theta_2 + \frac{1 - F^2}{d - 1} \sin^2 \theta_2",
        domain="square A, error of the probing vector uniform in the directions normal to q_d",
        kind="identity",
        theory=_mean_square,
        world=worlds.cosine_and_matrix,
        code=optimum.mean_square_cosine,
        tolerance=1e-9,
        note="Exact too for errors along an orthonormal basis and its negative, which is how it is measured.",
        decoys=(
            Decoy(
                "the product of the squared cosines",
                with_right(_mean_square, lambda cosine, matrix: (optimum.fraction(matrix) * cosine) ** 2),
            ),
            Decoy(
                "one dimension more",
                with_right(
                    _mean_square,
                    lambda cosine, matrix: optimum.mean_square_cosine(
                        optimum.fraction(matrix), cosine, matrix.shape[0] + 1
                    ),
                ),
            ),
        ),
    ),
)
