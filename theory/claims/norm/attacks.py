"""Rows on the two attacks as ConvNorm prints them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.convolution.robust_accuracy import MaskedMargin, projected_ascent, signed_step
from theory.numerics.array import Array
from theory.spaces import filters as spaces
from theory.worlds import robust_accuracy as worlds


def _radius(x: Array, gradient: Array, epsilon: float) -> Sides:
    """Largest change of any input by FGSM as printed."""
    return Sides(np.max(np.abs(epsilon * np.sign(gradient) - x)), epsilon)


def _linear_maximum(x: np.ndarray, gradient: np.ndarray, epsilon: float) -> Sides:
    """Largest rise of a linear loss over the corners of the box, against that of FGSM."""
    corners = x + epsilon * np.array(list(product((-1, 1), repeat=x.size)))
    return Sides(np.max((corners - x) @ gradient), (signed_step(x, gradient, epsilon) - x) @ gradient)


def _unsigned(x: np.ndarray, gradient: np.ndarray, epsilon: float) -> Sides:
    """The same maximum, against a step along the gradient itself."""
    step = epsilon * gradient / np.linalg.norm(gradient)
    return Sides(_linear_maximum(x, gradient, epsilon).left, step @ gradient)


def _bowl(centre: np.ndarray, curvature: np.ndarray) -> Callable[[Array], Array]:
    """Gradient of the loss -sum c_i (t_i - centre_i)^2 / 2, largest at the centre."""
    return lambda iterate: curvature * (centre - iterate)


def _misses(x: Array, centre: Array, curvature: Array, epsilon: float, step: float, steps: int) -> Sides:
    """PGD with the gradient as printed, at x: how far it ends from the largest loss, against its step."""
    fixed = _bowl(centre, curvature)(x)
    last = projected_ascent(x, lambda iterate: fixed, epsilon, step, int(steps))
    return Sides(np.max(np.abs(last - centre)), step)


def _arrives(
    x: Array, centre: Array, curvature: Array, epsilon: float, step: float, steps: int, share: float = 1
) -> Sides:
    """PGD with the gradient at every iterate: how far it ends from the largest loss, against a share of its step."""
    last = projected_ascent(x, _bowl(centre, curvature), epsilon, step, int(steps))
    return Sides(np.max(np.abs(last - centre)), share * step)


def _fixed_gradient(
    x: Array,
    gradient: Array,
    epsilon: float,
    step: float,
    steps: int,
    rule: Callable[..., Array] = signed_step,
) -> Sides:
    """Where PGD with one gradient in every step ends, against a rule for a single step."""
    return Sides(projected_ascent(x, lambda iterate: gradient, epsilon, step, steps), rule(x, gradient, epsilon))


def _masked(centre: Fraction, depth: Fraction, epsilon: Fraction) -> Sides:
    """True robust accuracy, against that under FGSM."""
    toy = MaskedMargin(centre, depth)
    return Sides(toy.accuracy(epsilon), toy.fgsm_accuracy(epsilon))


def _rising(centre: Fraction, depth: Fraction, epsilon: Fraction, one_step: bool) -> Sides:
    """Accuracy at a radius against that at three quarters of it."""
    toy = MaskedMargin(centre, depth)
    measure = toy.fgsm_accuracy if one_step else toy.accuracy
    return Sides(measure(epsilon), measure(epsilon * Fraction(3, 4)))


_row = rows("ConvNorm", kind="bound", tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "norm.fgsm.printed",
        at="Section 2.3.1",
        says="FGSM, epsilon sign(gradient), is within epsilon of x",
        formula=r"\| \epsilon \, \mathrm{sign}(\nabla_x L) - x \|_\infty \le \epsilon",
        domain="any input",
        theory=_radius,
        space=spaces.gradient_step,
        status="slip",
        quotes=(
            Quote(
                'method to generate adversarial examples is referred to as the "fast gradient sign method" (FGSM)'
                " [5]: [..]",
                "Section 2.3.1",
            ),
            Quote("PGD and FGSM attacks are performed with total [..]", "Section 4"),
        ),
        reading="the formula gives the adversarial example itself; 'total' epsilon is the largest change of an input",
        instead=("norm.fgsm.corrected",),
        defect="FGSM is printed as epsilon times the sign of the gradient, which is the perturbation alone: x + is"
        " missing",
        hypotheses=lambda x, gradient, epsilon, **_: {
            "a gradient with respect to the input x": x.shape == gradient.shape,
            "epsilon is no less than 0": epsilon >= 0,
        },
        code=signed_step,
    ),
    _row(
        "norm.fgsm.corrected",
        at="Section 2.3.1",
        says="x + epsilon sign(gradient) makes a linear loss as large as it gets within epsilon of x",
        formula=r"\max_{\|\delta\|_\infty \le \epsilon} g^\top \delta = g^\top \epsilon \, \mathrm{sign}(g)",
        domain="linear losses",
        theory=_linear_maximum,
        world=worlds.gradient_step,
        space=spaces.gradient_step,
        kind="identity",
        status="corrected",
        code=signed_step,
        decoys=(Decoy("a step along the gradient itself", _unsigned),),
    ),
    _row(
        "norm.pgd.tempting",
        at="Section 2.3.2",
        says="PGD with the gradient at x in every step ends within one step of the largest loss",
        formula=r"x^{t+1} = \Pi( x^t + \alpha \, \mathrm{sign} \nabla_x L(x) ) \; \Rightarrow \;"
        r" \|x^T - c\|_\infty \le \alpha",
        domain="concave quadratic losses with their maximum c in the ball, T alpha >= epsilon",
        theory=_misses,
        space=spaces.steps_in_a_bowl,
        status="extension",
        credit="ours",
        tempting=True,
        instead=("norm.pgd",),
        hypotheses=lambda x, centre, curvature, epsilon, step, steps, **_: {
            "a concave loss": bool(np.all(curvature > 0)),
            "its maximum is in the ball": bool(np.all(abs(centre - x) <= epsilon)),
            "the steps reach the boundary": steps * step >= epsilon,
        },
        note="The formula has the gradient at x where the iterate is x^t: a usual abbreviation, which means the"
        " gradient at x^t. Word by word the direction never changes.",
        code=projected_ascent,
    ),
    _row(
        "norm.pgd",
        at="Section 2.3.2",
        says="PGD with the gradient at x^t in every step ends within one step of the largest loss",
        formula=r"x^{t+1} = \Pi(x^t + \alpha \, \mathrm{sign} \nabla_x L(x^t)) \; \Rightarrow \;"
        r" \|x^T - c\|_\infty \le \alpha",
        domain="concave quadratic losses, separable, with their maximum c in the ball, T alpha >= epsilon",
        theory=_arrives,
        world=worlds.steps_in_a_bowl,
        space=spaces.steps_in_a_bowl,
        status="extension",
        credit="textbook",
        note="What the scheme of the paper does where the largest loss is known; the paper only calls it more powerful"
        " than FGSM.",
        code=projected_ascent,
        decoys=(
            Decoy("the gradient at x", _misses),
            Decoy("within a quarter of a step", lambda **world: _arrives(**world, share=0.25)),
        ),
    ),
    _row(
        "norm.pgd.fixed_gradient",
        at="Section 2.3.2",
        says="PGD with the gradient at x in every step is FGSM, as soon as its steps reach the boundary",
        formula=r"T \alpha \ge \epsilon \; \Rightarrow \; x^T = x + \epsilon \, \mathrm{sign} \nabla_x L(x)",
        domain="any loss, T alpha >= epsilon",
        theory=_fixed_gradient,
        world=worlds.steps_along_a_gradient,
        kind="identity",
        status="extension",
        credit="ours",
        note="Ten steps of 2/255 at epsilon = 8/255: read word by word, the formula of PGD is the weaker attack.",
        code=projected_ascent,
        decoys=(
            Decoy("x + is missing", lambda **world: _fixed_gradient(**world, rule=lambda x, g, e: e * np.sign(g))),
        ),
    ),
    _row(
        "norm.masking",
        at="Section 5",
        says="accuracy under FGSM is no less than the true robust accuracy, and may be 1 where that is 0",
        formula=r"A(\epsilon) \le A_{FGSM}(\epsilon)",
        domain="a margin (t - c)^2 - h of one input",
        theory=_masked,
        world=worlds.masked_margin,
        status="extension",
        credit="Athalye, Carlini and Wagner 2018; the example is ours",
        note="With c = 0.4 and h = 0.1 FGSM at epsilon = 1 sees a margin of 0.26; the smallest is -0.1.",
        code=MaskedMargin,
        decoys=(Decoy("FGSM finds what there is", lambda **world: _masked(**world).swapped),),
    ),
    _row(
        "norm.masking.radius",
        at="Section 5",
        says="true robust accuracy never rises with the radius: where it seems to, the attack has failed",
        formula=r"\epsilon' \ge \epsilon \; \Rightarrow \; A(\epsilon') \le A(\epsilon)",
        domain="a margin (t - c)^2 - h of one input",
        theory=lambda **world: _rising(**world, one_step=False),
        world=worlds.masked_margin,
        status="extension",
        credit="Athalye, Carlini and Wagner 2018; the example is ours",
        code=MaskedMargin,
        decoys=(Decoy("nor does accuracy under FGSM", lambda **world: _rising(**world, one_step=True)),),
    ),
)
