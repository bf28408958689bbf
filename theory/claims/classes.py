"""Rows on linear classifiers of many classes, in the manner of Theorem 5 of feature compression."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np

from theory import probes
from theory.claim import Claim, Decoy, Sides, rows

THEOREM = "Feature compression, Theorem 5"


def _length(vector: Any) -> Any:
    return np.sqrt(np.sum(vector**2, axis=-1))


def _third_class(rows: Any, bias: Any, x: Any) -> Sides:
    """Scores at the tie of classes 1 and 2: the best of the others against that of class 2."""
    moved = x + probes.pair_perturbation(rows[0], rows[1], x, bias[0] - bias[1])
    scores = rows @ moved + bias
    return Sides(np.max(scores[2:]), scores[1])


def _targeted(rows: Any, bias: Any, x: Any, target: int) -> Sides:
    """All candidates for the optimum, one for each set of classes that tie with the target, by least squares."""
    others = [k for k in range(len(rows)) if k != target]
    G = rows[target] - rows[others]
    h = -(G @ x + bias[target] - bias[others])
    lengths = [
        _length(e)
        for count in range(min(len(others), len(x)) + 1)
        for ties in map(list, combinations(range(len(others)), count))
        for e in [np.linalg.lstsq(G[ties], h[ties], rcond=None)[0] if count else np.zeros(len(x))]
        if np.all(G @ e - h >= -1e-9 * (1 + np.abs(h)))
    ]
    return Sides(min(lengths), _length(probes.targeted_perturbation(rows, x, target, bias)))


def _first_pair(rows: Any, bias: Any, x: Any, target: int) -> Sides:
    label = int(np.argmax(rows @ x + bias))
    pair = probes.class_distances(rows, x, label, bias)[target] if label != target else 0.0
    return Sides(_targeted(rows, bias, x, target).left, pair)


def _untargeted(rows: Any, bias: Any, x: Any, norm: Any) -> Sides:
    """At the distance found the worst margin in the ball is 0."""
    label = int(np.argmax(rows @ x + bias))
    distance = probes.untargeted_distance(rows, x, label, bias, norm)
    return Sides(probes.worst_margin(rows, x, label, distance, bias, norm), 0.0)


def _untargeted_by(choose: Any) -> Any:
    def theory(rows: Any, bias: Any, x: Any, norm: Any) -> Sides:
        label = int(np.argmax(rows @ x + bias))
        distances = np.sort(probes.class_distances(rows, x, label, bias, norm))[:-1]
        return Sides(probes.worst_margin(rows, x, label, choose(distances), bias, norm), 0.0)

    return theory


def _box(rows: Any, bias: Any, x: Any, radius: float) -> Sides:
    """Margins at all corners of the box, where a minimum of linear functions is least."""
    corners = x + radius * np.array(list(product((-1, 1), repeat=len(x))))
    scores = corners @ rows.T + bias
    least = np.min(scores[:, :1] - scores[:, 1:])
    return Sides(least, probes.worst_margin(rows, x, 0, radius, bias, "linf"))


def _box_in_l2(rows: Any, bias: Any, x: Any, radius: float) -> Sides:
    return Sides(_box(rows, bias, x, radius).left, probes.worst_margin(rows, x, 0, radius, bias))


def _box_as_ball(rows: Any, bias: Any, x: Any, radius: float) -> Sides:
    ball = probes.worst_margin(rows, x, 0, radius * len(x) ** 0.5, bias)
    return Sides(_box(rows, bias, x, radius).left, ball)


def _sign_step(rows: Any, bias: Any, x: Any, radius: float) -> Sides:
    scores = rows @ probes.sign_step(rows, x, 0, radius, bias) + bias
    return Sides(probes.worst_margin(rows, x, 0, radius, bias, "linf"), scores[0] - np.max(scores[1:]))


def _sign_step_is_worst(rows: Any, bias: Any, x: Any, radius: float) -> Sides:
    return Sides(*reversed(_sign_step(rows, bias, x, radius)))


_beside = rows("fc.thm5", THEOREM, status="extension")

CLAIMS: tuple[Claim, ...] = (
    _beside(
        "target.tempting",
        says="past the tie of classes 1 and 2 the predicted label is 2",
        formula=r"\max_{k \ge 3} f_k(x + e) \le f_2(x + e),"
        r" \quad e = -\frac{f_1(x) - f_2(x)}{\|p_1 - p_2\|^2} (p_1 - p_2)",
        domain="three classes and more, f_1 the largest output at x",
        kind="bound",
        theory=_third_class,
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
        "target",
        says="the shortest perturbation at which the target beats all classes solves a least-distance program",
        formula=r"\min \{ \|e\| : (p_t - p_k)^T (x + e) + b_t - b_k \ge 0 \; \forall k \}",
        domain="any number of classes, a target that wins somewhere",
        kind="identity",
        theory=_targeted,
        code=probes.targeted_perturbation,
        tolerance=1e-6,
        credit="textbook",
        note="Least-distance programming (Lawson and Hanson 1974).",
        decoys=(Decoy("the distance of the pair", _first_pair),),
    ),
    _beside(
        "classes",
        says="with K classes the least of the K - 1 pair distances is what any change of label needs",
        formula=r"\min_{k \ne y} \frac{f_y(x) - f_k(x)}{\|p_y - p_k\|_*}",
        domain="any linear classifier, l2 or linf",
        kind="identity",
        theory=_untargeted,
        code=probes.untargeted_distance,
        tolerance=1e-9,
        credit="Moosavi-Dezfooli, Fawzi and Frossard 2016",
        decoys=(
            Decoy("the largest of them", _untargeted_by(np.max)),
            Decoy("their mean", _untargeted_by(np.mean)),
        ),
    ),
    _beside(
        "linf",
        says="in an linf ball the least margin of a linear classifier falls by the radius times an l1 norm",
        formula=r"\min_{\|e\|_\infty \le \epsilon} \min_{j \ne y} (f_y - f_j)(x + e)"
        r" = \min_{j \ne y} \left( (f_y - f_j)(x) - \epsilon \|p_y - p_j\|_1 \right)",
        domain="any linear classifier",
        kind="identity",
        theory=_box,
        code=probes.worst_margin,
        tolerance=1e-9,
        credit="textbook",
        decoys=(
            Decoy("the l2 norm of the difference", _box_in_l2),
            Decoy("the ball around the box", _box_as_ball),
        ),
    ),
    _beside(
        "sign_step",
        says="one step of the fast gradient sign method never beats the exact worst case of its box",
        formula=r"\min_{j \ne y} \left( (f_y - f_j)(x) - \epsilon \|p_y - p_j\|_1 \right)"
        r" \le \min_{j \ne y} (f_y - f_j)(x + \epsilon\, \mathrm{sign}\, \nabla \mathrm{CE})",
        domain="softmax regression, without clipping",
        kind="bound",
        theory=_sign_step,
        code=probes.sign_step,
        tolerance=1e-9,
        credit="textbook",
        note="Equality for two classes; with more the sign step may be far from the worst.",
        decoys=(Decoy("it attains the worst case", _sign_step_is_worst),),
    ),
)
