"""Rows on the span of two probing vectors: Theorem 5 of feature compression."""

from __future__ import annotations

from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from fragility.law import Law
from theory.claims.fc.right_sides import with_right_times
from theory.gradients.gradient_plane import projection, span_law
from theory.laws.chi_product import chi_product
from theory.numerics.array import Array, Number
from theory.points import probes
from theory.spaces import linear as spaces
from theory.worlds import probes as worlds

THEOREM = "Feature compression, Theorem 5"


def length(vector: Array) -> Array:
    """Euclidean lengths along the last axis."""
    return np.sqrt(np.sum(vector**2, axis=-1))


def _strict(p_1: Array, p_2: Array, x: Array) -> Sides:
    """One, the label has changed, against whether it has, at the best perturbation of the printed length."""
    moved = x + probes.pair_perturbation(p_1, p_2, x)
    return Sides(1, int(np.sum(p_2 * moved) > np.sum(p_1 * moved)))


def _minimum(p_1: Array, p_2: Array, x: Array, offset: Number) -> Sides:
    """The length of the shortest step that closes the gap, by least squares, against the formula."""
    g = p_1 - p_2
    gap = g @ x + offset
    shortest = np.linalg.lstsq(g[None, :], np.array([-max(gap, 0.0)]), rcond=None)[0]
    return Sides(length(shortest), probes.pair_distance(p_1, p_2, x, offset))


def _converse(p_1: Array, p_2: Array, x: Array, offset: Number, directions: Array) -> Sides:
    """The distance to the tie, against where rays from x reach it, if they do."""
    slopes = directions @ (p_2 - p_1) / length(directions)
    gap = (p_1 - p_2) @ x + offset
    reached = np.where(slopes > 0, max(gap, 0.0) / np.where(slopes > 0, slopes, 1), np.inf)
    return Sides(probes.pair_distance(p_1, p_2, x, offset), reached)


def _swap(p_1: Array, p_2: Array, x_1: Array, x_2: Array) -> Sides:
    """Both outputs at x_1 plus the projected difference, against those at x_2."""
    moved = x_1 + projection(np.stack((p_1, p_2)), x_2 - x_1)
    return Sides(np.array([p_1 @ moved, p_2 @ moved]), np.array([p_1 @ x_2, p_2 @ x_2]))


def _swap_by_one(p_1: Array, p_2: Array, x_1: Array, x_2: Array) -> Sides:
    moved = x_1 + projection(p_1[None, :], x_2 - x_1)
    return Sides(np.array([p_1 @ moved, p_2 @ moved]), np.array([p_1 @ x_2, p_2 @ x_2]))


def _triangular(p_1: Array, p_2: Array) -> Sides:
    """The length of p_1 - p_2, against the formula in R."""
    R: Array = np.linalg.qr(np.column_stack((p_1, p_2)))[1]
    return Sides(length(p_1 - p_2), np.hypot(R[0, 0] - R[0, 1], R[1, 1]))


def _corner_forgotten(p_1: Array, p_2: Array) -> Sides:
    R: Array = np.linalg.qr(np.column_stack((p_1, p_2)))[1]
    return Sides(length(p_1 - p_2), abs(R[0, 0] - R[0, 1]))


def _sum_of_margins(p_1: Array, p_2: Array, x_1: Array, x_2: Array) -> Sides:
    """The sum of both distances to the tie, against the length of the projected difference."""
    there, back = probes.pair_distance(p_1, p_2, x_1), probes.pair_distance(p_2, p_1, x_2)
    return Sides(there + back, probes.projected_distance(p_1, p_2, x_1, x_2))


def _of_one(n: int, **_: Any) -> Law:
    """The law of the compression on one probing vector."""
    return span_law(n, 1)


def _of_all(n: int, classes: int, **_: Any) -> Law:
    return span_law(n, classes)


_beside = rows(THEOREM, status="extension")
_drawn = rows(THEOREM, kind="law", study="simulate.probes", tolerance=0.1, status="extension", credit="textbook")

