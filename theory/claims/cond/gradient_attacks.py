"""Rows on FGSM and FGMT, the attacks of Conditioning, Section III-C, where a linear softmax network is attacked.

Both are taken as the implementation has them that the paper cites: full steps without projection, clipped to the box of
the pixels; FGSM ascends the loss of the network's own clean prediction, FGMT descends that of the least likely class.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.conditioning.gradient_attacks import (
    Box,
    cross_entropy,
    fast_gradient,
    input_gradient,
    lost_radius,
)
from theory.numerics.array import Array
from theory.points.probes import Norm, worst_margin
from theory.reported import CONDITIONING
from theory.worlds import gradient_attacks as worlds

UNIT = (0.0, 1.0)
BOTH = (False, True)  # FGSM and FGMT, by whether the attack has a target
LENGTHENED = np.array([1.0, 1.25, 1.5, 2.0, 3.0, 5.0])


def _logits(W: Array, b: Array, x: Array) -> Array:
    return x @ W.T + b


def _prediction(W: Array, b: Array, x: Array) -> Array:
    return np.argmax(_logits(W, b, x), axis=-1)


def _target(W: Array, b: Array, x: Array) -> Array:
    return np.argmin(_logits(W, b, x), axis=-1)


def _one_step(
    W: Array, b: Array, x: Array, epsilon: float, steps: int, whole: bool = True, repeated: bool = False, **_: Any
) -> Sides:
    """Largest change of a pixel by FGSM as printed, against epsilon; decoys take eta for x + eta, or all steps."""
    moved = fast_gradient(W, b, x, epsilon, steps if repeated else 1, box=None)
    return Sides(np.max(np.abs(moved - x - (0 if whole else x))), epsilon)


def _path(
    W: Array, b: Array, x: Array, epsilon: float, steps: int, target: bool = False, box: Box = UNIT
) -> tuple[Array, list[Array]]:
    """The class whose loss an attack ascends or descends, and the images after 0, 1, ... steps."""
    aim = _target(W, b, x) if target else _prediction(W, b, x)
    iterates = [x]
    for _ in range(steps):
        iterates.append(fast_gradient(W, b, iterates[-1], epsilon, 1, target, box, aim))
    return aim, iterates


def _losses(W: Array, b: Array, iterates: list[Array], of: Array) -> Array:
    """Loss of one class of each image along a path."""
    return np.array([cross_entropy(W, b, at, of) for at in iterates])


def _slope(W: Array, b: Array, x: Array, of: Array) -> Array:
    """l1 norm of the gradient of that loss."""
    return np.sum(np.abs(input_gradient(W, b, x, of)), axis=-1)


def _ascent(W: Array, b: Array, x: Array, labels: Array, epsilon: float, steps: int, known: bool = False) -> Sides:
    """The loss of the clean prediction, or of the label, before and after every step of FGSM."""
    y, iterates = _path(W, b, x, epsilon, steps)
    losses = _losses(W, b, iterates, labels if known else y)
    return Sides(losses[:-1], losses[1:])


def _target_falls(W: Array, b: Array, x: Array, epsilon: float, steps: int, **_: Any) -> Sides:
    """The loss of FGMT's target after every step, against that before it."""
    t, iterates = _path(W, b, x, epsilon, steps, target=True)
    losses = _losses(W, b, iterates, t)
    return Sides(losses[1:], losses[:-1])


def _growth(W: Array, b: Array, x: Array, epsilon: float, steps: int, box: Box = None, **_: Any) -> Sides:
    """What the first gradient promises of the loss after every step of FGSM, against that loss."""
    y, iterates = _path(W, b, x, epsilon, steps, box=box)
    losses = _losses(W, b, iterates, y)
    return Sides(losses[0] + np.arange(steps + 1)[:, None] * epsilon * _slope(W, b, x, y), losses)


def _fall_as_promised(W: Array, b: Array, x: Array, epsilon: float, steps: int, **_: Any) -> Sides:
    """The loss of FGMT's target after every step, against what the first gradient promises of it."""
    t, iterates = _path(W, b, x, epsilon, steps, target=True, box=None)
    losses = _losses(W, b, iterates, t)
    return Sides(losses, losses[0] - np.arange(steps + 1)[:, None] * epsilon * _slope(W, b, x, t))


def _descent(W: Array, b: Array, x: Array, epsilon: float, steps: int, share: float = 1 / 8, **_: Any) -> Sides:
    """The loss of FGMT's target after every step, against its first order and a share of the squared reach."""
    t, iterates = _path(W, b, x, epsilon, steps, target=True)
    losses = _losses(W, b, iterates, t)
    first = [
        np.sum(np.abs(input_gradient(W, b, before, t) * (after - before)), axis=-1)
        for before, after in pairwise(iterates)
    ]
    reach = epsilon * np.max(np.sum(np.abs(W[:, None] - W), axis=-1))
    return Sides(losses[1:], losses[:-1] - np.array(first) + share * reach**2)


