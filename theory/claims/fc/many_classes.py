"""Rows on linear classifiers of many classes, in the manner of Theorem 5 of feature compression."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import numpy as np

from fragility.claim import Claim, Decoy, Sides, rows
from theory.claims.fc.probes import length
from theory.numerics.array import Array
from theory.points import probes
from theory.spaces import linear as spaces
from theory.worlds import probes as worlds

THEOREM = "Feature compression, Theorem 5"


def _third_class(rows: Array, bias: Array, x: Array) -> Sides:
    """The best score but those of classes 1 and 2 at their tie, against that of class 2."""
    moved = x + probes.pair_perturbation(rows[0], rows[1], x, bias[0] - bias[1])
    scores = rows @ moved + bias
    return Sides(np.max(scores[2:]), scores[1])


def _targeted(rows: Array, bias: Array, x: Array, target: int) -> Sides:
    """The shortest of all candidates, one for each set of classes that tie with the target, against the program's."""
    others = [k for k in range(len(rows)) if k != target]
    G = rows[target] - rows[others]
    h = -(G @ x + bias[target] - bias[others])
    lengths = [
        length(e)
        for count in range(min(len(others), len(x)) + 1)
        for ties in map(list, combinations(range(len(others)), count))
        for e in [np.linalg.lstsq(G[ties], h[ties], rcond=None)[0] if count else np.zeros(len(x))]
        if np.all(G @ e - h >= -1e-9 * (1 + np.abs(h)))
    ]
    return Sides(min(lengths), length(probes.targeted_perturbation(rows, x, target, bias)))


def _first_pair(rows: Array, bias: Array, x: Array, target: int) -> Sides:
    """The same against the distance of the pair, label and target."""
    label = int(np.argmax(rows @ x + bias))
    pair = probes.class_distances(rows, x, label, bias)[target] if label != target else 0.0
    return Sides(_targeted(rows, bias, x, target).left, pair)


def _untargeted(rows: Array, bias: Array, x: Array, norm: probes.Norm) -> Sides:
    """The worst margin in the ball of the distance found, against 0."""
    label = int(np.argmax(rows @ x + bias))
    distance = probes.untargeted_distance(rows, x, label, bias, norm)
    return Sides(probes.worst_margin(rows, x, label, distance, bias, norm), 0.0)


def _untargeted_by(choose: Callable[[Array], float]) -> Callable[..., Sides]:
    """The same with another choice among the distances to the classes."""

    def theory(rows: Array, bias: Array, x: Array, norm: probes.Norm) -> Sides:
        label = int(np.argmax(rows @ x + bias))
        distances = np.sort(probes.class_distances(rows, x, label, bias, norm))[:-1]
        return Sides(probes.worst_margin(rows, x, label, choose(distances), bias, norm), 0.0)

    return theory


def _box(rows: Array, bias: Array, x: Array, radius: float) -> Sides:
    """The least margin at the corners of the box, where a linear one is least, against the formula."""
    corners = x + radius * np.array(list(product((-1, 1), repeat=len(x))))
    scores = corners @ rows.T + bias
    least = np.min(scores[:, :1] - scores[:, 1:])
    return Sides(least, probes.worst_margin(rows, x, 0, radius, bias, "linf"))


def _box_in_l2(rows: Array, bias: Array, x: Array, radius: float) -> Sides:
    return Sides(_box(rows, bias, x, radius).left, probes.worst_margin(rows, x, 0, radius, bias))


def _box_as_ball(rows: Array, bias: Array, x: Array, radius: float) -> Sides:
    ball = probes.worst_margin(rows, x, 0, radius * len(x) ** 0.5, bias)
    return Sides(_box(rows, bias, x, radius).left, ball)


def _sign_step(rows: Array, bias: Array, x: Array, radius: float) -> Sides:
    """The worst margin in the box, against that after one step of signs."""
    scores = rows @ probes.sign_step(rows, x, 0, radius, bias) + bias
    return Sides(probes.worst_margin(rows, x, 0, radius, bias, "linf"), scores[0] - np.max(scores[1:]))


def _sign_step_is_worst(rows: Array, bias: Array, x: Array, radius: float) -> Sides:
    return _sign_step(rows, bias, x, radius).swapped