CLAIMS: tuple[Claim, ...] = (
    _beside(
        "fc.thm5.tempting",
        says="a perturbation no longer than the gap over the length of p_1 - p_2 changes the label",
        formula=r"\exists e: \|e\| \le \frac{f_1(x) - f_2(x)}{\|p_1 - p_2\|}, \; f_2(x + e) > f_1(x + e)",
        domain="p_1 different from p_2, f_1(x) > f_2(x); sides: 1 against whether the label changes",
        kind="bound",
        theory=_strict,
        space=spaces.pair,
        code=probes.pair_perturbation,
        tolerance=1e-9,
        credit="ours",
        tempting=True,
        instead=("fc.thm5.infimum",),
        hypotheses=lambda p_1, p_2, x, **_: {
            "p_1 differs from p_2": bool(np.any(p_1 != p_2)),
            "class 1 is ahead of class 2 at x": p_1 @ x > p_2 @ x,
        },
        note="At that length the best perturbation only ties. The bound of the theorem is lost in the text that was"
        " read, and its proof allows for an arbitrarily small constant more, so that this is not the paper's.",
    ),
    Claim(
        id="fc.thm5.infimum",
        source=THEOREM,
        says="the infimum of the perturbations that give f_2 > f_1 is the gap over the length of p_1 - p_2",
        quotes=(
            Quote(
                "So, by the Cauchy-Schwarz inequality, we can pick a [..] such that [..] So there exists an arbitrarily"
                " small constant [..] and perturbation vector",
                "proof of Theorem 5",
            ),
        ),
        reading="both formulas are lost: the tie is reached at that length, and any more flips the order. 'Infimum'"
        " adds that nothing shorter does (fc.thm5.converse), the offset biases, which only change the gap",
        reconstructed=True,
        formula=r"\inf \{ \|e\| : f_2(x + e) > f_1(x + e) \} = \frac{\max(f_1(x) - f_2(x), 0)}{\|p_1 - p_2\|}",
        domain="p_1 different from p_2, any offset",
        kind="identity",
        theory=_minimum,
        world=worlds.pair,
        space=spaces.pair_and_offset,
        code=probes.pair_distance,
        tolerance=1e-9,
        note="Not attained. One direction, p_1 - p_2, is enough: the plane of the theorem imitates both outputs.",
        decoys=(
            Decoy(
                "over the sum of both lengths",
                lambda p_1, p_2, x, offset: Sides(
                    _minimum(p_1, p_2, x, offset).left,
                    max((p_1 - p_2) @ x + offset, 0) / (length(p_1) + length(p_2)),
                ),
            ),
            Decoy("the swap instead of the tie", with_right_times(_minimum, 2)),
            Decoy(
                "as if both vectors were orthogonal",
                lambda p_1, p_2, x, offset: Sides(
                    _minimum(p_1, p_2, x, offset).left,
                    max((p_1 - p_2) @ x + offset, 0) / np.sqrt(p_1 @ p_1 + p_2 @ p_2),
                ),
            ),
        ),
    ),
    _beside(
        "fc.thm5.converse",
        says="in no direction is the tie nearer",
        formula=r"\frac{\max(f_1(x) - f_2(x), 0)}{\|p_1 - p_2\|} \le \inf \{ t : f_2(x + t u) \ge f_1(x + t u) \}",
        domain="every unit vector u",
        kind="bound",
        theory=_converse,
        world=worlds.rays,
        code=probes.pair_distance,
        tolerance=1e-9,
        credit="textbook",
        note="Equality along p_2 - p_1 only (Cauchy and Schwarz).",
        decoys=(Decoy("at half that distance", with_right_times(_converse, 0.5)),),
    ),
    Claim(
        id="fc.thm5.swap",
        source=THEOREM,
        says="the projected difference gives at x_1 both outputs of x_2",
        quotes=(
            Quote(
                "one just needs to change the components of [..] in the subspace spanned by the two probing vectors",
                "Section 2, below Theorem 5",
            ),
        ),
        reading="'needs' for changing both outputs to those of any other point x_2, which a change in the plane of both"
        " vectors does",
        reconstructed=True,
        formula=r"f_k(x_1 + Q Q^T (x_2 - x_1)) = f_k(x_2), \quad k = 1, 2",
        domain="any probing vectors, dependent ones too",
        kind="identity",
        theory=_swap,
        world=worlds.two_points,
        code=projection,
        tolerance=1e-8,
        note="In the plane one can do more than is needed for a flip: one direction, p_1 - p_2, is enough for that"
        " (fc.thm5.infimum).",
        decoys=(Decoy("one probing vector is enough for both outputs", _swap_by_one),),
    ),
    _beside(
        "fc.thm5.triangular",
        says="the length of p_1 - p_2 in the entries of R",
        formula=r"\|p_1 - p_2\| = \sqrt{(r_{11} - r_{12})^2 + r_{22}^2}, \quad [p_1\; p_2] = QR",
        domain="d >= 2",
        kind="identity",
        theory=_triangular,
        world=worlds.two_probes,
        tolerance=1e-9,
        credit="textbook",
        note="The theorem decomposes [p_1 p_2] = QR; whether its bound is written in these entries is lost.",
        decoys=(Decoy("without the corner r_22", _corner_forgotten),),
    ),
    _beside(
        "fc.thm5.projection",
        says="if x_2 is classified as 2, the projected difference is at least the sum of both distances to the tie",
        formula=r"\frac{(f_1 - f_2)(x_1) + (f_2 - f_1)(x_2)}{\|p_1 - p_2\|} \le \|\tilde{x}_1 - \tilde{x}_2\|",
        domain="f_1(x_1) > f_2(x_1), f_2(x_2) > f_1(x_2)",
        kind="bound",
        theory=_sum_of_margins,
        world=worlds.classified_points,
        space=spaces.two_points,
        code=probes.projected_distance,
        tolerance=1e-9,
        credit="ours",
        note="So with equal margins it is twice what a flip needs, or more. The assumption on the projections and the"
        " bound of the theorem are lost in the text that was read, so that this is not the paper's. Where x_2 is"
        " classified as 1, although it has label 2, the projected difference may be too short for any flip.",
        decoys=(Decoy("with a factor 0.9 to spare", with_right_times(_sum_of_margins, 0.9)),),
    ),
    _drawn(
        "fc.thm5.flip",
        says="from a Gaussian input the shortest change of order of two outputs is half-normal, whatever the dimension",
        formula=r"\frac{|f_1(x) - f_2(x)|}{\|p_1 - p_2\|} \overset{d}{=} |N|, \quad N \sim \mathcal{N}(0, 1)",
        domain="linear networks of any depth without biases, of any law, x Gaussian and independent of them",
        theory=lambda **_: chi_product((1,)),
        code=probes.pair_distance,
        statistic="flip",
        note="While the input itself has length chi_n, near sqrt(n).",
        decoys=(
            Decoy("the swap instead of the tie", lambda **_: chi_product((1,), 2)),
            Decoy("over the length of one of two orthogonal vectors", lambda **_: chi_product((1,), 2**0.5)),
            Decoy("a step in the plane of both vectors", lambda **_: chi_product((2,))),
        ),
    ),
    _drawn(
        "fc.thm5.random",
        says="a random direction needs a step that is longer by the inverse compression on one gradient",
        formula=r"\left( \frac{\ell}{\ell_u} \right)^2 \sim \mathrm{Beta}\left(\frac{1}{2}, \frac{n-1}{2}\right)",
        domain="n >= 2, any linear network and input, u isotropic and independent of them",
        theory=_of_one,
        code=span_law,
        statistic="against_random",
        note="Random noise of the length of an attack is off by a factor of the order sqrt(n).",
        decoys=(
            Decoy("one dimension more", lambda n, **_: span_law(n + 1, 1)),
            Decoy("compression on both gradients", lambda n, **_: span_law(n, 2), where=lambda n, **_: n > 2),
        ),
    ),
    _drawn(
        "fc.thm5.plane",
        says="a random step within the plane of two probing vectors still has the angle of a random one in the plane",
        formula=r"\frac{\ell}{\ell_{Pu}} \overset{d}{=} |\cos \phi|, \quad \phi \sim \mathrm{U}(0, 2 \pi)",
        domain="p_1 and p_2 independent, u isotropic and independent of them",
        theory=lambda **_: span_law(2, 1),
        code=span_law,
        statistic="against_projected",
        note="So the projected difference of Theorem 5 is not the shortest step: its median is 1.41 times as long.",
        decoys=(
            Decoy("an angle in three dimensions", lambda **_: span_law(3, 1)),
            Decoy("an angle in all dimensions", _of_one, where=lambda n, **_: n > 2),
        ),
    ),
    _drawn(
        "fc.thm5.share",
        says="the part of a random perturbation that K outputs see has a squared share Beta(K/2, (n - K)/2)",
        formula=r"\frac{\|Q Q^T u\|^2}{\|u\|^2} \sim \mathrm{Beta}\left(\frac{K}{2}, \frac{n-K}{2}\right)",
        domain="K < n independent probing vectors, u isotropic and independent of them",
        theory=_of_all,
        code=span_law,
        statistic="share",
        where=lambda n, classes, **_: classes < n,
        decoys=(
            Decoy("one class less", lambda n, classes, **_: span_law(n, classes - 1)),
            Decoy("one dimension more", lambda n, classes, **_: span_law(n + 1, classes)),
        ),
    ),
)
