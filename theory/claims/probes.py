"""Rows on the span of two probing vectors: Theorem 5 of feature compression."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory import probes
from theory.claim import Claim, Decoy, Sides
from theory.gradient_plane import projection

THEOREM = "Feature compression, Theorem 5"


def _length(vector: Any) -> Any:
    return np.sqrt(np.sum(vector**2, axis=-1))


def _strict(p_1: Any, p_2: Any, x: Any) -> Sides:
    """1 where the label must have changed, against whether it has, at the best perturbation of the printed length."""
    moved = x + probes.pair_perturbation(p_1, p_2, x)
    return Sides(1, int(np.sum(p_2 * moved) > np.sum(p_1 * moved)))


def _minimum(p_1: Any, p_2: Any, x: Any, offset: Any) -> Sides:
    """The shortest solution of one linear equation, by least squares; the direction's gap is closed exactly."""
    g = p_1 - p_2
    gap = g @ x + offset
    shortest = np.linalg.lstsq(g[None, :], np.array([-max(gap, 0.0)]), rcond=None)[0]
    return Sides(_length(shortest), probes.pair_distance(p_1, p_2, x, offset))


def _converse(p_1: Any, p_2: Any, x: Any, offset: Any, directions: Any) -> Sides:
    """Where rays from x reach the tie, if they do."""
    slopes = directions @ (p_2 - p_1) / _length(directions)
    gap = (p_1 - p_2) @ x + offset
    reached = np.where(slopes > 0, max(gap, 0.0) / np.where(slopes > 0, slopes, 1), np.inf)
    return Sides(probes.pair_distance(p_1, p_2, x, offset), reached)


def _swap(p_1: Any, p_2: Any, x_1: Any, x_2: Any) -> Sides:
    moved = x_1 + projection(np.stack((p_1, p_2)), x_2 - x_1)
    return Sides(np.array([p_1 @ moved, p_2 @ moved]), np.array([p_1 @ x_2, p_2 @ x_2]))


def _swap_by_one(p_1: Any, p_2: Any, x_1: Any, x_2: Any) -> Sides:
    moved = x_1 + projection(p_1[None, :], x_2 - x_1)
    return Sides(np.array([p_1 @ moved, p_2 @ moved]), np.array([p_1 @ x_2, p_2 @ x_2]))


def _triangular(p_1: Any, p_2: Any) -> Sides:
    R: Any = np.linalg.qr(np.column_stack((p_1, p_2)))[1]
    return Sides(_length(p_1 - p_2), np.hypot(R[0, 0] - R[0, 1], R[1, 1]))


def _corner_forgotten(p_1: Any, p_2: Any) -> Sides:
    R: Any = np.linalg.qr(np.column_stack((p_1, p_2)))[1]
    return Sides(_length(p_1 - p_2), abs(R[0, 0] - R[0, 1]))


def _projected(p_1: Any, p_2: Any, x_1: Any, x_2: Any) -> Sides:
    return Sides(probes.pair_distance(p_1, p_2, x_1), probes.projected_distance(p_1, p_2, x_1, x_2))


def _projected_squared(p_1: Any, p_2: Any, x_1: Any, x_2: Any) -> Sides:
    seen = projection(np.stack((p_1, p_2)), x_2 - x_1)
    return Sides(np.sum(probes.pair_perturbation(p_1, p_2, x_1) ** 2), np.sum(seen**2))


def _sum_of_margins(p_1: Any, p_2: Any, x_1: Any, x_2: Any) -> Sides:
    there, back = probes.pair_distance(p_1, p_2, x_1), probes.pair_distance(p_2, p_1, x_2)
    return Sides(there + back, probes.projected_distance(p_1, p_2, x_1, x_2))