def _certified(
    W: Array, b: Array, x: Array, labels: Array, epsilon: float, steps: int, norm: Norm = "linf", counted: bool = True
) -> Sides:
    """The exact worst margin of the labels in the ball that the steps can leave x by, against that after each attack.

    Decoys take the ball of one step, or another norm.
    """
    radius = (steps if counted else 1) * epsilon
    margins = []
    for target in BOTH:
        z = _logits(W, b, fast_gradient(W, b, x, epsilon, steps, target))
        own = np.arange(z.shape[-1]) == labels[:, None]
        margins.append(np.sum(z, axis=-1, where=own) - np.max(np.where(own, -np.inf, z), axis=-1))
    return Sides(worst_margin(W, x, labels, radius, b, norm), np.array(margins))


def _lost(
    W: Array, b: Array, x: Array, epsilon: float, steps: int, times: float = 1, box: Box = None, **_: Any
) -> Sides:
    """Whether FGSM leaves an image its prediction, against whether the radius of the image is beyond its steps."""
    moved = fast_gradient(W, b, x, epsilon, steps, box=box)
    kept = _prediction(W, b, moved) == _prediction(W, b, x)
    return Sides(kept, times * lost_radius(W, b, x) >= steps * epsilon)


def _decline(
    W: Array,
    b: Array,
    x: Array,
    labels: Array,
    epsilon: float,
    steps: int,
    everywhere: bool = False,
    further: bool = False,
) -> Sides:
    """Share of the images classified rightly that are so after an attack, from each radius to the next larger one.

    Decoys count all images, or take further steps in place of a larger one.
    """
    counted = np.full(len(x), True) if everywhere else _prediction(W, b, x) == labels
    found = []
    for target in BOTH:
        ends = [fast_gradient(W, b, x, length * epsilon, 1, target, box=None) for length in LENGTHENED]
        ends = _path(W, b, x, epsilon, steps, target, box=None)[1][1:] if further else ends
        kept = [counted & (_prediction(W, b, end) == labels) for end in ends]
        found.append(np.mean(kept, axis=-1))
    shares = np.array(found)
    return Sides(shares[:, 1:], shares[:, :-1])


def _gauge(
    W: Array, b: Array, x: Array, c: Array, epsilon: float, steps: int, other: Callable[[Array, Array], Array], **_: Any
) -> Sides:
    """Both attacks on a network, against those on the same network written in another way."""
    return Sides(
        *(
            np.array([fast_gradient(weights, b, x, epsilon, steps, target) for target in BOTH])
            for weights in (other(W, c), W)
        )
    )


def _written(other: Callable[[Array, Array], Array]) -> Callable[..., Sides]:
    return lambda **world: _gauge(**world, other=other)