_beside = rows(THEOREM, status="extension")

CLAIMS: tuple[Claim, ...] = (
    _beside(
        "fc.thm5.target.tempting",
        says="past the tie of classes 1 and 2 the predicted label is 2",
        formula=r"\max_{k \ge 3} f_k(x + e) \le f_2(x + e),"
        r" \quad e = -\frac{f_1(x) - f_2(x)}{\|p_1 - p_2\|^2} (p_1 - p_2)",
        domain="three classes and more, f_1 the largest output at x",
        kind="bound",
        theory=_third_class,
        space=spaces.classifier,
        code=probes.pair_perturbation,
        tolerance=1e-9,
        credit="ours",
        tempting=True,
        instead=("fc.thm5.target",),
        hypotheses=lambda rows, bias, x, **_: {
            "there are three classes or more": len(rows) >= 3,
            "p_1 differs from p_2": bool(np.any(rows[0] != rows[1])),
            "class 1 has the largest output at x": bool(np.all((rows @ x + bias)[0] > (rows @ x + bias)[1:])),
        },
        note="A third class may be above both; the label does change, but not to 2. The paper says that the label"
        " changes from class 1 to class 2 where the second output exceeds the first, whatever the others are: its"
        " statement is on the pair, and holds.",
    ),
    _beside(
        "fc.thm5.target",
        says="the shortest perturbation at which the target beats all classes solves a least-distance program",
        formula=r"\min \{ \|e\| : (p_t - p_k)^T (x + e) + b_t - b_k \ge 0 \; \forall k \}",
        domain="any number of classes, a target that wins somewhere",
        kind="identity",
        theory=_targeted,
        world=worlds.classifier_and_target,
        code=probes.targeted_perturbation,
        tolerance=1e-6,
        credit="textbook",
        note="Least-distance programming (Lawson and Hanson 1974).",
        decoys=(Decoy("the distance of the pair", _first_pair),),
    ),
    _beside(
        "fc.thm5.classes",
        says="with K classes the least of the K - 1 pair distances is what any change of label needs",
        formula=r"\min_{k \ne y} \frac{f_y(x) - f_k(x)}{\|p_y - p_k\|_*}",
        domain="any linear classifier, l2 or linf",
        kind="identity",
        theory=_untargeted,
        world=worlds.classifier_and_norm,
        code=probes.untargeted_distance,
        tolerance=1e-9,
        credit="Moosavi-Dezfooli, Fawzi and Frossard 2016",
        decoys=(
            Decoy("the largest of them", _untargeted_by(np.max)),
            Decoy("their mean", _untargeted_by(np.mean)),
        ),
    ),
    _beside(
        "fc.thm5.linf",
        says="in an linf ball the least margin of a linear classifier falls by the radius times an l1 norm",
        formula=r"\min_{\|e\|_\infty \le \epsilon} \min_{j \ne y} (f_y - f_j)(x + e)"
        r" = \min_{j \ne y} \left( (f_y - f_j)(x) - \epsilon \|p_y - p_j\|_1 \right)",
        domain="any linear classifier",
        kind="identity",
        theory=_box,
        world=worlds.small_box,
        code=probes.worst_margin,
        tolerance=1e-9,
        credit="textbook",
        decoys=(
            Decoy("the l2 norm of the difference", _box_in_l2),
            Decoy("the ball around the box", _box_as_ball),
        ),
    ),
    _beside(
        "fc.thm5.sign_step",
        says="one step of the fast gradient sign method never beats the exact worst case of its box",
        formula=r"\min_{j \ne y} \left( (f_y - f_j)(x) - \epsilon \|p_y - p_j\|_1 \right)"
        r" \le \min_{j \ne y} (f_y - f_j)(x + \epsilon\, \mathrm{sign}\, \nabla \mathrm{CE})",
        domain="softmax regression, without clipping",
        kind="bound",
        theory=_sign_step,
        world=worlds.box,
        code=probes.sign_step,
        tolerance=1e-9,
        credit="textbook",
        note="Equality for two classes; with more the sign step may be far from the worst.",
        decoys=(Decoy("it attains the worst case", _sign_step_is_worst),),
    ),
)