def _larger(theory: Any, factor: float) -> Any:
    """The right side times a factor."""
    return lambda **world: Sides(theory(**world).left, factor * theory(**world).right)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="fc.thm5.printed",
        source=THEOREM,
        says="a perturbation no longer than the gap over the length of p_1 - p_2 changes the label",
        formula=r"\exists e: \|e\| \le \frac{f_1(x) - f_2(x)}{\|p_1 - p_2\|}, \; f_2(x + e) > f_1(x + e)",
        domain="p_1 different from p_2, f_1(x) > f_2(x); sides: 1 against whether the label changes",
        kind="bound",
        theory=_strict,
        code=probes.pair_perturbation,
        tolerance=1e-9,
        status="refuted",
        note="At that length the best perturbation only ties; the proof's own extra epsilon repairs it.",
    ),
    Claim(
        id="fc.thm5.corrected",
        source=THEOREM,
        says="the infimum of the perturbations that give f_2 > f_1 is the gap over the length of p_1 - p_2",
        formula=r"\inf \{ \|e\| : f_2(x + e) > f_1(x + e) \} = \frac{\max(f_1(x) - f_2(x), 0)}{\|p_1 - p_2\|}",
        domain="p_1 different from p_2, any offset",
        kind="identity",
        theory=_minimum,
        code=probes.pair_distance,
        tolerance=1e-9,
        status="corrected",
        note="Not attained. One direction, p_1 - p_2, is enough: the plane of the theorem imitates both outputs.",
        decoys=(
            Decoy(
                "over the sum of both lengths",
                lambda p_1, p_2, x, offset: Sides(
                    _minimum(p_1, p_2, x, offset).left,
                    max((p_1 - p_2) @ x + offset, 0) / (_length(p_1) + _length(p_2)),
                ),
            ),
            Decoy("the swap instead of the tie", _larger(_minimum, 2)),
            Decoy(
                "as if both vectors were orthogonal",
                lambda p_1, p_2, x, offset: Sides(
                    _minimum(p_1, p_2, x, offset).left,
                    max((p_1 - p_2) @ x + offset, 0) / np.sqrt(p_1 @ p_1 + p_2 @ p_2),
                ),
            ),
        ),
    ),
    Claim(
        id="fc.thm5.converse",
        source=THEOREM,
        says="in no direction is the tie nearer",
        formula=r"\frac{\max(f_1(x) - f_2(x), 0)}{\|p_1 - p_2\|} \le \inf \{ t : f_2(x + t u) \ge f_1(x + t u) \}",
        domain="every unit vector u",
        kind="bound",
        theory=_converse,
        code=probes.pair_distance,
        tolerance=1e-9,
        status="extension",
        note="Equality along p_2 - p_1 only (Cauchy and Schwarz).",
        decoys=(Decoy("at half that distance", _larger(_converse, 0.5)),),
    ),
    Claim(
        id="fc.thm5.swap",
        source=THEOREM,
        says="the projected difference gives at x_1 both outputs of x_2",
        formula=r"f_k(x_1 + Q Q^T (x_2 - x_1)) = f_k(x_2), \quad k = 1, 2",
        domain="any probing vectors, dependent ones too",
        kind="identity",
        theory=_swap,
        code=projection,
        tolerance=1e-8,
        decoys=(Decoy("one probing vector is enough for both outputs", _swap_by_one),),
    ),
    Claim(
        id="fc.thm5.triangular",
        source=THEOREM,
        says="the length of p_1 - p_2 in the entries of R",
        formula=r"\|p_1 - p_2\| = \sqrt{(r_{11} - r_{12})^2 + r_{22}^2}, \quad [p_1\; p_2] = QR",
        domain="d >= 2",
        kind="identity",
        theory=_triangular,
        tolerance=1e-9,
        decoys=(Decoy("without the corner r_22", _corner_forgotten),),
    ),
    Claim(
        id="fc.thm5.projection.printed",
        source=THEOREM,
        says="a perturbation no longer than the projected difference of x_1 and x_2 reaches the tie",
        formula=r"\frac{f_1(x_1) - f_2(x_1)}{\|p_1 - p_2\|} \le \|\tilde{x}_1 - \tilde{x}_2\|",
        domain="f_1(x_1) > f_2(x_1), x_2 a point of class 2",
        kind="bound",
        theory=_projected,
        replay=_projected_squared,
        code=probes.projected_distance,
        tolerance=1e-9,
        status="refuted",
        note="False where x_2 carries label 2 but is classified as 1.",
    ),
    Claim(
        id="fc.thm5.projection.corrected",
        source=THEOREM,
        says="if x_2 is classified as 2, the projected difference is at least the sum of both distances to the tie",
        formula=r"\frac{(f_1 - f_2)(x_1) + (f_2 - f_1)(x_2)}{\|p_1 - p_2\|} \le \|\tilde{x}_1 - \tilde{x}_2\|",
        domain="f_1(x_1) > f_2(x_1), f_2(x_2) > f_1(x_2)",
        kind="bound",
        theory=_sum_of_margins,
        code=probes.projected_distance,
        tolerance=1e-9,
        status="corrected",
        note="So with equal margins it is twice what a flip needs, or more.",
        decoys=(Decoy("with a factor 0.9 to spare", _larger(_sum_of_margins, 0.9)),),
    ),
)