SECTION = f"{CONDITIONING}, Section III-C"
_row = rows(SECTION, kind="bound", tolerance=1e-9, code=fast_gradient)
_ours = rows(SECTION, kind="bound", tolerance=1e-9, code=fast_gradient, status="extension", credit="ours")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "cond.attack.fgsm",
        says="FGSM as printed, one step and x + eta, leaves no pixel farther than epsilon from where it was",
        formula=r"x_{adv} = x + \epsilon\, \mathrm{sgn} \nabla_x J(\theta, x, y) \; \Rightarrow \;"
        r" \|x_{adv} - x\|_\infty \le \epsilon",
        domain="linear softmax networks",
        theory=_one_step,
        world=worlds.images,
        quotes=(
            Quote("bases its perturbation [..] in the cost function [..] used to train the neural network", SECTION),
            Quote("The adversarially generated examples are then characterized by: [..]", SECTION),
        ),
        reading="the cost is the cross entropy; y, which the paper does not define, is the network's own prediction, as"
        " in the implementation that it cites",
        note="That implementation repeats the step and projects on no ball: T steps reach T epsilon. The tables do not"
        " say how many were taken.",
        decoys=(
            Decoy("eta alone, without x +", partial(_one_step, whole=False)),
            Decoy("nor does it after T steps", partial(_one_step, repeated=True)),
        ),
    ),
    _ours(
        "cond.attack.ascent",
        says="no step of FGSM lowers the loss of the clean prediction, clipped or not",
        formula=r"J_y(x_t) \le J_y(x_{t+1})",
        domain="linear softmax networks, x in the box",
        theory=_ascent,
        world=worlds.images,
        note="The loss is convex in x, so that it lies above its tangent, and no pixel moves against the sign of its"
        " gradient. Descent has no such guarantee: a step may be longer than the way to the minimum.",
        decoys=(
            Decoy("of the true label", partial(_ascent, known=True)),
            Decoy("nor does FGMT raise that of its target", _target_falls),
        ),
    ),
    _ours(
        "cond.attack.growth",
        says="T steps of FGSM raise the loss by T epsilon times the l1 norm of the first gradient, or more",
        formula=r"J_y(x_0) + T \epsilon \|\nabla_x J_y(x_0)\|_1 \le J_y(x_T)",
        domain="linear softmax networks, not clipped",
        theory=_growth,
        world=worlds.images,
        code=input_gradient,
        note="The tangent at x_{t+1}, seen from x_t, and that at x_t, seen from x_{t+1}, show that the l1"
        " norm of the gradient never falls from step to step.",
        decoys=(
            Decoy("clipped to the box", partial(_growth, box=UNIT)),
            Decoy("and FGMT lowers that of its target as much", _fall_as_promised),
        ),
    ),
    _ours(
        "cond.attack.descent",
        says="a step of FGMT lowers its target's loss by the first order, up to an eighth of the squared reach",
        formula=r"J_t(x') \le J_t(x) - \sum_i |\partial_i J_t(x)| |x'_i - x_i|"
        r" + \frac{\epsilon^2}{8} \max_{j, k} \|w_j - w_k\|_1^2",
        domain="linear softmax networks, x in the box, clipped or not",
        theory=_descent,
        world=worlds.images,
        code=input_gradient,
        credit="textbook",
        note="Hoeffding's lemma: the loss less its tangent is the logarithm of a moment generating function of centred"
        " logits that lie within epsilon max ||w_j - w_k||_1. Beyond that the step may overshoot and raise the loss.",
        decoys=(
            Decoy("without the last term", partial(_descent, share=0.0)),
            Decoy("a sixteenth", partial(_descent, share=1 / 16)),
        ),
    ),
    _ours(
        "cond.attack.certified",
        says="T steps lower no margin by more than T epsilon times the l1 distance of the two classes' weights",
        formula=r"\min_{j \ne y} \left( m_{yj}(x) - T \epsilon \|w_y - w_j\|_1 \right) \le \min_{j \ne y} m_{yj}(x_T)",
        domain="both attacks, any label, clipped or not",
        theory=_certified,
        world=worlds.images,
        code=worst_margin,
        credit="textbook",
        note="The exact worst case in the ball that the steps span: accuracy after T steps is at least the share of"
        " images on which it is positive.",
        decoys=(
            Decoy("by more than that of one step", partial(_certified, counted=False)),
            Decoy("than T epsilon times the Euclidean distance", partial(_certified, norm="l2")),
        ),
    ),
    _ours(
        "cond.attack.lost",
        says="no image keeps its prediction under FGSM once T epsilon ||grad J_y||_1 exceeds log K - J_y at the start",
        formula=r"T \epsilon \|\nabla_x J_y(x)\|_1 > \log K - J_y(x) \; \Rightarrow \; f_y(x_T) < \max_k f_k(x_T)",
        domain="linear softmax networks, not clipped",
        theory=_lost,
        world=worlds.images,
        code=lost_radius,
        note="From cond.attack.growth: at a loss above log K the prediction has less than its share of 1 / K. When that"
        " holds of all images, accuracy is at most the share of clean images that were misclassified.",
        decoys=(
            Decoy("half of that", partial(_lost, times=0.5)),
            Decoy("clipped to the box", partial(_lost, box=UNIT)),
        ),
    ),
    _ours(
        "cond.attack.decline",
        says="after one step of either attack the images classified rightly are the fewer, the larger epsilon",
        formula=r"\epsilon' \ge \epsilon \; \Rightarrow \; A_y(x + \epsilon' s) \le A_y(x + \epsilon s),"
        r" \quad A_y \text{ over images with } y \text{ at } x",
        domain="linear softmax networks, one step, not clipped, images that are classified rightly without attack",
        theory=_decline,
        world=worlds.images_and_long_steps,
        note="The least margin is concave along a ray and positive where it starts, so that it changes its sign once. A"
        " rise, as that of Table II from 0.917 to 0.921, then comes from images that are repaired, from the clip or"
        " from further steps.",
        decoys=(
            Decoy("over all images", partial(_decline, everywhere=True)),
            Decoy("the more steps there are", partial(_decline, further=True)),
        ),
    ),
    _ours(
        "cond.attack.gauge",
        says="adding one functional to all logits changes no step of either attack",
        formula=r"W + \mathbf{1} c^T \; \Rightarrow \; x'_T = x_T",
        domain="linear softmax networks",
        kind="identity",
        theory=_written(lambda W, c: W + c),
        world=worlds.images_and_functional,
        note="While the condition number of W may become anything: see cond.gauge.",
        decoys=(
            Decoy("to the logit of the first class", _written(lambda W, c: np.vstack((W[:1] + c, W[1:])))),
            Decoy("nor does doubling the weights", _written(lambda W, c: 2 * W)),
        ),
    ),
)
